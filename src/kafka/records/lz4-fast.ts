import { viewOf } from './bytes.ts';
import { LAST_LITERALS, MATCH_FIND_LIMIT, MIN_MATCH, putLastLiterals, putLength } from './lz4-block.ts';

/*
 * The fast compressor, for blocks of at most 64 KiB: every position is looked up once, in a table of the last place with its hash,
 * and where nothing is found for long it takes longer and longer steps.
 */
const HASH_BITS = 13;
const HASH_MULTIPLIER = 0x9e3779b1;
/** After so many misses the step grows by one. */
const MISSES_SHIFT = 6;

/** Position + 1 of the last place with a hash; 0 is none. */
const heads = new Uint16Array(1 << HASH_BITS);

/**
 * Compresses into `out` from a position on, where there is room for `lz4CompressBound`, and answers the position behind.
 * @param input at most 64 KiB
 */
export function lz4CompressFast(input: Uint8Array, out: Uint8Array, outAt: number): number {
  heads.fill(0);
  const from = viewOf(input);
  const into = viewOf(out);
  const searchEnd = input.length - MATCH_FIND_LIMIT;
  const matchEnd = input.length - LAST_LITERALS;
  let to = outAt;
  let anchor = 0;
  let misses = 1 << MISSES_SHIFT;
  for (let at = 0; at <= searchEnd; ) {
    const word = from.getInt32(at, true);
    const slot = Math.imul(word, HASH_MULTIPLIER) >>> (32 - HASH_BITS);
    let match = heads[slot]! - 1;
    heads[slot] = at + 1;
    if (match < 0 || from.getInt32(match, true) !== word) {
      at += misses >> MISSES_SHIFT;
      misses += 1;
      continue;
    }
    misses = 1 << MISSES_SHIFT;
    // What was stepped over may belong to the match.
    while (at > anchor && match > 0 && input[at - 1] === input[match - 1]) {
      at -= 1;
      match -= 1;
    }
    const end = matchedTo(from, match + MIN_MATCH, at + MIN_MATCH, matchEnd);
    to = putLiterals(from, anchor, at, into, out, to, end - at - MIN_MATCH);
    into.setInt16(to, at - match, true);
    to += 2;
    if (end - at - MIN_MATCH >= 15) to = putLength(out, to, end - at - MIN_MATCH - 15);
    at = end;
    anchor = end;
  }
  return putLastLiterals(input, anchor, out, to);
}

/** Where bytes from `b` on cease to be those from `a` on. */
function matchedTo(view: DataView, a: number, b: number, end: number): number {
  const distance = b - a;
  let at = b;
  for (; at + 4 <= end; at += 4) {
    const difference = view.getInt32(at, true) ^ view.getInt32(at - distance, true);
    if (difference !== 0) return at + ((31 - Math.clz32(difference & -difference)) >> 3);
  }
  while (at < end && view.getUint8(at) === view.getUint8(at - distance)) at += 1;
  return at;
}

/** Token and literals before a match. The copy may run over its end by three bytes: more is to come on both sides. */
function putLiterals(
  from: DataView,
  start: number,
  end: number,
  into: DataView,
  out: Uint8Array,
  outAt: number,
  matchCode: number,
): number {
  const length = end - start;
  out[outAt] = ((length < 15 ? length : 15) << 4) | (matchCode < 15 ? matchCode : 15);
  const to = length < 15 ? outAt + 1 : putLength(out, outAt + 1, length - 15);
  for (let copied = 0; copied < length; copied += 4) {
    into.setInt32(to + copied, from.getInt32(start + copied, true), true);
  }
  return to + length;
}
