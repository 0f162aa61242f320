import { assert } from '../../base/assert.ts';
import { crc32c } from '../../base/crc32c.ts';
import { flatten, type Slices, slicesOf } from '../../base/slices.ts';
import type { Steps } from '../../base/steps.ts';
import { Writer } from '../../wire/writer.ts';
import {
  ATTRIBUTES_AT,
  BATCH_OVERHEAD,
  CONTROL_BIT,
  type CodecName,
  CRC_AT,
  codecNames,
  DELETE_HORIZON_BIT,
  LOG_OVERHEAD,
  type Magic,
  NO_LEADER_EPOCH,
  NO_PRODUCER_EPOCH,
  NO_PRODUCER_ID,
  NO_SEQUENCE,
  NO_TIMESTAMP,
  TIMESTAMP_TYPE_BIT,
  type TimestampType,
  TRANSACTIONAL_BIT,
} from './batch.ts';
import { putInt16, putInt32, putInt64 } from './bytes.ts';
import { compress, packSteps } from './compression.ts';
import type { RecordHeader } from './iterate.ts';
import { legacyAttributes, legacyEntry, legacyOverhead } from './legacy-entry.ts';
import { recordSizeUpperBound, writeRecord } from './write-record.ts';

/** A writer that grows copies all it has: beyond this the next records go into another. */
const PART_BYTES = 262_144;

export interface NewRecord {
  /** Default: the one after the last. Offsets grow. */
  readonly offset?: number;
  /** ms; default -1: none. */
  readonly timestamp?: number;
  readonly key?: Uint8Array | null;
  readonly value?: Uint8Array | null;
  /** Only magic 2 has them. */
  readonly headers?: readonly RecordHeader[];
}

export interface BatchOptions {
  /** Default 2. */
  readonly magic?: Magic;
  readonly baseOffset?: number;
  readonly codec?: CodecName;
  /** `compression.<codec>.level`. */
  readonly level?: number | undefined;
  readonly timestampType?: TimestampType;
  /** ms; wanted with LogAppendTime. */
  readonly logAppendTimeMs?: number;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly isTransactional?: boolean;
  readonly isControl?: boolean;
  readonly leaderEpoch?: number;
  /** ms; stands in the place of the base timestamp (KIP-534). */
  readonly deleteHorizonMs?: number;
  /** Where compaction removed the last records; default: that of the last record. */
  readonly lastOffset?: number;
}

/** One batch of magic 2; the uncompressed entries, or the one wrapper, of magic 0 and 1. */
export function buildBatch(options: BatchOptions & { readonly records: readonly NewRecord[] }): Slices {
  const builder = new BatchBuilder(options);
  for (const record of options.records) builder.append(record);
  return builder.build();
}

export interface BuilderHints {
  /** Compressed size over plain size, as the caller learnt it from earlier batches; default 1. */
  readonly expectedRatio?: number;
  /** Bytes of records that are likely to come. */
  readonly sizeHint?: number;
}

/** Collects records until the batch is full or due. */
export class BatchBuilder {
  readonly #options: BatchOptions;
  readonly #magic: Magic;
  readonly #codec: CodecName;
  readonly #baseOffset: number;
  #writer: Writer;
  /** What was written before. */
  readonly #parts: Uint8Array[] = [];
  #partsSize = 0;
  #count = 0;
  #nextOffset: number;
  #baseTimestamp: number | undefined;
  #maxTimestamp = NO_TIMESTAMP;
  readonly #expectedRatio: number;

  constructor(options: BatchOptions & BuilderHints = {}) {
    const { magic = 2, codec = 'none', baseOffset = 0 } = options;
    const isPlain = options.isTransactional !== true && options.isControl !== true && codec !== 'zstd';
    assert(magic === 2 || isPlain, 'magic 0 and 1 know no transactions, control records and zstd', magic, codec);
    this.#options = options;
    this.#writer = new Writer(options.sizeHint ?? 1024);
    this.#magic = magic;
    this.#codec = codec;
    this.#baseOffset = baseOffset;
    this.#nextOffset = baseOffset;
    this.#baseTimestamp = options.deleteHorizonMs;
    this.#expectedRatio = options.expectedRatio ?? 1;
  }

  get count(): number {
    return this.#count;
  }

