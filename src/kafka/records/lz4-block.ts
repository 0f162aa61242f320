import { CompressionError } from '../../base/compression-error.ts';
import { copyMatch, fourBytesAt, hashOf, matchLength } from '../../base/match-finder.ts';

/*
 * A raw LZ4 block is a list of sequences: token (literal length << 4 | match length - 4), more length bytes where a half
 * is 15, the literals, the distance as u16 (little-endian), more match length bytes. The last sequence has literals only;
 * it holds the last five bytes, and no match begins within the last twelve (lz4_Block_format.md).
 */
const HASH_BITS = 14;
export const MIN_MATCH = 4;
export const LAST_LITERALS = 5;
export const MATCH_FIND_LIMIT = 12;
const DISTANCE_MAX = 65_535;

/** Position + 1 of the last place with a hash; 0 is none. */
const heads = new Int32Array(1 << HASH_BITS);
/** For each position modulo 64 KiB, how far back the previous place with the same hash is. */
const chains = new Uint16Array(DISTANCE_MAX + 1);

export function lz4CompressBound(size: number): number {
  return size + Math.floor(size / 255) + 16;
}

/**
 * Compresses into `out` from a position on, and answers the position behind. `attempts` is how many earlier places are
 * compared for each match.
 */
export function lz4CompressBlock(input: Uint8Array, out: Uint8Array, outAt: number, attempts: number): number {
  heads.fill(0);
  const searchEnd = input.length - MATCH_FIND_LIMIT;
  const matchEnd = input.length - LAST_LITERALS;
  let to = outAt;
  let literalStart = 0;
  let at = 0;
  while (at <= searchEnd) {
    const { length, distance } = best(input, at, matchEnd, attempts);
    if (length < MIN_MATCH) {
      at += 1;
      continue;
    }
    to = putSequence(input, literalStart, at, out, to, distance, length);
    for (let inside = at + 1; inside < at + length && inside <= searchEnd; inside += 1) insert(input, inside);
    at += length;
    literalStart = at;
  }
  return putLastLiterals(input, literalStart, out, to);
}

/** Reused, so that a search allocates nothing. */
const found = { length: 0, distance: 0 };

function insert(input: Uint8Array, at: number): number {
  const slot = hashOf(fourBytesAt(input, at), HASH_BITS);
  const candidate = heads[slot]! - 1;
  heads[slot] = at + 1;
  const distance = at - candidate;
  chains[at & DISTANCE_MAX] = candidate < 0 || distance > DISTANCE_MAX ? 0 : distance;
  return candidate;
}

function best(input: Uint8Array, at: number, end: number, attempts: number): typeof found {
  found.length = 0;
  let candidate = insert(input, at);
  for (let attempt = 0; attempt < attempts && candidate >= 0 && at - candidate <= DISTANCE_MAX; attempt += 1) {
    const length = matchLength(input, candidate, at, end);
    if (length > found.length) {
      found.length = length;
      found.distance = at - candidate;
    }
    const step = chains[candidate & DISTANCE_MAX]!;
    if (step === 0) break;
    candidate -= step;
  }
  return found;
}

function putSequence(
  input: Uint8Array,
  from: number,
  end: number,
  out: Uint8Array,
  outAt: number,
  distance: number,
  length: number,
): number {
  const matchCode = length - MIN_MATCH;
  let to = putLiterals(input, from, end, out, outAt, Math.min(matchCode, 15));
  out[to] = distance;
  out[to + 1] = distance >> 8;
  to += 2;
  return matchCode < 15 ? to : putLength(out, to, matchCode - 15);
}

export function putLastLiterals(input: Uint8Array, from: number, out: Uint8Array, outAt: number): number {
  return putLiterals(input, from, input.length, out, outAt, 0);
}

function putLiterals(
  input: Uint8Array,
  from: number,
  end: number,
  out: Uint8Array,
  outAt: number,
  matchBits: number,
): number {
  const length = end - from;
  out[outAt] = (Math.min(length, 15) << 4) | matchBits;
  const to = length < 15 ? outAt + 1 : putLength(out, outAt + 1, length - 15);
  if (length <= 16) for (let index = 0; index < length; index += 1) out[to + index] = input[from + index]!;
  else out.set(input.subarray(from, end), to);
  return to + length;
}

export function putLength(out: Uint8Array, outAt: number, length: number): number {
  let to = outAt;
  let rest = length;
  for (; rest >= 255; rest -= 255) {
    out[to] = 255;
    to += 1;
  }
  out[to] = rest;
  return to + 1;
}

/** Decompresses a whole block into out[outAt, outEnd) and answers the position behind; `out` before outAt is no dictionary. */
export function lz4DecompressBlock(block: Uint8Array, out: Uint8Array, outAt: number, outEnd: number): number {
  const end = block.length;
  let at = 0;
  let to = outAt;
  while (at < end) {
    const token = block[at]!;
    at += 1;
    let length = token >> 4;
    if (length === 15) {
      for (let byte = 255; byte === 255; at += 1) {
        if (at >= end) throw corrupt();
        byte = block[at]!;
        length += byte;
      }
    }
    if (at + length > end || to + length > outEnd) throw corrupt();
    if (length <= 16) for (let index = 0; index < length; index += 1) out[to + index] = block[at + index]!;
    else out.set(block.subarray(at, at + length), to);
    at += length;
    to += length;
    if (at === end) return to;
    if (at + 2 > end) throw corrupt();
    const distance = block[at]! | (block[at + 1]! << 8);
    at += 2;
    length = (token & 15) + MIN_MATCH;
    if (length === 15 + MIN_MATCH) {
      for (let byte = 255; byte === 255; at += 1) {
        if (at >= end) throw corrupt();
        byte = block[at]!;
        length += byte;
      }
    }
    if (distance === 0 || distance > to - outAt || to + length > outEnd) throw corrupt();
    copyMatch(out, to, distance, length);
    to += length;
  }
  throw corrupt(); // a block ends with literals
}

function corrupt(): CompressionError {
  return new CompressionError('a corrupt LZ4 block');
}
