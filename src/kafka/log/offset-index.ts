import { assert } from '../../base/assert.ts';
import { CorruptionError, type Disk } from '../../runtime/disk.ts';
import { type IndexLayout, SegmentIndex } from './segment-index.ts';

/*
 * An entry, 8 bytes: 0 offset relative to the segment's base i32 | 4 position in the log file i32
 *
 * It names the last offset of an appended set and where that set starts, so the bytes from there on hold every larger offset.
 */
const relativeOffsetOf = (entry: DataView): number => entry.getInt32(0);

const positionOf = (entry: DataView): number => entry.getInt32(4);

const layout: IndexLayout = { entrySize: 8, relativeOffsetOf };

export interface OffsetPosition {
  readonly offset: number;
  readonly position: number;
}

export class OffsetIndex extends SegmentIndex {
  constructor(disk: Disk, path: () => string, baseOffset: number, capacityBytes: number) {
    super(layout, disk, path, baseOffset, capacityBytes);
  }

  get isFull(): boolean {
    return this.entries.count >= this.entries.capacity;
  }

  /** @throws CorruptionError when the file cannot be this segment's */
  sanityCheck(): void {
    const { count } = this.entries;
    if (count === 0) return;
    const last = relativeOffsetOf(this.entries.at(count - 1));
    const before = count === 1 ? -1 : relativeOffsetOf(this.entries.at(count - 2));
    if (last < 0 || last <= before) {
      throw new CorruptionError(this.entries.path, (count - 1) * layout.entrySize, `offset ${last} follows ${before}`);
    }
  }

  append(offset: number, position: number): void {
    const { count } = this.entries;
    const relative = offset - this.baseOffset;
    assert(count === 0 || relative > relativeOffsetOf(this.entries.at(count - 1)), 'an index goes backwards', offset);
    const entry = this.entries.push();
    entry.setInt32(0, relative);
    entry.setInt32(4, position);
  }

  /** The largest entry at or below an offset; the segment's start when there is none. */
  lookup(offset: number): OffsetPosition {
    return this.#entryAt(this.entries.lastAtMost(offset - this.baseOffset, relativeOffsetOf));
  }

  /**
   * The first entry whose position is at or behind this one, as Apache's `fetchUpperBoundOffset` finds it: its search overlooks
   * that the very first entry has exactly this position.
   */
  firstFrom(position: number): OffsetPosition | undefined {
    const found = this.entries.lastAtMost(position - 1, positionOf) + 1;
    const isOverlooked = found === 0 && this.entries.count > 0 && positionOf(this.entries.at(0)) === position;
    const index = isOverlooked ? 1 : found;
    return index < this.entries.count ? this.#entryAt(index) : undefined;
  }

  get last(): OffsetPosition {
    return this.#entryAt(this.entries.count - 1);
  }

  #entryAt(index: number): OffsetPosition {
    if (index < 0) return { offset: this.baseOffset, position: 0 };
    const entry = this.entries.at(index);
    return { offset: this.offsetOf(entry), position: positionOf(entry) };
  }
}
