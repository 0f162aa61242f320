const MODULUS = 65_521;
/** Bytes, a multiple of eight, whose sums stay below 2^32: four of them are weighed in one step, so this is less than zlib's 5552. */
const BATCH = 3800;

/** Adler-32 as java.util.zip computes it; the checksum of ZooKeeper's log entries and snapshots. Chain by passing the last result. */
export function adler32(bytes: Uint8Array, initial = 1): number {
  return adler32Within(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.length, initial);
}

/**
 * Of a part of a block: each of the many entries in it would need a view of its own. Eight bytes a step: two bytes of a word
 * are added or weighed by one operation, in halves of 16 bits.
 */
export function adler32Within(view: DataView, from: number, to: number, initial = 1): number {
  let low = initial & 0xffff;
  let high = initial >>> 16;
  let at = from;
  while (at < to) {
    const end = Math.min(at + BATCH, to);
    for (const last = end - 8; at <= last; at += 8) {
      const one = view.getInt32(at, true);
      const two = view.getInt32(at + 4, true);
      const sumOne = sumOf(one);
      high = (high + 8 * low + 4 * sumOne + weigh(one) + weigh(two)) | 0;
      low = (low + sumOne + sumOf(two)) | 0;
    }
    for (; at < end; at += 1) {
      low = (low + view.getUint8(at)) | 0;
      high = (high + low) | 0;
    }
    low = (low >>> 0) % MODULUS;
    high = (high >>> 0) % MODULUS;
  }
  return ((high << 16) | low) >>> 0;
}

function sumOf(word: number): number {
  const pairs = (word & 0xff00ff) + ((word >>> 8) & 0xff00ff);
  return (pairs & 0xffff) + (pairs >>> 16);
}

/** Four times the first byte, three times the second, and so on. */
function weigh(word: number): number {
  return (Math.imul(word & 0xff00ff, 0x40002) >>> 16) + (Math.imul((word >>> 8) & 0xff00ff, 0x30001) >>> 16);
}
