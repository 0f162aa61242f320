/** What no client should send, to Apache's server and to ours: the same answer, or the same end of the connection. */
import assert from 'node:assert/strict';
import { createConnection } from 'node:net';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { zooCfg } from '../../src/config/zoo-cfg.ts';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { SimRandom } from '../../src/runtime/sim/sim-random.ts';
import { startZookeeper } from '../../src/zookeeper/ensemble/start-zookeeper.ts';
import { ErrorCode } from '../../src/zookeeper/jute/errors.ts';
import { OpCode, opCodeName } from '../../src/zookeeper/jute/op-codes.ts';
import { hostileOpCodes, hostileRequest } from '../../src/zookeeper/server/testkit/hostile-frames.ts';
import { RawClient } from '../../src/zookeeper/server/testkit/raw-client.ts';
import { exists } from '../../src/zookeeper/server/testkit/requests.ts';
import { startApacheZookeeper } from './peers/apache-zookeeper.ts';
import { until } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';

const ROUNDS = 12;
const LAST = 999_999;
const FAST = { everyMs: 0.5, timeoutMs: 60_000 } as const;

const runtime = nodeRuntime({ logLevel: 'off' });
const keys = { extendedTypesEnabled: 'true', maxClientCnxns: 0, tickTime: 2000 } as const;
const properties = { 'znode.container.checkIntervalMs': '3600000' };

function framed(body: Uint8Array): Uint8Array {
  const size = Buffer.alloc(4);
  size.writeInt32BE(body.length);
  return Buffer.concat([size, body]);
}

async function connect(port: number): Promise<RawClient> {
  const client = new RawClient(runtime, { host: '127.0.0.1', port });
  await until('connection', () => client.isConnected || client.isClosed || undefined, FAST);
  return client;
}

/**
 * Apache takes these from a client, though only a server should make them: a createSession answers with a ConnectResponse in the
 * middle of a session, a deleteContainer asks for no permission. Ours knows neither.
 */
const onlyOfServers: readonly number[] = [OpCode.createSession, OpCode.deleteContainer];

/** What a session hears that sends these bytes, then one more request. Times and zxids are compared elsewhere. */
async function heardAfter(port: number, { type, bytes }: Hostile): Promise<unknown> {
  const client = await connect(port);
  client.hello({ timeOut: 20_000 });
  await until('session', () => client.session ?? (client.isClosed || undefined), FAST);
  client.raw(bytes);
  client.send(OpCode.exists, exists('/').body, LAST);
  await until('the last answer', () => client.reply(LAST) !== undefined || client.isClosed || undefined, FAST);
  // Who is told good-bye may get one more answer, if the end is slow.
  const isEnding = type === OpCode.closeSession || client.heard.some(({ err }) => err === ErrorCode.UNIMPLEMENTED);
  if (isEnding) await until('the end', () => client.isClosed || undefined, FAST);
  const replies = client.heard
    .filter(({ xid }) => !isEnding || xid !== LAST)
    .map(({ xid, err, body }) => ({ xid, err, size: body.length }));
  const goesOn = !client.isClosed;
  client.connection.destroy();
  return { replies, goesOn };
}

interface Hostile {
  readonly name: string;
  readonly type: number;
  readonly bytes: Uint8Array;
}

function draw(): Hostile[] {
  const random = new SimRandom('hostile interop');
  const types = hostileOpCodes.filter((type) => !onlyOfServers.includes(type));
  return types.flatMap((type) =>
    Array.from({ length: ROUNDS }, (_, round) => {
      const body = hostileRequest(random, type, 1000 + round);
      const name = `${opCodeName(type)} ${round}: ${Buffer.from(body).toString('hex')}`;
      return { name, type, bytes: framed(body) };
    }),
  );
}

test('spoiled requests are answered, or end their connection, as with Apache 3.9.4', async (t) => {
  const apache = await startApacheZookeeper({ version: '3.9.4', dataDir: tempDir(), config: keys, properties });
  t.after(() => apache.stop());
  const ours = await startZookeeper(
    runtime,
    zooCfg({ dataDir: tempDir(), clientPort: 0, clientPortAddress: '127.0.0.1', ...keys }, properties),
  );
  t.after(() => ours.close());
  for (const hostile of draw()) {
    const theirs = await heardAfter(apache.port, hostile);
    assert.deepEqual(await heardAfter(ours.clientAddress.port, hostile), theirs, hostile.name);
  }
});

interface Greeted {
  readonly passwdLength: number;
  /** Bytes behind that length, the read-only flag among them. */
  readonly rest: number;
  readonly sessionId: bigint;
}

function* greetings(): Generator<Greeted> {
  for (const sessionId of [0n, 5n]) {
    for (const passwdLength of [-1, -2, -0x8000_0000, 0, 15, 16, 17, 0x7fff_ffff]) {
      for (const rest of [0, 16, 17]) yield { passwdLength, rest, sessionId };
    }
  }
}

