import { closeSync, constants, open, rename } from 'node:fs';
import { dirname } from 'node:path';
import type { Completion, DiskError } from '../disk.ts';
import { diskError } from './node-file.ts';
import type { SystemCalls } from './system-calls.ts';

interface Waiting {
  bytes: Uint8Array;
  readonly done: Completion[];
}

/**
 * Whole files replaced durably, off the loop: `<path>.tmp`, sync, rename, sync of the directory.
 * A path has one replacement at a time, since they share the temporary name; of those that wait only the newest is written.
 */
export class Replacements {
  readonly #calls: SystemCalls;
  /** An entry for each path in flight, with what waits behind it. */
  readonly #paths = new Map<string, Waiting | undefined>();

  constructor(calls: SystemCalls) {
    this.#calls = calls;
  }

  replace(path: string, bytes: Uint8Array, done: Completion): void {
    if (!this.#paths.has(path)) {
      this.#paths.set(path, undefined);
      this.#write(path, bytes, [done]);
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

  #write(path: string, bytes: Uint8Array, done: readonly Completion[]): void {
    const temporary = `${path}.tmp`;
    const finish = (error?: DiskError): void => this.#finish(path, done, error);
    this.#writeSynced(temporary, bytes, (unwritten) => {
      if (unwritten !== undefined) {
        finish(unwritten);
        return;
      }
      rename(temporary, path, (unnamed) => {
        if (unnamed !== null) finish(diskError(unnamed, path, 'replaceFile'));
        else this.#withFile(dirname(path), constants.O_RDONLY, (fd, close) => this.#calls.fsync(fd, close), finish);
      });
    });
  }

  #writeSynced(path: string, bytes: Uint8Array, done: Completion): void {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC;
    const write = (fd: number, close: (error: unknown) => void): void => {
      const writeFrom = (position: number): void => {
        this.#calls.writev(fd, [bytes.subarray(position)], position, (error, written) => {
          if (error !== null) close(error);
          else if (position + written < bytes.length) writeFrom(position + written);
          else this.#calls.fsync(fd, close);
        });
      };
      writeFrom(0);
    };
    this.#withFile(path, flags, write, done);
  }

  #withFile(
    path: string,
    flags: number,
    act: (fd: number, close: (error: unknown) => void) => void,
    done: Completion,
  ): void {
    open(path, flags, 0o644, (unopened, fd) => {
      if (unopened !== null) {
        done(diskError(unopened, path, 'replaceFile'));
        return;
      }
      act(fd, (error) => {
        closeSync(fd);
        done(error === null ? undefined : diskError(error, path, 'replaceFile'));
      });
    });
  }

  #finish(path: string, done: readonly Completion[], error: DiskError | undefined): void {
    const waiting = this.#paths.get(path);
    if (waiting === undefined) {
      this.#paths.delete(path);
    } else {
      this.#paths.set(path, undefined);
      this.#write(path, waiting.bytes, waiting.done);
    }
    for (const each of done) each(error);
  }
}
