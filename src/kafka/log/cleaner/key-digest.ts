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
    halfSipHash(bytes, start, end, this.#keys[0]!, this.#keys[1]!, 0);
    halfSipHash(bytes, start, end, this.#keys[2]!, this.#keys[3]!, 2);
  }
}

/** HalfSipHash-2-4, 64 bits, as Aumasson and Bernstein define it; the output goes to two words of `digest`. */
export function halfSipHash(bytes: Uint8Array, start: number, end: number, k0: number, k1: number, into: number): void {
  let v0 = k0;
  let v1 = k1 ^ 0xee;
  let v2 = 0x6c796765 ^ k0;
  let v3 = 0x74656462 ^ k1;
  const size = end - start;
  const words = size >>> 2;
  let at = start;
  // After the whole words one of what is left, with the size in its last byte.
  for (let index = 0; index <= words; index += 1) {
    let word: number;
    if (index < words) {
      word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
      at += 4;
    } else {
      word = size << 24;
      for (let shift = 0; at < end; at += 1, shift += 8) word |= bytes[at]! << shift;
    }
    v3 ^= word;
    for (let round = 0; round < 2; round += 1) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
    v0 ^= word;
  }
  v2 ^= 0xee;
  for (let round = 0; round < 8; round += 1) {
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    if (round !== 3) continue;
    digest[into] = v1 ^ v3;
    v1 ^= 0xdd;
  }
  digest[into + 1] = v1 ^ v3;
}
