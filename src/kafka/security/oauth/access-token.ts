import { jsonObjectOfPart } from './json-object.ts';
import { TokenEndpointError } from './token-endpoint.ts';
import type { IssuedToken } from './token-source.ts';

/** What a client reads of a token that it was given (`LoginAccessTokenValidator`); the broker judges it. @throws TokenEndpointError */
export function accessTokenOf(text: string, subjectClaim: string): IssuedToken {
  const value = text.trim();
  const parts = value.split('.');
  if (parts.length !== 3 || parts.includes('')) {
    throw fault('expected three sections (header, payload, and signature)');
  }
  const claims = jsonObjectOfPart(parts[1] ?? '');
  if (claims === undefined) throw fault('its payload is no JSON object');
  const [expirySeconds, issuedSeconds] = [claims.exp, claims.iat];
  if (typeof expirySeconds !== 'number' || expirySeconds < 0) throw fault('exp value must be non-negative');
  if (issuedSeconds !== undefined && (typeof issuedSeconds !== 'number' || issuedSeconds < 0)) {
    throw fault('iat value must be null or non-negative');
  }
  const subject = claims[subjectClaim];
  if (typeof subject !== 'string' || subject.trim() === '') throw fault(`${subjectClaim} value must be non-empty`);
  return {
    value,
    startsAtMs: issuedSeconds === undefined ? undefined : Math.trunc(issuedSeconds) * 1000,
    expiresAtMs: Math.trunc(expirySeconds) * 1000,
  };
}

function fault(what: string): TokenEndpointError {
  return new TokenEndpointError(`Could not validate the access token: ${what}`, true);
}
