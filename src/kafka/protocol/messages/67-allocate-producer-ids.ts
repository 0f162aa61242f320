import { type Infer, int16, int32, int64, message } from '../../../wire/schema.ts';

/** AllocateProducerIds: a broker asks the controller for a block of producer ids (KIP-730). */

export const AllocateProducerIdsRequest = message({
  name: 'AllocateProducerIdsRequest',
  apiKey: 67,
  versions: '0',
  flexible: '0+',
  fields: {
    brokerId: { type: int32, versions: '0+' },
    brokerEpoch: { type: int64, versions: '0+', default: -1 },
  },
});
export type AllocateProducerIdsRequest = Infer<typeof AllocateProducerIdsRequest>;

export const AllocateProducerIdsResponse = message({
  name: 'AllocateProducerIdsResponse',
  apiKey: 67,
  versions: '0',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    errorCode: { type: int16, versions: '0+' },
    producerIdStart: { type: int64, versions: '0+' },
    producerIdLen: { type: int32, versions: '0+' },
  },
});
export type AllocateProducerIdsResponse = Infer<typeof AllocateProducerIdsResponse>;
