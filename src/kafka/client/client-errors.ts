import { ErrorCode, errorInfo, KafkaError } from '../protocol/errors.ts';

/** The client was closed: what was under way or is asked for now cannot happen any more. */
export class ClientClosedError extends Error {
  constructor(what: string) {
    super(`the ${what} is closed`);
    this.name = 'ClientClosedError';
  }
}

/** Something that only the caller can put right: a wrong option, a call that does not fit the state. */
export class ClientUsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ClientUsageError';
  }
}

/** A partition has neither a committed offset nor a policy that says where to begin (`auto.offset.reset=none`). */
export class NoOffsetForPartitionError extends Error {
  readonly topic: string;
  readonly partition: number;

  constructor(topic: string, partition: number) {
    super(`Undefined offset with no reset policy for partitions: [${topic}-${partition}]`);
    this.name = 'NoOffsetForPartitionError';
    this.topic = topic;
    this.partition = partition;
  }
}

/** The records waiting to be sent fill the memory that they may take (`buffer.memory`, once held and once waiting). */
export class BufferExhaustedError extends Error {
  constructor(bytes: number) {
    super(`more than ${bytes} bytes of records wait to be sent`);
    this.name = 'BufferExhaustedError';
  }
}

/** The record was not sent, or nobody waited for what became of it, since its transaction was aborted. */
export class TransactionAbortedError extends Error {
  constructor() {
    super('the transaction was aborted');
    this.name = 'TransactionAbortedError';
  }
}

/** A record or a request of the transaction failed for good, as `cause` says: the transaction is to be aborted. */
export class TransactionFailedError extends Error {
  constructor(cause: unknown) {
    super(`the transaction failed and is to be aborted: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
    this.name = 'TransactionFailedError';
  }
}

/** Apache's TimeoutException: the request's own time is over. */
export function timedOut(message: string, cause?: unknown): KafkaError {
  return new KafkaError(ErrorCode.REQUEST_TIMED_OUT, message, { cause });
}

/** The connection broke, or could not be made. */
export function disconnected(message: string, cause?: unknown): KafkaError {
  return new KafkaError(ErrorCode.NETWORK_EXCEPTION, message, { cause });
}

/**
 * One side does not trust the other's certificate, or they have no common way to speak TLS: Apache's SslAuthenticationException, which
 * has no code in the protocol. Trying again would not help.
 */
export class SslAuthenticationError extends KafkaError {
  constructor(cause: Error) {
    super(ErrorCode.UNKNOWN_SERVER_ERROR, `SSL handshake failed: ${cause.message}`, { cause });
  }
}

/** The broker does not take this client for who it says it is, or the client not the broker: Apache's AuthenticationException. */
export function isAuthenticationError(error: unknown): error is KafkaError {
  return (
    error instanceof KafkaError && (error instanceof SslAuthenticationError || authenticationCodes.has(error.code))
  );
}

const authenticationCodes: ReadonlySet<number> = new Set([
  ErrorCode.UNSUPPORTED_SASL_MECHANISM,
  ErrorCode.ILLEGAL_SASL_STATE,
  ErrorCode.SASL_AUTHENTICATION_FAILED,
]);

/** Apache's exception class in `org.apache.kafka.common.errors`. */
export function exceptionName(error: KafkaError): string {
  return error instanceof SslAuthenticationError ? 'SslAuthenticationException' : errorInfo(error.code).exception;
}

export function isRetriable(error: unknown): boolean {
  return error instanceof KafkaError && error.retriable;
}

export function codeOf(error: unknown): number | undefined {
  return error instanceof KafkaError ? error.code : undefined;
}
