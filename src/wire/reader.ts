import { copyOf, type Slices, sliceOf, subSlices } from '../base/slices.ts';
import { MalformedError } from './errors.ts';

const noBytes = new Uint8Array(0);
/** Where a field that straddles chunks is gathered, and eight bytes become a bigint or a double; used up at once. */
const scratch = Buffer.alloc(8);
const scratchView = new DataView(scratch.buffer, scratch.byteOffset, 8);
const TWO_32 = 4_294_967_296;

/**
 * Reads big-endian fields from a list of chunks. A field inside one chunk is read in place; only a field that straddles
 * two chunks is copied. Every read checks its bounds first and throws MalformedError.
 *
 * Numbers are put together from bytes: about as fast as a DataView, and most frames are so small that making one cost more
 * than reading through it saved.
 */
export class Reader {
  readonly #source: Slices;
  #chunkIndex = 0;
  /** The chunk being read, and the position and end inside it. */
  #chunk: Uint8Array = noBytes;
  #at = 0;
  #end = 0;
  /** Bytes of the source before the current chunk. */
  #before = 0;

  constructor(source: Slices | Uint8Array) {
    this.#source = source instanceof Uint8Array ? sliceOf(source) : source;
    this.#enter(0);
  }

  /** Reads from the first byte again. */
  restart(): void {
    this.#before = 0;
    this.#enter(0);
  }

  /** Bytes read so far. */
  get position(): number {
    return this.#before + this.#at;
  }

  get remaining(): number {
    return this.#source.size - this.#before - this.#at;
  }

  skip(size: number): void {
    this.#need(size);
    let left = size;
    while (left > this.#end - this.#at) {
      left -= this.#end - this.#at;
      this.#next();
    }
    this.#at += left;
  }

  int8(): number {
    return (this.uint8() << 24) >> 24;
  }

  uint8(): number {
    if (this.#at === this.#end) {
      this.#need(1);
      this.#skipEmpty();
    }
    const value = this.#chunk[this.#at]!;
    this.#at += 1;
    return value;
  }

  bool(): boolean {
    return this.uint8() !== 0;
  }

