/**
 * A leader from the moment at which its history is with a quorum (Leader.propose, tryToCommit, lead), as a step machine: events in,
 * effects out, in the order in which they are to be done.
 *
 *   serving ─ a quorum of each membership has a reconfiguration, and all before it is committed ─▶ activating
 *   activating ─ the membership is in force, and on our disk ─▶ serving, or handing over where another server is to lead it
 *   handing over ─ initLimit passed, and the ensemble has not gone to the other one by itself ─▶ over
 *   serving, activating ─ a full tick, and no quorum was heard within syncLimit; or the last zxid of the epoch is used ─▶ over
 *
 * While it activates it proposes, and commits nothing; once it hands over, or is over, it does neither any more.
 *
 *   a proposal: proposed to followers ─ it and all before it are in the logs of a quorum of each membership it was made under
 *      ─▶ committed: followers and observers hear of it, then it is applied here
 */
import { present } from '../../base/assert.ts';
import { Deque } from '../../base/deque.ts';
import { counterOf, type Zxid } from '../jute/ids.ts';
import { designatedLeader } from './designated-leader.ts';
import type { BroadcastProposal, LeaderEffect, LeaderEvent, MembershipChange, Presence } from './leader-events.ts';
import type { LearnerId } from './leader-start.ts';
import { Proposals } from './proposals.ts';
import type { QuorumVerifier, ServerId } from './quorum-verifier.ts';

type Phase = 'serving' | 'activating' | 'handing over' | 'over';

interface Joined {
  readonly server: ServerId;
  readonly isObserver: boolean;
}

/** Counters end here; the one behind would look like another epoch (ZOOKEEPER-1277). */
const LAST_COUNTER = 0xffff_ffff;

const nothing: readonly never[] = [];
const countLater = [{ kind: 'count' }] as const;

export class LeaderBroadcast<P extends BroadcastProposal, M> {
  readonly #self: ServerId;
  readonly #proposals: Proposals;
  #phase: Phase = 'serving';
  /** Not committed, oldest first. */
  readonly #outstanding = new Deque<P>();
  /** Each waits for what was proposed before it. */
  readonly #marks = new Deque<{ readonly after: Zxid; readonly mark: M }>();
  #lastCommitted: Zxid;
  /** Who leads the membership that is being activated. */
  #designated: ServerId;
  #handOverUntilMs = 0;
  #isFullTick = false;
  readonly #learners = new Map<LearnerId, Joined>();
  /** The connection that each server joined with last. */
  readonly #newest = new Map<ServerId, LearnerId>();
  // Of the learners, in the order in which they came.
  #followers: readonly LearnerId[] = nothing;
  #observers: readonly LearnerId[] = nothing;

  /** @param last the zxid before the first proposal: the one that opens the epoch */
  constructor(self: ServerId, last: Zxid) {
    this.#self = self;
    this.#designated = self;
    this.#lastCommitted = last;
    this.#proposals = new Proposals(last);
  }

  get phase(): Phase {
    return this.#phase;
  }

  get lastProposed(): Zxid {
    return this.#proposals.lastProposed;
  }

  /** Oldest first. */
  get outstanding(): Iterable<P> {
    return this.#outstanding;
  }

  get outstandingCount(): number {
    return this.#outstanding.size;
  }

  get markCount(): number {
    return this.#marks.size;
  }

  step(event: LeaderEvent<P, M>): readonly LeaderEffect<P, M>[] {
    switch (event.kind) {
      case 'propose':
        return this.#propose(event.proposal, event.verifiers);
      case 'acknowledged':
        return this.#acknowledged(event.zxid, event.from, event.learner);
      case 'count':
        return this.#count();
      case 'sync':
        return this.#sync(event.mark);
      case 'activated':
        return this.#activated(event.handOverUntilMs);
      case 'handOver':
        this.#handOver(event.untilMs);
        return nothing;
      case 'join':
        return this.#join(event.learner, event);
      case 'gone':
        this.#learners.delete(event.learner);
        this.#tellOthers();
        return nothing;
      case 'heard':
        return this.#heard(event.presence);
      case 'tick':
        return this.#tick(event.nowMs, event.presence);
      case 'end':
        this.#phase = 'over';
        return nothing;
      default:
        return event satisfies never;
    }
  }

