import { array, type Infer, int16, int32, message, string, struct, uuid } from '../../../wire/schema.ts';

/** ShareGroupHeartbeat: joins, stays in and leaves a share group (KIP-932). */

export const ShareGroupHeartbeatRequest = message({
  name: 'ShareGroupHeartbeatRequest',
  apiKey: 76,
  versions: '1',
  flexible: '0+',
  fields: {
    groupId: { type: string, versions: '0+' },
    memberId: { type: string, versions: '0+' },
    memberEpoch: { type: int32, versions: '0+' },
    rackId: { type: string, versions: '0+', nullable: '0+', default: null },
    subscribedTopicNames: { type: array(string), versions: '0+', nullable: '0+', default: null },
  },
});
export type ShareGroupHeartbeatRequest = Infer<typeof ShareGroupHeartbeatRequest>;

const TopicPartitions = struct({
  topicId: { type: uuid, versions: '0+' },
  partitions: { type: array(int32), versions: '0+' },
});

const Assignment = struct({
  topicPartitions: { type: array(TopicPartitions), versions: '0+' },
});

export const ShareGroupHeartbeatResponse = message({
  name: 'ShareGroupHeartbeatResponse',
  apiKey: 76,
  versions: '1',
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
export type ShareGroupHeartbeatResponse = Infer<typeof ShareGroupHeartbeatResponse>;
