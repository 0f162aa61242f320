import assert from 'node:assert/strict';
import test from 'node:test';
import { clientKeyOf, saltPassword, serverKeyOf, sign, storedKeyOf, xor } from '../scram.ts';
import { type ScramCredential, type ScramMechanism, scramMechanisms } from '../scram-credential.ts';
import { plainServer } from './plain-server.ts';
import type { SaslOutcome, SaslServer } from './sasl-server.ts';
import { scramServer } from './scram-server.ts';
import { noTokenSecrets, type TokenSecrets } from './token-secrets.ts';

const passwords: Readonly<Record<string, string>> = { alice: 'alice-secret', ümit: 'geheim', empty: '' };
const plain = (response: string): SaslOutcome =>
  plainServer((user) => (Object.hasOwn(passwords, user) ? passwords[user] : undefined)).evaluate(Buffer.from(response));

const told = (outcome: SaslOutcome): string | undefined => (outcome.kind === 'refused' ? outcome.told : outcome.kind);
const INVALID = 'Authentication failed: Invalid username or password';

const plainCases = [
  ['\0alice\0alice-secret', 'complete'],
  ['alice\0alice\0alice-secret', 'complete'],
  ['\0ümit\0geheim', 'complete'],
  ['\0alice\0alice-secre', INVALID],
  ['\0alice\0alice-secret2', INVALID],
  ['\0Alice\0alice-secret', INVALID],
  ['\0nobody\0x', INVALID],
  ['\0constructor\0x', INVALID],
  ['\0\0x', 'Authentication failed: username not specified'],
  ['\0empty\0', 'Authentication failed: password not specified'],
  [
    'bob\0alice\0alice-secret',
    'Authentication failed: Client requested an authorization id that is different from username',
  ],
  ['alice\0alice-secret', 'Invalid SASL/PLAIN response: expected 3 tokens, got 2'],
  ['\0alice\0alice-secret\0', 'Invalid SASL/PLAIN response: expected 3 tokens, got 4'],
  ['a\0b\0c\0d\0e\0f', 'Invalid SASL/PLAIN response: expected 3 tokens, got 4'],
  ['', 'Invalid SASL/PLAIN response: expected 3 tokens, got 1'],
] as const;
for (const [response, want] of plainCases) {
  test(`PLAIN: ${JSON.stringify(response)} is ${want}`, () => assert.equal(told(plain(response)), want));
}

const salt = Buffer.from('salt');
function credentialFor(mechanism: ScramMechanism, password: string, iterations = 4096): ScramCredential {
  const salted = saltPassword(mechanism, password, salt, iterations);
  const storedKey = storedKeyOf(mechanism, clientKeyOf(mechanism, salted));
  return { salt, storedKey, serverKey: serverKeyOf(mechanism, salted), iterations };
}

function serverFor(mechanism: ScramMechanism, tokens: TokenSecrets = noTokenSecrets): SaslServer {
  const credentials = new Map([
    ['carol', credentialFor(mechanism, 'carol-secret')],
    ['a=b,c', credentialFor(mechanism, 'odd')],
    ['weak', credentialFor(mechanism, 'weak', 4095)],
  ]);
  let drawn = 0;
  const bytes = (count: number): Uint8Array => {
    drawn += 1;
    return Buffer.alloc(count, drawn);
  };
  const random = { bytes, uint32: () => 0 };
  return scramServer({ mechanism, credentialOf: (user) => credentials.get(user), tokens, random });
}

interface Attempt {
  readonly password: string;
  readonly first: string;
  readonly nonce?: (given: string) => string;
}

