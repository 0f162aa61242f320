import { array, bool, type Infer, int8, int16, int32, message, string, struct, uuid } from '../../../wire/schema.ts';

/**
 * CreateTopics.
 *
 * v1  `validateOnly`; error messages
 * v2  throttle time
 * v3  the broker throttles after it has answered (KIP-219)
 * v4  -1 asks for the default partition count and replication factor (KIP-464)
 * v5  flexible; the response has the topic's configuration (KIP-525)
 * v6  THROTTLING_QUOTA_EXCEEDED may be answered (KIP-599)
 * v7  the response has the topic id (KIP-516)
 */

const CreatableReplicaAssignment = struct({
  partitionIndex: { type: int32, versions: '0+' },
  brokerIds: { type: array(int32), versions: '0+' },
});

const CreatableTopicConfig = struct({
  name: { type: string, versions: '0+' },
  value: { type: string, versions: '0+', nullable: '0+' },
});

const CreatableTopic = struct({
  name: { type: string, versions: '0+' },
  /** -1: as the assignments say, or (v4+) the broker’s default. */
  numPartitions: { type: int32, versions: '0+' },
  /** -1: as the assignments say, or (v4+) the broker’s default. */
  replicationFactor: { type: int16, versions: '0+' },
  assignments: { type: array(CreatableReplicaAssignment), versions: '0+' },
  configs: { type: array(CreatableTopicConfig), versions: '0+' },
});

export const CreateTopicsRequest = message({
  name: 'CreateTopicsRequest',
  apiKey: 19,
  versions: '0-7',
  flexible: '5+',
  fields: {
    topics: { type: array(CreatableTopic), versions: '0+' },
    timeoutMs: { type: int32, versions: '0+', default: 60_000 },
    validateOnly: { type: bool, versions: '1+' },
  },
});
export type CreateTopicsRequest = Infer<typeof CreateTopicsRequest>;

const CreatableTopicConfigs = struct({
  name: { type: string, versions: '5+' },
  value: { type: string, versions: '5+', nullable: '5+' },
  readOnly: { type: bool, versions: '5+' },
  configSource: { type: int8, versions: '5+', default: -1, ignorable: true },
  isSensitive: { type: bool, versions: '5+' },
});

const CreatableTopicResult = struct({
  name: { type: string, versions: '0+' },
  topicId: { type: uuid, versions: '7+', ignorable: true },
  errorCode: { type: int16, versions: '0+' },
  errorMessage: { type: string, versions: '1+', nullable: '0+', ignorable: true },
  topicConfigErrorCode: { type: int16, versions: '5+', tag: 0, ignorable: true },
  numPartitions: { type: int32, versions: '5+', default: -1, ignorable: true },
  replicationFactor: { type: int16, versions: '5+', default: -1, ignorable: true },
  configs: { type: array(CreatableTopicConfigs), versions: '5+', nullable: '5+', ignorable: true },
});

export const CreateTopicsResponse = message({
  name: 'CreateTopicsResponse',
  apiKey: 19,
  versions: '0-7',
  flexible: '5+',
  fields: {
    throttleTimeMs: { type: int32, versions: '2+', ignorable: true },
    topics: { type: array(CreatableTopicResult), versions: '0+' },
  },
});
export type CreateTopicsResponse = Infer<typeof CreateTopicsResponse>;
