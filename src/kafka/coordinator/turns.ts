import { Deque } from '../../base/deque.ts';

/**
 * One thing at a time. An answer may bring the client's next request at once, and an append may complete within its own call:
 * both wait until what is being done is done, so nobody ever finds a group half changed.
 */
export class Turns {
  readonly #waiting = new Deque<() => void>();
  #isRunning = false;

  /** Now, or after everything that was asked for before. */
  run(turn: () => void): void {
    this.#waiting.push(turn);
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) next();
    } finally {
      this.#isRunning = false;
    }
  }
}
