import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import type { ShareGroupHeartbeatRequest } from '../../../protocol/messages/76-share-group-heartbeat.ts';
import { clientHost } from '../client-host.ts';
import type { MetadataHasher } from '../consumer/metadata-hash.ts';
import { type TopicImage, topicIds } from '../consumer/topic-image.ts';
import { JOIN_EPOCH, LEAVE_EPOCH } from '../member-epochs.ts';
import { partitionsRecord } from './partitions-record.ts';
import {
  type Assignment,
  newMember,
  type ShareGroup,
  type ShareMember,
  sameAssignment,
  type TopicShares,
  topicPartitionsOf,
} from './share-group.ts';
import type { ShareRecord } from './share-records.ts';
import { assignSimply } from './simple-assignor.ts';

/** A new group begins here, so that its first member's epoch is the next. */
const FIRST_EPOCH = 1;
const STABLE = 0;

/** @throws KafkaError INVALID_REQUEST */
export function checkShareHeartbeat(request: ShareGroupHeartbeatRequest): void {
  const { groupId, memberEpoch, rackId, subscribedTopicNames } = request;
  const refuse = (message: string): never => {
    throw new KafkaError(ErrorCode.INVALID_REQUEST, message);
  };
  if (groupId.trim() === '') refuse("GroupId can't be empty.");
  if (rackId === '') refuse("RackId can't be empty.");
  if (memberEpoch === JOIN_EPOCH && (subscribedTopicNames === null || subscribedTopicNames.length === 0)) {
    refuse('SubscribedTopicNames must be set in first request.');
  }
  if (memberEpoch < LEAVE_EPOCH) refuse('MemberEpoch is invalid.');
}

/** @throws KafkaError FENCED_MEMBER_EPOCH */
function checkEpoch(member: ShareMember, epoch: number): void {
  const rejoin = 'The member must abandon all its partitions and rejoin.';
  if (epoch > member.epoch) {
    throw new KafkaError(
      ErrorCode.FENCED_MEMBER_EPOCH,
      `The share group member has a greater member epoch (${epoch}) than the one known by the group coordinator (${member.epoch}). ${rejoin}`,
    );
  }
  if (epoch < member.epoch && epoch !== member.previousEpoch) {
    throw new KafkaError(
      ErrorCode.FENCED_MEMBER_EPOCH,
      `The share group member has a smaller member epoch (${epoch}) than the one known by the group coordinator (${member.epoch}), and it does not match the previous member epoch (${member.previousEpoch}). ${rejoin}`,
    );
  }
}

export interface HeartbeatContext {
  readonly image: TopicImage;
  readonly hasher: MetadataHasher;
  readonly nowMs: number;
  readonly groupSizeMax: number;
  /** The least time between two target assignments (KIP-1263). */
  readonly assignmentIntervalMs: number;
  /** Topics have changed since the group was last looked at. */
  readonly isTopicsStale: boolean;
}

export interface Beat {
  readonly records: readonly ShareRecord[];
  readonly member: ShareMember;
  /** The assignment is to be told. */
  readonly isTold: boolean;
  /** The group's epoch when all is stored. */
  readonly epoch: number;
  /** Partitions whose delivery state is to be made. */
  readonly toInitialize: ReadonlyMap<string, TopicShares>;
}

/** @throws KafkaError UNKNOWN_MEMBER_ID, FENCED_MEMBER_EPOCH, GROUP_MAX_SIZE_REACHED */
export function decideBeat(
  group: ShareGroup,
  request: ShareGroupHeartbeatRequest,
  client: { readonly id: string; readonly host: string },
  context: HeartbeatContext,
): Beat {
  const { memberId, memberEpoch, subscribedTopicNames } = request;
  const former = group.members.get(memberId);
  if (former === undefined) {
    if (memberEpoch !== JOIN_EPOCH) {
      throw new KafkaError(ErrorCode.UNKNOWN_MEMBER_ID, `Member ${memberId} is not a member of group ${group.id}.`);
    }
    if (group.members.size >= context.groupSizeMax) {
      throw new KafkaError(
        ErrorCode.GROUP_MAX_SIZE_REACHED,
        `The share group has reached its maximum capacity of ${context.groupSizeMax} members.`,
      );
    }
  } else if (memberEpoch !== JOIN_EPOCH) checkEpoch(former, memberEpoch);
  const updated = updatedMember(former ?? newMember(memberId), request, client);
  const changing = new Changing(group, updated, context);
  changing.subscribe(former);
  const toInitialize = changing.partitions();
  changing.assign();
  const member = changing.reconcile();
  const isTold =
    memberEpoch === JOIN_EPOCH ||
    subscribedTopicNames !== null ||
    !sameAssignment(former?.assigned ?? new Map(), member.assigned);
  return { records: changing.records, member, isTold, epoch: changing.epoch, toInitialize };
}

