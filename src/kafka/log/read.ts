import { noSlices, type Slices, slicesOf } from '../../base/slices.ts';
import { DiskError } from '../../runtime/disk.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { readBatchHeader } from '../records/batch.ts';
import { CorruptBatchError } from '../records/errors.ts';
import type { LogState } from './log-state.ts';
import type { Segment } from './segment.ts';

export interface ReadOptions {
  readonly maxBytes: number;
  /** The first batch comes whole even when it is larger than `maxBytes` (KIP-74). */
  readonly minOneMessage: boolean;
  /** Exclusive: high watermark, last stable offset or log end offset, as the reader may see. */
  readonly upTo: number;
}

export type LoadDone = (error: KafkaError | undefined, records: Slices) => void;

interface ReadSize {
  readonly sizeInBytes: number;
  /** The records are the beginning of one batch that is larger than what was asked for. */
  readonly firstEntryIncomplete: boolean;
  /**
   * What the read takes of the limit of an answer. Apache's brokers send the beginning of a batch that does not fit, which no
   * reader can use, and count it; it is counted here too, so that the next partition gets what it would get there.
   */
  readonly takenBytes: number;
}

/** Whole batches; the first may begin below the offset that was asked for. */
export type LogRead =
  | (ReadSize & {
      readonly kind: 'memory';
      /** They stay as they are until `release`, which is called once, when nobody reads them any more, or never. */
      readonly records: Slices;
      release(): void;
    })
  /**
   * In the file: `load` reads them into `sizeInBytes` of the caller's memory, and may bring a little less. The records lie in
   * that memory, which belongs to the read until `done`.
   */
  | (ReadSize & { readonly kind: 'file'; load(into: Uint8Array, done: LoadDone): void });

export const nothingToRead: LogRead = {
  kind: 'memory',
  records: noSlices,
  sizeInBytes: 0,
  firstEntryIncomplete: false,
  takenBytes: 0,
  release: () => undefined,
};

/** Nobody reads it any more: once for each read, or never. */
export function releaseRead(read: LogRead | undefined): void {
  if (read?.kind === 'memory') read.release();
}

/** @throws KafkaError OFFSET_OUT_OF_RANGE, UNKNOWN_SERVER_ERROR for a negative limit, CORRUPT_MESSAGE, KAFKA_STORAGE_ERROR */
export function read(log: LogState, offset: number, options: ReadOptions): LogRead {
  if (offset < log.logStartOffset || offset > log.logEndOffset) {
    throw new KafkaError(
      ErrorCode.OFFSET_OUT_OF_RANGE,
      `Received request for offset ${offset} for partition ${log.name}, but we only have log segments upto ${log.logEndOffset} and the log start offset is ${log.logStartOffset}.`,
    );
  }
  const upTo = Math.min(options.upTo, log.logEndOffset);
  if (offset >= upTo) return nothingToRead;
  // Apache's segment refuses it where there is something to read, and nothing looks at it before.
  if (options.maxBytes < 0)
    throw new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR, `Invalid max size ${options.maxBytes}`);
  const recent = log.tail.read(offset, options.maxBytes, options.minOneMessage, upTo);
  if (recent !== undefined) return { kind: 'memory', sizeInBytes: recent.records.size, ...recent };
  try {
    return readFile(log, offset, options, upTo);
  } catch (error) {
    throw readError(log, error);
  }
}

function readFile(log: LogState, offset: number, { maxBytes, minOneMessage }: ReadOptions, upTo: number): LogRead {
  let segment = log.segments.floor(offset) ?? log.segments.first;
  for (;;) {
    const found = segment.find(offset);
    if (found !== undefined) {
      const { position, header } = found;
      const end = endPosition(log, segment, upTo);
      if (position >= end) return nothingToRead;
      const firstEntryIncomplete = header.sizeInBytes > maxBytes && !minOneMessage;
      const wanted = minOneMessage ? Math.max(maxBytes, header.sizeInBytes) : maxBytes;
      return fileRead(log, { offset, segment, position }, Math.min(wanted, end - position), firstEntryIncomplete);
    }
    // Compaction can leave the end of a segment without records: what follows stands in the next one.
    const next = log.segments.after(segment);
    if (next === undefined || next.baseOffset >= upTo) return nothingToRead;
    segment = next;
  }
}

/** Where in a segment's file the batches below an offset end. */
export function endPosition(log: LogState, segment: Segment, upTo: number): number {
  const next = log.segments.after(segment);
  const segmentEnd = next?.baseOffset ?? log.logEndOffset;
  if (upTo >= segmentEnd) return segment.settledSize;
  const place = log.tail.placeOf(upTo);
  if (place?.segmentBaseOffset === segment.baseOffset) return place.position;
  return segment.find(upTo)?.position ?? segment.settledSize;
}

function fileRead(
  log: LogState,
  { offset, segment, position }: { readonly offset: number; readonly segment: Segment; readonly position: number },
  sizeInBytes: number,
  firstEntryIncomplete: boolean,
): LogRead {
  const load = (into: Uint8Array, done: LoadDone): void => {
    segment.read(position, into, (error, count) => {
      if (error === undefined) answer(log, into.subarray(0, count), firstEntryIncomplete, done);
      else if (log.segments.all.includes(segment)) done(readError(log, error), noSlices);
      // Retention took the offset; or compaction put another segment in the place of this one, and the reader asks again.
      else if (offset < log.logStartOffset) done(new KafkaError(ErrorCode.OFFSET_OUT_OF_RANGE), noSlices);
      else done(undefined, noSlices);
    });
  };
  return { kind: 'file', sizeInBytes, takenBytes: sizeInBytes, firstEntryIncomplete, load };
}

function answer(log: LogState, bytes: Uint8Array, firstEntryIncomplete: boolean, done: LoadDone): void {
  let records: Slices;
  try {
    records = slicesOf(firstEntryIncomplete ? bytes : wholeBatches(bytes));
  } catch (error) {
    done(readError(log, error), noSlices);
    return;
  }
  done(undefined, records);
}

/** Without the last batch where it was cut. */
function wholeBatches(bytes: Uint8Array): Uint8Array {
  let end = 0;
  while (end < bytes.length) {
    const header = readBatchHeader(bytes, end);
    if (header === undefined || end + header.sizeInBytes > bytes.length) break;
    end += header.sizeInBytes;
  }
  return end === bytes.length ? bytes : bytes.subarray(0, end);
}

function readError(log: LogState, error: unknown): KafkaError {
  if (error instanceof DiskError) {
    log.fail(error);
    return new KafkaError(ErrorCode.KAFKA_STORAGE_ERROR, `Error while reading ${log.name}`, { cause: error });
  }
  if (error instanceof CorruptBatchError) {
    log.runtime.log.error('A batch in the log is corrupt', { partition: log.name, error });
    return new KafkaError(ErrorCode.CORRUPT_MESSAGE, error.message, { cause: error });
  }
  throw error;
}
