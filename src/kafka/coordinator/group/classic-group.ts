import { assert } from '../../../base/assert.ts';
import { MalformedError, UnsupportedVersionError } from '../../../wire/errors.ts';
import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { JoinGroupResponse } from '../../protocol/messages/11-join-group.ts';
import { ConsumerProtocolSubscription } from '../../protocol/records/consumer-protocol.ts';
import type { GroupMetadataValue } from '../../protocol/records/group-metadata.ts';
import { readVersionedOrNewer } from '../../protocol/records/versioned.ts';
import type { Deadline } from '../deadline.ts';
import { type JoinAnswer, type Member, metadataFor, NO_BYTES, type Protocol } from './member.ts';

/**
 *           a member joins                 all have joined, or time is up          the leader's assignment is stored
 *   Empty ----------------> PreparingRebalance ----------------> CompletingRebalance ----------------> Stable
 *     ^                       |          ^                                 |                             |
 *     |      nobody is left   |          |   a member joins, leaves or is too late, metadata changed     |
 *     +-----------------------+          +---------------------------------+-----------------------------+
 *
 *   Dead: being removed, or unloaded; nothing leads out of it.
 */
export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead';

/** The embedded protocol of consumers: the only one whose subscriptions the broker understands. */
export const CONSUMER_PROTOCOL = 'consumer';

/** How long the first rebalance of a group still waits for more members (KIP-134). */
export interface InitialDelay {
  readonly delayMs: number;
  readonly remainingMs: number;
}

/**
 * Who is in a group, and where its rebalance stands: soft state, which a new coordinator rebuilds from the last stored
 * generation. It knows no time and sends nothing; `Rebalancer` does.
 */
export class ClassicGroup {
  readonly id: string;
  state: GroupState = 'Empty';
  /** Wall time of the last change of state; -1 where the stored metadata is too old to say. */
  stateTimestampMs: number;
  generation = 0;
  protocolType: string | null = null;
  protocolName: string | null = null;
  leaderId: string | null = null;
  readonly members = new Map<string, Member>();
  /** Member id by instance id (KIP-345). */
  readonly staticMembers = new Map<string, string>();
  /** Ids that were given out and have not joined yet (KIP-394), each with its time limit. */
  readonly pendingMembers = new Map<string, Deadline>();
  /** Members of this generation that have not asked for their assignment yet. */
  readonly pendingSync = new Set<string>();
  /** Undefined where nobody can say, so that every topic counts as subscribed. */
  subscribedTopics: ReadonlySet<string> | undefined;
  initialDelay: InitialDelay | undefined;
  /** Somebody joined in the course of the initial delay. */
  newMemberAdded = false;
  /** The generation whose assignment the leader has handed in. */
  assignedGeneration = -1;
  readonly joinDeadline: Deadline;
  readonly syncDeadline: Deadline;
  readonly #protocolSupport = new Map<string, number>();
  #awaitingJoinCount = 0;

  constructor(
    id: string,
    nowMs: number,
    deadlines: (group: ClassicGroup) => { readonly join: Deadline; readonly sync: Deadline },
  ) {
    this.id = id;
    this.stateTimestampMs = nowMs;
    const { join, sync } = deadlines(this);
    this.joinDeadline = join;
    this.syncDeadline = sync;
  }

  get isConsumerGroup(): boolean {
    return this.protocolType === CONSUMER_PROTOCOL;
  }

  get awaitingJoinCount(): number {
    return this.#awaitingJoinCount;
  }

  get hasAllMembersJoined(): boolean {
    return this.#awaitingJoinCount === this.members.size && this.pendingMembers.size === 0;
  }

  get rebalanceTimeoutMs(): number {
    let most = 0;
    for (const { rebalanceTimeoutMs } of this.members.values()) most = Math.max(most, rebalanceTimeoutMs);
    return most;
  }

  transitionTo(state: GroupState, nowMs: number): void {
    assert(validFrom[state].includes(this.state), 'a group cannot go from one state to the other', this.state, state);
    this.state = state;
    this.stateTimestampMs = nowMs;
  }

  // ---- members

