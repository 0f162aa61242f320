import { assert } from '../../base/assert.ts';
import { copyToCrc32, crc32Register } from '../../base/crc32.ts';
import {
  type CodecName,
  codecNames,
  LOG_OVERHEAD,
  type Magic,
  TIMESTAMP_TYPE_BIT,
  type TimestampType,
} from './batch.ts';
import { setInt64, viewOf } from './bytes.ts';

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
  /** A safe integer, as is the timestamp. */
  offset: number;
  timestamp: number;
  /** Where key and value lie. */
  readonly source: DataView;
  readonly key: Span;
  readonly value: Span;
}

/** Writes an entry at a position that has room for it; answers where it ends. */
export function putEntry(into: DataView, start: number, entry: LegacyEntry): number {
  const { source, key, value } = entry;
  setInt64(into, start, entry.offset);
  into.setUint8(start + 16, entry.magic);
  into.setUint8(start + 17, entry.attributes);
  let at = start + 18;
  if (entry.magic === 1) {
    setInt64(into, at, entry.timestamp);
    at += 8;
  }
  into.setInt32(at, key.size < 0 ? -1 : key.size);
  at += 4;
  // The checksum takes in one go what lies together, and what is copied while it is.
  let register = -1;
  let taken = start + 16;
  if (key.size > 0) {
    register = copyToCrc32(source, key.at, key.size, into, at, crc32Register(into, taken, at, register));
    at += key.size;
    taken = at;
  }
  into.setInt32(at, value.size < 0 ? -1 : value.size);
  at += 4;
  register = crc32Register(into, taken, at, register);
  if (value.size > 0) {
    register = copyToCrc32(source, value.at, value.size, into, at, register);
    at += value.size;
  }
  into.setInt32(start + 8, at - start - LOG_OVERHEAD);
  into.setInt32(start + 12, ~register);
  return at;
}

export interface LegacyEntryOptions extends Pick<LegacyEntry, 'magic' | 'attributes' | 'offset' | 'timestamp'> {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
}

/** One entry in memory of its own. */
export function legacyEntry({ key, value, ...fields }: LegacyEntryOptions): Uint8Array {
  const isWritable = Number.isSafeInteger(fields.offset) && Number.isSafeInteger(fields.timestamp);
  assert(isWritable, 'an int64 outside ±2^53 is never encoded', fields.offset, fields.timestamp);
  const source = key === null ? (value ?? noBytes) : value === null ? key : Buffer.concat([key, value]);
  const keySize = key?.length ?? -1;
  const entry = new Uint8Array(legacyOverhead(fields.magic) + source.length);
  putEntry(viewOf(entry), 0, {
    ...fields,
    source: viewOf(source),
    key: { at: 0, size: keySize },
    value: { at: Math.max(0, keySize), size: value?.length ?? -1 },
  });
  return entry;
}

const noBytes = new Uint8Array(0);
