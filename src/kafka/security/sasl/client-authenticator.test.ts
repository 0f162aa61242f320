import assert from 'node:assert/strict';
import test from 'node:test';
import type { Random } from '../../../runtime/random.ts';
import { build } from '../../../wire/schema.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { SaslHandshakeResponse } from '../../protocol/messages/17-sasl-handshake.ts';
import { ApiVersionsResponse } from '../../protocol/messages/18-api-versions.ts';
import { SaslAuthenticateResponse } from '../../protocol/messages/36-sasl-authenticate.ts';
import { clientKeyOf, saltPassword, serverKeyOf, sign, storedKeyOf, xor } from '../scram.ts';
import { scramMechanisms } from '../scram-credential.ts';
import { type AuthenticatorEffect, type AuthenticatorEvent, ClientAuthenticator } from './client-authenticator.ts';
import type { SaslLogin } from './sasl-client.ts';

const random: Random = { uint32: () => 7, bytes: (count) => new Uint8Array(count).fill(1) };
const NONCE = Buffer.alloc(18, 1).toString('base64url');
const plain: SaslLogin = { mechanism: 'PLAIN', username: 'alice', password: 'secret' };
const scram: SaslLogin = { mechanism: 'SCRAM-SHA-256', username: 'a=l,ice', password: 'pencil' };

const begin: AuthenticatorEvent = { kind: 'begin' };
const versions = (handshake: number, authenticate: number): AuthenticatorEvent => ({
  kind: 'versions',
  answer: build(ApiVersionsResponse, {
    apiKeys: [
      { apiKey: 17, minVersion: 0, maxVersion: handshake },
      { apiKey: 36, minVersion: 0, maxVersion: authenticate },
    ],
  }),
});
const handshake = (errorCode = 0): AuthenticatorEvent => ({
  kind: 'handshake',
  answer: build(SaslHandshakeResponse, { errorCode, mechanisms: ['PLAIN', 'SCRAM-SHA-512'] }),
});
const token = (text: string, given: Partial<SaslAuthenticateResponse> = {}): AuthenticatorEvent => ({
  kind: 'token',
  answer: build(SaslAuthenticateResponse, { authBytes: Buffer.from(text), ...given }),
});

function run(login: SaslLogin, ...events: readonly AuthenticatorEvent[]): AuthenticatorEffect | undefined {
  const authenticator = new ClientAuthenticator(login, random);
  return events.map((event) => authenticator.step(event)).at(-1);
}

function said(effect: AuthenticatorEffect | undefined): string {
  assert.equal(effect?.kind, 'token');
  return Buffer.from(effect.token).toString();
}

const cases: readonly {
  readonly name: string;
  readonly login?: SaslLogin;
  readonly given: readonly AuthenticatorEvent[];
  readonly want: AuthenticatorEffect;
}[] = [
  { name: 'first the versions are asked for', given: [begin], want: { kind: 'versions' } },
  {
    name: 'the handshake is of the newest version that both know',
    given: [begin, versions(7, 9)],
    want: { kind: 'handshake', version: 1, mechanism: 'PLAIN' },
  },
  {
    name: 'PLAIN says all in one token, of the newest version that both know',
    given: [begin, versions(1, 1), handshake()],
    want: { kind: 'token', version: 1, token: Buffer.from('\0alice\0secret') },
  },
  {
    name: 'PLAIN is done with the first answer, which tells how long the session lasts',
    given: [begin, versions(1, 2), handshake(), token('', { sessionLifetimeMs: 60_000 })],
    want: { kind: 'authenticated', sessionLifetimeMs: 60_000 },
  },
  {
    name: 'SCRAM begins with the name, escaped, and a nonce',
    login: scram,
    given: [begin, versions(1, 2), handshake()],
    want: { kind: 'token', version: 2, token: Buffer.from(`n,,n=a=3Dl=2Cice,r=${NONCE}`) },
  },
  {
    name: 'SCRAM says when the name is that of a delegation token',
    login: { ...scram, isToken: true },
    given: [begin, versions(1, 2), handshake()],
    want: { kind: 'token', version: 2, token: Buffer.from(`n,,n=a=3Dl=2Cice,r=${NONCE},tokenauth=true`) },
  },
];

