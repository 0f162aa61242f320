import type { Slices } from '../../base/slices.ts';
import { MalformedError } from '../../wire/errors.ts';
import { Reader } from '../../wire/reader.ts';
import { locate } from './bytes.ts';
import { InvalidRecordError } from './errors.ts';

/*
 * A record of magic 2; `length` counts what follows it:
 *
 *   length varint | attributes i8 | timestamp delta varlong | offset delta varint | key length varint (-1 null) | key
 *   | value length varint (-1 null) | value | header count varint | headers: key length varint, key, value length varint, value
 */
const RECORD_SIZE_MIN = 7;

/** What validation needs to know of a batch's records as a whole. */
export interface RecordSummary {
  readonly minTimestampDelta: number;
  readonly maxTimestampDelta: number;
  /** Some record has a null key. */
  readonly hasKeyless: boolean;
  /** The offset deltas are 0, 1, 2, …, as a producer writes them. */
  readonly hasDenseOffsets: boolean;
}

interface Walk {
  index: number;
  minTimestampDelta: number;
  maxTimestampDelta: number;
  hasKeyless: boolean;
  hasDenseOffsets: boolean;
}

/** One walk at a time: the result is read before the next one begins. */
const walk: Walk = {
  index: 0,
  minTimestampDelta: 0,
  maxTimestampDelta: 0,
  hasKeyless: false,
  hasDenseOffsets: true,
};

/**
 * Goes over `count` records that fill the bytes from a position to the end, without making an object of any. Throws
 * InvalidRecordError as Apache does where a length or the count does not hold. The result is valid until the next call.
 */
export function walkRecords(slices: Slices, position: number, count: number): RecordSummary {
  walk.index = 0;
  walk.minTimestampDelta = Infinity;
  walk.maxTimestampDelta = -Infinity;
  walk.hasKeyless = false;
  walk.hasDenseOffsets = true;
  const { chunks } = slices;
  let { index, start } = locate(slices, position);
  let at = position - start;
  while (index < chunks.length) {
    const chunk = chunks[index]!;
    at = walkChunk(chunk, at, count);
    if (walk.index === count) break;
    if (at < chunk.length) {
      at += walkStraddling(chunks, index, at, slices.size - start - at);
    }
    while (index < chunks.length && at >= chunks[index]!.length) {
      const { length } = chunks[index]!;
      at -= length;
      start += length;
      index += 1;
    }
  }
  if (walk.index < count) throw prematureEnd();
  if (start + at !== slices.size) {
    throw new InvalidRecordError('Incorrect declared batch size, records still remaining in file');
  }
  return walk;
}

/** Where a variable-length integer of three bytes or more ended. */
let next = 0;

/**
 * The hot loop: records that lie whole in one chunk. Answers where the first that does not begins. A read past the chunk
 * gives undefined, which counts as 0 and fails the comparison with the record's end.
 */
function walkChunk(bytes: Uint8Array, from: number, count: number): number {
  const end = bytes.length;
  let { index, minTimestampDelta, maxTimestampDelta, hasKeyless, hasDenseOffsets } = walk;
  let start = from;
  while (index < count && end - start >= RECORD_SIZE_MIN) {
    let at = start + 1;
    let word = bytes[start]!;
    if (word >= 0x80) {
      const high = bytes[at]!;
      at += 1;
      word = (word & 0x7f) | (high << 7);
      if (high >= 0x80) {
        word = longVarint(bytes, start);
        at = next;
      }
    }
    const recordEnd = at + ((word >>> 1) ^ -(word & 1));
    if (recordEnd > end) break;
    if (recordEnd - start < RECORD_SIZE_MIN) throw invalidStructure();
    at += 1; // the attributes say nothing yet

    word = bytes[at]!;
    at += 1;
    let timestampDelta = (word >>> 1) ^ -(word & 1);
    if (word >= 0x80) {
      timestampDelta = varlong(bytes, at - 1);
      at = next;
    }
    if (timestampDelta < minTimestampDelta) minTimestampDelta = timestampDelta;
    if (timestampDelta > maxTimestampDelta) maxTimestampDelta = timestampDelta;

    word = bytes[at]!;
    at += 1;
    if (word >= 0x80) {
      const high = bytes[at]!;
      at += 1;
      word = (word & 0x7f) | (high << 7);
      if (high >= 0x80) {
        word = longVarint(bytes, at - 2);
        at = next;
      }
    }
    if (word !== index << 1) hasDenseOffsets = false;

    word = bytes[at]!;
    at += 1;
    if (word >= 0x80) {
      word = longVarint(bytes, at - 1);
      at = next;
    }
    if ((word & 1) === 0) at += word >>> 1;
    else hasKeyless = true;

    word = bytes[at]!;
    at += 1;
    if (word >= 0x80) {
      const high = bytes[at]!;
      at += 1;
      word = (word & 0x7f) | (high << 7);
      if (high >= 0x80) {
        word = longVarint(bytes, at - 2);
        at = next;
      }
    }
    if ((word & 1) === 0) at += word >>> 1;
    if (at >= recordEnd) throw invalidStructure();

    if (bytes[at] === 0) at += 1;
    else at = skipHeaders(bytes, at, recordEnd);
    if (at !== recordEnd) throw invalidStructure();
    start = recordEnd; // not `at`: the processor need not wait for the fields to begin with the next record
    index += 1;
  }
  walk.index = index;
  walk.minTimestampDelta = minTimestampDelta;
  walk.maxTimestampDelta = maxTimestampDelta;
  walk.hasKeyless = hasKeyless;
  walk.hasDenseOffsets = hasDenseOffsets;
  return start;
}

