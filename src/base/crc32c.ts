import { createRequire } from 'node:module';
import { crcTable, updatedCrc } from './crc.ts';
import type { Slices } from './slices.ts';

/** CRC-32C (Castagnoli), reflected polynomial; the checksum of record batches v2 and producer snapshots. */
const table = crcTable(0x82f63b78);

export type Crc32c = (bytes: Uint8Array, initial?: number) => number;

/** The same function without any native code; the oracle and the fallback. */
export const crc32cPortable: Crc32c = (bytes, initial = 0) =>
  ~updatedCrc(table, bytes, 0, bytes.length, ~initial) >>> 0;

/** Small inputs are cheaper here than across the native boundary (about 0.25 µs a call). */
const NATIVE_WORTH_BYTES = 256;

/** The prebuilt native package is optional: locked registries and other runtimes use the portable function. */
function loadNative(): Crc32c | undefined {
  try {
    return (createRequire(import.meta.url)('@node-rs/crc32') as { crc32c: Crc32c }).crc32c;
  } catch {
    return undefined;
  }
}

const native = loadNative();

export const crc32c: Crc32c =
  native === undefined
    ? crc32cPortable
    : (bytes, initial = 0) =>
        bytes.length < NATIVE_WORTH_BYTES ? crc32cPortable(bytes, initial) : native(bytes, initial);

/** The checksum over a list of chunks from a position on, without joining them. */
export function crc32cOf(slices: Slices, from = 0): number {
  let crc = 0;
  let skip = from;
  for (const chunk of slices.chunks) {
    if (skip < chunk.length) crc = crc32cFrom(chunk, skip, crc);
    skip = Math.max(0, skip - chunk.length);
  }
  return crc;
}

/** Without a view on what is small. */
function crc32cFrom(bytes: Uint8Array, start: number, initial: number): number {
  if (bytes.length - start >= NATIVE_WORTH_BYTES) return crc32c(start === 0 ? bytes : bytes.subarray(start), initial);
  return ~updatedCrc(table, bytes, start, bytes.length, ~initial) >>> 0;
}
