import { slicesOf } from '../../base/slices.ts';
import { type Batch, NO_TIMESTAMP } from './batch.ts';
import { viewOf } from './bytes.ts';
import { InvalidRecordError } from './errors.ts';
import { codecOf } from './iterate.ts';
import { type LegacyEntry, legacyAttributes, legacyOverhead, putEntry } from './legacy-entry.ts';
import type { OutputBlock } from './output-block.ts';
import { walkRecords } from './walk.ts';

/** A timestamp beyond ±2^53 was saturated when it was read, and one below -1 has no meaning: neither is written again. */
export function encodable(timestamp: number): number {
  return Number.isSafeInteger(timestamp) && timestamp >= NO_TIMESTAMP ? timestamp : NO_TIMESTAMP;
}

/** What is told of entries that were written. */
export interface WrittenEntries {
  readonly count: number;
  readonly lastOffset: number;
  readonly maxTimestamp: number;
}

export interface EntryOptions {
  readonly magic: 0 | 1;
  /** Records below it are left out. */
  readonly firstOffset: number;
}

/**
 * Writes the records of a batch of magic 2 as uncompressed entries behind what the block has: nothing is made for a single
 * record. Undefined, with the block as it was, where anything is odd; who reads record by record then says what.
 * @param records what the batch holds, no longer compressed
 */
export function putEntriesOf(
  batch: Batch,
  records: Uint8Array,
  options: EntryOptions,
  into: OutputBlock,
): WrittenEntries | undefined {
  const { recordCount } = batch.header;
  if (recordCount <= 0 || !isWhole(records, recordCount)) return undefined;
  // Key and value were part of a record that was larger than they are.
  into.reserve(records.length + recordCount * legacyOverhead(options.magic));
  return putWhole(batch, records, options, into);
}

function isWhole(records: Uint8Array, count: number): boolean {
  try {
    walkRecords(slicesOf(records), 0, count);
    return true;
  } catch (error) {
    if (error instanceof InvalidRecordError) return false;
    throw error;
  }
}

/** The hot loop, over records that are as long as they say. Headers are passed over: old consumers know none. */
function putWhole(
  batch: Batch,
  records: Uint8Array,
  { magic, firstOffset }: EntryOptions,
  block: OutputBlock,
): WrittenEntries | undefined {
  const { baseOffset, baseTimestamp, timestampType, maxTimestamp: appendTime, recordCount } = batch.header;
  const hasAppendTime = timestampType === 'LogAppendTime';
  // Inner offsets of compressed magic 1 count from the first record.
  const isRelative = magic === 1 && codecOf(batch) !== 'none';
  const { view } = block;
  const entry = entryFrom(records, magic, legacyAttributes(magic, 'none', timestampType));
  const { key, value } = entry;
  let end = block.end;
  let count = 0;
  let relativeTo = 0;
  let lastOffset = -1;
  let maxTimestamp = NO_TIMESTAMP;
  let start = 0;
  for (let left = recordCount; left > 0; left -= 1) {
    const size = varint(records, start);
    const recordEnd = next + size;
    const delta = varlong(records, next + 1);
    const offset = baseOffset + varint(records, next);
    key.size = varint(records, next);
    key.at = next;
    value.size = varint(records, key.size > 0 ? next + key.size : next);
    value.at = next;
    start = recordEnd;
    const timestamp = hasAppendTime ? appendTime : baseTimestamp + delta;
    if (Number.isNaN(delta) || !Number.isSafeInteger(offset) || offset <= lastOffset) return undefined;
    lastOffset = offset;
    if (offset < firstOffset) continue;
    if (count === 0 && isRelative) relativeTo = offset;
    entry.offset = offset - relativeTo;
    entry.timestamp = encodable(timestamp);
    if (entry.timestamp > maxTimestamp) maxTimestamp = entry.timestamp;
    end = putEntry(view, end, entry);
    count += 1;
  }
  block.end = end;
  return { count, lastOffset, maxTimestamp };
}

/** One object for all entries of a batch. */
function entryFrom(records: Uint8Array, magic: 0 | 1, attributes: number): LegacyEntry {
  const none = { at: 0, size: 0 };
  return { magic, attributes, offset: 0, timestamp: 0, source: viewOf(records), key: { ...none }, value: { ...none } };
}

/** Where a variable-length integer ended. */
let next = 0;

/** Zig-zag of up to five bytes. */
function varint(bytes: Uint8Array, from: number): number {
  let at = from;
  let byte = bytes[at++]!;
  let value = byte & 0x7f;
  for (let shift = 7; byte >= 0x80; shift += 7) {
    byte = bytes[at++]!;
    value |= (byte & 0x7f) << shift;
  }
  next = at;
  return (value >>> 1) ^ -(value & 1);
}

/** Zig-zag; NaN for what no number holds. */
function varlong(bytes: Uint8Array, from: number): number {
  let at = from;
  let byte = bytes[at++]!;
  let value = byte & 0x7f;
  for (let scale = 128; byte >= 0x80; scale *= 128) {
    byte = bytes[at++]!;
    value += (byte & 0x7f) * scale;
  }
  next = at;
  if (!Number.isSafeInteger(value)) return Number.NaN;
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
