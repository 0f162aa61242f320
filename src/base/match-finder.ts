/** The four bytes at a position, as the hash tables of both block codecs see them. */
export function fourBytesAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

const HASH_MULTIPLIER = 0x9e3779b1;

/** A multiplicative hash of four bytes with the given number of bits. */
export function hashOf(four: number, bits: number): number {
  return Math.imul(four, HASH_MULTIPLIER) >>> (32 - bits);
}

/** How many bytes from `a` and `b` on are equal, `b` staying below `end`; `a` lies before `b`. */
export function matchLength(bytes: Uint8Array, a: number, b: number, end: number): number {
  let at = b;
  let from = a;
  while (at < end && bytes[at] === bytes[from]) {
    at += 1;
    from += 1;
  }
  return at - b;
}

/** Below this a loop is faster than a call into the engine. */
const CALL_WORTH_BYTES = 64;

/**
 * Repeats what stands `distance` bytes before `at` for `length` bytes. The two may overlap, which repeats a pattern: the
 * copied part then doubles until it is long enough.
 */
export function copyMatch(bytes: Uint8Array, at: number, distance: number, length: number): void {
  const looped = at + Math.min(length, CALL_WORTH_BYTES);
  for (let to = at; to < looped; to += 1) bytes[to] = bytes[to - distance]!;
  for (let copied = CALL_WORTH_BYTES; copied < length; ) {
    // Back by a whole number of patterns, as many as are there.
    const back = distance * (Math.floor(copied / distance) + 1);
    const from = at + copied - back;
    const step = Math.min(back, length - copied);
    bytes.copyWithin(at + copied, from, from + step);
    copied += step;
  }
}