/** Head of the answer: its size, version and timeout; or that the connection ends without one. */
async function answerTo(port: number, { passwdLength, rest, sessionId }: Greeted): Promise<string> {
  const body = Buffer.alloc(28 + rest);
  body.writeInt32BE(10_000, 12);
  body.writeBigInt64BE(sessionId, 16);
  body.writeInt32BE(passwdLength, 24);
  return (await said(port, framed(body))).subarray(0, 12).toString('hex');
}

/** Until there is an answer, or the end. */
function said(port: number, bytes: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ port, host: '127.0.0.1' }, () => socket.write(bytes));
    const settle = (answer: Buffer): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('data', settle);
    socket.on('end', () => settle(Buffer.alloc(0)));
    socket.on('error', reject);
  });
}

test('ConnectRequests with a password of any length are answered, or end their connection, as with Apache 3.9.4', async (t) => {
  const apache = await startApacheZookeeper({ version: '3.9.4', dataDir: tempDir(), config: keys, properties });
  t.after(() => apache.stop());
  const config = { dataDir: tempDir(), clientPort: 0, clientPortAddress: '127.0.0.1', ...keys };
  const ours = await startZookeeper(runtime, zooCfg(config, properties));
  t.after(() => ours.close());
  for (const greeted of greetings()) {
    const theirs = await answerTo(apache.port, greeted);
    assert.equal(await answerTo(ours.clientAddress.port, greeted), theirs, inspect(greeted));
  }
});

test('four letters that are no word, or no allowed one, are answered as with Apache 3.9.4', async (t) => {
  const whitelist = { ...keys, '4lw.commands.whitelist': 'conf, ruok,nope' };
  const apache = await startApacheZookeeper({ version: '3.9.4', dataDir: tempDir(), config: whitelist });
  t.after(() => apache.stop());
  const config = { dataDir: tempDir(), clientPort: 0, clientPortAddress: '127.0.0.1', ...whitelist };
  const ours = await startZookeeper(runtime, zooCfg(config));
  t.after(() => ours.close());
  for (const word of [
    'orst',
    'nope',
    'RUOK',
    'kill',
    'ruok',
    'ruok\n',
    'isro',
    'stmk',
    'gtmk',
    'wchs',
    'hash',
    'dump',
  ]) {
    const bytes = Buffer.from(word);
    assert.equal(String(await said(ours.clientAddress.port, bytes)), String(await said(apache.port, bytes)), word);
  }
});

test('a frame may be as long as jute.maxbuffer says, and no longer, as with Apache 3.9.4', async (t) => {
  const limits = { ...properties, 'jute.maxbuffer': '5000' };
  const apache = await startApacheZookeeper({ version: '3.9.4', dataDir: tempDir(), config: keys, properties: limits });
  t.after(() => apache.stop());
  const config = { dataDir: tempDir(), clientPort: 0, clientPortAddress: '127.0.0.1', ...keys };
  const ours = await startZookeeper(runtime, zooCfg(config, limits));
  t.after(() => ours.close());
  for (const size of [4999, 5000, 5001, -1, 0, 7]) {
    const bytes = Buffer.alloc(4 + Math.max(size, 8));
    bytes.writeInt32BE(size);
    bytes.writeInt32BE(77, 4);
    if (bytes.length >= 12) bytes.writeInt32BE(OpCode.whoAmI, 8);
    const hostile = { name: String(size), type: OpCode.whoAmI, bytes: bytes.subarray(0, 4 + Math.max(size, 0)) };
    const theirs = await heardAfter(apache.port, hostile);
    assert.deepEqual(await heardAfter(ours.clientAddress.port, hostile), theirs, `${size} bytes`);
  }
});

test('one connection too many, from one address or in all, is closed as Apache 3.9.4 does', async (t) => {
  const limits: readonly Readonly<Record<string, number>>[] = [{ maxClientCnxns: 2 }, { maxCnxns: 2 }];
  for (const limit of limits) {
    // A four-letter word that asks whether Apache has started is a connection too, and gone by then.
    const apache = await startApacheZookeeper({ version: '3.9.4', dataDir: tempDir(), config: { ...keys, ...limit } });
    t.after(() => apache.stop());
    const config = { dataDir: tempDir(), clientPort: 0, clientPortAddress: '127.0.0.1', ...keys, ...limit };
    const ours = await startZookeeper(runtime, zooCfg(config));
    t.after(() => ours.close());
    for (const port of [apache.port, ours.clientAddress.port]) {
      const welcome = [await opened(port), await opened(port)];
      assert.deepEqual(
        welcome.map((client) => client.session !== undefined),
        [true, true],
      );
      assert.equal((await opened(port)).session, undefined);
      welcome[0]!.connection.destroy();
      const another = await until('room again', async () => {
        const client = await opened(port);
        return client.session === undefined ? undefined : client;
      });
      for (const client of [welcome[1]!, another]) client.connection.destroy();
    }
  }
});

async function opened(port: number): Promise<RawClient> {
  const client = await connect(port);
  client.hello({ timeOut: 20_000 });
  await until('session or end', () => client.session ?? (client.isClosed || undefined), FAST);
  return client;
}