for (const { name, login = plain, given, want } of cases) {
  test(name, () => assert.deepEqual(run(login, ...given), want));
}

const begun = [begin, versions(1, 2), handshake()] as const;
const serverFirst = (iterations: number, nonce = `${NONCE}server`): string =>
  `r=${nonce},s=${Buffer.from('salt').toString('base64')},i=${iterations}`;
const java = 'An error: (java.security.PrivilegedActionException: javax.security.sasl.SaslException: ';
const refusals: readonly {
  readonly name: string;
  readonly login?: SaslLogin;
  readonly given: readonly AuthenticatorEvent[];
  readonly code: number;
  readonly message: string;
}[] = [
  {
    name: 'a mechanism that the broker does not have',
    given: [begin, versions(1, 2), handshake(ErrorCode.UNSUPPORTED_SASL_MECHANISM)],
    code: ErrorCode.UNSUPPORTED_SASL_MECHANISM,
    message: "Client SASL mechanism 'PLAIN' not enabled in the server, enabled mechanisms are [PLAIN, SCRAM-SHA-512]",
  },
  {
    name: 'a listener without SASL',
    given: [begin, versions(1, 2), handshake(ErrorCode.ILLEGAL_SASL_STATE)],
    code: ErrorCode.ILLEGAL_SASL_STATE,
    message: 'Unexpected handshake request with client mechanism PLAIN, enabled mechanisms are [PLAIN, SCRAM-SHA-512]',
  },
  {
    name: 'another error of the handshake',
    given: [begin, versions(1, 2), handshake(ErrorCode.COORDINATOR_NOT_AVAILABLE)],
    code: ErrorCode.ILLEGAL_SASL_STATE,
    message:
      'Unknown error code COORDINATOR_NOT_AVAILABLE, client mechanism is PLAIN, enabled mechanisms are [PLAIN, SCRAM-SHA-512]',
  },
  {
    name: 'a wrong password, in the words of the broker',
    given: [
      ...begun,
      token('', { errorCode: 58, errorMessage: 'Authentication failed: Invalid username or password' }),
    ],
    code: ErrorCode.SASL_AUTHENTICATION_FAILED,
    message: 'Authentication failed: Invalid username or password',
  },
  {
    name: 'a wrong password, without words',
    given: [...begun, token('', { errorCode: 58, errorMessage: null })],
    code: ErrorCode.SASL_AUTHENTICATION_FAILED,
    message: 'SASL Authentication failed.',
  },
  {
    name: 'a broker that knows bare tokens only',
    given: [
      begin,
      {
        kind: 'versions',
        answer: build(ApiVersionsResponse, { apiKeys: [{ apiKey: 17, minVersion: 0, maxVersion: 0 }] }),
      },
    ],
    code: ErrorCode.UNSUPPORTED_VERSION,
    message: 'SaslAuthenticateRequest: the broker does not know it',
  },
  {
    name: "a nonce that does not begin with the client's: another exchange played again",
    login: scram,
    given: [...begun, token(serverFirst(4096, 'server'))],
    code: ErrorCode.SASL_AUTHENTICATION_FAILED,
    message: `${java}Invalid server nonce: does not start with client nonce)`,
  },
  {
    name: 'fewer iterations than 4096, which would give the password away cheaply',
    login: scram,
    given: [...begun, token(serverFirst(4095))],
    code: ErrorCode.SASL_AUTHENTICATION_FAILED,
    message: `${java}Requested iterations 4095 is less than the minimum 4096 for SCRAM_SHA_256)`,
  },
  {
    name: 'more iterations than this process can spare',
    login: scram,
    given: [...begun, token(serverFirst(2_000_000_000))],
    code: ErrorCode.SASL_AUTHENTICATION_FAILED,
    message: `${java}Requested iterations 2000000000 is more than the maximum 1000000 of this client)`,
  },
  {
    name: 'what is no message of SCRAM',
    login: scram,
    given: [...begun, token('hello')],
    code: ErrorCode.SASL_AUTHENTICATION_FAILED,
    message: `${java}Invalid SCRAM server first message format: hello)`,
  },
  {
    name: 'an error of the server in its last message',
    login: scram,
    given: [...begun, token(serverFirst(4096)), token('e=other-error')],
    code: ErrorCode.SASL_AUTHENTICATION_FAILED,
    message: `${java}Sasl authentication using SCRAM_SHA_256 failed with error: other-error)`,
  },
  {
    name: 'a server that only plays a broker: it cannot sign',
    login: scram,
    given: [...begun, token(serverFirst(4096)), token(`v=${Buffer.alloc(32).toString('base64')}`)],
    code: ErrorCode.SASL_AUTHENTICATION_FAILED,
    message: `${java}Invalid server signature in server final message)`,
  },
];