  /** The offset of the next record that names none. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  get maxTimestamp(): number {
    return this.#maxTimestamp;
  }

  /** Bytes that `build` will give: exact without compression, else what the expected ratio makes of it. */
  get estimatedSize(): number {
    const header = this.#magic === 2 ? BATCH_OVERHEAD : this.#codec === 'none' ? 0 : legacyOverhead(this.#magic);
    return header + Math.ceil((this.#partsSize + this.#writer.size) * this.#expectedRatio);
  }

  /** Whether another record keeps the batch within a size; the first one always has room. */
  hasRoomFor(record: NewRecord, sizeMax: number): boolean {
    return this.#count === 0 || this.estimatedSize + recordSizeUpperBound(record, this.#magic) <= sizeMax;
  }

  append(record: NewRecord): void {
    const { offset = this.#nextOffset, timestamp = NO_TIMESTAMP, key = null, value = null, headers = [] } = record;
    assert(offset >= this.#nextOffset, 'offsets grow within a batch', offset, this.#nextOffset);
    assert(timestamp >= NO_TIMESTAMP, 'a timestamp is -1 or more', timestamp);
    if (this.#magic === 2) {
      this.#baseTimestamp ??= timestamp;
      const offsetDelta = offset - this.#baseOffset;
      writeRecord(this.#writer, { timestampDelta: timestamp - this.#baseTimestamp, offsetDelta, key, value, headers });
    } else {
      assert(headers.length === 0, 'magic 0 and 1 have no record headers', this.#magic);
      const { timestampType = 'CreateTime' } = this.#options;
      const isRelative = this.#magic === 1 && this.#codec !== 'none';
      this.#writer.bytes(
        legacyEntry({
          magic: this.#magic,
          offset: isRelative ? offset - this.#baseOffset : offset,
          attributes: legacyAttributes(this.#magic, 'none', timestampType),
          timestamp: timestampType === 'LogAppendTime' ? this.#logAppendTime() : timestamp,
          key,
          value,
        }),
      );
    }
    if (this.#writer.size > PART_BYTES) this.#cut();
    this.#count += 1;
    this.#nextOffset = offset + 1;
    if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp;
  }

  /** No bytes where no record was appended. The builder must not be used afterwards. */
  build(): Slices {
    if (this.#count === 0) return slicesOf();
    const plain = flatten(this.#plain());
    if (this.#magic !== 2)
      return this.#codec === 'none' ? slicesOf(plain) : slicesOf(this.#wrap(this.#compress(plain)));
    const records = this.#compress(plain);
    const header = this.#header(records.length);
    seal(header, crc32c(records, crcOfHeader(header)));
    return slicesOf(header, records);
  }

  /** As `build`, in steps, for magic 2: the same bytes, in parts. */
  *buildSteps(): Steps<Slices> {
    assert(this.#magic === 2, 'old messages are not built in steps', this.#magic);
    if (this.#count === 0) return slicesOf();
    const options = { magic: this.#magic, level: this.#options.level };
    const records = slicesOf(...(yield* packSteps(this.#codec, this.#plain(), options)));
    const header = this.#header(records.size);
    let crc = crcOfHeader(header);
    for (const chunk of records.chunks) {
      crc = crc32c(chunk, crc);
      yield chunk.length;
    }
    seal(header, crc);
    return slicesOf(header, ...records.chunks);
  }

  #plain(): Slices {
    return slicesOf(...this.#parts, this.#writer.finishFlat());
  }

  #cut(): void {
    this.#partsSize += this.#writer.size;
    this.#parts.push(this.#writer.finishFlat());
    this.#writer = new Writer(PART_BYTES);
  }

  #compress(plain: Uint8Array): Uint8Array {
    return compress(this.#codec, plain, { magic: this.#magic, level: this.#options.level });
  }

  /** Without its checksum. */
  #header(recordsSize: number): Uint8Array {
    const { timestampType = 'CreateTime', isTransactional = false, isControl = false } = this.#options;
    const header = new Uint8Array(BATCH_OVERHEAD);
    const attributes =
      codecNames.indexOf(this.#codec) |
      (timestampType === 'LogAppendTime' ? TIMESTAMP_TYPE_BIT : 0) |
      (isTransactional ? TRANSACTIONAL_BIT : 0) |
      (isControl ? CONTROL_BIT : 0) |
      (this.#options.deleteHorizonMs === undefined ? 0 : DELETE_HORIZON_BIT);
    putInt64(header, 0, this.#baseOffset);
    putInt32(header, 8, BATCH_OVERHEAD - LOG_OVERHEAD + recordsSize);
    putInt32(header, 12, this.#options.leaderEpoch ?? NO_LEADER_EPOCH);
    header[16] = 2;
    putInt16(header, ATTRIBUTES_AT, attributes);
    putInt32(header, 23, (this.#options.lastOffset ?? this.#nextOffset - 1) - this.#baseOffset);
    putInt64(header, 27, this.#baseTimestamp ?? NO_TIMESTAMP);
    putInt64(header, 35, timestampType === 'LogAppendTime' ? this.#logAppendTime() : this.#maxTimestamp);
    putInt64(header, 43, this.#options.producerId ?? NO_PRODUCER_ID);
    putInt16(header, 51, this.#options.producerEpoch ?? NO_PRODUCER_EPOCH);
    putInt32(header, 53, this.#options.baseSequence ?? NO_SEQUENCE);
    putInt32(header, 57, this.#count);
    return header;
  }

  #wrap(value: Uint8Array): Uint8Array {
    const { timestampType = 'CreateTime' } = this.#options;
    return legacyEntry({
      magic: this.#magic,
      offset: this.#nextOffset - 1,
      attributes: legacyAttributes(this.#magic, this.#codec, timestampType),
      timestamp: timestampType === 'LogAppendTime' ? this.#logAppendTime() : this.#maxTimestamp,
      key: null,
      value,
    });
  }

  #logAppendTime(): number {
    const { logAppendTimeMs } = this.#options;
    assert(logAppendTimeMs !== undefined, 'LogAppendTime needs the time of the append');
    return logAppendTimeMs;
  }
}

/** The checksum of a batch begins with what stands behind it in the header. */
function crcOfHeader(header: Uint8Array): number {
  return crc32c(header.subarray(ATTRIBUTES_AT));
}

function seal(header: Uint8Array, crc: number): void {
  putInt32(header, CRC_AT, crc);
}
