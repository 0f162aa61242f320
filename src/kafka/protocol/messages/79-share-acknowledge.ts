import {
  array,
  bool,
  type Infer,
  int8,
  int16,
  int32,
  int64,
  message,
  string,
  struct,
  uuid,
} from '../../../wire/schema.ts';

/** ShareAcknowledge: acknowledges acquired records (KIP-932). */

const AcknowledgementBatch = struct({
  firstOffset: { type: int64, versions: '0+' },
  lastOffset: { type: int64, versions: '0+' },
  acknowledgeTypes: { type: array(int8), versions: '0+' },
});

const AcknowledgePartition = struct({
  partitionIndex: { type: int32, versions: '0+' },
  acknowledgementBatches: { type: array(AcknowledgementBatch), versions: '0+' },
});

const AcknowledgeTopic = struct({
  topicId: { type: uuid, versions: '0+' },
  partitions: { type: array(AcknowledgePartition), versions: '0+' },
});

export const ShareAcknowledgeRequest = message({
  name: 'ShareAcknowledgeRequest',
  apiKey: 79,
  versions: '1-2',
  flexible: '0+',
  fields: {
    groupId: { type: string, versions: '0+', nullable: '0+', default: null },
    memberId: { type: string, versions: '0+', nullable: '0+' },
    shareSessionEpoch: { type: int32, versions: '0+' },
    isRenewAck: { type: bool, versions: '2+' },
    topics: { type: array(AcknowledgeTopic), versions: '0+' },
  },
});
export type ShareAcknowledgeRequest = Infer<typeof ShareAcknowledgeRequest>;

const LeaderIdAndEpoch = struct({
  leaderId: { type: int32, versions: '0+' },
  leaderEpoch: { type: int32, versions: '0+' },
});

const PartitionData = struct({
  partitionIndex: { type: int32, versions: '0+' },
  errorCode: { type: int16, versions: '0+' },
  errorMessage: { type: string, versions: '0+', nullable: '0+', default: null },
  currentLeader: { type: LeaderIdAndEpoch, versions: '0+' },
});

const ShareAcknowledgeTopicResponse = struct({
  topicId: { type: uuid, versions: '0+' },
  partitions: { type: array(PartitionData), versions: '0+' },
});

const NodeEndpoint = struct({
  nodeId: { type: int32, versions: '0+' },
  host: { type: string, versions: '0+' },
  port: { type: int32, versions: '0+' },
  rack: { type: string, versions: '0+', nullable: '0+', default: null },
});

export const ShareAcknowledgeResponse = message({
  name: 'ShareAcknowledgeResponse',
  apiKey: 79,
  versions: '1-2',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    errorCode: { type: int16, versions: '0+' },
    errorMessage: { type: string, versions: '0+', nullable: '0+', default: null },
    acquisitionLockTimeoutMs: { type: int32, versions: '2+', ignorable: true },
    responses: { type: array(ShareAcknowledgeTopicResponse), versions: '0+' },
    nodeEndpoints: { type: array(NodeEndpoint), versions: '0+' },
  },
});
export type ShareAcknowledgeResponse = Infer<typeof ShareAcknowledgeResponse>;
