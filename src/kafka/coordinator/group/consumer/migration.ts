import { MalformedError, UnsupportedVersionError } from '../../../../wire/errors.ts';
import { Reader } from '../../../../wire/reader.ts';
import { build } from '../../../../wire/schema.ts';
import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import {
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
} from '../../../protocol/records/consumer-protocol.ts';
import { readVersionedOrNewer, writeVersioned } from '../../../protocol/records/versioned.ts';
import type { ClassicGroup } from '../classic-group.ts';
import type { GroupRecord } from '../group-records.ts';
import { type Member, metadataFor } from '../member.ts';
import type { Rebalancer } from '../rebalancer.ts';
import { type Assignment, NO_ASSIGNMENT, ownedSince } from './assignment.ts';
import type { ConsumerConfig } from './consumer-config.ts';
import { ConsumerGroup } from './consumer-group.ts';
import { type ConsumerMember, currentValue, metadataValue, newMember, uniqueSorted } from './consumer-member.ts';
import type { ConsumerRecord } from './consumer-records.ts';
import { groupTombstones } from './membership.ts';
import type { MetadataHasher } from './metadata-hash.ts';
import { targetEpochRecord, targetRecord } from './target.ts';
import { type TopicImage, topicId } from './topic-image.ts';

/** The newest version of what consumers of a classic group tell each other. */
const EMBEDDED_VERSION_MAX = 3;

// ---- classic to consumer

/** @throws KafkaError GROUP_ID_NOT_FOUND: the classic group stays what it is */
export function checkUpgrade(group: ClassicGroup, config: ConsumerConfig): void {
  const { migrationPolicy, groupSizeMax } = config;
  if (migrationPolicy !== 'bidirectional' && migrationPolicy !== 'upgrade') {
    throw notUpgraded(group, 'because online upgrade is disabled');
  }
  if (!group.isConsumerGroup) {
    throw notUpgraded(group, 'because the group does not use the consumer embedded protocol');
  }
  if (group.members.size > groupSizeMax) {
    throw notUpgraded(group, 'because the group size exceeds the consumer group maximum size');
  }
}

/**
 * A classic group goes on as one of the consumer protocol: its members keep what they were assigned last, in the generation that is
 * their epoch now. The group that is answered is what these records make.
 * @throws KafkaError GROUP_ID_NOT_FOUND
 */
export function upgrade(
  classic: ClassicGroup,
  image: TopicImage,
  hasher: MetadataHasher,
): { readonly group: ConsumerGroup; readonly records: readonly GroupRecord[] } {
  const { id, generation } = classic;
  const upgraded = Array.from(classic.members.values(), (member) => upgradeMember(classic, member, image));
  const names = upgraded.flatMap(({ member }) => member.topicNames);
  const records: ConsumerRecord[] = [
    ...upgraded.map(({ member }) => memberRecord(id, member)),
    { kind: 'consumer-epoch', group: id, value: { epoch: generation, metadataHash: hasher.hash(new Set(names)) } },
    ...upgraded.map(({ member, target }) => targetRecord(id, member.id, target)),
    targetEpochRecord(id, generation, 0),
    ...upgraded.map(({ member }) => currentRecord(id, member)),
  ];
  const group = new ConsumerGroup(id);
  for (const record of records) group.replay(record);
  return { group, records: [{ kind: 'metadata', group: id, value: null }, ...records] };
}

function upgradeMember(
  group: ClassicGroup,
  member: Member,
  image: TopicImage,
): { readonly member: ConsumerMember; readonly target: Assignment } {
  try {
    const metadata = metadataFor(member, group.protocolName ?? group.selectProtocol());
    const subscription = readVersionedOrNewer(ConsumerProtocolSubscription, metadata);
    const target = assignedTo(member, group, image);
    const upgraded: ConsumerMember = {
      ...newMember(member.id),
      epoch: group.generation,
      previousEpoch: group.generation,
      instanceId: member.instanceId,
      rackId: subscription.rackId === '' ? null : subscription.rackId,
      rebalanceTimeoutMs: member.rebalanceTimeoutMs,
      clientId: member.clientId,
      clientHost: member.clientHost,
      topicNames: uniqueSorted(subscription.topics),
      assigned: ownedSince(target, group.generation),
      classic: {
        sessionTimeoutMs: member.sessionTimeoutMs,
        supportedProtocols: member.protocols.map((protocol) => ({ ...protocol })),
      },
    };
    return { member: upgraded, target };
  } catch (error) {
    if (!(error instanceof MalformedError || error instanceof UnsupportedVersionError)) throw error;
    throw notUpgraded(group, 'because the embedded consumer protocol is malformed');
  }
}

