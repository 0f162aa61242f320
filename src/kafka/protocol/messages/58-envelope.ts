import { bytes, type Infer, int16, message } from '../../../wire/schema.ts';

/** Envelope: a request that one broker forwards for a client to the controller (KIP-590). */

export const EnvelopeRequest = message({
  name: 'EnvelopeRequest',
  apiKey: 58,
  versions: '0',
  flexible: '0+',
  fields: {
    requestData: { type: bytes, versions: '0+' },
    requestPrincipal: { type: bytes, versions: '0+', nullable: '0+' },
    clientHostAddress: { type: bytes, versions: '0+' },
  },
});
export type EnvelopeRequest = Infer<typeof EnvelopeRequest>;

export const EnvelopeResponse = message({
  name: 'EnvelopeResponse',
  apiKey: 58,
  versions: '0',
  flexible: '0+',
  fields: {
    responseData: { type: bytes, versions: '0+', nullable: '0+', default: null },
    errorCode: { type: int16, versions: '0+' },
  },
});
export type EnvelopeResponse = Infer<typeof EnvelopeResponse>;
