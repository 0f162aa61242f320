import { array, type Infer, int16, int32, message, string, struct, uuid } from '../../../wire/schema.ts';

/** DeleteShareGroupState (KIP-932). */

const PartitionData = struct({
  partition: { type: int32, versions: '0+' },
});

const DeleteStateData = struct({
  topicId: { type: uuid, versions: '0+' },
  partitions: { type: array(PartitionData), versions: '0+' },
});

export const DeleteShareGroupStateRequest = message({
  name: 'DeleteShareGroupStateRequest',
  apiKey: 86,
  versions: '0',
  flexible: '0+',
  fields: {
    groupId: { type: string, versions: '0+' },
    topics: { type: array(DeleteStateData), versions: '0+' },
  },
});
export type DeleteShareGroupStateRequest = Infer<typeof DeleteShareGroupStateRequest>;

const PartitionResult = struct({
  partition: { type: int32, versions: '0+' },
  errorCode: { type: int16, versions: '0+' },
  errorMessage: { type: string, versions: '0+', nullable: '0+', default: null },
});

const DeleteStateResult = struct({
  topicId: { type: uuid, versions: '0+' },
  partitions: { type: array(PartitionResult), versions: '0+' },
});

export const DeleteShareGroupStateResponse = message({
  name: 'DeleteShareGroupStateResponse',
  apiKey: 86,
  versions: '0',
  flexible: '0+',
  fields: {
    results: { type: array(DeleteStateResult), versions: '0+' },
  },
});
export type DeleteShareGroupStateResponse = Infer<typeof DeleteShareGroupStateResponse>;
