import { array, type Infer, int16, int32, int64, message, string, struct, uuid } from '../../../wire/schema.ts';

/** InitializeShareGroupState: from the group coordinator to the share coordinator (KIP-932). */

const PartitionData = struct({
  partition: { type: int32, versions: '0+' },
  stateEpoch: { type: int32, versions: '0+' },
  startOffset: { type: int64, versions: '0+' },
});

const InitializeStateData = struct({
  topicId: { type: uuid, versions: '0+' },
  partitions: { type: array(PartitionData), versions: '0+' },
});

export const InitializeShareGroupStateRequest = message({
  name: 'InitializeShareGroupStateRequest',
  apiKey: 83,
  versions: '0',
  flexible: '0+',
  fields: {
    groupId: { type: string, versions: '0+' },
    topics: { type: array(InitializeStateData), versions: '0+' },
  },
});
export type InitializeShareGroupStateRequest = Infer<typeof InitializeShareGroupStateRequest>;

const PartitionResult = struct({
  partition: { type: int32, versions: '0+' },
  errorCode: { type: int16, versions: '0+' },
  errorMessage: { type: string, versions: '0+', nullable: '0+', default: null },
});

const InitializeStateResult = struct({
  topicId: { type: uuid, versions: '0+' },
  partitions: { type: array(PartitionResult), versions: '0+' },
});

export const InitializeShareGroupStateResponse = message({
  name: 'InitializeShareGroupStateResponse',
  apiKey: 83,
  versions: '0',
  flexible: '0+',
  fields: {
    results: { type: array(InitializeStateResult), versions: '0+' },
  },
});
export type InitializeShareGroupStateResponse = Infer<typeof InitializeShareGroupStateResponse>;
