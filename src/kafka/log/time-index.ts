import { assert } from '../../base/assert.ts';
import { type Completion, CorruptionError, type Disk } from '../../runtime/disk.ts';
import { getInt64, IndexFile, setInt64 } from './index-file.ts';

/*
 * An entry, 12 bytes: 0 timestamp i64 | 8 offset relative to the segment's base i32
 *
 * The largest timestamp so far and the last offset of the batch that holds it: whatever has a larger timestamp has a larger
 * offset.
 */
const ENTRY_SIZE = 12;

export interface TimestampOffset {
  readonly timestamp: number;
  readonly offset: number;
}

const timestampOf = (entry: DataView): number => getInt64(entry, 0);
const offsetOf = (entry: DataView): number => entry.getInt32(8);

export class TimeIndex {
  readonly #entries: IndexFile;
  readonly #baseOffset: number;

  constructor(disk: Disk, path: () => string, baseOffset: number, capacityBytes: number) {
    this.#entries = new IndexFile(disk, path, ENTRY_SIZE, capacityBytes);
    this.#baseOffset = baseOffset;
  }

  get count(): number {
    return this.#entries.count;
  }

  /** One slot stays free for the entry that a roll adds. */
  get isFull(): boolean {
    return this.#entries.count >= this.#entries.capacity - 1;
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
    const { timestamp, offset } = this.last;
    const first = timestampOf(this.#entries.at(0));
    if (timestamp < first || offset < this.#baseOffset) {
      const found = `last entry ${timestamp} at offset ${offset}, first timestamp ${first}`;
      throw new CorruptionError(this.#entries.path, (count - 1) * ENTRY_SIZE, found);
    }
  }

  /** Takes the entry if its timestamp is larger than the last one's. */
  maybeAppend(timestamp: number, offset: number): void {
    const last = this.last;
    if (timestamp <= last.timestamp || !Number.isFinite(timestamp)) return;
    assert(offset >= last.offset, 'a time index goes backwards', offset, last.offset);
    const entry = this.#entries.push();
    setInt64(entry, 0, timestamp);
    entry.setInt32(8, offset - this.#baseOffset);
  }

  /** The last entry whose timestamp is at most the target; (-1, base offset) when there is none. */
  lookup(timestamp: number): TimestampOffset {
    return this.#entryAt(this.#entries.lastAtMost(timestamp, timestampOf));
  }

  get last(): TimestampOffset {
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

  #entryAt(index: number): TimestampOffset {
    if (index < 0) return { timestamp: -1, offset: this.#baseOffset };
    const entry = this.#entries.at(index);
    return { timestamp: timestampOf(entry), offset: this.#baseOffset + offsetOf(entry) };
  }
}
