import { array, bytes, type Infer, int8, int16, int32, message, string, struct } from '../../../wire/schema.ts';

/** AlterUserScramCredentials (KIP-554). */

const ScramCredentialDeletion = struct({
  name: { type: string, versions: '0+' },
  mechanism: { type: int8, versions: '0+' },
});

const ScramCredentialUpsertion = struct({
  name: { type: string, versions: '0+' },
  mechanism: { type: int8, versions: '0+' },
  iterations: { type: int32, versions: '0+' },
  salt: { type: bytes, versions: '0+' },
  saltedPassword: { type: bytes, versions: '0+' },
});

export const AlterUserScramCredentialsRequest = message({
  name: 'AlterUserScramCredentialsRequest',
  apiKey: 51,
  versions: '0',
  flexible: '0+',
  fields: {
    deletions: { type: array(ScramCredentialDeletion), versions: '0+' },
    upsertions: { type: array(ScramCredentialUpsertion), versions: '0+' },
  },
});
export type AlterUserScramCredentialsRequest = Infer<typeof AlterUserScramCredentialsRequest>;

const AlterUserScramCredentialsResult = struct({
  user: { type: string, versions: '0+' },
  errorCode: { type: int16, versions: '0+' },
  errorMessage: { type: string, versions: '0+', nullable: '0+' },
});

export const AlterUserScramCredentialsResponse = message({
  name: 'AlterUserScramCredentialsResponse',
  apiKey: 51,
  versions: '0',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    results: { type: array(AlterUserScramCredentialsResult), versions: '0+' },
  },
});
export type AlterUserScramCredentialsResponse = Infer<typeof AlterUserScramCredentialsResponse>;
