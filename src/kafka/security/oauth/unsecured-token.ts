import { ConfigError } from '../../../config/config-error.ts';
import type { IssuedToken } from './token-source.ts';

const PREFIX = 'unsecuredLogin';
const RESERVED: readonly string[] = ['iat', 'exp'];

/** What the options of a login module say of tokens without a signature. */
export interface UnsecuredClaims {
  readonly claims: Readonly<Record<string, unknown>>;
  readonly lifetimeSeconds: number;
}

/**
 * `unsecuredLoginStringClaim_sub="alice"` and its like (`OAuthBearerUnsecuredLoginCallbackHandler`).
 *
 * @throws ConfigError when there is no principal, or something is no number
 */
export function unsecuredClaimsOf(key: string, options: ReadonlyMap<string, string>): UnsecuredClaims {
  const refuse = (fault: string): ConfigError => new ConfigError(key, '[hidden]', fault);
  const claims: Record<string, unknown> = {};
  for (const [name, text] of options) {
    const [, type, claim = ''] = /^unsecuredLogin(String|Number|List)Claim_(.+)$/.exec(name) ?? [];
    if (type === undefined) continue;
    if (RESERVED.includes(claim)) throw refuse(`Cannot explicitly set the '${claim}' claim`);
    claims[claim] = type === 'String' ? text : type === 'List' ? listOf(text) : numberOf(text);
    if (Number.isNaN(claims[claim])) throw refuse(`${name} is no number`);
  }
  const lifetimeSeconds = numberOf(options.get(`${PREFIX}LifetimeSeconds`) ?? '3600');
  if (!Number.isInteger(lifetimeSeconds)) throw refuse(`${PREFIX}LifetimeSeconds is no number of seconds`);
  const principalClaim = options.get(`${PREFIX}PrincipalClaimName`)?.trim() || 'sub';
  const principal = claims[principalClaim];
  if (typeof principal !== 'string' || principal.trim() === '') {
    throw refuse(`No principal name in JWT claim: ${principalClaim}`);
  }
  return { claims, lifetimeSeconds };
}

function numberOf(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text);
}

/** The first character divides the others; whatever is empty stands once at the end, as with Apache. */
function listOf(text: string): string[] {
  if (text.length <= 1) return [];
  const items = text.slice(1).split(text.charAt(0));
  const filled = items.filter((item) => item !== '');
  return filled.length === items.length ? filled : [...filled, ''];
}

/** A token that says so of itself. */
export function unsecuredToken({ claims, lifetimeSeconds }: UnsecuredClaims, nowMs: number): IssuedToken {
  const issuedSeconds = nowMs / 1000;
  const part = (json: object): string => Buffer.from(JSON.stringify(json)).toString('base64url');
  const body = { exp: issuedSeconds + lifetimeSeconds, iat: issuedSeconds, ...claims };
  return {
    value: `${part({ alg: 'none' })}.${part(body)}.`,
    startsAtMs: nowMs,
    expiresAtMs: nowMs + lifetimeSeconds * 1000,
  };
}
