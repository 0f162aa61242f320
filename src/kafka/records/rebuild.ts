import { ErrorCode } from '../protocol/errors.ts';
import { type Batch, type CodecName, hasValidCrc, NO_TIMESTAMP, readBatchHeader } from './batch.ts';
import { BatchBuilder } from './builder.ts';
import { CorruptBatchError } from './errors.ts';
import { innerEntries, type LogRecord, recordsOf } from './iterate.ts';
import { issueOf, rejectRecords } from './record-errors.ts';
import {
  describeInvalidBatch,
  noRecords,
  type RecordIssue,
  type RejectedRecords,
  reject,
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
export function rebuild({ batches, target, options }: RebuildOptions): ValidatedRecords | RejectedRecords {
  const first = batches[0]!.header;
  const records: LogRecord[] = [];
  for (const batch of batches) {
    const invalid = describeInvalidBatch(batch.header, first, options);
    if (invalid !== undefined) return reject(ErrorCode.INVALID_RECORD, invalid);
    const issues = collect(batch, records, options);
    if (issues.length > 0) return rejectRecords(issues);
  }
  return records.length === 0 ? noRecords : writeAnew(records, { batches, target, options });
}

/** Adds a batch's records to the list; gives what is wrong with them. */
function collect(batch: Batch, records: LogRecord[], options: ValidateOptions): readonly RecordIssue[] {
  const { header } = batch;
  const iterate = options.decompressedSizeMax === undefined ? {} : { decompressedSizeMax: options.decompressedSizeMax };
  const inner = header.magic !== 2 && header.codec !== 'none' ? innerEntries(batch, iterate) : undefined;
  const issues: RecordIssue[] = [];
  let index = 0;
  for (const record of recordsOf(batch, iterate)) {
    const issue =
      issueOfInner(batch, inner?.[index], index, options) ??
      issueOf(header, record, index, options) ??
      negative(record, index);
    if (issue === undefined) records.push(record);
    else issues.push(issue);
    index += 1;
  }
  return issues;
}

/** Entries of a wrapper have a magic and a checksum of their own, which no batch-level check has seen. */
function issueOfInner(
  wrapper: Batch,
  entry: Batch | undefined,
  batchIndex: number,
  options: ValidateOptions,
): RecordIssue | undefined {
  if (entry === undefined) return undefined;
  const where = `in topic partition ${options.topicPartition}`;
  if (entry.header.magic !== wrapper.header.magic) {
    const message = `Record's magic ${entry.header.magic} does not match outer magic ${wrapper.header.magic} ${where}`;
    return { batchIndex, message, isTimestamp: false };
  }
  if (!hasValidCrc(entry)) throw new CorruptBatchError(`Record is corrupt (stored crc = ${entry.header.crc})`);
  return undefined;
}

/** A batch that is written anew cannot hold it, though an old one may. */
function negative(record: LogRecord, batchIndex: number): RecordIssue | undefined {
  if (record.timestamp >= NO_TIMESTAMP) return undefined;
  return { batchIndex, message: `Invalid negative timestamp ${record.timestamp}`, isTimestamp: true };
}

function writeAnew(
  records: readonly LogRecord[],
  { batches, target, options }: RebuildOptions,
): ValidatedRecords | RejectedRecords {
  const { rules, baseOffset, leaderEpoch, nowMs } = options;
  const first = batches[0]!.header;
  const isAppendTime = rules.timestampType === 'LogAppendTime';
  const builder = new BatchBuilder({
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
  for (const { timestamp, key, value, headers } of records) builder.append({ timestamp, key, value, headers });
  const slices = builder.build();
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
