import type { BufferPool } from './buffer-pool.ts';

/**
 * Files. What a crash keeps: `process` keeps every byte that append, writeAt or a whole-file write took; `power` keeps of a
 * file only what a finished `sync` covered (the last write may be torn), and of a directory only the names that a finished
 * `syncDirectory` covered.
 *
 * Small operations on names and short reads are synchronous: they take microseconds, and they keep recovery simple. Whatever
 * may wait for the platters takes a completion.
 */
export interface Disk {
  /** Names in a directory, sorted. @throws DiskError ENOENT */
  list(directory: string): readonly DirectoryEntry[];
  /** Undefined where nothing is. */
  stat(path: string): FileStat | undefined;
  /** Creates missing parents too; fine if it is there. */
  makeDirectory(path: string): void;
  /** Atomic; replaces a file of that name. */
  rename(from: string, to: string): void;
  /** A file, or a directory with all that is in it; fine if it is gone. */
  remove(path: string): void;
  /** @throws DiskError ENOENT */
  readFile(path: string): Uint8Array;
  /** Creates or replaces; durable only after a sync of file and directory, so for what may be lost. */
  writeFile(path: string, bytes: Uint8Array): void;
  /** Sets when a file was last modified: whole milliseconds since 1970. @throws DiskError ENOENT */
  setModified(path: string, modifiedMs: number): void;
  /** Durable and atomic: `<path>.tmp`, sync, rename, sync of the directory. Checkpoints. */
  replaceFile(path: string, bytes: Uint8Array, done: Completion): void;
  /** @throws DiskError ENOENT unless `create` */
  open(path: string, options?: OpenOptions): File;
  syncDirectory(path: string, done: Completion): void;
  /**
   * Excludes every other process from a directory until released.
   * @throws DiskError EBUSY, naming the holder where it is known
   */
  lock(path: string): DiskLock;
  /** Bytes free for us on the file system of a path. */
  freeBytes(path: string): number;
  /** Bytes of the whole file system of a path. */
  totalBytes(path: string): number;
  /** Memory for `File.read`, used again. */
  readonly buffers: BufferPool;
}

export interface OpenOptions {
  /** Creates the file when missing (its parent directory must exist). */
  readonly create?: boolean;
  /** Only reading. */
  readonly readOnly?: boolean;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly kind: 'file' | 'directory';
}

export interface FileStat {
  readonly kind: 'file' | 'directory';
  readonly size: number;
  /** Whole milliseconds since 1970. */
  readonly modifiedMs: number;
}

export interface DiskLock {
  release(): void;
}

/** `error` undefined means it is done. A completion may be called before the call returns. */
export type Completion = (error?: DiskError) => void;

/** `count` bytes were read; after an error the buffer holds anything. */
export type ReadDone = (error: DiskError | undefined, count: number) => void;

export interface File {
  readonly path: string;
  /** Bytes that the file has now: what a reader could see. An append in flight counts when it is done. */
  readonly size: number;
  /** Where the next append goes. Starts at `size`; a preallocated file sets it back (`seek`). */
  readonly end: number;
  /** Only while no append is pending. */
  seek(end: number): void;
  /**
   * Writes all the buffers at `end` and moves it. Small and idle: at once, `done` before the return; large or while another is in
   * flight: later, in order. The buffers must not be changed until then. After a failure nothing of this append counts:
   * `end` is where it was, later appends in the queue fail too, and bytes beyond `end` are garbage.
   */
  append(buffers: readonly Uint8Array[], done: Completion): void;
  /** Appends not yet done. */
  readonly pendingAppends: number;
  /** At once, at a place inside or after the file; does not move `end`. Headers and index entries. */
  writeAt(position: number, bytes: Uint8Array): void;
  /**
   * At once; up to `length` bytes, fewer at the end of the file. Short reads: recovery, index lookups. The bytes are the caller's
   * own, or lie in `memory` of at least `length` bytes where that is given.
   */
  readAt(position: number, length: number, memory?: Uint8Array): Uint8Array;
  /**
   * Later; large or cold reads of a busy server. Fills `into`, or less of it at the end of the file; until `done` it belongs to
   * the system.
   */
  read(position: number, into: Uint8Array, done: ReadDone): void;
  /** Shortens, or extends with zeros without moving `end`; `end` never stays beyond the new size. Not while appends are pending. */
  truncate(size: number): void;
  /** Data on stable storage (fdatasync): covers all appends done before the call. */
  sync(done: Completion): void;
  /** No calls after it; what was asked for before is still done, and its completions come. */
  close(): void;
}

/** The disk's fault, or the caller's (ENOENT). */
export class DiskError extends Error {
  /** ENOENT, ENOSPC, EIO, EACCES, EBUSY, … */
  readonly code: string;
  readonly path: string;

  constructor(code: string, path: string, operation: string, options?: ErrorOptions) {
    super(`${operation} ${path}: ${code}`, options);
    this.name = 'DiskError';
    this.code = code;
    this.path = path;
  }
}

/** Bytes on the disk that cannot be what they claim to be. Only recovery catches it. */
export class CorruptionError extends Error {
  readonly path: string;
  readonly position: number;

  constructor(path: string, position: number, what: string) {
    super(`${path} at byte ${position}: ${what}`);
    this.name = 'CorruptionError';
    this.path = path;
    this.position = position;
  }
}
