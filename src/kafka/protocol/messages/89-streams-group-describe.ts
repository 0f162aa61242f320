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

/** StreamsGroupDescribe: state, members and topology of streams groups (KIP-1071). */

export const StreamsGroupDescribeRequest = message({
  name: 'StreamsGroupDescribeRequest',
  apiKey: 89,
  versions: '0-1',
  flexible: '0+',
  fields: {
    groupIds: { type: array(string), versions: '0+' },
    includeAuthorizedOperations: { type: bool, versions: '0+' },
    includeTopologyDescription: { type: bool, versions: '1+' },
  },
});
export type StreamsGroupDescribeRequest = Infer<typeof StreamsGroupDescribeRequest>;

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

const Subtopology = struct({
  subtopologyId: { type: string, versions: '0+' },
  sourceTopics: { type: array(string), versions: '0+' },
  repartitionSinkTopics: { type: array(string), versions: '0+' },
  stateChangelogTopics: { type: array(TopicInfo), versions: '0+' },
  repartitionSourceTopics: { type: array(TopicInfo), versions: '0+' },
});

const Topology = struct({
  epoch: { type: int32, versions: '0+' },
  subtopologies: { type: array(Subtopology), versions: '0+', nullable: '0+', default: null },
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

const TaskIds = struct({
  subtopologyId: { type: string, versions: '0+' },
  partitions: { type: array(int32), versions: '0+' },
});

const Assignment = struct({
  activeTasks: { type: array(TaskIds), versions: '0+' },
  standbyTasks: { type: array(TaskIds), versions: '0+' },
  warmupTasks: { type: array(TaskIds), versions: '0+' },
});

const Member = struct({
  memberId: { type: string, versions: '0+' },
  memberEpoch: { type: int32, versions: '0+' },
  instanceId: { type: string, versions: '0+', nullable: '0+', default: null },
  rackId: { type: string, versions: '0+', nullable: '0+', default: null },
  clientId: { type: string, versions: '0+' },
  clientHost: { type: string, versions: '0+' },
  topologyEpoch: { type: int32, versions: '0+' },
  processId: { type: string, versions: '0+' },
  userEndpoint: { type: Endpoint, versions: '0+', nullable: '0+', default: null },
  clientTags: { type: array(KeyValue), versions: '0+' },
  taskOffsets: { type: array(TaskOffset), versions: '0+' },
  taskEndOffsets: { type: array(TaskOffset), versions: '0+' },
  assignment: { type: Assignment, versions: '0+' },
  targetAssignment: { type: Assignment, versions: '0+' },
  isClassic: { type: bool, versions: '0+' },
});

const TopologyDescriptionNode = struct({
  name: { type: string, versions: '1+' },
  nodeType: { type: int8, versions: '1+' },
  sourceTopics: { type: array(string), versions: '1+' },
  sinkTopic: { type: string, versions: '1+', nullable: '1+', default: null },
  stores: { type: array(string), versions: '1+' },
  successors: { type: array(string), versions: '1+' },
});

const TopologyDescriptionSubtopology = struct({
  subtopologyId: { type: string, versions: '1+' },
  nodes: { type: array(TopologyDescriptionNode), versions: '1+' },
});

const TopologyDescriptionGlobalStore = struct({
  source: { type: TopologyDescriptionNode, versions: '1+' },
  processor: { type: TopologyDescriptionNode, versions: '1+' },
});

const TopologyDescription = struct({
  subtopologies: { type: array(TopologyDescriptionSubtopology), versions: '1+' },
  globalStores: { type: array(TopologyDescriptionGlobalStore), versions: '1+' },
});

const DescribedGroup = struct({
  errorCode: { type: int16, versions: '0+' },
  errorMessage: { type: string, versions: '0+', nullable: '0+', default: null },
  groupId: { type: string, versions: '0+' },
  groupState: { type: string, versions: '0+' },
  groupEpoch: { type: int32, versions: '0+' },
  assignmentEpoch: { type: int32, versions: '0+' },
  topology: { type: Topology, versions: '0+', nullable: '0+', default: null },
  members: { type: array(Member), versions: '0+' },
  authorizedOperations: { type: int32, versions: '0+', default: -2_147_483_648 },
  topologyDescription: { type: TopologyDescription, versions: '1+', nullable: '1+', default: null },
  topologyDescriptionStatus: { type: int8, versions: '1+' },
  assignorName: { type: string, versions: '1+', nullable: '1+', default: null, ignorable: true },
});

export const StreamsGroupDescribeResponse = message({
  name: 'StreamsGroupDescribeResponse',
  apiKey: 89,
  versions: '0-1',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    groups: { type: array(DescribedGroup), versions: '0+' },
  },
});
export type StreamsGroupDescribeResponse = Infer<typeof StreamsGroupDescribeResponse>;
