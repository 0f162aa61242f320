import { array, bool, type Infer, int16, int32, int64, message, string, struct, uuid } from '../../../wire/schema.ts';

/**
 * OffsetFetch: asks for a group's committed positions.
 *
 * v0  was answered from ZooKeeper
 * v1  answered from `__consumer_offsets`
 * v2  null asks for all topics; an error code of the whole response
 * v3  throttle time
 * v4  the broker throttles after it has answered (KIP-219)
 * v5  leader epoch (KIP-320)
 * v6  flexible
 * v7  `requireStable`: fail while transactional commits are pending (KIP-447)
 * v8  many groups in one request (KIP-709)
 * v9  member id and epoch (KIP-848)
 * v10 topics go by id
 */

const OffsetFetchRequestTopic = struct({
  name: { type: string, versions: '0-7' },
  partitionIndexes: { type: array(int32), versions: '0-7' },
});

const OffsetFetchRequestTopics = struct({
  name: { type: string, versions: '8-9', ignorable: true },
  topicId: { type: uuid, versions: '10+', ignorable: true },
  partitionIndexes: { type: array(int32), versions: '8+' },
});

const OffsetFetchRequestGroup = struct({
  groupId: { type: string, versions: '8+' },
  memberId: { type: string, versions: '9+', nullable: '9+', default: null, ignorable: true },
  memberEpoch: { type: int32, versions: '9+', default: -1, ignorable: true },
  /** Null asks for all topics that the group has offsets of. */
  topics: { type: array(OffsetFetchRequestTopics), versions: '8+', nullable: '8+' },
});

export const OffsetFetchRequest = message({
  name: 'OffsetFetchRequest',
  apiKey: 9,
  versions: '0-10',
  flexible: '6+',
  fields: {
    groupId: { type: string, versions: '0-7' },
    /** Null asks for all topics that the group has offsets of. */
    topics: { type: array(OffsetFetchRequestTopic), versions: '0-7', nullable: '2-7' },
    groups: { type: array(OffsetFetchRequestGroup), versions: '8+' },
    requireStable: { type: bool, versions: '7+' },
  },
});
export type OffsetFetchRequest = Infer<typeof OffsetFetchRequest>;

const OffsetFetchResponsePartition = struct({
  partitionIndex: { type: int32, versions: '0-7' },
  /** -1: nothing is committed. */
  committedOffset: { type: int64, versions: '0-7' },
  committedLeaderEpoch: { type: int32, versions: '5-7', default: -1, ignorable: true },
  metadata: { type: string, versions: '0-7', nullable: '0-7' },
  errorCode: { type: int16, versions: '0-7' },
});

const OffsetFetchResponseTopic = struct({
  name: { type: string, versions: '0-7' },
  partitions: { type: array(OffsetFetchResponsePartition), versions: '0-7' },
});

const OffsetFetchResponsePartitions = struct({
  partitionIndex: { type: int32, versions: '8+' },
  /** -1: nothing is committed. */
  committedOffset: { type: int64, versions: '8+' },
  committedLeaderEpoch: { type: int32, versions: '8+', default: -1, ignorable: true },
  metadata: { type: string, versions: '8+', nullable: '8+' },
  errorCode: { type: int16, versions: '8+' },
});

const OffsetFetchResponseTopics = struct({
  name: { type: string, versions: '8-9', ignorable: true },
  topicId: { type: uuid, versions: '10+', ignorable: true },
  partitions: { type: array(OffsetFetchResponsePartitions), versions: '8+' },
});

const OffsetFetchResponseGroup = struct({
  groupId: { type: string, versions: '8+' },
  topics: { type: array(OffsetFetchResponseTopics), versions: '8+' },
  errorCode: { type: int16, versions: '8+' },
});

export const OffsetFetchResponse = message({
  name: 'OffsetFetchResponse',
  apiKey: 9,
  versions: '0-10',
  flexible: '6+',
  fields: {
    throttleTimeMs: { type: int32, versions: '3+', ignorable: true },
    topics: { type: array(OffsetFetchResponseTopic), versions: '0-7' },
    errorCode: { type: int16, versions: '2-7', ignorable: true },
    groups: { type: array(OffsetFetchResponseGroup), versions: '8+' },
  },
});
export type OffsetFetchResponse = Infer<typeof OffsetFetchResponse>;