  add(member: Member, protocolType: string, answer: JoinAnswer | undefined): void {
    assert(!this.members.has(member.id), 'a member joins once', member.id);
    if (this.members.size === 0) this.protocolType = protocolType;
    this.members.set(member.id, member);
    if (member.instanceId !== null) this.staticMembers.set(member.instanceId, member.id);
    this.leaderId ??= member.id;
    this.#countProtocols(member, 1);
    this.#forgetPending(member.id);
    if (answer !== undefined) this.#awaitJoin(member, answer);
  }

  /** A member or one that only has an id yet; its answers must have been given. */
  remove(memberId: string): void {
    const member = this.members.get(memberId);
    if (member !== undefined) {
      this.members.delete(memberId);
      member.session.cancel();
      this.#countProtocols(member, -1);
      if (member.awaitingJoin !== undefined) this.#awaitingJoinCount -= 1;
      if (member.instanceId !== null) this.staticMembers.delete(member.instanceId);
    }
    if (this.leaderId === memberId) this.leaderId = this.members.keys().next().value ?? null;
    this.#forgetPending(memberId);
    this.pendingSync.delete(memberId);
  }

  update(
    member: Member,
    given: {
      readonly protocols: readonly Protocol[];
      readonly sessionTimeoutMs: number;
      readonly rebalanceTimeoutMs: number;
    },
  ): void {
    this.#countProtocols(member, -1);
    member.protocols = given.protocols;
    member.sessionTimeoutMs = given.sessionTimeoutMs;
    member.rebalanceTimeoutMs = given.rebalanceTimeoutMs;
    this.#countProtocols(member, 1);
  }

  /** A static member begins another life: its place, its assignment and its leadership stay. */
  rename(member: Member, memberId: string): void {
    const former = member.id;
    this.members.delete(former);
    member.id = memberId;
    this.members.set(memberId, member);
    if (member.instanceId !== null) this.staticMembers.set(member.instanceId, memberId);
    if (this.leaderId === former) this.leaderId = memberId;
    if (this.pendingSync.delete(former)) this.pendingSync.add(memberId);
  }

