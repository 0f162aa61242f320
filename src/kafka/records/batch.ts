import { crc32 } from 'node:zlib';
import { assert } from '../../base/assert.ts';
import { crc32cOf } from '../../base/crc32c.ts';
import { type Slices, slicesOf, subSlices } from '../../base/slices.ts';
import { gather, int16At, int32At, int64At, locate, putInt16, putInt32, putInt64 } from './bytes.ts';
import { CorruptBatchError } from './errors.ts';

/*
 * Magic 2 (KIP-98), big-endian; `crc` is CRC-32C of everything from `attributes` on:
 *
 *   0 base offset i64 | 8 length i32 | 12 partition leader epoch i32 | 16 magic i8 | 17 crc u32 | 21 attributes i16
 *   23 last offset delta i32 | 27 base timestamp i64 | 35 max timestamp i64 | 43 producer id i64 | 51 producer epoch i16
 *   53 base sequence i32 | 57 record count i32 | 61 records
 *
 * Magic 0 and 1, where an entry is one record or a compressed message set; `crc` is CRC-32 from `magic` on:
 *
 *   0 offset i64 | 8 size i32 | 12 crc u32 | 16 magic i8 | 17 attributes i8 | [18 timestamp i64] | key | value
 */
export const LOG_OVERHEAD = 12;
export const BATCH_OVERHEAD = 61;
/** Smallest header from which a batch's size and magic are known. */
export const HEADER_SIZE_UP_TO_MAGIC = 17;

const LENGTH_AT = 8;
const LEADER_EPOCH_AT = 12;
const MAGIC_AT = 16;
export const CRC_AT = 17;
export const ATTRIBUTES_AT = 21;
export const MAX_TIMESTAMP_AT = 35;

const LEGACY_CRC_AT = 12;
const LEGACY_ATTRIBUTES_AT = 17;
const LEGACY_TIMESTAMP_AT = 18;
/** Offset, size and the fixed fields of a message with null key and null value. */
const LEGACY_MIN_SIZE = [LOG_OVERHEAD + 14, LOG_OVERHEAD + 22] as const;

export const CODEC_MASK = 0x07;
export const TIMESTAMP_TYPE_BIT = 0x08;
export const TRANSACTIONAL_BIT = 0x10;
export const CONTROL_BIT = 0x20;
export const DELETE_HORIZON_BIT = 0x40;

export const codecNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export type CodecName = (typeof codecNames)[number];
export type TimestampType = 'CreateTime' | 'LogAppendTime';
export type Magic = 0 | 1 | 2;

export const NO_TIMESTAMP = -1;
export const NO_PRODUCER_ID = -1;
export const NO_PRODUCER_EPOCH = -1;
export const NO_SEQUENCE = -1;
export const NO_LEADER_EPOCH = -1;

/**
 * What stands before the records. Numbers beyond ±2^53 are ±Infinity (see `Reader.int64`).
 * Magic 0 and 1 lack producer, sequence and leader epoch (-1), and their one offset is that of the *last* record inside:
 * `baseOffset` then equals `lastOffset`, and only iteration tells the first offset of a compressed entry.
 */
export interface BatchHeader {
  readonly baseOffset: number;
  /** Bytes of the whole batch, its first twelve included. */
  readonly sizeInBytes: number;
  readonly partitionLeaderEpoch: number;
  readonly magic: Magic;
  readonly crc: number;
  readonly attributes: number;
  readonly lastOffsetDelta: number;
  readonly lastOffset: number;
  /** The delete horizon where `hasDeleteHorizon`; record deltas count from it all the same. */
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  /** -1 where only decompression tells (magic 0 and 1, compressed). */
  readonly recordCount: number;
  /** Undefined for an id that no Kafka defines. */
  readonly codec: CodecName | undefined;
  /** Magic 0 has no timestamps; it reads as CreateTime with -1. */
  readonly timestampType: TimestampType;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly hasDeleteHorizon: boolean;
}