for (const { name, login = plain, given, code, message } of refusals) {
  test(`refused: ${name}`, () => {
    const events = [...given];
    const last = events.pop()!;
    const authenticator = new ClientAuthenticator(login, random);
    for (const event of events) authenticator.step(event);
    assert.throws(
      () => authenticator.step(last),
      (error) => error instanceof KafkaError && error.code === code && error.message.startsWith(message),
    );
  });
}

for (const mechanism of scramMechanisms) {
  test(`${mechanism.name}: a server that keeps the credential is convinced, and convinces`, () => {
    const login: SaslLogin = { mechanism: mechanism.name, username: 'bob', password: 'pass,=ü' };
    const authenticator = new ClientAuthenticator(login, random);
    for (const event of begun.slice(0, 2)) authenticator.step(event);
    const clientFirst = said(authenticator.step(handshake())).slice('n,,'.length);
    const clientFinal = said(authenticator.step(token(serverFirst(5000))));
    const [withoutProof = '', proof = ''] = clientFinal.split(',p=');
    const salted = saltPassword(mechanism, 'pass,=ü', Buffer.from('salt'), 5000);
    const authMessage = `${clientFirst},${serverFirst(5000)},${withoutProof}`;
    const stored = storedKeyOf(mechanism, clientKeyOf(mechanism, salted));
    const clientKey = xor(Buffer.from(proof, 'base64'), sign(mechanism, stored, authMessage));
    assert.deepEqual(storedKeyOf(mechanism, clientKey), stored);
    assert.equal(withoutProof, `c=biws,r=${NONCE}server`);
    const signature = sign(mechanism, serverKeyOf(mechanism, salted), authMessage).toString('base64');
    assert.deepEqual(authenticator.step(token(`v=${signature}`, { sessionLifetimeMs: 5 })), {
      kind: 'authenticated',
      sessionLifetimeMs: 5,
    });
  });
}

test('who authenticates again does not ask for the versions again', () => {
  const first = new ClientAuthenticator(plain, random);
  for (const event of begun) first.step(event);
  const second = new ClientAuthenticator(plain, random, first.versions);
  assert.deepEqual(second.step(begin), { kind: 'handshake', version: 1, mechanism: 'PLAIN' });
  assert.equal(said(second.step(handshake())), '\0alice\0secret');
});

const bearer: SaslLogin = { mechanism: 'OAUTHBEARER', oauthToken: async () => ({ value: 'abc' }) };
const given: AuthenticatorEvent = { kind: 'oauthToken', token: { value: 'abc', extensions: { host: 'x' } } };

test('OAUTHBEARER asks for a token before anything else, and says it after the handshake', () => {
  assert.deepEqual(run(bearer, begin), { kind: 'oauthToken', login: bearer });
  assert.deepEqual(run(bearer, begin, given), { kind: 'versions' });
  const text = said(run(bearer, begin, given, versions(1, 2), handshake()));
  assert.equal(text, 'n,,\u0001auth=Bearer abc\u0001host=x\u0001\u0001');
  const done = run(bearer, begin, given, versions(1, 2), handshake(), token('', { sessionLifetimeMs: 5 }));
  assert.deepEqual(done, { kind: 'authenticated', sessionLifetimeMs: 5 });
});

test('OAUTHBEARER acknowledges a refusal, and fails with the words of the broker', () => {
  const authenticator = new ClientAuthenticator(bearer, random);
  for (const event of [begin, given, versions(1, 2), handshake()]) authenticator.step(event);
  const refused = '{"status":"invalid_token"}';
  assert.equal(said(authenticator.step(token(refused))), '\u0001');
  assert.throws(() => authenticator.step(token('', { errorCode: 58, errorMessage: refused })), { message: refused });
});
