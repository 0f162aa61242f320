import { array, type Infer, int8, int16, int32, int64, message, string, struct, uuid } from '../../../wire/schema.ts';

/** ReadShareGroupState: the delivery state of share partitions (KIP-932). */

const PartitionData = struct({
  partition: { type: int32, versions: '0+' },
  leaderEpoch: { type: int32, versions: '0+' },
});

const ReadStateData = struct({
  topicId: { type: uuid, versions: '0+' },
  partitions: { type: array(PartitionData), versions: '0+' },
});

export const ReadShareGroupStateRequest = message({
  name: 'ReadShareGroupStateRequest',
  apiKey: 84,
  versions: '0',
  flexible: '0+',
  fields: {
    groupId: { type: string, versions: '0+' },
    topics: { type: array(ReadStateData), versions: '0+' },
  },
});
export type ReadShareGroupStateRequest = Infer<typeof ReadShareGroupStateRequest>;

const StateBatch = struct({
  firstOffset: { type: int64, versions: '0+' },
  lastOffset: { type: int64, versions: '0+' },
  deliveryState: { type: int8, versions: '0+' },
  deliveryCount: { type: int16, versions: '0+' },
});

const PartitionResult = struct({
  partition: { type: int32, versions: '0+' },
  errorCode: { type: int16, versions: '0+' },
  errorMessage: { type: string, versions: '0+', nullable: '0+', default: null },
  stateEpoch: { type: int32, versions: '0+' },
  startOffset: { type: int64, versions: '0+' },
  stateBatches: { type: array(StateBatch), versions: '0+' },
});

const ReadStateResult = struct({
  topicId: { type: uuid, versions: '0+' },
  partitions: { type: array(PartitionResult), versions: '0+' },
});

export const ReadShareGroupStateResponse = message({
  name: 'ReadShareGroupStateResponse',
  apiKey: 84,
  versions: '0',
  flexible: '0+',
  fields: {
    results: { type: array(ReadStateResult), versions: '0+' },
  },
});
export type ReadShareGroupStateResponse = Infer<typeof ReadShareGroupStateResponse>;
