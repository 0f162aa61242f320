import { InvariantError } from '../base/assert.ts';
import { type Slices, sliceOf } from '../base/slices.ts';

/** Appended lists shorter than this are copied: a separate entry of a vectored write costs more. */
const COPY_BELOW_BYTES = 1024;

/**
 * Small answers are written next to each other into one pool: an object for each block, and another for its view, cost more
 * than what was written. A writer has the part of the pool that it asked for, and outgrows it into a block of its own.
 */
const POOL_BYTES = 8192; // what Node's own pool has: whoever keeps an answer keeps its pool
const POOLED_BYTES_MAX = 2048;
let pool = Buffer.allocUnsafeSlow(POOL_BYTES);
let poolAt = 0;

/** Where the part begins; `pool` is a new one when the old had no room left. */
function takeFromPool(size: number): number {
  if (poolAt + size > POOL_BYTES) {
    pool = Buffer.allocUnsafeSlow(POOL_BYTES);
    poolAt = 0;
  }
  const start = poolAt;
  poolAt += size;
  return start;
}

/** Where a bigint or a double becomes two halves; used up at once. */
const scratch = new DataView(new ArrayBuffer(8));

/** Writes big-endian fields into growing blocks; large byte lists are referred to, not copied. */
export class Writer {
  #block: Buffer;
  /** Where the unfinished part of the block begins, where the next byte goes, and where the block's free room ends. */
  #start: number;
  #at: number;
  #end: number;
  /** Finished parts, and their size. */
  #parts: Uint8Array[] | undefined;
  #partsSize = 0;

  constructor(sizeHint = 256) {
    if (sizeHint > POOLED_BYTES_MAX) {
      this.#block = Buffer.allocUnsafe(sizeHint);
      this.#start = 0;
    } else {
      this.#start = takeFromPool(sizeHint);
      this.#block = pool;
    }
    this.#at = this.#start;
    this.#end = this.#start + sizeHint;
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#partsSize + this.#at - this.#start;
  }

  int8(value: number): void {
    this.#reserve(1);
    this.#block[this.#at] = value;
    this.#at += 1;
  }

  bool(value: boolean): void {
    this.int8(value ? 1 : 0);
  }

  int16(value: number): void {
    this.#reserve(2);
    const at = this.#at;
    this.#block[at] = value >> 8;
    this.#block[at + 1] = value;
    this.#at = at + 2;
  }

  int32(value: number): void {
    this.#reserve(4);
    putInt32(this.#block, this.#at, value);
    this.#at += 4;
  }

  /** Refuses what a number cannot hold exactly: a saturated value must never be written back. */
  int64(value: number): void {
    if (!Number.isSafeInteger(value)) throw new InvariantError('an int64 outside ±2^53 is never encoded', [value]);
    this.#reserve(8);
    this.#halves(Math.floor(value / 4_294_967_296), value);
  }

  bigint64(value: bigint): void {
    this.#reserve(8);
    scratch.setBigInt64(0, value);
    this.#halves(scratch.getInt32(0), scratch.getInt32(4));
  }

  float64(value: number): void {
    this.#reserve(8);
    scratch.setFloat64(0, value);
    this.#halves(scratch.getInt32(0), scratch.getInt32(4));
  }

  uvarint(value: number): void {
    this.#reserve(5);
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.#block[this.#at] = (rest & 0x7f) | 0x80;
      this.#at += 1;
      rest >>>= 7;
    }
    this.#block[this.#at] = rest;
    this.#at += 1;
  }

  varint(value: number): void {
    this.uvarint(((value << 1) ^ (value >> 31)) >>> 0);
  }

