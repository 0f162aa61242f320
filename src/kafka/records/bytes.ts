import { assert } from '../../base/assert.ts';
import type { Slices } from '../../base/slices.ts';
import { saturate } from '../../wire/reader.ts';

/** Fields of a byte array without a DataView: making one costs more than the few reads that a batch needs. */

export function int16At(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) >> 16) | bytes[at + 1]!;
}

export function int32At(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

/** Saturates to ±Infinity outside ±2^53, as `Reader.int64` does. */
export function int64At(bytes: Uint8Array, at: number): number {
  return saturate(int32At(bytes, at), int32At(bytes, at + 4) >>> 0);
}

export function putInt16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
}

export function putInt32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 24;
  bytes[at + 1] = value >> 16;
  bytes[at + 2] = value >> 8;
  bytes[at + 3] = value;
}

/** Refuses what a number cannot hold exactly: a saturated value must never be written back. */
export function putInt64(bytes: Uint8Array, at: number, value: number): void {
  assert(Number.isSafeInteger(value), 'an int64 outside ±2^53 is never encoded', value);
  putInt32(bytes, at, Math.floor(value / 4_294_967_296));
  putInt32(bytes, at + 4, value >>> 0);
}

/** The index of the chunk that holds a position, and the position where that chunk begins. */
export function locate(slices: Slices, position: number): { index: number; start: number } {
  let start = 0;
  for (let index = 0; index < slices.chunks.length; index += 1) {
    const end = start + slices.chunks[index]!.length;
    if (position < end) return { index, start };
    start = end;
  }
  return { index: slices.chunks.length, start };
}

/** Copies the bytes [at, at + size) of the chunks from `index` on, or fewer where the list ends. */
export function gather(chunks: readonly Uint8Array[], index: number, at: number, size: number): Uint8Array {
  const copy = new Uint8Array(size);
  let filled = 0;
  let from = at;
  for (let next = index; next < chunks.length && filled < size; next += 1) {
    const part = chunks[next]!.subarray(from, from + size - filled);
    copy.set(part, filled);
    filled += part.length;
    from = 0;
  }
  return copy.subarray(0, filled);
}

/** The bytes in blocks of one size, the last of which may be shorter; copied only where a block straddles chunks. */
export function* blocksOf({ chunks, size }: Slices, blockBytes: number): Generator<Uint8Array, void, void> {
  let index = 0;
  let at = 0;
  for (let left = size; left > 0; ) {
    while (at >= chunks[index]!.length) {
      at -= chunks[index]!.length;
      index += 1;
    }
    const length = Math.min(blockBytes, left);
    const chunk = chunks[index]!;
    yield at + length <= chunk.length ? chunk.subarray(at, at + length) : gather(chunks, index, at, length);
    at += length;
    left -= length;
  }
}
