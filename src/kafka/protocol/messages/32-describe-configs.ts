import { array, bool, type Infer, int8, int16, int32, message, string, struct } from '../../../wire/schema.ts';

/** DescribeConfigs: of topics, brokers, broker loggers, groups. */

const DescribeConfigsResource = struct({
  resourceType: { type: int8, versions: '0+' },
  resourceName: { type: string, versions: '0+' },
  configurationKeys: { type: array(string), versions: '0+', nullable: '0+' },
});

export const DescribeConfigsRequest = message({
  name: 'DescribeConfigsRequest',
  apiKey: 32,
  versions: '0-4',
  flexible: '4+',
  fields: {
    resources: { type: array(DescribeConfigsResource), versions: '0+' },
    includeSynonyms: { type: bool, versions: '1+' },
    includeDocumentation: { type: bool, versions: '3+' },
  },
});
export type DescribeConfigsRequest = Infer<typeof DescribeConfigsRequest>;

const DescribeConfigsSynonym = struct({
  name: { type: string, versions: '1+' },
  value: { type: string, versions: '1+', nullable: '0+' },
  source: { type: int8, versions: '1+' },
});

const DescribeConfigsResourceResult = struct({
  name: { type: string, versions: '0+' },
  value: { type: string, versions: '0+', nullable: '0+' },
  readOnly: { type: bool, versions: '0+' },
  isDefault: { type: bool, versions: '0' },
  configSource: { type: int8, versions: '1+', default: -1, ignorable: true },
  isSensitive: { type: bool, versions: '0+' },
  synonyms: { type: array(DescribeConfigsSynonym), versions: '1+', ignorable: true },
  configType: { type: int8, versions: '3+', ignorable: true },
  documentation: { type: string, versions: '3+', nullable: '0+', ignorable: true },
});

const DescribeConfigsResult = struct({
  errorCode: { type: int16, versions: '0+' },
  errorMessage: { type: string, versions: '0+', nullable: '0+' },
  resourceType: { type: int8, versions: '0+' },
  resourceName: { type: string, versions: '0+' },
  configs: { type: array(DescribeConfigsResourceResult), versions: '0+' },
});

export const DescribeConfigsResponse = message({
  name: 'DescribeConfigsResponse',
  apiKey: 32,
  versions: '0-4',
  flexible: '4+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    results: { type: array(DescribeConfigsResult), versions: '0+' },
  },
});
export type DescribeConfigsResponse = Infer<typeof DescribeConfigsResponse>;
