import { BufferPool } from '../buffer-pool.ts';
import {
  type Completion,
  type DirectoryEntry,
  type Disk,
  DiskError,
  type DiskLock,
  type File,
  type FileStat,
  type OpenOptions,
} from '../disk.ts';
import { Replacements } from '../replacements.ts';
import { type DiskFault, DiskFaults, type DiskOperation, type DiskTrap } from './disk-faults.ts';
import type { Scheduler, SimProcess } from './scheduler.ts';
import type { WallClock } from './sim-clock.ts';
import { SimFile } from './sim-file.ts';
import { pageBytes, SimInode, type Space, type SyncTicket } from './sim-inode.ts';
import type { SimRandom } from './sim-random.ts';
import { type SimNode, SimTree } from './sim-tree.ts';

/** 100 GiB. */
const DISK_PAGES = 100 * 2 ** 18;

/** A machine's disk: what is on it outlives the machine's processes, and tests break it here. */
export class SimDisk {
  readonly scheduler: Scheduler;
  readonly random: SimRandom;
  readonly faults = new DiskFaults();
  readonly tree = new SimTree();
  /** Appends that a kernel is working on: a process that dies leaves a part of them. */
  readonly writing = new Set<SimFile>();
  readonly locks = new Map<string, SimProcess>();
  readonly #wall: WallClock;
  #freePages = DISK_PAGES;

  constructor(scheduler: Scheduler, random: SimRandom, wall: WallClock) {
    this.scheduler = scheduler;
    this.random = random;
    this.#wall = wall;
  }

  /** The next operation of this kind fails. */
  failNext(fault: DiskFault): void {
    this.faults.order(fault);
  }

  /** Something happens at the operation of that number, counted from now. */
  setTrap(trap: DiskTrap): void {
    this.faults.setTrap(trap);
  }

  /** Ordered failures are over; the room that was taken is free again. */
  repair(): void {
    this.faults.clear();
    this.#freePages = DISK_PAGES;
  }

  /** Somebody fills the disk: so many bytes are left, in whole pages. What is beyond fails with ENOSPC, after a part was written. */
  fill(freeBytes: number): void {
    this.#freePages = Math.floor(freeBytes / pageBytes);
  }

  /** Bit rot, or a stray write: one bit of a file differs from what was written. */
  corrupt(path: string, position: number): void {
    this.inodeAt(path, 'corrupt').flipBit(position);
  }

  /** The content of a file, for the test's own eyes: no fault applies. */
  peek(path: string): Uint8Array {
    const inode = this.inodeAt(path, 'peek');
    return inode.read(0, inode.size);
  }

  get freeBytes(): number {
    return this.#freePages * pageBytes;
  }

