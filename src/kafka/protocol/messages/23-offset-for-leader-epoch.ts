import { array, type Infer, int16, int32, int64, message, string, struct } from '../../../wire/schema.ts';

/**
 * OffsetForLeaderEpoch: where an epoch ended in the leader's log, so that a follower or consumer can truncate
 * (KIP-101, KIP-320).
 */

const OffsetForLeaderPartition = struct({
  partition: { type: int32, versions: '0+' },
  currentLeaderEpoch: { type: int32, versions: '2+', default: -1, ignorable: true },
  leaderEpoch: { type: int32, versions: '0+' },
});

const OffsetForLeaderTopic = struct({
  topic: { type: string, versions: '0+' },
  partitions: { type: array(OffsetForLeaderPartition), versions: '0+' },
});

export const OffsetForLeaderEpochRequest = message({
  name: 'OffsetForLeaderEpochRequest',
  apiKey: 23,
  versions: '0-4',
  flexible: '4+',
  fields: {
    replicaId: { type: int32, versions: '3+', default: -2, ignorable: true },
    topics: { type: array(OffsetForLeaderTopic), versions: '0+' },
  },
});
export type OffsetForLeaderEpochRequest = Infer<typeof OffsetForLeaderEpochRequest>;

const EpochEndOffset = struct({
  errorCode: { type: int16, versions: '0+' },
  partition: { type: int32, versions: '0+' },
  leaderEpoch: { type: int32, versions: '1+', default: -1, ignorable: true },
  endOffset: { type: int64, versions: '0+', default: -1 },
});

const OffsetForLeaderTopicResult = struct({
  topic: { type: string, versions: '0+' },
  partitions: { type: array(EpochEndOffset), versions: '0+' },
});

export const OffsetForLeaderEpochResponse = message({
  name: 'OffsetForLeaderEpochResponse',
  apiKey: 23,
  versions: '0-4',
  flexible: '4+',
  fields: {
    throttleTimeMs: { type: int32, versions: '2+', ignorable: true },
    topics: { type: array(OffsetForLeaderTopicResult), versions: '0+' },
  },
});
export type OffsetForLeaderEpochResponse = Infer<typeof OffsetForLeaderEpochResponse>;
