import { createHmac } from 'node:crypto';
import { isSamePrincipal, type Principal } from './principal.ts';

/** What is known of a delegation token (KIP-48). Its secret is no part of it: whoever has the brokers' key can make it anew. */
export interface DelegationToken {
  readonly tokenId: string;
  /** Whom the brokers take its holder for. */
  readonly owner: Principal;
  /** Who asked for it, mostly the owner (KIP-373). */
  readonly requester: Principal;
  /** Who else may renew it and end it. */
  readonly renewers: readonly Principal[];
  readonly issueTimestampMs: number;
  /** No renewal goes beyond. */
  readonly maxTimestampMs: number;
  readonly expiryTimestampMs: number;
}

/** The secret of a token: HMAC-SHA512 of its id, with the key that all brokers of a cluster have. */
export function tokenHmac(tokenId: string, secretKey: string): Buffer {
  return createHmac('sha512', secretKey).update(tokenId).digest();
}

export function isExpired({ maxTimestampMs, expiryTimestampMs }: DelegationToken, nowMs: number): boolean {
  return maxTimestampMs < nowMs || expiryTimestampMs < nowMs;
}

/** Whoever asked for a token on behalf of another may only look at it. */
export function mayRenew({ owner, renewers }: DelegationToken, principal: Principal): boolean {
  return [owner, ...renewers].some((one) => isSamePrincipal(one, principal));
}

export function isOfConcern(token: DelegationToken, principal: Principal): boolean {
  return isSamePrincipal(token.requester, principal) || mayRenew(token, principal);
}
