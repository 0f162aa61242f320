import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import type { ConsumerGroupHeartbeatRequest } from '../../../protocol/messages/68-consumer-group-heartbeat.ts';
import { clientHost } from '../client-host.ts';
import type { GroupRecord } from '../group-records.ts';
import type { GroupClient } from '../join.ts';
import { JOIN_EPOCH, LEAVE_EPOCH, STATIC_LEAVE_EPOCH } from '../member-epochs.ts';
import type { TopicPartitions } from './assignment.ts';
import type { ConsumerConfig } from './consumer-config.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import { type ConsumerMember, newMember, uniqueSorted } from './consumer-member.ts';
import { type DecisionContext, type GroupNotes, MemberChange } from './member-change.ts';
import { checkFencedInstance, checkStaticMember, replaceMember, unknownMember } from './membership.ts';

/** From this version on members choose their ids themselves (KIP-1082). */
const MEMBER_ID_REQUIRED_FROM = 1;

/** @throws KafkaError */
export function checkHeartbeat(request: ConsumerGroupHeartbeatRequest, version: number, config: ConsumerConfig): void {
  const { memberEpoch } = request;
  if (version >= MEMBER_ID_REQUIRED_FROM || memberEpoch > 0 || memberEpoch === LEAVE_EPOCH) {
    requireText(request.memberId, 'MemberId');
  }
  requireText(request.groupId, 'GroupId');
  requireText(request.instanceId, 'InstanceId');
  requireText(request.rackId, 'RackId');
  if (memberEpoch === JOIN_EPOCH) checkJoin(request);
  else if (memberEpoch === STATIC_LEAVE_EPOCH) {
    if (request.instanceId === null) throw invalid("InstanceId can't be null.");
  } else if (memberEpoch < STATIC_LEAVE_EPOCH) throw invalid('MemberEpoch is invalid.');
  const { serverAssignor } = request;
  if (serverAssignor !== null && !config.assignors.includes(serverAssignor)) {
    throw new KafkaError(
      ErrorCode.UNSUPPORTED_ASSIGNOR,
      `ServerAssignor ${serverAssignor} is not supported. Supported assignors: ${config.assignors.join(', ')}.`,
    );
  }
}

function checkJoin({ rebalanceTimeoutMs, topicPartitions, ...subscribed }: ConsumerGroupHeartbeatRequest): void {
  if (rebalanceTimeoutMs === -1) throw invalid('RebalanceTimeoutMs must be provided in first request.');
  if (topicPartitions === null || topicPartitions.length > 0) {
    throw invalid('TopicPartitions must be empty when (re-)joining.');
  }
  if (subscribed.subscribedTopicNames === null && subscribed.subscribedTopicRegex === null) {
    throw invalid('Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.');
  }
}

function requireText(value: string | null, name: string): void {
  if (value !== null && value.trim() === '') throw invalid(`${name} can't be empty.`);
}

function invalid(message: string): KafkaError {
  return new KafkaError(ErrorCode.INVALID_REQUEST, message);
}

export interface Beat {
  readonly request: ConsumerGroupHeartbeatRequest;
  readonly client: GroupClient;
  readonly group: ConsumerGroup;
  /** What has to come before, where the group comes to be or comes from a classic one. */
  readonly records: readonly GroupRecord[];
  readonly notes: GroupNotes;
  readonly context: DecisionContext;
  readonly newId: () => string;
}

/**
 * A member joins or stays (`GroupMetadataManager.consumerGroupHeartbeat`). Changes nothing.
 * @throws KafkaError
 */
