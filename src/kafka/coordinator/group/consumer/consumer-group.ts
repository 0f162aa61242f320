import { LEAVE_EPOCH } from '../member-epochs.ts';
import { type Assignment, NO_ASSIGNMENT, NO_PARTITIONS } from './assignment.ts';
import {
  type ConsumerMember,
  isReconciledTo,
  MemberState,
  newMember,
  regexOf,
  withCurrent,
  withMetadata,
} from './consumer-member.ts';
import type { ConsumerRecord } from './consumer-records.ts';
import { Counts } from './counts.ts';
import { PartitionOwners } from './partition-owners.ts';
import { Subscriptions } from './subscriptions.ts';

export type ConsumerGroupState = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable';

/** What a regular expression was found to match. */
export interface ResolvedRegex {
  readonly topics: readonly string[];
  readonly version: number;
  /** Wall time. */
  readonly timestamp: number;
}

/** Until a group has an epoch of its own it counts as being in this one, and as assigned in it. */
const FIRST_EPOCH = 1;

/**
 * A group of the consumer protocol (KIP-848) as the log has it: it changes by the replay of records and in no other way.
 *
 *   group epoch:   counts the changes of who is there and what is subscribed to
 *   target epoch:  the group epoch that the target assignment was last computed for
 *   member epoch:  the target epoch that a member has come to
 */
export class ConsumerGroup {
  readonly id: string;
  epoch = FIRST_EPOCH;
  metadataHash = 0n;
  targetEpoch = FIRST_EPOCH;
  /** Wall time of the last target assignment; 0 where the next need not wait. */
  targetTimestampMs = 0;
  /** A record of 4.0 and before is in the log. */
  hasTopicsRecord = false;
  readonly members = new Map<string, ConsumerMember>();
  readonly regexes = new Map<string, ResolvedRegex>();
  /** Member id by instance id. */
  readonly staticMembers = new Map<string, string>();
  readonly owners = new PartitionOwners();
  readonly subscriptions = new Subscriptions();
  readonly classicProtocols = new Counts();
  classicCount = 0;
  readonly #serverAssignors = new Counts();
  readonly #targets = new Map<string, Assignment>();
  /** Member id by topic id and partition. */
  readonly #targetOwners = new Map<string, Map<number, string>>();

  constructor(id: string) {
    this.id = id;
  }

  get state(): ConsumerGroupState {
    if (this.members.size === 0) return 'Empty';
    if (this.epoch > this.targetEpoch) return 'Assigning';
    for (const member of this.members.values()) if (!isReconciledTo(member, this.targetEpoch)) return 'Reconciling';
    return 'Stable';
  }

  staticMember(instanceId: string | null): ConsumerMember | undefined {
    const memberId = instanceId === null ? undefined : this.staticMembers.get(instanceId);
    return memberId === undefined ? undefined : this.members.get(memberId);
  }

  target(memberId: string): Assignment | undefined {
    return this.#targets.get(memberId);
  }

  get targets(): ReadonlyMap<string, Assignment> {
    return this.#targets;
  }

  isTargeted(topicId: string, partition: number): boolean {
    return this.#targetOwners.get(topicId)?.has(partition) === true;
  }

  /**
   * The assignor that most members ask for, if one became another; undefined where nobody asks for any. Among equals Java's tables
   * decide: uniform comes before range, and a name that nobody asked for before comes first.
   */
  preferredAssignor(former?: ConsumerMember, updated?: ConsumerMember): string | undefined {
    const asked = updated?.serverAssignor ?? null;
    const counts = this.#serverAssignors.copy();
    const isNew = asked !== null && counts.of(asked) === 0;
    if (former !== undefined && former.serverAssignor !== null) counts.add(former.serverAssignor, -1);
    if (asked !== null) counts.add(asked, 1);
    const names = [...counts.keys()].sort().reverse();
    if (isNew) names.sort((a, b) => Number(b === asked) - Number(a === asked));
    let best: string | undefined;
    for (const name of names) if (best === undefined || counts.of(name) > counts.of(best)) best = name;
    return best;
  }

