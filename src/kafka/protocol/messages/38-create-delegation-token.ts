import { array, bytes, type Infer, int16, int32, int64, message, string, struct } from '../../../wire/schema.ts';

/** CreateDelegationToken (KIP-48). */

const CreatableRenewers = struct({
  principalType: { type: string, versions: '0+' },
  principalName: { type: string, versions: '0+' },
});

export const CreateDelegationTokenRequest = message({
  name: 'CreateDelegationTokenRequest',
  apiKey: 38,
  versions: '0-3',
  flexible: '2+',
  fields: {
    ownerPrincipalType: { type: string, versions: '3+', nullable: '3+' },
    ownerPrincipalName: { type: string, versions: '3+', nullable: '3+' },
    renewers: { type: array(CreatableRenewers), versions: '0+' },
    maxLifetimeMs: { type: int64, versions: '0+' },
  },
});
export type CreateDelegationTokenRequest = Infer<typeof CreateDelegationTokenRequest>;

export const CreateDelegationTokenResponse = message({
  name: 'CreateDelegationTokenResponse',
  apiKey: 38,
  versions: '0-3',
  flexible: '2+',
  fields: {
    errorCode: { type: int16, versions: '0+' },
    principalType: { type: string, versions: '0+' },
    principalName: { type: string, versions: '0+' },
    tokenRequesterPrincipalType: { type: string, versions: '3+' },
    tokenRequesterPrincipalName: { type: string, versions: '3+' },
    issueTimestampMs: { type: int64, versions: '0+' },
    expiryTimestampMs: { type: int64, versions: '0+' },
    maxTimestampMs: { type: int64, versions: '0+' },
    tokenId: { type: string, versions: '0+' },
    hmac: { type: bytes, versions: '0+' },
    throttleTimeMs: { type: int32, versions: '0+' },
  },
});
export type CreateDelegationTokenResponse = Infer<typeof CreateDelegationTokenResponse>;
