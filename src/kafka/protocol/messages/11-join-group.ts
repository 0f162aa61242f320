import { array, bool, bytes, type Infer, int16, int32, message, string, struct } from '../../../wire/schema.ts';

/**
 * JoinGroup: a member enters a classic group, or a rebalance of it.
 *
 * v1  rebalance timeout beside the session timeout
 * v2  throttle time
 * v3  the broker throttles after it has answered (KIP-219)
 * v4  the first join is answered with MEMBER_ID_REQUIRED and a member id (KIP-394)
 * v5  group instance id: static membership (KIP-345)
 * v6  flexible
 * v7  the response has the protocol type; the protocol name may be null (KIP-559)
 * v8  the reason for joining (KIP-800)
 * v9  the leader may be told to skip the assignment (KIP-814)
 */

const JoinGroupRequestProtocol = struct({
  name: { type: string, versions: '0+' },
  metadata: { type: bytes, versions: '0+' },
});

export const JoinGroupRequest = message({
  name: 'JoinGroupRequest',
  apiKey: 11,
  versions: '0-9',
  flexible: '6+',
  fields: {
    groupId: { type: string, versions: '0+' },
    sessionTimeoutMs: { type: int32, versions: '0+' },
    /** -1 (v0): the session timeout serves as both. */
    rebalanceTimeoutMs: { type: int32, versions: '1+', default: -1, ignorable: true },
    memberId: { type: string, versions: '0+' },
    groupInstanceId: { type: string, versions: '5+', nullable: '5+', default: null },
    protocolType: { type: string, versions: '0+' },
    protocols: { type: array(JoinGroupRequestProtocol), versions: '0+' },
    reason: { type: string, versions: '8+', nullable: '8+', default: null, ignorable: true },
  },
});
export type JoinGroupRequest = Infer<typeof JoinGroupRequest>;

const JoinGroupResponseMember = struct({
  memberId: { type: string, versions: '0+' },
  groupInstanceId: { type: string, versions: '5+', nullable: '5+', default: null, ignorable: true },
  metadata: { type: bytes, versions: '0+' },
});

export const JoinGroupResponse = message({
  name: 'JoinGroupResponse',
  apiKey: 11,
  versions: '0-9',
  flexible: '6+',
  fields: {
    throttleTimeMs: { type: int32, versions: '2+', ignorable: true },
    errorCode: { type: int16, versions: '0+' },
    generationId: { type: int32, versions: '0+', default: -1 },
    protocolType: { type: string, versions: '7+', nullable: '7+', default: null, ignorable: true },
    protocolName: { type: string, versions: '0+', nullable: '7+' },
    leader: { type: string, versions: '0+' },
    skipAssignment: { type: bool, versions: '9+' },
    memberId: { type: string, versions: '0+' },
    /** For the leader alone; empty for the others. */
    members: { type: array(JoinGroupResponseMember), versions: '0+' },
  },
});
export type JoinGroupResponse = Infer<typeof JoinGroupResponse>;
