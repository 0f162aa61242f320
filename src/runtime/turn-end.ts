import type { Clock } from './clock.ts';

/**
 * Gathers work until all input of this turn of the event loop has been served, so that what came in together goes out together:
 * one write to a file for the appends of many requests, then one write to a socket for their answers.
 */
export class TurnEnd {
  readonly #clock: Pick<Clock, 'soon'>;
  readonly #onError: (error: unknown) => void;
  #writes: (() => void)[] = [];
  #replies: (() => void)[] = [];
  #scheduled = false;

  /** @param onError hears what a piece of work threw; the others run all the same */
  constructor(clock: Pick<Clock, 'soon'>, onError: (error: unknown) => void) {
    this.#clock = clock;
    this.#onError = onError;
  }

  /** Runs once the input of this turn is served. */
  afterInput(write: () => void): void {
    this.#writes.push(write);
    this.#schedule();
  }

  /** Runs after all that waited for the end of the input: many a reply hangs on a write that finishes at once. */
  afterWrites(reply: () => void): void {
    this.#replies.push(reply);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.soon(this.#run);
  }

  readonly #run = (): void => {
    const writes = this.#writes;
    this.#writes = [];
    this.#runAll(writes);
    const replies = this.#replies;
    this.#replies = [];
    // What comes from here on belongs to the next turn: other sockets have theirs first.
    this.#scheduled = false;
    if (this.#writes.length > 0) this.#schedule();
    this.#runAll(replies);
  };

  #runAll(list: readonly (() => void)[]): void {
    for (const work of list) {
      try {
        work();
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}
