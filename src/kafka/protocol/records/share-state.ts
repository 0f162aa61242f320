import { array, type Infer, int8, int16, int32, int64, message, string, struct, uuid } from '../../../wire/schema.ts';

/** Delivery state of share partitions in `__share_group_state` (KIP-932). */

export const ShareSnapshotKey = message({
  name: 'ShareSnapshotKey',
  apiKey: 0,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: { type: string, versions: '0' },
    topicId: { type: uuid, versions: '0' },
    partition: { type: int32, versions: '0' },
  },
});
export type ShareSnapshotKey = Infer<typeof ShareSnapshotKey>;

const StateBatch = struct({
  firstOffset: { type: int64, versions: '0+' },
  lastOffset: { type: int64, versions: '0+' },
  deliveryState: { type: int8, versions: '0+' },
  deliveryCount: { type: int16, versions: '0+' },
});

export const ShareSnapshotValue = message({
  name: 'ShareSnapshotValue',
  apiKey: 0,
  versions: '0',
  flexible: '0+',
  fields: {
    snapshotEpoch: { type: int32, versions: '0+' },
    stateEpoch: { type: int32, versions: '0+' },
    leaderEpoch: { type: int32, versions: '0+' },
    startOffset: { type: int64, versions: '0+' },
    deliveryCompleteCount: { type: int32, versions: '0+', tag: 0, default: -1 },
    createTimestamp: { type: int64, versions: '0+' },
    writeTimestamp: { type: int64, versions: '0+' },
    stateBatches: { type: array(StateBatch), versions: '0+' },
  },
});
export type ShareSnapshotValue = Infer<typeof ShareSnapshotValue>;

export const ShareUpdateKey = message({
  name: 'ShareUpdateKey',
  apiKey: 1,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: { type: string, versions: '0' },
    topicId: { type: uuid, versions: '0' },
    partition: { type: int32, versions: '0' },
  },
});
export type ShareUpdateKey = Infer<typeof ShareUpdateKey>;

export const ShareUpdateValue = message({
  name: 'ShareUpdateValue',
  apiKey: 1,
  versions: '0',
  flexible: '0+',
  fields: {
    snapshotEpoch: { type: int32, versions: '0+' },
    leaderEpoch: { type: int32, versions: '0+' },
    startOffset: { type: int64, versions: '0+' },
    deliveryCompleteCount: { type: int32, versions: '0+', tag: 0, default: -1 },
    stateBatches: { type: array(StateBatch), versions: '0+' },
  },
});
export type ShareUpdateValue = Infer<typeof ShareUpdateValue>;
