import { array, bool, type Infer, int8, int16, int32, message, string, struct } from '../../../wire/schema.ts';

/** AlterConfigs: replaces the whole configuration of a resource. */

const AlterableConfig = struct({
  name: { type: string, versions: '0+' },
  value: { type: string, versions: '0+', nullable: '0+' },
});

const AlterConfigsResource = struct({
  resourceType: { type: int8, versions: '0+' },
  resourceName: { type: string, versions: '0+' },
  configs: { type: array(AlterableConfig), versions: '0+' },
});

export const AlterConfigsRequest = message({
  name: 'AlterConfigsRequest',
  apiKey: 33,
  versions: '0-2',
  flexible: '2+',
  fields: {
    resources: { type: array(AlterConfigsResource), versions: '0+' },
    validateOnly: { type: bool, versions: '0+' },
  },
});
export type AlterConfigsRequest = Infer<typeof AlterConfigsRequest>;

const AlterConfigsResourceResponse = struct({
  errorCode: { type: int16, versions: '0+' },
  errorMessage: { type: string, versions: '0+', nullable: '0+' },
  resourceType: { type: int8, versions: '0+' },
  resourceName: { type: string, versions: '0+' },
});

export const AlterConfigsResponse = message({
  name: 'AlterConfigsResponse',
  apiKey: 33,
  versions: '0-2',
  flexible: '2+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    responses: { type: array(AlterConfigsResourceResponse), versions: '0+' },
  },
});
export type AlterConfigsResponse = Infer<typeof AlterConfigsResponse>;
