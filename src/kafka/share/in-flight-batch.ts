import { present } from '../../base/assert.ts';
import type { Slot } from './slot.ts';

/** A run of offsets with one state, or with one for each offset from the first time that they differ (`InFlightBatch`). */
export class InFlightBatch {
  readonly firstOffset: number;
  readonly lastOffset: number;
  #whole: Slot | undefined;
  #offsets: Slot[] = [];

  constructor(firstOffset: number, lastOffset: number, slot: Slot) {
    this.firstOffset = firstOffset;
    this.lastOffset = lastOffset;
    this.#whole = slot;
  }

  get size(): number {
    return this.lastOffset - this.firstOffset + 1;
  }

  /** The state of all its offsets; undefined once they have their own. */
  get whole(): Slot | undefined {
    return this.#whole;
  }

  /** Gives each offset a state of its own. */
  split(): void {
    const whole = this.#whole;
    if (whole === undefined) return;
    this.#offsets = Array.from({ length: this.size }, () => ({ ...whole }));
    this.#whole = undefined;
  }

  slotAt(offset: number): Slot {
    return this.#whole ?? present(this.#offsets[offset - this.firstOffset], 'an offset of the batch');
  }

  /** Runs that share a slot object, within [from, to]: the whole batch, or offset by offset. */
  *slots(from = this.firstOffset, to = this.lastOffset): Generator<SlotRun> {
    const first = Math.max(from, this.firstOffset);
    const last = Math.min(to, this.lastOffset);
    if (this.#whole !== undefined) {
      if (first <= last) yield { slot: this.#whole, firstOffset: first, lastOffset: last };
      return;
    }
    for (let offset = first; offset <= last; offset += 1) {
      yield { slot: this.slotAt(offset), firstOffset: offset, lastOffset: offset };
    }
  }
}

export interface SlotRun {
  readonly slot: Slot;
  readonly firstOffset: number;
  readonly lastOffset: number;
}
