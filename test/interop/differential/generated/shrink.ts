/** Makes a sequence that ends in a difference as short as it can, by leaving out steps and looking whether it still differs. */
import type { Step } from './kind.ts';
import { type Difference, type Ports, play } from './play.ts';

const TRIALS_MAX = 120;

export interface Shrunk {
  readonly steps: readonly Step[];
  readonly difference: Difference;
}

/** Any difference counts, at the last step or before. */
export async function shrink(ports: Ports, steps: readonly Step[], difference: Difference): Promise<Shrunk> {
  let best: Shrunk = { steps: steps.slice(0, difference.index + 1), difference };
  let trials = 0;
  for (let size = Math.ceil(best.steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    // From the end: what comes late seldom matters to what comes before.
    for (let end = best.steps.length - 1; end > 1 && trials < TRIALS_MAX; end -= size) {
      // The first step makes the topic that others may count on.
      const without = [...best.steps.slice(0, Math.max(end - size, 1)), ...best.steps.slice(end)];
      trials += 1;
      const found = await play(ports, without);
      if (found !== undefined) best = { steps: without.slice(0, found.index + 1), difference: found };
    }
  }
  return best;
}
