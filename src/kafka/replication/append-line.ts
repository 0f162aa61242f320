import { assert } from '../../base/assert.ts';
import { Deque } from '../../base/deque.ts';

/** Where appends to one partition wait, in the order in which they came, while something takes longer than a moment. */
export class AppendLine {
  readonly #waiting = new Deque<() => void>();
  #isHeld = false;

  /** Whoever comes now has to wait. */
  get isBusy(): boolean {
    return this.#isHeld || this.#waiting.size > 0;
  }

  hold(): void {
    assert(!this.#isHeld, 'a line is held by one');
    this.#isHeld = true;
  }

  wait(turn: () => void): void {
    this.#waiting.push(turn);
  }

  /** Those who wait have their turns, until one of them holds the line again. One that throws keeps nobody from theirs. */
  release(): void {
    this.#isHeld = false;
    const failures: unknown[] = [];
    while (!this.#isHeld && this.#waiting.size > 0) {
      try {
        this.#waiting.shift()!();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
