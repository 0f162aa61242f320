import { createRequire } from 'node:module';
import type { Slices } from './slices.ts';

/** CRC-32C (Castagnoli), reflected polynomial; the checksum of record batches v2 and producer snapshots. */
const POLYNOMIAL = 0x82f63b78;

export type Crc32c = (bytes: Uint8Array, initial?: number) => number;

const tables = crcTables(POLYNOMIAL);

/** Eight tables of 256: table k advances a byte's contribution by k further bytes ("slicing by 8"). @param polynomial reflected */
export function crcTables(polynomial: number): Int32Array[] {
  const built = Array.from({ length: 8 }, () => new Int32Array(256));
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    built[0]![byte] = crc;
  }
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = built[0]![byte]!;
    for (let table = 1; table < 8; table += 1) {
      crc = built[0]![crc & 0xff]! ^ (crc >>> 8);
      built[table]![byte] = crc;
    }
  }
  return built;
}

/** The same function without any native code; the oracle and the fallback. */
export const crc32cPortable: Crc32c = (bytes, initial = 0) => {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
  ];
  let crc = ~initial;
  let position = 0;
  for (const last = bytes.length - 8; position <= last; position += 8) {
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
  for (; position < bytes.length; position += 1) crc = t0[(crc ^ bytes[position]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
};

/** Small inputs are cheaper here than across the native boundary (about 0.2 µs a call). */
const NATIVE_WORTH_BYTES = 128;

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

/** The checksum over a list of chunks, without joining them. */
export function crc32cOf(slices: Slices): number {
  let crc = 0;
  for (const chunk of slices.chunks) crc = crc32c(chunk, crc);
  return crc;
}
