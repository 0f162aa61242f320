import type { Clock } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import type { Random } from '../../../runtime/random.ts';
import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import type { JoinGroupResponse } from '../../protocol/messages/11-join-group.ts';
import { SyncGroupResponse } from '../../protocol/messages/14-sync-group.ts';
import type { GroupMetadataValue } from '../../protocol/records/group-metadata.ts';
import { Deadline } from '../deadline.ts';
import type { Turns } from '../turns.ts';
import { ClassicGroup } from './classic-group.ts';
import type { GroupConfig } from './group-config.ts';
import { joinError, type Member, NO_BYTES, NO_MEMBER_ID, syncError } from './member.ts';

/**
 * A new member may not know its id yet and so cannot send heartbeats; if its client gave up and joined anew, only this limit
 * ends its wait (`NewMemberJoinTimeoutMs`).
 */
const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60_000;

export interface RebalancerOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly config: GroupConfig;
  readonly turns: Turns;
  /** Stores a generation. `done` with 0, or with what members are to be told. */
  readonly store: (group: string, value: GroupMetadataValue, done: (errorCode: number) => void) => void;
}

/** Moves groups from one generation to the next: who takes part, until when it is waited for them, and what they are told. */
export class Rebalancer {
  readonly config: GroupConfig;
  readonly random: Random;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #turns: Turns;
  readonly #store: RebalancerOptions['store'];

  constructor({ clock, random, log, config, turns, store }: RebalancerOptions) {
    this.config = config;
    this.random = random;
    this.#clock = clock;
    this.#log = log;
    this.#turns = turns;
    this.#store = store;
  }

