import type { Clock, Timer } from '../clock.ts';

/** The longest delay that setTimeout takes; beyond it Node would fire at once. */
const timeoutMsMax = 2_147_483_647;

export class NodeClock implements Clock {
  monotonicMs(): number {
    return performance.now();
  }

  wallMs(): number {
    return Date.now();
  }

  after(delayMs: number, callback: () => void): Timer {
    return new NodeTimer(delayMs, callback);
  }

  soon(callback: () => void): void {
    setImmediate(callback);
  }

  afterPoll(callback: () => void): void {
    // Called in the poll phase, the next check phase follows a poll that began before the call: take the one after it.
    setImmediate(() => setImmediate(callback));
  }

  localTime(wallMs: number): string {
    const at = new Date(wallMs);
    const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
    const milliseconds = String(at.getMilliseconds()).padStart(3, '0');
    return `${date} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())},${milliseconds}`;
  }
}

/**
 * Node counts whole milliseconds of the loop's own, older time, so its timeouts may come up to a millisecond early, and it
 * takes none above 2^31: we look at the clock before we call.
 */
class NodeTimer implements Timer {
  readonly #deadlineMs: number;
  readonly #callback: () => void;
  #timeout: NodeJS.Timeout;

  constructor(delayMs: number, callback: () => void) {
    this.#deadlineMs = performance.now() + delayMs;
    this.#callback = callback;
    this.#timeout = this.#arm(delayMs);
  }

  cancel(): void {
    clearTimeout(this.#timeout);
  }

  #arm(remainingMs: number): NodeJS.Timeout {
    return setTimeout(this.#fired, Math.min(Math.ceil(remainingMs), timeoutMsMax));
  }

  readonly #fired = (): void => {
    const remainingMs = this.#deadlineMs - performance.now();
    if (remainingMs > 0) this.#timeout = this.#arm(remainingMs);
    else this.#callback();
  };
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}
