import {
  array,
  bool,
  type Infer,
  int8,
  int16,
  int32,
  int64,
  message,
  string,
  struct,
  uint16,
} from '../../../wire/schema.ts';

/** StreamsGroupHeartbeat: joins, stays in and leaves a streams group (KIP-1071). */

const KeyValue = struct({
  key: { type: string, versions: '0+' },
  value: { type: string, versions: '0+' },
});

const TopicInfo = struct({
  name: { type: string, versions: '0+' },
  partitions: { type: int32, versions: '0+' },
  replicationFactor: { type: int16, versions: '0+' },
  topicConfigs: { type: array(KeyValue), versions: '0+' },
});

const CopartitionGroup = struct({
  sourceTopics: { type: array(int16), versions: '0+' },
  sourceTopicRegex: { type: array(int16), versions: '0+' },
  repartitionSourceTopics: { type: array(int16), versions: '0+' },
});

const Subtopology = struct({
  subtopologyId: { type: string, versions: '0+' },
  sourceTopics: { type: array(string), versions: '0+' },
  sourceTopicRegex: { type: array(string), versions: '0+' },
  stateChangelogTopics: { type: array(TopicInfo), versions: '0+' },
  repartitionSinkTopics: { type: array(string), versions: '0+' },
  repartitionSourceTopics: { type: array(TopicInfo), versions: '0+' },
  copartitionGroups: { type: array(CopartitionGroup), versions: '0+' },
});

const Topology = struct({
  epoch: { type: int32, versions: '0+' },
  subtopologies: { type: array(Subtopology), versions: '0+' },
});

const TaskIds = struct({
  subtopologyId: { type: string, versions: '0+' },
  partitions: { type: array(int32), versions: '0+' },
});

const Endpoint = struct({
  host: { type: string, versions: '0+' },
  port: { type: uint16, versions: '0+' },
});

const TaskOffset = struct({
  subtopologyId: { type: string, versions: '0+' },
  partition: { type: int32, versions: '0+' },
  offset: { type: int64, versions: '0+' },
});

export const StreamsGroupHeartbeatRequest = message({
  name: 'StreamsGroupHeartbeatRequest',
  apiKey: 88,
  versions: '0-1',
  flexible: '0+',
  fields: {
    groupId: { type: string, versions: '0+' },
    memberId: { type: string, versions: '0+' },
    memberEpoch: { type: int32, versions: '0+' },
    endpointInformationEpoch: { type: int32, versions: '0+' },
    instanceId: { type: string, versions: '0+', nullable: '0+', default: null },
    rackId: { type: string, versions: '0+', nullable: '0+', default: null },
    rebalanceTimeoutMs: { type: int32, versions: '0+', default: -1 },
    topology: { type: Topology, versions: '0+', nullable: '0+', default: null },
    activeTasks: { type: array(TaskIds), versions: '0+', nullable: '0+', default: null },
    standbyTasks: { type: array(TaskIds), versions: '0+', nullable: '0+', default: null },
    warmupTasks: { type: array(TaskIds), versions: '0+', nullable: '0+', default: null },
    processId: { type: string, versions: '0+', nullable: '0+', default: null },
    userEndpoint: { type: Endpoint, versions: '0+', nullable: '0+', default: null },
    clientTags: { type: array(KeyValue), versions: '0+', nullable: '0+', default: null },
    taskOffsets: { type: array(TaskOffset), versions: '0+', nullable: '0+', default: null },
    taskEndOffsets: { type: array(TaskOffset), versions: '0+', nullable: '0+', default: null },
    shutdownApplication: { type: bool, versions: '0+' },
  },
});
export type StreamsGroupHeartbeatRequest = Infer<typeof StreamsGroupHeartbeatRequest>;

const Status = struct({
  statusCode: { type: int8, versions: '0+' },
  statusDetail: { type: string, versions: '0+' },
});

const TopicPartition = struct({
  topic: { type: string, versions: '0+' },
  partitions: { type: array(int32), versions: '0+' },
});

const EndpointToPartitions = struct({
  userEndpoint: { type: Endpoint, versions: '0+' },
  activePartitions: { type: array(TopicPartition), versions: '0+' },
  standbyPartitions: { type: array(TopicPartition), versions: '0+' },
});

export const StreamsGroupHeartbeatResponse = message({
  name: 'StreamsGroupHeartbeatResponse',
  apiKey: 88,
  versions: '0-1',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    errorCode: { type: int16, versions: '0+' },
    errorMessage: { type: string, versions: '0+', nullable: '0+', default: null },
    memberId: { type: string, versions: '0+' },
    memberEpoch: { type: int32, versions: '0+' },
    heartbeatIntervalMs: { type: int32, versions: '0+' },
    acceptableRecoveryLagLegacy: { type: int32, versions: '0' },
    taskOffsetIntervalMs: { type: int32, versions: '0+' },
    acceptableRecoveryLag: { type: int64, versions: '1+', default: -1, ignorable: true },
    status: { type: array(Status), versions: '0+', nullable: '0+' },
    activeTasks: { type: array(TaskIds), versions: '0+', nullable: '0+', default: null },
    standbyTasks: { type: array(TaskIds), versions: '0+', nullable: '0+', default: null },
    warmupTasks: { type: array(TaskIds), versions: '0+', nullable: '0+', default: null },
    topologyDescriptionRequired: { type: bool, versions: '1+' },
    endpointInformationEpoch: { type: int32, versions: '0+' },
    partitionsByUserEndpoint: { type: array(EndpointToPartitions), versions: '0+', nullable: '0+', default: null },
  },
});
export type StreamsGroupHeartbeatResponse = Infer<typeof StreamsGroupHeartbeatResponse>;
