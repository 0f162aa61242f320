import { array, bool, type Infer, int16, int32, message, string, struct, uuid } from '../../../wire/schema.ts';

/**
 * Metadata: which brokers there are, and who leads which partition.
 *
 * v0  an empty topic list asks for all topics
 * v1  null asks for all topics, empty for none; rack, controller id, internal flag
 * v2  cluster id
 * v3  throttle time
 * v4  topic creation by asking can be switched off
 * v5  offline replicas
 * v6  the broker throttles after it has answered (KIP-219)
 * v7  leader epoch (KIP-320)
 * v8  authorized operations on request (KIP-430)
 * v9  flexible
 * v10 topic ids in both directions (KIP-516); asking by id does not work yet
 * v11 authorized operations of the cluster moved to DescribeCluster (KIP-700)
 * v12 asking by topic id works: the name is null then
 * v13 an error code of the whole response (KIP-1102)
 */

const MetadataRequestTopic = struct({
  topicId: { type: uuid, versions: '10+', ignorable: true },
  /** Null when the topic goes by id. */
  name: { type: string, versions: '0+', nullable: '10+' },
});

export const MetadataRequest = message({
  name: 'MetadataRequest',
  apiKey: 3,
  versions: '0-13',
  flexible: '9+',
  fields: {
    /** Null asks for all topics, empty for none; in v0 empty asked for all. */
    topics: { type: array(MetadataRequestTopic), versions: '0+', nullable: '1+' },
    allowAutoTopicCreation: { type: bool, versions: '4+', default: true },
    includeClusterAuthorizedOperations: { type: bool, versions: '8-10' },
    includeTopicAuthorizedOperations: { type: bool, versions: '8+' },
  },
});
export type MetadataRequest = Infer<typeof MetadataRequest>;

const MetadataResponseBroker = struct({
  nodeId: { type: int32, versions: '0+' },
  host: { type: string, versions: '0+' },
  port: { type: int32, versions: '0+' },
  rack: { type: string, versions: '1+', nullable: '1+', default: null, ignorable: true },
});

const MetadataResponsePartition = struct({
  errorCode: { type: int16, versions: '0+' },
  partitionIndex: { type: int32, versions: '0+' },
  leaderId: { type: int32, versions: '0+' },
  leaderEpoch: { type: int32, versions: '7+', default: -1, ignorable: true },
  replicaNodes: { type: array(int32), versions: '0+' },
  isrNodes: { type: array(int32), versions: '0+' },
  offlineReplicas: { type: array(int32), versions: '5+', ignorable: true },
});

const MetadataResponseTopic = struct({
  errorCode: { type: int16, versions: '0+' },
  name: { type: string, versions: '0+', nullable: '12+' },
  topicId: { type: uuid, versions: '10+', ignorable: true },
  isInternal: { type: bool, versions: '1+', ignorable: true },
  partitions: { type: array(MetadataResponsePartition), versions: '0+' },
  /** A bit per ACL operation; the lowest integer when not asked for. */
  topicAuthorizedOperations: { type: int32, versions: '8+', default: -2_147_483_648 },
});

export const MetadataResponse = message({
  name: 'MetadataResponse',
  apiKey: 3,
  versions: '0-13',
  flexible: '9+',
  fields: {
    throttleTimeMs: { type: int32, versions: '3+', ignorable: true },
    brokers: { type: array(MetadataResponseBroker), versions: '0+' },
    clusterId: { type: string, versions: '2+', nullable: '2+', default: null, ignorable: true },
    controllerId: { type: int32, versions: '1+', default: -1, ignorable: true },
    topics: { type: array(MetadataResponseTopic), versions: '0+' },
    /** A bit per ACL operation; the lowest integer when not asked for. */
    clusterAuthorizedOperations: { type: int32, versions: '8-10', default: -2_147_483_648 },
    errorCode: { type: int16, versions: '13+', ignorable: true },
  },
});
export type MetadataResponse = Infer<typeof MetadataResponse>;