  readonly space: Space = {
    take: () => {
      if (this.#freePages === 0) return false;
      this.#freePages -= 1;
      return true;
    },
    give: (pages) => {
      this.#freePages += pages;
    },
  };

  get wallMs(): number {
    return Math.floor(this.scheduler.nowMs + this.#wall.offsetMs);
  }

  inodeAt(path: string, operation: string): SimInode {
    const node = this.tree.find(path);
    if (node === undefined) throw new DiskError('ENOENT', path, operation);
    if (node.kind === 'directory') throw new DiskError('EISDIR', path, operation);
    return node;
  }

  /** A flash disk's sync, with the rare long one that everybody meets in production. */
  syncMs(): number {
    return this.random.chance(1 / 100) ? this.random.between(5, 100) : this.random.between(0.1, 1.5);
  }

  /** A trip to the thread pool and the copy into the page cache at 2 GB/s. */
  transferMs(size: number): number {
    return this.random.between(0.03, 0.1) + size / 2_000_000;
  }

  /** Every byte that a finished call took is there, of those in flight a part. */
  processDied(process: SimProcess): void {
    for (const file of this.writing) if (file.process === process) file.die();
    for (const [path, holder] of this.locks) if (holder === process) this.locks.delete(path);
  }

  losePower(): void {
    this.tree.losePower(this.random);
  }

  /** The disk as one process uses it. */
  on(process: SimProcess): Disk {
    return new SimDiskView(this, process);
  }
}

class SimDiskView implements Disk {
  readonly #disk: SimDisk;
  readonly #process: SimProcess;
  readonly #replacements: Replacements;
  /** Lent for the smallest read, few are kept, and what is given back too early is found out. */
  readonly buffers = new BufferPool({ bufferBytes: 1 << 20, lentFromBytes: 1, freeBytesMax: 4 << 20, fillByte: 0xdb });

  constructor(disk: SimDisk, process: SimProcess) {
    this.#disk = disk;
    this.#process = process;
    this.#replacements = new Replacements((path, bytes, done) => this.#replace(path, bytes, done));
  }

  list(directory: string): readonly DirectoryEntry[] {
    this.#begin('list', directory);
    const node = this.#disk.tree.find(directory);
    if (node === undefined) throw new DiskError('ENOENT', directory, 'list');
    if (node.kind === 'file') throw new DiskError('ENOTDIR', directory, 'list');
    const names = [...node.entries].map(([name, { kind }]): DirectoryEntry => ({ name, kind }));
    return names.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  stat(path: string): FileStat | undefined {
    this.#begin('stat', path);
    const node = this.#disk.tree.find(path);
    return node && { kind: node.kind, size: node.kind === 'file' ? node.size : pageBytes, modifiedMs: node.modifiedMs };
  }

  makeDirectory(path: string): void {
    this.#begin('makeDirectory', path);
    this.#disk.tree.makeDirectory(path);
  }

  rename(from: string, to: string): void {
    this.#begin('rename', from);
    this.#rename(from, to);
  }

  #rename(from: string, to: string): void {
    const tree = this.#disk.tree;
    const source = tree.parentOf(from, 'rename');
    const target = tree.parentOf(to, 'rename');
    const node = source.directory.entries.get(source.name);
    if (node === undefined) throw new DiskError('ENOENT', from, 'rename');
    const replaced = target.directory.entries.get(target.name);
    if (replaced === node) return;
    if (replaced?.kind === 'directory' && replaced.entries.size > 0) throw new DiskError('ENOTEMPTY', to, 'rename');
    if (replaced?.kind === 'file') replaced.free();
    tree.change([
      { directory: source.directory, name: source.name, node: undefined },
      { directory: target.directory, name: target.name, node },
    ]);
  }

  remove(path: string): void {
    this.#begin('remove', path);
    const node = this.#disk.tree.find(path);
    if (node !== undefined) this.#remove(path, node);
  }

  /** Children first, as rm does it: a power failure may leave a part of the directory. */
  #remove(path: string, node: SimNode): void {
    if (node.kind === 'directory')
      for (const [name, child] of [...node.entries]) this.#remove(`${path}/${name}`, child);
    else node.free();
    this.#disk.tree.change([{ ...this.#disk.tree.parentOf(path, 'remove'), node: undefined }]);
  }

  readFile(path: string): Uint8Array {
    this.#begin('readFile', path);
    const inode = this.#disk.inodeAt(path, 'readFile');
    return inode.read(0, inode.size);
  }

  writeFile(path: string, bytes: Uint8Array): void {
    this.#begin('writeFile', path);
    this.#overwrite(path, bytes, 'writeFile');
  }

  #overwrite(path: string, bytes: Uint8Array, operation: string): SimInode {
    const inode = this.#openInode(path, true, operation);
    inode.truncate(0);
    inode.modifiedMs = this.#disk.wallMs;
    if (inode.write(0, bytes) < bytes.length) throw new DiskError('ENOSPC', path, operation);
    return inode;
  }

  setModified(path: string, modifiedMs: number): void {
    this.#begin('setModified', path);
    this.#disk.inodeAt(path, 'setModified').modifiedMs = modifiedMs;
  }

