import { assert } from '../../base/assert.ts';
import { Deque } from '../../base/deque.ts';
import { noSlices, type Slices, subSlices } from '../../base/slices.ts';
import { type Span, spanOf, ViewList } from '../../base/spans.ts';

/** Below this a batch is copied into a slab of ours, where it stands beside its neighbours in the file too. */
const COPY_BELOW_BYTES = 4_096;
const SLAB_BYTES = 262_144;
/** Larger ones stay where they were received, unless such blocks hold this many times more than the batches in them: */
const WASTE_MAX = 4;
/** so it is where most of what is received is no batch. A few blocks say nothing. */
const WASTE_FROM_BYTES = 8_388_608;
/** What an entry costs beside its bytes (measured). */
const ENTRY_OVERHEAD_BYTES = 160;

export interface BatchPlace {
  readonly baseOffset: number;
  readonly lastOffset: number;
  /** Base offset of the segment, and where in its file the batch stands. */
  readonly segmentBaseOffset: number;
  readonly position: number;
}

const noMemory = new Uint8Array(0);

/** Memory that batches lie in: the whole of it lives as long as one of them does. */
interface Block {
  readonly sizeInBytes: number;
  references: number;
  /** Of a chunk that a socket delivered; it is forgotten with its last reference. */
  readonly buffer: ArrayBufferLike | undefined;
}

/** A batch where a socket delivered it. */
interface Received {
  readonly chunks: readonly Uint8Array[];
  readonly blocks: readonly Block[];
}

/** There are hundreds of thousands: one object each. A copied batch is its own span of a slab. */
interface Entry extends BatchPlace {
  readonly tail: LogTail;
  readonly sizeInBytes: number;
  memory: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** One of the two, and none once the batch is truncated away or evicted. */
  slab: Block | undefined;
  received: Received | undefined;
}

/**
 * The newest batches of all logs, bounded by the bytes they really keep alive: tailing consumers and followers are served from
 * here. What was appended first, to whatever log, is evicted first.
 */
export class RecentBatches {
  readonly #limitBytes: number;
  readonly #queue = new Deque<Entry>();
  /** Of chunks that sockets delivered: several batches may lie in one. */
  readonly #chunkBlocks = new Map<ArrayBufferLike, Block>();
  #heldBytes = 0;
  /** Of blocks that sockets delivered, and of the batches that lie in them. */
  #chunkBytes = 0;
  #chunkBatchBytes = 0;
  #slab: Uint8Array = Buffer.alloc(0);
  #slabUsed = 0;
  #slabBlock: Block = { sizeInBytes: 0, references: 0, buffer: undefined };

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  newTail(): LogTail {
    return new LogTail(this);
  }

  /** Takes a batch; the entry says where its bytes are: in our own memory if they were worth copying. */
  admit(tail: LogTail, place: BatchPlace, bytes: Slices): Entry {
    const isCopied = this.#isWorthCopying(bytes);
    if (isCopied) this.#copyToSlab(bytes);
    const { baseOffset, lastOffset, segmentBaseOffset, position } = place;
    const entry: Entry = {
      tail,
      baseOffset,
      lastOffset,
      segmentBaseOffset,
      position,
      sizeInBytes: bytes.size,
      memory: isCopied ? this.#slab : noMemory,
      start: isCopied ? this.#slabUsed - bytes.size : 0,
      end: isCopied ? this.#slabUsed : 0,
      slab: isCopied ? this.#slabBlock : undefined,
      received: isCopied ? undefined : this.#receive(bytes),
    };
    this.#queue.push(entry);
    this.#heldBytes += ENTRY_OVERHEAD_BYTES;
    if (entry.slab !== undefined) this.#retain(entry.slab);
    return entry;
  }

  /** After the entry stands in its tail. */
  evict(): void {
    while (this.#heldBytes > this.#limitBytes) {
      const oldest = this.#queue.shift();
      if (oldest === undefined) return;
      this.#heldBytes -= ENTRY_OVERHEAD_BYTES;
      if (oldest.slab === undefined && oldest.received === undefined) continue;
      oldest.tail.forgetOldest(oldest);
      this.release(oldest);
    }
  }

  release(entry: Entry): void {
    if (entry.slab !== undefined) this.#letGo(entry.slab);
    if (entry.received !== undefined) {
      this.#chunkBatchBytes -= entry.sizeInBytes;
      for (const block of entry.received.blocks) this.#letGo(block);
    }
    entry.memory = noMemory;
    entry.slab = undefined;
    entry.received = undefined;
  }

