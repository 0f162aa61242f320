import { ErrorCode, KeeperError } from '../jute/errors.ts';

/** The constants of Apache's KeeperException.Code: `NONODE`, `BADVERSION`, … */
export type ErrorCodeName = keyof typeof ErrorCode;

/**
 * Whether something thrown is an error of the protocol, of any code or of one of those named:
 * `isKeeperError(error, 'NONODE')`.
 */
export function isKeeperError<Name extends ErrorCodeName = ErrorCodeName>(
  error: unknown,
  ...names: readonly Name[]
): error is KeeperError & { readonly code: (typeof ErrorCode)[Name] } {
  return error instanceof KeeperError && (names.length === 0 || names.some((name) => ErrorCode[name] === error.code));
}

/** The caller's fault: what was asked can never be sent (Java's IllegalArgumentException). Nothing was sent. */
export class InvalidArgumentError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'InvalidArgumentError';
  }
}

/** What waited was given up by its AbortSignal, whose reason is the `cause`. */
export class AbortError extends Error {
  /** As Node's own AbortErrors have it. */
  readonly code = 'ABORT_ERR';
  readonly path: string | undefined;
  /** The request was on its way, so that it may have been done or still be done; false when nothing was sent. */
  readonly sent: boolean;

  constructor(signal: AbortSignal, options: { readonly path?: string | undefined; readonly sent: boolean }) {
    super('The operation was aborted', { cause: signal.reason });
    this.name = 'AbortError';
    this.path = options.path;
    this.sent = options.sent;
  }
}

export type Resolve<T> = (value: T) => void;
export type Reject = (error: Error) => void;

/**
 * A promise that a signal rejects at once. `begin` answers how to give up, which says whether something was sent; what settles
 * the promise afterwards is ignored.
 */
export function abortable<T>(
  signal: AbortSignal,
  path: string | undefined,
  begin: (resolve: Resolve<T>, reject: Reject) => () => boolean,
): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(new AbortError(signal, { path, sent: false }));
      return;
    }
    let giveUp: (() => boolean) | undefined;
    const abort = (): void => reject(new AbortError(signal, { path, sent: giveUp?.() ?? false }));
    const settle = <V>(how: (value: V) => void): ((value: V) => void) => {
      return (value) => {
        signal.removeEventListener('abort', abort);
        how(value);
      };
    };
    signal.addEventListener('abort', abort, { once: true });
    try {
      giveUp = begin(settle(resolve), settle(reject));
    } catch (error) {
      settle(reject)(error as Error);
    }
  });
}
