import { Deque } from '../../base/deque.ts';
import { abandon, type Steps } from '../../base/steps.ts';
import type { Clock } from '../../runtime/clock.ts';

/** What a slice may take, whichever it reaches first: the simulator's clock stands still. */
const SLICE_MS = 3;
const SLICE_BYTES = 1_048_576;

interface Task {
  readonly steps: Steps<unknown>;
  readonly done: (error: unknown, result: unknown) => void;
}

/**
 * Work that is too long to be done at once, in slices between other work: one slice a turn of the loop, however many tasks there are.
 * One task after the other: what a batch becomes while it is compressed anew is in memory for one batch at a time.
 */
export class LongWork {
  readonly #clock: Pick<Clock, 'monotonicMs' | 'soon'>;
  readonly #onError: (error: unknown) => void;
  readonly #tasks = new Deque<Task>();
  #isScheduled = false;

  /** @param onError hears what a `done` threw */
  constructor(clock: Pick<Clock, 'monotonicMs' | 'soon'>, onError: (error: unknown) => void) {
    this.#clock = clock;
    this.#onError = onError;
  }

  /** Begins on a later turn of the loop. `done` hears what the steps threw, or their result. */
  run<T>(steps: Steps<T>, done: (error: unknown, result: T | undefined) => void): void {
    this.#tasks.push({ steps, done: done as Task['done'] });
    this.#schedule();
  }

  /** What is unfinished stays so, and nobody hears of it. */
  close(): void {
    for (let task = this.#tasks.shift(); task !== undefined; task = this.#tasks.shift()) abandon(task.steps);
  }

  #schedule(): void {
    if (this.#isScheduled || this.#tasks.size === 0) return;
    this.#isScheduled = true;
    this.#clock.soon(this.#slice);
  }

  readonly #slice = (): void => {
    this.#isScheduled = false;
    const task = this.#tasks.peek();
    if (task === undefined) return;
    try {
      this.#goOn(task);
    } catch (error) {
      this.#onError(error);
    } finally {
      this.#schedule();
    }
  };

  #goOn(task: Task): void {
    const untilMs = this.#clock.monotonicMs() + SLICE_MS;
    for (let bytes = 0; bytes < SLICE_BYTES && this.#clock.monotonicMs() < untilMs; ) {
      let step: IteratorResult<number, unknown>;
      try {
        step = task.steps.next();
      } catch (error) {
        this.#tasks.shift();
        return task.done(error, undefined);
      }
      if (step.done === true) {
        this.#tasks.shift();
        return task.done(undefined, step.value);
      }
      bytes += step.value;
    }
  }
}
