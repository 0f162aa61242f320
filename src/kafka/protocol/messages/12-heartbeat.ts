import { type Infer, int16, int32, message, string } from '../../../wire/schema.ts';

/**
 * Heartbeat: a member of a classic group is alive.
 *
 * v1  throttle time
 * v2  the broker throttles after it has answered (KIP-219)
 * v3  group instance id: static membership (KIP-345)
 * v4  flexible
 */

export const HeartbeatRequest = message({
  name: 'HeartbeatRequest',
  apiKey: 12,
  versions: '0-4',
  flexible: '4+',
  fields: {
    groupId: { type: string, versions: '0+' },
    generationId: { type: int32, versions: '0+' },
    memberId: { type: string, versions: '0+' },
    groupInstanceId: { type: string, versions: '3+', nullable: '3+', default: null },
  },
});
export type HeartbeatRequest = Infer<typeof HeartbeatRequest>;

export const HeartbeatResponse = message({
  name: 'HeartbeatResponse',
  apiKey: 12,
  versions: '0-4',
  flexible: '4+',
  fields: {
    throttleTimeMs: { type: int32, versions: '1+', ignorable: true },
    errorCode: { type: int16, versions: '0+' },
  },
});
export type HeartbeatResponse = Infer<typeof HeartbeatResponse>;
