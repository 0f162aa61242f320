import { CompressionError } from '../../base/compression-error.ts';
import { flatten, type Slices, slicesOf, subSlices } from '../../base/slices.ts';
import { runToEnd, type Steps } from '../../base/steps.ts';
import { MalformedError } from '../../wire/errors.ts';
import { Reader } from '../../wire/reader.ts';
import { BATCH_OVERHEAD, type Batch, batchesOf, type CodecName, LOG_OVERHEAD } from './batch.ts';
import { type DecompressOptions, decompressPieces, unpackSteps } from './compression.ts';
import { InvalidRecordError } from './errors.ts';
import type { OutputBlock } from './output-block.ts';

export interface RecordHeader {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** One record as consumers and coordinators see it. Key, value and header values are views on the batch where they can be. */
export interface LogRecord {
  readonly offset: number;
  /** ms; the append time where the batch says so; -1 in magic 0. */
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
}

const noHeaders: readonly RecordHeader[] = [];

export interface IterateOptions {
  /** Bytes that one batch may become when it is decompressed. */
  readonly decompressedSizeMax?: number | undefined;
}

/** A batch of 1 MiB of zeros becomes a GiB: beyond this a batch is taken for an attack. */
export const DECOMPRESSED_SIZE_MAX = 256 * 1024 * 1024;

/**
 * The records of one batch of any magic, in order, wrappers of magic 0 and 1 opened. Throws InvalidRecordError or
 * CompressionError where the batch does not hold what it says; checksums are not looked at.
 */
export function recordsOf(batch: Batch, options: IterateOptions = {}): IterableIterator<LogRecord> {
  return runToEnd(openRecords(batch, options));
}

/** As `recordsOf`, after steps that open the batch. */
export function* openRecords(batch: Batch, options: IterateOptions = {}): Steps<IterableIterator<LogRecord>> {
  const { header } = batch;
  if (header.magic === 2) {
    if (header.recordCount < 0) {
      throw new InvalidRecordError(`Found invalid record count ${header.recordCount} in magic v2 batch`);
    }
    return header.recordCount === 0 ? [].values() : new BatchRecords(batch, yield* openPlain(batch, options));
  }
  if (header.codec === 'none') return [legacyRecord(batch)].values();
  const plain = yield* unwrapSteps(batch, options);
  let lastInner = 0;
  for (const entry of checkedEntries(plain)) {
    lastInner = entry.header.lastOffset;
    yield entry.header.sizeInBytes;
  }
  return wrappedRecords(batch, plain, lastInner);
}

/** The records of all batches. */
export function* allRecordsOf(source: Slices | Uint8Array, options: IterateOptions = {}): IterableIterator<LogRecord> {
  for (const batch of batchesOf(source)) yield* recordsOf(batch, options);
}

/** The codec of a batch; throws for an id that no Kafka defines. */
export function codecOf({ header }: Batch): CodecName {
  if (header.codec === undefined) throw new CompressionError(`Unknown compression type id: ${header.attributes & 7}`);
  return header.codec;
}

interface PlainRecords {
  readonly slices: Slices;
  readonly position: number;
}

/** Writes the records of a compressed batch of magic 2 as plain bytes behind what the block has. */
export function unpackInto(
  batch: Batch,
  codec: Exclude<CodecName, 'none'>,
  options: IterateOptions,
  into: OutputBlock,
): void {
  for (const piece of decompressPieces(codec, compressedRecords(batch), unpackOptions(options))) into.add(piece);
}

/** The records of a batch of magic 2 as plain bytes, from `position` on. */
export function* openPlain(batch: Batch, options: IterateOptions): Steps<PlainRecords> {
  const codec = codecOf(batch);
  if (codec === 'none') return { slices: batch.bytes, position: BATCH_OVERHEAD };
  return { slices: slicesOf(yield* unpackSteps(codec, compressedRecords(batch), unpackOptions(options))), position: 0 };
}

function compressedRecords({ bytes, header }: Batch): Uint8Array {
  return flatten(subSlices(bytes, BATCH_OVERHEAD, header.sizeInBytes));
}

function unpackOptions({ decompressedSizeMax }: IterateOptions): DecompressOptions {
  return { magic: 2, sizeMax: decompressedSizeMax ?? DECOMPRESSED_SIZE_MAX };
}

class BatchRecords implements IterableIterator<LogRecord> {
  readonly #batch: Batch;
  readonly #reader: Reader;
  #left: number;

