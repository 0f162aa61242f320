import type { Slices } from '../../base/slices.ts';
import type { Steps } from '../../base/steps.ts';
import { locate } from './bytes.ts';
import { CutRecord } from './cut-record.ts';
import { InvalidRecordError, invalidHeaderCount, invalidStructure, negativeHeaderKey } from './errors.ts';

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

/** One record, where a reader wants to see each of them. */
export interface WalkedRecord {
  readonly timestampDelta: number;
  readonly offsetDelta: number;
  /** -1 for null. */
  readonly keySize: number;
  readonly valueSize: number;
}

/**
 * Goes over records without making an object of any, in pieces that may be cut anywhere: what one piece leaves open is a few
 * numbers, however large the record.
 */
class RecordWalk implements RecordSummary {
  count = 0;
  index = 0;
  minTimestampDelta = 0;
  maxTimestampDelta = 0;
  hasKeyless = false;
  hasDenseOffsets = true;
  readonly #cut = new CutRecord();
  #isCut = false;
  /** Some record was not as long as it said. */
  #isMiscounted = false;
  #visit: ((record: WalkedRecord) => void) | undefined;

  begin(count: number, readsOn: boolean, visit?: (record: WalkedRecord) => void): void {
    this.count = count;
    this.index = 0;
    this.minTimestampDelta = Infinity;
    this.maxTimestampDelta = -Infinity;
    this.hasKeyless = false;
    this.hasDenseOffsets = true;
    this.#isCut = false;
    this.#isMiscounted = false;
    this.#visit = visit;
    this.#cut.readsOn = readsOn;
  }

  /** Throws InvalidRecordError as Apache does where a length or the count does not hold. */
  push(bytes: Uint8Array, from = 0): void {
    let at = this.#isCut ? this.#goOn(bytes, from) : from;
    while (at < bytes.length) {
      if (this.index >= this.count) {
        throw new InvalidRecordError('Incorrect declared batch size, records still remaining in file');
      }
      if (this.#visit === undefined) at = walkChunk(this, bytes, at);
      if (at === bytes.length || this.index === this.count) continue;
      this.#cut.begin();
      this.#isCut = true;
      at = this.#goOn(bytes, at);
    }
  }

  /** After the last piece. */
  end(): RecordSummary {
    if (this.#isCut) throw new InvalidRecordError('Invalid record size: the batch ends within a record');
    if (this.index < this.count) {
      throw new InvalidRecordError('Incorrect declared batch size, premature EOF reached');
    }
    if (this.#isMiscounted) throw invalidStructure();
    return this;
  }

  #goOn(bytes: Uint8Array, from: number): number {
    const cut = this.#cut;
    const at = cut.take(bytes, from);
    if (!cut.isComplete) return at;
    this.#isCut = false;
    if (cut.isMiscounted) this.#isMiscounted = true;
    if (cut.offsetDelta !== this.index) this.hasDenseOffsets = false;
    if (cut.keySize < 0) this.hasKeyless = true;
    this.minTimestampDelta = Math.min(this.minTimestampDelta, cut.timestampDelta);
    this.maxTimestampDelta = Math.max(this.maxTimestampDelta, cut.timestampDelta);
    this.index += 1;
    this.#visit?.(cut);
    return at;
  }
}

/** One walk at a time: the result is read before the next one begins. */
const walk = new RecordWalk();

/** Walks `count` records that fill the bytes from a position to the end. The result is valid until the next call. */
export function walkRecords(slices: Slices, position: number, count: number): RecordSummary {
  walk.begin(count, false);
  const { chunks } = slices;
  let { index, start } = locate(slices, position);
  for (let from = position - start; index < chunks.length; index += 1) {
    const chunk = chunks[index]!;
    walk.push(chunk, from);
    start += chunk.length;
    from = 0;
  }
  return walk.end();
}

/**
 * As `walkRecords`, for bytes that come piece by piece, in steps of a piece. `visit` sees each record while it is valid: during the
 * call. Records that are not as long as they say are refused at the end: Apache does not look at that while it decompresses, so that
 * whatever else is wrong counts before.
 */
export function* walkPieces(
  count: number,
  pieces: Iterable<Uint8Array>,
  visit?: (record: WalkedRecord) => void,
): Steps<RecordSummary> {
  const own = new RecordWalk();
  own.begin(count, true, visit);
  for (const piece of pieces) {
    own.push(piece);
    yield piece.length;
  }
  return own.end();
}

/** Where a variable-length integer of three bytes or more ended. */
let next = 0;

/**
 * The hot loop: records that lie whole in one chunk and are as long as they say. Answers where the first that is not begins. A read
 * past the chunk gives undefined, which counts as 0 and fails the comparison with the record's end.
 */
function walkChunk(walk: RecordWalk, bytes: Uint8Array, from: number): number {
  const end = bytes.length;
  const { count } = walk;
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
    if (recordEnd - start < RECORD_SIZE_MIN) break;
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
    if (at >= recordEnd) break;

    if (bytes[at] === 0) at += 1;
    else at = skipHeaders(bytes, at, recordEnd);
    if (at !== recordEnd) break;
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

/** Where they end; -1 where that is beyond the record. */
function skipHeaders(bytes: Uint8Array, from: number, recordEnd: number): number {
  let word = longVarint(bytes, from);
  let at = next;
  const count = (word >>> 1) ^ -(word & 1);
  if (count < 0) throw invalidHeaderCount(count);
  if (count > recordEnd - at) return -1;
  for (let header = 0; header < count; header += 1) {
    word = longVarint(bytes, at);
    if ((word & 1) === 1) throw negativeHeaderKey(word);
    at = next + (word >>> 1);
    if (at >= recordEnd) return -1;
    word = longVarint(bytes, at);
    at = (word & 1) === 0 ? next + (word >>> 1) : next;
    if (at > recordEnd) return -1;
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
