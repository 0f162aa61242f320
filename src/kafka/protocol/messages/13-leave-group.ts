import { array, type Infer, int16, int32, message, string, struct } from '../../../wire/schema.ts';

/**
 * LeaveGroup: members leave a classic group.
 *
 * v1  throttle time
 * v2  the broker throttles after it has answered (KIP-219)
 * v3  many members in one request, by member id or instance id (KIP-345)
 * v4  flexible
 * v5  the reason for leaving (KIP-800)
 */

const MemberIdentity = struct({
  memberId: { type: string, versions: '3+' },
  groupInstanceId: { type: string, versions: '3+', nullable: '3+', default: null },
  reason: { type: string, versions: '5+', nullable: '5+', default: null, ignorable: true },
});

export const LeaveGroupRequest = message({
  name: 'LeaveGroupRequest',
  apiKey: 13,
  versions: '0-5',
  flexible: '4+',
  fields: {
    groupId: { type: string, versions: '0+' },
    memberId: { type: string, versions: '0-2' },
    members: { type: array(MemberIdentity), versions: '3+' },
  },
});
export type LeaveGroupRequest = Infer<typeof LeaveGroupRequest>;

const MemberResponse = struct({
  memberId: { type: string, versions: '3+' },
  groupInstanceId: { type: string, versions: '3+', nullable: '3+' },
  errorCode: { type: int16, versions: '3+' },
});

export const LeaveGroupResponse = message({
  name: 'LeaveGroupResponse',
  apiKey: 13,
  versions: '0-5',
  flexible: '4+',
  fields: {
    throttleTimeMs: { type: int32, versions: '1+', ignorable: true },
    errorCode: { type: int16, versions: '0+' },
    members: { type: array(MemberResponse), versions: '3+' },
  },
});
export type LeaveGroupResponse = Infer<typeof LeaveGroupResponse>;
