import assert from 'node:assert/strict';
import test from 'node:test';
import { silent } from '../../runtime/log.ts';
import type { Connection } from '../../runtime/network.ts';
import { SimRandom } from '../../runtime/sim/sim-random.ts';
import { MalformedError } from '../../wire/errors.ts';
import { encodeAuthPacket } from './auth-packet.ts';
import { ElectionLink } from './election-link.ts';
import { encodeHello } from './hello.ts';
import { type AuthExchange, QuorumAuth } from './quorum-auth.ts';

const bytes = (hex: string): Uint8Array => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const textOf = (data: Uint8Array | undefined): string => Buffer.from(data ?? []).toString('latin1');
const MAGIC = '5f243501 3501edcc';

interface Side {
  readonly exchange: AuthExchange;
  /** What it has sent and nobody has taken. */
  sent: Uint8Array[];
}

function sideOf(
  kind: 'accepting' | 'connecting',
  options: { readonly password?: string; readonly serverRequires?: boolean } = {},
): Side {
  const { password = 'secret', serverRequires = true } = options;
  const auth = new QuorumAuth({
    users: new Map([['one', 'secret']]),
    username: 'one',
    password,
    serverRequires,
    learnerRequires: true,
    random: new SimRandom(kind),
    log: silent,
  });
  const sent: Uint8Array[] = [];
  const write = (buffers: readonly Uint8Array[]): boolean => {
    sent.push(...buffers);
    return true;
  };
  const exchange = auth[kind]({ write, remote: { host: '10.0.0.1', port: 2888 } });
  assert.ok(exchange !== undefined);
  return { exchange, sent };
}

/** Hands what one has sent to the other, cut into pieces of so many bytes. */
function deliver(from: Side, to: Side, size: number, behind = ''): Uint8Array | undefined {
  const stream = Buffer.concat([...from.sent.splice(0), Buffer.from(behind)]);
  for (let at = 0; at < stream.length; at += size) {
    const rest = to.exchange.take(stream.subarray(at, at + size));
    if (rest !== undefined) return Buffer.concat([rest, stream.subarray(at + size)]);
  }
  return undefined;
}

test('the packets are those of Apache', () => {
  assert.equal(
    Buffer.from(encodeAuthPacket(0, bytes('aabb'))).toString('hex'),
    '5f2435013501edcc00000000' + '00000002aabb',
  );
  const { exchange, sent } = sideOf('connecting');
  exchange.begin?.();
  assert.deepEqual(Buffer.concat(sent), bytes(`${MAGIC} 00000000 00000000`));
});

test('two servers that know the password convince each other, however the stream is cut', () => {
  for (const size of [1, 7, 10_000]) {
    const [learner, server] = [sideOf('connecting'), sideOf('accepting')];
    learner.exchange.begin?.();
    assert.equal(deliver(learner, server, size), undefined);
    assert.match(textOf(server.sent[0]), /realm="zk-quorum-sasl-md5"/);
    assert.equal(deliver(server, learner, size), undefined);
    assert.match(textOf(learner.sent[0]), /digest-uri="zookeeper-quorum\/zk-quorum-sasl-md5"/);
    assert.equal(textOf(deliver(learner, server, size, 'what follows')), 'what follows');
    assert.equal(textOf(deliver(server, learner, size, 'and here')), 'and here');
  }
});

test('who does not authenticate is refused, or passes where that may be', () => {
  const hello = 'a hello or a packet';
  assert.throws(() => sideOf('accepting').exchange.take(Buffer.from(hello)), MalformedError);
  const { exchange, sent } = sideOf('accepting', { serverRequires: false });
  assert.equal(exchange.take(Buffer.from(hello.slice(0, 3))), undefined);
  assert.equal(textOf(exchange.take(Buffer.from(hello.slice(3)))), hello);
  assert.equal(sent.length, 0);
});

