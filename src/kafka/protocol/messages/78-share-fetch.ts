import {
  array,
  bool,
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

/** ShareFetch: acquires records for a member of a share group, and acknowledges earlier ones (KIP-932). */

const AcknowledgementBatch = struct({
  firstOffset: { type: int64, versions: '0+' },
  lastOffset: { type: int64, versions: '0+' },
  acknowledgeTypes: { type: array(int8), versions: '0+' },
});

const FetchPartition = struct({
  partitionIndex: { type: int32, versions: '0+' },
  acknowledgementBatches: { type: array(AcknowledgementBatch), versions: '0+' },
});

const FetchTopic = struct({
  topicId: { type: uuid, versions: '0+' },
  partitions: { type: array(FetchPartition), versions: '0+' },
});

const ForgottenTopic = struct({
  topicId: { type: uuid, versions: '0+' },
  partitions: { type: array(int32), versions: '0+' },
});

export const ShareFetchRequest = message({
  name: 'ShareFetchRequest',
  apiKey: 78,
  versions: '1-2',
  flexible: '0+',
  fields: {
    groupId: { type: string, versions: '0+', nullable: '0+', default: null },
    memberId: { type: string, versions: '0+', nullable: '0+' },
    shareSessionEpoch: { type: int32, versions: '0+' },
    maxWaitMs: { type: int32, versions: '0+' },
    minBytes: { type: int32, versions: '0+' },
    maxBytes: { type: int32, versions: '0+', default: 0x7fffffff },
    maxRecords: { type: int32, versions: '1+' },
    batchSize: { type: int32, versions: '1+' },
    shareAcquireMode: { type: int8, versions: '2+', ignorable: true },
    isRenewAck: { type: bool, versions: '2+' },
    topics: { type: array(FetchTopic), versions: '0+' },
    forgottenTopicsData: { type: array(ForgottenTopic), versions: '0+' },
  },
});
export type ShareFetchRequest = Infer<typeof ShareFetchRequest>;

const LeaderIdAndEpoch = struct({
  leaderId: { type: int32, versions: '0+' },
  leaderEpoch: { type: int32, versions: '0+' },
});

const AcquiredRecords = struct({
  firstOffset: { type: int64, versions: '0+' },
  lastOffset: { type: int64, versions: '0+' },
  deliveryCount: { type: int16, versions: '0+' },
});

const PartitionData = struct({
  partitionIndex: { type: int32, versions: '0+' },
  errorCode: { type: int16, versions: '0+' },
  errorMessage: { type: string, versions: '0+', nullable: '0+', default: null },
  acknowledgeErrorCode: { type: int16, versions: '0+' },
  acknowledgeErrorMessage: { type: string, versions: '0+', nullable: '0+', default: null },
  currentLeader: { type: LeaderIdAndEpoch, versions: '0+' },
  records: { type: records, versions: '0+' },
  acquiredRecords: { type: array(AcquiredRecords), versions: '0+' },
});

const ShareFetchableTopicResponse = struct({
  topicId: { type: uuid, versions: '0+' },
  partitions: { type: array(PartitionData), versions: '0+' },
});

const NodeEndpoint = struct({
  nodeId: { type: int32, versions: '0+' },
  host: { type: string, versions: '0+' },
  port: { type: int32, versions: '0+' },
  rack: { type: string, versions: '0+', nullable: '0+', default: null },
});

export const ShareFetchResponse = message({
  name: 'ShareFetchResponse',
  apiKey: 78,
  versions: '1-2',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    errorCode: { type: int16, versions: '0+' },
    errorMessage: { type: string, versions: '0+', nullable: '0+', default: null },
    acquisitionLockTimeoutMs: { type: int32, versions: '1+' },
    responses: { type: array(ShareFetchableTopicResponse), versions: '0+' },
    nodeEndpoints: { type: array(NodeEndpoint), versions: '0+' },
  },
});
export type ShareFetchResponse = Infer<typeof ShareFetchResponse>;
