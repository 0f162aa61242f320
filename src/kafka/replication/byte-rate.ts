import type { Clock } from '../../runtime/clock.ts';

/** Whoever waits looks again at least this often: the rate may have changed. */
const WAIT_MS_MAX = 1000;

/** Bytes in a time: what was taken too early has to be waited for (`ReplicationQuotaManager`). */
export class ByteRate {
  readonly #clock: Clock;
  readonly #bytesPerSecond: () => number;
  #owedBytes = 0;
  #lastMs: number;

  /** @param bytesPerSecond the limit as it is now; Infinity for none */
  constructor(clock: Clock, bytesPerSecond: () => number) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
    this.#lastMs = clock.monotonicMs();
  }

  take(bytes: number): void {
    this.#settle();
    this.#owedBytes += bytes;
  }

  /** Milliseconds to wait before more is taken, a second at most; 0 when it may be taken now. */
  get waitMs(): number {
    this.#settle();
    if (this.#owedBytes === 0) return 0;
    return Math.min(WAIT_MS_MAX, Math.max(1, (this.#owedBytes * 1000) / this.#bytesPerSecond()));
  }

  #settle(): void {
    const nowMs = this.#clock.monotonicMs();
    const passedMs = nowMs - this.#lastMs;
    this.#lastMs = nowMs;
    const rate = this.#bytesPerSecond();
    this.#owedBytes = rate === Infinity ? 0 : Math.max(0, this.#owedBytes - (rate * passedMs) / 1000);
  }
}
