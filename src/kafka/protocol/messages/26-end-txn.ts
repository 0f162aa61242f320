import { bool, type Infer, int16, int32, int64, message, string } from '../../../wire/schema.ts';

/** EndTxn: commits or aborts a transaction; from v5 the answer has the next producer epoch (KIP-890). */

export const EndTxnRequest = message({
  name: 'EndTxnRequest',
  apiKey: 26,
  versions: '0-5',
  flexible: '3+',
  fields: {
    transactionalId: { type: string, versions: '0+' },
    producerId: { type: int64, versions: '0+' },
    producerEpoch: { type: int16, versions: '0+' },
    committed: { type: bool, versions: '0+' },
  },
});
export type EndTxnRequest = Infer<typeof EndTxnRequest>;

export const EndTxnResponse = message({
  name: 'EndTxnResponse',
  apiKey: 26,
  versions: '0-5',
  flexible: '3+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    errorCode: { type: int16, versions: '0+' },
    producerId: { type: int64, versions: '5+', default: -1, ignorable: true },
    producerEpoch: { type: int16, versions: '5+', default: -1, ignorable: true },
  },
});
export type EndTxnResponse = Infer<typeof EndTxnResponse>;
