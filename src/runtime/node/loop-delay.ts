import { monitorEventLoopDelay } from 'node:perf_hooks';

const resolutionMs = 10;

/** How long the event loop kept something waiting: the metric behind "nothing holds the loop longer than 5 ms". */
export class LoopDelay {
  readonly #histogram = monitorEventLoopDelay({ resolution: resolutionMs });

  constructor() {
    this.#histogram.enable();
  }

  /** The longest delay since the last reset. The histogram records whole intervals between ticks of `resolutionMs`. */
  get longestMs(): number {
    return Math.max(0, this.#histogram.max / 1e6 - resolutionMs);
  }

  /** Begins a new measurement; the interval that is running is not part of it. */
  reset(): void {
    this.#histogram.reset();
  }

  close(): void {
    this.#histogram.disable();
  }
}
