import type { Task } from '../compute.ts';

interface Order {
  readonly xor: number;
  /** Throws instead. */
  readonly fails: boolean;
  /** Steps of work before the result. */
  readonly steps: number;
  /** The result lies in memory of the task's own. */
  readonly isOwn: boolean;
}

/** Work for the contract of `Compute`. */
export const task: Task<Order, { readonly sum: number }> = {
  name: 'runtime/contract/compute-tasks',
  run({ xor, fails, steps, isOwn }, bytes, memory) {
    if (fails) throw new RangeError(`no result for ${xor}`);
    let sum = 0;
    for (let step = 0; step < steps; step += 1) sum = (Math.imul(sum, 31) + step) | 0;
    const into =
      isOwn || memory.length < bytes.length ? new Uint8Array(bytes.length) : memory.subarray(0, bytes.length);
    bytes.forEach((byte, index) => {
      into[index] = byte ^ xor;
    });
    return { output: { sum }, bytes: into };
  },
};
