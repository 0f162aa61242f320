import { array, bytes, type Infer, int16, int32, message, string, struct } from '../../../wire/schema.ts';

/**
 * SyncGroup: the leader of a classic group hands in the assignment, every member gets its part.
 *
 * v1  throttle time
 * v2  the broker throttles after it has answered (KIP-219)
 * v3  group instance id: static membership (KIP-345)
 * v4  flexible
 * v5  protocol type and name, so that a mismatch is found (KIP-559)
 */

const SyncGroupRequestAssignment = struct({
  memberId: { type: string, versions: '0+' },
  assignment: { type: bytes, versions: '0+' },
});

export const SyncGroupRequest = message({
  name: 'SyncGroupRequest',
  apiKey: 14,
  versions: '0-5',
  flexible: '4+',
  fields: {
    groupId: { type: string, versions: '0+' },
    generationId: { type: int32, versions: '0+' },
    memberId: { type: string, versions: '0+' },
    groupInstanceId: { type: string, versions: '3+', nullable: '3+', default: null },
    protocolType: { type: string, versions: '5+', nullable: '5+', default: null, ignorable: true },
    protocolName: { type: string, versions: '5+', nullable: '5+', default: null, ignorable: true },
    assignments: { type: array(SyncGroupRequestAssignment), versions: '0+' },
  },
});
export type SyncGroupRequest = Infer<typeof SyncGroupRequest>;

export const SyncGroupResponse = message({
  name: 'SyncGroupResponse',
  apiKey: 14,
  versions: '0-5',
  flexible: '4+',
  fields: {
    throttleTimeMs: { type: int32, versions: '1+', ignorable: true },
    errorCode: { type: int16, versions: '0+' },
    protocolType: { type: string, versions: '5+', nullable: '5+', default: null, ignorable: true },
    protocolName: { type: string, versions: '5+', nullable: '5+', default: null, ignorable: true },
    assignment: { type: bytes, versions: '0+' },
  },
});
export type SyncGroupResponse = Infer<typeof SyncGroupResponse>;
