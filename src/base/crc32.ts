import { crc32 } from 'node:zlib';
import { crcTables } from './crc32c.ts';

/** CRC-32 as in gzip, reflected polynomial; the checksum of entries of magic 0 and 1. */
const [t0, t1, t2, t3, t4, t5, t6, t7] = crcTables(0xedb88320) as [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
];

/** Below it the call into the engine, with a view for it, costs more than it saves. */
const NATIVE_WORTH_BYTES = 512;

/** The checksum of the bytes [start, end). The loop of `crc32cPortable` once more: with the tables as a parameter it takes twice the time. */
export function crc32Of(bytes: Uint8Array, start: number, end: number): number {
  if (end - start >= NATIVE_WORTH_BYTES) return crc32(bytes.subarray(start, end));
  let crc = -1;
  let position = start;
  for (const last = end - 8; position <= last; position += 8) {
    crc ^= bytes[position]! | (bytes[position + 1]! << 8) | (bytes[position + 2]! << 16) | (bytes[position + 3]! << 24);
    crc =
      t7[crc & 0xff]! ^
      t6[(crc >>> 8) & 0xff]! ^
      t5[(crc >>> 16) & 0xff]! ^
      t4[crc >>> 24]! ^
      t3[bytes[position + 4]!]! ^
      t2[bytes[position + 5]!]! ^
      t1[bytes[position + 6]!]! ^
      t0[bytes[position + 7]!]!;
  }
  for (; position < end; position += 1) crc = t0[(crc ^ bytes[position]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
