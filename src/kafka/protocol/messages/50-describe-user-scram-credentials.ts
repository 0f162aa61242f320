import { array, type Infer, int8, int16, int32, message, string, struct } from '../../../wire/schema.ts';

/** DescribeUserScramCredentials (KIP-554). */

const UserName = struct({
  name: { type: string, versions: '0+' },
});

export const DescribeUserScramCredentialsRequest = message({
  name: 'DescribeUserScramCredentialsRequest',
  apiKey: 50,
  versions: '0',
  flexible: '0+',
  fields: {
    users: { type: array(UserName), versions: '0+', nullable: '0+' },
  },
});
export type DescribeUserScramCredentialsRequest = Infer<typeof DescribeUserScramCredentialsRequest>;

const CredentialInfo = struct({
  mechanism: { type: int8, versions: '0+' },
  iterations: { type: int32, versions: '0+' },
});

const DescribeUserScramCredentialsResult = struct({
  user: { type: string, versions: '0+' },
  errorCode: { type: int16, versions: '0+' },
  errorMessage: { type: string, versions: '0+', nullable: '0+' },
  credentialInfos: { type: array(CredentialInfo), versions: '0+' },
});

export const DescribeUserScramCredentialsResponse = message({
  name: 'DescribeUserScramCredentialsResponse',
  apiKey: 50,
  versions: '0',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    errorCode: { type: int16, versions: '0+' },
    errorMessage: { type: string, versions: '0+', nullable: '0+' },
    results: { type: array(DescribeUserScramCredentialsResult), versions: '0+' },
  },
});
export type DescribeUserScramCredentialsResponse = Infer<typeof DescribeUserScramCredentialsResponse>;