/** A member that has not asked for its assignment yet has none. */
function assignedTo(member: Member, group: ClassicGroup, image: TopicImage): Assignment {
  if (member.assignment.length === 0) return NO_ASSIGNMENT;
  const { assignedPartitions, userData } = readVersionedOrNewer(ConsumerProtocolAssignment, member.assignment);
  if (userData !== null && userData.length > 0) {
    throw notUpgraded(
      group,
      'because an unsupported custom assignor is in use. Please refer to the documentation or switch to a default assignor ' +
        'before re-attempting the upgrade',
    );
  }
  const target = new Map<string, number[]>();
  for (const { topic, partitions } of assignedPartitions) {
    const id = topicId(image, topic);
    if (id !== undefined) target.set(id, [...new Set(partitions)]);
  }
  return target;
}

function notUpgraded({ id }: ClassicGroup, why: string): KafkaError {
  return new KafkaError(ErrorCode.GROUP_ID_NOT_FOUND, `Cannot upgrade classic group ${id} to consumer group ${why}.`);
}

function memberRecord(group: string, member: ConsumerMember): ConsumerRecord {
  return { kind: 'consumer-member', group, member: member.id, value: metadataValue(member) };
}

function currentRecord(group: string, member: ConsumerMember): ConsumerRecord {
  return { kind: 'consumer-current', group, member: member.id, value: currentValue(member) };
}

// ---- consumer to classic

export interface Downgrade {
  readonly group: ConsumerGroup;
  readonly leaving: ReadonlySet<ConsumerMember>;
  /** A static member that speaks the classic protocol takes the place of the last one that did not. */
  readonly joining?: ConsumerMember;
}

/** Only members of the classic protocol are left, and the group may become theirs again. */
export function isDowngrade(
  { group, leaving, joining }: Downgrade,
  config: ConsumerConfig,
  classicSizeMax: number,
): boolean {
  const replaced = joining === undefined ? undefined : group.staticMember(joining.instanceId);
  if (joining !== undefined && (replaced === undefined || replaced.classic !== null)) return false;
  const leavingClassic = [...leaving].filter(({ classic }) => classic !== null).length;
  const stay = group.members.size - leaving.size;
  const newProtocol = stay - (group.classicCount - leavingClassic) - (replaced === undefined ? 0 : 1);
  const isAllowed = config.migrationPolicy === 'bidirectional' || config.migrationPolicy === 'downgrade';
  return newProtocol === 0 && stay > 0 && isAllowed && stay <= classicSizeMax;
}

/**
 * The classic group that the members who stay make, stable in the generation that was the group's epoch, with what they were to
 * have; and the records for it.
 */
export function downgrade(
  { group, leaving, joining }: Downgrade,
  rebalancer: Rebalancer,
  image: TopicImage,
): { readonly classic: ClassicGroup; readonly records: readonly GroupRecord[] } {
  const classic = rebalancer.newGroup(group.id);
  const replaced = joining === undefined ? undefined : group.staticMember(joining.instanceId);
  const targets = new Map<string, Assignment>();
  for (const member of [...group.members.values(), ...(joining === undefined ? [] : [joining])]) {
    if (leaving.has(member) || member === replaced || member.classic === null || classic.members.has(member.id))
      continue;
    targets.set(member.id, group.target(member === joining ? (replaced?.id ?? '') : member.id) ?? NO_ASSIGNMENT);
    classic.add(classicMember(classic, member, rebalancer), 'consumer', undefined);
  }
  classic.protocolName = classic.selectProtocol();
  classic.generation = group.epoch;
  classic.readSubscriptions();
  classic.state = 'Stable';
  const assignments = new Map<string, Uint8Array>();
  for (const member of classic.members.values()) {
    member.assignment = embeddedAssignment(targets.get(member.id)!, metadataFor(member, classic.protocolName), image);
    assignments.set(member.id, member.assignment);
  }
  const renamed = replaced === undefined || joining === undefined ? [] : [[replaced.id, joining.id] as const];
  const value = classic.metadataValue(assignments);
  const records: GroupRecord[] = [
    ...groupTombstones(group, new Map(renamed)),
    { kind: 'metadata', group: group.id, value },
  ];
  return { classic, records };
}

function classicMember(group: ClassicGroup, member: ConsumerMember, rebalancer: Rebalancer): Member {
  const { sessionTimeoutMs, supportedProtocols } = member.classic!;
  return rebalancer.newMember(group, {
    id: member.id,
    instanceId: member.instanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    sessionTimeoutMs,
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    protocols: supportedProtocols,
    assignment: new Uint8Array(0),
    isNew: false,
  });
}

/** In the version that the member spoke when it subscribed. */
export function embeddedAssignment(assignment: Assignment, subscription: Uint8Array, image: TopicImage): Uint8Array {
  const version = Math.min(new Reader(subscription).int16(), EMBEDDED_VERSION_MAX);
  const assignedPartitions = Array.from(assignment, ([id, partitions]) => ({
    topic: image.nameOf(id) ?? '',
    partitions: [...partitions],
  })).filter(({ topic }) => topic !== '');
  return writeVersioned(ConsumerProtocolAssignment, version, build(ConsumerProtocolAssignment, { assignedPartitions }));
}
