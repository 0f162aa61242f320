import type { Clock } from '../../../runtime/clock.ts';
import type { Turns } from '../turns.ts';

/** Things that are looked at before other requests have their turn again. */
const COUNT_PER_SLICE = 1000;

export interface Slicing<T> {
  readonly clock: Clock;
  readonly turns: Turns;
  readonly items: Iterator<T>;
  /** False ends it early, for good. */
  readonly isCurrent: () => boolean;
  readonly each: (item: T) => void;
  readonly done?: () => void;
}

/** Goes through many things without holding up the loop. Called within a turn, the first slice is part of it. */
export function inSlices<T>(slicing: Slicing<T>): void {
  const { clock, turns, items, isCurrent, each, done } = slicing;
  if (!isCurrent()) return;
  for (let count = 0; count < COUNT_PER_SLICE; count += 1) {
    const next = items.next();
    if (next.done === true) return done?.();
    each(next.value);
  }
  clock.soon(() => turns.run(() => inSlices(slicing)));
}
