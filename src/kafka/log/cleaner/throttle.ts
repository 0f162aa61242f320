import type { Clock } from '../../../runtime/clock.ts';

/** Longer than this nobody waits at once: short debts add up. */
const WAIT_FROM_MS = 5;

/** `log.cleaner.io.max.bytes.per.second`: what all cleaners read and write. */
export class Throttle {
  readonly #clock: Clock;
  bytesPerSecondMax: number;
  /** When all bytes so far are paid for. */
  #paidAtMs = 0;

  constructor(clock: Clock, bytesPerSecondMax: number) {
    this.#clock = clock;
    this.bytesPerSecondMax = bytesPerSecondMax;
  }

  /** Counts bytes; the answer is how many milliseconds to wait for them. */
  take(bytes: number): number {
    const nowMs = this.#clock.monotonicMs();
    this.#paidAtMs = Math.max(this.#paidAtMs, nowMs) + (bytes * 1000) / this.bytesPerSecondMax;
    const waitMs = this.#paidAtMs - nowMs;
    return waitMs < WAIT_FROM_MS ? 0 : waitMs;
  }
}
