import { ErrorCode, errorInfo, KafkaError } from '../protocol/errors.ts';

/** What a client is told of an error: the protocol's own, or UNKNOWN_SERVER_ERROR without the text of what is ours alone. */
export function asKafkaError(error: unknown): KafkaError {
  return error instanceof KafkaError
    ? error
    : new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR, undefined, { cause: error });
}

/** A fenced producer, in the only code for it that clients know before the version that brought PRODUCER_FENCED (KIP-588). */
export function asOldClientsKnow(errorCode: number, apiVersion: number, fencedFrom: number): number {
  const isUnknown = errorCode === ErrorCode.PRODUCER_FENCED && apiVersion < fencedFrom;
  return isUnknown ? ErrorCode.INVALID_PRODUCER_EPOCH : errorCode;
}

/** What is said beside the code: nothing where the code says it all (`ApiError.fromThrowable`). */
export function ownMessage(error: KafkaError): string | null {
  return error.message === errorInfo(error.code).message ? null : error.message;
}
