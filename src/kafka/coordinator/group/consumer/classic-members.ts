import { MalformedError, UnsupportedVersionError } from '../../../../wire/errors.ts';
import { build } from '../../../../wire/schema.ts';
import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import type { JoinGroupRequest } from '../../../protocol/messages/11-join-group.ts';
import type { HeartbeatRequest } from '../../../protocol/messages/12-heartbeat.ts';
import type { LeaveGroupRequest, LeaveGroupResponse } from '../../../protocol/messages/13-leave-group.ts';
import { type SyncGroupRequest, SyncGroupResponse } from '../../../protocol/messages/14-sync-group.ts';
import { ConsumerProtocolSubscription } from '../../../protocol/records/consumer-protocol.ts';
import { readVersionedOrNewer } from '../../../protocol/records/versioned.ts';
import { CONSUMER_PROTOCOL } from '../classic-group.ts';
import { clientHost } from '../client-host.ts';
import type { GroupRecord } from '../group-records.ts';
import type { GroupClient } from '../join.ts';
import { NO_MEMBER_ID } from '../member.ts';
import { type TopicPartitions, withoutEpochs } from './assignment.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import { type ConsumerMember, MemberState, newMember, uniqueSorted } from './consumer-member.ts';
import { checkRoom } from './heartbeat.ts';
import { type DecisionContext, type GroupNotes, MemberChange } from './member-change.ts';
import { checkFencedInstance, checkStaticMember, replaceMember, unknownMember } from './membership.ts';
import { embeddedAssignment } from './migration.ts';
import { type TopicImage, topicId } from './topic-image.ts';

/** Members of the classic protocol in a group of the consumer protocol: while a group moves from one to the other. */

/** From this version on a dynamic member joins in two steps (KIP-394). */
const MEMBER_ID_REQUIRED_FROM = 4;

export interface ClassicJoin {
  readonly request: JoinGroupRequest;
  readonly client: GroupClient;
  readonly group: ConsumerGroup;
  readonly notes: GroupNotes;
  readonly context: DecisionContext;
  readonly newId: () => string;
}

/**
 * A member joins, or takes its next step: what would be told by a heartbeat of the consumer protocol is told by a generation here.
 * Its target is not assigned yet. A text is the id that the member is to join with.
 * @throws KafkaError
 */
export function decideJoin({ request, client, group, notes, context, newId }: ClassicJoin): MemberChange | string {
  if (context.config.migrationPolicy === 'disabled') {
    throw new KafkaError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
  }
  const isUnknown = request.memberId === NO_MEMBER_ID;
  const memberId = isUnknown ? newId() : request.memberId;
  const instanceId = request.groupInstanceId;
  checkRoom(group, memberId, instanceId, context.config.groupSizeMax);
  const { protocols } = request;
  if (!supports(group, request)) throw new KafkaError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
  if (isUnknown && instanceId === null && client.apiVersion >= MEMBER_ID_REQUIRED_FROM) return memberId;
  const { member, records } = memberFor(group, memberId, instanceId, isUnknown);
  const subscription = subscriptionOf(protocols);
  const rebalanceTimeoutMs = client.apiVersion === 0 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs;
  const updated: ConsumerMember = {
    ...member,
    instanceId: instanceId ?? member.instanceId,
    rackId: subscription.rackId === null || subscription.rackId === '' ? member.rackId : subscription.rackId,
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? member.rebalanceTimeoutMs : rebalanceTimeoutMs,
    topicNames: uniqueSorted(subscription.topics),
    topicRegex: '',
    clientId: client.id,
    clientHost: clientHost(client.host),
    classic: {
      sessionTimeoutMs: request.sessionTimeoutMs,
      // Copied: they stay, the request's bytes go.
      supportedProtocols: protocols.map(({ name, metadata }) => ({ name, metadata: new Uint8Array(metadata) })),
    },
  };
  const change = new MemberChange(group, member, updated, context, records);
  change.owned = ownedOf(subscription, context.image);
  change.subscribe(notes);
  return change;
}

function supports(group: ConsumerGroup, { protocolType, protocols }: JoinGroupRequest): boolean {
  if (protocolType !== CONSUMER_PROTOCOL) return false;
  return protocols.some(({ name }) => group.classicProtocols.of(name) === group.classicCount);
}

function memberFor(
  group: ConsumerGroup,
  memberId: string,
  instanceId: string | null,
  isUnknown: boolean,
): { readonly member: ConsumerMember; readonly records: readonly GroupRecord[] } {
  const holder = group.staticMember(instanceId);
  if (instanceId !== null && !isUnknown) {
    checkStaticMember(holder, instanceId);
    checkFencedInstance(holder, memberId, instanceId);
    return { member: holder, records: [] };
  }
  if (holder !== undefined) return replaceMember(group, holder, memberId);
  return { member: group.members.get(memberId) ?? newMember(memberId), records: [] };
}

