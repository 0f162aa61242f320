import { array, type Infer, int8, int16, int32, int64, message, string, struct } from '../../../wire/schema.ts';

/** The state of a transactional id in `__transaction_state`. */

export const TransactionLogKey = message({
  name: 'TransactionLogKey',
  apiKey: 0,
  versions: '0',
  flexible: 'none',
  fields: {
    transactionalId: { type: string, versions: '0' },
  },
});
export type TransactionLogKey = Infer<typeof TransactionLogKey>;

const PartitionsSchema = struct({
  topic: { type: string, versions: '0+' },
  partitionIds: { type: array(int32), versions: '0+' },
});

export const TransactionLogValue = message({
  name: 'TransactionLogValue',
  apiKey: 0,
  versions: '0-1',
  flexible: '1+',
  fields: {
    producerId: { type: int64, versions: '0+' },
    previousProducerId: { type: int64, versions: '1+', tag: 0, default: -1 },
    nextProducerId: { type: int64, versions: '1+', tag: 1, default: -1 },
    producerEpoch: { type: int16, versions: '0+' },
    nextProducerEpoch: { type: int16, versions: '1+', tag: 3, default: -1 },
    transactionTimeoutMs: { type: int32, versions: '0+' },
    transactionStatus: { type: int8, versions: '0+' },
    transactionPartitions: { type: array(PartitionsSchema), versions: '0+', nullable: '0+' },
    transactionLastUpdateTimestampMs: { type: int64, versions: '0+' },
    transactionStartTimestampMs: { type: int64, versions: '0+' },
    clientTransactionVersion: { type: int16, versions: '1+', tag: 2 },
  },
});
export type TransactionLogValue = Infer<typeof TransactionLogValue>;
