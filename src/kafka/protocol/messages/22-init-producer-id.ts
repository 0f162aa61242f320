import { type Infer, int16, int32, int64, message, string } from '../../../wire/schema.ts';

/**
 * InitProducerId: a producer id and epoch for an idempotent or transactional producer.
 *
 * v1  the broker throttles after it has answered (KIP-219)
 * v2  flexible
 * v3  the producer's current id and epoch, so that it can recover (KIP-360)
 * v4  the client understands PRODUCER_FENCED
 * v5  TRANSACTION_ABORTABLE may be answered (KIP-890)
 */

export const InitProducerIdRequest = message({
  name: 'InitProducerIdRequest',
  apiKey: 22,
  versions: '0-5',
  flexible: '2+',
  fields: {
    /** Null for a producer that is only idempotent. */
    transactionalId: { type: string, versions: '0+', nullable: '0+' },
    transactionTimeoutMs: { type: int32, versions: '0+' },
    producerId: { type: int64, versions: '3+', default: -1 },
    producerEpoch: { type: int16, versions: '3+', default: -1 },
  },
});
export type InitProducerIdRequest = Infer<typeof InitProducerIdRequest>;

export const InitProducerIdResponse = message({
  name: 'InitProducerIdResponse',
  apiKey: 22,
  versions: '0-5',
  flexible: '2+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+', ignorable: true },
    errorCode: { type: int16, versions: '0+' },
    producerId: { type: int64, versions: '0+', default: -1 },
    producerEpoch: { type: int16, versions: '0+' },
  },
});
export type InitProducerIdResponse = Infer<typeof InitProducerIdResponse>;
