import type { Disk, File } from '../disk.ts';

/** The operations of disk and file that can fail. */
export type DiskOperation =
  | Exclude<keyof Disk, 'freeBytes' | 'totalBytes' | 'buffers'>
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

/** What is to happen at one operation, whichever it will be. */
export interface DiskTrap {
  /** The how-manieth operation from now, from 1. */
  readonly at: number;
  /** Only those count that change the disk or make a change durable. */
  readonly changesOnly?: boolean;
  /**
   * A code: the operation fails with it. A function ends the process or the power in place of the operation; an append is done in
   * part first.
   */
  readonly act: string | (() => void);
}

const changes: ReadonlySet<DiskOperation> = new Set<DiskOperation>([
  'makeDirectory',
  'rename',
  'remove',
  'writeFile',
  'setModified',
  'replaceFile',
  'open',
  'syncDirectory',
  'append',
  'writeAt',
  'truncate',
  'sync',
]);

/** Failures that a test has ordered. */
export class DiskFaults {
  #ordered: { readonly fault: DiskFault; left: number }[] = [];
  #trap: DiskTrap | undefined;
  #untilTrap = 0;
  #sprung: (() => void) | undefined;
  /** Operations so far. */
  operationCount = 0;
  /** Those of them that change the disk or make a change durable. */
  changeCount = 0;

  order(fault: DiskFault): void {
    this.#ordered.push({ fault, left: fault.count ?? 1 });
  }

  /** Replaces a trap that was set before. */
  setTrap(trap: DiskTrap): void {
    this.#trap = trap;
    this.#untilTrap = trap.at;
  }

  /** A trap waits for its operation. */
  get isTrapSet(): boolean {
    return this.#trap !== undefined;
  }

  clear(): void {
    this.#ordered = [];
    this.#trap = undefined;
  }

  /** The code with which this operation is to fail. After an append that the trap cuts, `spring` must be called. */
  take(operation: DiskOperation, path: string): string | undefined {
    this.operationCount += 1;
    const isChange = changes.has(operation);
    if (isChange) this.changeCount += 1;
    if (this.#trap !== undefined) {
      const trapped = this.#reach(this.#trap, operation, isChange);
      if (trapped !== undefined) return trapped;
    }
    if (this.#ordered.length === 0) return undefined;
    const found = this.#ordered.find(
      ({ fault }) => fault.operation === operation && (fault.path === undefined || path.includes(fault.path)),
    );
    if (found === undefined) return undefined;
    found.left -= 1;
    if (found.left <= 0) this.#ordered = this.#ordered.filter((each) => each !== found);
    return found.fault.code;
  }

  /** What the trap holds for an append happens now that a part of it is written. */
  spring(): void {
    const act = this.#sprung;
    this.#sprung = undefined;
    act?.();
  }

  #reach(trap: DiskTrap, operation: DiskOperation, isChange: boolean): string | undefined {
    if (trap.changesOnly === true && !isChange) return undefined;
    this.#untilTrap -= 1;
    if (this.#untilTrap > 0) return undefined;
    this.#trap = undefined;
    if (typeof trap.act === 'string') return trap.act;
    this.#sprung = trap.act;
    if (operation !== 'append') this.spring();
    return 'EIO';
  }
}
