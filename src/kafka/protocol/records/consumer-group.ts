import {
  array,
  bigint64,
  bytes,
  type Infer,
  int8,
  int32,
  int64,
  message,
  string,
  struct,
  uuid,
} from '../../../wire/schema.ts';

/** Groups of the consumer protocol (KIP-848) in `__consumer_offsets`, key types 3 to 8 and 16. */

export const ConsumerGroupMetadataKey = message({
  name: 'ConsumerGroupMetadataKey',
  apiKey: 3,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: { type: string, versions: '0' },
  },
});
export type ConsumerGroupMetadataKey = Infer<typeof ConsumerGroupMetadataKey>;

export const ConsumerGroupMetadataValue = message({
  name: 'ConsumerGroupMetadataValue',
  apiKey: 3,
  versions: '0',
  flexible: '0+',
  fields: {
    epoch: { type: int32, versions: '0+' },
    metadataHash: { type: bigint64, versions: '0+', tag: 0 },
  },
});
export type ConsumerGroupMetadataValue = Infer<typeof ConsumerGroupMetadataValue>;

export const ConsumerGroupPartitionMetadataKey = message({
  name: 'ConsumerGroupPartitionMetadataKey',
  apiKey: 4,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: { type: string, versions: '0' },
  },
});
export type ConsumerGroupPartitionMetadataKey = Infer<typeof ConsumerGroupPartitionMetadataKey>;

const PartitionMetadata = struct({
  partition: { type: int32, versions: '0+' },
  racks: { type: array(string), versions: '0+' },
});

const TopicMetadata = struct({
  topicId: { type: uuid, versions: '0+' },
  topicName: { type: string, versions: '0+' },
  numPartitions: { type: int32, versions: '0+' },
  partitionMetadata: { type: array(PartitionMetadata), versions: '0+' },
});

export const ConsumerGroupPartitionMetadataValue = message({
  name: 'ConsumerGroupPartitionMetadataValue',
  apiKey: 4,
  versions: '0',
  flexible: '0+',
  fields: {
    topics: { type: array(TopicMetadata), versions: '0+' },
  },
});
export type ConsumerGroupPartitionMetadataValue = Infer<typeof ConsumerGroupPartitionMetadataValue>;

export const ConsumerGroupMemberMetadataKey = message({
  name: 'ConsumerGroupMemberMetadataKey',
  apiKey: 5,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: { type: string, versions: '0' },
    memberId: { type: string, versions: '0' },
  },
});
export type ConsumerGroupMemberMetadataKey = Infer<typeof ConsumerGroupMemberMetadataKey>;

const ClassicProtocol = struct({
  name: { type: string, versions: '0+' },
  metadata: { type: bytes, versions: '0+' },
});

const ClassicMemberMetadata = struct({
  sessionTimeoutMs: { type: int32, versions: '0+' },
  supportedProtocols: { type: array(ClassicProtocol), versions: '0+' },
});

export const ConsumerGroupMemberMetadataValue = message({
  name: 'ConsumerGroupMemberMetadataValue',
  apiKey: 5,
  versions: '0',
  flexible: '0+',
  fields: {
    instanceId: { type: string, versions: '0+', nullable: '0+' },
    rackId: { type: string, versions: '0+', nullable: '0+' },
    clientId: { type: string, versions: '0+' },
    clientHost: { type: string, versions: '0+' },
    subscribedTopicNames: { type: array(string), versions: '0+' },
    subscribedTopicRegex: { type: string, versions: '0+', nullable: '0+' },
    rebalanceTimeoutMs: { type: int32, versions: '0+', default: -1 },
    serverAssignor: { type: string, versions: '0+', nullable: '0+' },
    classicMemberMetadata: { type: ClassicMemberMetadata, versions: '0+', nullable: '0+', tag: 0 },
  },
});
export type ConsumerGroupMemberMetadataValue = Infer<typeof ConsumerGroupMemberMetadataValue>;

