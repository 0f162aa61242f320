import { bytes, type Infer, int16, int32, int64, message } from '../../../wire/schema.ts';

/** RenewDelegationToken (KIP-48). */

export const RenewDelegationTokenRequest = message({
  name: 'RenewDelegationTokenRequest',
  apiKey: 39,
  versions: '0-2',
  flexible: '2+',
  fields: {
    hmac: { type: bytes, versions: '0+' },
    renewPeriodMs: { type: int64, versions: '0+' },
  },
});
export type RenewDelegationTokenRequest = Infer<typeof RenewDelegationTokenRequest>;

export const RenewDelegationTokenResponse = message({
  name: 'RenewDelegationTokenResponse',
  apiKey: 39,
  versions: '0-2',
  flexible: '2+',
  fields: {
    errorCode: { type: int16, versions: '0+' },
    expiryTimestampMs: { type: int64, versions: '0+' },
    throttleTimeMs: { type: int32, versions: '0+' },
  },
});
export type RenewDelegationTokenResponse = Infer<typeof RenewDelegationTokenResponse>;
