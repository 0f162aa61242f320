import { randomUuid } from '../../../runtime/random.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import type { JoinGroupRequest } from '../../protocol/messages/11-join-group.ts';
import type { ClassicGroup } from './classic-group.ts';
import { clientHost } from './client-host.ts';
import {
  type JoinAnswer,
  joinError,
  type Member,
  NO_BYTES,
  NO_MEMBER_ID,
  offersSame,
  type Protocol,
} from './member.ts';
import type { Rebalancer } from './rebalancer.ts';

/** Who sends a request to a group. */
export interface GroupClient {
  readonly id: string;
  /** An address. */
  readonly host: string;
  readonly apiVersion: number;
  /** Which of these topics it may describe. One may be named several times. */
  readonly describable: TopicFilter;
}

export type TopicFilter = (topics: readonly string[]) => { has(topic: string): boolean };

interface Join {
  readonly rebalancer: Rebalancer;
  readonly group: ClassicGroup;
  readonly request: JoinGroupRequest;
  readonly client: GroupClient;
  readonly answer: JoinAnswer;
  readonly protocols: readonly Protocol[];
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
}

/** From this version on a dynamic member joins in two steps, so that a retry is no second member (KIP-394). */
const MEMBER_ID_REQUIRED_FROM = 4;
/** From this version on a static leader that comes back can be told not to assign anew (KIP-814). */
const SKIP_ASSIGNMENT_FROM = 9;

/** A member wants to take part (`GroupCoordinator.handleJoinGroup`). It is answered once the rebalance is complete. */
export function joinGroup(
  rebalancer: Rebalancer,
  group: ClassicGroup,
  request: JoinGroupRequest,
  client: GroupClient,
  answer: JoinAnswer,
): void {
  const join: Join = {
    rebalancer,
    group,
    request,
    client,
    answer,
    // Copied: they stay, the request's bytes go.
    protocols: request.protocols.map(({ name, metadata }) => ({ name, metadata: new Uint8Array(metadata) })),
    sessionTimeoutMs: request.sessionTimeoutMs,
    rebalanceTimeoutMs: client.apiVersion === 0 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs,
  };
  const { memberId } = request;
  if (!hasRoomFor(group, memberId, rebalancer.config.groupSizeMax)) {
    group.remove(memberId);
    answer(joinError(NO_MEMBER_ID, ErrorCode.GROUP_MAX_SIZE_REACHED));
  } else if (group.state === 'Dead') {
    answer(joinError(memberId, ErrorCode.COORDINATOR_NOT_AVAILABLE));
  } else if (!group.supports(request.protocolType, join.protocols)) {
    answer(joinError(memberId, ErrorCode.INCONSISTENT_GROUP_PROTOCOL));
  } else if (memberId === NO_MEMBER_ID) {
    joinAnew(join);
  } else if (group.pendingMembers.has(memberId)) {
    if (request.groupInstanceId === null) addMember(join, memberId);
    else answer(joinError(memberId, ErrorCode.UNKNOWN_MEMBER_ID)); // ids of static members never are pending
  } else {
    joinAgain(join);
  }
  rebalancer.completeIfAllJoined(group);
}

/**
 * While a rebalance is prepared, those who wait count, not those who are expected: so that a group which is too large loses the
 * last to come.
 */
function hasRoomFor(group: ClassicGroup, memberId: string, sizeMax: number): boolean {
  const member = group.members.get(memberId);
  switch (group.state) {
    case 'Empty':
    case 'Dead':
      return true;
    case 'PreparingRebalance':
      return member?.awaitingJoin !== undefined || group.awaitingJoinCount < sizeMax;
    default:
      return member !== undefined || group.members.size < sizeMax;
  }
}

function joinAnew(join: Join): void {
  const { rebalancer, group, request, client, answer } = join;
  const { groupInstanceId } = request;
  const memberId = `${groupInstanceId ?? client.id}-${randomUuid(rebalancer.random)}`;
  if (groupInstanceId !== null) {
    const holder = group.members.get(group.staticMembers.get(groupInstanceId) ?? NO_MEMBER_ID);
    if (holder === undefined) addMember(join, memberId);
    else replaceStaticMember(join, holder, memberId);
  } else if (client.apiVersion >= MEMBER_ID_REQUIRED_FROM) {
    rebalancer.expectMember(group, memberId, join.sessionTimeoutMs);
    answer(joinError(memberId, ErrorCode.MEMBER_ID_REQUIRED));
  } else {
    addMember(join, memberId);
  }
}