function attempt(mechanism: ScramMechanism, server: SaslServer, { password, first, nonce }: Attempt): SaslOutcome {
  const challenged = server.evaluate(Buffer.from(first));
  if (challenged.kind !== 'challenge') return challenged;
  const challenge = Buffer.from(challenged.bytes).toString();
  const given = /^r=([^,]*),/.exec(challenge)?.[1] ?? '';
  const withoutProof = `c=biws,r=${nonce?.(given) ?? given}`;
  const clientKey = clientKeyOf(mechanism, saltPassword(mechanism, password, salt, 4096));
  const authMessage = `${first.replace(/^n,[^,]*,/, '')},${challenge},${withoutProof}`;
  const proof = xor(clientKey, sign(mechanism, storedKeyOf(mechanism, clientKey), authMessage)).toString('base64');
  const outcome = server.evaluate(Buffer.from(`${withoutProof},p=${proof}`));
  if (outcome.kind === 'complete') {
    const serverKey = serverKeyOf(mechanism, saltPassword(mechanism, password, salt, 4096));
    const signature = sign(mechanism, serverKey, authMessage).toString('base64');
    assert.equal(Buffer.from(outcome.bytes).toString(), `v=${signature}`, 'the server knows the password too');
  }
  return outcome;
}

for (const mechanism of scramMechanisms) {
  const { name } = mechanism;
  const carol = { password: 'carol-secret', first: 'n,,n=carol,r=abc' };
  test(`${name}: who knows the password comes in, by the name that was given`, () => {
    const outcome = attempt(mechanism, serverFor(mechanism), carol);
    assert.deepEqual(outcome.kind === 'complete' && outcome.identity, { name: 'carol', isTokenAuthenticated: false });
    const odd = attempt(mechanism, serverFor(mechanism), { password: 'odd', first: 'n,,n=a=3Db=2Cc,r=abc' });
    assert.equal(odd.kind === 'complete' && odd.identity.name, 'a=b,c');
  });

  test(`${name}: nobody else comes in, and none is told why`, () => {
    const others: readonly Attempt[] = [
      { ...carol, password: 'guess' },
      { ...carol, first: 'n,,n=nobody,r=abc' },
      { ...carol, first: 'n,,n=carol,r=abc,tokenauth=true' },
      { password: 'weak', first: 'n,,n=weak,r=abc' },
      { ...carol, nonce: () => 'abc' },
      { ...carol, nonce: (given) => `${given}x` },
      ...['y,,n=carol,r=abc', 'n,,n=carol', 'n,,n=ca=rol,r=abc', 'n,,n=carol,r=', 'n,,n=carol,r=abc,x', ''].map(
        (first) => ({ ...carol, first }),
      ),
    ];
    for (const other of others) {
      const outcome = attempt(mechanism, serverFor(mechanism), other);
      assert.equal(outcome.kind, 'refused', JSON.stringify(other));
      assert.equal(told(outcome), undefined);
    }
  });

  test(`${name}: another id than the own is refused openly`, () => {
    const outcome = attempt(mechanism, serverFor(mechanism), { ...carol, first: 'n,a=dave,n=carol,r=abc' });
    assert.match(told(outcome) ?? '', /authorization id that is different from username/);
  });

  test(`${name}: a token's holder is the token's owner`, () => {
    const asked: string[] = [];
    const tokens: TokenSecrets = {
      find(tokenId, of) {
        asked.push(`${tokenId} ${of}`);
        return { credential: credentialFor(mechanism, 'hmac'), owner: 'erin', expiresAtMs: 77 };
      },
    };
    const first = 'n,,n=token-1,r=abc,tokenauth=true';
    const outcome = attempt(mechanism, serverFor(mechanism, tokens), { password: 'hmac', first });
    assert.deepEqual(asked, [`token-1 ${name}`]);
    const want = { name: 'erin', isTokenAuthenticated: true, expiresAtMs: 77 };
    assert.deepEqual(outcome.kind === 'complete' && outcome.identity, want);
  });

  test(`${name}: a proof of another length breaks the exchange`, () => {
    const server = serverFor(mechanism);
    const challenge = server.evaluate(Buffer.from(carol.first));
    const text = challenge.kind === 'challenge' ? Buffer.from(challenge.bytes).toString() : '';
    const nonce = /^r=([^,]*),/.exec(text)?.[1];
    assert.equal(server.evaluate(Buffer.from(`c=biws,r=${nonce},p=AAAA`)).kind, 'broken');
  });
}
