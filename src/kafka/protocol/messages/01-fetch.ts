import {
  array,
  type Infer,
  int8,
  int16,
  int32,
  int64,
  message,
  records,
  string,
  struct,
  uuid,
} from '../../../wire/schema.ts';

/**
 * Fetch: reads record batches from a log; consumers and followers alike.
 *
 * v1  the response has a throttle time
 * v2  record format v1
 * v3  a limit for the whole response; partitions are served in the order asked (KIP-74)
 * v4  isolation level, last stable offset, aborted transactions; record format v2
 * v5  log start offset: of the follower in the request, of the leader in the response
 * v6  as v5
 * v7  fetch sessions: only what changed is asked for and answered (KIP-227)
 * v8  the broker throttles after it has answered (KIP-219)
 * v9  the leader epoch that the client knows, to be fenced by (KIP-320)
 * v10 zstd may be answered (KIP-110)
 * v11 the consumer's rack in, the preferred read replica out (KIP-392)
 * v12 flexible; truncation by diverging epoch (KIP-595)
 * v13 topics go by id (KIP-516)
 * v14 OFFSET_MOVED_TO_TIERED_STORAGE may be answered (KIP-405)
 * v15 the replica id moves into `replicaState`, with its broker epoch (KIP-903)
 * v16 the response has the new leader's address (KIP-951)
 * v17 the directory id of the follower (KIP-853)
 * v18 the high watermark that the follower knows (KIP-1166)
 */

const ReplicaState = struct({
  replicaId: { type: int32, versions: '15+', default: -1 },
  replicaEpoch: { type: int64, versions: '15+', default: -1 },
});

const FetchPartition = struct({
  partition: { type: int32, versions: '0+' },
  currentLeaderEpoch: { type: int32, versions: '9+', default: -1, ignorable: true },
  fetchOffset: { type: int64, versions: '0+' },
  lastFetchedEpoch: { type: int32, versions: '12+', default: -1 },
  logStartOffset: { type: int64, versions: '5+', default: -1, ignorable: true },
  /** The first batch is answered even when it is larger (KIP-74). */
  partitionMaxBytes: { type: int32, versions: '0+' },
  replicaDirectoryId: { type: uuid, versions: '17+', tag: 0, ignorable: true },
  /** -1 is unknown, 2^63-1 (Infinity here) unsupported. */
  highWatermark: { type: int64, versions: '18+', tag: 1, default: Infinity, ignorable: true },
});

const FetchTopic = struct({
  topic: { type: string, versions: '0-12', ignorable: true },
  topicId: { type: uuid, versions: '13+', ignorable: true },
  partitions: { type: array(FetchPartition), versions: '0+' },
});

const ForgottenTopic = struct({
  topic: { type: string, versions: '7-12', ignorable: true },
  topicId: { type: uuid, versions: '13+', ignorable: true },
  partitions: { type: array(int32), versions: '7+' },
});

export const FetchRequest = message({
  name: 'FetchRequest',
  apiKey: 1,
  versions: '0-18',
  flexible: '12+',
  fields: {
    clusterId: { type: string, versions: '12+', nullable: '12+', tag: 0, default: null, ignorable: true },
    /** -1 for a consumer, -2 for a debugging consumer. */
    replicaId: { type: int32, versions: '0-14', default: -1 },
    replicaState: { type: ReplicaState, versions: '15+', tag: 1 },
    maxWaitMs: { type: int32, versions: '0+' },
    minBytes: { type: int32, versions: '0+' },
    maxBytes: { type: int32, versions: '3+', default: 0x7fffffff, ignorable: true },
    isolationLevel: { type: int8, versions: '4+', ignorable: true },
    sessionId: { type: int32, versions: '7+', ignorable: true },
    sessionEpoch: { type: int32, versions: '7+', default: -1, ignorable: true },
    topics: { type: array(FetchTopic), versions: '0+' },
    forgottenTopicsData: { type: array(ForgottenTopic), versions: '7+' },
    rackId: { type: string, versions: '11+', ignorable: true },
  },
});
export type FetchRequest = Infer<typeof FetchRequest>;

const EpochEndOffset = struct({
  epoch: { type: int32, versions: '12+', default: -1 },
  endOffset: { type: int64, versions: '12+', default: -1 },
});

const LeaderIdAndEpoch = struct({
  leaderId: { type: int32, versions: '12+', default: -1 },
  leaderEpoch: { type: int32, versions: '12+', default: -1 },
});

const SnapshotId = struct({
  endOffset: { type: int64, versions: '0+', default: -1 },
  epoch: { type: int32, versions: '0+', default: -1 },
});

const AbortedTransaction = struct({
  producerId: { type: int64, versions: '4+' },
  firstOffset: { type: int64, versions: '4+' },
});

const PartitionData = struct({
  partitionIndex: { type: int32, versions: '0+' },
  errorCode: { type: int16, versions: '0+' },
  highWatermark: { type: int64, versions: '0+' },
  lastStableOffset: { type: int64, versions: '4+', default: -1, ignorable: true },
  logStartOffset: { type: int64, versions: '5+', default: -1, ignorable: true },
  /** Set when the follower must truncate. */
  divergingEpoch: { type: EpochEndOffset, versions: '12+', tag: 0 },
  currentLeader: { type: LeaderIdAndEpoch, versions: '12+', tag: 1 },
  snapshotId: { type: SnapshotId, versions: '12+', tag: 2 },
  /** Null unless read_committed was asked for. */
  abortedTransactions: { type: array(AbortedTransaction), versions: '4+', nullable: '4+', ignorable: true },
  /** -1: stay with the leader. */
  preferredReadReplica: { type: int32, versions: '11+', default: -1 },
  records: { type: records, versions: '0+', nullable: '0+' },
});

const FetchableTopicResponse = struct({
  topic: { type: string, versions: '0-12', ignorable: true },
  topicId: { type: uuid, versions: '13+', ignorable: true },
  partitions: { type: array(PartitionData), versions: '0+' },
});

const NodeEndpoint = struct({
  nodeId: { type: int32, versions: '16+' },
  host: { type: string, versions: '16+' },
  port: { type: int32, versions: '16+' },
  rack: { type: string, versions: '16+', nullable: '16+', default: null },
});

export const FetchResponse = message({
  name: 'FetchResponse',
  apiKey: 1,
  versions: '0-18',
  flexible: '12+',
  fields: {
    throttleTimeMs: { type: int32, versions: '1+', ignorable: true },
    errorCode: { type: int16, versions: '7+', ignorable: true },
    sessionId: { type: int32, versions: '7+' },
    responses: { type: array(FetchableTopicResponse), versions: '0+' },
    nodeEndpoints: { type: array(NodeEndpoint), versions: '16+', tag: 0 },
  },
});
export type FetchResponse = Infer<typeof FetchResponse>;
