import type {
  ConsumerGroupCurrentMemberAssignmentValue,
  ConsumerGroupMemberMetadataValue,
} from '../../../protocol/records/consumer-group.ts';
import { JOIN_EPOCH } from '../member-epochs.ts';
import { NO_PARTITIONS, type OwnedPartitions, samePartitions } from './assignment.ts';

/** How far a member is on its way to the target assignment, as records hold it. */
export const MemberState = {
  /** It has what it was last to have. */
  STABLE: 0,
  /** It must give up partitions before it may go on to the next epoch. */
  UNREVOKED_PARTITIONS: 1,
  /** It waits for partitions that others have not given up yet. */
  UNRELEASED_PARTITIONS: 2,
} as const;

export type ClassicMetadata = NonNullable<ConsumerGroupMemberMetadataValue['classicMemberMetadata']>;

/** One member of a group of the consumer protocol, as the log has it. Never changed: a change makes another. */
export interface ConsumerMember {
  readonly id: string;
  readonly epoch: number;
  readonly previousEpoch: number;
  readonly state: number;
  readonly instanceId: string | null;
  readonly rackId: string | null;
  readonly rebalanceTimeoutMs: number;
  readonly clientId: string;
  /** As Java prints an address: `/127.0.0.1`. */
  readonly clientHost: string;
  /** Each once, in order. */
  readonly topicNames: readonly string[];
  /** Empty or null: it subscribes by name alone. */
  readonly topicRegex: string | null;
  readonly serverAssignor: string | null;
  readonly assigned: OwnedPartitions;
  readonly revoking: OwnedPartitions;
  /** Set where the member speaks the classic protocol. */
  readonly classic: ClassicMetadata | null;
}

export function newMember(id: string): ConsumerMember {
  return {
    id,
    epoch: JOIN_EPOCH,
    previousEpoch: -1,
    state: MemberState.STABLE,
    instanceId: null,
    rackId: null,
    rebalanceTimeoutMs: -1,
    clientId: '',
    clientHost: '',
    topicNames: [],
    topicRegex: '',
    serverAssignor: null,
    assigned: NO_PARTITIONS,
    revoking: NO_PARTITIONS,
    classic: null,
  };
}

export function withEpoch(member: ConsumerMember, epoch: number): ConsumerMember {
  return { ...member, epoch, previousEpoch: member.epoch };
}

/** It has all that it is to have in this epoch. */
export function isReconciledTo(member: ConsumerMember, targetEpoch: number): boolean {
  return member.state === MemberState.STABLE && member.epoch === targetEpoch;
}

/** The regular expression that the member subscribes by, if it does. */
export function regexOf(member: ConsumerMember | undefined): string | undefined {
  const regex = member?.topicRegex ?? '';
  return regex === '' ? undefined : regex;
}

export function uniqueSorted(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}

// ---- records

export function metadataValue(member: ConsumerMember): ConsumerGroupMemberMetadataValue {
  return {
    instanceId: member.instanceId,
    rackId: member.rackId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    subscribedTopicNames: [...member.topicNames],
    subscribedTopicRegex: member.topicRegex,
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    serverAssignor: member.serverAssignor,
    classicMemberMetadata: member.classic,
  };
}

export function withMetadata(member: ConsumerMember, value: ConsumerGroupMemberMetadataValue): ConsumerMember {
  return {
    ...member,
    instanceId: value.instanceId,
    rackId: value.rackId,
    clientId: value.clientId,
    clientHost: value.clientHost,
    topicNames: uniqueSorted(value.subscribedTopicNames),
    topicRegex: value.subscribedTopicRegex,
    rebalanceTimeoutMs: value.rebalanceTimeoutMs,
    serverAssignor: value.serverAssignor,
    classic: value.classicMemberMetadata,
  };
}

export function currentValue(member: ConsumerMember): ConsumerGroupCurrentMemberAssignmentValue {
  return {
    memberEpoch: member.epoch,
    previousMemberEpoch: member.previousEpoch,
    state: member.state,
    assignedPartitions: storedPartitions(member.assigned),
    partitionsPendingRevocation: storedPartitions(member.revoking),
  };
}

type StoredPartitions = ConsumerGroupCurrentMemberAssignmentValue['assignedPartitions'];

function storedPartitions(owned: OwnedPartitions): StoredPartitions {
  return Array.from(owned, ([topicId, partitions]) => ({
    topicId,
    partitions: [...partitions.keys()],
    assignmentEpochs: [...partitions.values()],
  }));
}

export function withCurrent(member: ConsumerMember, value: ConsumerGroupCurrentMemberAssignmentValue): ConsumerMember {
  return {
    ...member,
    epoch: value.memberEpoch,
    previousEpoch: value.previousMemberEpoch,
    state: value.state,
    assigned: readPartitions(value.assignedPartitions, value.memberEpoch),
    revoking: readPartitions(value.partitionsPendingRevocation, value.memberEpoch),
  };
}

/** Releases before 4.4 stored no epochs: then it is the member's own. */
function readPartitions(stored: StoredPartitions, memberEpoch: number): OwnedPartitions {
  return new Map(
    stored.map(({ topicId, partitions, assignmentEpochs }) => {
      const epochs = assignmentEpochs?.length === partitions.length ? assignmentEpochs : undefined;
      const since = Math.max(memberEpoch, 0);
      return [topicId, new Map(partitions.map((partition, index) => [partition, epochs?.[index] ?? since]))];
    }),
  );
}

// ---- comparisons

/** What its metadata record says is the same. */
export function sameMetadata(a: ConsumerMember, b: ConsumerMember): boolean {
  return (
    a.instanceId === b.instanceId &&
    a.rackId === b.rackId &&
    a.rebalanceTimeoutMs === b.rebalanceTimeoutMs &&
    a.clientId === b.clientId &&
    a.clientHost === b.clientHost &&
    a.topicRegex === b.topicRegex &&
    a.serverAssignor === b.serverAssignor &&
    sameNames(a.topicNames, b.topicNames) &&
    sameClassic(a.classic, b.classic)
  );
}

export function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index]);
}

function sameClassic(a: ClassicMetadata | null, b: ClassicMetadata | null): boolean {
  if (a === null || b === null) return a === b;
  return (
    a.sessionTimeoutMs === b.sessionTimeoutMs &&
    a.supportedProtocols.length === b.supportedProtocols.length &&
    a.supportedProtocols.every(({ name, metadata }, index) => {
      const other = b.supportedProtocols[index]!;
      return name === other.name && Buffer.compare(metadata, other.metadata) === 0;
    })
  );
}

/** What its current assignment record says is the same. */
export function sameCurrent(a: ConsumerMember, b: ConsumerMember): boolean {
  return (
    a.epoch === b.epoch &&
    a.previousEpoch === b.previousEpoch &&
    a.state === b.state &&
    samePartitions(a.assigned, b.assigned) &&
    samePartitions(a.revoking, b.revoking)
  );
}
