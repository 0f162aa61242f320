import { CompressionError, OversizeError } from '../../base/compression-error.ts';
import type { Slices } from '../../base/slices.ts';
import { runToEnd, type Steps } from '../../base/steps.ts';
import { ErrorCode } from '../protocol/errors.ts';
import {
  BATCH_OVERHEAD,
  type Batch,
  type BatchHeader,
  batchesOf,
  type CodecName,
  hasValidCrc,
  NO_TIMESTAMP,
  patchBatch,
  readBatchHeader,
} from './batch.ts';
import { CorruptBatchError, InvalidRecordError } from './errors.ts';
import { codecOf } from './iterate.ts';
import { rebuild } from './rebuild.ts';
import { findRecordErrors, isDoubtful, rejectRecords, walkBatch } from './record-errors.ts';
import {
  noRecords,
  type RecordRules,
  type RejectedRecords,
  reject,
  rejectInvalidBatch,
  type ValidatedRecords,
  type ValidateOptions,
} from './validation.ts';
import { type RecordSummary, walkRecords } from './walk.ts';

export type Validation = ValidatedRecords | RejectedRecords;

/**
 * What a leader does to records before it appends them: the checks of Apache's `UnifiedLog.analyzeAndValidateRecords` and
 * `LogValidator` in their order, then offsets, leader epoch and timestamps, in place where nothing forces a rewrite.
 * The caller's chunks are patched.
 */
export function validateAndAssign(records: Slices, options: ValidateOptions): Validation {
  const begun = beginValidation(records, options);
  return isUnfinished(begun) ? runToEnd(begun) : begun;
}

/**
 * As `validateAndAssign`, where plain records that are as they should be are judged at once. All others take steps, of which only the
 * last one patches the caller's chunks: who began may begin again.
 */
export function beginValidation(records: Slices, options: ValidateOptions): Validation | Steps<Validation> {
  try {
    const begun = begin(records, options);
    return isUnfinished(begun) ? judged(begun, options) : begun;
  } catch (error) {
    return rejectionOf(error, options);
  }
}

function begin(records: Slices, options: ValidateOptions): Validation | Steps<Validation> {
  const first = options.firstHeader ?? readBatchHeader(records);
  if (first === undefined) return noRecords;
  if (first.sizeInBytes === records.size) {
    // A lone whole batch: what producers send.
    const batch = { header: first, bytes: records };
    return checkBatch(batch, options) ?? assign([batch], options);
  }
  const batches: Batch[] = [];
  for (const batch of batchesOf(records)) {
    const rejected = checkBatch(batch, options);
    if (rejected !== undefined) return rejected;
    batches.push(batch);
  }
  return batches.length === 0 ? noRecords : assign(batches, options);
}

export function isUnfinished(validation: Validation | Steps<Validation>): validation is Steps<Validation> {
  return !('kind' in validation);
}

/** Steps that throw nothing that has an answer. */
function* judged(steps: Steps<Validation>, options: ValidateOptions): Steps<Validation> {
  try {
    return yield* steps;
  } catch (error) {
    return rejectionOf(error, options);
  }
}

/**
 * What Apache's exceptions become. A stream that does not decompress has no code of its own there, and one that becomes too
 * much is an idea of ours: a producer that hears MESSAGE_TOO_LARGE divides its batch and tries again, which is the remedy.
 */
function rejectionOf(error: unknown, { topicPartition }: ValidateOptions): RejectedRecords {
  if (error instanceof CorruptBatchError) {
    const message = `${error.message} in topic partition ${topicPartition}`;
    return reject(ErrorCode.CORRUPT_MESSAGE, message, error.isCrc ? 'crc' : undefined);
  }
  if (error instanceof InvalidRecordError) return reject(ErrorCode.INVALID_RECORD, error.message);
  if (error instanceof OversizeError) return reject(ErrorCode.MESSAGE_TOO_LARGE, error.message);
  if (error instanceof CompressionError) return reject(ErrorCode.UNKNOWN_SERVER_ERROR, error.message);
  throw error;
}

/** What holds for each batch alone, before any record is looked at. */
function checkBatch(batch: Batch, { origin, rules, topicPartition }: ValidateOptions): RejectedRecords | undefined {
  const { header } = batch;
  if (header.magic === 2 && origin === 'client' && header.baseOffset !== 0) {
    return reject(
      ErrorCode.INVALID_RECORD,
      `The baseOffset of the record batch in the append to ${topicPartition} should be 0, but it is ${header.baseOffset}`,
    );
  }
  if (header.sizeInBytes > rules.maxMessageBytes) {
    return reject(
      ErrorCode.MESSAGE_TOO_LARGE,
      `The record batch size in the append to ${topicPartition} is ${header.sizeInBytes} bytes which exceeds the maximum configured value of ${rules.maxMessageBytes}.`,
    );
  }
  if (!hasValidCrc(batch)) {
    return reject(
      ErrorCode.CORRUPT_MESSAGE,
      `Record is corrupt (stored crc = ${header.crc}) in topic partition ${topicPartition}.`,
      'crc',
    );
  }
  codecOf(batch);
  return undefined;
}

/** The last compressed batch decides, though only sets of plain messages have more than one. */
function sourceCodecOf(batches: readonly Batch[]): CodecName {
  let codec: CodecName = 'none';
  for (const batch of batches) if (batch.header.codec !== 'none') codec = codecOf(batch);
  return codec;
}

