import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';

const INTERVAL_MS = 100;

/** Logs what may be said very often: at once where it is new, else ten times a second with how often it was meant (RateLogger). */
export class RepeatedWarning {
  readonly #clock: Clock;
  readonly #log: Log;
  #message: string | undefined;
  #sinceMs = 0;
  #count = 0;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  warn(message: string): void {
    const nowMs = this.#clock.monotonicMs();
    if (message === this.#message) {
      this.#count += 1;
      if (nowMs - this.#sinceMs < INTERVAL_MS) return;
      this.#tellCount();
    } else {
      this.#tellCount();
      this.#log.warn(message);
    }
    this.#message = message;
    this.#sinceMs = nowMs;
  }

  #tellCount(): void {
    if (this.#message !== undefined && this.#count > 0) {
      this.#log.warn(this.#count > 1 ? `[${this.#count} times] ${this.#message}` : this.#message);
    }
    this.#count = 0;
  }
}
