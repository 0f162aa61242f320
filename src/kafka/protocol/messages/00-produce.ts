import {
  array,
  type Infer,
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
 * Produce: appends record batches to partitions. Nothing is answered when `acks` is 0.
 *
 * v1  the response has a throttle time
 * v2  record format v1; the response has the log append time
 * v3  record format v2 alone; transactional id
 * v4  the client understands KAFKA_STORAGE_ERROR
 * v5  the response has the log start offset
 * v6  the broker throttles after it has answered (KIP-219)
 * v7  zstd may be used (KIP-110)
 * v8  the response names the records that were refused, and why (KIP-467)
 * v9  flexible
 * v10 the response names the new leader and its address (KIP-951)
 * v11 TRANSACTION_ABORTABLE may be answered (KIP-890)
 * v12 transactions of version 2: the partition joins the transaction by this request
 * v13 topics go by id (KIP-516)
 */

const PartitionProduceData = struct({
  index: { type: int32, versions: '0+' },
  records: { type: records, versions: '0+', nullable: '0+' },
});

const TopicProduceData = struct({
  name: { type: string, versions: '0-12', ignorable: true },
  topicId: { type: uuid, versions: '13+', ignorable: true },
  partitionData: { type: array(PartitionProduceData), versions: '0+' },
});

export const ProduceRequest = message({
  name: 'ProduceRequest',
  apiKey: 0,
  versions: '0-13',
  flexible: '9+',
  fields: {
    transactionalId: { type: string, versions: '3+', nullable: '3+', default: null },
    /** -1 waits for the whole ISR, 1 for the leader, 0 for nobody. */
    acks: { type: int16, versions: '0+' },
    timeoutMs: { type: int32, versions: '0+' },
    topicData: { type: array(TopicProduceData), versions: '0+' },
  },
});
export type ProduceRequest = Infer<typeof ProduceRequest>;

const BatchIndexAndErrorMessage = struct({
  batchIndex: { type: int32, versions: '8+' },
  batchIndexErrorMessage: { type: string, versions: '8+', nullable: '8+', default: null },
});

const LeaderIdAndEpoch = struct({
  leaderId: { type: int32, versions: '10+', default: -1 },
  leaderEpoch: { type: int32, versions: '10+', default: -1 },
});

const PartitionProduceResponse = struct({
  index: { type: int32, versions: '0+' },
  errorCode: { type: int16, versions: '0+' },
  baseOffset: { type: int64, versions: '0+' },
  /** -1 unless the topic uses log append time. */
  logAppendTimeMs: { type: int64, versions: '2+', default: -1, ignorable: true },
  logStartOffset: { type: int64, versions: '5+', default: -1, ignorable: true },
  recordErrors: { type: array(BatchIndexAndErrorMessage), versions: '8+', ignorable: true },
  errorMessage: { type: string, versions: '8+', nullable: '8+', default: null, ignorable: true },
  currentLeader: { type: LeaderIdAndEpoch, versions: '10+', tag: 0 },
});

const TopicProduceResponse = struct({
  name: { type: string, versions: '0-12', ignorable: true },
  topicId: { type: uuid, versions: '13+', ignorable: true },
  partitionResponses: { type: array(PartitionProduceResponse), versions: '0+' },
});

const NodeEndpoint = struct({
  nodeId: { type: int32, versions: '10+' },
  host: { type: string, versions: '10+' },
  port: { type: int32, versions: '10+' },
  rack: { type: string, versions: '10+', nullable: '10+', default: null },
});

export const ProduceResponse = message({
  name: 'ProduceResponse',
  apiKey: 0,
  versions: '0-13',
  flexible: '9+',
  fields: {
    responses: { type: array(TopicProduceResponse), versions: '0+' },
    throttleTimeMs: { type: int32, versions: '1+', ignorable: true },
    nodeEndpoints: { type: array(NodeEndpoint), versions: '10+', tag: 0 },
  },
});
export type ProduceResponse = Infer<typeof ProduceResponse>;
