import { CompressionError, OversizeError } from './compression-error.ts';
import { copyMatch, fourBytesAt, hashOf, matchLength } from './match-finder.ts';

/*
 * A raw Snappy block: the uncompressed length as a uvarint, then elements. The low two bits of an element's first byte:
 *   0 literal: length-1 in the upper six bits, or 60..63 for one to four length bytes (little-endian)
 *   1 copy of 4..11 bytes, eleven bits of distance | 2 copy of 1..64 bytes, two bytes of distance | 3 four bytes of distance
 * See format_description.txt of google/snappy.
 */
const HASH_BITS = 14;
/** The compressor restarts its table here, so that every distance fits two bytes. */
const FRAGMENT_SIZE = 65_536;
const table = new Uint16Array(1 << HASH_BITS);

/** What a block says it becomes, or undefined for a length that no block has. */
export function snappyUncompressedSize(block: Uint8Array): { readonly size: number; readonly headerSize: number } {
  let size = 0;
  for (let index = 0; index < 5; index += 1) {
    const byte = block[index];
    if (byte === undefined) break;
    size += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80 && size < 2 ** 32) return { size, headerSize: index + 1 };
  }
  throw new CompressionError('a Snappy block without a valid length');
}

export function snappyUncompress(block: Uint8Array, sizeMax: number): Uint8Array {
  const opened = new SnappyBlock(block, sizeMax);
  opened.uncompress(Infinity);
  return opened.out;
}

/** A block that is uncompressed as far as is asked: copies reach back as far as they like, so that all of it stays in memory. */
export class SnappyBlock {
  /** What the block becomes; valid up to `reached`. */
  readonly out: Buffer;
  /** Bytes of `out` that are there. */
  reached = 0;
  readonly #block: Uint8Array;
  #at: number;

  /** @throws CompressionError, OversizeError */
  constructor(block: Uint8Array, sizeMax: number) {
    const { size, headerSize } = snappyUncompressedSize(block);
    // An element has at least one byte for 64 of output: what claims more is not worth its memory.
    if (size > (block.length - headerSize) * 64) throw new CompressionError('a Snappy block too short for its length');
    if (size > sizeMax) throw new OversizeError(sizeMax);
    this.out = Buffer.allocUnsafe(size);
    this.#block = block;
    this.#at = headerSize;
  }

  /** Goes on until `reached` is at least so much; false once that is all. @throws CompressionError */
  uncompress(until: number): boolean {
    const { out } = this;
    const size = out.length;
    const block = this.#block;
    const end = block.length;
    let at = this.#at;
    let to = this.reached;
    while (at < end && to < until) {
      const tag = block[at]!;
      at += 1;
      let length = (tag >> 2) + 1;
      if ((tag & 3) === 0) {
        if (length > 60) {
          const extra = length - 60;
          if (at + extra > end) throw truncated();
          length = littleEndian(block, at, extra) + 1;
          at += extra;
        }
        if (at + length > end || to + length > size) throw truncated();
        if (length <= 16) for (let index = 0; index < length; index += 1) out[to + index] = block[at + index]!;
        else out.set(block.subarray(at, at + length), to);
        at += length;
        to += length;
        continue;
      }
      let distance: number;
      if ((tag & 3) === 1) {
        if (at + 1 > end) throw truncated();
        length = ((tag >> 2) & 7) + 4;
        distance = ((tag & 0xe0) << 3) | block[at]!;
        at += 1;
      } else {
        const extra = (tag & 3) === 2 ? 2 : 4;
        if (at + extra > end) throw truncated();
        distance = littleEndian(block, at, extra);
        at += extra;
      }
      if (distance === 0 || distance > to || to + length > size) {
        throw new CompressionError('a Snappy copy from outside its block');
      }
      copyMatch(out, to, distance, length);
      to += length;
    }
    this.#at = at;
    this.reached = to;
    if (at < end) return true;
    if (to !== size) throw truncated();
    return false;
  }
}

function truncated(): CompressionError {
  return new CompressionError('a Snappy block that ends too early or too late');
}

function littleEndian(bytes: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let index = size - 1; index >= 0; index -= 1) value = value * 256 + bytes[at + index]!;
  return value;
}

export function snappyCompress(input: Uint8Array): Uint8Array {
  // The bound of the reference implementation: one length byte for every sixty literals, and some.
  const out = Buffer.allocUnsafe(32 + input.length + Math.floor(input.length / 6));
  let to = 0;
  for (let rest = input.length; ; rest >>>= 7) {
    out[to] = rest < 0x80 ? rest : (rest & 0x7f) | 0x80;
    to += 1;
    if (rest < 0x80) break;
  }
  for (let start = 0; start < input.length; start += FRAGMENT_SIZE) {
    to = compressFragment(input, start, Math.min(start + FRAGMENT_SIZE, input.length), out, to);
  }
  return out.subarray(0, to);
}

function compressFragment(input: Uint8Array, start: number, end: number, out: Uint8Array, outAt: number): number {
  table.fill(0);
  let to = outAt;
  let literalStart = start;
  // Entries are positions in the fragment; 0 also means "never seen", which only costs a failed comparison.
  let at = start + 1;
  let misses = 32;
  while (at + 4 <= end) {
    const four = fourBytesAt(input, at);
    const slot = hashOf(four, HASH_BITS);
    const candidate = start + table[slot]!;
    table[slot] = at - start;
    if (candidate >= at || fourBytesAt(input, candidate) !== four) {
      // Data that does not compress is left behind in growing steps.
      at += misses >> 5;
      misses += 1;
      continue;
    }
    misses = 32;
    const length = 4 + matchLength(input, candidate + 4, at + 4, end);
    to = putLiteral(input, literalStart, at, out, to);
    to = putCopy(out, to, at - candidate, length);
    at += length;
    literalStart = at;
  }
  return putLiteral(input, literalStart, end, out, to);
}

function putLiteral(input: Uint8Array, from: number, end: number, out: Uint8Array, outAt: number): number {
  const length = end - from;
  if (length === 0) return outAt;
  let to = outAt;
  if (length <= 60) {
    out[to] = (length - 1) << 2;
    to += 1;
  } else if (length <= 256) {
    out[to] = 60 << 2;
    out[to + 1] = length - 1;
    to += 2;
  } else {
    out[to] = 61 << 2;
    out[to + 1] = length - 1;
    out[to + 2] = (length - 1) >> 8;
    to += 3;
  }
  out.set(input.subarray(from, end), to);
  return to + length;
}

function putCopy(out: Uint8Array, outAt: number, distance: number, length: number): number {
  let to = outAt;
  let rest = length;
  while (rest > 0) {
    // Never leave a rest of one to three bytes: the short form begins at four.
    const step = rest > 64 && rest < 68 ? 60 : Math.min(rest, 64);
    if (step >= 4 && step <= 11 && distance < 2048) {
      out[to] = 1 | ((step - 4) << 2) | ((distance >> 8) << 5);
      out[to + 1] = distance;
      to += 2;
    } else {
      out[to] = 2 | ((step - 1) << 2);
      out[to + 1] = distance;
      out[to + 2] = distance >> 8;
      to += 3;
    }
    rest -= step;
  }
  return to;
}
