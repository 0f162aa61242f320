import type { Steps } from '../../base/steps.ts';
import { ErrorCode } from '../protocol/errors.ts';
import {
  type Batch,
  type BatchHeader,
  type CodecName,
  hasValidCrc,
  NO_PRODUCER_EPOCH,
  NO_PRODUCER_ID,
  NO_TIMESTAMP,
  readBatchHeader,
} from './batch.ts';
import { BatchBuilder } from './builder.ts';
import { CorruptBatchError } from './errors.ts';
import { innerEntries, openRecords } from './iterate.ts';
import { issueOf, RECORD_ERRORS_MAX, rejectRecords } from './record-errors.ts';
import {
  noRecords,
  type RecordIssue,
  type RejectedRecords,
  reject,
  rejectInvalidBatch,
  type ValidatedRecords,
  type ValidateOptions,
} from './validation.ts';

export interface RebuildOptions {
  readonly batches: readonly Batch[];
  readonly target: CodecName;
  readonly options: ValidateOptions;
}

/**
 * Validates records one by one and writes them into one new batch of magic 2: those that came in magic 0 or 1, or whose
 * codec is not the topic's, or whose inner offsets are not 0, 1, 2, … (`LogValidator.buildRecordsAndAssignOffsets`).
 */
export function* rebuild({ batches, target, options }: RebuildOptions): Steps<ValidatedRecords | RejectedRecords> {
  const first = batches[0]!.header;
  const builder = builderFor(first, target, options);
  for (const batch of batches) {
    const invalid = rejectInvalidBatch(batch.header, first, options);
    if (invalid !== undefined) return invalid;
    const issues = yield* collect(batch, builder, options);
    if (issues.length > 0) return rejectRecords(issues);
  }
  if (builder.count === 0) return noRecords;
  const unwritable = describeUnwritableProducer(first);
  if (unwritable !== undefined) return reject(ErrorCode.UNKNOWN_SERVER_ERROR, unwritable);
  return yield* finish(builder, options);
}

function builderFor(first: BatchHeader, target: CodecName, options: ValidateOptions): BatchBuilder {
  const { rules, baseOffset, leaderEpoch, nowMs } = options;
  return new BatchBuilder({
    baseOffset,
    leaderEpoch,
    codec: target,
    // A level belongs to the codec that the topic names, not to one that the producer chose.
    level: rules.compressionType === target ? rules.compressionLevel : undefined,
    timestampType: rules.timestampType,
    logAppendTimeMs: nowMs,
    producerId: first.producerId,
    producerEpoch: first.producerEpoch,
    baseSequence: first.baseSequence,
    isTransactional: first.isTransactional,
  });
}

/** Writes a batch's records into the new one; gives what is wrong with them. */
function* collect(batch: Batch, builder: BatchBuilder, options: ValidateOptions): Steps<readonly RecordIssue[]> {
  const { header } = batch;
  const isWrapper = header.magic !== 2 && header.codec !== 'none';
  const strangers = isWrapper ? yield* checkInnerEntries(batch, options) : noStrangers;
  const kind = header.magic === 2 ? 'DefaultRecord' : 'LegacyRecordBatch';
  const issues: RecordIssue[] = [];
  let index = 0;
  let bytes = 0;
  for (const { key, value, headers, timestamp, offset } of yield* openRecords(batch, options)) {
    const named = { kind, offset, timestamp, keySize: key?.length ?? -1, valueSize: value?.length ?? -1 } as const;
    const issue = strangers.get(index) ?? issueOf(header, named, index, options) ?? negative(timestamp, index);
    if (issue === undefined) builder.append({ timestamp: encodable(timestamp), key, value, headers });
    else if (issues.length < RECORD_ERRORS_MAX) issues.push(issue);
    index += 1;
    bytes += RECORD_COST_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
    if (bytes < STEP_BYTES) continue;
    yield bytes;
    bytes = 0;
  }
  return issues;
}

