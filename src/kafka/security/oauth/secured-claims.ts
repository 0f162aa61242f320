/** The claims of a token whose signature is good, as jose4j and `ValidatorAccessTokenValidator` judge them. */
import { type BearerVerdict, invalid } from './bearer-verdict.ts';

export interface ClaimDemands {
  /** `sasl.oauthbearer.clock.skew.seconds` */
  readonly skewSeconds: number;
  /** `sasl.oauthbearer.expected.audience`: one of them has to be the token's. Without any a token for an audience is refused. */
  readonly audiences: readonly string[];
  /** `sasl.oauthbearer.expected.issuer` */
  readonly issuer: string | undefined;
  /** `sasl.oauthbearer.scope.claim.name` */
  readonly scopeClaim: string;
  /** `sasl.oauthbearer.sub.claim.name` */
  readonly subjectClaim: string;
}

type Claims = Readonly<Record<string, unknown>>;

/** A claim is none that it may be. */
class ClaimError extends Error {}

export function judgeClaims(claims: Claims, demands: ClaimDemands, nowMs: number): BearerVerdict {
  try {
    const expirySeconds = judgeTimes(claims, demands.skewSeconds, Math.floor(nowMs / 1000));
    judgeParties(claims, demands);
    const fault = scopeFault(claims[demands.scopeClaim], demands.scopeClaim);
    if (fault?.kind === 'broken') return fault;
    const principal = subjectOf(claims, demands.subjectClaim);
    if (fault !== undefined) return fault;
    return { kind: 'valid', principal, expiresAtMs: expirySeconds * 1000 };
  } catch (error) {
    if (error instanceof ClaimError) return invalid(error.message);
    throw error;
  }
}

/** All in whole seconds. Answers the expiry. */
function judgeTimes(claims: Claims, skewSeconds: number, nowSeconds: number): number {
  const [expiry, issued, notBefore] = ['exp', 'iat', 'nbf'].map((name) => secondsOf(claims, name));
  if (expiry === undefined) throw new ClaimError('it has no expiration time (exp)');
  if (issued === undefined) throw new ClaimError('it has no time of issue (iat)');
  if (nowSeconds - skewSeconds >= expiry) throw new ClaimError(`it expired at ${expiry}, and now is ${nowSeconds}`);
  if (expiry < issued) throw new ClaimError(`it expires at ${expiry}, before it was issued (${issued})`);
  if (notBefore !== undefined) {
    if (expiry < notBefore) throw new ClaimError(`it expires at ${expiry}, before it is valid (${notBefore})`);
    if (nowSeconds + skewSeconds < notBefore) {
      throw new ClaimError(`it is not valid before ${notBefore}, and now is ${nowSeconds}`);
    }
  }
  if (expiry < 0 || issued < 0) throw new ClaimError('its times are before 1970');
  if (expiry * 1000 > Number.MAX_SAFE_INTEGER) throw new ClaimError(`its end ${expiry} is beyond all time`);
  return expiry;
}

function secondsOf(claims: Claims, name: string): number | undefined {
  const value = claims[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number') throw new ClaimError(`its ${name} is no number`);
  return Math.trunc(value);
}

function judgeParties(claims: Claims, { audiences, issuer }: ClaimDemands): void {
  const given = audiencesOf(claims.aud);
  if (given === undefined ? audiences.length > 0 : !given.some((audience) => audiences.includes(audience))) {
    throw new ClaimError(`it is for ${given?.join() ?? 'nobody in particular'}, not for ${audiences.join()}`);
  }
  for (const name of ['iss', 'sub', 'jti']) {
    const value = claims[name] ?? undefined;
    if (value !== undefined && typeof value !== 'string') throw new ClaimError(`its ${name} is no text`);
  }
  if (issuer !== undefined && claims.iss !== issuer) throw new ClaimError(`it is of ${claims.iss}, not of ${issuer}`);
}

function audiencesOf(claim: unknown): readonly string[] | undefined {
  if (claim === undefined || claim === null) return undefined;
  if (typeof claim === 'string') return [claim];
  if (Array.isArray(claim) && claim.every((audience) => typeof audience === 'string')) return claim;
  throw new ClaimError('its audience (aud) is neither text nor a list of them');
}

/** No scope is asked for, but what is there has to be well-formed. */
function scopeFault(claim: unknown, name: string): BearerVerdict | undefined {
  const scopes = typeof claim === 'string' ? [claim] : Array.isArray(claim) ? claim : [];
  const seen = new Set<string>();
  for (const scope of scopes as unknown[]) {
    if (scope === null) return invalid(`${name} value must be non-null`);
    if (typeof scope !== 'string') return { kind: 'broken', reason: `${name} has a value that is no text` };
    const trimmed = scope.trim();
    if (trimmed === '') return invalid(`${name} value must be non-empty`);
    if (seen.has(trimmed)) return invalid(`${name} value must not contain duplicates - ${trimmed} already present`);
    seen.add(trimmed);
  }
  return undefined;
}

function subjectOf(claims: Claims, name: string): string {
  const value = claims[name] ?? undefined;
  if (value === undefined) throw new ClaimError(`${name} value must be non-null`);
  if (typeof value !== 'string') throw new ClaimError(`its ${name} is no text`);
  if (value.trim() === '') throw new ClaimError(`${name} value must be non-empty`);
  return value.trim();
}