  /** The member cannot have all that it is to have, as somebody else still has some of it. */
  waitsForOthers(member: ConsumerMember): boolean {
    if (member.state !== MemberState.UNRELEASED_PARTITIONS) return false;
    for (const [topicId, partitions] of this.target(member.id) ?? NO_ASSIGNMENT) {
      const has = member.assigned.get(topicId);
      if (partitions.some((one) => has?.has(one) !== true && this.owners.isOwned(topicId, one))) return true;
    }
    return false;
  }

  // ---- replay

  /** True when nothing is left of the group. */
  replay(record: ConsumerRecord): boolean {
    switch (record.kind) {
      case 'consumer-epoch':
        if (record.value === null) return true;
        this.epoch = record.value.epoch;
        this.metadataHash = record.value.metadataHash;
        return false;
      case 'consumer-topics':
        this.hasTopicsRecord = record.value !== null;
        return false;
      case 'consumer-member':
        this.#replayMember(record.member, record.value);
        return false;
      case 'consumer-target-epoch':
        this.targetEpoch = record.value?.assignmentEpoch ?? -1;
        this.targetTimestampMs = record.value?.assignmentTimestamp ?? 0;
        return false;
      case 'consumer-target': {
        const target = record.value?.topicPartitions.map(({ topicId, partitions }) => [topicId, partitions] as const);
        this.#setTarget(record.member, target && new Map(target));
        return false;
      }
      case 'consumer-current': {
        const member = this.members.get(record.member);
        if (record.value !== null) this.#put(withCurrent(member ?? newMember(record.member), record.value));
        else if (member !== undefined) this.#put({ ...member, ...WITHOUT_ASSIGNMENT });
        return false;
      }
      case 'consumer-regex':
        this.subscriptions.resolve(this.regexes.get(record.regex)?.topics ?? [], record.value?.topics ?? []);
        if (record.value === null) this.regexes.delete(record.regex);
        else this.regexes.set(record.regex, record.value);
        return false;
      default:
        return record satisfies never;
    }
  }

  #replayMember(id: string, value: Parameters<typeof withMetadata>[1] | null): void {
    const member = this.members.get(id);
    if (value !== null) this.#put(withMetadata(member ?? newMember(id), value));
    else if (member !== undefined) this.#change(member, undefined);
  }

  #put(member: ConsumerMember): void {
    this.#change(this.members.get(member.id), member);
  }

  /** All that is derived from members follows. */
  #change(former: ConsumerMember | undefined, updated: ConsumerMember | undefined): void {
    if (former !== undefined) {
      this.members.delete(former.id);
      if (former.instanceId !== null) this.staticMembers.delete(former.instanceId);
      this.owners.remove(former);
      this.#count(former, -1);
    }
    if (updated !== undefined) {
      this.members.set(updated.id, updated);
      if (updated.instanceId !== null) this.staticMembers.set(updated.instanceId, updated.id);
      this.owners.add(updated);
      this.#count(updated, 1);
    }
  }

  #count(member: ConsumerMember, change: 1 | -1): void {
    this.subscriptions.count(member.topicNames, regexOf(member), change);
    if (member.serverAssignor !== null) this.#serverAssignors.add(member.serverAssignor, change);
    if (member.classic === null) return;
    this.classicCount += change;
    for (const { name } of member.classic.supportedProtocols) this.classicProtocols.add(name, change);
  }

  #setTarget(memberId: string, target: Assignment | undefined): void {
    for (const [topicId, partitions] of this.#targets.get(memberId) ?? NO_ASSIGNMENT) {
      const owners = this.#targetOwners.get(topicId);
      // It may have been given to another member already, whose record came first.
      for (const partition of partitions) if (owners?.get(partition) === memberId) owners.delete(partition);
      if (owners?.size === 0) this.#targetOwners.delete(topicId);
    }
    if (target === undefined) this.#targets.delete(memberId);
    else this.#targets.set(memberId, target);
    for (const [topicId, partitions] of target ?? NO_ASSIGNMENT) {
      const owners = this.#targetOwners.get(topicId) ?? new Map<number, string>();
      this.#targetOwners.set(topicId, owners);
      for (const partition of partitions) owners.set(partition, memberId);
    }
  }
}

const WITHOUT_ASSIGNMENT = {
  epoch: LEAVE_EPOCH,
  previousEpoch: LEAVE_EPOCH,
  assigned: NO_PARTITIONS,
  revoking: NO_PARTITIONS,
};
