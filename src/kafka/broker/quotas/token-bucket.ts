import type { RateWindows } from './windowed-rate.ts';

/**
 * Credit that grows by the bound each second, up to what all windows together allow, and that may be overdrawn (`TokenBucket`). A
 * new bucket is full.
 */
export class TokenBucket {
  readonly #seconds: number;
  #tokens = 0;
  #updatedMs: number | undefined;

  constructor({ samples, windowMs }: RateWindows) {
    this.#seconds = (samples * windowMs) / 1000;
  }

  /** @param bound tokens per second, as they are now */
  measure(bound: number, nowMs: number): number {
    const burst = this.#seconds * bound;
    const grown = this.#updatedMs === undefined ? burst : this.#tokens + (bound * (nowMs - this.#updatedMs)) / 1000;
    this.#tokens = Math.min(burst, grown);
    this.#updatedMs = nowMs;
    return this.#tokens;
  }

  record(value: number, bound: number, nowMs: number): void {
    this.#tokens = Math.min(this.#seconds * bound, this.measure(bound, nowMs) - value);
  }
}
