import { ErrorCode } from '../../protocol/errors.ts';
import type { SyncGroupRequest } from '../../protocol/messages/14-sync-group.ts';
import type { ClassicGroup } from './classic-group.ts';
import { NO_BYTES, type SyncAnswer, syncError } from './member.ts';
import type { Rebalancer } from './rebalancer.ts';

/** A member asks for its assignment; the leader brings everybody's (`GroupCoordinator.handleSyncGroup`). */
export function syncGroup(
  rebalancer: Rebalancer,
  group: ClassicGroup,
  request: SyncGroupRequest,
  answer: SyncAnswer,
): void {
  const errorCode = check(group, request);
  const member = group.members.get(request.memberId);
  if (errorCode !== ErrorCode.NONE || member === undefined) {
    answer(syncError(errorCode));
    return;
  }
  switch (group.state) {
    case 'PreparingRebalance':
      answer(syncError(ErrorCode.REBALANCE_IN_PROGRESS));
      return;
    case 'CompletingRebalance':
      // A second request of one member: the first one's connection is gone, most likely.
      member.awaitingSync?.(syncError(ErrorCode.REBALANCE_IN_PROGRESS));
      member.awaitingSync = answer;
      rebalancer.synced(group, member);
      if (group.leaderId === member.id && group.assignedGeneration !== group.generation) {
        rebalancer.assign(group, assignmentsFor(group, request));
      }
      return;
    case 'Stable':
      rebalancer.synced(group, member);
      answer(rebalancer.assignmentOf(group, member));
      rebalancer.heard(member);
      return;
    default:
      answer(syncError(ErrorCode.UNKNOWN_MEMBER_ID));
  }
}

function check(group: ClassicGroup, request: SyncGroupRequest): number {
  if (group.state === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE;
  const errorCode = group.check(request.memberId, request.groupInstanceId);
  if (errorCode !== ErrorCode.NONE) return errorCode;
  if (request.generationId !== group.generation) return ErrorCode.ILLEGAL_GENERATION;
  const { protocolType, protocolName } = request;
  const fits =
    (protocolType === null || protocolType === group.protocolType) &&
    (protocolName === null || protocolName === group.protocolName);
  return fits ? ErrorCode.NONE : ErrorCode.INCONSISTENT_GROUP_PROTOCOL;
}

/** Whom the leader forgot gets nothing. Copied: they stay, the request's bytes go. */
function assignmentsFor(group: ClassicGroup, request: SyncGroupRequest): Map<string, Uint8Array> {
  const given = new Map(request.assignments.map(({ memberId, assignment }) => [memberId, assignment]));
  return new Map(Array.from(group.members.keys(), (id) => [id, new Uint8Array(given.get(id) ?? NO_BYTES)]));
}
