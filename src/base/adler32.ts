const MODULUS = 65_521;
/** Additions that cannot overflow 32 bits before a reduction is due (zlib's NMAX). */
const BATCH = 5552;

/** Adler-32 as java.util.zip computes it; the checksum of ZooKeeper's log entries and snapshots. Chain by passing the last result. */
export function adler32(bytes: Uint8Array, initial = 1): number {
  let low = initial & 0xffff;
  let high = initial >>> 16;
  for (let start = 0; start < bytes.length; start += BATCH) {
    const end = Math.min(start + BATCH, bytes.length);
    for (let index = start; index < end; index += 1) {
      low += bytes[index]!;
      high += low;
    }
    low %= MODULUS;
    high %= MODULUS;
  }
  return ((high << 16) | low) >>> 0;
}
