import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { type DelegationToken, isExpired, mayRenew } from './delegation-token.ts';
import type { Principal } from './principal.ts';

/** `delegation.token.*` */
export interface TokenLimits {
  readonly maxLifetimeMs: number;
  /** Until a token has to be renewed for the first time, and for renewals that name no period. */
  readonly renewPeriodMs: number;
}

export type NewToken = Pick<DelegationToken, 'tokenId' | 'owner' | 'requester' | 'renewers'>;

/** @param maxLifetimeMs as asked for: 0 or less is the longest that there is */
export function issueToken(
  token: NewToken,
  maxLifetimeMs: number,
  nowMs: number,
  limits: TokenLimits,
): DelegationToken {
  const lifetimeMs = maxLifetimeMs <= 0 ? limits.maxLifetimeMs : Math.min(maxLifetimeMs, limits.maxLifetimeMs);
  const maxTimestampMs = after(nowMs, lifetimeMs);
  const expiryTimestampMs = Math.min(maxTimestampMs, after(nowMs, limits.renewPeriodMs));
  return { ...token, issueTimestampMs: nowMs, maxTimestampMs, expiryTimestampMs };
}

/** Whose wish it is that a token ends at another time. */
export interface TokenRequest {
  readonly principal: Principal;
  readonly periodMs: number;
  readonly nowMs: number;
}

/** The token lives on for the period, below zero for the usual one. @throws KafkaError */
export function renewToken(
  token: DelegationToken | undefined,
  { principal, periodMs, nowMs }: TokenRequest,
  limits: TokenLimits,
): DelegationToken {
  const known = ownToken(token, principal);
  if (isExpired(known, nowMs)) throw new KafkaError(ErrorCode.DELEGATION_TOKEN_EXPIRED);
  return endingAt(known, after(nowMs, periodMs < 0 ? limits.renewPeriodMs : periodMs));
}

/** The token ends with the period; undefined where it ends at once, which is what a period below zero says. @throws KafkaError */
export function expireToken(
  token: DelegationToken | undefined,
  { principal, periodMs, nowMs }: TokenRequest,
): DelegationToken | undefined {
  const known = ownToken(token, principal);
  if (periodMs < 0) return undefined;
  if (isExpired(known, nowMs)) throw new KafkaError(ErrorCode.DELEGATION_TOKEN_EXPIRED);
  return endingAt(known, after(nowMs, periodMs));
}

function ownToken(token: DelegationToken | undefined, principal: Principal): DelegationToken {
  if (token === undefined) throw new KafkaError(ErrorCode.DELEGATION_TOKEN_NOT_FOUND);
  if (!mayRenew(token, principal)) throw new KafkaError(ErrorCode.DELEGATION_TOKEN_OWNER_MISMATCH);
  return token;
}

function endingAt(token: DelegationToken, timestampMs: number): DelegationToken {
  return { ...token, expiryTimestampMs: Math.min(token.maxTimestampMs, timestampMs) };
}

/** Far enough is as far as a timestamp goes. */
function after(nowMs: number, periodMs: number): number {
  return Math.min(nowMs + periodMs, Number.MAX_SAFE_INTEGER);
}
