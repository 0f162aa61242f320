import type { Slices } from '../base/slices.ts';

/** What a task makes of its bytes. */
export interface Computed<O> {
  readonly output: O;
  /** A view of the memory that the task was given for it, or of memory that belongs to nothing else. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Work that takes longer than the loop should be held for. A pure function: what comes out depends on what went in alone, so that
 * it does not matter where it runs.
 */
export interface Task<I, O> {
  /** The module that exports it as `task`: where it lies below the root of the sources, without the ending. */
  readonly name: string;
  /**
   * @param input a plain object: it is copied to where the task runs
   * @param bytes valid until the task returns
   * @param memory may be used for the result, and holds anything
   */
  run(input: I, bytes: Uint8Array, memory: Uint8Array<ArrayBuffer>): Computed<O>;
}

/** A result, in memory that is lent. */
export interface Lent<O> extends Computed<O> {
  /**
   * Once, when nothing reads `bytes` any more. Where that cannot be told, never: the collector has them then, which costs time and
   * no bytes.
   */
  giveBack(): void;
}

/** The task was lost: it threw, or what ran it ended. Whether it is worth another try only the caller knows. */
export class ComputeError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ComputeError';
  }
}

export type ComputeDone<O> = (error: ComputeError | undefined, result: Lent<O> | undefined) => void;

/** Runs tasks beside the loop. What comes back does so in any order. */
export interface Compute {
  /** The bytes are copied before it returns. `done` is called once, later, unless `close` comes before it. */
  run<I, O>(task: Task<I, O>, input: I, bytes: Slices, done: ComputeDone<O>): void;
  /** Nothing is answered any more, to tasks of later either. Resolves when nothing of it runs. */
  close(): Promise<void>;
}
