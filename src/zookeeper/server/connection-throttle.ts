import type { ConnectionThrottleLimits } from '../../config/zoo-cfg-limits.ts';
import type { Clock } from '../../runtime/clock.ts';
import { fraction, type Random } from '../../runtime/random.ts';

/**
 * How many sessions may begin or be resumed in a time (BlueThrottle): tokens that come back with time, and before them, if that
 * is on, a chance to be turned away that grows while there are no tokens, so that not only the late ones are.
 */
export class ConnectionThrottle {
  readonly #limits: ConnectionThrottleLimits;
  readonly #clock: Clock;
  readonly #random: Random;
  #tokens: number;
  #filledMs: number;
  #frozenMs: number;
  #dropChance = 0;

  constructor(limits: ConnectionThrottleLimits, clock: Clock, random: Random) {
    this.#limits = limits;
    this.#clock = clock;
    this.#random = random;
    this.#tokens = limits.tokens;
    this.#filledMs = Math.floor(clock.monotonicMs());
    this.#frozenMs = this.#filledMs;
  }

  /** Tokens in use. */
  get deficit(): number {
    return this.#limits.tokens - this.#tokens;
  }

  get dropChance(): number {
    return this.#dropChance;
  }

  /** Whether a client that asks for a session may have it. */
  admits(asked: 'global' | 'local' | 'renewed'): boolean {
    const { tokens, fillTimeMs, fillCount, freezeTimeMs } = this.#limits;
    if (tokens === 0) return true;
    const nowMs = Math.floor(this.#clock.monotonicMs());
    const passedMs = nowMs - this.#filledMs;
    if (passedMs > fillTimeMs) {
      this.#tokens = Math.min(this.#tokens + Math.floor((passedMs * fillCount) / fillTimeMs), tokens);
      this.#filledMs = nowMs;
    }
    if (freezeTimeMs !== -1 && this.#isDropped(nowMs)) return false;
    const weight = this.#limits[`${asked}SessionWeight`];
    if (this.#tokens < weight) return false;
    this.#tokens -= weight;
    return true;
  }

  #isDropped(nowMs: number): boolean {
    const { tokens, freezeTimeMs, dropIncrease, dropDecrease, decreaseRatio } = this.#limits;
    if (nowMs - this.#frozenMs > freezeTimeMs) {
      if (this.#tokens === 0) this.#dropChance = Math.min(this.#dropChance + dropIncrease, 1);
      else if (this.deficit <= Math.round(tokens * decreaseRatio)) {
        this.#dropChance = Math.max(this.#dropChance - dropDecrease, 0);
      }
      this.#frozenMs = nowMs;
    }
    return fraction(this.#random) < this.#dropChance;
  }
}
