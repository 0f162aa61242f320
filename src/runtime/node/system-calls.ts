import { fdatasync, fsync, read, readSync, writeSync, writev, writevSync } from 'node:fs';

/** The calls that carry data, as node:fs has them. Tests put failing ones in their place: a short write, a full disk, a failed sync. */
export interface SystemCalls {
  readonly writeSync: (fd: number, bytes: Uint8Array, offset: number, length: number, position: number) => number;
  readonly writevSync: (fd: number, buffers: Uint8Array[], position: number) => number;
  readonly writev: (fd: number, buffers: Uint8Array[], position: number, done: Counted) => void;
  readonly readSync: (fd: number, bytes: Uint8Array, offset: number, length: number, position: number) => number;
  readonly read: (
    fd: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number,
    done: Counted,
  ) => void;
  readonly fdatasync: (fd: number, done: Done) => void;
  readonly fsync: (fd: number, done: Done) => void;
}

export type Counted = (error: NodeJS.ErrnoException | null, count: number) => void;
export type Done = (error: NodeJS.ErrnoException | null) => void;

export const systemCalls: SystemCalls = { writeSync, writevSync, writev, readSync, read, fdatasync, fsync };
