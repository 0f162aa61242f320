import { SimRandom, textHash } from '../../src/runtime/sim/sim-random.ts';
import { drawDisturbance, EVENTS_LATER, LogCrashRun, type LogDisturbance } from './log-crash-run.ts';
import { drawConfig, drawSteps } from './log-crash-workload.ts';
import type { Outcome, RunOptions } from './outcome.ts';

/** So many points of a seed where not all are asked for. */
const POINTS = 6;

/**
 * A broker's logs under one course of appends, truncations, deletions, compactions and moves, ended at the k-th change of their disk
 * or shortly after it, for each k. What comes up again must be what the books say.
 */
class LogCrashPointsWorld {
  readonly #seed: number;
  readonly #random: SimRandom;
  readonly #options: RunOptions;
  #hash = 0;
  #current = 'undisturbed';
  #simulatedMs = 0;
  #events = 0;
  #runs = 0;
  #recoveries = 0;
  #changes = 0;

  constructor(seed: number, options: RunOptions) {
    this.#seed = seed;
    this.#options = options;
    this.#random = new SimRandom(`log crash points ${seed}`);
  }

  async run(): Promise<void> {
    this.#changes = await this.#walk(undefined);
    for (const point of this.#points()) await this.#walk(point);
  }

  *#points(): Generator<LogDisturbance> {
    const random = this.#random.fork('points');
    if (this.#options.everyPoint !== true) {
      for (let count = 0; count < POINTS; count += 1) yield drawDisturbance(random, this.#changes);
      return;
    }
    for (let at = 1; at <= this.#changes; at += 1) {
      yield { kind: 'process', at };
      yield { kind: 'power', at };
      yield { kind: random.pick(['process', 'power'] as const), at, eventsLater: random.below(EVENTS_LATER) };
    }
  }

  /** The answer is how often the disk was changed. */
  async #walk(point: LogDisturbance | undefined): Promise<number> {
    const { kind, at, eventsLater } = point ?? {};
    const place = eventsLater === undefined ? `change ${at}` : `${eventsLater} events after change ${at}`;
    this.#current = point === undefined ? 'undisturbed' : `${kind} at ${place}`;
    const { onLog } = this.#options;
    const run = new LogCrashRun({
      seed: this.#seed,
      config: drawConfig(this.#random.fork('config')),
      steps: drawSteps(this.#random.fork('steps')),
      random: this.#random.fork(`run ${this.#current}`),
      ...(onLog === undefined ? {} : { onLog }),
    });
    await run.walk(point);
    this.#hash = textHash(`${this.#hash} ${run.sim.historyHash}`);
    this.#simulatedMs += run.sim.nowMs;
    this.#events += run.sim.eventCount;
    this.#recoveries += run.recoveries;
    this.#runs += 1;
    return run.machine.disk.faults.changeCount;
  }

  outcome(error: unknown): Outcome {
    const failure =
      error === undefined ? undefined : `${this.#current}: ${error instanceof Error ? error.message : String(error)}`;
    return {
      world: 'log-crash-points',
      seed: this.#seed,
      failure,
      hash: (this.#hash >>> 0).toString(16).padStart(8, '0'),
      simulatedMs: this.#simulatedMs,
      events: this.#events,
      drawn: `${this.#changes} changes of the disk; ${this.#runs} runs, ${this.#recoveries} starts`,
    };
  }
}

export async function runLogCrashPointsWorld(seed: number, options: RunOptions = {}): Promise<Outcome> {
  const world = new LogCrashPointsWorld(seed, options);
  try {
    await world.run();
  } catch (error) {
    return world.outcome(error);
  }
  return world.outcome(undefined);
}
