import { SimRandom, textHash } from '../../src/runtime/sim/sim-random.ts';
import { CrashRun, type CrashRunOptions, type Disturbance, type Reference } from './crash-run.ts';
import { crashWorkload } from './crash-workload.ts';
import type { Outcome, RunOptions } from './outcome.ts';

/** So many points of each kind where not all are asked for. */
const POINTS_PER_KIND = 6;
const kinds = ['process', 'power', 'EIO', 'ENOSPC'] as const;

/**
 * One ZooKeeper, one fixed course of events, and every place at which its disk could be its undoing: the k-th operation is where
 * the process dies, the power fails, or the operation fails, for each k. What it must be afterwards is what it was undisturbed.
 */
class CrashPointsWorld {
  readonly #seed: number;
  readonly #random: SimRandom;
  readonly #options: CrashRunOptions;
  readonly #everyPoint: boolean;
  #hash = 0;
  #current = 'undisturbed';
  simulatedMs = 0;
  events = 0;
  runs = 0;
  recoveries = 0;
  operations = 0;

  constructor(seed: number, { onLog, everyPoint = false }: RunOptions) {
    this.#seed = seed;
    this.#random = new SimRandom(`crash points ${seed}`);
    this.#everyPoint = everyPoint;
    const gzip = this.#random.chance(1 / 2);
    const snapCount = this.#random.pick([6, 16, 40]);
    const steps = crashWorkload(this.#random.fork('workload'));
    this.#options = { seed, steps, gzip, snapCount, ...(onLog === undefined ? {} : { onLog }) };
  }

  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }

  get drawn(): string {
    const { gzip, snapCount, steps } = this.#options;
    const form = gzip ? 'gzip' : 'plain';
    return `${steps.length} steps, ${form} snapshots every ${snapCount}, ${this.operations} disk operations; ${this.runs} runs, ${this.recoveries} recoveries`;
  }

  explain(error: unknown): string {
    return `${this.#current}: ${error instanceof Error ? error.message : String(error)}`;
  }

  async run(): Promise<void> {
    const recording = new CrashRun(this.#options);
    const reference = await recording.record();
    this.#count(recording);
    const undisturbed = await this.#walk(reference, undefined);
    const { operationCount, changeCount } = undisturbed.machine.disk.faults;
    this.operations = operationCount;
    for (const kind of kinds) {
      const count = kind === 'process' || kind === 'power' ? changeCount : operationCount;
      for (const at of this.#points(count)) {
        const nested = this.#random.pick([undefined, 'process', 'power'] as const);
        await this.#walk(reference, nested === undefined ? { at, kind } : { at, kind, nested });
      }
    }
  }

  #points(count: number): number[] {
    if (this.#everyPoint) return Array.from({ length: count }, (_, index) => index + 1);
    return Array.from({ length: POINTS_PER_KIND }, () => 1 + this.#random.below(count));
  }

  async #walk(reference: Reference, disturbance: Disturbance | undefined): Promise<CrashRun> {
    const { at, kind, nested } = disturbance ?? {};
    const again = nested === undefined ? '' : `, and ${nested} at each change of every recovery`;
    this.#current = disturbance === undefined ? 'undisturbed' : `${kind} at disk operation ${at}${again}`;
    const run = new CrashRun(this.#options);
    await run.walk(reference, disturbance);
    this.#count(run);
    return run;
  }

  #count({ sim, recoveries }: CrashRun): void {
    this.#hash = textHash(`${this.#hash} ${sim.historyHash}`);
    this.simulatedMs += sim.nowMs;
    this.events += sim.eventCount;
    this.recoveries += recoveries;
    this.runs += 1;
  }

  outcome(failure: string | undefined): Outcome {
    const { simulatedMs, events, hash, drawn } = this;
    return { world: 'crash-points', seed: this.#seed, failure, hash, simulatedMs, events, drawn };
  }
}

export async function runCrashPointsWorld(seed: number, options: RunOptions = {}): Promise<Outcome> {
  const world = new CrashPointsWorld(seed, options);
  let failure: string | undefined;
  try {
    await world.run();
  } catch (error) {
    failure = world.explain(error);
  }
  return world.outcome(failure);
}
