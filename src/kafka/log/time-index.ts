import { assert } from '../../base/assert.ts';
import { CorruptionError, type Disk } from '../../runtime/disk.ts';
import { getInt64, setInt64 } from './index-file.ts';
import { type IndexLayout, SegmentIndex } from './segment-index.ts';

/*
 * An entry, 12 bytes: 0 timestamp i64 | 8 offset relative to the segment's base i32
 *
 * The largest timestamp so far and the last offset of the batch that holds it: whatever has a larger timestamp has a larger
 * offset.
 */
const layout: IndexLayout = { entrySize: 12, relativeOffsetOf: (entry) => entry.getInt32(8) };

export interface TimestampOffset {
  readonly timestamp: number;
  readonly offset: number;
}

const timestampOf = (entry: DataView): number => getInt64(entry, 0);

export class TimeIndex extends SegmentIndex {
  constructor(disk: Disk, path: () => string, baseOffset: number, capacityBytes: number) {
    super(layout, disk, path, baseOffset, capacityBytes);
  }

  /** One slot stays free for the entry that a roll adds. */
  get isFull(): boolean {
    return this.entries.count >= this.entries.capacity - 1;
  }

  /** @throws CorruptionError when the file cannot be this segment's */
  sanityCheck(): void {
    const { count } = this.entries;
    if (count === 0) return;
    const { timestamp, offset } = this.last;
    const first = timestampOf(this.entries.at(0));
    if (timestamp < first || offset < this.baseOffset) {
      const found = `last entry ${timestamp} at offset ${offset}, first timestamp ${first}`;
      throw new CorruptionError(this.entries.path, (count - 1) * layout.entrySize, found);
    }
  }

  /** Takes the entry if its timestamp is larger than the last one's. */
  maybeAppend(timestamp: number, offset: number): void {
    const last = this.last;
    if (timestamp <= last.timestamp || !Number.isFinite(timestamp)) return;
    assert(offset >= last.offset, 'a time index goes backwards', offset, last.offset);
    const entry = this.entries.push();
    setInt64(entry, 0, timestamp);
    entry.setInt32(8, offset - this.baseOffset);
  }

  /** The last entry whose timestamp is at most the target; (-1, base offset) when there is none. */
  lookup(timestamp: number): TimestampOffset {
    return this.#entryAt(this.entries.lastAtMost(timestamp, timestampOf));
  }

  get last(): TimestampOffset {
    return this.#entryAt(this.entries.count - 1);
  }

  #entryAt(index: number): TimestampOffset {
    if (index < 0) return { timestamp: -1, offset: this.baseOffset };
    const entry = this.entries.at(index);
    return { timestamp: timestampOf(entry), offset: this.offsetOf(entry) };
  }
}
