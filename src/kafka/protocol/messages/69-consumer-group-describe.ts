import { array, bool, type Infer, int8, int16, int32, message, string, struct, uuid } from '../../../wire/schema.ts';

/** ConsumerGroupDescribe: state and members of groups of the new protocol (KIP-848). */

export const ConsumerGroupDescribeRequest = message({
  name: 'ConsumerGroupDescribeRequest',
  apiKey: 69,
  versions: '0-1',
  flexible: '0+',
  fields: {
    groupIds: { type: array(string), versions: '0+' },
    includeAuthorizedOperations: { type: bool, versions: '0+' },
  },
});
export type ConsumerGroupDescribeRequest = Infer<typeof ConsumerGroupDescribeRequest>;

const TopicPartitions = struct({
  topicId: { type: uuid, versions: '0+' },
  topicName: { type: string, versions: '0+' },
  partitions: { type: array(int32), versions: '0+' },
});

const Assignment = struct({
  topicPartitions: { type: array(TopicPartitions), versions: '0+' },
});

const Member = struct({
  memberId: { type: string, versions: '0+' },
  instanceId: { type: string, versions: '0+', nullable: '0+', default: null },
  rackId: { type: string, versions: '0+', nullable: '0+', default: null },
  memberEpoch: { type: int32, versions: '0+' },
  clientId: { type: string, versions: '0+' },
  clientHost: { type: string, versions: '0+' },
  subscribedTopicNames: { type: array(string), versions: '0+' },
  subscribedTopicRegex: { type: string, versions: '0+', nullable: '0+', default: null },
  assignment: { type: Assignment, versions: '0+' },
  targetAssignment: { type: Assignment, versions: '0+' },
  memberType: { type: int8, versions: '1+', default: -1, ignorable: true },
});

const DescribedGroup = struct({
  errorCode: { type: int16, versions: '0+' },
  errorMessage: { type: string, versions: '0+', nullable: '0+', default: null },
  groupId: { type: string, versions: '0+' },
  groupState: { type: string, versions: '0+' },
  groupEpoch: { type: int32, versions: '0+' },
  assignmentEpoch: { type: int32, versions: '0+' },
  assignorName: { type: string, versions: '0+' },
  members: { type: array(Member), versions: '0+' },
  authorizedOperations: { type: int32, versions: '0+', default: -2_147_483_648 },
});

export const ConsumerGroupDescribeResponse = message({
  name: 'ConsumerGroupDescribeResponse',
  apiKey: 69,
  versions: '0-1',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    groups: { type: array(DescribedGroup), versions: '0+' },
  },
});
export type ConsumerGroupDescribeResponse = Infer<typeof ConsumerGroupDescribeResponse>;
