import { closeSync, fstatSync, ftruncateSync } from 'node:fs';
import { assert } from '../../base/assert.ts';
import { Deque } from '../../base/deque.ts';
import { type Completion, DiskError, type File, type ReadDone } from '../disk.ts';
import type { SystemCalls } from './system-calls.ts';

/** Up to here a write into the page cache (a microsecond) is cheaper than a trip to the thread pool (thirty). */
const synchronousBytesMax = 64 * 1024;
/** Linux takes so many buffers in one writev (IOV_MAX). */
const buffersMax = 1024;
/** Appends that wait are joined into one writev up to here; the rest waits for the next. */
const coalescedBytesMax = 4 * 1024 * 1024;

/** Up to here several buffers are copied into one: a vectored write costs more for each. */
const joinedBytesMax = 16 * 1024;
const joined = Buffer.allocUnsafeSlow(joinedBytesMax);

interface Append {
  readonly position: number;
  readonly size: number;
  readonly buffers: readonly Uint8Array[];
  readonly done: Completion;
}

/** One writev in flight: some whole appends, and what of their buffers is not yet written. */
interface Batch {
  readonly appends: Append[];
  readonly end: number;
  position: number;
  buffers: Uint8Array[];
}

export class NodeFile implements File {
  readonly path: string;
  readonly #fd: number;
  readonly #calls: SystemCalls;
  readonly #readOnly: boolean;
  readonly #queue = new Deque<Append>();
  /** A writev is in flight, or owners are being told: what is appended meanwhile waits, so that completions keep their order. */
  #busy = false;
  #pendingAppends = 0;
  #size: number;
  #end: number;
  /** System calls of the thread pool that hold the descriptor: closing it under them could hand its number to another file. */
  #inFlight = 0;
  #closed = false;

  constructor(path: string, fd: number, readOnly: boolean, calls: SystemCalls) {
    this.path = path;
    this.#fd = fd;
    this.#readOnly = readOnly;
    this.#size = fstatSync(fd).size;
    this.#end = this.#size;
    this.#calls = calls;
  }

  get size(): number {
    // Only our own writes change a file that we write; one that we only read may grow under another process.
    if (this.#readOnly) this.#size = fstatSync(this.#fd).size;
    return this.#size;
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
    let size = 0;
    for (const buffer of buffers) size += buffer.length;
    const position = this.#end;
    if (!this.#busy && size <= synchronousBytesMax) {
      const error = this.#appendNow(buffers, position, size);
      // Called last: the owner may append again from it.
      if (error === undefined) done();
      else done(error);
      return;
    }
    this.#end = position + size;
    this.#pendingAppends += 1;
    this.#queue.push({ position, size, buffers, done });
    if (!this.#busy) this.#writeNext();
  }

  #appendNow(buffers: readonly Uint8Array[], position: number, size: number): DiskError | undefined {
    try {
      const isJoined = buffers.length > 1 && size <= joinedBytesMax;
      this.#writeAll(isJoined ? [joinedOf(buffers, size)] : buffers, position);
    } catch (error) {
      this.#size = fstatSync(this.#fd).size;
      return diskError(error, this.path, 'append');
    }
    this.#end = position + size;
    if (this.#end > this.#size) this.#size = this.#end;
    return undefined;
  }

  #writeAll(buffers: readonly Uint8Array[], position: number): void {
    let at = position;
    let rest: Uint8Array[] = buffers as Uint8Array[];
    while (rest.length > 0) {
      const [only] = rest;
      const written =
        rest.length === 1 && only !== undefined
          ? this.#calls.writeSync(this.#fd, only, 0, only.length, at)
          : this.#calls.writevSync(this.#fd, rest.length > buffersMax ? rest.slice(0, buffersMax) : rest, at);
      at += written;
      rest = unwritten(rest, written);
    }
  }

  #writeNext(): void {
    const first = this.#queue.shift();
    if (first === undefined) return;
    const appends = [first];
    const buffers = [...first.buffers];
    let size = first.size;
    for (let next = this.#queue.peek(); next !== undefined; next = this.#queue.peek()) {
      if (buffers.length + next.buffers.length > buffersMax || size + next.size > coalescedBytesMax) break;
      this.#queue.shift();
      appends.push(next);
      for (const buffer of next.buffers) buffers.push(buffer);
      size += next.size;
    }
    this.#busy = true;
    this.#inFlight += 1;
    this.#writeBatch({ appends, buffers, position: first.position, end: first.position + size });
  }

