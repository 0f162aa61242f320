import { crc32 } from 'node:zlib';
import { crcTable } from './crc.ts';

/**
 * CRC-32 as in gzip, reflected polynomial; the checksum of entries of magic 0 and 1. The functions below name the table, instead
 * of being given one: the engine then knows where it lies and how long it is, and checks no index (a third of the time).
 */
const table = crcTable(0xedb88320);

/** Below it the call into the engine, with a view for it, costs more than it saves. */
const NATIVE_WORTH_BYTES = 512;

/** The checksum register after the bytes [start, end) of a view; it begins as -1, and the checksum is its complement. */
export function crc32Register(view: DataView, start: number, end: number, register: number): number {
  let crc = register;
  let at = start;
  for (const last = end - 16; at <= last; at += 16) {
    crc = afterWords(
      crc ^ view.getInt32(at, true),
      view.getInt32(at + 4, true),
      view.getInt32(at + 8, true),
      view.getInt32(at + 12, true),
    );
  }
  for (const last = end - 4; at <= last; at += 4) crc = afterWord(crc ^ view.getInt32(at, true));
  for (; at < end; at += 1) crc = table[(crc ^ view.getUint8(at)) & 0xff]! ^ (crc >>> 8);
  return crc;
}

/** As `crc32Register`, of bytes that are copied to another view on the way: they are in the processor's hands anyway. */
export function copyToCrc32(
  from: DataView,
  start: number,
  size: number,
  into: DataView,
  at: number,
  register: number,
): number {
  if (size < NATIVE_WORTH_BYTES) return copiedCrc32(from, start, start + size, into, at, register);
  const bytes = new Uint8Array(from.buffer, from.byteOffset + start, size);
  new Uint8Array(into.buffer, into.byteOffset + at, size).set(bytes);
  return ~crc32(bytes, ~register >>> 0);
}

function copiedCrc32(
  from: DataView,
  start: number,
  end: number,
  into: DataView,
  intoAt: number,
  register: number,
): number {
  const shift = intoAt - start;
  let crc = register;
  let at = start;
  for (const last = end - 16; at <= last; at += 16) {
    const first = from.getInt32(at, true);
    const second = from.getInt32(at + 4, true);
    const third = from.getInt32(at + 8, true);
    const fourth = from.getInt32(at + 12, true);
    into.setInt32(at + shift, first, true);
    into.setInt32(at + shift + 4, second, true);
    into.setInt32(at + shift + 8, third, true);
    into.setInt32(at + shift + 12, fourth, true);
    crc = afterWords(crc ^ first, second, third, fourth);
  }
  for (const last = end - 4; at <= last; at += 4) {
    const word = from.getInt32(at, true);
    into.setInt32(at + shift, word, true);
    crc = afterWord(crc ^ word);
  }
  for (; at < end; at += 1) {
    const byte = from.getUint8(at);
    into.setUint8(at + shift, byte);
    crc = table[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  }
  return crc;
}

/** The register after four words (little-endian), the first of which has the register in it. */
function afterWords(first: number, second: number, third: number, fourth: number): number {
  return (
    table[3840 + (first & 0xff)]! ^
    table[3584 + ((first >>> 8) & 0xff)]! ^
    table[3328 + ((first >>> 16) & 0xff)]! ^
    table[3072 + (first >>> 24)]! ^
    table[2816 + (second & 0xff)]! ^
    table[2560 + ((second >>> 8) & 0xff)]! ^
    table[2304 + ((second >>> 16) & 0xff)]! ^
    table[2048 + (second >>> 24)]! ^
    table[1792 + (third & 0xff)]! ^
    table[1536 + ((third >>> 8) & 0xff)]! ^
    table[1280 + ((third >>> 16) & 0xff)]! ^
    table[1024 + (third >>> 24)]! ^
    table[768 + (fourth & 0xff)]! ^
    table[512 + ((fourth >>> 8) & 0xff)]! ^
    table[256 + ((fourth >>> 16) & 0xff)]! ^
    table[fourth >>> 24]!
  );
}

function afterWord(word: number): number {
  return (
    table[768 + (word & 0xff)]! ^
    table[512 + ((word >>> 8) & 0xff)]! ^
    table[256 + ((word >>> 16) & 0xff)]! ^
    table[word >>> 24]!
  );
}