function updatedMember(
  member: ShareMember,
  { rackId, subscribedTopicNames }: ShareGroupHeartbeatRequest,
  client: { readonly id: string; readonly host: string },
): ShareMember {
  return {
    ...member,
    rackId: rackId ?? member.rackId,
    clientId: client.id,
    clientHost: clientHost(client.host),
    topicNames: subscribedTopicNames === null ? member.topicNames : [...new Set(subscribedTopicNames)].sort(),
  };
}

class Changing {
  readonly records: ShareRecord[] = [];
  epoch: number;
  readonly #group: ShareGroup;
  readonly #member: ShareMember;
  readonly #context: HeartbeatContext;
  #targetEpoch: number;
  #target: Assignment;

  constructor(group: ShareGroup, member: ShareMember, context: HeartbeatContext) {
    this.#group = group;
    this.#member = member;
    this.#context = context;
    this.epoch = group.epoch;
    this.#targetEpoch = group.targetEpoch;
    this.#target = group.target(member.id);
  }

  get #topicNames(): Set<string> {
    const others = [...this.#group.members.values()].filter(({ id }) => id !== this.#member.id);
    return new Set([...others, this.#member].flatMap(({ topicNames }) => topicNames));
  }

  /** Who joins, wants other topics, or whose topics changed brings a new epoch; so does state that is there at last. */
  subscribe(former: ShareMember | undefined): void {
    const member = this.#member;
    if (former === undefined || !sameMember(former, member)) this.records.push(memberRecord(this.#group.id, member));
    const isChanged = former === undefined || String(former.topicNames) !== String(member.topicNames);
    const hash = isChanged || this.#context.isTopicsStale ? this.#hash() : this.#group.metadataHash;
    if (!isChanged && hash === this.#group.metadataHash && !this.#isAssignmentPending()) return;
    this.epoch = Math.max(this.epoch, FIRST_EPOCH) + 1;
    const value = { epoch: this.epoch, metadataHash: hash };
    this.records.push({ kind: 'share-epoch', group: this.#group.id, value });
  }

  #hash(): bigint {
    return this.#context.hasher.hash(this.#topicNames);
  }

  /** Partitions with delivery state that nobody is assigned. */
  #isAssignmentPending(): boolean {
    // There will be a new target anyway.
    if (this.#group.epoch > this.#group.targetEpoch) return false;
    const assigned = new Map<string, Set<number>>();
    for (const target of this.#group.targets.values()) {
      for (const [topicId, partitions] of target) {
        assigned.set(topicId, new Set([...(assigned.get(topicId) ?? []), ...partitions]));
      }
    }
    const wanted = new Set(topicIds(this.#context.image, this.#topicNames));
    return [...this.#group.initialized].some(
      ([topicId, { partitions }]) =>
        wanted.has(topicId) && partitions.some((partition) => assigned.get(topicId)?.has(partition) !== true),
    );
  }

  /** What is subscribed to and has no delivery state yet. */
  partitions(): ReadonlyMap<string, TopicShares> {
    const missing = new Map<string, TopicShares>();
    for (const topicName of [...this.#topicNames].sort()) {
      const topic = this.#context.image.topic(topicName);
      if (topic === undefined || this.#group.deleting.has(topic.id)) continue;
      const known = new Set([
        ...(this.#group.initialized.get(topic.id)?.partitions ?? []),
        ...(this.#group.initializing.get(topic.id)?.partitions ?? []),
      ]);
      const partitions = Array.from({ length: topic.partitionCount }, (_, index) => index).filter(
        (partition) => !known.has(partition),
      );
      if (partitions.length > 0) missing.set(topic.id, { topicName, partitions });
    }
    if (missing.size > 0) this.records.push(partitionsRecord(this.#group, { initializing: missing }));
    return missing;
  }

  assign(): void {
    const group = this.#group;
    const { nowMs, assignmentIntervalMs } = this.#context;
    const isTooSoon = group.targetEpoch > 0 && nowMs - group.targetTimestampMs < assignmentIntervalMs;
    if (this.epoch <= group.targetEpoch || isTooSoon) return;
    const members = [...group.members.values()].filter(({ id }) => id !== this.#member.id);
    const assigned = assignSimply(
      [...members, this.#member].map(({ id, topicNames }) => ({
        id,
        topicIds: new Set(topicIds(this.#context.image, topicNames)),
        former: group.target(id),
      })),
      (topicId) => group.initialized.get(topicId)?.partitions ?? [],
    );
    for (const [member, target] of assigned) {
      if (!group.targets.has(member) || !sameAssignment(group.target(member), target)) {
        const value = { topicPartitions: topicPartitionsOf(target) };
        this.records.push({ kind: 'share-target', group: group.id, member, value });
      }
      if (member === this.#member.id) this.#target = target;
    }
    this.records.push(targetEpochRecord(group.id, this.epoch, this.#context.nowMs));
    this.#targetEpoch = this.epoch;
  }

  /** The member has what it is to have at once: it need not wait for others to give it up. */
  reconcile(): ShareMember {
    const member = this.#member;
    if (member.epoch === this.#targetEpoch && sameAssignment(member.assigned, this.#target)) return member;
    const next = { ...member, epoch: this.#targetEpoch, previousEpoch: member.epoch, assigned: this.#target };
    this.records.push({
      kind: 'share-current',
      group: this.#group.id,
      member: member.id,
      value: {
        memberEpoch: next.epoch,
        previousMemberEpoch: next.previousEpoch,
        state: STABLE,
        assignedPartitions: topicPartitionsOf(next.assigned),
      },
    });
    return next;
  }
}

function sameMember(a: ShareMember, b: ShareMember): boolean {
  const facts = ({ rackId, clientId, clientHost: host, topicNames }: ShareMember): string =>
    JSON.stringify([rackId, clientId, host, topicNames]);
  return facts(a) === facts(b);
}

function memberRecord(group: string, { id, rackId, clientId, clientHost: host, topicNames }: ShareMember): ShareRecord {
  const value = { rackId, clientId, clientHost: host, subscribedTopicNames: [...topicNames] };
  return { kind: 'share-member', group, member: id, value };
}

function targetEpochRecord(group: string, assignmentEpoch: number, nowMs: number): ShareRecord {
  return { kind: 'share-target-epoch', group, value: { assignmentEpoch, assignmentTimestamp: nowMs } };
}

export function decideRemoval(
  group: ShareGroup,
  member: ShareMember,
  { hasher, nowMs }: Pick<HeartbeatContext, 'hasher' | 'nowMs'>,
): ShareRecord[] {
  const left = [...group.members.values()].filter(({ id }) => id !== member.id);
  const names = new Set(left.flatMap(({ topicNames }) => topicNames));
  const epoch = group.epoch + 1;
  return [
    { kind: 'share-current', group: group.id, member: member.id, value: null },
    { kind: 'share-target', group: group.id, member: member.id, value: null },
    { kind: 'share-member', group: group.id, member: member.id, value: null },
    { kind: 'share-epoch', group: group.id, value: { epoch, metadataHash: hasher.hash(names) } },
    ...(left.length === 0 ? [targetEpochRecord(group.id, epoch, nowMs)] : []),
  ];
}

/** Everything that the log says of a group. */
export function shareTombstones(group: ShareGroup): ShareRecord[] {
  return [
    { kind: 'share-partitions', group: group.id, value: null },
    { kind: 'share-target-epoch', group: group.id, value: null },
    { kind: 'share-epoch', group: group.id, value: null },
  ];
}
