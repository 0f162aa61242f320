import { ErrorCode } from '../../protocol/errors.ts';
import type { HeartbeatRequest } from '../../protocol/messages/12-heartbeat.ts';
import type { LeaveGroupRequest } from '../../protocol/messages/13-leave-group.ts';
import type { ClassicGroup } from './classic-group.ts';
import { NO_MEMBER_ID } from './member.ts';
import type { Rebalancer } from './rebalancer.ts';

type Leaving = LeaveGroupRequest['members'][number];

/** One member leaves, by itself or by an administrator's will; 0 if it was there (`GroupCoordinator.handleLeaveGroup`). */
export function leaveGroup(rebalancer: Rebalancer, group: ClassicGroup, leaving: Leaving): number {
  const { groupInstanceId } = leaving;
  // An administrator names a static member by its instance id alone.
  const byInstance = leaving.memberId === NO_MEMBER_ID;
  const memberId = byInstance ? group.staticMembers.get(groupInstanceId ?? '') : leaving.memberId;
  if (memberId === undefined) return ErrorCode.UNKNOWN_MEMBER_ID;
  if (!byInstance && group.pendingMembers.has(memberId)) {
    rebalancer.removePending(group, memberId);
    return ErrorCode.NONE;
  }
  const errorCode = group.check(memberId, groupInstanceId);
  const member = group.members.get(memberId);
  if (errorCode !== ErrorCode.NONE || member === undefined) return errorCode;
  rebalancer.removeMember(group, member, `it left: ${leaving.reason ?? 'not provided'}`);
  return ErrorCode.NONE;
}

/** A sign of life, and the way in which members learn of a rebalance (`GroupCoordinator.handleHeartbeat`). */
export function heartbeat(rebalancer: Rebalancer, group: ClassicGroup, request: HeartbeatRequest): number {
  if (group.state === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE;
  const errorCode = group.check(request.memberId, request.groupInstanceId);
  const member = group.members.get(request.memberId);
  if (errorCode !== ErrorCode.NONE || member === undefined) return errorCode;
  if (request.generationId !== group.generation) return ErrorCode.ILLEGAL_GENERATION;
  rebalancer.heard(member);
  return group.state === 'PreparingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE;
}
