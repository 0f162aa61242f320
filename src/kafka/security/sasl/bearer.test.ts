/** Both sides of OAUTHBEARER; what a real broker makes of such messages is in test/interop/security/oauth-stories.ts. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { type BearerVerdict, invalid } from '../oauth/bearer-verdict.ts';
import { BearerClient } from './bearer-client.ts';
import { bearerServer } from './bearer-server.ts';
import { SaslError } from './sasl-client.ts';
import type { SaslOutcome } from './sasl-server.ts';

const A = '\u0001';
const NOW_MS = 1_700_000_000_000;
const verdicts: Readonly<Record<string, BearerVerdict>> = {
  good: { kind: 'valid', principal: 'alice', expiresAtMs: NOW_MS + 5 },
  narrow: invalid('it lacks a scope', '[read, write]'),
  odd: { kind: 'broken', reason: 'odd' },
};

function server() {
  const validate = (token: string, nowMs: number): BearerVerdict => {
    assert.equal(nowMs, NOW_MS);
    return verdicts[token] ?? invalid('no such token');
  };
  const { evaluate } = bearerServer(validate, () => NOW_MS);
  return (text: string): SaslOutcome => evaluate(Buffer.from(text));
}

const say = (token: string, header = 'n,,', extensions = ''): string =>
  `${header}${A}auth=Bearer ${token}${A}${extensions}${A}`;
const shown = (outcome: SaslOutcome): string => {
  if (outcome.kind === 'challenge') return Buffer.from(outcome.bytes).toString();
  return outcome.kind === 'refused' ? (outcome.told ?? 'refused') : outcome.kind;
};
const OTHER =
  "Authentication failed: Client requested an authorization id (bob) that is different from the token's principal name (alice)";

for (const [name, text, want] of [
  ['a token', say('good'), 'complete'],
  ['its own id', say('good', 'n,a=alice,'), 'complete'],
  ['extensions', say('good', 'n,,', `host=a b${A}port=9${A}`), 'complete'],
  ['a token that is refused', say('bad'), '{"status":"invalid_token"}'],
  ['a scope too few', say('narrow'), '{"status":"insufficient_scope", "scope":"[read, write]"}'],
  ['an id of somebody else', say('good', 'n,a=bob,'), OTHER],
  ['an id of somebody else, and a bad token', say('bad', 'n,a=bob,'), '{"status":"invalid_token"}'],
  ['channel binding', say('good', 'p=tls-unique,,'), 'refused'],
  ['an acknowledgement of nothing', A, 'refused'],
  ['no token', `n,,${A}host=a${A}${A}`, 'refused'],
  ['another scheme', say('good').replace('Bearer', 'Basic'), 'broken'],
  ['a token that nobody can read', say('odd'), 'broken'],
] as const) {
  test(`OAUTHBEARER: ${name} is ${want}`, () => assert.equal(shown(server()(text)), want));
}

test('the client is whom its token names, until that ends', () => {
  assert.deepEqual(server()(say('good')), {
    kind: 'complete',
    bytes: new Uint8Array(0),
    identity: { name: 'alice', isTokenAuthenticated: false, expiresAtMs: NOW_MS + 5 },
  });
});

test('a refusal is final once it is acknowledged, and no sooner', () => {
  const evaluate = server();
  assert.equal(shown(evaluate(say('bad'))), '{"status":"invalid_token"}');
  assert.deepEqual(evaluate(A), {
    kind: 'refused',
    told: '{"status":"invalid_token"}',
    reason: '{"status":"invalid_token"}: no such token',
  });
  const another = server();
  another(say('bad'));
  assert.equal(another(say('good')).kind, 'complete', 'another token may follow');
});

test('the client says its token and its extensions, and is done with an empty answer', () => {
  const client = new BearerClient({ value: 'good', extensions: { host: 'a', port: '9' } });
  const text = Buffer.from(client.respond(Buffer.alloc(0)) ?? '').toString();
  assert.equal(text, `n,,${A}auth=Bearer good${A}host=a${A}port=9${A}${A}`);
  assert.equal(server()(text).kind, 'complete');
  assert.ok(!client.isComplete);
  assert.equal(client.respond(Buffer.alloc(0)), undefined);
  assert.ok(client.isComplete);
});

test('a client that is refused acknowledges, and is never done', () => {
  const client = new BearerClient({ value: 'bad' });
  client.respond(Buffer.alloc(0));
  assert.equal(Buffer.from(client.respond(Buffer.from('{"status":"invalid_token"}')) ?? '').toString(), A);
  assert.ok(!client.isComplete);
  assert.throws(() => client.respond(Buffer.alloc(0)), SaslError);
});

for (const [extensions, fault] of [
  [{ auth: 'x' }, /Extension name auth is invalid/],
  [{ 'a b': 'x' }, /Extension name a b is invalid/],
  [{ a: '' }, /Extension value \(\) for extension a is invalid/],
  [{ a: `x${A}auth=Bearer other` }, /is invalid/],
] as const) {
  test(`the client does not send ${JSON.stringify(extensions)}`, () => {
    const client = new BearerClient({ value: 'good', extensions: extensions as Record<string, string> });
    assert.throws(() => client.respond(Buffer.alloc(0)), fault);
  });
}
