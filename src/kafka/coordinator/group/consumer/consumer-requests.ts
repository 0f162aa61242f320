import { build } from '../../../../wire/schema.ts';
import { ErrorCode, errorInfo, KafkaError } from '../../../protocol/errors.ts';
import { type JoinGroupRequest, JoinGroupResponse } from '../../../protocol/messages/11-join-group.ts';
import { type LeaveGroupRequest, LeaveGroupResponse } from '../../../protocol/messages/13-leave-group.ts';
import type { SyncGroupRequest } from '../../../protocol/messages/14-sync-group.ts';
import {
  type ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../../../protocol/messages/68-consumer-group-heartbeat.ts';
import { CONSUMER_PROTOCOL } from '../classic-group.ts';
import type { GroupClient } from '../join.ts';
import { type JoinAnswer, joinError, type SyncAnswer, syncError } from '../member.ts';
import { JOIN_EPOCH, LEAVE_EPOCH, STATIC_LEAVE_EPOCH } from '../member-epochs.ts';
import { samePartitions, topicPartitionsOf, withoutEpochs } from './assignment.ts';
import { checkSync, decideJoin, decideLeave, hasMissedTarget, protocolOf, syncResponse } from './classic-members.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import type { ConsumerGroups } from './consumer-groups.ts';
import type { ConsumerMember } from './consumer-member.ts';
import { decideHeartbeat } from './heartbeat.ts';
import type { MemberChange } from './member-change.ts';
import { checkFencedInstance, checkStaticMember, leaveForAWhile, unknownMember } from './membership.ts';
import { type Downgrade, isDowngrade } from './migration.ts';
import { newUuid } from './uuid.ts';

/** How requests of members become decisions, records and answers. Each is called while nothing of its group is being written. */

export type HeartbeatAnswer = (response: ConsumerGroupHeartbeatResponse) => void;

export function heartbeatError(
  code: number,
  message: string | null = errorInfo(code).message,
): ConsumerGroupHeartbeatResponse {
  return build(ConsumerGroupHeartbeatResponse, { errorCode: code, errorMessage: message });
}

export function consumerHeartbeat(
  groups: ConsumerGroups,
  request: ConsumerGroupHeartbeatRequest,
  client: GroupClient,
  answer: HeartbeatAnswer,
): void {
  attempt(
    () => {
      const { memberEpoch } = request;
      if (memberEpoch === LEAVE_EPOCH || memberEpoch === STATIC_LEAVE_EPOCH) leave(groups, request, answer);
      else beat(groups, request, client, answer);
    },
    ({ code, message }) => answer(heartbeatError(code, message)),
  );
}

function beat(
  groups: ConsumerGroups,
  request: ConsumerGroupHeartbeatRequest,
  client: GroupClient,
  answer: HeartbeatAnswer,
): void {
  const { groupId } = request;
  const classic = groups.options.classic(groupId);
  const { group, records } = groups.open(groupId, request.memberEpoch === JOIN_EPOCH);
  const notes = groups.notes(groupId);
  const context = groups.context();
  const newId = (): string => newUuid(groups.options.random);
  const change = decideHeartbeat({ request, client, group, records, notes, context, newId });
  // A classic group that becomes this one: who waits for its rebalance has to join for the next.
  if (classic !== undefined) {
    groups.options.rebalancer.dismiss(classic);
    groups.options.setClassic(groupId, undefined);
  }
  storeChange(groups, change, client, (errorCode) => {
    if (errorCode !== ErrorCode.NONE) {
      if (classic !== undefined) groups.options.reopenClassic(groupId);
      return answer(heartbeatError(errorCode));
    }
    if (classic !== undefined) settleUpgrade(groups, group, change.member);
    groups.heard(groupId, change.member.id);
    groups.watchRevocation(groupId, change.member);
    answer(heartbeatResponse(groups, request, change));
  });
}

function settleUpgrade(groups: ConsumerGroups, group: ConsumerGroup, joined: ConsumerMember): void {
  for (const member of groups.get(group.id)?.members.values() ?? []) {
    if (member.id !== joined.id) groups.heard(group.id, member.id, member.classic?.sessionTimeoutMs);
  }
}

function storeChange(
  groups: ConsumerGroups,
  change: MemberChange,
  { describable }: GroupClient,
  done: (errorCode: number) => void,
): void {
  const groupId = change.group.id;
  const finish = (errorCode: number): void => {
    done(errorCode);
    if (errorCode === ErrorCode.NONE) groups.refresh(groupId, change.refresh, describable);
  };
  groups.store(groupId, change.records, finish);
}

/** Assignments are told to whoever joins or tells all about itself, and when they have changed. */
function heartbeatResponse(
  groups: ConsumerGroups,
  request: ConsumerGroupHeartbeatRequest,
  { former, member, group }: MemberChange,
): ConsumerGroupHeartbeatResponse {
  const isFull =
    request.rebalanceTimeoutMs !== -1 &&
    (request.subscribedTopicNames !== null || request.subscribedTopicRegex !== null) &&
    request.topicPartitions !== null;
  const isTold = request.memberEpoch === JOIN_EPOCH || isFull || !samePartitions(former.assigned, member.assigned);
  return build(ConsumerGroupHeartbeatResponse, {
    memberId: member.id,
    memberEpoch: member.epoch,
    heartbeatIntervalMs: groups.options.consumers.times(group.id).heartbeatIntervalMs,
    assignment: isTold ? { topicPartitions: topicPartitionsOf(withoutEpochs(member.assigned)) } : null,
  });
}

function leave(groups: ConsumerGroups, request: ConsumerGroupHeartbeatRequest, answer: HeartbeatAnswer): void {
  const { groupId, memberId, instanceId, memberEpoch } = request;
  const group = groups.get(groupId);
  if (group === undefined) {
    const why = groups.options.classic(groupId) === undefined ? 'not found' : 'is not a consumer group';
    throw new KafkaError(ErrorCode.GROUP_ID_NOT_FOUND, `Group ${groupId} ${why}.`);
  }
  const member = instanceId === null ? group.members.get(memberId) : group.staticMember(instanceId);
  if (instanceId !== null) {
    checkStaticMember(member, instanceId);
    checkFencedInstance(member, memberId, instanceId);
  } else if (member === undefined) throw unknownMember(groupId, memberId);
  const done = (errorCode: number): void =>
    answer(
      errorCode === ErrorCode.NONE
        ? build(ConsumerGroupHeartbeatResponse, { memberId, memberEpoch })
        : heartbeatError(errorCode),
    );
  if (memberEpoch === STATIC_LEAVE_EPOCH) groups.store(groupId, [leaveForAWhile(group, member)], done);
  else groups.remove(group, new Set([member]), done);
}

// ---- the classic protocol

export function joinConsumerGroup(
  groups: ConsumerGroups,
  group: ConsumerGroup,
  request: JoinGroupRequest,
  client: GroupClient,
  answer: JoinAnswer,
): void {
  attempt(
    () => {
      const notes = groups.notes(group.id);
      const newId = (): string => newUuid(groups.options.random);
      const change = decideJoin({ request, client, group, notes, context: groups.context(), newId });
      if (typeof change === 'string') answer(joinError(change, ErrorCode.MEMBER_ID_REQUIRED));
      else storeJoin(groups, change, request, client, answer);
    },
    ({ code }) => answer(joinError(request.memberId, code)),
  );
}

function storeJoin(
  groups: ConsumerGroups,
  change: MemberChange,
  request: JoinGroupRequest,
  client: GroupClient,
  answer: JoinAnswer,
): void {
  const { group } = change;
  const { consumers, config } = groups.options;
  const asClassic: Downgrade = { group, leaving: new Set(), joining: change.member };
  const isLast = group.staticMember(request.groupInstanceId) !== undefined;
  if (isLast && isDowngrade(asClassic, consumers, config.groupSizeMax)) {
    const isStale = group.targetEpoch < change.epoch;
    if (!isStale) change.reconcile();
    const reason = isStale ? 'the last member of the consumer protocol was replaced' : undefined;
    const done = (errorCode: number): void => answer(joinAnswer(change.member, request, errorCode));
    groups.downgrade({ ...asClassic, joining: change.member }, change.records, done, reason);
    return;
  }
  change.assign();
  storeChange(groups, change, client, (errorCode) => {
    const { member } = change;
    if (errorCode === ErrorCode.NONE) {
      groups.cancel(group.id, member.id, 'join');
      groups.heard(group.id, member.id, request.sessionTimeoutMs);
      groups.limit(
        group.id,
        member.id,
        'sync',
        member.rebalanceTimeoutMs,
        'it did not sync within the rebalance timeout',
      );
    }
    answer(joinAnswer(member, request, errorCode));
  });
}

/** Nobody leads: the broker assigns. */
function joinAnswer(member: ConsumerMember, request: JoinGroupRequest, errorCode: number): JoinGroupResponse {
  if (errorCode !== ErrorCode.NONE) return joinError(request.memberId, errorCode);
  return build(JoinGroupResponse, {
    memberId: member.id,
    generationId: member.epoch,
    protocolType: CONSUMER_PROTOCOL,
    protocolName: protocolOf(member),
  });
}

export function syncConsumerGroup(
  groups: ConsumerGroups,
  group: ConsumerGroup,
  request: SyncGroupRequest,
  answer: SyncAnswer,
): void {
  attempt(
    () => {
      const member = checkSync(group, request);
      if (hasMissedTarget(group, member)) {
        groups.expectJoin(group.id, member);
        throw new KafkaError(ErrorCode.REBALANCE_IN_PROGRESS);
      }
      groups.cancel(group.id, member.id, 'sync');
      groups.heard(group.id, member.id, member.classic?.sessionTimeoutMs);
      answer(syncResponse(member, request, groups.options.image));
    },
    ({ code }) => answer(syncError(code)),
  );
}

export function leaveConsumerGroup(
  groups: ConsumerGroups,
  group: ConsumerGroup,
  leaving: LeaveGroupRequest['members'],
  answer: (response: LeaveGroupResponse) => void,
): void {
  const { members, answers } = decideLeave(group, leaving);
  groups.remove(group, members, (errorCode) =>
    answer(build(LeaveGroupResponse, errorCode === ErrorCode.NONE ? { members: answers } : { errorCode })),
  );
}

export function attempt(act: () => void, failed: (error: KafkaError) => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error;
    failed(error);
  }
}