export const ConsumerGroupTargetAssignmentMetadataKey = message({
  name: 'ConsumerGroupTargetAssignmentMetadataKey',
  apiKey: 6,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: { type: string, versions: '0' },
  },
});
export type ConsumerGroupTargetAssignmentMetadataKey = Infer<typeof ConsumerGroupTargetAssignmentMetadataKey>;

export const ConsumerGroupTargetAssignmentMetadataValue = message({
  name: 'ConsumerGroupTargetAssignmentMetadataValue',
  apiKey: 6,
  versions: '0',
  flexible: '0+',
  fields: {
    assignmentEpoch: { type: int32, versions: '0+' },
    assignmentTimestamp: { type: int64, versions: '0+', tag: 0, ignorable: true },
  },
});
export type ConsumerGroupTargetAssignmentMetadataValue = Infer<typeof ConsumerGroupTargetAssignmentMetadataValue>;

export const ConsumerGroupTargetAssignmentMemberKey = message({
  name: 'ConsumerGroupTargetAssignmentMemberKey',
  apiKey: 7,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: { type: string, versions: '0' },
    memberId: { type: string, versions: '0' },
  },
});
export type ConsumerGroupTargetAssignmentMemberKey = Infer<typeof ConsumerGroupTargetAssignmentMemberKey>;

const TopicPartition = struct({
  topicId: { type: uuid, versions: '0+' },
  partitions: { type: array(int32), versions: '0+' },
});

export const ConsumerGroupTargetAssignmentMemberValue = message({
  name: 'ConsumerGroupTargetAssignmentMemberValue',
  apiKey: 7,
  versions: '0',
  flexible: '0+',
  fields: {
    topicPartitions: { type: array(TopicPartition), versions: '0+' },
  },
});
export type ConsumerGroupTargetAssignmentMemberValue = Infer<typeof ConsumerGroupTargetAssignmentMemberValue>;

export const ConsumerGroupCurrentMemberAssignmentKey = message({
  name: 'ConsumerGroupCurrentMemberAssignmentKey',
  apiKey: 8,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: { type: string, versions: '0' },
    memberId: { type: string, versions: '0' },
  },
});
export type ConsumerGroupCurrentMemberAssignmentKey = Infer<typeof ConsumerGroupCurrentMemberAssignmentKey>;

const TopicPartitions = struct({
  topicId: { type: uuid, versions: '0+' },
  partitions: { type: array(int32), versions: '0+' },
  assignmentEpochs: { type: array(int32), versions: '0+', nullable: '0+', tag: 0 },
});

export const ConsumerGroupCurrentMemberAssignmentValue = message({
  name: 'ConsumerGroupCurrentMemberAssignmentValue',
  apiKey: 8,
  versions: '0',
  flexible: '0+',
  fields: {
    memberEpoch: { type: int32, versions: '0+' },
    previousMemberEpoch: { type: int32, versions: '0+' },
    state: { type: int8, versions: '0+' },
    assignedPartitions: { type: array(TopicPartitions), versions: '0+' },
    partitionsPendingRevocation: { type: array(TopicPartitions), versions: '0+' },
  },
});
export type ConsumerGroupCurrentMemberAssignmentValue = Infer<typeof ConsumerGroupCurrentMemberAssignmentValue>;

export const ConsumerGroupRegularExpressionKey = message({
  name: 'ConsumerGroupRegularExpressionKey',
  apiKey: 16,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: { type: string, versions: '0' },
    regularExpression: { type: string, versions: '0' },
  },
});
export type ConsumerGroupRegularExpressionKey = Infer<typeof ConsumerGroupRegularExpressionKey>;

export const ConsumerGroupRegularExpressionValue = message({
  name: 'ConsumerGroupRegularExpressionValue',
  apiKey: 16,
  versions: '0',
  flexible: '0+',
  fields: {
    topics: { type: array(string), versions: '0+' },
    version: { type: int64, versions: '0+' },
    timestamp: { type: int64, versions: '0+' },
  },
});
export type ConsumerGroupRegularExpressionValue = Infer<typeof ConsumerGroupRegularExpressionValue>;
