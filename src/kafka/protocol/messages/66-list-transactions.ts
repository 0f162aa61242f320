import { array, type Infer, int16, int32, int64, message, string, struct } from '../../../wire/schema.ts';

/** ListTransactions: the transactions that this broker coordinates (KIP-664). */

export const ListTransactionsRequest = message({
  name: 'ListTransactionsRequest',
  apiKey: 66,
  versions: '0-2',
  flexible: '0+',
  fields: {
    stateFilters: { type: array(string), versions: '0+' },
    producerIdFilters: { type: array(int64), versions: '0+' },
    durationFilter: { type: int64, versions: '1+', default: -1 },
    transactionalIdPattern: { type: string, versions: '2+', nullable: '2+', default: null },
  },
});
export type ListTransactionsRequest = Infer<typeof ListTransactionsRequest>;

const TransactionState = struct({
  transactionalId: { type: string, versions: '0+' },
  producerId: { type: int64, versions: '0+' },
  transactionState: { type: string, versions: '0+' },
});

export const ListTransactionsResponse = message({
  name: 'ListTransactionsResponse',
  apiKey: 66,
  versions: '0-2',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    errorCode: { type: int16, versions: '0+' },
    unknownStateFilters: { type: array(string), versions: '0+' },
    transactionStates: { type: array(TransactionState), versions: '0+' },
  },
});
export type ListTransactionsResponse = Infer<typeof ListTransactionsResponse>;
