import { array, bool, type Infer, int16, int32, int64, message, string, struct } from '../../../wire/schema.ts';

/**
 * ApiVersions: which keys and versions the broker serves. The response header is always v0, and a version that the
 * broker does not know is answered in v0 (KIP-511).
 *
 * v1  throttle time
 * v2  the broker throttles after it has answered (KIP-219)
 * v3  flexible; name and version of the client's software; features (KIP-584)
 * v4  features whose minimum is 0 are named too
 * v5  the client says which cluster and node it thinks it talks to (KIP-1242)
 */

export const ApiVersionsRequest = message({
  name: 'ApiVersionsRequest',
  apiKey: 18,
  versions: '0-5',
  flexible: '3+',
  fields: {
    clientSoftwareName: { type: string, versions: '3+', ignorable: true },
    clientSoftwareVersion: { type: string, versions: '3+', ignorable: true },
    clusterId: { type: string, versions: '5+', nullable: '5+', default: null, ignorable: true },
    nodeId: { type: int32, versions: '5+', default: -1, ignorable: true },
  },
});
export type ApiVersionsRequest = Infer<typeof ApiVersionsRequest>;

const ApiVersion = struct({
  apiKey: { type: int16, versions: '0+' },
  minVersion: { type: int16, versions: '0+' },
  maxVersion: { type: int16, versions: '0+' },
});

const SupportedFeatureKey = struct({
  name: { type: string, versions: '3+' },
  minVersion: { type: int16, versions: '3+' },
  maxVersion: { type: int16, versions: '3+' },
});

const FinalizedFeatureKey = struct({
  name: { type: string, versions: '3+' },
  maxVersionLevel: { type: int16, versions: '3+' },
  minVersionLevel: { type: int16, versions: '3+' },
});

export const ApiVersionsResponse = message({
  name: 'ApiVersionsResponse',
  apiKey: 18,
  versions: '0-5',
  flexible: '3+',
  fields: {
    errorCode: { type: int16, versions: '0+' },
    apiKeys: { type: array(ApiVersion), versions: '0+' },
    throttleTimeMs: { type: int32, versions: '1+', ignorable: true },
    supportedFeatures: { type: array(SupportedFeatureKey), versions: '3+', tag: 0, ignorable: true },
    /** -1: unknown. */
    finalizedFeaturesEpoch: { type: int64, versions: '3+', tag: 1, default: -1, ignorable: true },
    finalizedFeatures: { type: array(FinalizedFeatureKey), versions: '3+', tag: 2, ignorable: true },
    zkMigrationReady: { type: bool, versions: '3+', tag: 3, ignorable: true },
  },
});
export type ApiVersionsResponse = Infer<typeof ApiVersionsResponse>;
