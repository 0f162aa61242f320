import type { Clock } from '../../src/runtime/clock.ts';
import { Violation } from './violation.ts';

/** Only a wrong program throws these. */
const ownFault = /\b(InvariantError|TypeError|RangeError|ReferenceError)\b/;

/** The first thing that was found wrong in a world. An invariant of its simulation throws it. */
export class Verdict {
  #first: unknown;

  readonly violated = (error: unknown): void => {
    this.#first ??= error;
  };

  /**
   * What a machine logs, or why its server ended. It is started again, as after a fault, but no fault excuses a state that the code
   * believes impossible.
   */
  readonly heard = (text: string): void => {
    if (ownFault.test(text)) this.violated(new Violation(`a server is wrong: ${text}`));
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
