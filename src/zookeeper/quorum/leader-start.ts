/**
 * How an elected server becomes a leader that may serve (Leader.getEpochToPropose, waitForEpochAck, waitForNewLeaderAck), as a step
 * machine: events in, effects out, in the order in which they are to be done.
 *
 *   collecting ─ a quorum told its accepted epoch ─▶ accepting ─ the new one is on our disk ─▶ promising
 *      ─ a quorum promised it ─▶ beginning ─ it is our current epoch ─▶ synchronising ─ a quorum has our history ─▶ serving
 *
 * Learners that come late pass through the same gates, which stand open then.
 */
import { epochOf, makeZxid, type Zxid } from '../jute/ids.ts';
import type { QuorumVerifier, ServerId } from './quorum-verifier.ts';

/** A connection of a learner; a server that comes again is another one. */
export type LearnerId = number;

/** What the history of a server is judged by: the newer epoch, then the longer log. */
export interface HistorySummary {
  readonly currentEpoch: number;
  readonly lastZxid: Zxid;
}

export interface LeaderStartOptions {
  readonly self: ServerId;
  /** Our own. */
  readonly acceptedEpoch: number;
  readonly history: HistorySummary;
  /** The membership in force, and the next one while it is being agreed on: our history must be with a quorum of each. */
  readonly verifiers: readonly [QuorumVerifier, ...QuorumVerifier[]];
}

export type LeaderStartEvent =
  | { readonly kind: 'begin' }
  /** FOLLOWERINFO or OBSERVERINFO. */
  | {
      readonly kind: 'informed';
      readonly learner: LearnerId;
      readonly server: ServerId;
      readonly acceptedEpoch: number;
    }
  /** The epoch of `acceptEpoch` is on our disk. */
  | { readonly kind: 'epochAccepted' }
  /** ACKEPOCH; a current epoch of -1 says that the learner has promised this epoch before: it counts no further. */
  | {
      readonly kind: 'promised';
      readonly learner: LearnerId;
      readonly server: ServerId;
      readonly history: HistorySummary;
    }
  /** The epoch of `beginEpoch` is on our disk. */
  | { readonly kind: 'epochBegun' }
  /** The ACK of NEWLEADER: the learner has our history on its disk. */
  | { readonly kind: 'synchronised'; readonly learner: LearnerId; readonly server: ServerId; readonly zxid: Zxid };

export type LeaderStartEffect =
  /** Make it our accepted epoch, durably; then `epochAccepted`. */
  | { readonly kind: 'acceptEpoch'; readonly epoch: number }
  /** LEADERINFO. */
  | { readonly kind: 'tellEpoch'; readonly learner: LearnerId; readonly epoch: number }
  /** Make it our current epoch, durably; then `epochBegun`. */
  | { readonly kind: 'beginEpoch'; readonly epoch: number }
  /** Send what the learner lacks, and NEWLEADER. */
  | { readonly kind: 'synchronise'; readonly learner: LearnerId; readonly lastZxid: Zxid }
  | { readonly kind: 'refuse'; readonly learner: LearnerId; readonly reason: string }
  /** Clients may come, transactions may be made. */
  | { readonly kind: 'serve' }
  | { readonly kind: 'upToDate'; readonly learner: LearnerId };

type Phase = 'collecting' | 'accepting' | 'promising' | 'beginning' | 'synchronising' | 'serving';

export class LeaderStart {
  readonly #options: LeaderStartOptions;
  #phase: Phase = 'collecting';
  /** The one to propose: above every accepted epoch heard of. */
  #epoch: number;
  readonly #informed = new Set<ServerId>();
  readonly #promised = new Set<ServerId>();
  readonly #synchronised = new Set<ServerId>();
  /** Learners before a gate that is shut. */
  readonly #waiting = new Map<LearnerId, { readonly lastZxid: Zxid } | undefined>();
  readonly #upToDateLater = new Set<LearnerId>();
  #effects: LeaderStartEffect[] = [];

