import { assert, present } from '../../base/assert.ts';
import { Deque } from '../../base/deque.ts';
import type { Slices } from '../../base/slices.ts';
import type { Span } from '../../base/spans.ts';
import { LogTail } from './log-tail.ts';

const SLAB_BYTES_MAX = 1_048_576;
const SLAB_BYTES_MIN = 4_096;
/** As many slabs at least share the limit. */
const SLABS_MIN = 16;
/** What a batch costs in the table of its tail, which may be half empty. */
const ENTRY_OVERHEAD_BYTES = 96;

export interface RecentBatchesOptions {
  readonly limitBytes: number;
  /** Debugging: memory that is used again is filled with it first, so that whoever still reads it does not go unnoticed. */
  readonly fillByte?: number | undefined;
}

/** A span that stays as it is until it is let go of, which need not happen: then the collector has its memory. */
export interface HeldSpan extends Span {
  readonly slab: Slab;
}

/**
 * The newest batches of all logs, copied behind each other into slabs of memory that are used again: tailing consumers and
 * followers are served from here, and the file is written from here. The oldest slab is evicted first, and with it all batches
 * that begin in it. Nothing of it is for the collector to free or to go through, which at hundreds of megabytes and hundreds of
 * thousands of batches a second took a third of the time.
 */
export class RecentBatches {
  readonly slabBytes: number;
  readonly #limitBytes: number;
  readonly #fillByte: number | undefined;
  /** The oldest first; their sequences follow each other. */
  readonly #slabs = new Deque<Slab>();
  readonly #free: Uint8Array[] = [];
  #nextSequence = 0;
  /** Of the newest slab. */
  #used = 0;
  #entries = 0;

  constructor({ limitBytes, fillByte }: RecentBatchesOptions) {
    this.#limitBytes = limitBytes;
    this.#fillByte = fillByte;
    this.slabBytes = Math.min(SLAB_BYTES_MAX, Math.max(SLAB_BYTES_MIN, Math.ceil(limitBytes / SLABS_MIN)));
  }

  get heldBytes(): number {
    return (this.#slabs.size + this.#free.length) * this.slabBytes + this.#entries * ENTRY_OVERHEAD_BYTES;
  }

  newTail(): LogTail {
    return new LogTail(this);
  }

  /** Copies a batch behind the newest; the answer is its address, which its tail enters before it calls `evict`. */
  copy(tail: LogTail, { chunks }: Slices): number {
    const first =
      this.#used === this.slabBytes || this.#slabs.size === 0 ? this.#grow(this.#nextSequence) : this.#newest;
    const address = first.sequence * this.slabBytes + this.#used;
    first.enter(tail);
    this.#entries += 1;
    let slab = first;
    for (const chunk of chunks) {
      let at = 0;
      while (at < chunk.length) {
        if (this.#used === this.slabBytes) slab = this.#grow(first.sequence);
        const size = Math.min(chunk.length - at, this.slabBytes - this.#used);
        slab.memory.set(size === chunk.length ? chunk : chunk.subarray(at, at + size), this.#used);
        this.#used += size;
        at += size;
      }
    }
    return address;
  }

  evict(): void {
    while (this.heldBytes > this.#limitBytes && (this.#free.length > 0 || this.#slabs.size > 0)) {
      if (this.#free.length > 0) this.#free.pop();
      else this.#evictOldest();
    }
  }

  /** A batch leaves its tail before its slab is evicted. */
  forgetOne(): void {
    this.#entries -= 1;
  }

  /** Where a batch lies: in one slab, or at the end of one and the beginning of the next. */
  hold(address: number, sizeInBytes: number): readonly HeldSpan[] {
    const end = address + sizeInBytes;
    const first = this.#holdUntil(address, end);
    let reached = address + first.end - first.start;
    if (reached === end) return [first];
    const spans = [first];
    while (reached < end) {
      const span = this.#holdUntil(reached, end);
      spans.push(span);
      reached += span.end - span.start;
    }
    return spans;
  }

  /** What of the bytes [address, end) lies in the slab of the first. */
  #holdUntil(address: number, end: number): HeldSpan {
    const slab = this.#slabAt(address);
    const start = address - slab.sequence * this.slabBytes;
    slab.hold();
    return { slab, memory: slab.memory, start, end: Math.min(start + end - address, this.slabBytes) };
  }

  get #hasRoom(): boolean {
    return this.heldBytes + this.slabBytes <= this.#limitBytes;
  }

  get #newest(): Slab {
    return present(this.#slabs.at(this.#slabs.size - 1), 'there is a newest slab');
  }

  #slabAt(address: number): Slab {
    const sequence = Math.floor(address / this.slabBytes);
    const oldest = this.#nextSequence - this.#slabs.size;
    return present(this.#slabs.at(sequence - oldest), 'an address in a slab', address);
  }

  /** @param keptFrom sequence of the first slab that the batch under way lies in */
  #grow(keptFrom: number): Slab {
    while (this.#free.length === 0 && !this.#hasRoom && this.#nextSequence - this.#slabs.size < keptFrom) {
      this.#evictOldest();
    }
    const memory = this.#free.pop() ?? Buffer.allocUnsafeSlow(this.slabBytes);
    const slab = new Slab(this.#nextSequence, memory, this.#recycle);
    this.#nextSequence += 1;
    this.#slabs.push(slab);
    this.#used = 0;
    return slab;
  }

  #evictOldest(): void {
    const slab = present(this.#slabs.shift(), 'there is an oldest slab');
    if (this.#slabs.size === 0) this.#used = 0;
    const end = (slab.sequence + 1) * this.slabBytes;
    for (const tail of slab.tails) this.#entries -= tail.forgetBefore(end);
    slab.evict();
  }

  readonly #recycle = (memory: Uint8Array): void => {
    if (!this.#hasRoom) return;
    if (this.#fillByte !== undefined) memory.fill(this.#fillByte);
    this.#free.push(memory);
  };
}

/** Memory that batches are copied into, until it is full. It is used again when it is evicted and nobody holds it. */
export class Slab {
  readonly sequence: number;
  readonly memory: Uint8Array;
  readonly #recycle: (memory: Uint8Array) => void;
  #tails: LogTail[] = [];
  #holders = 0;
  #isEvicted = false;

  constructor(sequence: number, memory: Uint8Array, recycle: (memory: Uint8Array) => void) {
    this.sequence = sequence;
    this.memory = memory;
    this.#recycle = recycle;
  }

  /** Of the logs whose batches begin here, or did. */
  get tails(): readonly LogTail[] {
    return this.#tails;
  }

  /** A batch of a log begins here, and this is the newest slab. */
  enter(tail: LogTail): void {
    if (tail.newestSlab === this.sequence) return;
    tail.newestSlab = this.sequence;
    this.#tails.push(tail);
  }

  /** A write or an answer reads it. */
  hold(): void {
    this.#holders += 1;
  }

  /** Once for each hold. Where it cannot be told when a reader is done, never. */
  release(): void {
    assert(this.#holders > 0, 'a slab is let go of twice', this.sequence);
    this.#holders -= 1;
    if (this.#isEvicted && this.#holders === 0) this.#recycle(this.memory);
  }

  evict(): void {
    this.#isEvicted = true;
    this.#tails = [];
    if (this.#holders === 0) this.#recycle(this.memory);
  }
}
