import type { Completion, Disk } from '../../runtime/disk.ts';
import { IndexFile } from './index-file.ts';

export interface IndexLayout {
  readonly entrySize: number;
  /** An entry's offset, relative to the segment's base. */
  readonly relativeOffsetOf: (entry: DataView) => number;
}

/** What a segment's indexes share: an `IndexFile` whose entries, whatever else they hold, name offsets in ascending order. */
export class SegmentIndex {
  protected readonly entries: IndexFile;
  protected readonly baseOffset: number;
  readonly #relativeOffsetOf: IndexLayout['relativeOffsetOf'];

  constructor(layout: IndexLayout, disk: Disk, path: () => string, baseOffset: number, capacityBytes: number) {
    this.entries = new IndexFile(disk, path, layout.entrySize, capacityBytes);
    this.baseOffset = baseOffset;
    this.#relativeOffsetOf = layout.relativeOffsetOf;
  }

  get count(): number {
    return this.entries.count;
  }

  get waiting(): number {
    return this.entries.waiting;
  }

  get sizeInBytes(): number {
    return this.entries.sizeInBytes;
  }

  create(): void {
    this.entries.create();
  }

  /** For a file that is not there yet. */
  assumeEmpty(): void {
    this.entries.assumeEmpty();
  }

  /** Drops what names an offset at or above this one. */
  truncateTo(offset: number): void {
    this.entries.truncateTo(this.entries.lastAtMost(offset - this.baseOffset - 1, this.#relativeOffsetOf) + 1);
  }

  /** Puts entries below an offset into the file. */
  writeOut(endOffset: number): void {
    this.entries.writeOut((entry) => this.offsetOf(entry) < endOffset);
  }

  trim(): void {
    this.entries.trim();
  }

  sync(done: Completion): void {
    this.entries.sync(done);
  }

  close(): void {
    this.entries.close();
  }

  protected offsetOf(entry: DataView): number {
    return this.baseOffset + this.#relativeOffsetOf(entry);
  }
}
