import { availableParallelism } from 'node:os';
import type { Slices } from '../../base/slices.ts';
import type { Compute, ComputeDone, Task } from '../compute.ts';
import { KEPT_BYTES_MAX } from './compute-messages.ts';
import { HelperThread } from './helper-thread.ts';

const THREADS_MAX = 2;
/** Helpers that had nothing to do for so long are dismissed, and their memory with them. */
const IDLE_MS = 60_000;
/** Memory is made in multiples of it: sizes differ from task to task, and what is used again has to fit. */
const BLOCK_BYTES = 262_144;

export interface NodeComputeOptions {
  /** ms; default a minute. */
  readonly idleMs?: number;
}

/** Threads that begin with the first task, one more when that is busy. */
export class NodeCompute implements Compute {
  readonly #idleMs: number;
  readonly #helpers = new Set<HelperThread>();
  /** Dismissed ones too, until they have ended. */
  readonly #threads = new Set<HelperThread>();
  /** Memory that came back, for the next inputs; of the threads' results, whose memory inputs become. */
  readonly #free: ArrayBuffer[] = [];
  #freeBytes = 0;
  #idle: NodeJS.Timeout | undefined;
  #lastId = 0;
  #closed = false;

  constructor({ idleMs = IDLE_MS }: NodeComputeOptions = {}) {
    this.#idleMs = idleMs;
  }

  /** Those that take tasks. */
  get helperCount(): number {
    return this.#helpers.size;
  }

  /** Those that have not ended: dismissed ones take a moment. */
  get threadCount(): number {
    return this.#threads.size;
  }

  run<I, O>(task: Task<I, O>, input: I, slices: Slices, done: ComputeDone<O>): void {
    if (this.#closed) return;
    const thread = this.#leastBusy();
    const bytes = this.#copyOf(slices);
    this.#lastId += 1;
    thread.run({ id: this.#lastId, task: task.name, input, bytes }, (error, result) => {
      this.#idle?.refresh();
      done(error, result as Parameters<typeof done>[1]);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#dismissAll();
  }

  #leastBusy(): HelperThread {
    let best: HelperThread | undefined;
    for (const helper of this.#helpers) {
      if (best === undefined || helper.pendingCount < best.pendingCount) best = helper;
    }
    const mayGrow = this.#helpers.size < Math.min(THREADS_MAX, availableParallelism());
    return best === undefined || (best.pendingCount > 0 && mayGrow) ? this.#engage() : best;
  }

  #engage(): HelperThread {
    const helper: HelperThread = new HelperThread({
      onFree: (memory) => this.#takeBack(memory),
      onEnd: () => {
        this.#helpers.delete(helper);
        this.#threads.delete(helper);
      },
    });
    this.#helpers.add(helper);
    this.#threads.add(helper);
    this.#watchIdleness();
    return helper;
  }

  #watchIdleness(): void {
    this.#idle ??= setTimeout(() => this.#isIdle(), this.#idleMs).unref();
  }

  #isIdle(): void {
    this.#idle = undefined;
    for (const { pendingCount } of this.#helpers) if (pendingCount > 0) return this.#watchIdleness();
    void this.#dismissAll();
  }

  async #dismissAll(): Promise<void> {
    clearTimeout(this.#idle);
    this.#idle = undefined;
    this.#free.length = 0;
    this.#freeBytes = 0;
    this.#helpers.clear();
    await Promise.all([...this.#threads].map((thread) => thread.dismiss()));
  }

  #copyOf(slices: Slices): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#memoryFor(slices.size), 0, slices.size);
    let at = 0;
    for (const chunk of slices.chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }

  #memoryFor(size: number): ArrayBuffer {
    const free = this.#free.pop();
    this.#freeBytes -= free?.byteLength ?? 0;
    if (free !== undefined && free.byteLength >= size) return free;
    return Buffer.allocUnsafeSlow(Math.max(1, Math.ceil(size / BLOCK_BYTES)) * BLOCK_BYTES).buffer;
  }

  #takeBack(memory: ArrayBuffer): void {
    if (this.#helpers.size === 0 || this.#freeBytes + memory.byteLength > KEPT_BYTES_MAX) return;
    this.#free.push(memory);
    this.#freeBytes += memory.byteLength;
  }
}