function addMember({ rebalancer, group, client, request, answer, ...given }: Join, memberId: string): void {
  const member = rebalancer.newMember(group, {
    id: memberId,
    instanceId: request.groupInstanceId,
    clientId: client.id,
    clientHost: clientHost(client.host),
    sessionTimeoutMs: given.sessionTimeoutMs,
    rebalanceTimeoutMs: given.rebalanceTimeoutMs,
    protocols: given.protocols,
    assignment: NO_BYTES,
    isNew: true,
  });
  // A group that never had a generation waits longer for as long as new members keep coming.
  if (group.state === 'PreparingRebalance' && group.generation === 0) group.newMemberAdded = true;
  group.add(member, request.protocolType, answer);
  rebalancer.waitForNewMember(member);
  rebalancer.prepareIfSettled(group, `a member joined: ${request.reason ?? 'not provided'}`);
}

/** A member that has an id. If nothing changed and it does not lead, it may have missed the answer to its last join. */
function joinAgain(join: Join): void {
  const { rebalancer, group, request, answer, protocols } = join;
  const { memberId } = request;
  const errorCode = group.check(memberId, request.groupInstanceId);
  const member = group.members.get(memberId);
  if (errorCode !== ErrorCode.NONE || member === undefined) {
    answer(joinError(memberId, errorCode));
    return;
  }
  const isSame = offersSame(member, protocols);
  const isLeader = group.leaderId === memberId;
  // The leader joins to have a stable group rebalanced: it watches what members do not know of, such as new partitions.
  const missedAnswer = isSame && (group.state === 'CompletingRebalance' || (group.state === 'Stable' && !isLeader));
  if (missedAnswer) {
    answer(group.joinResponse(member));
    return;
  }
  takePart(join, member);
  rebalancer.prepareIfSettled(group, `a member joined again: ${request.reason ?? 'not provided'}`);
}

/** The member brings its current metadata, and waits. */
function takePart({ group, answer, ...given }: Join, member: Member): void {
  group.update(member, given);
  // A second request of one member: the first one's connection is gone, most likely.
  group.awaitJoin(member, answer)?.(joinError(member.id, ErrorCode.REBALANCE_IN_PROGRESS));
}

/**
 * A static member begins another life (KIP-345): its former one is fenced. A stable group whose protocol stays goes on without a
 * rebalance.
 */
function replaceStaticMember(join: Join, member: Member, memberId: string): void {
  const { rebalancer, group, request } = join;
  const former = { id: member.id, leaderId: group.leaderId, protocols: member.protocols };
  const timeouts = { sessionTimeoutMs: member.sessionTimeoutMs, rebalanceTimeoutMs: member.rebalanceTimeoutMs };
  rebalancer.fence(group, member);
  group.rename(member, memberId);
  takePart(join, member);
  rebalancer.heard(member);
  if (group.state === 'PreparingRebalance') return;
  if (group.state !== 'Stable' || group.selectProtocol() !== group.protocolName) {
    rebalancer.prepare(group, `the static member ${request.groupInstanceId} joined`);
    return;
  }
  rebalancer.restore(group, (errorCode) => {
    // It was told otherwise already: by a new generation, or by what removed it.
    if (member.awaitingJoin !== join.answer) return;
    if (errorCode === ErrorCode.NONE) {
      rebalancer.answerJoin(group, member, answerToReplaced(join, member, former.leaderId));
      return;
    }
    // In a rebalance that began meanwhile the next generation will be stored with what it is now.
    if (group.state === 'Stable') {
      group.update(member, { ...timeouts, protocols: former.protocols });
      group.rename(member, former.id);
    }
    rebalancer.heard(member);
    rebalancer.answerJoin(group, member, joinError(NO_MEMBER_ID, errorCode));
  });
}

/**
 * Since version 9 a leader knows that it leads and yet need not assign. Before, it is shown its former id as the leader's, so that
 * it takes itself for a follower.
 */
function answerToReplaced(
  { group, client }: Join,
  member: Member,
  formerLeaderId: string | null,
): ReturnType<ClassicGroup['joinResponse']> {
  if (client.apiVersion < SKIP_ASSIGNMENT_FROM) return group.joinResponse(member, formerLeaderId);
  return { ...group.joinResponse(member), skipAssignment: group.leaderId === member.id };
}
