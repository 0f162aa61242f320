import { array, type Infer, int8, int16, int32, int64, message, string, struct, uuid } from '../../../wire/schema.ts';

/** WriteShareGroupState: persists the delivery state of share partitions (KIP-932). */

const StateBatch = struct({
  firstOffset: { type: int64, versions: '0+' },
  lastOffset: { type: int64, versions: '0+' },
  deliveryState: { type: int8, versions: '0+' },
  deliveryCount: { type: int16, versions: '0+' },
});

const PartitionData = struct({
  partition: { type: int32, versions: '0+' },
  stateEpoch: { type: int32, versions: '0+' },
  leaderEpoch: { type: int32, versions: '0+' },
  startOffset: { type: int64, versions: '0+' },
  deliveryCompleteCount: { type: int32, versions: '1+', default: -1, ignorable: true },
  stateBatches: { type: array(StateBatch), versions: '0+' },
});

const WriteStateData = struct({
  topicId: { type: uuid, versions: '0+' },
  partitions: { type: array(PartitionData), versions: '0+' },
});

export const WriteShareGroupStateRequest = message({
  name: 'WriteShareGroupStateRequest',
  apiKey: 85,
  versions: '0-1',
  flexible: '0+',
  fields: {
    groupId: { type: string, versions: '0+' },
    topics: { type: array(WriteStateData), versions: '0+' },
  },
});
export type WriteShareGroupStateRequest = Infer<typeof WriteShareGroupStateRequest>;

const PartitionResult = struct({
  partition: { type: int32, versions: '0+' },
  errorCode: { type: int16, versions: '0+' },
  errorMessage: { type: string, versions: '0+', nullable: '0+', default: null },
});

const WriteStateResult = struct({
  topicId: { type: uuid, versions: '0+' },
  partitions: { type: array(PartitionResult), versions: '0+' },
});

export const WriteShareGroupStateResponse = message({
  name: 'WriteShareGroupStateResponse',
  apiKey: 85,
  versions: '0-1',
  flexible: '0+',
  fields: {
    results: { type: array(WriteStateResult), versions: '0+' },
  },
});
export type WriteShareGroupStateResponse = Infer<typeof WriteShareGroupStateResponse>;
