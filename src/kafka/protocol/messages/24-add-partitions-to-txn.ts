import { array, bool, type Infer, int16, int32, int64, message, string, struct } from '../../../wire/schema.ts';

/**
 * AddPartitionsToTxn: from a client in v0-v3; from a broker that verifies or adds for many transactions from v4
 * (KIP-890).
 */

const AddPartitionsToTxnTopic = struct({
  name: { type: string, versions: '0+' },
  partitions: { type: array(int32), versions: '0+' },
});

const AddPartitionsToTxnTransaction = struct({
  transactionalId: { type: string, versions: '4+' },
  producerId: { type: int64, versions: '4+' },
  producerEpoch: { type: int16, versions: '4+' },
  verifyOnly: { type: bool, versions: '4+' },
  topics: { type: array(AddPartitionsToTxnTopic), versions: '4+' },
});

export const AddPartitionsToTxnRequest = message({
  name: 'AddPartitionsToTxnRequest',
  apiKey: 24,
  versions: '0-5',
  flexible: '3+',
  fields: {
    transactions: { type: array(AddPartitionsToTxnTransaction), versions: '4+' },
    v3AndBelowTransactionalId: { type: string, versions: '0-3' },
    v3AndBelowProducerId: { type: int64, versions: '0-3' },
    v3AndBelowProducerEpoch: { type: int16, versions: '0-3' },
    v3AndBelowTopics: { type: array(AddPartitionsToTxnTopic), versions: '0-3' },
  },
});
export type AddPartitionsToTxnRequest = Infer<typeof AddPartitionsToTxnRequest>;

const AddPartitionsToTxnPartitionResult = struct({
  partitionIndex: { type: int32, versions: '0+' },
  partitionErrorCode: { type: int16, versions: '0+' },
});

const AddPartitionsToTxnTopicResult = struct({
  name: { type: string, versions: '0+' },
  resultsByPartition: { type: array(AddPartitionsToTxnPartitionResult), versions: '0+' },
});

const AddPartitionsToTxnResult = struct({
  transactionalId: { type: string, versions: '4+' },
  topicResults: { type: array(AddPartitionsToTxnTopicResult), versions: '4+' },
});

export const AddPartitionsToTxnResponse = message({
  name: 'AddPartitionsToTxnResponse',
  apiKey: 24,
  versions: '0-5',
  flexible: '3+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    errorCode: { type: int16, versions: '4+', ignorable: true },
    resultsByTransaction: { type: array(AddPartitionsToTxnResult), versions: '4+' },
    resultsByTopicV3AndBelow: { type: array(AddPartitionsToTxnTopicResult), versions: '0-3' },
  },
});
export type AddPartitionsToTxnResponse = Infer<typeof AddPartitionsToTxnResponse>;
