import { createPublicKey, createSecretKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { JwsAlgorithm } from './jws-signature.ts';

/** A key of an issuer (RFC 7517). */
export interface Jwk {
  readonly key: KeyObject;
  readonly kty: string;
  readonly kid: string | undefined;
  readonly alg: string | undefined;
  readonly use: string | undefined;
  readonly keyOps: readonly string[] | undefined;
  readonly crv: string | undefined;
}

/** Where the keys were read there are none. */
export class JwkSetError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'JwkSetError';
  }
}

/** Keys of a kind that is not known here are left out. @throws JwkSetError */
export function jwkSetOf(text: string): readonly Jwk[] {
  const keys = fieldOf(parsed(text), 'keys');
  if (!Array.isArray(keys)) throw new JwkSetError('this is no JWK set: it has no list "keys"');
  return keys.flatMap((json: unknown) => jwkOf(json) ?? []);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new JwkSetError('this is no JWK set: it is no JSON');
  }
}

function fieldOf(json: unknown, name: string): unknown {
  return typeof json === 'object' && json !== null ? Reflect.get(json, name) : undefined;
}

function jwkOf(json: unknown): Jwk | undefined {
  const text = (name: string): string | undefined => {
    const value = fieldOf(json, name);
    return typeof value === 'string' ? value : undefined;
  };
  const kty = text('kty');
  const key = kty === undefined ? undefined : keyOf(kty, json as JsonWebKey);
  if (kty === undefined || key === undefined) return undefined;
  const operations = fieldOf(json, 'key_ops');
  return {
    key,
    kty,
    kid: text('kid'),
    alg: text('alg'),
    use: text('use'),
    keyOps: Array.isArray(operations) ? operations.map(String) : undefined,
    crv: text('crv'),
  };
}

function keyOf(kty: string, jwk: JsonWebKey): KeyObject | undefined {
  try {
    if (kty === 'oct') return createSecretKey(Buffer.from(jwk.k ?? '', 'base64url'));
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    return undefined;
  }
}

/**
 * The key that a signature is to be verified by (jose4j's `VerificationJwkSelector`): of the id that the token names, of the
 * algorithm's kind, and for signatures; among several the first that is for this very algorithm.
 */
export function selectJwk(keys: readonly Jwk[], algorithm: JwsAlgorithm, kid: string | undefined): Jwk | undefined {
  const fitting = keys.filter(
    (key) =>
      (kid === undefined || key.kid === kid) &&
      key.kty === algorithm.keyType &&
      (key.use ?? 'sig') === 'sig' &&
      (key.keyOps?.includes('verify') ?? true),
  );
  if (fitting.length <= 1) return fitting[0];
  const ofAlgorithm = fitting.filter(({ alg }) => (alg ?? algorithm.name) === algorithm.name);
  if (ofAlgorithm.length <= 1 || algorithm.curve === undefined) return ofAlgorithm[0];
  return ofAlgorithm.find(({ crv }) => crv === algorithm.curve);
}
