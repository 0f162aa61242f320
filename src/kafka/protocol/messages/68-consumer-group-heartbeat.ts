import { array, type Infer, int16, int32, message, string, struct, uuid } from '../../../wire/schema.ts';

/** ConsumerGroupHeartbeat: joins, stays in and leaves a group of the new protocol (KIP-848). */

const TopicPartitions = struct({
  topicId: { type: uuid, versions: '0+' },
  partitions: { type: array(int32), versions: '0+' },
});

export const ConsumerGroupHeartbeatRequest = message({
  name: 'ConsumerGroupHeartbeatRequest',
  apiKey: 68,
  versions: '0-1',
  flexible: '0+',
  fields: {
    groupId: { type: string, versions: '0+' },
    memberId: { type: string, versions: '0+' },
    memberEpoch: { type: int32, versions: '0+' },
    instanceId: { type: string, versions: '0+', nullable: '0+', default: null },
    rackId: { type: string, versions: '0+', nullable: '0+', default: null },
    rebalanceTimeoutMs: { type: int32, versions: '0+', default: -1 },
    subscribedTopicNames: { type: array(string), versions: '0+', nullable: '0+', default: null },
    subscribedTopicRegex: { type: string, versions: '1+', nullable: '1+', default: null },
    serverAssignor: { type: string, versions: '0+', nullable: '0+', default: null },
    topicPartitions: { type: array(TopicPartitions), versions: '0+', nullable: '0+', default: null },
  },
});
export type ConsumerGroupHeartbeatRequest = Infer<typeof ConsumerGroupHeartbeatRequest>;

const Assignment = struct({
  topicPartitions: { type: array(TopicPartitions), versions: '0+' },
});

export const ConsumerGroupHeartbeatResponse = message({
  name: 'ConsumerGroupHeartbeatResponse',
  apiKey: 68,
  versions: '0-1',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    errorCode: { type: int16, versions: '0+' },
    errorMessage: { type: string, versions: '0+', nullable: '0+', default: null },
    memberId: { type: string, versions: '0+', nullable: '0+', default: null },
    memberEpoch: { type: int32, versions: '0+' },
    heartbeatIntervalMs: { type: int32, versions: '0+' },
    assignment: { type: Assignment, versions: '0+', nullable: '0+', default: null },
  },
});
export type ConsumerGroupHeartbeatResponse = Infer<typeof ConsumerGroupHeartbeatResponse>;
