import { closeSync, constants, open, rename } from 'node:fs';
import { dirname } from 'node:path';
import type { Completion } from '../disk.ts';
import { diskError } from './node-file.ts';
import type { SystemCalls } from './system-calls.ts';

/** A whole file replaced durably, off the loop: `<path>.tmp`, sync, rename, sync of the directory. */
export function replaceFile(calls: SystemCalls, path: string, bytes: Uint8Array, done: Completion): void {
  const temporary = `${path}.tmp`;
  writeSynced(calls, temporary, bytes, (unwritten) => {
    if (unwritten !== undefined) {
      done(unwritten);
      return;
    }
    rename(temporary, path, (unnamed) => {
      if (unnamed !== null) done(diskError(unnamed, path, 'replaceFile'));
      else withFile(dirname(path), constants.O_RDONLY, (fd, close) => calls.fsync(fd, close), done);
    });
  });
}

function writeSynced(calls: SystemCalls, path: string, bytes: Uint8Array, done: Completion): void {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC;
  const write = (fd: number, close: (error: unknown) => void): void => {
    const writeFrom = (position: number): void => {
      calls.writev(fd, [bytes.subarray(position)], position, (error, written) => {
        if (error !== null) close(error);
        else if (position + written < bytes.length) writeFrom(position + written);
        else calls.fsync(fd, close);
      });
    };
    writeFrom(0);
  };
  withFile(path, flags, write, done);
}

/** Opens, acts, closes, and passes the first failure on. */
function withFile(
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