  #writeBatch(batch: Batch): void {
    const buffers = batch.buffers.length > buffersMax ? batch.buffers.slice(0, buffersMax) : batch.buffers;
    this.#calls.writev(this.#fd, buffers, batch.position, (error, written) => {
      if (error === null) {
        batch.position += written;
        batch.buffers = unwritten(batch.buffers, written);
        if (batch.buffers.length > 0) this.#writeBatch(batch);
        else this.#finishBatch(batch, undefined);
      } else {
        this.#finishBatch(batch, diskError(error, this.path, 'append'));
      }
    });
  }

  #finishBatch(batch: Batch, error: DiskError | undefined): void {
    if (error === undefined) {
      if (batch.end > this.#size) this.#size = batch.end;
      for (const append of batch.appends) {
        this.#pendingAppends -= 1;
        append.done();
      }
    } else {
      this.#fail(batch, error);
    }
    this.#busy = false;
    this.#writeNext();
    this.#returned();
  }

  /** The batch is one write: which of its appends reached the file is not known, so none counts; nor does what follows. */
  #fail(batch: Batch, error: DiskError): void {
    const failed = [...batch.appends, ...this.#queue];
    this.#queue.clear();
    this.#pendingAppends = 0;
    this.#size = fstatSync(this.#fd).size;
    this.#end = batch.appends[0]!.position;
    for (const append of failed) append.done(error);
  }

  writeAt(position: number, bytes: Uint8Array): void {
    this.#assertOpen('writeAt');
    try {
      this.#writeAll([bytes], position);
    } catch (error) {
      this.#size = fstatSync(this.#fd).size;
      throw diskError(error, this.path, 'writeAt');
    }
    if (position + bytes.length > this.#size) this.#size = position + bytes.length;
  }

  readAt(position: number, length: number, memory?: Uint8Array): Uint8Array {
    this.#assertOpen('readAt');
    const size = Math.max(0, Math.min(length, this.size - position));
    const bytes = memory === undefined ? Buffer.allocUnsafe(size) : memory.subarray(0, size);
    let count = 0;
    try {
      while (count < bytes.length) {
        const read = this.#calls.readSync(this.#fd, bytes, count, bytes.length - count, position + count);
        if (read === 0) break;
        count += read;
      }
    } catch (error) {
      throw diskError(error, this.path, 'readAt');
    }
    return bytes.subarray(0, count);
  }

  read(position: number, into: Uint8Array, done: ReadDone): void {
    this.#assertOpen('read');
    const wanted = Math.max(0, Math.min(into.length, this.size - position));
    let count = 0;
    this.#inFlight += 1;
    const readOn = (): void => {
      this.#calls.read(this.#fd, into, count, wanted - count, position + count, (error, read) => {
        count += error === null ? read : 0;
        if (error === null && read > 0 && count < wanted) {
          readOn();
          return;
        }
        this.#returned();
        done(error === null ? undefined : diskError(error, this.path, 'read'), count);
      });
    };
    readOn();
  }

  truncate(size: number): void {
    this.#assertIdle('truncate');
    try {
      ftruncateSync(this.#fd, size);
    } catch (error) {
      throw diskError(error, this.path, 'truncate');
    }
    this.#size = size;
    if (this.#end > size) this.#end = size;
  }

  sync(done: Completion): void {
    this.#assertOpen('sync');
    this.#inFlight += 1;
    this.#calls.fdatasync(this.#fd, (error) => {
      this.#returned();
      done(error === null ? undefined : diskError(error, this.path, 'sync'));
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#inFlight === 0) closeSync(this.#fd);
  }

  /** Comes after the next write has begun, so that a closed file still gets what was appended before. */
  #returned(): void {
    this.#inFlight -= 1;
    if (this.#closed && this.#inFlight === 0) closeSync(this.#fd);
  }

  #assertOpen(operation: string): void {
    assert(!this.#closed, 'operation on a closed file', operation, this.path);
  }

  #assertIdle(operation: string): void {
    this.#assertOpen(operation);
    assert(this.pendingAppends === 0, 'operation on a file that is being appended to', operation, this.path);
  }
}

/** Until the next call. */
function joinedOf(buffers: readonly Uint8Array[], size: number): Uint8Array {
  let end = 0;
  for (const buffer of buffers) {
    joined.set(buffer, end);
    end += buffer.length;
  }
  return joined.subarray(0, size);
}

const noBuffers: Uint8Array[] = [];

/** What is left of a list of buffers after so many bytes; a short write is rare, so this mostly answers nothing. */
function unwritten(buffers: readonly Uint8Array[], written: number): Uint8Array[] {
  let left = written;
  let index = 0;
  while (index < buffers.length && buffers[index]!.length <= left) {
    left -= buffers[index]!.length;
    index += 1;
  }
  if (index === buffers.length) return noBuffers;
  const rest = buffers.slice(index);
  if (left > 0) rest[0] = rest[0]!.subarray(left);
  return rest;
}

export function diskError(error: unknown, path: string, operation: string): DiskError {
  if (error instanceof DiskError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? 'EIO';
  return new DiskError(code, path, operation, { cause: error });
}
