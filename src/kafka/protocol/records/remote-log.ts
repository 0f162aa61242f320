import {
  array,
  bool,
  bytes,
  type Infer,
  int8,
  int32,
  int64,
  message,
  string,
  struct,
  uuid,
} from '../../../wire/schema.ts';

/** Values of `__remote_log_metadata` (KIP-405). */

const TopicIdPartitionEntry = struct({
  name: { type: string, versions: '0+' },
  id: { type: uuid, versions: '0+' },
  partition: { type: int32, versions: '0+' },
});

const RemoteLogSegmentIdEntry = struct({
  topicIdPartition: { type: TopicIdPartitionEntry, versions: '0+' },
  id: { type: uuid, versions: '0+' },
});

const SegmentLeaderEpochEntry = struct({
  leaderEpoch: { type: int32, versions: '0+' },
  offset: { type: int64, versions: '0+' },
});

export const RemoteLogSegmentMetadataRecord = message({
  name: 'RemoteLogSegmentMetadataRecord',
  apiKey: 0,
  versions: '0',
  flexible: '0+',
  fields: {
    remoteLogSegmentId: { type: RemoteLogSegmentIdEntry, versions: '0+' },
    startOffset: { type: int64, versions: '0+' },
    endOffset: { type: int64, versions: '0+' },
    brokerId: { type: int32, versions: '0+' },
    maxTimestampMs: { type: int64, versions: '0+' },
    eventTimestampMs: { type: int64, versions: '0+' },
    segmentLeaderEpochs: { type: array(SegmentLeaderEpochEntry), versions: '0+' },
    segmentSizeInBytes: { type: int32, versions: '0+' },
    customMetadata: { type: bytes, versions: '0+', nullable: '0+', default: null },
    remoteLogSegmentState: { type: int8, versions: '0+' },
    txnIndexEmpty: { type: bool, versions: '0+', tag: 0 },
  },
});
export type RemoteLogSegmentMetadataRecord = Infer<typeof RemoteLogSegmentMetadataRecord>;

export const RemoteLogSegmentMetadataUpdateRecord = message({
  name: 'RemoteLogSegmentMetadataUpdateRecord',
  apiKey: 1,
  versions: '0',
  flexible: '0+',
  fields: {
    remoteLogSegmentId: { type: RemoteLogSegmentIdEntry, versions: '0+' },
    brokerId: { type: int32, versions: '0+' },
    eventTimestampMs: { type: int64, versions: '0+' },
    customMetadata: { type: bytes, versions: '0+', nullable: '0+', default: null },
    remoteLogSegmentState: { type: int8, versions: '0+' },
  },
});
export type RemoteLogSegmentMetadataUpdateRecord = Infer<typeof RemoteLogSegmentMetadataUpdateRecord>;

export const RemoteLogSegmentMetadataSnapshotRecord = message({
  name: 'RemoteLogSegmentMetadataSnapshotRecord',
  apiKey: 3,
  versions: '0',
  flexible: '0+',
  fields: {
    segmentId: { type: uuid, versions: '0+' },
    startOffset: { type: int64, versions: '0+' },
    endOffset: { type: int64, versions: '0+' },
    brokerId: { type: int32, versions: '0+' },
    maxTimestampMs: { type: int64, versions: '0+' },
    eventTimestampMs: { type: int64, versions: '0+' },
    segmentLeaderEpochs: { type: array(SegmentLeaderEpochEntry), versions: '0+' },
    segmentSizeInBytes: { type: int32, versions: '0+' },
    customMetadata: { type: bytes, versions: '0+', nullable: '0+', default: null },
    remoteLogSegmentState: { type: int8, versions: '0+' },
    txnIndexEmpty: { type: bool, versions: '0+', tag: 0 },
  },
});
export type RemoteLogSegmentMetadataSnapshotRecord = Infer<typeof RemoteLogSegmentMetadataSnapshotRecord>;

export const RemotePartitionDeleteMetadataRecord = message({
  name: 'RemotePartitionDeleteMetadataRecord',
  apiKey: 2,
  versions: '0',
  flexible: '0+',
  fields: {
    topicIdPartition: { type: TopicIdPartitionEntry, versions: '0+' },
    brokerId: { type: int32, versions: '0+' },
    eventTimestampMs: { type: int64, versions: '0+' },
    remotePartitionDeleteState: { type: int8, versions: '0+' },
  },
});
export type RemotePartitionDeleteMetadataRecord = Infer<typeof RemotePartitionDeleteMetadataRecord>;