  constructor(options: LeaderStartOptions) {
    this.#options = options;
    this.#epoch = options.acceptedEpoch + 1;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Final once the phase is not `collecting` any more. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Servers that have our history, ourselves too. */
  get supporters(): ReadonlySet<ServerId> {
    return this.#synchronised;
  }

  step(event: LeaderStartEvent): LeaderStartEffect[] {
    this.#effects = [];
    switch (event.kind) {
      case 'begin':
        this.#count(this.#informed, this.#options.self);
        this.#decideEpoch();
        break;
      case 'informed':
        this.#learnerInformed(event.learner, event.server, event.acceptedEpoch);
        break;
      case 'epochAccepted':
        this.#epochAccepted();
        break;
      case 'promised':
        this.#learnerPromised(event.learner, event.server, event.history);
        break;
      case 'epochBegun':
        this.#epochBegun();
        break;
      case 'synchronised':
        this.#learnerSynchronised(event.learner, event.server, event.zxid);
        break;
      default:
        return event satisfies never;
    }
    return this.#effects;
  }

  /** The learner's connection is gone; what its server promised stands. */
  gone(learner: LearnerId): void {
    this.#waiting.delete(learner);
    this.#upToDateLater.delete(learner);
  }

  #learnerInformed(learner: LearnerId, server: ServerId, acceptedEpoch: number): void {
    if (this.#phase !== 'collecting' && this.#phase !== 'accepting') {
      this.#effects.push({ kind: 'tellEpoch', learner, epoch: this.#epoch });
      return;
    }
    this.#waiting.set(learner, undefined);
    if (this.#phase === 'accepting') return;
    if (acceptedEpoch >= this.#epoch) this.#epoch = acceptedEpoch + 1;
    this.#count(this.#informed, server);
    this.#decideEpoch();
  }

  #decideEpoch(): void {
    const { self, verifiers } = this.#options;
    if (!this.#informed.has(self) || !verifiers[0].isQuorum(this.#informed)) return;
    this.#phase = 'accepting';
    this.#effects.push({ kind: 'acceptEpoch', epoch: this.#epoch });
  }

  #epochAccepted(): void {
    this.#phase = 'promising';
    for (const learner of this.#waiting.keys()) this.#effects.push({ kind: 'tellEpoch', learner, epoch: this.#epoch });
    this.#waiting.clear();
    this.#count(this.#promised, this.#options.self);
    this.#decidePromised();
  }

  #learnerPromised(learner: LearnerId, server: ServerId, { currentEpoch, lastZxid }: HistorySummary): void {
    if (this.#phase === 'synchronising' || this.#phase === 'serving') {
      this.#effects.push({ kind: 'synchronise', learner, lastZxid });
      return;
    }
    if (this.#phase === 'collecting' || this.#phase === 'accepting') {
      this.#effects.push({ kind: 'refuse', learner, reason: 'it promises an epoch that was not proposed' });
      return;
    }
    if (currentEpoch !== -1) {
      if (this.#isAhead({ currentEpoch, lastZxid })) {
        const { history } = this.#options;
        const reason = `the learner is ahead of us: current epoch ${currentEpoch}, ours ${history.currentEpoch}`;
        this.#effects.push({ kind: 'refuse', learner, reason });
        return;
      }
      this.#count(this.#promised, server);
    }
    this.#waiting.set(learner, { lastZxid });
    if (this.#phase === 'promising') this.#decidePromised();
  }

  /** Its history would be lost under us. */
  #isAhead({ currentEpoch, lastZxid }: HistorySummary): boolean {
    const { history } = this.#options;
    return (
      currentEpoch > history.currentEpoch || (currentEpoch === history.currentEpoch && lastZxid > history.lastZxid)
    );
  }

  #decidePromised(): void {
    const { self, verifiers } = this.#options;
    if (!this.#promised.has(self) || !verifiers[0].isQuorum(this.#promised)) return;
    this.#phase = 'beginning';
    this.#effects.push({ kind: 'beginEpoch', epoch: this.#epoch });
  }

  #epochBegun(): void {
    this.#phase = 'synchronising';
    for (const [learner, promise] of this.#waiting) {
      if (promise !== undefined) this.#effects.push({ kind: 'synchronise', learner, lastZxid: promise.lastZxid });
    }
    this.#waiting.clear();
    this.#count(this.#synchronised, this.#options.self);
    this.#decideServing();
  }

  #learnerSynchronised(learner: LearnerId, server: ServerId, zxid: Zxid): void {
    if (zxid !== makeZxid(this.#epoch, 0)) {
      this.#effects.push({
        kind: 'refuse',
        learner,
        reason: `it acknowledges another epoch than ours: ${epochOf(zxid)}`,
      });
      return;
    }
    if (this.#phase === 'serving') {
      this.#effects.push({ kind: 'upToDate', learner });
      return;
    }
    this.#count(this.#synchronised, server);
    this.#upToDateLater.add(learner);
    this.#decideServing();
  }

  #decideServing(): void {
    if (!this.#options.verifiers.every((verifier) => verifier.isQuorum(this.#synchronised))) return;
    this.#phase = 'serving';
    this.#effects.push({ kind: 'serve' });
    for (const learner of this.#upToDateLater) this.#effects.push({ kind: 'upToDate', learner });
    this.#upToDateLater.clear();
  }

  /** Others than voters may learn, and decide nothing. */
  #count(servers: Set<ServerId>, server: ServerId): void {
    if (this.#options.verifiers.some(({ voters }) => voters.has(server))) servers.add(server);
  }
}
