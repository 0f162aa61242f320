import { flatten, subSlices } from '../../base/slices.ts';
import type { Steps } from '../../base/steps.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { BATCH_OVERHEAD, type Batch, type BatchHeader } from './batch.ts';
import { decompressPieces } from './compression.ts';
import { codecOf, DECOMPRESSED_SIZE_MAX } from './iterate.ts';
import type { RecordIssue, RejectedRecords, ValidateOptions } from './validation.ts';
import { type RecordSummary, type WalkedRecord, walkPieces } from './walk.ts';

/** A small batch can hold millions of records: so many are told what is wrong with them. Apache knows no bound here. */
export const RECORD_ERRORS_MAX = 10_000;

/** The first three are named in the message, all are in the response. */
const SHOWN = 3;

export function rejectRecords(issues: readonly RecordIssue[]): RejectedRecords {
  if (issues.some((issue) => issue.isTimestamp)) {
    return {
      kind: 'rejected',
      code: ErrorCode.INVALID_TIMESTAMP,
      message: 'One or more records have been rejected due to invalid timestamp',
      recordErrors: issues,
    };
  }
  const shown = issues
    .slice(0, SHOWN)
    .map(({ batchIndex, message }) => `RecordError(batchIndex=${batchIndex}, message='${message}')`);
  return {
    kind: 'rejected',
    code: ErrorCode.INVALID_RECORD,
    message: `One or more records have been rejected due to ${issues.length} record errors in total, and only showing the first three errors at most: [${shown.join(', ')}]`,
    recordErrors: issues,
  };
}

const noIssues: readonly RecordIssue[] = [];

/** Looks at single records only where the summary of all of them leaves a doubt. */
export function* findRecordErrors(
  batch: Batch,
  summary: RecordSummary,
  options: ValidateOptions,
): Steps<readonly RecordIssue[]> {
  if (!isDoubtful(batch.header, summary, options)) return noIssues;
  const { header } = batch;
  const issues: RecordIssue[] = [];
  let index = 0;
  // Apache's reader of compressed records, which skips keys and values, has a name of its own.
  const kind = header.codec === 'none' ? 'DefaultRecord' : 'PartialDefaultRecord';
  yield* walkBatch(batch, options, ({ timestampDelta, offsetDelta, keySize, valueSize }) => {
    if (issues.length < RECORD_ERRORS_MAX) {
      const timestamp =
        header.timestampType === 'LogAppendTime' ? header.maxTimestamp : header.baseTimestamp + timestampDelta;
      const record = { kind, keySize, valueSize, timestamp, offset: header.baseOffset + offsetDelta } as const;
      const issue = issueOf(header, record, index, options);
      if (issue !== undefined) issues.push(issue);
    }
    index += 1;
  });
  return issues;
}

/** Goes over a batch of magic 2; compressed records are never in memory as a whole. */
export function walkBatch(
  batch: Batch,
  { decompressedSizeMax = DECOMPRESSED_SIZE_MAX }: Pick<ValidateOptions, 'decompressedSizeMax'>,
  visit?: (record: WalkedRecord) => void,
): Steps<RecordSummary> {
  const { header, bytes } = batch;
  const codec = codecOf(batch);
  const records = subSlices(bytes, BATCH_OVERHEAD, header.sizeInBytes);
  const pieces =
    codec === 'none'
      ? records.chunks
      : decompressPieces(codec, flatten(records), { magic: 2, sizeMax: decompressedSizeMax });
  return walkPieces(header.recordCount, pieces, visit);
}

/** Whether some record may be wrong. */
export function isDoubtful(header: BatchHeader, summary: RecordSummary, { rules, nowMs }: ValidateOptions): boolean {
  if (rules.isCompacted && summary.hasKeyless) return true;
  if (header.timestampType === 'LogAppendTime') return true;
  if (rules.timestampType === 'LogAppendTime' || header.recordCount === 0) return false;
  const earliest = header.baseTimestamp + summary.minTimestampDelta;
  const latest = header.baseTimestamp + summary.maxTimestampDelta;
  return (
    nowMs - earliest > rules.timestampBeforeMaxMs ||
    latest - nowMs > rules.timestampAfterMaxMs ||
    !Number.isSafeInteger(latest) ||
    !Number.isSafeInteger(earliest)
  );
}

/** A record as Apache's messages name it. */
export interface NamedRecord {
  /** Apache's class. */
  readonly kind: 'DefaultRecord' | 'PartialDefaultRecord' | 'LegacyRecordBatch';
  readonly offset: number;
  readonly timestamp: number;
  /** -1 for null. */
  readonly keySize: number;
  readonly valueSize: number;
}

/** `LogValidator.validateKey` and `validateTimestamp`. */
export function issueOf(
  header: BatchHeader,
  record: NamedRecord,
  batchIndex: number,
  { rules, nowMs, topicPartition }: ValidateOptions,
): RecordIssue | undefined {
  if (rules.isCompacted && record.keySize < 0) {
    const message = `Compacted topic cannot accept message without key in topic partition ${topicPartition}`;
    return { batchIndex, message, isTimestamp: false, fault: 'no-key' };
  }
  const { timestampBeforeMaxMs: before, timestampAfterMaxMs: after } = rules;
  if (rules.timestampType === 'CreateTime' && record.timestamp !== -1) {
    const ageMs = nowMs - record.timestamp;
    // Beyond ±2^53 a timestamp is known to be absurd, not what it was: no index or response could carry it.
    if (ageMs <= before && -ageMs <= after && Number.isSafeInteger(record.timestamp)) return undefined;
    const message = `Timestamp ${record.timestamp} of message with offset ${record.offset} is out of range. The timestamp should be within [${bound(nowMs, -before)}, ${bound(nowMs, after)}]`;
    return { batchIndex, message, isTimestamp: true };
  }
  if (header.timestampType === 'LogAppendTime') {
    const message = `Invalid timestamp type in message ${nameOf(record)}. Producer should not set timestamp type to LogAppendTime.`;
    return { batchIndex, message, isTimestamp: true };
  }
  return undefined;
}

function nameOf({ kind, offset, timestamp, keySize, valueSize }: NamedRecord): string {
  // A reader that skips keys and values knows their sizes as they stand there, the others what they read.
  const sizeOf = (size: number): number => (kind === 'PartialDefaultRecord' ? size : Math.max(size, 0));
  return `${kind}(offset=${offset}, timestamp=${timestamp}, key=${sizeOf(keySize)} bytes, value=${sizeOf(valueSize)} bytes)`;
}

/** A bound of 2^63-1 overflows in Apache's message, and operators may know the number. */
function bound(nowMs: number, distanceMs: number): bigint {
  const limit = distanceMs > 0 ? 2n ** 63n - 1n : -(2n ** 63n - 1n);
  return BigInt.asIntN(64, BigInt(nowMs) + (Number.isFinite(distanceMs) ? BigInt(distanceMs) : limit));
}
