/** Tokens that an issuer has signed; jose4j, which Apache's broker has, judges the same ones in test/interop. */
import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import test from 'node:test';
import { JwkSetError, jwkSetOf } from './jwk-set.ts';
import { jwsAlgorithm } from './jws-signature.ts';
import type { ClaimDemands } from './secured-claims.ts';
import { securedValidator } from './secured-validator.ts';

const NOW_MS = 1_700_000_000_999;
const NOW = Math.floor(NOW_MS / 1000);
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
const publicJwk = rsa.publicKey.export({ format: 'jwk' });
const keys = jwkSetOf(JSON.stringify({ keys: [{ ...publicJwk, kid: 'a' }, { kty: 'oct', kid: 'x', k: 'AAAA' }, 7] }));
const demands: ClaimDemands = {
  skewSeconds: 0,
  audiences: [],
  issuer: undefined,
  scopeClaim: 'scope',
  subjectClaim: 'sub',
};

const part = (json: unknown): string => Buffer.from(JSON.stringify(json)).toString('base64url');
function tokenOf(claims: unknown, header: object = {}, { privateKey } = rsa): string {
  const text = `${part({ alg: 'RS256', kid: 'a', ...header })}.${part(claims)}`;
  return `${text}.${sign('sha256', Buffer.from(text), privateKey).toString('base64url')}`;
}

const missing: string[] = [];
function verdict(token: string, more: Partial<ClaimDemands> = {}): string {
  const validate = securedValidator({ keys, missing: (kid) => missing.push(kid) }, { ...demands, ...more });
  const found = validate(token, NOW_MS);
  return found.kind === 'valid' ? `${found.principal} until ${found.expiresAtMs / 1000 - NOW}` : found.kind;
}

const good = { sub: 'alice', iat: NOW, exp: NOW + 60 };
const spoiled = tokenOf(good).split('.');
spoiled[1] = part({ ...good, sub: 'admin' });

for (const [name, token, want] of [
  ['right', tokenOf(good), 'alice until 60'],
  ['the key of somebody else under the same id', tokenOf(good, {}, stranger), 'invalid'],
  ['other claims under the signature', spoiled.join('.'), 'invalid'],
  ['no signature', tokenOf(good).replace(/[^.]*$/, ''), 'invalid'],
  ['the algorithm none', `${part({ alg: 'none' })}.${part(good)}.AAAA`, 'invalid'],
  ['an algorithm that is no name', tokenOf(good, { alg: ['RS256'] }), 'invalid'],
  ['critical parameters', tokenOf(good, { crit: ['exp'] }), 'invalid'],
  ['claims that look like a verdict', tokenOf({ kind: 'valid', principal: 'admin', expiresAtMs: 1e15 }), 'invalid'],
  ['claims that are no object', tokenOf([good]), 'invalid'],
] as const) {
  test(`secured: ${name} is ${want}`, () => assert.equal(verdict(token), want));
}

test('a public key is no secret, and a secret that is too small is none', () => {
  const pem = rsa.publicKey.export({ format: 'pem', type: 'spki' });
  for (const [kid, key] of [
    ['a', pem],
    ['x', Buffer.from('AAAA', 'base64url')],
  ] as const) {
    const text = `${part({ alg: 'HS256', kid })}.${part(good)}`;
    assert.equal(verdict(`${text}.${createHmac('sha256', key).update(text).digest('base64url')}`), 'invalid');
  }
});

test('a key is one of the kind that the algorithm takes', () => {
  const both = jwkSetOf(
    JSON.stringify({
      keys: [
        { kty: 'oct', kid: 'a', k: 'AAAA' },
        { ...publicJwk, kid: 'a' },
      ],
    }),
  );
  const validate = securedValidator({ keys: both, missing: () => undefined }, demands);
  assert.equal(validate(tokenOf(good), NOW_MS).kind, 'valid');
  for (const name of ['HS256', 'ES256', 'EdDSA', 'PS256', 'RS256']) {
    const isForRsa = name.endsWith('S256') && !name.startsWith('H') && !name.startsWith('E');
    const other = isForRsa ? generateKeyPairSync('ed25519').publicKey : rsa.publicKey;
    assert.equal(jwsAlgorithm(name)?.verify(other, Buffer.from('x'), Buffer.alloc(64)), false, name);
  }
});

test('only a key that is named and not there makes the keys be read again', () => {
  missing.length = 0;
  verdict(tokenOf(good, { kid: 'new' }));
  verdict(tokenOf(good, {}, stranger));
  verdict('a.b');
  assert.deepEqual(missing, ['new']);
});

for (const [name, claims, more, want] of [
  ['the last second', { ...good, exp: NOW + 1 }, {}, 'alice until 1'],
  ['its end', { ...good, exp: NOW, iat: 1 }, {}, 'invalid'],
  ['what is forgiven', { ...good, exp: NOW - 9, iat: 1 }, { skewSeconds: 10 }, 'alice until -9'],
  ['what is not', { ...good, exp: NOW - 10, iat: 1 }, { skewSeconds: 10 }, 'invalid'],
  ['valid later', { ...good, nbf: NOW + 1 }, {}, 'invalid'],
  ['no end', { ...good, exp: undefined }, {}, 'invalid'],
  ['an end beyond all time', { ...good, exp: 1e300 }, {}, 'invalid'],
  ['no time of issue', { ...good, iat: undefined }, {}, 'invalid'],
  ['an audience that nobody asked for', { ...good, aud: 'a' }, {}, 'invalid'],
  ['one audience of several', { ...good, aud: ['b', 'a'] }, { audiences: ['a', 'c'] }, 'alice until 60'],
  ['no audience', good, { audiences: ['a'] }, 'invalid'],
  ['the issuer', { ...good, iss: 'i' }, { issuer: 'i' }, 'alice until 60'],
  ['another issuer', { ...good, iss: 'j' }, { issuer: 'i' }, 'invalid'],
  ['no issuer', good, { issuer: 'i' }, 'invalid'],
  ['a subject of another name', { ...good, who: ' bob ' }, { subjectClaim: 'who' }, 'bob until 60'],
  ['no subject', { ...good, sub: undefined }, {}, 'invalid'],
  ['a scope twice', { ...good, scope: ['a', 'a'] }, {}, 'invalid'],
  ['a scope that is a number', { ...good, scope: [1] }, {}, 'broken'],
] as const) {
  test(`secured claims: ${name} is ${want}`, () => assert.equal(verdict(tokenOf(claims), more), want));
}

for (const text of ['', '{}', '{"keys":{}}', 'null']) {
  test(`no set of keys: ${JSON.stringify(text)}`, () => assert.throws(() => jwkSetOf(text), JwkSetError));
}
