import type { Clock } from '../clock.ts';

/** Of the last turns each counts for so much. */
const WEIGHT = 1 / 8;
/** So many of the last turns must have been followed by input within the window. */
const WORTHWHILE_SHARE = 3 / 4;

/**
 * Keeps the event loop awake for a moment after its input is served, where the next has lately come that soon: a client that waits for
 * each answer before it asks again is served without the system putting a thread to sleep and waking it, which costs more than
 * the answer does (docs/decisions/0014-idle-poll.md).
 */
export class IdlePoll {
  readonly #clock: Pick<Clock, 'monotonicMs' | 'soon'>;
  readonly #windowMs: number;
  /** When the last input had been served. */
  #idleSinceMs = Number.NEGATIVE_INFINITY;
  #hitShare = 0;
  /** Input came in this turn of the loop. */
  #isServing = false;
  #isPolling = false;

  /** @param windowMs how long after the last input; above 0 */
  constructor(clock: Pick<Clock, 'monotonicMs' | 'soon'>, windowMs: number) {
    this.#clock = clock;
    this.#windowMs = windowMs;
  }

  /** Some socket has brought something. */
  input(): void {
    if (this.#isServing) return;
    this.#isServing = true;
    const isHit = this.#idleMs() <= this.#windowMs;
    this.#hitShare += ((isHit ? 1 : 0) - this.#hitShare) * WEIGHT;
    if (!this.#isPolling) this.#clock.soon(this.#turn);
  }

  readonly #turn = (): void => {
    if (this.#isServing) {
      this.#isServing = false;
      this.#idleSinceMs = this.#clock.monotonicMs();
      this.#isPolling = this.#hitShare >= WORTHWHILE_SHARE;
    } else if (this.#idleMs() > this.#windowMs) {
      this.#isPolling = false;
    }
    if (this.#isPolling) this.#clock.soon(this.#turn);
  };

  #idleMs(): number {
    return this.#clock.monotonicMs() - this.#idleSinceMs;
  }
}
