import { assert } from '../../base/assert.ts';
import { type Completion, CorruptionError, type Disk, DiskError, type File } from '../../runtime/disk.ts';

/** Entries that are read from the file together. */
const BLOCK_ENTRIES = 512;
const FIRST_TAIL_ENTRIES = 16;
/** Most indexes of a broker are never written to. */
const NOTHING = Buffer.alloc(0);

/**
 * A file of entries of one size, in the order of their keys. The newest entries wait in memory until `writeOut`: the owner
 * calls it only for what the log file already holds, so that no entry points at bytes that are not there.
 *
 * While it grows the file is as long as it may become, zeros behind the entries, as Apache's memory-mapped files are; it is
 * lengthened at the first write, so that quiet partitions cost nothing. `trim` cuts the zeros off. After a crash they are still
 * there: an unclean segment's index is rebuilt, never trusted.
 */
export class IndexFile {
  readonly #disk: Disk;
  readonly #path: () => string;
  readonly #entrySize: number;
  readonly #capacityBytes: number;
  #file: File | undefined;
  /** Entries in the file; undefined until it is looked at. */
  #written: number | undefined;
  #tail = NOTHING;
  #tailCount = 0;
  #block: Uint8Array = NOTHING;
  /** First entry of the cached block. */
  #blockStart = 0;
  #lengthened = false;

  /** @param path asked whenever the file is opened: directories are renamed under us */
  constructor(disk: Disk, path: () => string, entrySize: number, capacityBytes: number) {
    this.#disk = disk;
    this.#path = path;
    this.#entrySize = entrySize;
    this.#capacityBytes = capacityBytes - (capacityBytes % entrySize);
  }

  get path(): string {
    return this.#path();
  }

  /** How many entries the file may hold. */
  get capacity(): number {
    return this.#capacityBytes / this.#entrySize;
  }

  get count(): number {
    return this.#writtenCount() + this.#tailCount;
  }

  /** Of all entries, those that wait included. */
  get sizeInBytes(): number {
    return this.count * this.#entrySize;
  }

  /** Entries that are not in the file yet. */
  get waiting(): number {
    return this.#tailCount;
  }

  /** Entries may wait for a file that is not there yet. */
  assumeEmpty(): void {
    this.#written = 0;
  }

  /** Creates the empty file, or empties it; what waits stays. */
  create(): void {
    this.#written = 0;
    this.#block = NOTHING;
    this.#lengthened = false;
    if (this.#file === undefined && this.#disk.stat(this.path)?.size === 0) return;
    this.#open().truncate(0);
    // Entries wait in memory for long: a quiet partition needs no descriptor for its indexes.
    this.close();
  }

  /** Room for the next entry: a view to be filled at once. */
  push(): DataView {
    const start = this.#tailCount * this.#entrySize;
    if (start === this.#tail.length) {
      const more = Math.max(start, FIRST_TAIL_ENTRIES * this.#entrySize);
      this.#tail = Buffer.concat([this.#tail, Buffer.alloc(more)]);
    }
    this.#tailCount += 1;
    return new DataView(this.#tail.buffer, this.#tail.byteOffset + start, this.#entrySize);
  }

  /** A view on an entry; valid until the next call. */
  at(index: number): DataView {
    const written = this.#writtenCount();
    assert(index >= 0 && index < written + this.#tailCount, 'an entry outside its index', index, written);
    if (index >= written) return viewOf(this.#tail, (index - written) * this.#entrySize, this.#entrySize);
    const cached = this.#block.length / this.#entrySize;
    if (index < this.#blockStart || index >= this.#blockStart + cached) this.#load(index);
    return viewOf(this.#block, (index - this.#blockStart) * this.#entrySize, this.#entrySize);
  }

  /** The last entry whose key is at most the target, -1 when there is none. */
  lastAtMost(target: number, keyOf: (entry: DataView) => number): number {
    let low = 0;
    let high = this.count - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (keyOf(this.at(middle)) <= target) low = middle + 1;
      else high = middle - 1;
    }
    return high;
  }

  /** Puts the first waiting entries into the file: those that `settled` says the log holds. @throws DiskError */
  writeOut(settled: (entry: DataView) => boolean): void {
    const count = this.#countOfSettled(settled);
    if (count === 0) return;
    const written = this.#writtenCount();
    this.#lengthen();
    this.#open().writeAt(written * this.#entrySize, this.#tail.subarray(0, count * this.#entrySize));
    this.#written = written + count;
    this.#tail.copyWithin(0, count * this.#entrySize, this.#tailCount * this.#entrySize);
    this.#tailCount -= count;
  }

  /** Keeps the first entries. @throws DiskError */
  truncateTo(count: number): void {
    const written = this.#writtenCount();
    if (count >= written) {
      this.#tailCount = Math.min(this.#tailCount, count - written);
      return;
    }
    this.#tailCount = 0;
    this.#written = count;
    this.#block = NOTHING;
    this.#lengthened = false;
    this.#open().truncate(count * this.#entrySize);
  }

  /** Writes what waits and cuts the zeros off. @throws DiskError */
  trim(): void {
    this.writeOut(() => true);
    if (!this.#lengthened) return;
    this.#open().truncate(this.#writtenCount() * this.#entrySize);
    this.#lengthened = false;
  }

  sync(done: Completion): void {
    openAndSync(() => this.#open(), done);
  }

  /** Forgets the open file; the next use opens it again. */
  close(): void {
    this.#file?.close();
    this.#file = undefined;
    this.#block = NOTHING;
  }

  /** Halving: while the disk is slow thousands wait, and most of them are not settled. */
  #countOfSettled(settled: (entry: DataView) => boolean): number {
    let low = 0;
    let high = this.#tailCount;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (settled(viewOf(this.#tail, middle * this.#entrySize, this.#entrySize))) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #writtenCount(): number {
    if (this.#written === undefined) {
      const { size } = this.#open();
      if (size % this.#entrySize !== 0) {
        throw new CorruptionError(this.path, size, `the length is no multiple of ${this.#entrySize}`);
      }
      this.#written = size / this.#entrySize;
    }
    return this.#written;
  }

  #open(): File {
    this.#file ??= this.#disk.open(this.path, { create: true });
    return this.#file;
  }

  #lengthen(): void {
    if (this.#lengthened) return;
    const file = this.#open();
    if (file.size < this.#capacityBytes) file.truncate(this.#capacityBytes);
    this.#lengthened = true;
  }

  #load(index: number): void {
    const start = index - (index % BLOCK_ENTRIES);
    const count = Math.min(BLOCK_ENTRIES, this.#writtenCount() - start);
    const wanted = count * this.#entrySize;
    const block = this.#open().readAt(start * this.#entrySize, wanted);
    if (block.length < wanted) throw new CorruptionError(this.path, start * this.#entrySize, 'the file became shorter');
    this.#block = block;
    this.#blockStart = start;
  }
}

/** A file that cannot be opened has not been synced: `done` hears of that too. */
export function openAndSync(open: () => File, done: Completion): void {
  let file: File;
  try {
    file = open();
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    done(error);
    return;
  }
  file.sync(done);
}

function viewOf(bytes: Uint8Array, at: number, size: number): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset + at, size);
}

const TWO_32 = 4_294_967_296;

export function getInt64(view: DataView, at: number): number {
  return view.getInt32(at) * TWO_32 + view.getUint32(at + 4);
}

export function setInt64(view: DataView, at: number, value: number): void {
  view.setInt32(at, Math.floor(value / TWO_32));
  view.setUint32(at + 4, value >>> 0);
}
