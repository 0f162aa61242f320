/** How a rate looks back: so many samples (`quota.window.num`) of so many milliseconds (`quota.window.size.seconds`). */
export interface RateWindows {
  readonly samples: number;
  readonly windowMs: number;
}

interface Sample {
  startMs: number;
  lastMs: number;
  sum: number;
}

/**
 * What was counted per second, over the windows that are still in view (`Rate` over `WindowedSum`). A window that nothing was
 * counted in is no window: the time that has passed is that since the oldest sample, and never less than all windows but one,
 * so that a client who has just begun is not taken for a fast one.
 */
export class WindowedRate {
  readonly #windows: RateWindows;
  /** A ring with one place more than there are windows, for the sample that only partly is in view. */
  readonly #samples: Sample[] = [];
  #current = 0;

  constructor(windows: RateWindows) {
    this.#windows = windows;
  }

  record(value: number, nowMs: number): void {
    let sample = this.#samples[this.#current];
    if (sample === undefined || nowMs - sample.startMs >= this.#windows.windowMs) sample = this.#advance(nowMs);
    sample.sum += value;
    sample.lastMs = nowMs;
  }

  /** Per second. */
  measure(nowMs: number): number {
    this.#forgetOld(nowMs);
    let sum = 0;
    for (const sample of this.#samples) sum += sample.sum;
    return sum / (this.spanMs(nowMs) / 1000);
  }

  /** The time that `measure` divides by. */
  spanMs(nowMs: number): number {
    this.#forgetOld(nowMs);
    const { samples, windowMs } = this.#windows;
    let oldestMs = nowMs;
    for (const { startMs } of this.#samples) if (startMs < oldestMs) oldestMs = startMs;
    const elapsedMs = nowMs - oldestMs;
    const missing = Math.max(0, samples - 1 - Math.floor(elapsedMs / windowMs));
    return Math.max(1, elapsedMs + missing * windowMs);
  }

  #advance(nowMs: number): Sample {
    if (this.#samples.length > 0) this.#current = (this.#current + 1) % (this.#windows.samples + 1);
    const sample = this.#samples[this.#current] ?? { startMs: 0, lastMs: 0, sum: 0 };
    this.#samples[this.#current] = sample;
    reset(sample, nowMs);
    return sample;
  }

  /** A sample that began before the windows but was added to within them counts as a whole. */
  #forgetOld(nowMs: number): void {
    const ageMs = this.#windows.samples * this.#windows.windowMs;
    for (const sample of this.#samples) if (nowMs - sample.lastMs >= ageMs) reset(sample, nowMs);
  }
}

function reset(sample: Sample, nowMs: number): void {
  sample.startMs = nowMs;
  sample.lastMs = nowMs;
  sample.sum = 0;
}
