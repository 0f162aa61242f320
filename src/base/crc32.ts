import { crc32 } from 'node:zlib';
import { afterWord, afterWords, crcTable, registerAfter } from './crc.ts';

/**
 * CRC-32 as in gzip, reflected polynomial; the checksum of entries of magic 0 and 1. The functions below name the table, and what
 * they call is inlined: the engine then knows where it lies and how long it is, and checks no index (a third of the time).
 */
const table = crcTable(0xedb88320);

/** Below it the call into the engine, with a view for it, costs more than it saves. */
const NATIVE_WORTH_BYTES = 512;

/** The checksum register after the bytes [start, end) of a view; it begins as -1, and the checksum is its complement. */
export function crc32Register(view: DataView, start: number, end: number, register: number): number {
  return registerAfter(table, view, start, end, register);
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
    crc = afterWords(table, crc ^ first, second, third, fourth);
  }
  for (const last = end - 4; at <= last; at += 4) {
    const word = from.getInt32(at, true);
    into.setInt32(at + shift, word, true);
    crc = afterWord(table, crc ^ word);
  }
  for (; at < end; at += 1) {
    const byte = from.getUint8(at);
    into.setUint8(at + shift, byte);
    crc = table[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  }
  return crc;
}
