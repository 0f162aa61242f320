import type { Clock } from '../../runtime/clock.ts';

/** Long work pauses at least this often, so that requests get their turn. */
const SLICE_MS = 3;
/** Where the clock stands still (the simulator's) steps are counted instead. */
const SLICE_STEPS = 16;

/** Runs a generator in slices between other work. */
export function runSliced<T>(
  clock: Clock,
  steps: Generator<void, T>,
  done: (error: unknown, result: T | undefined) => void,
): void {
  const slice = (): void => {
    const startMs = clock.monotonicMs();
    for (let count = 0; count < SLICE_STEPS; count += 1) {
      let step: IteratorResult<void, T>;
      try {
        step = steps.next();
      } catch (error) {
        done(error, undefined);
        return;
      }
      if (step.done === true) {
        done(undefined, step.value);
        return;
      }
      if (clock.monotonicMs() - startMs >= SLICE_MS) break;
    }
    clock.soon(slice);
  };
  slice();
}
