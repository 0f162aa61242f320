import type { PartitionLog } from '../log/log.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import type { RecordIssue } from '../records/validation.ts';

/** What becomes of an append to one partition. */
export interface AppendOutcome {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly recordErrors: readonly RecordIssue[];
  readonly firstOffset: number;
  readonly logAppendTimeMs: number;
  readonly logStartOffset: number;
}

export const noErrors: AppendOutcome['recordErrors'] = [];

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

/** @throws what is no KafkaError */
export function failed(error: unknown, log: PartitionLog | undefined): AppendOutcome {
  if (error !== undefined && !(error instanceof KafkaError)) throw error;
  const errorCode = error?.code ?? ErrorCode.UNKNOWN_SERVER_ERROR;
  return { ...nothingAppended, errorCode, logStartOffset: logStartFor(errorCode, log) };
}

/** What a failed append tells of where the log begins. */
export function logStartFor(errorCode: number, log: PartitionLog | undefined): number {
  return errorsWithoutStart.includes(errorCode) ? -1 : (log?.logStartOffset ?? -1);
}
