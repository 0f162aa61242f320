import { array, bool, type Infer, int16, int32, message, string, struct } from '../../../wire/schema.ts';

/** CreatePartitions: raises the partition count of topics (KIP-195). */

const CreatePartitionsAssignment = struct({
  brokerIds: { type: array(int32), versions: '0+' },
});

const CreatePartitionsTopic = struct({
  name: { type: string, versions: '0+' },
  count: { type: int32, versions: '0+' },
  assignments: { type: array(CreatePartitionsAssignment), versions: '0+', nullable: '0+' },
});

export const CreatePartitionsRequest = message({
  name: 'CreatePartitionsRequest',
  apiKey: 37,
  versions: '0-3',
  flexible: '2+',
  fields: {
    topics: { type: array(CreatePartitionsTopic), versions: '0+' },
    timeoutMs: { type: int32, versions: '0+' },
    validateOnly: { type: bool, versions: '0+' },
  },
});
export type CreatePartitionsRequest = Infer<typeof CreatePartitionsRequest>;

const CreatePartitionsTopicResult = struct({
  name: { type: string, versions: '0+' },
  errorCode: { type: int16, versions: '0+' },
  errorMessage: { type: string, versions: '0+', nullable: '0+', default: null },
});

export const CreatePartitionsResponse = message({
  name: 'CreatePartitionsResponse',
  apiKey: 37,
  versions: '0-3',
  flexible: '2+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    results: { type: array(CreatePartitionsTopicResult), versions: '0+' },
  },
});
export type CreatePartitionsResponse = Infer<typeof CreatePartitionsResponse>;
