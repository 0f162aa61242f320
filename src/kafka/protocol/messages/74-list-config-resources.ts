import { array, type Infer, int8, int16, int32, message, string, struct } from '../../../wire/schema.ts';

/** ListConfigResources: v0 was ListClientMetricsResources and answers those alone; v1 asks by type (KIP-1142). */

export const ListConfigResourcesRequest = message({
  name: 'ListConfigResourcesRequest',
  apiKey: 74,
  versions: '0-1',
  flexible: '0+',
  fields: {
    resourceTypes: { type: array(int8), versions: '1+' },
  },
});
export type ListConfigResourcesRequest = Infer<typeof ListConfigResourcesRequest>;

const ConfigResource = struct({
  resourceName: { type: string, versions: '0+' },
  resourceType: { type: int8, versions: '1+', default: 16, ignorable: true },
});

export const ListConfigResourcesResponse = message({
  name: 'ListConfigResourcesResponse',
  apiKey: 74,
  versions: '0-1',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    errorCode: { type: int16, versions: '0+' },
    configResources: { type: array(ConfigResource), versions: '0+' },
  },
});
export type ListConfigResourcesResponse = Infer<typeof ListConfigResourcesResponse>;
