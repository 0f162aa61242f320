import { crc32c } from '../../../base/crc32c.ts';
import { slicesOf } from '../../../base/slices.ts';
import type { Steps } from '../../../base/steps.ts';
import {
  ATTRIBUTES_AT,
  BATCH_OVERHEAD,
  type BatchHeader,
  CODEC_MASK,
  CRC_AT,
  DELETE_HORIZON_BIT,
  LOG_OVERHEAD,
  NO_TIMESTAMP,
} from '../../records/batch.ts';
import { putInt16, putInt32, putInt64 } from '../../records/bytes.ts';
import { packSteps } from '../../records/compression.ts';

/*
 * Fields of the header of magic 2 that change (the rest stays: base offset, leader epoch, last offset delta, producer, sequence):
 *
 *   8 length | 17 crc | 21 attributes | 27 base timestamp | 35 max timestamp | 57 record count
 */
const LENGTH_AT = 8;
const BASE_TIMESTAMP_AT = 27;
const MAX_TIMESTAMP_AT = 35;
const RECORD_COUNT_AT = 57;

/** Where the records that stay lie in the plain records of a batch, and what becomes of their timestamps. */
export interface RetainedRecords {
  readonly plain: Uint8Array;
  /** For each record: start, end, where its attributes begin, where its offset delta begins, its timestamp delta. */
  readonly places: Float64Array;
  readonly count: number;
  /** Undefined: none is set (KIP-534). */
  readonly deleteHorizonMs: number | undefined;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
}

export const PLACE_FIELDS = 5;

/** The batch with those records alone, in its own codec (MemoryRecords.buildRetainedRecordsInto). */
export function* rewriteBatch(batch: Uint8Array, header: BatchHeader, retained: RetainedRecords): Steps<Uint8Array> {
  const codec = header.codec ?? 'none';
  const records = recordsOf(header, retained, codec === 'none' ? BATCH_OVERHEAD : 0);
  const written =
    codec === 'none' ? records : withRoomForHeader(yield* packSteps(codec, slicesOf(records), { magic: 2 }));
  const { deleteHorizonMs, baseTimestamp, maxTimestamp, count } = retained;
  const attributes =
    (header.attributes & ~DELETE_HORIZON_BIT) | (deleteHorizonMs === undefined ? 0 : DELETE_HORIZON_BIT);
  return finish(written, batch, { attributes, baseTimestamp, maxTimestamp, count });
}

/** A batch without any record: it says how far its producer's sequence went (DefaultRecordBatch.writeEmptyHeader). */
export function emptyBatch(batch: Uint8Array, { attributes, maxTimestamp }: BatchHeader): Uint8Array {
  const kept = attributes & ~(CODEC_MASK | DELETE_HORIZON_BIT);
  const fields = { attributes: kept, baseTimestamp: NO_TIMESTAMP, maxTimestamp, count: 0 };
  return finish(new Uint8Array(BATCH_OVERHEAD), batch, fields);
}

interface ChangedFields {
  readonly attributes: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly count: number;
}

function finish(written: Uint8Array, batch: Uint8Array, fields: ChangedFields): Uint8Array {
  written.set(batch.subarray(0, BATCH_OVERHEAD));
  putInt32(written, LENGTH_AT, written.length - LOG_OVERHEAD);
  putInt16(written, ATTRIBUTES_AT, fields.attributes);
  // A timestamp that no number holds stands as it is.
  if (Number.isSafeInteger(fields.baseTimestamp)) putInt64(written, BASE_TIMESTAMP_AT, fields.baseTimestamp);
  if (Number.isSafeInteger(fields.maxTimestamp)) putInt64(written, MAX_TIMESTAMP_AT, fields.maxTimestamp);
  putInt32(written, RECORD_COUNT_AT, fields.count);
  putInt32(written, CRC_AT, crc32c(written.subarray(ATTRIBUTES_AT)));
  return written;
}

function withRoomForHeader(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([new Uint8Array(BATCH_OVERHEAD), ...parts]);
}

/** Enough for a length and a timestamp delta that become longer. */
const GROWTH_MAX = 15;

/** The records behind `room` free bytes; neighbours that stay as they are, are copied together. */
function recordsOf(header: BatchHeader, retained: RetainedRecords, room: number): Uint8Array {
  const { plain, places, count } = retained;
  const shift = shiftOf(header, retained);
  let size = room;
  for (let index = 0; index < count; index += 1) {
    const at = index * PLACE_FIELDS;
    size += places[at + 1]! - places[at]! + (shift === 0 ? 0 : GROWTH_MAX);
  }
  const written = Buffer.allocUnsafe(size);
  let to = room;
  for (let index = 0; index < count; ) {
    const at = index * PLACE_FIELDS;
    if (shift === 0) {
      let next = index + 1;
      while (next < count && places[next * PLACE_FIELDS] === places[(next - 1) * PLACE_FIELDS + 1]) next += 1;
      const [start, end] = [places[at]!, places[(next - 1) * PLACE_FIELDS + 1]!];
      written.set(plain.subarray(start, end), to);
      to += end - start;
      index = next;
    } else {
      const isAppendTime = header.timestampType === 'LogAppendTime';
      const delta = isAppendTime ? header.maxTimestamp - retained.baseTimestamp : places[at + 4]! + shift;
      const [attributesAt, restAt, end] = [places[at + 2]!, places[at + 3]!, places[at + 1]!];
      to = putVarlong(written, to, 1 + varlongSize(delta) + end - restAt);
      written[to] = plain[attributesAt]!;
      to = putVarlong(written, to + 1, delta);
      written.set(plain.subarray(restAt, end), to);
      to += end - restAt;
      index += 1;
    }
  }
  return written.subarray(0, to);
}

/** What each delta changes by, since it counts from another base; append times are all written anew. */
function shiftOf(header: BatchHeader, { baseTimestamp }: RetainedRecords): number {
  if (baseTimestamp === header.baseTimestamp || !Number.isSafeInteger(baseTimestamp)) return 0;
  return header.baseTimestamp - baseTimestamp;
}

function varlongSize(value: number): number {
  let size = 1;
  for (let rest = zigZag(value); rest >= 128; rest = Math.floor(rest / 128)) size += 1;
  return size;
}

function putVarlong(bytes: Uint8Array, at: number, value: number): number {
  let to = at;
  let rest = zigZag(value);
  for (; rest >= 128; rest = Math.floor(rest / 128)) {
    bytes[to] = (rest % 128) | 0x80;
    to += 1;
  }
  bytes[to] = rest;
  return to + 1;
}

function zigZag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}