  varlong(value: number): void {
    if (value >= -0x40000000 && value < 0x40000000) {
      this.varint(value);
      return;
    }
    if (!Number.isSafeInteger(value)) throw new InvariantError('an int64 outside ±2^53 is never encoded', [value]);
    this.#reserve(10);
    let rest = value < 0 ? BigInt(value) * -2n - 1n : BigInt(value) * 2n;
    while (rest >= 0x80n) {
      this.#block[this.#at] = Number(rest & 0x7fn) | 0x80;
      this.#at += 1;
      rest >>= 7n;
    }
    this.#block[this.#at] = Number(rest);
    this.#at += 1;
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#block.set(value, this.#at);
    this.#at += value.length;
  }

  /** Refers to large chunks; the caller must not change them until they are sent. */
  slices(list: Slices): void {
    if (list.size < COPY_BELOW_BYTES) {
      for (const chunk of list.chunks) this.bytes(chunk);
      return;
    }
    this.#cut();
    if (this.#parts === undefined) this.#parts = [];
    for (const chunk of list.chunks) this.#parts.push(chunk);
    this.#partsSize += list.size;
  }

  /** UTF-8 without a length; answers how many bytes it took. */
  utf8(text: string): number {
    const most = text.length * 3;
    this.#reserve(most);
    const size = text.length <= SHORT_TEXT ? this.#shortText(text) : this.#block.write(text, this.#at, most, 'utf8');
    this.#at += size;
    return size;
  }

  /** Room for an int32 that is known later (`patchInt32`); only while no part was cut before it. */
  placeInt32(): number {
    this.#reserve(4);
    const place = this.#at;
    this.#at += 4;
    return place - this.#start;
  }

  patchInt32(place: number, value: number): void {
    const first = this.#parts?.[0];
    if (first === undefined) putInt32(this.#block, this.#start + place, value);
    else putInt32(first, place, value);
  }

  /** The bytes, part by part; the writer must not be used afterwards. */
  finish(): Slices {
    if (this.#parts === undefined) return sliceOf(this.#block.subarray(this.#start, this.#at));
    this.#cut();
    return { chunks: this.#parts, size: this.#partsSize };
  }

  /** The bytes as one array. */
  finishFlat(): Uint8Array {
    if (this.#parts === undefined) return this.#block.subarray(this.#start, this.#at);
    this.#cut();
    return Buffer.concat(this.#parts, this.#partsSize);
  }

  /** Two halves of a number; the room is there. */
  #halves(high: number, low: number): void {
    putInt32(this.#block, this.#at, high);
    putInt32(this.#block, this.#at + 4, low);
    this.#at += 8;
  }

  #shortText(text: string): number {
    for (let index = 0; index < text.length; index += 1) {
      const unit = text.charCodeAt(index);
      if (unit >= 0x80) return this.#block.write(text, this.#at, text.length * 3, 'utf8');
      this.#block[this.#at + index] = unit;
    }
    return text.length;
  }

  #reserve(size: number): void {
    if (this.#at + size > this.#end) this.#grow(size);
  }

  #grow(size: number): void {
    const unfinished = this.#at - this.#start;
    const grown = Buffer.allocUnsafe(Math.max((unfinished + size) * 2, 256));
    this.#block.copy(grown, 0, this.#start, this.#at);
    this.#block = grown;
    this.#start = 0;
    this.#at = unfinished;
    this.#end = grown.length;
  }

  #cut(): void {
    if (this.#at === this.#start) return;
    if (this.#parts === undefined) this.#parts = [];
    this.#parts.push(this.#block.subarray(this.#start, this.#at));
    this.#partsSize += this.#at - this.#start;
    this.#start = this.#at;
  }
}

/** Up to this length a loop over ASCII beats the call into the engine's encoder. */
const SHORT_TEXT = 24;

export function utf8Size(text: string): number {
  if (text.length > SHORT_TEXT) return Buffer.byteLength(text);
  for (let index = 0; index < text.length; index += 1) {
    if (text.charCodeAt(index) >= 0x80) return Buffer.byteLength(text);
  }
  return text.length;
}

function putInt32(block: Uint8Array, at: number, value: number): void {
  block[at] = value >> 24;
  block[at + 1] = value >> 16;
  block[at + 2] = value >> 8;
  block[at + 3] = value;
}
