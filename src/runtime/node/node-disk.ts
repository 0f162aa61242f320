import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statfsSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { BufferPool } from '../buffer-pool.ts';
import type { Completion, DirectoryEntry, Disk, DiskLock, File, FileStat, OpenOptions } from '../disk.ts';
import { Replacements } from '../replacements.ts';
import { diskError, NodeFile } from './node-file.ts';
import { lockDirectory } from './node-lock.ts';
import { replaceFile } from './replace-file.ts';
import { type SystemCalls, systemCalls } from './system-calls.ts';

export class NodeDisk implements Disk {
  readonly #calls: SystemCalls;
  readonly #replacements: Replacements;
  /**
   * Consumers read a megabyte at once unless told otherwise, and the largest batch that is let in by default is a little larger.
   * A quarter of it is the least, so that what slow readers hold is no more than four times of what is counted.
   */
  readonly buffers = new BufferPool({ bufferBytes: (1 << 20) + 4096, lentFromBytes: 1 << 18, freeBytesMax: 32 << 20 });

  constructor(calls: SystemCalls = systemCalls) {
    this.#calls = calls;
    this.#replacements = new Replacements((path, bytes, done) => replaceFile(calls, path, bytes, done));
  }

  list(directory: string): readonly DirectoryEntry[] {
    const entries = attempt('list', directory, () => readdirSync(directory, { withFileTypes: true }));
    return entries
      .map((entry) => ({
        name: entry.name,
        kind: entry.isSymbolicLink() ? kindAt(join(directory, entry.name)) : kindOf(entry),
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  stat(path: string): FileStat | undefined {
    const found = attempt('stat', path, () => statSync(path, { throwIfNoEntry: false }));
    return found && { kind: kindOf(found), size: found.size, modifiedMs: Math.floor(found.mtimeMs) };
  }

  makeDirectory(path: string): void {
    attempt('makeDirectory', path, () => mkdirSync(path, { recursive: true }));
  }

  rename(from: string, to: string): void {
    attempt('rename', from, () => renameSync(from, to));
  }

  remove(path: string): void {
    attempt('remove', path, () => rmSync(path, { recursive: true, force: true }));
  }

  readFile(path: string): Uint8Array {
    return attempt('readFile', path, () => readFileSync(path));
  }

  writeFile(path: string, bytes: Uint8Array): void {
    attempt('writeFile', path, () => writeFileSync(path, bytes));
  }

  setModified(path: string, modifiedMs: number): void {
    attempt('setModified', path, () => utimesSync(path, modifiedMs / 1000, modifiedMs / 1000));
  }

  replaceFile(path: string, bytes: Uint8Array, done: Completion): void {
    this.#replacements.replace(path, bytes, done);
  }

  open(path: string, options: OpenOptions = {}): File {
    const access = options.readOnly ? constants.O_RDONLY : constants.O_RDWR;
    const fd = attempt('open', path, () => openSync(path, access | (options.create ? constants.O_CREAT : 0), 0o644));
    return attempt('open', path, () => new NodeFile(path, fd, options.readOnly === true, this.#calls));
  }

  syncDirectory(path: string, done: Completion): void {
    let fd: number;
    try {
      fd = openSync(path, constants.O_RDONLY);
    } catch (error) {
      done(diskError(error, path, 'syncDirectory'));
      return;
    }
    this.#calls.fsync(fd, (error) => {
      closeSync(fd);
      done(error === null ? undefined : diskError(error, path, 'syncDirectory'));
    });
  }

  lock(path: string): DiskLock {
    return attempt('lock', path, () => lockDirectory(path));
  }

  freeBytes(path: string): number {
    const { bavail, bsize } = attempt('freeBytes', path, () => statfsSync(path));
    return bavail * bsize;
  }

  totalBytes(path: string): number {
    const { blocks, bsize } = attempt('totalBytes', path, () => statfsSync(path));
    return blocks * bsize;
  }
}

function attempt<T>(operation: string, path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw diskError(error, path, operation);
  }
}

function kindOf(found: Pick<Stats, 'isDirectory'>): 'file' | 'directory' {
  return found.isDirectory() ? 'directory' : 'file';
}

/** What a symbolic link leads to; log directories are often links to another disk. */
function kindAt(path: string): 'file' | 'directory' {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? 'file' : kindOf(found);
}
