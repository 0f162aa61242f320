import { noSlices, type Slices, subSlices } from '../../base/slices.ts';
import { ViewList } from '../../base/spans.ts';
import type { HeldSpan, RecentBatches, Slab } from './recent-batches.ts';

export interface BatchPlace {
  readonly baseOffset: number;
  readonly lastOffset: number;
  /** Base offset of the segment, and where in its file the batch stands. */
  readonly segmentBaseOffset: number;
  readonly position: number;
}

export interface TailRead {
  /** They stay as they are until `release`. */
  readonly records: Slices;
  /** The one batch is larger than what was asked for, and was cut. */
  readonly firstEntryIncomplete: boolean;
  /** What the read takes of the reader's limit: all of it where the next batch of the segment did not fit any more. */
  readonly takenBytes: number;
  /** Once, when nobody reads the records any more; where that cannot be told, never: then the collector has their memory. */
  release(): void;
}

/** A row of the table: numbers only, of which the collector sees one array for each log. */
const WIDTH = 6;
const BASE_OFFSET = 0;
const LAST_OFFSET = 1;
const SEGMENT_BASE_OFFSET = 2;
const POSITION = 3;
const SIZE = 4;
const ADDRESS = 5;

const FIRST_ROWS = 8;
/** A table of so many rows is let go of when it is empty. */
const LARGE_ROWS = 64;

const noRows = new Float64Array(0);
const nothingHeld = (): void => undefined;

/** The newest batches of one log, without gaps between them. */
export class LogTail {
  /** Sequence of the newest slab that a batch began in: for `Slab.enter`. */
  newestSlab = -1;
  readonly #cache: RecentBatches;
  /** A ring: its length in rows is a power of two. */
  #rows = noRows;
  #mask = -1;
  #head = 0;
  #count = 0;

  constructor(cache: RecentBatches) {
    this.#cache = cache;
  }

  /** The answer is what to write to the file: the same bytes in other memory, each span to be released when it is written. */
  add(place: BatchPlace, bytes: Slices): readonly HeldSpan[] {
    const address = this.#cache.copy(this, bytes);
    if (this.#count > this.#mask) this.#grow();
    const rows = this.#rows;
    const row = ((this.#head + this.#count) & this.#mask) * WIDTH;
    rows[row + BASE_OFFSET] = place.baseOffset;
    rows[row + LAST_OFFSET] = place.lastOffset;
    rows[row + SEGMENT_BASE_OFFSET] = place.segmentBaseOffset;
    rows[row + POSITION] = place.position;
    rows[row + SIZE] = bytes.size;
    rows[row + ADDRESS] = address;
    this.#count += 1;
    const spans = this.#cache.hold(address, bytes.size);
    this.#cache.evict();
    return spans;
  }

  /** Whole batches of one segment from the one that holds `offset`, all below `upTo`; undefined when they begin before this tail. */
  read(offset: number, maxBytes: number, minOneMessage: boolean, upTo: number): TailRead | undefined {
    const start = this.#indexOf(offset);
    if (start === this.#count || (start === 0 && offset < this.#at(0, BASE_OFFSET))) return undefined;
    if (this.#at(start, LAST_OFFSET) >= upTo) {
      return { records: noSlices, firstEntryIncomplete: false, takenBytes: 0, release: nothingHeld };
    }
    const firstSize = this.#at(start, SIZE);
    if (firstSize > maxBytes && !minOneMessage) {
      const { records, release } = this.#gather(start, 0, upTo);
      return {
        records: subSlices(records, 0, maxBytes),
        firstEntryIncomplete: true,
        takenBytes: maxBytes,
        release,
      };
    }
    const { records, isCut, release } = this.#gather(start, maxBytes, upTo);
    const takenBytes = isCut ? Math.max(maxBytes, firstSize) : records.size;
    return { records, firstEntryIncomplete: false, takenBytes, release };
  }

  /** The first batch that holds this offset or a larger one; undefined when it may stand before this tail. */
  placeOf(offset: number): BatchPlace | undefined {
    const index = this.#indexOf(offset);
    if (index === this.#count || (index === 0 && offset < this.#at(0, BASE_OFFSET))) return undefined;
    return {
      baseOffset: this.#at(index, BASE_OFFSET),
      lastOffset: this.#at(index, LAST_OFFSET),
      segmentBaseOffset: this.#at(index, SEGMENT_BASE_OFFSET),
      position: this.#at(index, POSITION),
    };
  }

  truncateTo(offset: number): void {
    while (this.#count > 0 && this.#at(this.#count - 1, LAST_OFFSET) >= offset) {
      this.#cache.forgetOne();
      this.#count -= 1;
    }
    this.#letGoOfEmpty();
  }

  clear(): void {
    this.truncateTo(-1);
  }

  /** Compaction rewrote what stands below an offset: places and records are no longer those in the file. */
  forgetBelow(offset: number): void {
    while (this.#count > 0 && this.#at(0, LAST_OFFSET) < offset) {
      this.#cache.forgetOne();
      this.#head = (this.#head + 1) & this.#mask;
      this.#count -= 1;
    }
    this.#letGoOfEmpty();
  }

  /** The slab that the first batches begin in is evicted, up to this address. The answer is how many they were. */
  forgetBefore(address: number): number {
    let count = 0;
    while (count < this.#count && this.#at(count, ADDRESS) < address) count += 1;
    this.#head = (this.#head + count) & this.#mask;
    this.#count -= count;
    this.#letGoOfEmpty();
    return count;
  }

  #at(index: number, field: number): number {
    return this.#rows[((this.#head + index) & this.#mask) * WIDTH + field]!;
  }

  #grow(): void {
    const grown = new Float64Array(Math.max(FIRST_ROWS * WIDTH, this.#rows.length * 2));
    const untilEnd = this.#rows.subarray(this.#head * WIDTH);
    grown.set(untilEnd);
    grown.set(this.#rows.subarray(0, this.#head * WIDTH), untilEnd.length);
    this.#rows = grown;
    this.#mask = grown.length / WIDTH - 1;
    this.#head = 0;
  }

  #letGoOfEmpty(): void {
    if (this.#count > 0 || this.#mask < LARGE_ROWS) return;
    this.#rows = noRows;
    this.#mask = -1;
    this.#head = 0;
  }

  /** The first batch whose last offset is at least this one. */
  #indexOf(offset: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#at(middle, LAST_OFFSET) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** From the first on, which is taken however large it is. */
  #gather(start: number, maxBytes: number, upTo: number): Pick<TailRead, 'records' | 'release'> & { isCut: boolean } {
    const views = new ViewList();
    const slabs: Slab[] = [];
    const segmentBaseOffset = this.#at(start, SEGMENT_BASE_OFFSET);
    let size = 0;
    let isCut = false;
    for (let index = start; index < this.#count; index += 1) {
      const isOther = this.#at(index, SEGMENT_BASE_OFFSET) !== segmentBaseOffset;
      if (isOther || this.#at(index, LAST_OFFSET) >= upTo) break;
      const batchSize = this.#at(index, SIZE);
      isCut = index > start && size + batchSize > maxBytes;
      if (isCut) break;
      size += batchSize;
      for (const span of this.#cache.hold(this.#at(index, ADDRESS), batchSize)) {
        views.add(span);
        // Each is held once, however many batches of it are read.
        if (slabs.at(-1) === span.slab) span.slab.release();
        else slabs.push(span.slab);
      }
    }
    const release = (): void => {
      for (const slab of slabs) slab.release();
    };
    return { records: { chunks: views.finish(), size }, isCut, release };
  }
}
