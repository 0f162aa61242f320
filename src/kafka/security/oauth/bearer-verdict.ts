export interface ValidToken {
  readonly kind: 'valid';
  readonly principal: string;
  readonly expiresAtMs: number;
}

/** What a validator makes of a token. */
export type BearerVerdict =
  | ValidToken
  /** The client does not learn why; with `scope` it is told that it lacks that. */
  | { readonly kind: 'invalid'; readonly reason: string; readonly scope?: string }
  /** Apache's validator fails over it, and the connection with it. */
  | { readonly kind: 'broken'; readonly reason: string };

/** @param nowMs by the clock of the day */
export type BearerValidator = (token: string, nowMs: number) => BearerVerdict;

export function invalid(reason: string, scope?: string): BearerVerdict {
  return scope === undefined ? { kind: 'invalid', reason } : { kind: 'invalid', reason, scope };
}
