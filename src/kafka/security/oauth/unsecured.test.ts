/** Tokens without a signature: made by a client, judged by a broker. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { ConfigError } from '../../../config/config-error.ts';
import { unsecuredClaimsOf, unsecuredToken } from './unsecured-token.ts';
import { unsecuredValidator } from './unsecured-validator.ts';

const NOW_MS = 1_700_000_000_000;
const NOW = NOW_MS / 1000;
type Options = Readonly<Record<string, string>>;

const part = (json: unknown): string =>
  Buffer.from(typeof json === 'string' ? json : JSON.stringify(json))
    .toString('base64')
    .replace(/=+$/, '');
const tokenOf = (claims: unknown, header: unknown = { alg: 'none' }): string => `${part(header)}.${part(claims)}.`;

function verdict(token: string, options: Options = {}): string {
  const given = new Map(Object.entries(options).map(([name, value]) => [`unsecuredValidator${name}`, value]));
  const found = unsecuredValidator('k', given)(token, NOW_MS);
  if (found.kind === 'valid') return `${found.principal} until ${found.expiresAtMs - NOW_MS}`;
  return found.kind === 'invalid' && found.scope !== undefined ? found.scope : found.kind;
}

const good = { sub: 'alice', exp: NOW + 60, iat: NOW };
for (const [name, token, want] of [
  ['right', tokenOf(good), 'alice until 60000'],
  ['the last moment', tokenOf({ sub: 'alice', exp: NOW + 0.001 }), 'alice until 1'],
  ['the moment of its end', tokenOf({ sub: 'alice', exp: NOW }), 'invalid'],
  ['issued now', tokenOf({ ...good, iat: NOW }), 'alice until 60000'],
  ['issued a moment later', tokenOf({ ...good, iat: NOW + 0.001 }), 'invalid'],
  ['no end', tokenOf({ sub: 'alice' }), 'invalid'],
  ['no subject', tokenOf({ ...good, sub: undefined }), 'invalid'],
  ['an algorithm', tokenOf(good, { alg: 'HS256' }), 'invalid'],
  ['no algorithm', tokenOf(good, {}), 'broken'],
  ['a signature', `${tokenOf(good)}abc`, 'invalid'],
  ['claims that are no JSON', tokenOf('{'), 'invalid'],
] as const) {
  test(`unsecured: ${name} is ${want}`, () => assert.equal(verdict(token), want));
}

test('an end beyond all time is one that the wire can carry', () => {
  assert.equal(verdict(tokenOf({ sub: 'alice', exp: 1e300 })), `alice until ${Number.MAX_SAFE_INTEGER - NOW_MS}`);
});

for (const [name, options, claims, want] of [
  ['a claim of another name', { PrincipalClaimName: ' who ' }, { ...good, who: 'bob' }, 'bob until 60000'],
  ['what is forgiven', { AllowableClockSkewMs: '1000' }, { sub: 'a', exp: NOW - 0.999 }, 'a until -999'],
  ['what is not', { AllowableClockSkewMs: '1000' }, { sub: 'a', exp: NOW - 1 }, 'invalid'],
  ['all scopes', { RequiredScope: 'r w' }, { ...good, scope: ['w', 'x', 'r'] }, 'alice until 60000'],
  ['a scope too few', { RequiredScope: 'r w' }, { ...good, scope: ['r'] }, '[r, w]'],
  ['scopes of another name', { RequiredScope: 'r', ScopeClaimName: 's' }, { ...good, s: 'r' }, 'alice until 60000'],
] as const) {
  test(`unsecured, demanding: ${name} is ${want}`, () => assert.equal(verdict(tokenOf(claims), options), want));
}

for (const [options, fault] of [
  [{ AllowableClockSkewMs: '-1' }, /AllowableClockSkewMs/],
  [{ AllowableClockSkewMs: 'x' }, /AllowableClockSkewMs/],
  [{ RequiredScope: 'a"b' }, /Invalid scope value/],
] as const) {
  test(`refused at the start: ${JSON.stringify(options)}`, () => {
    assert.throws(
      () => verdict('', options),
      (error) => error instanceof ConfigError && fault.test(error.message),
    );
  });
}

function made(options: Options): unknown {
  const { value } = unsecuredToken(unsecuredClaimsOf('k', new Map(Object.entries(options))), NOW_MS);
  return JSON.parse(Buffer.from(value.split('.')[1] ?? '', 'base64url').toString());
}

test('a client makes the token that its options describe', () => {
  const token = made({
    unsecuredLoginStringClaim_sub: 'alice',
    unsecuredLoginNumberClaim_level: '1.5',
    unsecuredLoginListClaim_scope: '|a|b||',
    unsecuredLoginLifetimeSeconds: '60',
    unsecuredLoginExtension_host: 'x',
  });
  assert.deepEqual(token, { sub: 'alice', level: 1.5, scope: ['a', 'b', ''], iat: NOW, exp: NOW + 60 });
});

test('a broker believes it, for its whole life', () => {
  const options = new Map([
    ['unsecuredLoginStringClaim_who', 'alice'],
    ['unsecuredLoginPrincipalClaimName', 'who'],
  ]);
  const { value, expiresAtMs } = unsecuredToken(unsecuredClaimsOf('k', options), NOW_MS);
  assert.equal(expiresAtMs - NOW_MS, 3_600_000);
  assert.equal(verdict(value, { PrincipalClaimName: 'who' }), 'alice until 3600000');
});

for (const [options, fault] of [
  [{}, /No principal name in JWT claim: sub/],
  [{ unsecuredLoginStringClaim_sub: ' ' }, /No principal name/],
  [{ unsecuredLoginStringClaim_sub: 'a', unsecuredLoginNumberClaim_exp: '1' }, /Cannot explicitly set the 'exp' claim/],
  [{ unsecuredLoginStringClaim_sub: 'a', unsecuredLoginNumberClaim_x: 'y' }, /no number/],
  [{ unsecuredLoginStringClaim_sub: 'a', unsecuredLoginLifetimeSeconds: '1.5' }, /no number of seconds/],
] as const) {
  test(`no token is made of ${JSON.stringify(options)}`, () => {
    assert.throws(() => made(options as Options), fault);
  });
}
