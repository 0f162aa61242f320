import type { Simulation } from '../../src/runtime/sim/simulation.ts';

/** How one run of a world went. */
export interface Outcome {
  readonly world: string;
  readonly seed: number;
  /** Undefined: everything held. */
  readonly failure: string | undefined;
  /** Equal for equal histories. */
  readonly hash: string;
  readonly simulatedMs: number;
  readonly events: number;
  /** What the seed drew, and what was done. */
  readonly drawn: string;
}

export interface RunOptions {
  readonly onLog?: (line: string) => void;
  /** Virtual milliseconds under faults; drawn from the seed by default. */
  readonly durationMs?: number;
  /** Of the world of crash points: each operation of the disk, and not a few that the seed draws. */
  readonly everyPoint?: boolean;
}

/** A world that runs once, to its end or to the first thing that does not hold. */
export interface World {
  readonly sim: Simulation;
  readonly drawn: string;
  run(): Promise<void>;
  explain(error: unknown): string;
}

export async function outcomeOf(name: string, seed: number, world: World): Promise<Outcome> {
  let failure: string | undefined;
  try {
    await world.run();
  } catch (error) {
    failure = world.explain(error);
  }
  const { nowMs, historyHash, eventCount } = world.sim;
  return {
    world: name,
    seed,
    failure,
    hash: historyHash,
    simulatedMs: nowMs,
    events: eventCount,
    drawn: world.drawn,
  };
}
