import { crc32 } from 'node:zlib';
import { crcTable, updatedCrc } from './crc.ts';

/** CRC-32 as in gzip, reflected polynomial; the checksum of entries of magic 0 and 1. */
const table = crcTable(0xedb88320);

/** Below it the call into the engine, with a view for it, costs more than it saves. */
const NATIVE_WORTH_BYTES = 512;

/** The checksum of the bytes [start, end). */
export function crc32Of(bytes: Uint8Array, start: number, end: number): number {
  if (end - start >= NATIVE_WORTH_BYTES) return crc32(bytes.subarray(start, end));
  return ~updatedCrc(table, bytes, start, end, -1) >>> 0;
}
