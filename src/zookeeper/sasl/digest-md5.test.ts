import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { SimRandom } from '../../runtime/sim/sim-random.ts';
import { responseValue } from './digest-md5.ts';
import { DigestMd5Client } from './digest-md5-client.ts';
import { DigestMd5Server } from './digest-md5-server.ts';
import { parseDirectives, quoted, SaslError } from './directives.ts';

const empty = new Uint8Array(0);
const serverOf = (users: Readonly<Record<string, string>>) => {
  const passwords = new Map(Object.entries(users));
  return new DigestMd5Server({ random: new SimRandom('server'), passwordOf: (name) => passwords.get(name) });
};
const clientOf = (username: string, password: string) =>
  new DigestMd5Client({ random: new SimRandom('client'), username, password });
const textOf = (token: Uint8Array | undefined) => Buffer.from(token ?? empty).toString('latin1');

test('the example of RFC 2831', () => {
  const material = {
    username: 'chris',
    realm: 'elwood.innosoft.com',
    password: 'secret',
    nonce: 'OA6MG9tEQGm2hh',
    cnonce: 'OA6MHXh6VqTrRk',
    digestUri: 'imap/elwood.innosoft.com',
    qop: 'auth',
    authzid: undefined,
  };
  assert.equal(responseValue('client', material), 'd388dad90d4bbd760a152321f2143af7');
  assert.equal(responseValue('server', material), 'ea40f60335c427b5527b84dbabcdfffd');
});

test('a client that knows the password and a server convince each other', () => {
  const [server, client] = [serverOf({ bob: 'secret' }), clientOf('bob', 'secret')];
  const challenge = server.evaluate(empty);
  assert.match(textOf(challenge), /^realm="zk-sasl-md5",nonce="[A-Za-z0-9+/]{40}",charset=utf-8,algorithm=md5-sess$/);
  const response = client.evaluate(challenge);
  assert.equal(server.username, undefined);
  const outcome = server.evaluate(response ?? empty);
  assert.match(textOf(outcome), /^rspauth=[0-9a-f]{32}$/);
  assert.equal(server.username, 'bob');
  assert.equal(client.evaluate(outcome), undefined);
  assert.equal(client.isComplete, true);
  assert.throws(() => server.evaluate(response ?? empty), SaslError);
});

test('any name and password will do', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string({ unit: 'grapheme' }), (name, password) => {
      const [server, client] = [serverOf({ [name]: password }), clientOf(name, password)];
      client.evaluate(server.evaluate(client.evaluate(server.evaluate(empty)) ?? empty));
      assert.equal(server.username, name);
    }),
  );
});

test('a wrong password and an unknown user are refused, and the exchange is over', () => {
  for (const [name, password] of [
    ['bob', 'guess'],
    ['eve', 'secret'],
  ] as const) {
    const [server, client] = [serverOf({ bob: 'secret' }), clientOf(name, password)];
    const response = client.evaluate(server.evaluate(empty)) ?? empty;
    assert.throws(() => server.evaluate(response), SaslError);
    assert.equal(server.username, undefined);
    assert.throws(() => server.evaluate(response), SaslError);
  }
});

test('a response that was overheard is worth nothing in another exchange', () => {
  const overheard = serverOf({ bob: 'secret' });
  const response = clientOf('bob', 'secret').evaluate(overheard.evaluate(empty)) ?? empty;
  const random = new SimRandom('another exchange');
  const server = new DigestMd5Server({ random, passwordOf: () => 'secret' });
  server.evaluate(empty);
  assert.throws(() => server.evaluate(response), SaslError);
  assert.doesNotThrow(() => overheard.evaluate(response));
});

test('a client does not believe a server that cannot answer', () => {
  const [server, client] = [serverOf({ bob: 'other' }), clientOf('bob', 'secret')];
  client.evaluate(server.evaluate(empty));
  assert.throws(() => client.evaluate(Buffer.from(`rspauth=${'0'.repeat(32)}`)), SaslError);
  assert.equal(client.isComplete, false);
});

const changes: readonly { name: string; change: (response: string) => string; refused?: false }[] = [
  { name: 'another nonce', change: (text) => text.replace(/nonce="./, 'nonce="_') },
  { name: 'another realm', change: (text) => text.replace('realm="zk-sasl-md5"', 'realm="other"') },
  { name: 'no realm', change: (text) => text.replace('realm="zk-sasl-md5",', '') },
  { name: 'another service', change: (text) => text.replace('zookeeper/', 'kafka/') },
  { name: 'no digest-uri', change: (text) => text.replace(/digest-uri="[^"]*",/, '') },
  { name: 'a layer of integrity', change: (text) => text.replace('qop=auth', 'qop=auth-int') },
  { name: 'another charset', change: (text) => text.replace('charset=utf-8', 'charset=latin1') },
  { name: 'a name twice', change: (text) => `${text},username="bob"` },
  { name: 'no response', change: (text) => text.replace(/response=[^,]*,/, '') },
  { name: 'no cnonce', change: (text) => text.replace(/cnonce="[^"]*",/, '') },
  { name: 'to act as somebody else', change: (text) => text.replace('authzid="bob"', 'authzid="super"') },
  { name: 'words that nobody knows', change: (text) => `${text}, x=y, x="z"`, refused: false },
  { name: 'white space', change: (text) => ` , ${text.replaceAll(',', '  ,\t')}`, refused: false },
  {
    name: 'nc, as Java’s server does not look at it',
    change: (text) => text.replace('nc=00000001', 'nc=9'),
    refused: false,
  },
];
for (const { name, change, refused } of changes) {
  test(`a response with a change is ${refused ?? 'refused'}: ${name}`, () => {
    const [server, client] = [serverOf({ bob: 'secret' }), clientOf('bob', 'secret')];
    const response = textOf(client.evaluate(server.evaluate(empty)));
    const changed = change(response);
    assert.notEqual(changed, response);
    const evaluate = () => server.evaluate(Buffer.from(changed, 'latin1'));
    if (refused === undefined) assert.throws(evaluate, SaslError);
    else assert.doesNotThrow(evaluate);
  });
}

test('a token that is too long is refused', () => {
  const server = serverOf({});
  server.evaluate(empty);
  assert.throws(() => server.evaluate(new Uint8Array(4097)), SaslError);
  assert.throws(() => clientOf('bob', 'x').evaluate(new Uint8Array(2049)), SaslError);
});

test('directives survive their quotes, and broken ones are refused', () => {
  const known = new Set(['a']);
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      const text = Buffer.from(value).toString('latin1');
      assert.equal(parseDirectives(Buffer.from(`a=${quoted(text)}`, 'latin1'), known).get('a'), text);
    }),
  );
  assert.equal(parseDirectives(Buffer.from('b=x,a'), known).get('a'), '');
  for (const broken of ['a ', 'a b', '=x', 'a=', 'a="x', 'a="x\\', 'a="x"y']) {
    assert.throws(() => parseDirectives(Buffer.from(broken), known), SaslError, broken);
  }
});