function targetCodecOf(rules: RecordRules, source: CodecName): CodecName {
  if (rules.compressionType === 'producer') return source;
  return rules.compressionType === 'uncompressed' ? 'none' : rules.compressionType;
}

function assign(batches: readonly Batch[], options: ValidateOptions): Validation | Steps<Validation> {
  const first = batches[0]!.header;
  const source = sourceCodecOf(batches);
  const target = targetCodecOf(options.rules, source);
  if (batches.length > 1 && (first.magic === 2 || source !== 'none')) {
    return reject(ErrorCode.INVALID_RECORD, 'Compressed outer record has more than one batch');
  }
  // A control batch stays as its coordinator wrote it, whatever the topic wants of data.
  const keepsCodec = source === target || (source === 'none' && first.isControl);
  if (first.magic !== 2 || !keepsCodec) return rebuild({ batches, target, options });
  const batch = batches[0]!;
  const invalid = rejectInvalidBatch(first, first, options);
  if (invalid !== undefined) return invalid;
  if (source !== 'none') return examineCompressed(batch, options);
  const summary = walkRecords(batch.bytes, BATCH_OVERHEAD, first.recordCount);
  const isQuick = hasRightOffsets(summary, options) && !isDoubtful(first, summary, options);
  return isQuick ? assignInPlace(batch, summary, options) : examine(batch, { ...summary }, options);
}

function* examineCompressed(batch: Batch, options: ValidateOptions): Steps<Validation> {
  return yield* examine(batch, yield* walkBatch(batch, options), options);
}

/** Looks at the records once more where their summary asks for it. */
function* examine(batch: Batch, summary: RecordSummary, options: ValidateOptions): Steps<Validation> {
  const issues = yield* findRecordErrors(batch, summary, options);
  if (issues.length > 0) return rejectRecords(issues);
  if (hasRightOffsets(summary, options)) return assignInPlace(batch, summary, options);
  return yield* rebuild({ batches: [batch], target: codecOf(batch), options });
}

/** Apache rewrites compressed batches with wrong offset deltas for old clients' sake, and would store plain ones as they are. */
function hasRightOffsets(summary: RecordSummary, { origin }: ValidateOptions): boolean {
  return summary.hasDenseOffsets || origin !== 'client';
}

function assignInPlace(batch: Batch, summary: RecordSummary, options: ValidateOptions): ValidatedRecords {
  const { header } = batch;
  const { rules, baseOffset, leaderEpoch, nowMs } = options;
  const isAppendTime = rules.timestampType === 'LogAppendTime';
  const maxTimestamp = isAppendTime ? nowMs : maxTimestampOf(header, summary);
  const lastOffset = baseOffset + header.recordCount - 1;
  const isStamped = header.timestampType === rules.timestampType && header.maxTimestamp === maxTimestamp;
  const stamped = patchBatch(batch, {
    baseOffset: lastOffset - header.lastOffsetDelta,
    partitionLeaderEpoch: leaderEpoch,
    timestamp: isStamped ? undefined : { type: rules.timestampType, maxTimestamp },
  });
  return {
    kind: 'valid',
    slices: stamped.bytes,
    batches: [stamped.header],
    firstOffset: baseOffset,
    lastOffset,
    count: header.recordCount,
    maxTimestamp,
    offsetOfMaxTimestamp: maxTimestamp === NO_TIMESTAMP && header.codec === 'none' ? -1 : lastOffset,
    logAppendTimeMs: isAppendTime ? nowMs : NO_TIMESTAMP,
    convertedCount: 0,
  };
}

/** The true maximum: what the producer put into the header is not believed. */
export function maxTimestampOf(header: BatchHeader, summary: RecordSummary): number {
  if (header.recordCount === 0) return NO_TIMESTAMP;
  if (header.timestampType === 'LogAppendTime') return header.maxTimestamp;
  return Math.max(NO_TIMESTAMP, header.baseTimestamp + summary.maxTimestampDelta);
}

/**
 * What `ProduceRequest.validateRecords` checks before the partition is looked at: from version 3 on one batch of magic 2
 * per partition, from version 7 on zstd. The answer is the header of the batch, for `ValidateOptions`; undefined before version 3.
 */
export function checkProduceRecords(version: number, records: Slices): BatchHeader | RejectedRecords | undefined {
  if (version < 3) return undefined;
  try {
    const first = readBatchHeader(records);
    if (first === undefined || first.sizeInBytes > records.size) {
      return reject(
        ErrorCode.INVALID_RECORD,
        `Produce requests with version ${version} must have at least one record batch per partition`,
      );
    }
    if (first.magic !== 2) {
      return reject(
        ErrorCode.INVALID_RECORD,
        `Produce requests with version ${version} are only allowed to contain record batches with magic version 2`,
      );
    }
    if (version < 7 && first.codec === 'zstd') {
      return reject(
        ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
        `Produce requests with version ${version} are not allowed to use ZStandard compression`,
      );
    }
    if (first.sizeInBytes === records.size) return first;
    const second = readBatchHeader(records, first.sizeInBytes);
    if (second !== undefined && first.sizeInBytes + second.sizeInBytes <= records.size) {
      return reject(
        ErrorCode.INVALID_RECORD,
        `Produce requests with version ${version} are only allowed to contain exactly one record batch per partition`,
      );
    }
    return first;
  } catch (error) {
    if (error instanceof CorruptBatchError) return reject(ErrorCode.CORRUPT_MESSAGE, error.message);
    throw error;
  }
}
