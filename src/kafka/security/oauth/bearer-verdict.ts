/** What a validator makes of a token. */
export type BearerVerdict =
  | { readonly kind: 'valid'; readonly principal: string; readonly expiresAtMs: number }
  /** The client is told no more than that; with `scope`, that it lacks it. */
  | { readonly kind: 'invalid'; readonly reason: string; readonly scope?: string }
  /** Apache's validator fails over it, and the connection with it. */
  | { readonly kind: 'broken'; readonly reason: string };

/** @param nowMs by the clock of the day */
export type BearerValidator = (token: string, nowMs: number) => BearerVerdict;

export function invalid(reason: string, scope?: string): BearerVerdict {
  return scope === undefined ? { kind: 'invalid', reason } : { kind: 'invalid', reason, scope };
}
