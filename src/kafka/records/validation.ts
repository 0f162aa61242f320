import { noSlices, type Slices } from '../../base/slices.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { type BatchHeader, type CodecName, NO_TIMESTAMP, type TimestampType } from './batch.ts';

/** The topic keys that rule what a partition accepts; one object per topic, made when its configuration changes. */
export interface RecordRules {
  /** `max.message.bytes`, against each batch. */
  readonly maxMessageBytes: number;
  /** `compression.type`; 'producer' leaves the choice to whoever wrote the batch. */
  readonly compressionType: 'producer' | 'uncompressed' | Exclude<CodecName, 'none'>;
  /** `compression.<codec>.level` of that codec. */
  readonly compressionLevel?: number | undefined;
  /** Whether `cleanup.policy` has `compact`: every record needs a key. */
  readonly isCompacted: boolean;
  /** `message.timestamp.type`. */
  readonly timestampType: TimestampType;
  /** ms; Infinity for 2^63-1. */
  readonly timestampBeforeMaxMs: number;
  readonly timestampAfterMaxMs: number;
}

export interface ValidateOptions {
  readonly rules: RecordRules;
  /** For messages: `topic-partition`. */
  readonly topicPartition: string;
  /** The log end offset: the first record gets it. */
  readonly baseOffset: number;
  readonly leaderEpoch: number;
  readonly nowMs: number;
  /** A coordinator's batches may be control batches, and are trusted in what only producers get wrong. */
  readonly origin: 'client' | 'coordinator';
  /** Bytes; 256 MiB unless given. */
  readonly decompressedSizeMax?: number | undefined;
  /** Of the first batch, where it was read already. It becomes the appended batch's: nobody may go by it afterwards. */
  readonly firstHeader?: BatchHeader | undefined;
}

/** Records that have their offsets and may be appended as they are. */
export interface ValidatedRecords {
  readonly kind: 'valid';
  /** Use these: a header that straddled chunks was replaced, and recompressed batches are new. */
  readonly slices: Slices;
  /** As they are now. */
  readonly batches: readonly BatchHeader[];
  /** -1 where there is no record at all. */
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly count: number;
  readonly maxTimestamp: number;
  /** The last offset of the batch that has the largest timestamp, for the time index; -1 without timestamps. */
  readonly offsetOfMaxTimestamp: number;
  /** ms; -1 where the topic keeps create times. */
  readonly logAppendTimeMs: number;
  /** How many records had to be written anew: another magic, codec or wrong inner offsets. */
  readonly convertedCount: number;
}

export interface RejectedRecords {
  readonly kind: 'rejected';
  readonly code: number;
  /** For the log, and for the client where there are record errors (Produce v8+): other messages stay with the broker. */
  readonly message: string;
  readonly recordErrors: readonly RecordIssue[];
  readonly fault?: RecordFault | undefined;
}

/** What metrics tell apart of the reasons why records are rejected (`LogValidator.MetricsRecorder`). */
export type RecordFault = 'magic' | 'crc' | 'offset-or-sequence' | 'no-key';

/** What is wrong with one record, by its place in the batch; Produce v8+ tells the client. */
export interface RecordIssue {
  readonly batchIndex: number;
  readonly message: string;
  readonly isTimestamp: boolean;
  readonly fault?: RecordFault;
}

/** The answer to no batch at all: nothing to append, and no error. */
export const noRecords: ValidatedRecords = {
  kind: 'valid',
  slices: noSlices,
  batches: [],
  firstOffset: -1,
  lastOffset: -1,
  count: 0,
  maxTimestamp: NO_TIMESTAMP,
  offsetOfMaxTimestamp: -1,
  logAppendTimeMs: NO_TIMESTAMP,
  convertedCount: 0,
};

export function reject(code: number, message: string, fault?: RecordFault): RejectedRecords {
  return { kind: 'rejected', code, message, recordErrors: [], fault };
}

/** `LogValidator.validateBatch`: a batch that cannot be accepted as a whole. */
export function rejectInvalidBatch(
  header: BatchHeader,
  first: BatchHeader,
  { origin, topicPartition }: ValidateOptions,
): RejectedRecords | undefined {
  const text = faultOf(header, first, origin);
  if (text === undefined) return undefined;
  const fault = header.magic === first.magic ? 'offset-or-sequence' : 'magic';
  return reject(ErrorCode.INVALID_RECORD, `${text} in topic partition ${topicPartition}`, fault);
}

function faultOf(header: BatchHeader, first: BatchHeader, origin: ValidateOptions['origin']): string | undefined {
  if (header.magic !== first.magic) {
    return `Batch magic ${header.magic} is not the same as the first batch's magic byte ${first.magic}`;
  }
  if (!Number.isSafeInteger(header.producerId)) return 'A producer id beyond ±2^53';
  if (origin !== 'client' || header.magic !== 2) return undefined;
  const { baseOffset, lastOffset, recordCount } = header;
  const countFromOffsets = lastOffset - baseOffset + 1;
  if (countFromOffsets <= 0) return `Batch has an invalid offset range: [${baseOffset}, ${lastOffset}]`;
  if (recordCount <= 0) return `Invalid reported count for record batch: ${recordCount}`;
  if (countFromOffsets !== recordCount) {
    return `Inconsistent batch offset range [${baseOffset}, ${lastOffset}] and count of records ${recordCount}`;
  }
  if (header.isControl) return 'Clients are not allowed to write control records';
  if (header.producerId >= 0 && header.baseSequence < 0) {
    return `Invalid sequence number ${header.baseSequence} in record batch with producerId ${header.producerId}`;
  }
  return undefined;
}
