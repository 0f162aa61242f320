import { array, bool, type Infer, int8, int16, int32, message, string, struct } from '../../../wire/schema.ts';

/** DescribeCluster: the brokers and the controller without topics (KIP-700). */

export const DescribeClusterRequest = message({
  name: 'DescribeClusterRequest',
  apiKey: 60,
  versions: '0-2',
  flexible: '0+',
  fields: {
    includeClusterAuthorizedOperations: { type: bool, versions: '0+' },
    endpointType: { type: int8, versions: '1+', default: 1 },
    includeFencedBrokers: { type: bool, versions: '2+' },
  },
});
export type DescribeClusterRequest = Infer<typeof DescribeClusterRequest>;

const DescribeClusterBroker = struct({
  brokerId: { type: int32, versions: '0+' },
  host: { type: string, versions: '0+' },
  port: { type: int32, versions: '0+' },
  rack: { type: string, versions: '0+', nullable: '0+', default: null },
  isFenced: { type: bool, versions: '2+' },
});

export const DescribeClusterResponse = message({
  name: 'DescribeClusterResponse',
  apiKey: 60,
  versions: '0-2',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    errorCode: { type: int16, versions: '0+' },
    errorMessage: { type: string, versions: '0+', nullable: '0+', default: null },
    endpointType: { type: int8, versions: '1+', default: 1 },
    clusterId: { type: string, versions: '0+' },
    controllerId: { type: int32, versions: '0+', default: -1 },
    brokers: { type: array(DescribeClusterBroker), versions: '0+' },
    clusterAuthorizedOperations: { type: int32, versions: '0+', default: -2_147_483_648 },
  },
});
export type DescribeClusterResponse = Infer<typeof DescribeClusterResponse>;
