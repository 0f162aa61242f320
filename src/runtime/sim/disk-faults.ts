import type { Disk, File } from '../disk.ts';

/** The operations of disk and file that can fail. */
export type DiskOperation =
  | Exclude<keyof Disk, 'freeBytes' | 'buffers'>
  | Exclude<keyof File, 'path' | 'size' | 'end' | 'seek' | 'pendingAppends' | 'close'>;

export interface DiskFault {
  readonly operation: DiskOperation;
  /** EIO: a bad sector, a lost cable. ENOSPC: full. EACCES, EROFS: an operator, or a file system that gave up. */
  readonly code: string;
  /** Only for paths that contain this. */
  readonly path?: string;
  /** How often; once by default, `Infinity` until `repair`. */
  readonly count?: number;
}

/** Failures that a test has ordered. */
export class DiskFaults {
  #ordered: { readonly fault: DiskFault; left: number }[] = [];

  order(fault: DiskFault): void {
    this.#ordered.push({ fault, left: fault.count ?? 1 });
  }

  clear(): void {
    this.#ordered = [];
  }

  /** The code with which this operation is to fail. */
  take(operation: DiskOperation, path: string): string | undefined {
    if (this.#ordered.length === 0) return undefined;
    const found = this.#ordered.find(
      ({ fault }) => fault.operation === operation && (fault.path === undefined || path.includes(fault.path)),
    );
    if (found === undefined) return undefined;
    found.left -= 1;
    if (found.left <= 0) this.#ordered = this.#ordered.filter((each) => each !== found);
    return found.fault.code;
  }
}
