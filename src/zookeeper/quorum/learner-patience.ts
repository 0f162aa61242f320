import type { Zxid } from '../jute/ids.ts';
import { SyncLimitCheck } from './sync-limit-check.ts';

/**
 * How long a leader, or a follower with observers, bears with one learner that says nothing, or not what it owes (LearnerHandler).
 * Times are monotonic, in milliseconds.
 *
 *   coming: initLimit for each packet ─ it has our history ─▶ synchronised: syncLimit, for packets and for acknowledgements
 */
export class LearnerPatience {
  readonly #initLimitMs: number;
  readonly #syncLimitMs: number;
  readonly #lag: SyncLimitCheck;
  #isSynchronised = false;
  #heardMs: number;
  /** Until then it counts toward a quorum of servers that are there: the first time is generous. */
  #countsUntilMs: number;

  constructor({ initLimitMs, syncLimitMs, nowMs }: { initLimitMs: number; syncLimitMs: number; nowMs: number }) {
    this.#initLimitMs = initLimitMs;
    this.#syncLimitMs = syncLimitMs;
    this.#lag = new SyncLimitCheck(syncLimitMs);
    this.#heardMs = nowMs;
    this.#countsUntilMs = nowMs + initLimitMs + syncLimitMs;
  }

  /** Any packet. */
  heard(nowMs: number): void {
    this.#heardMs = nowMs;
    if (this.#isSynchronised) this.#countsUntilMs = nowMs + this.#syncLimitMs;
  }

  /** It has our history, says the packet that was just heard. */
  synchronised(): void {
    this.#isSynchronised = true;
    this.#countsUntilMs = this.#heardMs + this.#syncLimitMs;
  }

  /** A voter was sent a proposal. What it is sent before it is synchronised it need not hurry with. */
  proposed(zxid: Zxid, nowMs: number): void {
    if (this.#isSynchronised) this.#lag.proposed(zxid, nowMs);
  }

  acknowledged(zxid: Zxid): void {
    this.#lag.acknowledged(zxid);
  }

  /** It was heard lately: a leader without a quorum of such ones leads no more. */
  isHeard(nowMs: number): boolean {
    return nowMs <= this.#countsUntilMs;
  }

  /** What it is silent about for too long; undefined if nothing. */
  overdue(nowMs: number): string | undefined {
    const patienceMs = this.#isSynchronised ? this.#syncLimitMs : this.#initLimitMs;
    if (nowMs - this.#heardMs > patienceMs) return `nothing was heard for ${patienceMs} ms`;
    return this.#lag.isOverdue(nowMs) ? 'proposals are not acknowledged in time' : undefined;
  }
}
