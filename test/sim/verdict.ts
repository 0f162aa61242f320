import type { Clock } from '../../src/runtime/clock.ts';

/** The first thing that was found wrong in a world. An invariant of its simulation throws it. */
export class Verdict {
  #first: unknown;

  readonly violated = (error: unknown): void => {
    this.#first ??= error;
  };

  /** @throws what was found wrong */
  check(): void {
    if (this.#first !== undefined) throw this.#first;
  }

  /** Acts when so much time has passed; what it throws was found wrong. */
  later(clock: Clock, ms: number, act: () => void): void {
    clock.after(ms, () => {
      try {
        act();
      } catch (error) {
        this.violated(error);
      }
    });
  }
}
