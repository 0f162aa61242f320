import { present } from '../../base/assert.ts';
import { Deque } from '../../base/deque.ts';
import { noSlices, type Slices, subSlices } from '../../base/slices.ts';

/** Below this a batch is copied into a slab of ours, so that it does not keep a whole socket chunk alive. */
const COPY_BELOW_BYTES = 16_384;
const SLAB_BYTES = 262_144;
/** A batch whose chunks would keep more than this many times its size alive is copied too. */
const WASTE_MAX = 4;
/** What an entry costs beside its bytes. */
const ENTRY_OVERHEAD_BYTES = 160;

export interface BatchPlace {
  readonly baseOffset: number;
  readonly lastOffset: number;
  /** Base offset of the segment, and where in its file the batch stands. */
  readonly segmentBaseOffset: number;
  readonly position: number;
}

interface Entry extends BatchPlace {
  readonly tail: LogTail;
  /** Emptied when the batch is truncated away before it is evicted. */
  bytes: Slices;
}

/**
 * The newest batches of all logs, bounded by the bytes they really keep alive: tailing consumers and followers are served from
 * here. What was appended first, to whatever log, is evicted first.
 */
export class RecentBatches {
  readonly #limitBytes: number;
  readonly #queue = new Deque<Entry>();
  /** How many entries refer to each block of memory: the whole block lives as long as one does. */
  readonly #references = new Map<ArrayBufferLike, number>();
  #heldBytes = 0;
  #slab = Buffer.alloc(0);
  #slabUsed = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  newTail(): LogTail {
    return new LogTail(this);
  }

  /** Takes a batch; the answer is its bytes, in our own memory if they were worth copying. */
  admit(tail: LogTail, place: BatchPlace, bytes: Slices): Entry {
    const kept = this.#isWorthCopying(bytes) ? this.#copyToSlab(bytes) : bytes;
    const { baseOffset, lastOffset, segmentBaseOffset, position } = place;
    const entry: Entry = { tail, baseOffset, lastOffset, segmentBaseOffset, position, bytes: kept };
    this.#queue.push(entry);
    this.#heldBytes += ENTRY_OVERHEAD_BYTES;
    for (const chunk of kept.chunks) this.#retain(chunk.buffer);
    return entry;
  }

  /** After the entry stands in its tail. */
  evict(): void {
    while (this.#heldBytes > this.#limitBytes) {
      const oldest = this.#queue.shift();
      if (oldest === undefined) return;
      this.#heldBytes -= ENTRY_OVERHEAD_BYTES;
      if (oldest.bytes.size === 0) continue;
      oldest.tail.forgetOldest(oldest);
      this.release(oldest);
    }
  }

  release(entry: Entry): void {
    for (const chunk of entry.bytes.chunks) this.#letGo(chunk.buffer);
    entry.bytes = noSlices;
  }

  #isWorthCopying(bytes: Slices): boolean {
    if (bytes.size < COPY_BELOW_BYTES) return true;
    let alive = 0;
    let last: ArrayBufferLike | undefined;
    for (const { buffer } of bytes.chunks) {
      if (buffer !== last) alive += buffer.byteLength;
      last = buffer;
    }
    return alive > bytes.size * WASTE_MAX;
  }

  #copyToSlab(bytes: Slices): Slices {
    if (this.#slabUsed + bytes.size > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bytes.size));
      this.#slabUsed = 0;
    }
    const start = this.#slabUsed;
    for (const chunk of bytes.chunks) {
      this.#slab.set(chunk, this.#slabUsed);
      this.#slabUsed += chunk.length;
    }
    return { chunks: [this.#slab.subarray(start, this.#slabUsed)], size: bytes.size };
  }

  #retain(block: ArrayBufferLike): void {
    const references = this.#references.get(block);
    if (references === undefined) this.#heldBytes += block.byteLength;
    this.#references.set(block, (references ?? 0) + 1);
  }

  #letGo(block: ArrayBufferLike): void {
    const references = present(this.#references.get(block), 'a block is let go as often as it was retained');
    if (references > 1) {
      this.#references.set(block, references - 1);
      return;
    }
    this.#references.delete(block);
    this.#heldBytes -= block.byteLength;
  }
}