  #awaitJoin(member: Member, answer: JoinAnswer): void {
    if (member.awaitingJoin === undefined) this.#awaitingJoinCount += 1;
    member.awaitingJoin = answer;
  }

  /** The member waits for the rebalance to complete. Answers what it waited with before. */
  awaitJoin(member: Member, answer: JoinAnswer): JoinAnswer | undefined {
    const former = member.awaitingJoin;
    this.#awaitJoin(member, answer);
    return former;
  }

  /** Takes the answer that a member waits for; the caller gives it. */
  takeJoinAnswer(member: Member): JoinAnswer | undefined {
    const answer = member.awaitingJoin;
    if (answer !== undefined) this.#awaitingJoinCount -= 1;
    member.awaitingJoin = undefined;
    return answer;
  }

  #forgetPending(memberId: string): void {
    this.pendingMembers.get(memberId)?.cancel();
    this.pendingMembers.delete(memberId);
  }

  /**
   * Whether a request may speak for this member; 0 if so. Who names an instance id must be the one who holds it now.
   */
  check(memberId: string, instanceId: string | null): number {
    if (instanceId !== null) {
      const holder = this.staticMembers.get(instanceId);
      if (holder === undefined) return ErrorCode.UNKNOWN_MEMBER_ID;
      if (holder !== memberId) return ErrorCode.FENCED_INSTANCE_ID;
    }
    return this.members.has(memberId) ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID;
  }

  // ---- protocols

  /** A member may join if it shares a protocol with all who are there. */
  supports(protocolType: string, protocols: readonly Protocol[]): boolean {
    if (this.state === 'Empty') return protocolType !== '' && protocols.length > 0;
    return (
      protocolType === this.protocolType &&
      protocols.some(({ name }) => (this.#protocolSupport.get(name) ?? 0) === this.members.size)
    );
  }

  /** Each member votes for the first on its list that all support; the most votes win, the earliest voted for among equals. */
  selectProtocol(): string {
    const votes = new Map<string, number>();
    for (const member of this.members.values()) {
      const vote = member.protocols.find(({ name }) => this.#protocolSupport.get(name) === this.members.size);
      assert(vote !== undefined, 'a member supports no protocol that all support', this.id, member.id);
      votes.set(vote.name, (votes.get(vote.name) ?? 0) + 1);
    }
    let best: string | undefined;
    for (const [name, count] of votes) if (best === undefined || count > (votes.get(best) as number)) best = name;
    assert(best !== undefined, 'an empty group selects no protocol', this.id);
    return best;
  }

  #countProtocols(member: Member, change: number): void {
    for (const name of new Set(member.protocols.map((protocol) => protocol.name))) {
      const count = (this.#protocolSupport.get(name) ?? 0) + change;
      if (count === 0) this.#protocolSupport.delete(name);
      else this.#protocolSupport.set(name, count);
    }
  }

  isSubscribedTo(topic: string): boolean {
    return this.subscribedTopics === undefined || this.subscribedTopics.has(topic);
  }

  /** Reads what the members of this generation subscribe to. */
  readSubscriptions(): void {
    this.subscribedTopics = this.isConsumerGroup ? this.#subscriptions() : undefined;
  }

  #subscriptions(): ReadonlySet<string> | undefined {
    const topics = new Set<string>();
    if (this.members.size === 0) return topics;
    const { protocolName } = this;
    if (protocolName === null) return undefined;
    try {
      for (const member of this.members.values()) {
        const subscription = readVersionedOrNewer(ConsumerProtocolSubscription, metadataFor(member, protocolName));
        for (const topic of subscription.topics) topics.add(topic);
      }
      return topics;
    } catch (error) {
      // Whatever calls itself a consumer may speak a language of its own.
      if (error instanceof MalformedError || error instanceof UnsupportedVersionError) return undefined;
      throw error;
    }
  }

  // ---- generations

  /** The leader stays while it takes part; else any member that does. False when none does. */
  electJoinedLeader(): boolean {
    if (this.leaderId === null) return false;
    if (this.members.get(this.leaderId)?.awaitingJoin !== undefined) return true;
    for (const member of this.members.values()) {
      if (member.awaitingJoin === undefined) continue;
      this.leaderId = member.id;
      return true;
    }
    return false;
  }

  beginGeneration(nowMs: number): void {
    this.generation += 1;
    const isEmpty = this.members.size === 0;
    this.protocolName = isEmpty ? null : this.selectProtocol();
    this.readSubscriptions();
    this.transitionTo(isEmpty ? 'Empty' : 'CompletingRebalance', nowMs);
    this.pendingSync.clear();
  }

  /** What a member learns of the generation; only the leader, who assigns, is told of the others. */
  joinResponse(member: Member, leaderId: string | null = this.leaderId): JoinGroupResponse {
    return build(JoinGroupResponse, {
      generationId: this.generation,
      protocolType: this.protocolType,
      protocolName: this.protocolName,
      leader: leaderId ?? '',
      memberId: member.id,
      members: leaderId === member.id ? this.#memberList() : [],
    });
  }

  #memberList(): JoinGroupResponse['members'] {
    return Array.from(this.members.values(), (member) => ({
      memberId: member.id,
      groupInstanceId: member.instanceId,
      metadata: metadataFor(member, this.protocolName ?? ''),
    }));
  }

  /** What is stored of a generation. */
  metadataValue(assignments: ReadonlyMap<string, Uint8Array>): GroupMetadataValue {
    return {
      protocolType: this.protocolType ?? '',
      generation: this.generation,
      protocol: this.protocolName,
      leader: this.leaderId,
      currentStateTimestamp: this.stateTimestampMs,
      members: Array.from(this.members.values(), (member) => ({
        memberId: member.id,
        groupInstanceId: member.instanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        rebalanceTimeout: member.rebalanceTimeoutMs,
        sessionTimeout: member.sessionTimeoutMs,
        subscription: metadataFor(member, this.protocolName ?? ''),
        assignment: assignments.get(member.id) ?? NO_BYTES,
      })),
    };
  }
}

const validFrom: { readonly [to in GroupState]: readonly GroupState[] } = {
  Empty: ['PreparingRebalance'],
  PreparingRebalance: ['Empty', 'CompletingRebalance', 'Stable'],
  CompletingRebalance: ['PreparingRebalance'],
  Stable: ['CompletingRebalance'],
  Dead: ['Empty', 'PreparingRebalance', 'CompletingRebalance', 'Stable', 'Dead'],
};
