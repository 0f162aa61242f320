import type { KeeperError } from '../../jute/errors.ts';

/** The wait was given up after its `timeoutMs`. */
export class WaitTimeoutError extends Error {
  readonly timeoutMs: number;

  constructor(what: string, timeoutMs: number) {
    super(`${what}: not within ${timeoutMs} ms`);
    this.name = 'WaitTimeoutError';
    this.timeoutMs = timeoutMs;
  }
}

/** What a holder's `signal` is aborted with: what it held may be another's now. */
export class LostError extends Error {
  readonly path: string;
  readonly why: 'suspended' | 'expired' | 'deleted';

  constructor(path: string, why: LostError['why']) {
    super(`${path}: lost, ${reasons[why]}`);
    this.name = 'LostError';
    this.path = path;
    this.why = why;
  }
}
const reasons = {
  suspended: 'there is no connection',
  expired: 'the session is over or may be',
  deleted: 'somebody deleted the node',
} as const;

/** A recipe that was closed is used or waited for. */
export class RecipeClosedError extends Error {
  constructor(what: string) {
    super(`${what} is closed`);
    this.name = 'RecipeClosedError';
  }
}

/** The session ended before the answer came: the change may have been made. */
export class OutcomeUnknownError extends Error {
  constructor(what: string, cause: KeeperError) {
    super(`${what}: it is not known whether it was done`, { cause });
    this.name = 'OutcomeUnknownError';
  }
}

/** A node's data are not what this recipe writes. */
export class CorruptValueError extends Error {
  readonly path: string;

  constructor(path: string, expected: string, found: Uint8Array | null) {
    super(`${path}: expected ${expected}, found ${found === null ? 'null' : `${found.length} bytes`}`);
    this.name = 'CorruptValueError';
    this.path = path;
  }
}
