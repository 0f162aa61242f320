import { UnsupportedVersionError } from '../../wire/errors.ts';
import { type Infer, int16, int32, message, string } from '../../wire/schema.ts';
import { ApiKey, apiInfos } from './api-keys.ts';

/** v0 lacks the client id, v2 has tags. The client id keeps the classic encoding: it is read before the version is judged. */
export const RequestHeader = message({
  name: 'RequestHeader',
  apiKey: -1,
  versions: '0-2',
  flexible: '2+',
  fields: {
    requestApiKey: { type: int16, versions: '0+' },
    requestApiVersion: { type: int16, versions: '0+' },
    correlationId: { type: int32, versions: '0+' },
    clientId: { type: string, versions: '1+', nullable: '1+', ignorable: true, flexible: 'none' },
  },
});
export type RequestHeader = Infer<typeof RequestHeader>;

/** v1 has tags. */
export const ResponseHeader = message({
  name: 'ResponseHeader',
  apiKey: -1,
  versions: '0-1',
  flexible: '1+',
  fields: {
    correlationId: { type: int32, versions: '0+' },
  },
});
export type ResponseHeader = Infer<typeof ResponseHeader>;

/** The header that goes with a request in a version of its body. */
export function requestHeaderVersion(apiKey: number, version: number): 0 | 1 | 2 {
  if (apiKey === ApiKey.ControlledShutdown && version === 0) return 0; // older than client ids
  return isFlexible(apiKey, version) ? 2 : 1;
}

export function responseHeaderVersion(apiKey: number, version: number): 0 | 1 {
  // A client that asked in a version the broker does not know must find the error code where v0 has it (KIP-511).
  if (apiKey === ApiKey.ApiVersions) return 0;
  return isFlexible(apiKey, version) ? 1 : 0;
}

/** By API key. */
const firstFlexible: readonly (number | undefined)[] = Array.from(
  { length: Math.max(...apiInfos.keys()) + 1 },
  (_, apiKey) => apiInfos.get(apiKey)?.firstFlexible,
);

function isFlexible(apiKey: number, version: number): boolean {
  const first = firstFlexible[apiKey];
  if (first === undefined) throw new UnsupportedVersionError(`api key ${apiKey}`, version);
  return version >= first;
}
