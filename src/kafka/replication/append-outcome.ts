import type { AppendInfo } from '../log/append.ts';
import type { PartitionLog } from '../log/log.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import type { RecordIssue, RejectedRecords } from '../records/validation.ts';

/** What becomes of an append to one partition. */
export interface AppendOutcome {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly recordErrors: readonly RecordIssue[];
  readonly firstOffset: number;
  readonly logAppendTimeMs: number;
  readonly logStartOffset: number;
}

const noErrors: AppendOutcome['recordErrors'] = [];

export const nothingAppended: AppendOutcome = {
  errorCode: ErrorCode.NONE,
  errorMessage: null,
  recordErrors: noErrors,
  firstOffset: -1,
  logAppendTimeMs: -1,
  logStartOffset: -1,
};

/** Errors of `ReplicaManager.appendToLocalLog` after which nobody asks where the log begins: they say nothing of the producer. */
const errorsWithoutStart: readonly number[] = [
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.MESSAGE_TOO_LARGE,
  ErrorCode.RECORD_LIST_TOO_LARGE,
  ErrorCode.CORRUPT_MESSAGE,
  ErrorCode.KAFKA_STORAGE_ERROR,
];

export function rejectedOutcome({ code, message, recordErrors }: RejectedRecords, log: PartitionLog): AppendOutcome {
  return {
    ...nothingAppended,
    errorCode: code,
    // A client is told only what concerns its records; what else went wrong stays in our log.
    errorMessage: recordErrors.length > 0 ? message : null,
    recordErrors,
    logStartOffset: logStartFor(code, log),
  };
}

export function appendedOutcome(info: AppendInfo, logAppendTimeMs: number, log: PartitionLog): AppendOutcome {
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    recordErrors: noErrors,
    firstOffset: info.firstOffset,
    // Of a repetition Apache tells the time of the first, whatever the topic wants of timestamps.
    logAppendTimeMs: info.isDuplicate ? info.maxTimestamp : logAppendTimeMs,
    logStartOffset: log.logStartOffset,
  };
}

/** @throws what is no KafkaError */
export function failed(error: unknown, log: PartitionLog | undefined): AppendOutcome {
  if (error !== undefined && !(error instanceof KafkaError)) throw error;
  const errorCode = error?.code ?? ErrorCode.UNKNOWN_SERVER_ERROR;
  return { ...nothingAppended, errorCode, logStartOffset: logStartFor(errorCode, log) };
}

function logStartFor(errorCode: number, log: PartitionLog | undefined): number {
  return errorsWithoutStart.includes(errorCode) ? -1 : (log?.logStartOffset ?? -1);
}