export interface TailRead {
  readonly records: Slices;
  /** The one batch is larger than what was asked for, and was cut. */
  readonly firstEntryIncomplete: boolean;
}

/** The newest batches of one log, without gaps between them. */
export class LogTail {
  readonly #cache: RecentBatches;
  #entries: Entry[] = [];
  /** Evicted entries before it wait to be compacted away. */
  #head = 0;

  constructor(cache: RecentBatches) {
    this.#cache = cache;
  }

  /** The answer is what to write to the file: the same bytes, perhaps in other memory. */
  add(place: BatchPlace, bytes: Slices): Slices {
    const entry = this.#cache.admit(this, place, bytes);
    this.#entries.push(entry);
    const kept = entry.bytes;
    this.#cache.evict();
    return kept;
  }

  /** Whole batches from the one that holds `offset`, all below `upTo`; undefined when they begin before this tail. */
  read(offset: number, maxBytes: number, minOneMessage: boolean, upTo: number): TailRead | undefined {
    const start = this.#indexOf(offset);
    const first = this.#entries[start];
    if (first === undefined || (start === this.#head && offset < first.baseOffset)) return undefined;
    if (first.lastOffset >= upTo) return { records: noSlices, firstEntryIncomplete: false };
    if (first.bytes.size > maxBytes && !minOneMessage) {
      return { records: subSlices(first.bytes, 0, maxBytes), firstEntryIncomplete: true };
    }
    return { records: this.#gather(start, maxBytes, upTo), firstEntryIncomplete: false };
  }

  /** The first batch that holds this offset or a larger one; undefined when it may stand before this tail. */
  placeOf(offset: number): BatchPlace | undefined {
    const index = this.#indexOf(offset);
    const entry = this.#entries[index];
    if (entry === undefined || (index === this.#head && offset < entry.baseOffset)) return undefined;
    return entry;
  }

  truncateTo(offset: number): void {
    while (this.#entries.length > this.#head && this.#entries.at(-1)!.lastOffset >= offset) {
      this.#cache.release(this.#entries.pop()!);
    }
  }

  clear(): void {
    this.truncateTo(-1);
  }

  forgetOldest(entry: Entry): void {
    present(this.#entries[this.#head] === entry || undefined, 'eviction goes from the oldest on');
    this.#head += 1;
    if (this.#head >= 64 && this.#head * 2 >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
  }

  /** The first entry whose last offset is at least this one. */
  #indexOf(offset: number): number {
    let low = this.#head;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#entries[middle]!.lastOffset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Neighbours in one slab become one view: fewer entries of a vectored write. */
  #gather(start: number, maxBytes: number, upTo: number): Slices {
    const chunks: Uint8Array[] = [];
    let size = 0;
    let open: Uint8Array | undefined;
    let openEnd = 0;
    for (let index = start; index < this.#entries.length; index += 1) {
      const { lastOffset, bytes } = this.#entries[index]!;
      if (lastOffset >= upTo || (index > start && size + bytes.size > maxBytes)) break;
      size += bytes.size;
      for (const chunk of bytes.chunks) {
        if (open !== undefined && open.buffer === chunk.buffer && openEnd === chunk.byteOffset) {
          openEnd += chunk.length;
          continue;
        }
        if (open !== undefined) chunks.push(upToEnd(open, openEnd));
        open = chunk;
        openEnd = chunk.byteOffset + chunk.length;
      }
    }
    if (open !== undefined) chunks.push(upToEnd(open, openEnd));
    return { chunks, size };
  }
}

function upToEnd(open: Uint8Array, end: number): Uint8Array {
  const length = end - open.byteOffset;
  return open.length === length ? open : Buffer.from(open.buffer, open.byteOffset, length);
}