  replaceFile(path: string, bytes: Uint8Array, done: Completion): void {
    if (this.#process.alive) this.#replacements.replace(path, bytes, done);
  }

  /** The steps of the real one, each of which a crash may be the last. */
  #replace(path: string, bytes: Uint8Array, done: Completion): void {
    const { tree, scheduler } = this.#disk;
    const temporary = `${path}.tmp`;
    const step = (delayMs: number, act: () => void, next: () => void): void => {
      scheduler.after(delayMs, 'replace', bytes.length, this.#process, () => {
        const failed = this.#attempt(act);
        if (failed === undefined) next();
        else done(failed);
      });
    };
    let inode: SimInode;
    let synced: SyncTicket;
    let names: ReadonlySet<unknown>;
    const write = () => {
      this.#begin('replaceFile', path);
      inode = this.#overwrite(temporary, bytes, 'replaceFile');
      synced = inode.beginSync();
    };
    const rename = () => {
      inode.finishSync(synced, true);
      this.#rename(temporary, path);
      names = tree.changesOf(tree.parentOf(path, 'replaceFile').directory);
    };
    const syncNames = () => {
      step(this.#disk.syncMs(), () => tree.commitAll(names), done);
    };
    step(this.#disk.transferMs(bytes.length), write, () => step(this.#disk.syncMs(), rename, syncNames));
  }

  open(path: string, options: OpenOptions = {}): File {
    this.#begin('open', path);
    const inode = this.#openInode(path, options.create === true, 'open');
    return new SimFile(this.#disk, this.#process, path, inode);
  }

  #openInode(path: string, create: boolean, operation: string): SimInode {
    if (!create || this.#disk.tree.find(path) !== undefined) return this.#disk.inodeAt(path, operation);
    const place = this.#disk.tree.parentOf(path, operation);
    const inode = new SimInode(this.#disk.space, this.#disk.wallMs);
    this.#disk.tree.change([{ ...place, node: inode }]);
    return inode;
  }

  syncDirectory(path: string, done: Completion): void {
    if (!this.#process.alive) return;
    const { tree, scheduler } = this.#disk;
    const failed = this.#attempt(() => {
      this.#begin('syncDirectory', path);
      if (tree.find(path)?.kind !== 'directory') throw new DiskError('ENOENT', path, 'syncDirectory');
    });
    if (!this.#process.alive) return;
    const directory = failed === undefined ? tree.find(path) : undefined;
    const changes = directory?.kind === 'directory' ? tree.changesOf(directory) : new Set();
    scheduler.after(this.#disk.syncMs(), 'sync-directory', 0, this.#process, () => {
      if (failed === undefined) tree.commitAll(changes);
      done(failed);
    });
  }

  lock(path: string): DiskLock {
    this.#begin('lock', path);
    const { locks, tree } = this.#disk;
    if (tree.find(path) === undefined) throw new DiskError('ENOENT', path, 'lock');
    const holder = locks.get(path);
    if (holder !== undefined) throw new DiskError('EBUSY', path, `lock (held by a process on ${holder.machine})`);
    locks.set(path, this.#process);
    return {
      release: () => {
        if (locks.get(path) === this.#process) locks.delete(path);
      },
    };
  }

  freeBytes(): number {
    return this.#disk.freeBytes;
  }

  totalBytes(): number {
    return DISK_PAGES * pageBytes;
  }

  /** @throws DiskError what a test has ordered, or for what a dead process still tries */
  #begin(operation: DiskOperation, path: string): void {
    if (!this.#process.alive) throw new DiskError('EIO', path, `${operation} (by a process that has crashed)`);
    const code = this.#disk.faults.take(operation, path);
    if (code !== undefined) throw new DiskError(code, path, operation);
  }

  #attempt(act: () => void): DiskError | undefined {
    try {
      act();
      return undefined;
    } catch (error) {
      if (error instanceof DiskError) return error;
      throw error;
    }
  }
}
