import { bytes, type Infer, int16, int64, message, string } from '../../../wire/schema.ts';

/** SaslAuthenticate: one step of the SASL exchange (KIP-152); v1 has the session lifetime (KIP-368). */

export const SaslAuthenticateRequest = message({
  name: 'SaslAuthenticateRequest',
  apiKey: 36,
  versions: '0-2',
  flexible: '2+',
  fields: {
    authBytes: { type: bytes, versions: '0+' },
  },
});
export type SaslAuthenticateRequest = Infer<typeof SaslAuthenticateRequest>;

export const SaslAuthenticateResponse = message({
  name: 'SaslAuthenticateResponse',
  apiKey: 36,
  versions: '0-2',
  flexible: '2+',
  fields: {
    errorCode: { type: int16, versions: '0+' },
    errorMessage: { type: string, versions: '0+', nullable: '0+' },
    authBytes: { type: bytes, versions: '0+' },
    sessionLifetimeMs: { type: int64, versions: '1+', ignorable: true },
  },
});
export type SaslAuthenticateResponse = Infer<typeof SaslAuthenticateResponse>;
