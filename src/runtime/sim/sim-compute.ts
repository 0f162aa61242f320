import { copyOf, type Slices } from '../../base/slices.ts';
import { type Compute, type ComputeDone, ComputeError, type Lent, type Task } from '../compute.ts';
import { fraction } from '../random.ts';
import type { Scheduler, SimProcess } from './scheduler.ts';
import type { SimRandom } from './sim-random.ts';

/** A task takes so long at most. */
const TASK_MS_MAX = 5;
/** What memory looks like that was given back. */
const SPOILT = 0xdb;

/** What a machine wants of its computes, and knows of them. */
export interface ComputeOrders {
  /** So many of the next tasks are lost. */
  lossCount: number;
  /** Those that nobody has closed. */
  openCount: number;
}

/**
 * Runs a task at once and answers at a drawn moment, so that others overtake it. What the real one forbids does not go unnoticed:
 * the input is a copy, the result leaves the task's memory for good, and memory that is given back is spoilt.
 */
export class SimCompute implements Compute {
  readonly #scheduler: Scheduler;
  readonly #random: SimRandom;
  readonly #process: SimProcess;
  readonly #orders: ComputeOrders;
  #closed = false;

  constructor(scheduler: Scheduler, random: SimRandom, process: SimProcess, orders: ComputeOrders) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#process = process;
    this.#orders = orders;
    orders.openCount += 1;
  }

  run<I, O>(task: Task<I, O>, input: I, bytes: Slices, done: ComputeDone<O>): void {
    if (this.#closed) return;
    const isLost = this.#orders.lossCount > 0;
    if (isLost) this.#orders.lossCount -= 1;
    const { error, result } = isLost ? { error: new ComputeError('lost') } : outcomeOf(task, input, bytes);
    this.#scheduler.after(fraction(this.#random) * TASK_MS_MAX, 'compute', bytes.size, this.#process, () => {
      if (!this.#closed) done(error, result);
    });
  }

  close(): Promise<void> {
    if (!this.#closed) this.#orders.openCount -= 1;
    this.#closed = true;
    return Promise.resolve();
  }
}

interface Outcome<O> {
  readonly error?: ComputeError;
  readonly result?: Lent<O>;
}

function outcomeOf<I, O>(task: Task<I, O>, input: I, bytes: Slices): Outcome<O> {
  try {
    const memory = new Uint8Array(bytes.size).fill(SPOILT);
    const computed = task.run(structuredClone(input), copyOf(bytes), memory);
    const { output, bytes: result } = structuredClone(computed, { transfer: [computed.bytes.buffer] });
    return { result: { output, bytes: result, giveBack: () => void result.fill(SPOILT) } };
  } catch (cause) {
    return { error: new ComputeError(String(cause), { cause }) };
  }
}
