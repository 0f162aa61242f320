import { Heap } from '../../base/heap.ts';
import { History } from './history.ts';

/** Times are whole multiples of 2^-10 ms: sums and differences of such numbers are exact, so no deadline is missed by rounding. */
const ticksPerMs = 1024;

export interface SimEvent {
  atMs: number;
  sequence: number;
  readonly kind: string;
  readonly size: number;
  /** Undefined for what the network, a kernel or a disk does by itself. */
  readonly process: SimProcess | undefined;
  /** Undefined once cancelled. */
  run: (() => void) | undefined;
}

/** One life of a server process. What a dead one has asked for never happens; what a stalled one is owed waits for it. */
export class SimProcess {
  readonly machine: string;
  readonly startedMs: number;
  alive = true;
  stalled = false;
  /** Events that came due in a stall. */
  readonly overdue: SimEvent[] = [];
  /** Takes what a callback of this process throws; without it the run fails. */
  readonly onFatal: (error: unknown) => boolean;

  constructor(machine: string, startedMs: number, onFatal: (error: unknown) => boolean) {
    this.machine = machine;
    this.startedMs = startedMs;
    this.onFatal = onFatal;
  }
}

/** Virtual time and the queue of what happens next: by time, then by the order of asking. */
export class Scheduler {
  readonly history = new History();
  readonly #queue = new Heap<SimEvent>((a, b) => a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence));
  #nowMs = 0;
  #sequence = 0;
  #failure: { readonly error: unknown; readonly machine: string } | undefined;

  get nowMs(): number {
    return this.#nowMs;
  }

  /** What a callback threw and nobody took. */
  get failure(): { readonly error: unknown; readonly machine: string } | undefined {
    return this.#failure;
  }

  /** When the next event is due. */
  get nextMs(): number | undefined {
    for (;;) {
      const next = this.#queue.peek();
      if (next === undefined) return undefined;
      if (next.run !== undefined && next.process?.alive !== false) return next.atMs;
      this.#queue.pop();
    }
  }

  after(delayMs: number, kind: string, size: number, process: SimProcess | undefined, run: () => void): SimEvent {
    const delay = delayMs > 0 ? Math.ceil(delayMs * ticksPerMs) / ticksPerMs : 0;
    const event = { atMs: this.#nowMs + delay, sequence: this.#sequence, kind, size, process, run };
    this.#sequence += 1;
    this.#queue.push(event);
    return event;
  }

  /** Runs the next event; false when nothing is left. Several promises may want to settle before the one after it. */
  runNext(): boolean {
    if (this.nextMs === undefined) return false;
    const event = this.#queue.pop()!;
    this.#nowMs = event.atMs;
    const { process, run } = event;
    if (process === undefined) {
      run!();
    } else if (process.stalled) {
      process.overdue.push(event);
    } else {
      event.run = undefined;
      this.within(process, event.kind, event.size, run!);
    }
    return true;
  }

  /** Runs what belongs to a process now, as an event of its own. */
  within(process: SimProcess, kind: string, size: number, run: () => void): void {
    this.history.record(this.#nowMs, process.machine, kind, size);
    try {
      run();
    } catch (error) {
      // Who died within this event throws into nothing.
      if (process.alive && !process.onFatal(error)) this.#failure ??= { error, machine: process.machine };
    }
  }

  /** Tells a process now, or when it runs again. */
  deliver(process: SimProcess, kind: string, size: number, run: () => void): void {
    if (process.stalled) this.after(0, kind, size, process, run);
    else if (process.alive) this.within(process, kind, size, run);
  }

  /** Time passes with nothing in it. */
  skipTo(ms: number): void {
    if (ms > this.#nowMs) this.#nowMs = Math.ceil(ms * ticksPerMs) / ticksPerMs;
  }

  /**
   * What an event loop does with what came due while it did not run: first the timers, then the poll phase with all that waits in
   * the kernel, then the check phase; what those callbacks ask for comes after.
   */
  wake(process: SimProcess): void {
    process.stalled = false;
    const overdue = process.overdue.splice(0);
    overdue.sort((a, b) => phaseOf(a) - phaseOf(b)); // stable
    for (const event of overdue) {
      event.atMs = this.#nowMs;
      event.sequence = this.#sequence;
      this.#sequence += 1;
      this.#queue.push(event);
    }
  }
}

function phaseOf(event: SimEvent): number {
  if (event.kind === 'timer') return 0;
  return event.kind === 'soon' || event.kind === 'after-poll' ? 2 : 1;
}