/** Objects cost more than the bytes that they hold: so many records of none are a step too. */
const RECORD_COST_BYTES = 128;
const STEP_BYTES = 65_536;

const noStrangers: ReadonlyMap<number, RecordIssue> = new Map();

/** Entries of a wrapper have a checksum of their own, which no batch-level check has seen, and must have its magic. */
function* checkInnerEntries(wrapper: Batch, options: ValidateOptions): Steps<ReadonlyMap<number, RecordIssue>> {
  const where = `in topic partition ${options.topicPartition}`;
  const { magic } = wrapper.header;
  const strangers = new Map<number, RecordIssue>();
  let batchIndex = 0;
  for (const entry of yield* innerEntries(wrapper, options)) {
    if (entry.header.magic !== magic) {
      const message = `Record's magic ${entry.header.magic} does not match outer magic ${magic} ${where}`;
      const issue = { batchIndex, message, isTimestamp: false, fault: 'magic' } as const;
      if (strangers.size < RECORD_ERRORS_MAX) strangers.set(batchIndex, issue);
    } else if (!hasValidCrc(entry)) {
      throw new CorruptBatchError(`Record is corrupt (stored crc = ${entry.header.crc})`, { isCrc: true });
    }
    batchIndex += 1;
    yield RECORD_COST_BYTES + entry.header.sizeInBytes;
  }
  return strangers;
}

/** A batch that is written anew cannot hold it, though an old one may. */
function negative(timestamp: number, batchIndex: number): RecordIssue | undefined {
  if (timestamp >= NO_TIMESTAMP) return undefined;
  return { batchIndex, message: `Invalid negative timestamp ${timestamp}`, isTimestamp: true };
}

/** Where the append's time counts nobody has looked at the producer's, and one beyond ±2^53 was saturated when it was read. */
function encodable(timestamp: number): number {
  return Number.isSafeInteger(timestamp) ? timestamp : NO_TIMESTAMP;
}

function* finish(builder: BatchBuilder, options: ValidateOptions): Steps<ValidatedRecords | RejectedRecords> {
  const { rules, baseOffset, nowMs } = options;
  const isAppendTime = rules.timestampType === 'LogAppendTime';
  const slices = yield* builder.buildSteps();
  if (slices.size > rules.maxMessageBytes) {
    return reject(
      ErrorCode.MESSAGE_TOO_LARGE,
      `Message batch size is ${slices.size} bytes in append to partition ${options.topicPartition} which exceeds the maximum configured size of ${rules.maxMessageBytes}.`,
    );
  }
  const maxTimestamp = isAppendTime ? nowMs : builder.maxTimestamp;
  const lastOffset = builder.nextOffset - 1;
  return {
    kind: 'valid',
    slices,
    batches: [readBatchHeader(slices)!],
    firstOffset: baseOffset,
    lastOffset,
    count: builder.count,
    maxTimestamp,
    offsetOfMaxTimestamp: maxTimestamp === NO_TIMESTAMP ? -1 : lastOffset,
    logAppendTimeMs: isAppendTime ? nowMs : NO_TIMESTAMP,
    convertedCount: builder.count,
  };
}

/** `MemoryRecordsBuilder.validateProducerState`: tolerated in a batch that stays as it is, and without a code of its own. */
function describeUnwritableProducer({
  isTransactional,
  producerId,
  producerEpoch,
  baseSequence,
}: BatchHeader): string | undefined {
  if (isTransactional && producerId === NO_PRODUCER_ID)
    return 'Cannot write transactional messages without a valid producer ID';
  if (producerId !== NO_PRODUCER_ID && producerEpoch === NO_PRODUCER_EPOCH) return 'Invalid negative producer epoch';
  if (producerId !== NO_PRODUCER_ID && baseSequence < 0) return 'Invalid negative sequence number used';
  return undefined;
}
