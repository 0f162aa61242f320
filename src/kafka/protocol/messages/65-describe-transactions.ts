import { array, type Infer, int16, int32, int64, message, string, struct } from '../../../wire/schema.ts';

/** DescribeTransactions: the state of transactional ids (KIP-664). */

export const DescribeTransactionsRequest = message({
  name: 'DescribeTransactionsRequest',
  apiKey: 65,
  versions: '0',
  flexible: '0+',
  fields: {
    transactionalIds: { type: array(string), versions: '0+' },
  },
});
export type DescribeTransactionsRequest = Infer<typeof DescribeTransactionsRequest>;

const TopicData = struct({
  topic: { type: string, versions: '0+' },
  partitions: { type: array(int32), versions: '0+' },
});

const TransactionState = struct({
  errorCode: { type: int16, versions: '0+' },
  transactionalId: { type: string, versions: '0+' },
  transactionState: { type: string, versions: '0+' },
  transactionTimeoutMs: { type: int32, versions: '0+' },
  transactionStartTimeMs: { type: int64, versions: '0+' },
  producerId: { type: int64, versions: '0+' },
  producerEpoch: { type: int16, versions: '0+' },
  topics: { type: array(TopicData), versions: '0+' },
});

export const DescribeTransactionsResponse = message({
  name: 'DescribeTransactionsResponse',
  apiKey: 65,
  versions: '0',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    transactionStates: { type: array(TransactionState), versions: '0+' },
  },
});
export type DescribeTransactionsResponse = Infer<typeof DescribeTransactionsResponse>;
