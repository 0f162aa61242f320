import type { Completion, DiskError } from '../../runtime/disk.ts';

/** An operation of the disk as a promise, for what is done one after the other. Rejects with DiskError. */
export function completed(begin: (done: Completion) => void): Promise<void> {
  return new Promise((resolve, reject) =>
    begin((error?: DiskError) => (error === undefined ? resolve() : reject(error))),
  );
}
