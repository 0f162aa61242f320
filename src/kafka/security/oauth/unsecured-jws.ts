/** What a claim can be: what else JSON has becomes text, as in Apache's `OAuthBearerUnsecuredJws`. */
export type Claim = string | number | readonly string[];
export type Claims = ReadonlyMap<string, Claim>;

/** Java's decoder of the plain alphabet, which the parts of such a token have to be in. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

export interface UnsecuredJws {
  readonly principal: string;
  readonly claims: Claims;
  readonly scope: ReadonlySet<string>;
  readonly expirySeconds: number;
  readonly issuedSeconds: number | undefined;
}

export interface ClaimNames {
  readonly principal: string;
  readonly scope: string;
}

/** The token is none, or none that is valid. */
export class IllegalTokenError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'IllegalTokenError';
  }
}

/** Apache's parser fails over the token where it should refuse it. */
export class UnreadableTokenError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UnreadableTokenError';
  }
}

/** A JWT without a signature: `header.claims.`. @throws IllegalTokenError, UnreadableTokenError */
export function unsecuredJwsOf(token: string, names: ClaimNames): UnsecuredJws {
  if (token.includes('..')) throw new IllegalTokenError("Malformed compact serialization contains '..'");
  const parts = token.split('.');
  const [header = '', body = '', signature = ''] = parts;
  if (parts.length !== 3) {
    throw new IllegalTokenError(
      'Unsecured JWS compact serializations must have 3 dot-separated Base64URL-encoded values',
    );
  }
  const algorithm = claimsOf(header);
  const claims = claimsOf(body);
  checkHeader(algorithm.get('alg'), signature);
  const scope = scopeOf(claims, names.scope);
  const expirySeconds = numberOf(claims, 'exp');
  if (expirySeconds === undefined) throw new IllegalTokenError('No expiration time in JWT');
  const principal = textOf(claims, names.principal);
  if (isBlank(principal)) throw new IllegalTokenError(`No principal name in JWT claim: ${names.principal}`);
  return { principal, claims, scope, expirySeconds, issuedSeconds: numberOf(claims, 'iat') };
}

function checkHeader(algorithm: Claim | undefined, signature: string): void {
  if (algorithm === undefined) throw new UnreadableTokenError('JWS header must have an Algorithm value');
  if (algorithm !== 'none') throw new IllegalTokenError("Unsecured JWS must have 'none' for an algorithm");
  if (signature !== '') throw new IllegalTokenError('Unsecured JWS must not contain a digital signature');
}

/** @throws IllegalTokenError */
export function claimsOf(part: string): Claims {
  if (!BASE64.test(part)) throw new IllegalTokenError('malformed Base64 URL encoded value');
  const text = Buffer.from(part, 'base64').toString();
  if (text.trim() === '') return new Map();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new IllegalTokenError('malformed JSON');
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return new Map();
  return new Map(Object.entries(json).map(([name, value]) => [name, claimOf(value)]));
}

function claimOf(value: unknown): Claim {
  if (Array.isArray(value)) return value.map(javaText);
  return typeof value === 'number' ? value : javaText(value);
}

/** `JsonNode.asText` */
function javaText(value: unknown): string {
  return typeof value === 'object' && value !== null ? '' : String(value);
}

function scopeOf(claims: Claims, name: string): ReadonlySet<string> {
  const claim = claims.get(name);
  if (typeof claim === 'number') throw new IllegalTokenError(`The '${name}' claim was not of type List: Number`);
  const found = typeof claim === 'string' ? [claim] : (claim ?? []);
  return new Set(found.filter((scope) => !isBlank(scope)).map((scope) => scope.trim()));
}

function numberOf(claims: Claims, name: string): number | undefined {
  const claim = claims.get(name);
  if (claim === undefined || typeof claim === 'number') return claim;
  throw new IllegalTokenError(`The '${name}' claim was not of type Number`);
}

function textOf(claims: Claims, name: string): string {
  const claim = claims.get(name);
  if (claim === undefined || typeof claim === 'string') return claim ?? '';
  throw new IllegalTokenError(`The '${name}' claim was not of type String`);
}

export function isBlank(text: string | undefined): boolean {
  return text === undefined || text.trim() === '';
}
