import { bytes, type Infer, int16, int32, int64, message } from '../../../wire/schema.ts';

/** ExpireDelegationToken (KIP-48). */

export const ExpireDelegationTokenRequest = message({
  name: 'ExpireDelegationTokenRequest',
  apiKey: 40,
  versions: '0-2',
  flexible: '2+',
  fields: {
    hmac: { type: bytes, versions: '0+' },
    expiryTimePeriodMs: { type: int64, versions: '0+' },
  },
});
export type ExpireDelegationTokenRequest = Infer<typeof ExpireDelegationTokenRequest>;

export const ExpireDelegationTokenResponse = message({
  name: 'ExpireDelegationTokenResponse',
  apiKey: 40,
  versions: '0-2',
  flexible: '2+',
  fields: {
    errorCode: { type: int16, versions: '0+' },
    expiryTimestampMs: { type: int64, versions: '0+' },
    throttleTimeMs: { type: int32, versions: '0+' },
  },
});
export type ExpireDelegationTokenResponse = Infer<typeof ExpireDelegationTokenResponse>;