  #isWorthCopying({ size }: Slices): boolean {
    if (size < COPY_BELOW_BYTES) return true;
    return this.#chunkBytes > Math.max(WASTE_FROM_BYTES, this.#chunkBatchBytes * WASTE_MAX);
  }

  /** They are the last bytes of the slab's used part afterwards. */
  #copyToSlab(bytes: Slices): void {
    if (this.#slabUsed + bytes.size > this.#slab.length) {
      const sizeInBytes = Math.max(SLAB_BYTES, bytes.size);
      this.#slab = Buffer.allocUnsafeSlow(sizeInBytes);
      this.#slabBlock = { sizeInBytes, references: 0, buffer: undefined };
      this.#slabUsed = 0;
    }
    for (const chunk of bytes.chunks) {
      this.#slab.set(chunk, this.#slabUsed);
      this.#slabUsed += chunk.length;
    }
  }

  #receive({ chunks, size }: Slices): Received {
    const blocks = chunks.map((chunk) => this.#blockOf(chunk));
    for (const block of blocks) this.#retain(block);
    this.#chunkBatchBytes += size;
    return { chunks, blocks };
  }

  #blockOf({ buffer }: Uint8Array): Block {
    let block = this.#chunkBlocks.get(buffer);
    if (block === undefined) {
      block = { sizeInBytes: buffer.byteLength, references: 0, buffer };
      this.#chunkBlocks.set(buffer, block);
    }
    return block;
  }

  #retain(block: Block): void {
    if (block.references === 0) this.#count(block, block.sizeInBytes);
    block.references += 1;
  }

  #letGo(block: Block): void {
    block.references -= 1;
    if (block.references > 0) return;
    this.#count(block, -block.sizeInBytes);
    if (block.buffer !== undefined) this.#chunkBlocks.delete(block.buffer);
  }

  #count({ buffer }: Block, bytes: number): void {
    this.#heldBytes += bytes;
    if (buffer !== undefined) this.#chunkBytes += bytes;
  }
}

export interface TailRead {
  readonly records: Slices;
  /** The one batch is larger than what was asked for, and was cut. */
  readonly firstEntryIncomplete: boolean;
  /** What the read takes of the reader's limit: all of it where the next batch of the segment did not fit any more. */
  readonly takenBytes: number;
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
  add(place: BatchPlace, bytes: Slices): readonly Span[] {
    const entry = this.#cache.admit(this, place, bytes);
    this.#entries.push(entry);
    // A span of its own: what is written must not change with the entry, which may be evicted at once.
    const spans = entry.received?.chunks.map(spanOf) ?? [{ memory: entry.memory, start: entry.start, end: entry.end }];
    this.#cache.evict();
    return spans;
  }

  /** Whole batches of one segment from the one that holds `offset`, all below `upTo`; undefined when they begin before this tail. */
  read(offset: number, maxBytes: number, minOneMessage: boolean, upTo: number): TailRead | undefined {
    const start = this.#indexOf(offset);
    const first = this.#entries[start];
    if (first === undefined || (start === this.#head && offset < first.baseOffset)) return undefined;
    if (first.lastOffset >= upTo) return { records: noSlices, firstEntryIncomplete: false, takenBytes: 0 };
    if (first.sizeInBytes > maxBytes && !minOneMessage) {
      const { records } = this.#gather(start, 0, upTo);
      return { records: subSlices(records, 0, maxBytes), firstEntryIncomplete: true, takenBytes: maxBytes };
    }
    const { records, isCut } = this.#gather(start, maxBytes, upTo);
    const takenBytes = isCut ? Math.max(maxBytes, first.sizeInBytes) : records.size;
    return { records, firstEntryIncomplete: false, takenBytes };
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

  /** Compaction rewrote what stands below an offset: places and records are no longer those in the file. */
  forgetBelow(offset: number): void {
    while (this.#head < this.#entries.length && this.#entries[this.#head]!.lastOffset < offset) {
      this.#cache.release(this.#entries[this.#head]!);
      this.#head += 1;
    }
  }

  forgetOldest(entry: Entry): void {
    assert(this.#entries[this.#head] === entry, 'eviction goes from the oldest on');
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

  /** From the first on, which is taken however large it is. */
  #gather(start: number, maxBytes: number, upTo: number): { records: Slices; isCut: boolean } {
    const views = new ViewList();
    const { segmentBaseOffset } = this.#entries[start]!;
    let size = 0;
    let isCut = false;
    for (let index = start; index < this.#entries.length; index += 1) {
      const entry = this.#entries[index]!;
      if (entry.lastOffset >= upTo || entry.segmentBaseOffset !== segmentBaseOffset) break;
      isCut = index > start && size + entry.sizeInBytes > maxBytes;
      if (isCut) break;
      size += entry.sizeInBytes;
      if (entry.received === undefined) views.add(entry);
      else for (const chunk of entry.received.chunks) views.add(spanOf(chunk));
    }
    return { records: { chunks: views.finish(), size }, isCut };
  }
}