function subscriptionOf(protocols: JoinGroupRequest['protocols']): ConsumerProtocolSubscription {
  try {
    return readVersionedOrNewer(ConsumerProtocolSubscription, protocols[0]!.metadata);
  } catch (error) {
    if (!(error instanceof MalformedError || error instanceof UnsupportedVersionError)) throw error;
    throw new KafkaError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
  }
}

function ownedOf({ ownedPartitions }: ConsumerProtocolSubscription, image: TopicImage): TopicPartitions[] {
  const owned: TopicPartitions[] = [];
  for (const { topic, partitions } of ownedPartitions) {
    const id = topicId(image, topic);
    if (id !== undefined) owned.push({ topicId: id, partitions });
  }
  return owned;
}

// ---- sync, heartbeat, leave

/** @throws KafkaError UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID */
export function classicMember(group: ConsumerGroup, memberId: string, instanceId: string | null): ConsumerMember {
  let member = group.members.get(memberId);
  if (instanceId !== null) {
    member = group.staticMember(instanceId);
    checkStaticMember(member, instanceId);
    checkFencedInstance(member, memberId, instanceId);
  }
  if (member === undefined) throw unknownMember(group.id, memberId);
  if (member.classic === null) {
    throw new KafkaError(ErrorCode.UNKNOWN_MEMBER_ID, `Member ${member.id} does not use the classic protocol.`);
  }
  return member;
}

export function checkGeneration(member: ConsumerMember, generationId: number): void {
  if (generationId !== member.epoch) throw new KafkaError(ErrorCode.ILLEGAL_GENERATION);
}

/** @throws KafkaError */
export function checkSync(group: ConsumerGroup, request: SyncGroupRequest): ConsumerMember {
  const member = classicMember(group, request.memberId, request.groupInstanceId);
  checkGeneration(member, request.generationId);
  const { protocolType, protocolName } = request;
  const fits =
    (protocolType === null || protocolType === CONSUMER_PROTOCOL) &&
    (protocolName === null || protocolName === protocolOf(member));
  if (!fits) throw new KafkaError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
  return member;
}

/** There is a newer target; who still has to give something up has joined for it already. */
export function hasMissedTarget(group: ConsumerGroup, member: ConsumerMember): boolean {
  return group.targetEpoch > member.epoch && member.state !== MemberState.UNREVOKED_PARTITIONS;
}

export function syncResponse(member: ConsumerMember, request: SyncGroupRequest, image: TopicImage): SyncGroupResponse {
  const subscription = member.classic!.supportedProtocols[0]!.metadata;
  return build(SyncGroupResponse, {
    protocolType: request.protocolType,
    protocolName: request.protocolName,
    assignment: embeddedAssignment(withoutEpochs(member.assigned), subscription, image),
  });
}

/** The member has to join again: for a newer target, to say that it gave something up, or to get what others gave up. */
export function mustJoin(group: ConsumerGroup, member: ConsumerMember): boolean {
  return (
    member.epoch < group.targetEpoch ||
    member.state === MemberState.UNREVOKED_PARTITIONS ||
    (member.state === MemberState.UNRELEASED_PARTITIONS && !group.waitsForOthers(member))
  );
}

/** @throws KafkaError */
export function checkClassicHeartbeat(group: ConsumerGroup, request: HeartbeatRequest): ConsumerMember {
  const member = classicMember(group, request.memberId, request.groupInstanceId);
  checkGeneration(member, request.generationId);
  return member;
}

export function protocolOf(member: ConsumerMember): string {
  return member.classic?.supportedProtocols[0]?.name ?? '';
}

/** Members of either protocol, by themselves or by an administrator's will. */
export function decideLeave(
  group: ConsumerGroup,
  leaving: LeaveGroupRequest['members'],
): { readonly members: ReadonlySet<ConsumerMember>; readonly answers: LeaveGroupResponse['members'] } {
  const members = new Set<ConsumerMember>();
  const answers = leaving.map(({ memberId, groupInstanceId }) => {
    const answer = { memberId, groupInstanceId, errorCode: ErrorCode.NONE as number };
    try {
      members.add(leavingMember(group, memberId, groupInstanceId));
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      answer.errorCode = error.code;
    }
    return answer;
  });
  return { members, answers };
}

function leavingMember(group: ConsumerGroup, memberId: string, instanceId: string | null): ConsumerMember {
  if (instanceId === null) {
    const member = group.members.get(memberId);
    if (member === undefined) throw unknownMember(group.id, memberId);
    return member;
  }
  const member = group.staticMember(instanceId);
  checkStaticMember(member, instanceId);
  if (memberId !== NO_MEMBER_ID) checkFencedInstance(member, memberId, instanceId);
  return member;
}
