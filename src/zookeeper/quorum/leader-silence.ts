import type { LearnerStart } from './learner-start.ts';

export interface LeaderSilenceOptions {
  /** Patience until the leader's history is ours, and after that, in milliseconds. */
  readonly initLimitMs: number;
  readonly syncLimitMs: number;
  /** Monotonic, as all times here. */
  readonly nowMs: number;
}

/**
 * How long a learner stays with a leader that is not heard. The leader pings twice a tick.
 *
 *   coming: initLimit ─ its history is on our disk ─▶ waiting, active: syncLimit
 */
export class LeaderSilence {
  readonly #options: LeaderSilenceOptions;
  #heardMs: number;

  constructor(options: LeaderSilenceOptions) {
    this.#options = options;
    this.#heardMs = options.nowMs;
  }

  /** Any packet, and any piece of a snapshot. */
  heard(nowMs: number): void {
    this.#heardMs = nowMs;
  }

  /** Why the leader is to be left; undefined where it is not. */
  judge(nowMs: number, { phase, isBusy }: Pick<LearnerStart, 'phase' | 'isBusy'>): string | undefined {
    const { initLimitMs, syncLimitMs } = this.#options;
    const patienceMs = phase === 'waiting' || phase === 'active' ? syncLimitMs : initLimitMs;
    // While we work on our disk the leader waits for us, and connecting has a limit of its own.
    if (isBusy || phase === 'connecting') this.#heardMs = nowMs;
    return nowMs - this.#heardMs > patienceMs ? `the leader was not heard for ${patienceMs} ms` : undefined;
  }
}
