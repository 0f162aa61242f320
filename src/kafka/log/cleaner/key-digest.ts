import type { Random } from '../../../runtime/random.ts';

/** The digest that was computed last: the next call overwrites it. */
export const digest = new Int32Array(4);

/**
 * A keyed digest of 128 bits: HalfSipHash-2-4 with 64 bits of output, twice with independent keys. Two different keys that share
 * a digest would make compaction lose one of them; unlike Apache's MD5 nobody can look for such keys beforehand, since the keys of
 * the digest are drawn anew for each map. It is computed on 32-bit words, which here is several times faster than a native MD5.
 */
export class KeyDigest {
  readonly #keys: Int32Array;

  constructor(random: Random) {
    this.#keys = Int32Array.from({ length: 4 }, () => random.uint32());
  }

  /** Leaves the digest of bytes [start, end) in `digest`. */
  compute(bytes: Uint8Array, start: number, end: number): void {
    halfSipHashes(bytes, start, end, this.#keys);
  }
}

/**
 * HalfSipHash-2-4 as Aumasson and Bernstein define it, with 64 bits of output, under two keys of two words: four words to `digest`.
 * Both in one loop, since neither waits for the other.
 */
export function halfSipHashes(bytes: Uint8Array, start: number, end: number, keys: Int32Array): void {
  let a0 = keys[0]!;
  let a1 = keys[1]! ^ 0xee;
  let a2 = 0x6c796765 ^ keys[0]!;
  let a3 = 0x74656462 ^ keys[1]!;
  let b0 = keys[2]!;
  let b1 = keys[3]! ^ 0xee;
  let b2 = 0x6c796765 ^ keys[2]!;
  let b3 = 0x74656462 ^ keys[3]!;
  const size = end - start;
  const words = size >>> 2;
  let at = start;
  // Two rounds for each whole word, two for what is left with the size in its last byte, and eight to finish.
  for (let index = 0; index <= words + 4; index += 1) {
    let word = 0;
    if (index < words) {
      word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
      at += 4;
    } else if (index === words) {
      word = size << 24;
      for (let shift = 0; at < end; at += 1, shift += 8) word |= bytes[at]! << shift;
    }
    a3 ^= word;
    b3 ^= word;
    for (let round = 0; round < 2; round += 1) {
      a0 = (a0 + a1) | 0;
      b0 = (b0 + b1) | 0;
      a1 = ((a1 << 5) | (a1 >>> 27)) ^ a0;
      b1 = ((b1 << 5) | (b1 >>> 27)) ^ b0;
      a0 = (a0 << 16) | (a0 >>> 16);
      b0 = (b0 << 16) | (b0 >>> 16);
      a2 = (a2 + a3) | 0;
      b2 = (b2 + b3) | 0;
      a3 = ((a3 << 8) | (a3 >>> 24)) ^ a2;
      b3 = ((b3 << 8) | (b3 >>> 24)) ^ b2;
      a0 = (a0 + a3) | 0;
      b0 = (b0 + b3) | 0;
      a3 = ((a3 << 7) | (a3 >>> 25)) ^ a0;
      b3 = ((b3 << 7) | (b3 >>> 25)) ^ b0;
      a2 = (a2 + a1) | 0;
      b2 = (b2 + b1) | 0;
      a1 = ((a1 << 13) | (a1 >>> 19)) ^ a2;
      b1 = ((b1 << 13) | (b1 >>> 19)) ^ b2;
      a2 = (a2 << 16) | (a2 >>> 16);
      b2 = (b2 << 16) | (b2 >>> 16);
    }
    a0 ^= word;
    b0 ^= word;
    if (index === words) {
      a2 ^= 0xee;
      b2 ^= 0xee;
    } else if (index === words + 2) {
      digest[0] = a1 ^ a3;
      digest[2] = b1 ^ b3;
      a1 ^= 0xdd;
      b1 ^= 0xdd;
    }
  }
  digest[1] = a1 ^ a3;
  digest[3] = b1 ^ b3;
}
