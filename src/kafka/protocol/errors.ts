import { errorRows } from './error-table.ts';

type Row = (typeof errorRows)[number];
export type ErrorName = Row[1];

/** `ErrorCode.NOT_LEADER_OR_FOLLOWER` is 6. */
export const ErrorCode = Object.fromEntries(errorRows.map(([code, name]) => [name, code])) as {
  readonly [R in Row as R[1]]: R[0];
};
export type ErrorCode = Row[0];

export interface ErrorInfo {
  readonly code: ErrorCode;
  readonly name: ErrorName;
  readonly retriable: boolean;
  /** Apache's exception class in `org.apache.kafka.common.errors`; empty for NONE. */
  readonly exception: string;
  readonly message: string;
}

export const errorInfos: ReadonlyMap<number, ErrorInfo> = new Map(
  errorRows.map(([code, name, retriable, exception, message]) => [code, { code, name, retriable, exception, message }]),
);

/** What Apache knows of a code; a code that it does not know counts as UNKNOWN_SERVER_ERROR (`Errors.forCode`). */
export function errorInfo(code: number): ErrorInfo {
  return errorInfos.get(code) ?? errorInfos.get(ErrorCode.UNKNOWN_SERVER_ERROR)!;
}

/** The peer's or the world's fault, in the protocol's terms. */
export class KafkaError extends Error {
  readonly code: number;
  override readonly name: ErrorName;
  readonly retriable: boolean;

  /** @param message Apache's default text unless given */
  constructor(code: number, message?: string | null, options?: ErrorOptions) {
    const info = errorInfo(code);
    super(message ?? info.message, options);
    this.code = code;
    this.name = info.name;
    this.retriable = info.retriable;
  }
}

/** The error of a response's code and, where it has one, message. */
export function errorOf(code: number, message?: string | null): KafkaError {
  return new KafkaError(code, message);
}
