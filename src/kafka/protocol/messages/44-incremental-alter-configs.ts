import { array, bool, type Infer, int8, int16, int32, message, string, struct } from '../../../wire/schema.ts';

/** IncrementalAlterConfigs: sets, deletes, appends or subtracts single keys (KIP-339). */

const AlterableConfig = struct({
  name: { type: string, versions: '0+' },
  configOperation: { type: int8, versions: '0+' },
  value: { type: string, versions: '0+', nullable: '0+' },
});

const AlterConfigsResource = struct({
  resourceType: { type: int8, versions: '0+' },
  resourceName: { type: string, versions: '0+' },
  configs: { type: array(AlterableConfig), versions: '0+' },
});

export const IncrementalAlterConfigsRequest = message({
  name: 'IncrementalAlterConfigsRequest',
  apiKey: 44,
  versions: '0-1',
  flexible: '1+',
  fields: {
    resources: { type: array(AlterConfigsResource), versions: '0+' },
    validateOnly: { type: bool, versions: '0+' },
  },
});
export type IncrementalAlterConfigsRequest = Infer<typeof IncrementalAlterConfigsRequest>;

const AlterConfigsResourceResponse = struct({
  errorCode: { type: int16, versions: '0+' },
  errorMessage: { type: string, versions: '0+', nullable: '0+' },
  resourceType: { type: int8, versions: '0+' },
  resourceName: { type: string, versions: '0+' },
});

export const IncrementalAlterConfigsResponse = message({
  name: 'IncrementalAlterConfigsResponse',
  apiKey: 44,
  versions: '0-1',
  flexible: '1+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    responses: { type: array(AlterConfigsResourceResponse), versions: '0+' },
  },
});
export type IncrementalAlterConfigsResponse = Infer<typeof IncrementalAlterConfigsResponse>;
