import { assert } from '../../base/assert.ts';
import { type Completion, CorruptionError, type Disk } from '../../runtime/disk.ts';
import { IndexFile } from './index-file.ts';

/*
 * An entry, 8 bytes: 0 offset relative to the segment's base i32 | 4 position in the log file i32
 *
 * It names the last offset of an appended set and where that set starts, so the bytes from there on hold every larger offset.
 */
const ENTRY_SIZE = 8;

export interface OffsetPosition {
  readonly offset: number;
  readonly position: number;
}

const offsetOf = (entry: DataView): number => entry.getInt32(0);

export class OffsetIndex {
  readonly #entries: IndexFile;
  readonly #baseOffset: number;

  constructor(disk: Disk, path: () => string, baseOffset: number, capacityBytes: number) {
    this.#entries = new IndexFile(disk, path, ENTRY_SIZE, capacityBytes);
    this.#baseOffset = baseOffset;
  }

  get count(): number {
    return this.#entries.count;
  }

  get isFull(): boolean {
    return this.#entries.count >= this.#entries.capacity;
  }

  get waiting(): number {
    return this.#entries.waiting;
  }

  create(): void {
    this.#entries.create();
  }

  /** For a file that is not there yet. */
  assumeEmpty(): void {
    this.#entries.assumeEmpty();
  }

  /** @throws CorruptionError when the file cannot be this segment's */
  sanityCheck(): void {
    const { count } = this.#entries;
    if (count === 0) return;
    const last = offsetOf(this.#entries.at(count - 1));
    const before = count === 1 ? -1 : offsetOf(this.#entries.at(count - 2));
    if (last < 0 || last <= before) {
      throw new CorruptionError(this.#entries.path, (count - 1) * ENTRY_SIZE, `offset ${last} follows ${before}`);
    }
  }

  append(offset: number, position: number): void {
    const { count } = this.#entries;
    const relative = offset - this.#baseOffset;
    assert(count === 0 || relative > offsetOf(this.#entries.at(count - 1)), 'an index goes backwards', offset);
    const entry = this.#entries.push();
    entry.setInt32(0, relative);
    entry.setInt32(4, position);
  }

  /** The largest entry at or below an offset; the segment's start when there is none. */
  lookup(offset: number): OffsetPosition {
    return this.#entryAt(this.#entries.lastAtMost(offset - this.#baseOffset, offsetOf));
  }

  get last(): OffsetPosition {
    return this.#entryAt(this.#entries.count - 1);
  }

  /** Drops what names an offset at or above this one. */
  truncateTo(offset: number): void {
    this.#entries.truncateTo(this.#entries.lastAtMost(offset - this.#baseOffset - 1, offsetOf) + 1);
  }

  /** Puts entries below an offset into the file. */
  writeOut(endOffset: number): void {
    this.#entries.writeOut((entry) => this.#baseOffset + offsetOf(entry) < endOffset);
  }

  trim(): void {
    this.#entries.trim();
  }

  sync(done: Completion): void {
    this.#entries.sync(done);
  }

  close(): void {
    this.#entries.close();
  }

  #entryAt(index: number): OffsetPosition {
    if (index < 0) return { offset: this.#baseOffset, position: 0 };
    const entry = this.#entries.at(index);
    return { offset: this.#baseOffset + offsetOf(entry), position: entry.getInt32(4) };
  }
}