export interface Batch {
  readonly header: BatchHeader;
  /** Exactly this batch, header included. */
  readonly bytes: Slices;
}

/** The last sequence number of a batch; sequences wrap from 2^31-1 to 0. -1 without a sequence. */
export function lastSequenceOf(header: BatchHeader): number {
  if (header.baseSequence === NO_SEQUENCE) return NO_SEQUENCE;
  return (header.baseSequence + header.lastOffsetDelta) % 2_147_483_648;
}

/**
 * The header at a position, or undefined where too few bytes are left for one. The records behind it need not be there.
 * Throws CorruptBatchError for a size or magic that no batch can have.
 */
export function readBatchHeader(source: Slices | Uint8Array, position = 0): BatchHeader | undefined {
  if (source instanceof Uint8Array) return headerAt(source, position, source.length - position);
  const { index, start } = locate(source, position);
  return headerInChunks(source.chunks, index, position - start, source.size - position);
}

/** Every whole batch in order; a truncated tail ends the walk silently, as fetch responses have one. */
export function* batchesOf(source: Slices | Uint8Array): IterableIterator<Batch> {
  const slices = source instanceof Uint8Array ? slicesOf(source) : source;
  for (let position = 0; position < slices.size; ) {
    const header = readBatchHeader(slices, position);
    if (header === undefined || position + header.sizeInBytes > slices.size) return;
    yield { header, bytes: subSlices(slices, position, position + header.sizeInBytes) };
    position += header.sizeInBytes;
  }
}

/**
 * Whether there is a whole first batch, and it is transactional: what its header would tell. Nearly every request is asked, and
 * hardly one has any. @throws CorruptBatchError as `readBatchHeader`
 */
export function beginsTransactional(slices: Slices): boolean {
  const [chunk] = slices.chunks;
  if (chunk !== undefined && chunk.length >= BATCH_OVERHEAD && chunk[MAGIC_AT] === 2) {
    const sizeInBytes = LOG_OVERHEAD + int32At(chunk, LENGTH_AT);
    if (sizeInBytes >= BATCH_OVERHEAD && sizeInBytes <= slices.size) {
      return (int16At(chunk, ATTRIBUTES_AT) & TRANSACTIONAL_BIT) !== 0;
    }
  }
  const header = readBatchHeader(slices);
  return header !== undefined && header.sizeInBytes <= slices.size && header.isTransactional;
}

function headerInChunks(
  chunks: readonly Uint8Array[],
  index: number,
  at: number,
  left: number,
): BatchHeader | undefined {
  const chunk = chunks[index];
  if (chunk === undefined) return undefined;
  if (at + BATCH_OVERHEAD <= chunk.length) return headerAt(chunk, at, left);
  return headerAt(gather(chunks, index, at, BATCH_OVERHEAD), 0, left);
}

/** `left`: how many bytes the source holds from here, of which `bytes` must hold at least a header. */
function headerAt(bytes: Uint8Array, at: number, left: number): BatchHeader | undefined {
  if (left < HEADER_SIZE_UP_TO_MAGIC) return undefined;
  const sizeInBytes = LOG_OVERHEAD + int32At(bytes, at + LENGTH_AT);
  if (sizeInBytes < LEGACY_MIN_SIZE[0]) {
    throw new CorruptBatchError(
      `Record size ${sizeInBytes - LOG_OVERHEAD} is less than the minimum record overhead (14)`,
    );
  }
  const magic = bytes[at + MAGIC_AT]!;
  if (magic === 2) return left < BATCH_OVERHEAD ? undefined : batchHeaderAt(bytes, at, sizeInBytes);
  if (magic === 0 || magic === 1) {
    return left < LEGACY_MIN_SIZE[magic] ? undefined : legacyHeaderAt(bytes, at, sizeInBytes, magic);
  }
  throw new CorruptBatchError(`Invalid magic found in record: ${(magic << 24) >> 24}`);
}