test('who says nothing passes where that may be', () => {
  assert.equal(sideOf('accepting').exchange.isOptional, false);
  const { exchange } = sideOf('accepting', { serverRequires: false });
  assert.equal(exchange.isOptional, true);
  exchange.take(bytes(MAGIC));
  assert.equal(exchange.isOptional, false);
});

for (const serverRequires of [true, false]) {
  test(`a wrong password is told to the learner, and ${serverRequires ? 'refused' : 'let through'}`, () => {
    const [learner, server] = [sideOf('connecting', { password: 'guess' }), sideOf('accepting', { serverRequires })];
    learner.exchange.begin?.();
    deliver(learner, server, 100);
    deliver(server, learner, 100);
    if (serverRequires) assert.throws(() => deliver(learner, server, 1000), /authentication failed/);
    else assert.equal(textOf(deliver(learner, server, 1000, 'what follows')), 'what follows');
    assert.deepEqual(server.sent, [encodeAuthPacket(-1, bytes(''))]);
    assert.throws(() => deliver(server, learner, 100), /authentication failed: the server refuses us/);
  });
}

test('a learner believes no server that does not know the password', () => {
  const [learner, server] = [sideOf('connecting'), sideOf('accepting')];
  learner.exchange.begin?.();
  deliver(learner, server, 100);
  deliver(server, learner, 100);
  const pretended = encodeAuthPacket(1, Buffer.from(`rspauth=${'0'.repeat(32)}`));
  assert.throws(() => learner.exchange.take(pretended), /authentication failed/);
});

const hostile = [
  { name: 'success at once', kind: 'connecting', hex: `${MAGIC} 00000001 00000000` },
  { name: 'an unknown status', kind: 'connecting', hex: `${MAGIC} 00000002 00000000` },
  { name: 'no token', kind: 'connecting', hex: `${MAGIC} 00000000 ffffffff` },
  { name: 'another magic', kind: 'connecting', hex: '5f243501 3501edcd 00000000 00000000' },
  { name: 'no token', kind: 'accepting', hex: `${MAGIC} 00000000 ffffffff` },
  { name: 'a token of 4097 bytes', kind: 'accepting', hex: `${MAGIC} 00000000 00001001` },
  { name: 'no magic after the first packet', kind: 'accepting', hex: `${MAGIC} 00000000 00000000 ${'00'.repeat(8)}` },
] as const;
for (const { name, kind, hex } of hostile) {
  test(`${kind}: ${name} ends the connection`, () => {
    const { exchange } = sideOf(kind, { serverRequires: false });
    assert.throws(() => exchange.take(bytes(hex)), MalformedError);
  });
}

for (const status of [1, 2]) {
  test(`a challenge with status ${status} is refused`, () => {
    const [learner, server] = [sideOf('connecting'), sideOf('accepting')];
    learner.exchange.begin?.();
    deliver(learner, server, 100);
    const challenge = Buffer.concat(server.sent);
    challenge.writeInt32BE(status, 8);
    assert.throws(() => learner.exchange.take(challenge), /authentication failed/);
  });
}

test('an election link greets once, when the hello and the exchange are over, or with its end', () => {
  const hello = encodeHello({ server: 1, addresses: ['10.0.0.1:3888'] }, false);
  const greetings = (behind: Uint8Array, serverRequires: boolean): number => {
    let count = 0;
    const link = new ElectionLink({
      greeted: () => {
        count += 1;
        return true;
      },
      received: () => undefined,
      faulty: () => undefined,
      closed: () => undefined,
    });
    link.attach({ destroy: () => undefined } as Connection, sideOf('accepting', { serverRequires }).exchange);
    link.data(Buffer.concat([hello, behind]));
    link.closed();
    return count;
  };
  const message = bytes('00000004 00000000');
  assert.equal(greetings(message, false), 1);
  assert.equal(greetings(bytes(''), false), 1);
  assert.equal(greetings(message, true), 0);
  assert.equal(greetings(bytes(''), true), 0);
});
