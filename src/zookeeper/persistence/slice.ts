import type { Clock } from '../../runtime/clock.ts';

/** What a slice reads at most, give or take the last entry or node: some milliseconds of work. */
export const SLICE_BYTES_MAX = 1 << 20;

/** When a load that is done in slices lets others run: after so many entries or so many bytes, whichever comes first. */
export class Slice {
  readonly #countMax: number;
  #count = 0;
  #start = 0;

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  /** After each entry or node. @param position in bytes, in what is read */
  isFull(position: number): boolean {
    this.#count += 1;
    if (this.#count < this.#countMax && position - this.#start < SLICE_BYTES_MAX) return false;
    this.#count = 0;
    this.#start = position;
    return true;
  }
}

/** A slice, then the loop's turn, until the end. */
export function inTurns<T>(clock: Clock, slices: Generator<undefined, T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const step = (): void => {
      try {
        const slice = slices.next();
        if (slice.done === true) resolve(slice.value);
        else clock.soon(step);
      } catch (error) {
        reject(error);
      }
    };
    step();
  });
}
