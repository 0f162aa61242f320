import {
  array,
  bigint64,
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

/** Streams groups (KIP-1071) in `__consumer_offsets`, key types 17 to 23. */

export const StreamsGroupMetadataKey = message({
  name: 'StreamsGroupMetadataKey',
  apiKey: 17,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: { type: string, versions: '0' },
  },
});
export type StreamsGroupMetadataKey = Infer<typeof StreamsGroupMetadataKey>;

const LastAssignmentConfig = struct({
  key: { type: string, versions: '0+' },
  value: { type: string, versions: '0+' },
});

export const StreamsGroupMetadataValue = message({
  name: 'StreamsGroupMetadataValue',
  apiKey: 17,
  versions: '0',
  flexible: '0+',
  fields: {
    epoch: { type: int32, versions: '0+' },
    metadataHash: { type: bigint64, versions: '0+' },
    validatedTopologyEpoch: { type: int32, versions: '0+', tag: 0, default: -1 },
    lastAssignmentConfigs: { type: array(LastAssignmentConfig), versions: '0+', nullable: '0+', tag: 1 },
    storedDescriptionTopologyEpoch: { type: int32, versions: '0+', tag: 2, default: -1 },
    failedDescriptionTopologyEpoch: { type: int32, versions: '0+', tag: 3, default: -1 },
  },
});
export type StreamsGroupMetadataValue = Infer<typeof StreamsGroupMetadataValue>;

export const StreamsGroupMemberMetadataKey = message({
  name: 'StreamsGroupMemberMetadataKey',
  apiKey: 19,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: { type: string, versions: '0' },
    memberId: { type: string, versions: '0' },
  },
});
export type StreamsGroupMemberMetadataKey = Infer<typeof StreamsGroupMemberMetadataKey>;

const Endpoint = struct({
  host: { type: string, versions: '0+' },
  port: { type: uint16, versions: '0+' },
});

const KeyValue = struct({
  key: { type: string, versions: '0+' },
  value: { type: string, versions: '0+' },
});

export const StreamsGroupMemberMetadataValue = message({
  name: 'StreamsGroupMemberMetadataValue',
  apiKey: 19,
  versions: '0',
  flexible: '0+',
  fields: {
    instanceId: { type: string, versions: '0+', nullable: '0+' },
    rackId: { type: string, versions: '0+', nullable: '0+' },
    clientId: { type: string, versions: '0+' },
    clientHost: { type: string, versions: '0+' },
    rebalanceTimeoutMs: { type: int32, versions: '0+', default: -1 },
    topologyEpoch: { type: int32, versions: '0+' },
    processId: { type: string, versions: '0+' },
    userEndpoint: { type: Endpoint, versions: '0+', nullable: '0+', default: null },
    clientTags: { type: array(KeyValue), versions: '0+' },
  },
});
export type StreamsGroupMemberMetadataValue = Infer<typeof StreamsGroupMemberMetadataValue>;

export const StreamsGroupTargetAssignmentMetadataKey = message({
  name: 'StreamsGroupTargetAssignmentMetadataKey',
  apiKey: 20,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: { type: string, versions: '0' },
  },
});
export type StreamsGroupTargetAssignmentMetadataKey = Infer<typeof StreamsGroupTargetAssignmentMetadataKey>;

export const StreamsGroupTargetAssignmentMetadataValue = message({
  name: 'StreamsGroupTargetAssignmentMetadataValue',
  apiKey: 20,
  versions: '0',
  flexible: '0+',
  fields: {
    assignmentEpoch: { type: int32, versions: '0+' },
    assignmentTimestamp: { type: int64, versions: '0+', tag: 0, ignorable: true },
  },
});
export type StreamsGroupTargetAssignmentMetadataValue = Infer<typeof StreamsGroupTargetAssignmentMetadataValue>;

export const StreamsGroupTargetAssignmentMemberKey = message({
  name: 'StreamsGroupTargetAssignmentMemberKey',
  apiKey: 21,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: { type: string, versions: '0' },
    memberId: { type: string, versions: '0' },
  },
});
export type StreamsGroupTargetAssignmentMemberKey = Infer<typeof StreamsGroupTargetAssignmentMemberKey>;

const TaskIds = struct({
  subtopologyId: { type: string, versions: '0+' },
  partitions: { type: array(int32), versions: '0+' },
});

export const StreamsGroupTargetAssignmentMemberValue = message({
  name: 'StreamsGroupTargetAssignmentMemberValue',
  apiKey: 21,
  versions: '0',
  flexible: '0+',
  fields: {
    activeTasks: { type: array(TaskIds), versions: '0+' },
    standbyTasks: { type: array(TaskIds), versions: '0+' },
    warmupTasks: { type: array(TaskIds), versions: '0+' },
  },
});
export type StreamsGroupTargetAssignmentMemberValue = Infer<typeof StreamsGroupTargetAssignmentMemberValue>;

export const StreamsGroupCurrentMemberAssignmentKey = message({
  name: 'StreamsGroupCurrentMemberAssignmentKey',
  apiKey: 22,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: { type: string, versions: '0' },
    memberId: { type: string, versions: '0' },
  },
});
export type StreamsGroupCurrentMemberAssignmentKey = Infer<typeof StreamsGroupCurrentMemberAssignmentKey>;

const CurrentTaskIds = struct({
  subtopologyId: { type: string, versions: '0+' },
  partitions: { type: array(int32), versions: '0+' },
  assignmentEpochs: { type: array(int32), versions: '0+', nullable: '0+', tag: 0 },
});

export const StreamsGroupCurrentMemberAssignmentValue = message({
  name: 'StreamsGroupCurrentMemberAssignmentValue',
  apiKey: 22,
  versions: '0',
  flexible: '0+',
  fields: {
    memberEpoch: { type: int32, versions: '0+' },
    previousMemberEpoch: { type: int32, versions: '0+' },
    state: { type: int8, versions: '0+' },
    activeTasks: { type: array(CurrentTaskIds), versions: '0+' },
    standbyTasks: { type: array(CurrentTaskIds), versions: '0+' },
    warmupTasks: { type: array(CurrentTaskIds), versions: '0+' },
    activeTasksPendingRevocation: { type: array(CurrentTaskIds), versions: '0+' },
    standbyTasksPendingRevocation: { type: array(CurrentTaskIds), versions: '0+' },
    warmupTasksPendingRevocation: { type: array(CurrentTaskIds), versions: '0+' },
  },
});
export type StreamsGroupCurrentMemberAssignmentValue = Infer<typeof StreamsGroupCurrentMemberAssignmentValue>;

export const StreamsGroupTopologyKey = message({
  name: 'StreamsGroupTopologyKey',
  apiKey: 23,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: { type: string, versions: '0' },
  },
});
export type StreamsGroupTopologyKey = Infer<typeof StreamsGroupTopologyKey>;

const TopicConfig = struct({
  key: { type: string, versions: '0+' },
  value: { type: string, versions: '0+' },
});

const TopicInfo = struct({
  name: { type: string, versions: '0+' },
  partitions: { type: int32, versions: '0+' },
  replicationFactor: { type: int16, versions: '0+' },
  topicConfigs: { type: array(TopicConfig), versions: '0+' },
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

export const StreamsGroupTopologyValue = message({
  name: 'StreamsGroupTopologyValue',
  apiKey: 23,
  versions: '0',
  flexible: '0+',
  fields: {
    epoch: { type: int32, versions: '0+' },
    subtopologies: { type: array(Subtopology), versions: '0+' },
  },
});
export type StreamsGroupTopologyValue = Infer<typeof StreamsGroupTopologyValue>;
