import { viewOf } from './bytes.ts';
import {
  LAST_LITERALS,
  lz4CompressBound,
  MATCH_FIND_LIMIT,
  MIN_MATCH,
  putLastLiterals,
  putLength,
} from './lz4-block.ts';

/*
 * The fast compressor, for blocks of at most 64 KiB: every position is looked up once, in a table of the last place with its hash,
 * and where nothing is found for long it takes longer and longer steps.
 *
 * It works in memory of its own, which the functions name: the engine then knows where it lies and how long it is. That saves more
 * than it costs to copy a block in and out.
 */
const BLOCK_BYTES_MAX = 65_536;
const HASH_BITS = 13;
const HASH_MULTIPLIER = 0x9e3779b1;
/** After so many misses the step grows by one. */
const MISSES_SHIFT = 6;
/** Literals are copied in words: more may be written than they are. */
const OVERRUN_BYTES = 3;

/** Position + 1 of the last place with a hash; 0 is none. */
const heads = new Uint16Array(1 << HASH_BITS);
/** A block, and behind it what becomes of it. */
const memory = new Uint8Array(BLOCK_BYTES_MAX + lz4CompressBound(BLOCK_BYTES_MAX) + OVERRUN_BYTES);
const view = viewOf(memory);
const OUT = BLOCK_BYTES_MAX;

/**
 * Compresses into `out` from a position on, where there is room for `lz4CompressBound`, and answers the position behind.
 * @param input at most 64 KiB
 */
export function lz4CompressFast(input: Uint8Array, out: Uint8Array, outAt: number): number {
  memory.set(input);
  const block = memory.subarray(OUT, compress(input.length));
  out.set(block, outAt);
  return outAt + block.length;
}

/** What stands at the beginning of the memory; answers where what becomes of it ends. */
function compress(size: number): number {
  heads.fill(0);
  const searchEnd = size - MATCH_FIND_LIMIT;
  const matchEnd = size - LAST_LITERALS;
  let to = OUT;
  let anchor = 0;
  let misses = 1 << MISSES_SHIFT;
  for (let at = 0; at <= searchEnd; ) {
    const word = view.getInt32(at, true);
    const slot = Math.imul(word, HASH_MULTIPLIER) >>> (32 - HASH_BITS);
    let match = heads[slot]! - 1;
    heads[slot] = at + 1;
    if (match < 0 || view.getInt32(match, true) !== word) {
      at += misses >> MISSES_SHIFT;
      misses += 1;
      continue;
    }
    misses = 1 << MISSES_SHIFT;
    // What was stepped over may belong to the match.
    while (at > anchor && match > 0 && memory[at - 1] === memory[match - 1]) {
      at -= 1;
      match -= 1;
    }
    const end = matchedTo(match + MIN_MATCH, at + MIN_MATCH, matchEnd);
    to = putSequence(to, anchor, at, at - match, end - at - MIN_MATCH);
    at = end;
    anchor = end;
  }
  return putLastLiterals(memory.subarray(0, size), anchor, memory, to);
}

/** Where bytes from `b` on cease to be those from `a` on. */
function matchedTo(a: number, b: number, end: number): number {
  const distance = b - a;
  let at = b;
  for (; at + 4 <= end; at += 4) {
    const difference = view.getInt32(at, true) ^ view.getInt32(at - distance, true);
    if (difference !== 0) return at + ((31 - Math.clz32(difference & -difference)) >> 3);
  }
  while (at < end && memory[at] === memory[at - distance]) at += 1;
  return at;
}

/** Literals and the match behind them; answers where the sequence ends. */
function putSequence(outAt: number, start: number, end: number, distance: number, matchCode: number): number {
  const length = end - start;
  memory[outAt] = ((length < 15 ? length : 15) << 4) | (matchCode < 15 ? matchCode : 15);
  let to = length < 15 ? outAt + 1 : putLength(memory, outAt + 1, length - 15);
  for (let copied = 0; copied < length; copied += 4) {
    view.setInt32(to + copied, view.getInt32(start + copied, true), true);
  }
  to += length;
  view.setInt16(to, distance, true);
  return matchCode < 15 ? to + 2 : putLength(memory, to + 2, matchCode - 15);
}