function batchHeaderAt(bytes: Uint8Array, at: number, sizeInBytes: number): BatchHeader {
  if (sizeInBytes < BATCH_OVERHEAD) {
    throw new CorruptBatchError(
      `Record batch is corrupted (the size ${sizeInBytes} is smaller than the minimum allowed overhead ${BATCH_OVERHEAD})`,
    );
  }
  const baseOffset = int64At(bytes, at);
  const attributes = int16At(bytes, at + ATTRIBUTES_AT);
  const lastOffsetDelta = int32At(bytes, at + 23);
  return {
    baseOffset,
    sizeInBytes,
    partitionLeaderEpoch: int32At(bytes, at + LEADER_EPOCH_AT),
    magic: 2,
    crc: int32At(bytes, at + CRC_AT) >>> 0,
    attributes,
    lastOffsetDelta,
    lastOffset: baseOffset + lastOffsetDelta,
    baseTimestamp: int64At(bytes, at + 27),
    maxTimestamp: int64At(bytes, at + MAX_TIMESTAMP_AT),
    producerId: int64At(bytes, at + 43),
    producerEpoch: int16At(bytes, at + 51),
    baseSequence: int32At(bytes, at + 53),
    recordCount: int32At(bytes, at + 57),
    codec: codecNames[attributes & CODEC_MASK],
    timestampType: (attributes & TIMESTAMP_TYPE_BIT) === 0 ? 'CreateTime' : 'LogAppendTime',
    isTransactional: (attributes & TRANSACTIONAL_BIT) !== 0,
    isControl: (attributes & CONTROL_BIT) !== 0,
    hasDeleteHorizon: (attributes & DELETE_HORIZON_BIT) !== 0,
  };
}

function legacyHeaderAt(bytes: Uint8Array, at: number, sizeInBytes: number, magic: 0 | 1): BatchHeader {
  if (sizeInBytes < LEGACY_MIN_SIZE[magic]) {
    throw new CorruptBatchError(
      `Record is corrupt (record size ${sizeInBytes - LOG_OVERHEAD} smaller than the overhead of magic ${magic})`,
    );
  }
  const offset = int64At(bytes, at);
  const attributes = bytes[at + LEGACY_ATTRIBUTES_AT]!;
  const timestamp = magic === 1 ? int64At(bytes, at + LEGACY_TIMESTAMP_AT) : NO_TIMESTAMP;
  return {
    baseOffset: offset,
    sizeInBytes,
    partitionLeaderEpoch: NO_LEADER_EPOCH,
    magic,
    crc: int32At(bytes, at + LEGACY_CRC_AT) >>> 0,
    attributes,
    lastOffsetDelta: 0,
    lastOffset: offset,
    baseTimestamp: timestamp,
    maxTimestamp: timestamp,
    producerId: NO_PRODUCER_ID,
    producerEpoch: NO_PRODUCER_EPOCH,
    baseSequence: NO_SEQUENCE,
    recordCount: (attributes & CODEC_MASK) === 0 ? 1 : -1,
    codec: codecNames[attributes & CODEC_MASK],
    timestampType: magic === 0 || (attributes & TIMESTAMP_TYPE_BIT) === 0 ? 'CreateTime' : 'LogAppendTime',
    isTransactional: false,
    isControl: false,
    hasDeleteHorizon: false,
  };
}

/** Whether the checksum that a batch carries is that of its bytes. */
export function hasValidCrc({ header, bytes }: Batch): boolean {
  const crc = header.magic === 2 ? crc32cOf(bytes, ATTRIBUTES_AT) : crc32Of(bytes, MAGIC_AT);
  return crc === header.crc;
}

function crc32Of(bytes: Slices, from: number): number {
  let crc = 0;
  for (const chunk of subSlices(bytes, from, bytes.size).chunks) crc = crc32(chunk, crc);
  return crc;
}

