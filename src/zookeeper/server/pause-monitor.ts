import type { Summary } from '../../base/metrics.ts';
import type { JvmPauseConfig } from '../../config/observability.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';

/**
 * How long the process stood still, collecting garbage or doing one thing for too long: by how much a timer comes late. It
 * stands for Apache's JvmPauseMonitor, under its keys.
 */
export class PauseMonitor {
  readonly #clock: Clock;
  readonly #config: JvmPauseConfig;
  readonly #pauses: Summary;
  readonly #log: Log;
  #timer: Timer | undefined;

  constructor(options: {
    readonly clock: Clock;
    readonly config: JvmPauseConfig;
    readonly pauses: Summary;
    readonly log: Log;
  }) {
    this.#clock = options.clock;
    this.#config = options.config;
    this.#pauses = options.pauses;
    this.#log = options.log;
  }

  start(): void {
    const { sleepMs, warnMs, infoMs } = this.#config;
    const startMs = this.#clock.monotonicMs();
    this.#timer = this.#clock.after(sleepMs, () => {
      const lateMs = Math.max(0, Math.floor(this.#clock.monotonicMs() - startMs - sleepMs));
      this.#pauses.add(lateMs);
      const text = `Detected pause in the process: it stood still for about ${lateMs}ms`;
      if (lateMs > warnMs) this.#log.warn(text);
      else if (lateMs > infoMs) this.#log.info(text);
      this.start();
    });
  }

  close(): void {
    this.#timer?.cancel();
  }
}
