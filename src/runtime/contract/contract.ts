import type { Completion, DiskError } from '../disk.ts';
import type { Runtime } from '../runtime.ts';

/** A world in which a runtime shows that it keeps the contract. */
export interface ContractWorld {
  readonly runtime: Runtime;
  /** Where the listeners of the cases listen and connect to. */
  readonly host: string;
  /** An empty directory. */
  readonly directory: string;
  /** Lets the world go on until a promise settles. */
  readonly complete: <T>(promise: Promise<T>) => Promise<T>;
  /** The next write or sync of a file fails; a failing append has written a part. */
  readonly failNext: (operation: 'append' | 'sync', code: string) => void;
}

/** What every runtime must do, by a sentence that says it. */
export interface ContractCase {
  readonly name: string;
  readonly run: (world: ContractWorld) => Promise<void>;
}

/** A completion as a promise of its error. */
export function outcome(act: (done: Completion) => void): Promise<DiskError | undefined> {
  return new Promise((resolve) => act(resolve));
}

/** Real time or virtual time passes. */
export function pass(world: ContractWorld, ms: number): Promise<void> {
  return world.complete(new Promise((resolve) => void world.runtime.clock.after(ms, resolve)));
}

/** Every completion and callback that is due now has been called. */
export function turn(world: ContractWorld): Promise<void> {
  return world.complete(new Promise((resolve) => world.runtime.clock.afterPoll(resolve)));
}