  get #commits(): boolean {
    return this.#phase === 'serving' || this.#phase === 'activating';
  }

  // ---------------------------------------------------------------- proposals

  #propose(proposal: P, verifiers: readonly QuorumVerifier[]): readonly LeaderEffect<P, M>[] {
    if (!this.#commits) return nothing;
    if (counterOf(proposal.zxid) === LAST_COUNTER) {
      return this.#resign('zxid lower 32 bits have rolled over, forcing re-election, and therefore new epoch start');
    }
    this.#outstanding.push(proposal);
    this.#proposals.propose(proposal.zxid, verifiers);
    return [
      { kind: 'propose', proposal, to: this.#followers },
      { kind: 'append', proposal },
    ];
  }

  #sync(mark: M): readonly LeaderEffect<P, M>[] {
    if (!this.#commits) return nothing;
    this.#marks.push({ after: this.#proposals.lastProposed, mark });
    return this.#outstanding.size === 0 ? countLater : nothing;
  }

  #acknowledged(zxid: Zxid, from: ServerId, learner: LearnerId | undefined): readonly LeaderEffect<P, M>[] {
    // The connection that has come since says what the server has now.
    if (learner !== undefined && learner !== this.#newest.get(from)) return nothing;
    return this.#proposals.acknowledge(zxid, from) && this.#commits ? countLater : nothing;
  }

  #count(): readonly LeaderEffect<P, M>[] {
    if (this.#phase !== 'serving') return nothing;
    const effects: LeaderEffect<P, M>[] = [];
    this.#advance(effects, []);
    return effects;
  }

  /** @param group committed, and to be delivered first */
  #advance(effects: LeaderEffect<P, M>[], group: (P | M)[]): void {
    this.#proposals.advance();
    let items = group;
    for (;;) {
      const run = this.#takeAgreed();
      if (run.length > 0) {
        effects.push(this.#commit(run));
        items = items.length === 0 ? run : [...items, ...run];
      }
      if (items.length > 0) effects.push({ kind: 'deliver', items });
      const mark = this.#takeMark();
      if (mark === undefined) break;
      items = [];
      effects.push({ kind: 'deliver', items: [mark] });
    }
    const next = this.#outstanding.peek();
    if (next?.change !== undefined && next.zxid <= this.#proposals.lastCommitted) {
      effects.push(this.#activate(next, next.change));
    }
  }

  /** Of what quorums have, all up to the next mark or reconfiguration. */
  #takeAgreed(): P[] {
    const run: P[] = [];
    const mark = this.#marks.peek();
    const agreed = this.#proposals.lastCommitted;
    const end = mark !== undefined && mark.after < agreed ? mark.after : agreed;
    for (let next = this.#outstanding.peek(); next !== undefined; next = this.#outstanding.peek()) {
      if (next.zxid > end || next.change !== undefined) break;
      run.push(this.#take());
    }
    return run;
  }

  #take(): P {
    const next = present(this.#outstanding.shift(), 'what is committed was proposed');
    this.#lastCommitted = next.zxid;
    return next;
  }

  /** A learner must hear of its sync after the commits before it, and before those behind it. */
  #takeMark(): M | undefined {
    const next = this.#marks.peek();
    if (next === undefined || next.after > this.#lastCommitted) return undefined;
    this.#marks.shift();
    return next.mark;
  }

  #commit(proposals: readonly P[], leader?: ServerId): LeaderEffect<P, M> {
    return { kind: 'commit', proposals, leader, followers: this.#followers, observers: this.#observers };
  }

  // ---------------------------------------------------------------- memberships

  #activate(proposal: P, { before, next }: MembershipChange): LeaderEffect<P, M> {
    this.#phase = 'activating';
    this.#designated = designatedLeader({
      ...{ self: this.#self, before, next, zxid: proposal.zxid },
      verifiers: [before.verifier, next.verifier],
      acknowledged: this.#proposals.acknowledged,
    });
    return { kind: 'activate', proposal, next, leader: this.#designated };
  }

  /** Of what was agreed by then all before the reconfiguration is applied, and it; behind it nothing that another one is to lead. */
  #activated(handOverUntilMs: number): readonly LeaderEffect<P, M>[] {
    if (this.#phase !== 'activating') return nothing;
    this.#phase = 'serving';
    const group = [this.#take()];
    const effects = [this.#commit(group, this.#designated)];
    if (this.#designated === this.#self) {
      this.#advance(effects, group);
    } else {
      this.#handOver(handOverUntilMs);
      effects.push({ kind: 'deliver', items: group });
    }
    return effects;
  }

  #handOver(untilMs: number): void {
    this.#phase = 'handing over';
    this.#handOverUntilMs = untilMs;
  }

  // ---------------------------------------------------------------- learners

  /**
   * It is brought to what is committed, and may have to truncate what it had beyond that: only when it has logged it again may it be
   * counted. Apache's leader counts on what the server has acknowledged before; if others then die, a commit is lost.
   */
  #join(learner: LearnerId, { server, isObserver }: Joined): readonly LeaderEffect<P, M>[] {
    this.#proposals.forget(server);
    this.#newest.set(server, learner);
    this.#learners.set(learner, { server, isObserver });
    this.#tellOthers();
    if (isObserver || this.#outstanding.size === 0) return nothing;
    return [{ kind: 'owe', learner, proposals: [...this.#outstanding] }];
  }

  #tellOthers(): void {
    const all = [...this.#learners].sort(([one], [other]) => one - other);
    this.#followers = all.filter(([, { isObserver }]) => !isObserver).map(([learner]) => learner);
    this.#observers = all.filter(([, { isObserver }]) => isObserver).map(([learner]) => learner);
  }

  // ---------------------------------------------------------------- time

  /** An oracle is asked only by a leader without followers; then what is proposed waits for it too. */
  #heard({ heard, verifiers }: Presence): readonly LeaderEffect<P, M>[] {
    const isAlone = !heard.some(({ learner }) => this.#learners.get(learner)?.isObserver === false);
    const oracles = verifiers.filter(({ isNeeded }) => isNeeded !== undefined);
    for (const oracle of oracles) oracle.isNeeded = isAlone;
    return isAlone && oracles.length > 0 && this.#commits ? countLater : nothing;
  }

  #tick(nowMs: number, presence: Presence): readonly LeaderEffect<P, M>[] {
    if (this.#phase === 'over') return nothing;
    // Followers leave as soon as they hear of the other one, so that this is for who never heard.
    if (this.#phase === 'handing over' && nowMs > this.#handOverUntilMs)
      return this.#resign('another server is to lead');
    this.#isFullTick = !this.#isFullTick;
    const effects: LeaderEffect<P, M>[] = [];
    if (this.#isFullTick) {
      effects.push(...this.#heard(presence));
      const servers = new Set([this.#self, ...presence.heard.map(({ server }) => server)]);
      if (!presence.verifiers.every((verifier) => verifier.isQuorum(servers))) {
        return this.#resign(`Not sufficient followers synced, only synced with sids: [ ${[...servers].join(', ')} ]`);
      }
    }
    const to = [...this.#learners.keys()].sort((one, other) => one - other);
    effects.push({ kind: 'ping', to, zxid: this.lastProposed });
    return effects;
  }

  #resign(reason: string): readonly LeaderEffect<P, M>[] {
    this.#phase = 'over';
    return [{ kind: 'resign', reason }];
  }
}
