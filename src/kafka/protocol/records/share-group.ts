import {
  array,
  bigint64,
  type Infer,
  int8,
  int32,
  int64,
  message,
  string,
  struct,
  uuid,
} from '../../../wire/schema.ts';

/** Share groups (KIP-932) in `__consumer_offsets`, key types 10 to 15. */

export const ShareGroupMemberMetadataKey = message({
  name: 'ShareGroupMemberMetadataKey',
  apiKey: 10,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: { type: string, versions: '0' },
    memberId: { type: string, versions: '0' },
  },
});
export type ShareGroupMemberMetadataKey = Infer<typeof ShareGroupMemberMetadataKey>;

export const ShareGroupMemberMetadataValue = message({
  name: 'ShareGroupMemberMetadataValue',
  apiKey: 10,
  versions: '0',
  flexible: '0+',
  fields: {
    rackId: { type: string, versions: '0+', nullable: '0+' },
    clientId: { type: string, versions: '0+' },
    clientHost: { type: string, versions: '0+' },
    subscribedTopicNames: { type: array(string), versions: '0+' },
  },
});
export type ShareGroupMemberMetadataValue = Infer<typeof ShareGroupMemberMetadataValue>;

export const ShareGroupMetadataKey = message({
  name: 'ShareGroupMetadataKey',
  apiKey: 11,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: { type: string, versions: '0' },
  },
});
export type ShareGroupMetadataKey = Infer<typeof ShareGroupMetadataKey>;

export const ShareGroupMetadataValue = message({
  name: 'ShareGroupMetadataValue',
  apiKey: 11,
  versions: '0',
  flexible: '0+',
  fields: {
    epoch: { type: int32, versions: '0+' },
    metadataHash: { type: bigint64, versions: '0+' },
  },
});
export type ShareGroupMetadataValue = Infer<typeof ShareGroupMetadataValue>;

export const ShareGroupTargetAssignmentMetadataKey = message({
  name: 'ShareGroupTargetAssignmentMetadataKey',
  apiKey: 12,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: { type: string, versions: '0' },
  },
});
export type ShareGroupTargetAssignmentMetadataKey = Infer<typeof ShareGroupTargetAssignmentMetadataKey>;

export const ShareGroupTargetAssignmentMetadataValue = message({
  name: 'ShareGroupTargetAssignmentMetadataValue',
  apiKey: 12,
  versions: '0',
  flexible: '0+',
  fields: {
    assignmentEpoch: { type: int32, versions: '0+' },
    assignmentTimestamp: { type: int64, versions: '0+', tag: 0, ignorable: true },
  },
});
export type ShareGroupTargetAssignmentMetadataValue = Infer<typeof ShareGroupTargetAssignmentMetadataValue>;

export const ShareGroupTargetAssignmentMemberKey = message({
  name: 'ShareGroupTargetAssignmentMemberKey',
  apiKey: 13,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: { type: string, versions: '0' },
    memberId: { type: string, versions: '0' },
  },
});
export type ShareGroupTargetAssignmentMemberKey = Infer<typeof ShareGroupTargetAssignmentMemberKey>;

const TopicPartition = struct({
  topicId: { type: uuid, versions: '0+' },
  partitions: { type: array(int32), versions: '0+' },
});

export const ShareGroupTargetAssignmentMemberValue = message({
  name: 'ShareGroupTargetAssignmentMemberValue',
  apiKey: 13,
  versions: '0',
  flexible: '0+',
  fields: {
    topicPartitions: { type: array(TopicPartition), versions: '0+' },
  },
});
export type ShareGroupTargetAssignmentMemberValue = Infer<typeof ShareGroupTargetAssignmentMemberValue>;

export const ShareGroupCurrentMemberAssignmentKey = message({
  name: 'ShareGroupCurrentMemberAssignmentKey',
  apiKey: 14,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: { type: string, versions: '0' },
    memberId: { type: string, versions: '0' },
  },
});
export type ShareGroupCurrentMemberAssignmentKey = Infer<typeof ShareGroupCurrentMemberAssignmentKey>;

const TopicPartitions = struct({
  topicId: { type: uuid, versions: '0+' },
  partitions: { type: array(int32), versions: '0+' },
});

export const ShareGroupCurrentMemberAssignmentValue = message({
  name: 'ShareGroupCurrentMemberAssignmentValue',
  apiKey: 14,
  versions: '0',
  flexible: '0+',
  fields: {
    memberEpoch: { type: int32, versions: '0+' },
    previousMemberEpoch: { type: int32, versions: '0+' },
    state: { type: int8, versions: '0+' },
    assignedPartitions: { type: array(TopicPartitions), versions: '0+' },
  },
});
export type ShareGroupCurrentMemberAssignmentValue = Infer<typeof ShareGroupCurrentMemberAssignmentValue>;

export const ShareGroupStatePartitionMetadataKey = message({
  name: 'ShareGroupStatePartitionMetadataKey',
  apiKey: 15,
  versions: '0',
  flexible: 'none',
  fields: {
    groupId: { type: string, versions: '0' },
  },
});
export type ShareGroupStatePartitionMetadataKey = Infer<typeof ShareGroupStatePartitionMetadataKey>;

const TopicPartitionsInfo = struct({
  topicId: { type: uuid, versions: '0+' },
  topicName: { type: string, versions: '0+' },
  partitions: { type: array(int32), versions: '0+' },
});

const TopicInfo = struct({
  topicId: { type: uuid, versions: '0+' },
  topicName: { type: string, versions: '0+' },
});

export const ShareGroupStatePartitionMetadataValue = message({
  name: 'ShareGroupStatePartitionMetadataValue',
  apiKey: 15,
  versions: '0',
  flexible: '0+',
  fields: {
    initializingTopics: { type: array(TopicPartitionsInfo), versions: '0+' },
    initializedTopics: { type: array(TopicPartitionsInfo), versions: '0+' },
    deletingTopics: { type: array(TopicInfo), versions: '0+' },
  },
});
export type ShareGroupStatePartitionMetadataValue = Infer<typeof ShareGroupStatePartitionMetadataValue>;
