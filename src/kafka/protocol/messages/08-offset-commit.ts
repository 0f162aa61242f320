import { array, type Infer, int16, int32, int64, message, string, struct, uuid } from '../../../wire/schema.ts';

/**
 * OffsetCommit: stores a group's positions.
 *
 * v1  generation and member id; a commit timestamp per partition
 * v2  retention time for the whole request instead of the timestamps
 * v3  throttle time
 * v4  the broker throttles after it has answered (KIP-219)
 * v5  the retention time is gone: offsets live as long as their group (KIP-211)
 * v6  leader epoch of the last consumed record (KIP-320)
 * v7  group instance id: static membership (KIP-345)
 * v8  flexible
 * v9  groups of the new protocol: the generation may be a member epoch (KIP-848)
 * v10 topics go by id
 */

const OffsetCommitRequestPartition = struct({
  partitionIndex: { type: int32, versions: '0+' },
  committedOffset: { type: int64, versions: '0+' },
  committedLeaderEpoch: { type: int32, versions: '6+', default: -1, ignorable: true },
  commitTimestamp: { type: int64, versions: '1', default: -1 },
  committedMetadata: { type: string, versions: '0+', nullable: '0+' },
});

const OffsetCommitRequestTopic = struct({
  name: { type: string, versions: '0-9', ignorable: true },
  topicId: { type: uuid, versions: '10+', ignorable: true },
  partitions: { type: array(OffsetCommitRequestPartition), versions: '0+' },
});

export const OffsetCommitRequest = message({
  name: 'OffsetCommitRequest',
  apiKey: 8,
  versions: '0-10',
  flexible: '8+',
  fields: {
    groupId: { type: string, versions: '0+' },
    generationIdOrMemberEpoch: { type: int32, versions: '1+', default: -1, ignorable: true },
    memberId: { type: string, versions: '1+', ignorable: true },
    groupInstanceId: { type: string, versions: '7+', nullable: '7+', default: null },
    retentionTimeMs: { type: int64, versions: '2-4', default: -1, ignorable: true },
    topics: { type: array(OffsetCommitRequestTopic), versions: '0+' },
  },
});
export type OffsetCommitRequest = Infer<typeof OffsetCommitRequest>;

const OffsetCommitResponsePartition = struct({
  partitionIndex: { type: int32, versions: '0+' },
  errorCode: { type: int16, versions: '0+' },
});

const OffsetCommitResponseTopic = struct({
  name: { type: string, versions: '0-9', ignorable: true },
  topicId: { type: uuid, versions: '10+', ignorable: true },
  partitions: { type: array(OffsetCommitResponsePartition), versions: '0+' },
});

export const OffsetCommitResponse = message({
  name: 'OffsetCommitResponse',
  apiKey: 8,
  versions: '0-10',
  flexible: '8+',
  fields: {
    throttleTimeMs: { type: int32, versions: '3+', ignorable: true },
    topics: { type: array(OffsetCommitResponseTopic), versions: '0+' },
  },
});
export type OffsetCommitResponse = Infer<typeof OffsetCommitResponse>;
