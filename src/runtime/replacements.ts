import type { Completion, DiskError } from './disk.ts';

interface Waiting {
  bytes: Uint8Array;
  readonly done: Completion[];
}

/**
 * The order of `replaceFile`. A path has one replacement at a time, since all share the temporary name; of those that wait only
 * the newest is written, and answers for the older ones.
 */
export class Replacements {
  readonly #write: (path: string, bytes: Uint8Array, done: Completion) => void;
  /** An entry for each path in flight, with what waits behind it. */
  readonly #paths = new Map<string, Waiting | undefined>();

  constructor(write: (path: string, bytes: Uint8Array, done: Completion) => void) {
    this.#write = write;
  }

  replace(path: string, bytes: Uint8Array, done: Completion): void {
    if (!this.#paths.has(path)) {
      this.#paths.set(path, undefined);
      this.#begin(path, bytes, [done]);
      return;
    }
    const waiting = this.#paths.get(path);
    if (waiting === undefined) {
      this.#paths.set(path, { bytes, done: [done] });
    } else {
      waiting.bytes = bytes;
      waiting.done.push(done);
    }
  }

  #begin(path: string, bytes: Uint8Array, done: readonly Completion[]): void {
    this.#write(path, bytes, (error?: DiskError) => {
      const waiting = this.#paths.get(path);
      if (waiting === undefined) {
        this.#paths.delete(path);
      } else {
        this.#paths.set(path, undefined);
        this.#begin(path, waiting.bytes, waiting.done);
      }
      for (const each of done) each(error);
    });
  }
}