function skipHeaders(bytes: Uint8Array, from: number, recordEnd: number): number {
  let word = longVarint(bytes, from);
  let at = next;
  const count = (word >>> 1) ^ -(word & 1);
  if (count < 0 || count > recordEnd - at) throw invalidHeaderCount(count);
  for (let header = 0; header < count; header += 1) {
    word = longVarint(bytes, at);
    if ((word & 1) === 1) throw negativeHeaderKey(word);
    at = next + (word >>> 1);
    if (at >= recordEnd) throw invalidStructure();
    word = longVarint(bytes, at);
    at = (word & 1) === 0 ? next + (word >>> 1) : next;
    if (at > recordEnd) throw invalidStructure();
  }
  return at;
}

/** The raw (still zig-zag) value of a varint of any length; leaves the position behind it in `next`. */
function longVarint(bytes: Uint8Array, from: number): number {
  let value = 0;
  let at = from;
  for (let shift = 0; shift <= 28; shift += 7) {
    const byte = bytes[at++]!;
    value |= (byte & 0x7f) << shift;
    if (!(byte >= 0x80)) {
      next = at;
      return value >>> 0;
    }
  }
  throw invalidStructure();
}

const TWO_28 = 268_435_456;

/** A zig-zag varlong, exact within ±2^53 and close enough beyond for a comparison; leaves the position behind it in `next`. */
function varlong(bytes: Uint8Array, from: number): number {
  let low = 0;
  let high = 0;
  let at = from;
  for (let group = 0; group < 10; group += 1) {
    const byte = bytes[at++]!;
    const bits = byte & 0x7f;
    if (group < 4) low |= bits << (7 * group);
    else high += bits * 2 ** (7 * (group - 4));
    if (!(byte >= 0x80)) {
      next = at;
      const half = high * (TWO_28 / 2) + (low >>> 1);
      return (low & 1) === 0 ? half : -half - 1;
    }
  }
  throw invalidStructure();
}

/** One record that crosses chunks, by the slower Reader; answers its size. */
function walkStraddling(chunks: readonly Uint8Array[], index: number, at: number, left: number): number {
  const reader = new Reader({ chunks: chunks.slice(index), size: at + left });
  reader.skip(at);
  try {
    const length = reader.varint();
    if (length > reader.remaining) {
      throw new InvalidRecordError(
        `Invalid record size: expected ${length} bytes in record payload, but instead the buffer has only ${reader.remaining} remaining bytes.`,
      );
    }
    const recordEnd = reader.position + length;
    reader.skip(1);
    const timestampDelta = reader.varlong();
    if (reader.varint() !== walk.index) walk.hasDenseOffsets = false;
    if (!skipNullable(reader)) walk.hasKeyless = true;
    skipNullable(reader);
    const headerCount = reader.varint();
    if (headerCount < 0 || headerCount > recordEnd - reader.position) throw invalidHeaderCount(headerCount);
    for (let header = 0; header < headerCount; header += 1) {
      const keyLength = reader.varint();
      if (keyLength < 0) throw negativeHeaderKey(keyLength);
      reader.skip(keyLength);
      skipNullable(reader);
    }
    if (reader.position !== recordEnd) throw invalidStructure();
    walk.minTimestampDelta = Math.min(walk.minTimestampDelta, timestampDelta);
    walk.maxTimestampDelta = Math.max(walk.maxTimestampDelta, timestampDelta);
    walk.index += 1;
    return recordEnd - at;
  } catch (error) {
    if (error instanceof MalformedError) throw invalidStructure();
    throw error;
  }
}

function skipNullable(reader: Reader): boolean {
  const length = reader.varint();
  if (length < 0) return false;
  reader.skip(length);
  return true;
}

function invalidStructure(): InvalidRecordError {
  return new InvalidRecordError('Found invalid record structure');
}

function invalidHeaderCount(count: number): InvalidRecordError {
  return new InvalidRecordError(`Found invalid number of record headers ${count}`);
}

function negativeHeaderKey(length: number): InvalidRecordError {
  return new InvalidRecordError(`Invalid negative header key size ${length}`);
}

function prematureEnd(): InvalidRecordError {
  return new InvalidRecordError('Incorrect declared batch size, premature EOF reached');
}