  constructor(batch: Batch, { slices, position }: PlainRecords) {
    this.#batch = batch;
    this.#left = batch.header.recordCount;
    this.#reader = new Reader(slices);
    this.#reader.skip(position);
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(): IteratorResult<LogRecord, undefined> {
    if (this.#left === 0) return { done: true, value: undefined };
    const value = malformedIsInvalid(() => this.#read());
    this.#left -= 1;
    if (this.#left === 0 && this.#reader.remaining > 0) {
      throw new InvalidRecordError('Incorrect declared batch size, records still remaining in file');
    }
    return { done: false, value };
  }

  #read(): LogRecord {
    const reader = this.#reader;
    const { header } = this.#batch;
    const length = reader.varint();
    if (length < 0 || length > reader.remaining) {
      throw new InvalidRecordError(
        `Invalid record size: expected ${length} bytes in record payload, but instead the buffer has only ${reader.remaining} remaining bytes.`,
      );
    }
    const end = reader.position + length;
    reader.skip(1);
    const timestampDelta = reader.varlong();
    const offset = header.baseOffset + reader.varint();
    const key = nullableBytes(reader, reader.varint());
    const value = nullableBytes(reader, reader.varint());
    const headers = readHeaders(reader, end);
    if (reader.position !== end) {
      throw new InvalidRecordError(
        `Invalid record size: expected to read ${length} bytes in record payload, but instead read ${reader.position - end + length}`,
      );
    }
    const timestamp =
      header.timestampType === 'LogAppendTime' ? header.maxTimestamp : header.baseTimestamp + timestampDelta;
    return { offset, timestamp, key, value, headers };
  }
}

function readHeaders(reader: Reader, end: number): readonly RecordHeader[] {
  const count = reader.varint();
  if (count === 0) return noHeaders;
  if (count < 0 || count > end - reader.position) {
    throw new InvalidRecordError(`Found invalid number of record headers ${count}`);
  }
  const headers: RecordHeader[] = [];
  for (let index = 0; index < count; index += 1) {
    const keySize = reader.varint();
    if (keySize < 0) throw new InvalidRecordError(`Invalid negative header key size ${keySize}`);
    const key = reader.utf8(keySize);
    headers.push({ key, value: nullableBytes(reader, reader.varint()) });
  }
  return headers;
}

/** Any negative size is null, as Apache reads it. */
function nullableBytes(reader: Reader, size: number): Uint8Array | null {
  return size < 0 ? null : reader.bytes(size);
}

/** What an entry of magic 0 or 1 says itself: a record, or the wrapper of compressed ones. */
function legacyRecord({ header, bytes }: Batch): LogRecord {
  return malformedIsInvalid(() => {
    const reader = new Reader(bytes);
    reader.skip(LOG_OVERHEAD + (header.magic === 0 ? 6 : 14));
    const key = nullableBytes(reader, reader.int32());
    const value = nullableBytes(reader, reader.int32());
    return { offset: header.lastOffset, timestamp: header.maxTimestamp, key, value, headers: noHeaders };
  });
}

/** The entries inside a wrapper, each a batch of its own with the offset that stands in it. */
export function* innerEntries(wrapper: Batch, options: IterateOptions = {}): Steps<Iterable<Batch>> {
  return checkedEntries(yield* unwrapSteps(wrapper, options));
}

/** What a wrapper holds, as plain bytes. */
function* unwrapSteps(wrapper: Batch, options: IterateOptions): Steps<Slices> {
  const { magic } = wrapper.header;
  const codec = codecOf(wrapper);
  if (codec === 'zstd')
    throw new InvalidRecordError('Invalid wrapper compressionType found in legacy deep record iterator');
  const { value } = legacyRecord(wrapper);
  if (value === null) {
    throw new InvalidRecordError(`Found invalid compressed record set with null value (magic = ${magic})`);
  }
  const sizeMax = options.decompressedSizeMax ?? DECOMPRESSED_SIZE_MAX;
  return slicesOf(yield* unpackSteps(codec, value, { magic, sizeMax }));
}

/** One after the other: a small wrapper may hold millions. */
function* checkedEntries(plain: Slices): Generator<Batch> {
  let count = 0;
  for (const entry of batchesOf(plain)) {
    if (entry.header.magic === 2) throw new InvalidRecordError('A record batch inside a compressed message set');
    if (entry.header.codec !== 'none') throw new InvalidRecordError('Inner messages must not be compressed');
    yield entry;
    count += 1;
  }
  if (count === 0) throw new InvalidRecordError('Found invalid compressed record set with no inner records');
}

/**
 * Magic 1 numbers the inner records relative to the first (KIP-31), and the wrapper has the offset of the last; 0 there
 * means that a producer never set it (librdkafka). An append time stands in the wrapper alone (KIP-32).
 */
function* wrappedRecords({ header }: Batch, plain: Slices, lastInner: number): Generator<LogRecord> {
  let base = 0;
  if (header.magic === 1 && header.lastOffset !== 0) {
    base = header.lastOffset - lastInner;
    if (base < 0) {
      throw new InvalidRecordError(
        `Found invalid wrapper offset in compressed v1 message set, wrapper offset '${header.lastOffset}' is less than the last inner message offset '${lastInner}' and it is not zero.`,
      );
    }
  }
  for (const entry of checkedEntries(plain)) {
    const record = legacyRecord(entry);
    const hasAppendTime = entry.header.magic === 1 && header.timestampType === 'LogAppendTime';
    const timestamp = hasAppendTime ? header.maxTimestamp : record.timestamp;
    yield { ...record, offset: base + record.offset, timestamp };
  }
}

function malformedIsInvalid<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof MalformedError)
      throw new InvalidRecordError('Found invalid record structure', { cause: error });
    throw error;
  }
}
