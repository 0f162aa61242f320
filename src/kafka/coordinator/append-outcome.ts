import { ErrorCode } from '../protocol/errors.ts';

/** The batch is in the leader's log although not every replica has it: what the log says holds, and only the client is unsure. */
export function isWritten(errorCode: number): boolean {
  return (
    errorCode === ErrorCode.NONE ||
    errorCode === ErrorCode.REQUEST_TIMED_OUT ||
    errorCode === ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND
  );
}

/** Nobody knows whether the batch is in the log: only reading it again tells. */
export function isInDoubt(errorCode: number): boolean {
  return errorCode === ErrorCode.UNKNOWN_SERVER_ERROR || errorCode === ErrorCode.KAFKA_STORAGE_ERROR;
}
