import { assert } from '../../base/assert.ts';
import { Deque } from '../../base/deque.ts';
import { type Completion, DiskError, type File, type ReadDone } from '../disk.ts';
import type { DiskOperation } from './disk-faults.ts';
import type { SimProcess } from './scheduler.ts';
import type { SimDisk } from './sim-disk.ts';
import type { SimInode } from './sim-inode.ts';

/** As in the real file: up to here an append to an idle file is done at once. */
const synchronousBytesMax = 64 * 1024;

interface Append {
  readonly position: number;
  readonly size: number;
  readonly buffers: readonly Uint8Array[];
  readonly done: Completion;
}

export class SimFile implements File {
  readonly path: string;
  readonly process: SimProcess;
  readonly #disk: SimDisk;
  readonly #inode: SimInode;
  readonly #queue = new Deque<Append>();
  #busy = false;
  #pendingAppends = 0;
  #end: number;
  #closed = false;
  /** Syncs of one file finish in order. */
  #lastSyncMs = 0;

  constructor(disk: SimDisk, process: SimProcess, path: string, inode: SimInode) {
    this.#disk = disk;
    this.process = process;
    this.path = path;
    this.#inode = inode;
    this.#end = inode.size;
  }

  get size(): number {
    return this.#inode.size;
  }

  get end(): number {
    return this.#end;
  }

  get pendingAppends(): number {
    return this.#pendingAppends;
  }

  seek(end: number): void {
    this.#assertIdle('seek');
    this.#end = end;
  }

  append(buffers: readonly Uint8Array[], done: Completion): void {
    this.#assertOpen('append');
    if (!this.process.alive) return;
    let size = 0;
    for (const buffer of buffers) size += buffer.length;
    const append = { position: this.#end, size, buffers, done };
    this.#end += size;
    if (!this.#busy && size <= synchronousBytesMax) {
      const error = this.#write(append);
      if (!this.process.alive) return;
      if (error !== undefined) this.#end = append.position;
      done(error);
      return;
    }
    this.#pendingAppends += 1;
    this.#queue.push(append);
    if (!this.#busy) this.#writeNext();
  }

  #writeNext(): void {
    const next = this.#queue.peek();
    if (next === undefined) {
      this.#disk.writing.delete(this);
      return;
    }
    this.#busy = true;
    this.#disk.writing.add(this);
    this.#disk.scheduler.after(this.#disk.transferMs(next.size), 'append', next.size, this.process, () => {
      this.#queue.shift();
      // If a trap ends the process in this write, no other one has begun.
      this.#disk.writing.delete(this);
      const error = this.#write(next);
      if (!this.process.alive) return;
      if (error === undefined) {
        this.#pendingAppends -= 1;
        next.done();
      } else {
        this.#fail(next, error);
      }
      this.#busy = false;
      this.#writeNext();
    });
  }

  #fail(first: Append, error: DiskError): void {
    const failed = [first, ...this.#queue];
    this.#queue.clear();
    this.#pendingAppends = 0;
    this.#end = first.position;
    for (const append of failed) append.done(error);
  }

  /** A failing write has mostly written something already. */
  #write(append: Append): DiskError | undefined {
    const code = this.#disk.faults.take('append', this.path);
    const limit = code === undefined ? append.size : this.#disk.random.below(append.size + 1);
    this.#inode.modifiedMs = this.#disk.wallMs;
    this.#disk.scheduler.history.record(this.#disk.scheduler.nowMs, this.process.machine, 'write', append.size);
    const isFull = this.#writeUpTo(append, limit) < limit;
    this.#disk.faults.spring();
    if (isFull) return new DiskError('ENOSPC', this.path, 'append');
    return code === undefined ? undefined : new DiskError(code, this.path, 'append');
  }

  #writeUpTo(append: Append, limit: number): number {
    let done = 0;
    for (const buffer of append.buffers) {
      const wanted = buffer.subarray(0, limit - done);
      if (wanted.length === 0) continue;
      this.#disk.scheduler.history.recordBytes(wanted);
      const written = this.#inode.write(append.position + done, wanted);
      done += written;
      if (written < wanted.length) break;
    }
    return done;
  }

  /** The process was killed while its kernel was at work. */
  die(): void {
    const head = this.#queue.peek();
    if (head !== undefined) this.#writeUpTo(head, this.#disk.random.below(head.size + 1));
    this.#disk.writing.delete(this);
  }

  writeAt(position: number, bytes: Uint8Array): void {
    this.#begin('writeAt');
    this.#inode.modifiedMs = this.#disk.wallMs;
    if (this.#inode.write(position, bytes) < bytes.length) throw new DiskError('ENOSPC', this.path, 'writeAt');
  }

  readAt(position: number, length: number, memory?: Uint8Array): Uint8Array {
    this.#begin('readAt');
    const bytes = this.#inode.read(position, length);
    if (memory === undefined) return bytes;
    memory.set(bytes);
    return memory.subarray(0, bytes.length);
  }

  read(position: number, into: Uint8Array, done: ReadDone): void {
    this.#assertOpen('read');
    if (!this.process.alive) return;
    this.#disk.scheduler.after(this.#disk.transferMs(into.length), 'file-read', into.length, this.process, () => {
      const code = this.#disk.faults.take('read', this.path);
      if (!this.process.alive) return;
      if (code !== undefined) return done(new DiskError(code, this.path, 'read'), 0);
      const bytes = this.#inode.read(position, into.length);
      into.set(bytes);
      done(undefined, bytes.length);
    });
  }

  truncate(size: number): void {
    this.#assertIdle('truncate');
    this.#begin('truncate');
    this.#inode.truncate(size);
    this.#inode.modifiedMs = this.#disk.wallMs;
    if (this.#end > size) this.#end = size;
  }

  sync(done: Completion): void {
    this.#assertOpen('sync');
    if (!this.process.alive) return;
    const { scheduler } = this.#disk;
    const ticket = this.#inode.beginSync();
    this.#lastSyncMs = Math.max(this.#lastSyncMs, scheduler.nowMs + this.#disk.syncMs());
    // The kernel finishes it, whether or not somebody still waits.
    scheduler.after(this.#lastSyncMs - scheduler.nowMs, 'sync', 0, undefined, () => {
      const code = this.#disk.faults.take('sync', this.path);
      this.#inode.finishSync(ticket, code === undefined);
      const error = code === undefined ? undefined : new DiskError(code, this.path, 'sync');
      scheduler.deliver(this.process, 'sync', ticket.size, () => done(error));
    });
  }

  close(): void {
    this.#closed = true;
  }

  #begin(operation: DiskOperation): void {
    this.#assertOpen(operation);
    if (!this.process.alive) throw new DiskError('EIO', this.path, `${operation} (by a process that has crashed)`);
    const code = this.#disk.faults.take(operation, this.path);
    if (code !== undefined) throw new DiskError(code, this.path, operation);
  }

  #assertOpen(operation: string): void {
    assert(!this.#closed, 'operation on a closed file', operation, this.path);
  }

  #assertIdle(operation: string): void {
    this.#assertOpen(operation);
    assert(this.#pendingAppends === 0, 'operation on a file that is being appended to', operation, this.path);
  }
}
