import { crc32Of } from '../../base/crc32.ts';
import {
  type CodecName,
  codecNames,
  LOG_OVERHEAD,
  type Magic,
  TIMESTAMP_TYPE_BIT,
  type TimestampType,
} from './batch.ts';
import { putInt32, putInt64 } from './bytes.ts';

/*
 * An entry of magic 0 or 1, as a record and as the wrapper of compressed ones:
 *
 *   offset:8 | size:4 | crc:4 | magic:1 | attributes:1 | timestamp:8, magic 1 alone | key size:4 | key | value size:4 | value
 */

/** Everything but key and value. */
export function legacyOverhead(magic: Magic): number {
  return LOG_OVERHEAD + (magic === 0 ? 14 : 22);
}

export function legacyAttributes(magic: Magic, codec: CodecName, timestampType: TimestampType): number {
  return codecNames.indexOf(codec) | (magic === 1 && timestampType === 'LogAppendTime' ? TIMESTAMP_TYPE_BIT : 0);
}

/** Bytes [at, at + size) of an array; a size below 0 is null. */
export interface Span {
  at: number;
  size: number;
}

export interface LegacyEntry {
  readonly magic: Magic;
  readonly attributes: number;
  offset: number;
  timestamp: number;
  /** Where key and value lie. */
  readonly source: Uint8Array;
  readonly key: Span;
  readonly value: Span;
}

/** Writes an entry at a position that has room for it; answers where it ends. */
export function putEntry(into: Uint8Array, start: number, entry: LegacyEntry): number {
  putInt64(into, start, entry.offset);
  into[start + 16] = entry.magic;
  into[start + 17] = entry.attributes;
  let at = start + 18;
  if (entry.magic === 1) {
    putInt64(into, at, entry.timestamp);
    at += 8;
  }
  at = putSpan(into, at, entry.source, entry.key);
  at = putSpan(into, at, entry.source, entry.value);
  putInt32(into, start + 8, at - start - LOG_OVERHEAD);
  putInt32(into, start + 12, crc32Of(into, start + 16, at));
  return at;
}

export interface LegacyEntryOptions extends Pick<LegacyEntry, 'magic' | 'attributes' | 'offset' | 'timestamp'> {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
}

/** One entry in memory of its own. */
export function legacyEntry({ key, value, ...fields }: LegacyEntryOptions): Uint8Array {
  const source = key === null ? (value ?? noBytes) : value === null ? key : Buffer.concat([key, value]);
  const keySize = key?.length ?? -1;
  const entry = new Uint8Array(legacyOverhead(fields.magic) + source.length);
  putEntry(entry, 0, {
    ...fields,
    source,
    key: { at: 0, size: keySize },
    value: { at: Math.max(0, keySize), size: value?.length ?? -1 },
  });
  return entry;
}

const noBytes = new Uint8Array(0);

/** Below it a loop is faster than a view and a call. */
const COPY_BYTES = 24;

function putSpan(into: Uint8Array, start: number, source: Uint8Array, { at, size }: Span): number {
  putInt32(into, start, size < 0 ? -1 : size);
  const from = start + 4;
  if (size <= 0) return from;
  if (size < COPY_BYTES) for (let index = 0; index < size; index += 1) into[from + index] = source[at + index]!;
  else into.set(source.subarray(at, at + size), from);
  return from + size;
}