export interface HeaderPatch {
  readonly baseOffset?: number;
  /** Outside the checksum, so that a leader sets it for nothing. Ignored by magic 0 and 1. */
  readonly partitionLeaderEpoch?: number;
  /** Rewrites the timestamp type, the maximum and so the checksum of magic 1 and 2. */
  readonly timestamp?: { readonly type: TimestampType; readonly maxTimestamp: number } | undefined;
}

/**
 * Sets header fields of the batch at a position in place. Where the header straddles chunks, its copy replaces the parts
 * that it was gathered from: use the list that is returned, not the one that was passed.
 */
export function patchHeader(slices: Slices, position: number, patch: HeaderPatch): Slices {
  const header = readBatchHeader(slices, position);
  assert(header !== undefined && position + header.sizeInBytes <= slices.size, 'a patched batch is whole', position);
  return patchAt(slices, position, header, patch);
}

/** `patchHeader` for a batch whose header was read already, and is the caller's own: it is changed too. Answers what it is now. */
export function patchBatch(batch: Batch, patch: HeaderPatch): Batch {
  const { bytes } = batch;
  const header: { -readonly [K in keyof BatchHeader]: BatchHeader[K] } = batch.header;
  const patched = patchAt(bytes, 0, header, patch);
  if (patch.timestamp !== undefined || header.magic !== 2) return { header: readBatchHeader(patched)!, bytes: patched };
  const { baseOffset = header.baseOffset, partitionLeaderEpoch = header.partitionLeaderEpoch } = patch;
  header.baseOffset = baseOffset;
  header.lastOffset = baseOffset + header.lastOffsetDelta;
  header.partitionLeaderEpoch = partitionLeaderEpoch;
  return patched === bytes ? batch : { header, bytes: patched };
}

function patchAt(slices: Slices, position: number, header: BatchHeader, patch: HeaderPatch): Slices {
  const patched = withWholeHeader(slices, position, Math.min(BATCH_OVERHEAD, header.sizeInBytes));
  const { index, start } = locate(patched, position);
  const bytes = patched.chunks[index]!;
  const at = position - start;
  // The only offset of a legacy entry and the base offset of a batch stand in the same place.
  if (patch.baseOffset !== undefined) putInt64(bytes, at, patch.baseOffset);
  if (patch.partitionLeaderEpoch !== undefined && header.magic === 2) {
    putInt32(bytes, at + LEADER_EPOCH_AT, patch.partitionLeaderEpoch);
  }
  if (patch.timestamp !== undefined && header.magic !== 0) {
    const typeBit = patch.timestamp.type === 'LogAppendTime' ? TIMESTAMP_TYPE_BIT : 0;
    const attributes = (header.attributes & ~TIMESTAMP_TYPE_BIT) | typeBit;
    const batch = subSlices(patched, position, position + header.sizeInBytes);
    if (header.magic === 2) {
      putInt16(bytes, at + ATTRIBUTES_AT, attributes);
      putInt64(bytes, at + MAX_TIMESTAMP_AT, patch.timestamp.maxTimestamp);
      putInt32(bytes, at + CRC_AT, crc32cOf(batch, ATTRIBUTES_AT));
    } else {
      bytes[at + LEGACY_ATTRIBUTES_AT] = attributes;
      putInt64(bytes, at + LEGACY_TIMESTAMP_AT, patch.timestamp.maxTimestamp);
      putInt32(bytes, at + LEGACY_CRC_AT, crc32Of(batch, MAGIC_AT));
    }
  }
  return patched;
}

/** The same bytes, with [position, position + size) inside one chunk. */
function withWholeHeader(slices: Slices, position: number, size: number): Slices {
  const { index, start } = locate(slices, position);
  const at = position - start;
  if (at + size <= slices.chunks[index]!.length) return slices;
  const chunks = subSlices(slices, 0, position).chunks.filter((chunk) => chunk.length > 0);
  return {
    chunks: [
      ...chunks,
      gather(slices.chunks, index, at, size),
      ...subSlices(slices, position + size, slices.size).chunks,
    ],
    size: slices.size,
  };
}
