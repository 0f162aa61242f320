import { assert } from '../../base/assert.ts';
import { Scheduler } from './scheduler.ts';
import { afterPromises } from './settle.ts';
import { SimMachine } from './sim-machine.ts';
import { SimNetwork } from './sim-network.ts';
import { SimRandom } from './sim-random.ts';

export interface SimulationOptions {
  readonly seed: number | string;
  /** Milliseconds since 1970 when the world begins. */
  readonly wallStartMs?: number;
  /** Hears every line that a machine logs. */
  readonly onLog?: (line: string) => void;
}

/** The run failed: a callback threw, an invariant does not hold, or what was waited for did not come. */
export class SimulationError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SimulationError';
  }
}

/**
 * A world of machines from one seed. It takes the next event, runs it, lets every promise settle, checks the invariants, and takes
 * the next; time jumps from event to event. The same seed and the same code give the same history.
 */
export class Simulation {
  readonly seed: number | string;
  readonly network: SimNetwork;
  /** For what a test draws itself: fork it under a name of its own. */
  readonly random: SimRandom;
  readonly #options: SimulationOptions;
  readonly #scheduler = new Scheduler();
  readonly #machines = new Map<string, SimMachine>();
  readonly #invariants: { readonly name: string; readonly check: () => void }[] = [];
  #running = false;

  constructor(options: SimulationOptions) {
    this.seed = options.seed;
    this.#options = options;
    this.random = new SimRandom(`seed ${options.seed}`);
    this.network = new SimNetwork(this.#scheduler, this.random.fork('network'));
  }

  /** Milliseconds since the world began. */
  get nowMs(): number {
    return this.#scheduler.nowMs;
  }

  /** Equal for equal histories. */
  get historyHash(): string {
    return this.#scheduler.history.hash;
  }

  get eventCount(): number {
    return this.#scheduler.history.count;
  }

  get machines(): Iterable<SimMachine> {
    return this.#machines.values();
  }

  /** The last events, one a line. */
  trace(lines = 60): string {
    return this.#scheduler.history.trace(lines);
  }

  /** A new machine; its name resolves to its address. */
  machine(name: string, options: { readonly host?: string } = {}): SimMachine {
    assert(!this.#machines.has(name), 'two machines of one name', name);
    const count = this.#machines.size + 1;
    const host = options.host ?? `10.0.${count >> 8}.${count & 255}`;
    const machine = new SimMachine(
      {
        scheduler: this.#scheduler,
        network: this.network,
        random: this.random,
        wallStartMs: this.#options.wallStartMs ?? 1_790_000_000_000,
        log: (from, level, text) => this.#log(from, level, text),
      },
      name,
      host,
    );
    this.#machines.set(name, machine);
    return machine;
  }

  /** Checked after every event; throws where it does not hold. */
  invariant(name: string, check: () => void): void {
    this.#invariants.push({ name, check });
  }

  /** Lets so much time pass. */
  async runFor(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms;
    await this.#run(() => false, untilMs);
    this.#scheduler.skipTo(untilMs);
  }

  /** Until something is true; asked after every event. */
  async runUntil(condition: () => boolean, limitMs: number): Promise<void> {
    const reached = await this.#run(condition, this.nowMs + limitMs);
    if (!reached) throw this.#error(`not true within ${limitMs} ms: ${condition}`);
  }

  /** Runs the world until a promise settles, and answers for it. */
  async complete<T>(promise: Promise<T>, limitMs = 60_000): Promise<T> {
    let settled = false;
    const mark = () => {
      settled = true;
    };
    promise.then(mark, mark);
    const reached = await this.#run(() => settled, this.nowMs + limitMs);
    if (!reached) throw this.#error(`a promise did not settle within ${limitMs} ms`);
    return promise;
  }

  /** Lets every promise settle without moving time. */
  settle(): Promise<void> {
    return new Promise((resolve) => afterPromises(resolve));
  }

  /** True when the condition came true, false when the time is over or nothing is left to happen. */
  #run(condition: () => boolean, untilMs: number): Promise<boolean> {
    assert(!this.#running, 'the world runs once at a time: await the earlier run');
    this.#running = true;
    return new Promise<boolean>((resolve, reject) => {
      const turn = (): void => {
        try {
          const outcome = this.#turn(condition, untilMs);
          if (outcome === undefined) {
            afterPromises(turn);
            return;
          }
          this.#running = false;
          resolve(outcome);
        } catch (error) {
          this.#running = false;
          reject(error);
        }
      };
      afterPromises(turn);
    });
  }

  /** Everything has settled: check, and run one more event. */
  #turn(condition: () => boolean, untilMs: number): boolean | undefined {
    this.#check();
    if (condition()) return true;
    const nextMs = this.#scheduler.nextMs;
    if (nextMs === undefined || nextMs > untilMs) return false;
    this.#scheduler.runNext();
    return undefined;
  }

  #check(): void {
    const { failure } = this.#scheduler;
    if (failure !== undefined) {
      throw this.#error(`${failure.machine}: ${messageOf(failure.error)}`, { cause: failure.error });
    }
    for (const { name, check } of this.#invariants) {
      try {
        check();
      } catch (error) {
        throw this.#error(`invariant "${name}": ${messageOf(error)}`, { cause: error });
      }
    }
  }

  #log(machine: string, level: string, text: string): void {
    this.#scheduler.history.record(this.nowMs, machine, level, text);
    this.#options.onLog?.(`${this.nowMs.toFixed(3).padStart(12)} ${machine} ${level} ${text}`);
  }

  #error(message: string, options?: ErrorOptions): SimulationError {
    return new SimulationError(`seed ${this.seed}, at ${this.nowMs} ms: ${message}\n${this.trace()}`, options);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
