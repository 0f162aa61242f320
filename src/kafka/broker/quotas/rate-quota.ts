import type { QuotaEntity } from '../../zk/quota-znodes.ts';
import type { Bucket } from './quota-limits.ts';
import { QuotaMeters } from './quota-meters.ts';
import { throttleTimeMs, UNLIMITED } from './throttle-time.ts';
import { type RateWindows, WindowedRate } from './windowed-rate.ts';

/** Quotas of something that is counted per second: bytes, or percents of the thread (`ClientQuotaManager`). */
export class RateQuota {
  readonly #windows: RateWindows;
  readonly #throttleMsMax: number;
  readonly #meters: QuotaMeters<WindowedRate>;

  /** @param throttleMsMax nobody is ever throttled for longer */
  constructor(windows: RateWindows, throttleMsMax = Infinity) {
    this.#windows = windows;
    this.#throttleMsMax = throttleMsMax;
    this.#meters = new QuotaMeters(() => new WindowedRate(windows));
  }

  /** A quota was set since the start, if only once. */
  get isEnabled(): boolean {
    return this.#meters.isEnabled;
  }

  /** Per second, of each bucket. */
  *rates(nowMs: number): Generator<readonly [bucket: Bucket, rate: number]> {
    for (const [bucket, meter] of this.#meters.meters()) yield [bucket, meter.measure(nowMs)];
  }

  set(entity: QuotaEntity, limit: number | undefined): void {
    this.#meters.set(entity, limit);
  }

  /** Counts, and answers for how long the client must wait now; 0 if it need not, never less. */
  record(user: string, clientId: string, value: number, nowMs: number): number {
    if (!this.isEnabled) return 0;
    const { meter, limit } = this.#meters.find(user, clientId, nowMs);
    meter.record(value, nowMs);
    return Math.max(0, throttleTimeMs(meter, limit, nowMs, this.#throttleMsMax));
  }

  /** Counts what is judged with the next request; a negative value takes back. */
  recordUnjudged(user: string, clientId: string, value: number, nowMs: number): void {
    if (this.isEnabled) this.#meters.find(user, clientId, nowMs).meter.record(value, nowMs);
  }

  /** Whoever asks for more at once is throttled even after a long silence. */
  maxAtOnce(user: string, clientId: string, nowMs: number): number {
    if (!this.isEnabled) return UNLIMITED;
    const { samples, windowMs } = this.#windows;
    return (this.#meters.find(user, clientId, nowMs).limit * (samples - 1) * windowMs) / 1000;
  }
}