  newGroup(id: string): ClassicGroup {
    return new ClassicGroup(id, this.#clock.wallMs(), (group) => ({
      join: this.#deadline(() => this.#joinTimeIsUp(group)),
      sync: this.#deadline(() => this.#syncTimeIsUp(group)),
    }));
  }

  /** With a session that has not begun. */
  newMember(group: ClassicGroup, given: Omit<Member, 'session' | 'awaitingJoin' | 'awaitingSync'>): Member {
    const member: Member = {
      ...given,
      awaitingJoin: undefined,
      awaitingSync: undefined,
      session: this.#deadline(() => this.#sessionExpired(group, member)),
    };
    return member;
  }

  /** Gives out a member id: it is remembered until it joins, or for a session's time. */
  expectMember(group: ClassicGroup, memberId: string, sessionTimeoutMs: number): void {
    const deadline = this.#deadline(() => this.removePending(group, memberId));
    group.pendingMembers.set(memberId, deadline);
    deadline.set(sessionTimeoutMs);
  }

  /** A group as the log has it takes up its work: its members have a whole session's time to be heard of. */
  resume(group: ClassicGroup): void {
    for (const member of group.members.values()) this.heard(member);
    if (group.members.size > this.config.groupSizeMax) this.prepare(group, 'the loaded group is over capacity');
  }

  /** Another broker coordinates the group now, or the log must be read again. */
  abandon(group: ClassicGroup): void {
    for (const member of group.members.values()) {
      member.session.cancel();
      this.answerJoin(group, member, joinError(member.id, ErrorCode.NOT_COORDINATOR));
      this.#answerSync(member, syncError(ErrorCode.NOT_COORDINATOR));
    }
    this.bury(group);
  }

  /** The group goes on under another protocol: whoever waits has to join that. */
  dismiss(group: ClassicGroup): void {
    for (const member of group.members.values()) {
      member.session.cancel();
      this.answerJoin(group, member, joinError(member.id, ErrorCode.REBALANCE_IN_PROGRESS));
      this.#answerSync(member, syncError(ErrorCode.REBALANCE_IN_PROGRESS));
    }
    this.bury(group);
  }

  /** Nothing happens in the group any more. */
  bury(group: ClassicGroup): void {
    for (const deadline of group.pendingMembers.values()) deadline.cancel();
    group.joinDeadline.cancel();
    group.syncDeadline.cancel();
    group.transitionTo('Dead', this.#clock.wallMs());
  }

  // ---- sessions

  /** A sign of life. */
  heard(member: Member): void {
    member.session.set(member.sessionTimeoutMs);
  }

  waitForNewMember(member: Member): void {
    member.session.set(NEW_MEMBER_JOIN_TIMEOUT_MS);
  }

  #sessionExpired(group: ClassicGroup, member: Member): void {
    if (group.state === 'Dead' || group.members.get(member.id) !== member) return;
    // Who waits for us cannot send heartbeats; its session begins again with our answer.
    const waits = member.awaitingJoin !== undefined || member.awaitingSync !== undefined;
    if (waits && !member.isNew) return;
    this.removeMember(group, member, 'its session expired');
  }

  removeMember(group: ClassicGroup, member: Member, reason: string): void {
    this.#log.info('a member leaves its group', { group: group.id, member: member.id, reason });
    this.answerJoin(group, member, joinError(NO_MEMBER_ID, ErrorCode.UNKNOWN_MEMBER_ID));
    this.#answerSync(member, syncError(ErrorCode.UNKNOWN_MEMBER_ID));
    group.remove(member.id);
    if (group.state === 'Stable' || group.state === 'CompletingRebalance')
      this.prepare(group, `a member left: ${reason}`);
    else this.completeIfAllJoined(group);
  }

  removePending(group: ClassicGroup, memberId: string): void {
    if (!group.pendingMembers.has(memberId)) return;
    group.remove(memberId);
    this.completeIfAllJoined(group);
  }

  // ---- the join phase

  prepareIfSettled(group: ClassicGroup, reason: string): void {
    if (group.state !== 'PreparingRebalance' && group.state !== 'Dead') this.prepare(group, reason);
  }

  /** All members must join again. The first rebalance of an empty group gives others time to come, too. */
  prepare(group: ClassicGroup, reason: string): void {
    if (group.state === 'CompletingRebalance') this.#failAssignment(group, ErrorCode.REBALANCE_IN_PROGRESS);
    group.pendingSync.clear();
    group.syncDeadline.cancel();
    const delayMs = this.config.initialRebalanceDelayMs;
    if (group.state === 'Empty') {
      group.initialDelay = { delayMs, remainingMs: Math.max(group.rebalanceTimeoutMs - delayMs, 0) };
      group.joinDeadline.set(delayMs);
    } else {
      group.initialDelay = undefined;
      group.joinDeadline.set(group.rebalanceTimeoutMs);
    }
    group.transitionTo('PreparingRebalance', this.#clock.wallMs());
    this.#log.info('a group prepares to rebalance', { group: group.id, generation: group.generation, reason });
    this.completeIfAllJoined(group);
  }

  completeIfAllJoined(group: ClassicGroup): void {
    if (group.state !== 'PreparingRebalance' || group.initialDelay !== undefined || !group.hasAllMembersJoined) return;
    group.joinDeadline.cancel();
    this.#completeJoin(group);
  }

  #joinTimeIsUp(group: ClassicGroup): void {
    if (group.state !== 'PreparingRebalance') return;
    const delay = group.initialDelay;
    if (delay !== undefined && group.newMemberAdded && delay.remainingMs > 0) {
      group.newMemberAdded = false;
      const delayMs = Math.min(this.config.initialRebalanceDelayMs, delay.remainingMs);
      group.initialDelay = { delayMs, remainingMs: Math.max(delay.remainingMs - delay.delayMs, 0) };
      group.joinDeadline.set(delayMs);
      return;
    }
    group.initialDelay = undefined;
    this.#completeJoin(group);
  }

  /** Who has not joined is out, save static members: they may be restarting. */
  #completeJoin(group: ClassicGroup): void {
    for (const member of [...group.members.values()]) {
      if (member.awaitingJoin === undefined && member.instanceId === null) group.remove(member.id);
    }
    if (!group.electJoinedLeader() && group.members.size > 0) {
      // Only static members, none of which has come: until their sessions expire there is nobody to lead.
      group.joinDeadline.set(group.rebalanceTimeoutMs);
      return;
    }
    group.beginGeneration(this.#clock.wallMs());
    const { id, generation } = group;
    if (group.state === 'Empty') {
      this.#log.info('a group is empty now', { group: id, generation });
      this.#store(id, group.metadataValue(new Map()), (errorCode) => {
        if (errorCode !== ErrorCode.NONE) {
          this.#log.warn('an empty generation could not be stored', { group: id, generation, errorCode });
        }
      });
      return;
    }
    this.#log.info('a group has a new generation', { group: id, generation, members: group.members.size });
    for (const member of group.members.values()) {
      this.answerJoin(group, member, group.joinResponse(member));
      this.heard(member);
      member.isNew = false;
      group.pendingSync.add(member.id);
    }
    group.syncDeadline.set(group.rebalanceTimeoutMs);
  }

  // ---- the sync phase

  /** The member asked for its assignment. */
  synced(group: ClassicGroup, member: Member): void {
    group.pendingSync.delete(member.id);
    if (group.pendingSync.size === 0) group.syncDeadline.cancel();
  }

  /** The leader has decided: everybody learns its part once that is stored. */
  assign(group: ClassicGroup, assignments: ReadonlyMap<string, Uint8Array>): void {
    const { generation } = group;
    group.assignedGeneration = generation;
    this.#store(group.id, group.metadataValue(assignments), (errorCode) => {
      // Another member may have come meanwhile, or this one may have left.
      if (group.state !== 'CompletingRebalance' || group.generation !== generation) return;
      if (errorCode !== ErrorCode.NONE) {
        this.#failAssignment(group, errorCode);
        this.prepare(group, `the assignment could not be stored (error ${errorCode})`);
        return;
      }
      for (const member of group.members.values()) member.assignment = assignments.get(member.id) ?? NO_BYTES;
      group.transitionTo('Stable', this.#clock.wallMs());
      for (const member of group.members.values()) {
        if (this.#answerSync(member, this.assignmentOf(group, member))) this.heard(member);
      }
    });
  }

  assignmentOf(group: ClassicGroup, member: Member): SyncGroupResponse {
    const { protocolType, protocolName } = group;
    return build(SyncGroupResponse, { protocolType, protocolName, assignment: member.assignment });
  }

  /** Stores a stable generation again, as one of its static members has a new id. */
  restore(group: ClassicGroup, done: (errorCode: number) => void): void {
    const assignments = new Map(Array.from(group.members.values(), ({ id, assignment }) => [id, assignment]));
    this.#store(group.id, group.metadataValue(assignments), done);
  }

  #failAssignment(group: ClassicGroup, errorCode: number): void {
    for (const member of group.members.values()) {
      member.assignment = NO_BYTES;
      if (this.#answerSync(member, syncError(errorCode))) this.heard(member);
    }
  }

  #syncTimeIsUp(group: ClassicGroup): void {
    if (group.state !== 'CompletingRebalance' && group.state !== 'Stable') return;
    if (group.pendingSync.size === 0) return;
    const late = [...group.pendingSync];
    for (const memberId of late) group.remove(memberId);
    this.prepare(group, `members never asked for their assignment: ${late.join(', ')}`);
  }

  // ---- answers

  /** Somebody else holds the instance id now: whoever waits under the former member id is told so. */
  fence(group: ClassicGroup, member: Member): void {
    this.answerJoin(group, member, joinError(member.id, ErrorCode.FENCED_INSTANCE_ID));
    this.#answerSync(member, syncError(ErrorCode.FENCED_INSTANCE_ID));
  }

  answerJoin(group: ClassicGroup, member: Member, response: JoinGroupResponse): void {
    group.takeJoinAnswer(member)?.(response);
  }

  #answerSync(member: Member, response: SyncGroupResponse): boolean {
    const answer = member.awaitingSync;
    if (answer === undefined) return false;
    member.awaitingSync = undefined;
    answer(response);
    return true;
  }

  #deadline(passed: () => void): Deadline {
    return new Deadline(this.#clock, () => this.#turns.run(passed));
  }
}
