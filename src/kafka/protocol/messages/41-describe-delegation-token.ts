import { array, bytes, type Infer, int16, int32, int64, message, string, struct } from '../../../wire/schema.ts';

/** DescribeDelegationToken (KIP-48). */

const DescribeDelegationTokenOwner = struct({
  principalType: { type: string, versions: '0+' },
  principalName: { type: string, versions: '0+' },
});

export const DescribeDelegationTokenRequest = message({
  name: 'DescribeDelegationTokenRequest',
  apiKey: 41,
  versions: '0-3',
  flexible: '2+',
  fields: {
    owners: { type: array(DescribeDelegationTokenOwner), versions: '0+', nullable: '0+' },
  },
});
export type DescribeDelegationTokenRequest = Infer<typeof DescribeDelegationTokenRequest>;

const DescribedDelegationTokenRenewer = struct({
  principalType: { type: string, versions: '0+' },
  principalName: { type: string, versions: '0+' },
});

const DescribedDelegationToken = struct({
  principalType: { type: string, versions: '0+' },
  principalName: { type: string, versions: '0+' },
  tokenRequesterPrincipalType: { type: string, versions: '3+' },
  tokenRequesterPrincipalName: { type: string, versions: '3+' },
  issueTimestamp: { type: int64, versions: '0+' },
  expiryTimestamp: { type: int64, versions: '0+' },
  maxTimestamp: { type: int64, versions: '0+' },
  tokenId: { type: string, versions: '0+' },
  hmac: { type: bytes, versions: '0+' },
  renewers: { type: array(DescribedDelegationTokenRenewer), versions: '0+' },
});

export const DescribeDelegationTokenResponse = message({
  name: 'DescribeDelegationTokenResponse',
  apiKey: 41,
  versions: '0-3',
  flexible: '2+',
  fields: {
    errorCode: { type: int16, versions: '0+' },
    tokens: { type: array(DescribedDelegationToken), versions: '0+' },
    throttleTimeMs: { type: int32, versions: '0+' },
  },
});
export type DescribeDelegationTokenResponse = Infer<typeof DescribeDelegationTokenResponse>;