export function decideHeartbeat(beat: Beat): MemberChange {
  const { request, client, group, notes, context } = beat;
  const isJoin = request.memberEpoch === JOIN_EPOCH;
  const memberId = request.memberId === '' ? beat.newId() : request.memberId;
  checkRoom(group, memberId, request.instanceId, context.config.groupSizeMax);
  const owned = request.topicPartitions ?? undefined;
  const { member, records } = memberFor(group, { ...request, memberId }, isJoin, owned);
  const change = new MemberChange(
    group,
    member,
    {
      ...member,
      instanceId: request.instanceId ?? member.instanceId,
      rackId: request.rackId ?? member.rackId,
      rebalanceTimeoutMs: request.rebalanceTimeoutMs === -1 ? member.rebalanceTimeoutMs : request.rebalanceTimeoutMs,
      serverAssignor: request.serverAssignor ?? member.serverAssignor,
      topicNames:
        request.subscribedTopicNames === null ? member.topicNames : uniqueSorted(request.subscribedTopicNames),
      topicRegex: request.subscribedTopicRegex ?? member.topicRegex,
      clientId: client.id,
      clientHost: clientHost(client.host),
      classic: null,
    },
    context,
    [...beat.records, ...records],
  );
  change.owned = owned;
  change.subscribe(notes);
  change.assign();
  return change;
}

/** A static member that comes back changes the size of nothing. */
export function checkRoom(group: ConsumerGroup, memberId: string, instanceId: string | null, sizeMax: number): void {
  if (group.staticMember(instanceId) !== undefined) return;
  if (group.members.size < sizeMax || group.members.has(memberId)) return;
  throw new KafkaError(
    ErrorCode.GROUP_MAX_SIZE_REACHED,
    `The consumer group has reached its maximum capacity of ${sizeMax} members.`,
  );
}

type Identity = Pick<ConsumerGroupHeartbeatRequest, 'memberId' | 'instanceId' | 'memberEpoch'>;

function memberFor(
  group: ConsumerGroup,
  { memberId, instanceId, memberEpoch }: Identity,
  isJoin: boolean,
  owned: readonly TopicPartitions[] | undefined,
): { readonly member: ConsumerMember; readonly records: readonly GroupRecord[] } {
  if (instanceId === null) {
    const member = group.members.get(memberId) ?? (isJoin ? newMember(memberId) : undefined);
    if (member === undefined) throw unknownMember(group.id, memberId);
    checkEpoch(member, memberEpoch, owned);
    return { member, records: [] };
  }
  const holder = group.staticMember(instanceId);
  if (!isJoin) {
    checkStaticMember(holder, instanceId);
    checkFencedInstance(holder, memberId, instanceId);
    checkEpoch(holder, memberEpoch, owned);
    return { member: holder, records: [] };
  }
  if (holder === undefined) return { member: group.members.get(memberId) ?? newMember(memberId), records: [] };
  if (holder.classic === null && holder.epoch !== STATIC_LEAVE_EPOCH) {
    throw new KafkaError(
      ErrorCode.UNRELEASED_INSTANCE_ID,
      `Static member ${memberId} with instance id ${instanceId} cannot join the group because the instance id is owned by ` +
        `${holder.id} member.`,
    );
  }
  return replaceMember(group, holder, memberId);
}

/** Who comes with the epoch before may have missed the last answer, if it has no more than what that one said. */
function checkEpoch(member: ConsumerMember, epoch: number, owned: readonly TopicPartitions[] | undefined): void {
  if (epoch === JOIN_EPOCH || epoch === member.epoch) return;
  if (epoch === member.previousEpoch && epoch < member.epoch && isWithin(owned, member)) return;
  throw new KafkaError(
    ErrorCode.FENCED_MEMBER_EPOCH,
    `The consumer group member has a ${epoch > member.epoch ? 'greater' : 'smaller'} member epoch (${epoch}) than the one ` +
      `known by the group coordinator (${member.epoch}). The member must abandon all its partitions and rejoin.`,
  );
}

function isWithin(owned: readonly TopicPartitions[] | undefined, { assigned }: ConsumerMember): boolean {
  if (owned === undefined) return false;
  return owned.every(({ topicId, partitions }) => {
    const known = assigned.get(topicId);
    return known !== undefined && partitions.every((partition) => known.has(partition));
  });
}