  int16(): number {
    const at = this.#at;
    if (at + 2 > this.#end) return this.#gather(2).readInt16BE(0);
    this.#at = at + 2;
    return ((this.#chunk[at]! << 24) >> 16) | this.#chunk[at + 1]!;
  }

  uint16(): number {
    return this.int16() & 0xffff;
  }

  int32(): number {
    const at = this.#at;
    if (at + 4 > this.#end) return this.#gather(4).readInt32BE(0);
    this.#at = at + 4;
    return int32At(this.#chunk, at);
  }

  uint32(): number {
    return this.int32() >>> 0;
  }

  /**
   * A number within ±2^53; beyond that it saturates to ±Infinity, which orders right, marks itself, and which a Writer refuses
   * (record timestamps and Fetch v18 use 2^63-1).
   */
  int64(): number {
    const at = this.#at;
    if (at + 8 > this.#end) {
      const bytes = this.#gather(8);
      return saturate(bytes.readInt32BE(0), bytes.readUInt32BE(4));
    }
    this.#at = at + 8;
    return saturate(int32At(this.#chunk, at), int32At(this.#chunk, at + 4) >>> 0);
  }

  /** All 64 bits, where they carry meaning: zxid, session id, ephemeral owner. */
  bigint64(): bigint {
    this.#eightBytes();
    return scratchView.getBigInt64(0);
  }

  float64(): number {
    this.#eightBytes();
    return scratchView.getFloat64(0);
  }

  /** Base-128 groups, low first; at most five bytes. */
  uvarint(): number {
    let byte = this.uint8();
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    for (let shift = 7; shift <= 28; shift += 7) {
      byte = this.uint8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new MalformedError('a variable-length integer of more than five bytes');
  }

  /** Zig-zag of a uvarint: record fields. */
  varint(): number {
    const value = this.uvarint();
    return (value >>> 1) ^ -(value & 1);
  }

  /** Zig-zag of up to ten bytes, saturating as int64 does. */
  varlong(): number {
    let low = 0;
    let middle = 0;
    let high = 0;
    for (let index = 0; index < 10; index += 1) {
      const byte = this.uint8();
      const bits = byte & 0x7f;
      if (index < 4) low |= bits << (7 * index);
      else if (index < 8) middle |= bits << (7 * (index - 4));
      else high |= bits << (7 * (index - 8));
      if (byte < 0x80) return unzigzag(low, middle, high);
    }
    throw new MalformedError('a variable-length integer of more than ten bytes');
  }

  /** A view where the bytes lie in one chunk, else a copy. */
  bytes(size: number): Uint8Array {
    this.#need(size);
    if (this.#at + size <= this.#end) {
      const view = this.#chunk.subarray(this.#at, this.#at + size);
      this.#at += size;
      return view;
    }
    return copyOf(this.slices(size));
  }

  /** Views on the next bytes, chunk by chunk; nothing is copied. */
  slices(size: number): Slices {
    this.#need(size);
    if (this.#at + size <= this.#end) return sliceOf(this.bytes(size));
    const from = this.position;
    this.skip(size);
    return subSlices(this.#source, from, from + size);
  }

  utf8(size: number): string {
    if (size === 0) return '';
    this.#need(size);
    if (this.#at + size > this.#end) return Buffer.prototype.utf8Slice.call(this.bytes(size), 0, size);
    const start = this.#at;
    this.#at += size;
    return size <= SHORT_TEXT
      ? shortText(this.#chunk, start, this.#at)
      : Buffer.prototype.utf8Slice.call(this.#chunk, start, this.#at);
  }

  #need(size: number): void {
    if (size < 0 || size > this.remaining) {
      throw new MalformedError(`${size} bytes wanted at position ${this.position}, ${this.remaining} are there`);
    }
  }

  /** Into scratch. */
  #eightBytes(): void {
    const at = this.#at;
    if (at + 8 > this.#end) {
      this.#gather(8);
      return;
    }
    this.#at = at + 8;
    scratchView.setInt32(0, int32At(this.#chunk, at));
    scratchView.setInt32(4, int32At(this.#chunk, at + 4));
  }

  /** Copies a field that straddles chunks. */
  #gather(size: number): Buffer {
    this.#need(size);
    for (let index = 0; index < size; index += 1) scratch[index] = this.uint8();
    return scratch;
  }

  #skipEmpty(): void {
    while (this.#at === this.#end) this.#next();
  }

  #next(): void {
    this.#before += this.#end;
    this.#enter(this.#chunkIndex + 1);
  }

  #enter(index: number): void {
    this.#chunkIndex = index;
    this.#chunk = this.#source.chunks[index] ?? noBytes;
    this.#at = 0;
    this.#end = this.#chunk.length;
  }
}

function int32At(chunk: Uint8Array, at: number): number {
  return (chunk[at]! << 24) | (chunk[at + 1]! << 16) | (chunk[at + 2]! << 8) | chunk[at + 3]!;
}

/** The number that two halves of an int64 make, ±Infinity outside ±2^53. */
export function saturate(high: number, low: number): number {
  const value = high * TWO_32 + low;
  if (Number.isSafeInteger(value)) return value;
  return high < 0 ? -Infinity : Infinity;
}

const TWO_28 = 268_435_456;
const TWO_56 = 72_057_594_037_927_936;

/** Three groups of 28, 28 and 8 bits of a zig-zag value. */
function unzigzag(low: number, middle: number, high: number): number {
  const negative = (low & 1) === 1;
  const magnitude = (high * TWO_56 + middle * TWO_28 + (low & ~1)) / 2;
  const value = negative ? -magnitude - 1 : magnitude;
  if (Number.isSafeInteger(value)) return value;
  return negative ? -Infinity : Infinity;
}

/** Up to this length a look into the recent texts beats the call into the engine's decoder. */
const SHORT_TEXT = 32;

/**
 * Short texts as they were read last, by their hash: topics, client ids and groups come again and again, and one and the same
 * string is also the faster key of a Map.
 */
const recentTexts: string[] = new Array<string>(1024).fill('');

function shortText(chunk: Uint8Array, start: number, end: number): string {
  let hash = end - start;
  for (let index = start; index < end; index += 1) {
    const byte = chunk[index]!;
    if (byte >= 0x80) return Buffer.prototype.utf8Slice.call(chunk, start, end);
    hash = (Math.imul(hash, 31) + byte) | 0;
  }
  const place = (hash ^ (hash >>> 10)) & (recentTexts.length - 1);
  const recent = recentTexts[place]!;
  if (isText(recent, chunk, start, end)) return recent;
  const text = Buffer.prototype.latin1Slice.call(chunk, start, end);
  recentTexts[place] = text;
  return text;
}

function isText(text: string, chunk: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let index = 0; index < text.length; index += 1) {
    if (text.charCodeAt(index) !== chunk[start + index]) return false;
  }
  return true;
}
