import { array, bool, type Infer, int16, int32, message, string, struct, uuid } from '../../../wire/schema.ts';

/** DescribeTopicPartitions: topics page by page (KIP-966). */

const TopicRequest = struct({
  name: { type: string, versions: '0+' },
});

const Cursor = struct({
  topicName: { type: string, versions: '0+' },
  partitionIndex: { type: int32, versions: '0+' },
});

export const DescribeTopicPartitionsRequest = message({
  name: 'DescribeTopicPartitionsRequest',
  apiKey: 75,
  versions: '0',
  flexible: '0+',
  fields: {
    topics: { type: array(TopicRequest), versions: '0+' },
    responsePartitionLimit: { type: int32, versions: '0+', default: 2000 },
    cursor: { type: Cursor, versions: '0+', nullable: '0+', default: null },
  },
});
export type DescribeTopicPartitionsRequest = Infer<typeof DescribeTopicPartitionsRequest>;

const DescribeTopicPartitionsResponsePartition = struct({
  errorCode: { type: int16, versions: '0+' },
  partitionIndex: { type: int32, versions: '0+' },
  leaderId: { type: int32, versions: '0+' },
  leaderEpoch: { type: int32, versions: '0+', default: -1, ignorable: true },
  replicaNodes: { type: array(int32), versions: '0+' },
  isrNodes: { type: array(int32), versions: '0+' },
  eligibleLeaderReplicas: { type: array(int32), versions: '0+', nullable: '0+', default: null },
  lastKnownElr: { type: array(int32), versions: '0+', nullable: '0+', default: null },
  offlineReplicas: { type: array(int32), versions: '0+', ignorable: true },
});

const DescribeTopicPartitionsResponseTopic = struct({
  errorCode: { type: int16, versions: '0+' },
  name: { type: string, versions: '0+', nullable: '0+' },
  topicId: { type: uuid, versions: '0+', ignorable: true },
  isInternal: { type: bool, versions: '0+', ignorable: true },
  partitions: { type: array(DescribeTopicPartitionsResponsePartition), versions: '0+' },
  topicAuthorizedOperations: { type: int32, versions: '0+', default: -2_147_483_648 },
});

export const DescribeTopicPartitionsResponse = message({
  name: 'DescribeTopicPartitionsResponse',
  apiKey: 75,
  versions: '0',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+', ignorable: true },
    topics: { type: array(DescribeTopicPartitionsResponseTopic), versions: '0+' },
    nextCursor: { type: Cursor, versions: '0+', nullable: '0+', default: null },
  },
});
export type DescribeTopicPartitionsResponse = Infer<typeof DescribeTopicPartitionsResponse>;
