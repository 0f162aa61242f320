import { type BearerValidator, type BearerVerdict, invalid } from './bearer-verdict.ts';
import { jsonObjectOfPart } from './json-object.ts';
import { type Jwk, selectJwk } from './jwk-set.ts';
import { jwsAlgorithm } from './jws-signature.ts';
import { type ClaimDemands, judgeClaims } from './secured-claims.ts';

/** The keys of an issuer, as they are known now. */
export interface IssuerKeys {
  readonly keys: readonly Jwk[];
  /** None of them has this id: there may be newer ones. */
  missing(kid: string): void;
}

/** Believes what an issuer has signed (`OAuthBearerValidatorCallbackHandler`, KIP-768). */
export function securedValidator(issuer: IssuerKeys, demands: ClaimDemands): BearerValidator {
  return (token, nowMs) => {
    const signed = verified(issuer, token);
    return 'claims' in signed ? judgeClaims(signed.claims, demands, nowMs) : signed;
  };
}

type Json = Readonly<Record<string, unknown>>;

/** The claims, where the signature is good. */
function verified(issuer: IssuerKeys, token: string): { readonly claims: Json } | BearerVerdict {
  const parts = token.split('.');
  const [header = '', body = '', signature = ''] = parts;
  if (parts.length !== 3 || parts.includes('')) return invalid('it is no header, payload and signature');
  const parameters = jsonObjectOfPart(header);
  if (parameters === undefined) return invalid('its header is no JSON');
  // No extension that a token could demand to be understood is.
  if (parameters.crit !== undefined) return invalid('its header has critical parameters');
  const algorithm = jwsAlgorithm(parameters.alg);
  if (algorithm === undefined) return invalid(`its algorithm ${parameters.alg} is none that is believed`);
  const kid = typeof parameters.kid === 'string' ? parameters.kid : undefined;
  const jwk = selectJwk(issuer.keys, algorithm, kid);
  if (jwk === undefined) {
    if (kid !== undefined) issuer.missing(kid);
    return invalid('no key of the issuer fits it');
  }
  const bytes = Buffer.from(`${header}.${body}`);
  if (!algorithm.verify(jwk.key, bytes, Buffer.from(signature, 'base64url')))
    return invalid('its signature is not good');
  const claims = jsonObjectOfPart(body);
  return claims === undefined ? invalid('its payload is no JSON') : { claims };
}
