import assert from 'node:assert/strict';
import test from 'node:test';
import { javaDate } from '../../../base/java-date.ts';
import { OpCode, Xid } from '../../jute/op-codes.ts';
import { AuthPacket } from '../../jute/proto.ts';
import { create, exists } from '../testkit/requests.ts';
import { ServerWorld } from '../testkit/server-world.ts';

async function ask(world: ServerWorld, word: string): Promise<string> {
  const client = await world.connect();
  client.word(word);
  await world.until(() => client.isClosed);
  return client.text;
}

test('only srvr is answered by default', async () => {
  const world = await ServerWorld.start({ config: { '4lw.commands.whitelist': 'srvr' } });
  assert.match(await ask(world, 'srvr'), /^Zookeeper version: 3\.9\./);
  assert.equal(await ask(world, 'ruok'), 'ruok is not executed because it is not in the whitelist.\n');
  assert.equal(await ask(world, 'stmk'), 'stmk is not executed because it is not in the whitelist.\n');
  assert.equal(await ask(world, 'mntr'), 'mntr is not executed because it is not in the whitelist.\n');
});

test('ruok, isro, crst and srst', async () => {
  const world = await ServerWorld.start();
  assert.equal(await ask(world, 'ruok'), 'imok');
  assert.equal(await ask(world, 'isro'), 'rw');
  assert.equal(await ask(world, 'crst'), 'Connection stats reset.\n');
  assert.equal(await ask(world, 'srst'), 'Server stats reset.\n');
});

test('srvr has its ten lines, and zkServer.sh finds the mode', async () => {
  const world = await ServerWorld.start();
  const client = await world.open();
  client.send(OpCode.create, create('/a').body);
  await world.until(() => client.heard.length === 1);
  const lines = (await ask(world, 'srvr')).split('\n');
  assert.match(lines[0] ?? '', /^Zookeeper version: /);
  assert.match(lines[1] ?? '', /^Latency min\/avg\/max: \d+\/\d+\.\d+\/\d+$/);
  assert.deepEqual(lines.slice(2), [
    'Received: 3',
    'Sent: 2',
    'Connections: 2',
    'Outstanding: 0',
    'Zxid: 0x2',
    'Mode: standalone',
    'Node count: 6',
    '',
  ]);
});

test('stat and cons name each client; watches and sessions are listed', async () => {
  const world = await ServerWorld.start();
  const client = await world.open();
  client.sendTogether([create('/e', '', 1), exists('/w', true)]);
  await world.until(() => client.heard.length === 2);
  const { host } = world.clients;
  assert.match(
    await ask(world, 'stat'),
    new RegExp(`\nClients:\n /${host}:\\d+\\[1\\]\\(queued=0,recved=3,sent=3\\)\n`),
  );
  const session = (client.session?.sessionId ?? 0n).toString(16);
  assert.match(
    await ask(world, 'cons'),
    new RegExp(`sid=0x${session},lop=EXIS,est=\\d+,to=10000,lcxid=0x2,lzxid=0x2,`),
  );
  assert.equal(await ask(world, 'wchs'), '1 connections watching 1 paths\nTotal watches:1\n');
  assert.equal(await ask(world, 'wchc'), `0x${session}\n\t/w\n\n`);
  assert.equal(await ask(world, 'wchp'), `/w\n\t0x${session}\n\n`);
  const dump = await ask(world, 'dump');
  assert.match(
    dump,
    new RegExp(`^SessionTracker dump:\nSession Sets \\(1\\)/\\(1\\):\n1 expire at .*:\n\t0x${session}\n`),
  );
  assert.match(dump, new RegExp(`Sessions with Ephemerals \\(1\\):\n0x${session}:\n\t/e\n`));
});

test('cons tells the last request, where pings and authentication are none', async () => {
  const world = await ServerWorld.start();
  const client = await world.open();
  const last = async (): Promise<string | undefined> =>
    /lop=.*?(?=,lzxid)/.exec(await ask(world, 'cons'))?.[0].replace(/est=\d+/, 'est=N');
  assert.equal(await last(), 'lop=SESS,est=N,to=10000,lcxid=0x0');
  client.send(OpCode.create, create('/a').body);
  await world.until(() => client.heard.length === 1);
  client.send(
    OpCode.auth,
    (to) => AuthPacket.write(to, { type: 0, scheme: 'digest', auth: Buffer.from('a:b') }),
    Xid.auth,
  );
  await world.until(() => client.heard.length === 2);
  assert.equal(await last(), 'lop=CREA,est=N,to=10000,lcxid=0x1');
  client.send(OpCode.ping, undefined, Xid.ping);
  await world.until(() => client.heard.length === 3);
  assert.equal(await last(), 'lop=PING,est=N,to=10000,lcxid=0x1');
});

test('mntr has a tab between key and value, conf says where data is', async () => {
  const world = await ServerWorld.start();
  const values = new Map((await ask(world, 'mntr')).split('\n').map((line) => line.split('\t') as [string, string]));
  assert.equal(values.get('zk_server_state'), 'standalone');
  assert.equal(values.get('zk_znode_count'), '5');
  assert.equal(values.get('zk_num_alive_connections'), '1');
  const conf = await ask(world, 'conf');
  assert.match(conf, /^clientPort=2181\nsecureClientPort=-1\ndataDir=\/data\/version-2\ndataDirSize=\d+\n/);
  assert.match(conf, /\ntickTime=1000\nmaxClientCnxns=60\nminSessionTimeout=2000\nmaxSessionTimeout=20000\n/);
});

test('dates are printed as Java prints them', () => {
  assert.equal(javaDate(0), 'Thu Jan 01 00:00:00 UTC 1970');
  assert.equal(javaDate(951_827_696_123), 'Tue Feb 29 12:34:56 UTC 2000');
  assert.equal(javaDate(1_795_449_265_000), 'Mon Nov 23 15:54:25 UTC 2026');
});

test('stmk takes eight bytes behind the word, together or byte by byte, and gtmk shows what it set', async () => {
  const world = await ServerWorld.start();
  assert.equal(await ask(world, 'gtmk'), '306');
  for (const mask of [307n, -2n]) {
    const client = await world.connect();
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(mask);
    client.word('stmk');
    if (mask > 0n) client.raw(bytes);
    else for (const byte of bytes) client.raw(Uint8Array.of(byte));
    await world.until(() => client.isClosed);
    assert.equal(client.text, String(mask));
    assert.equal(await ask(world, 'gtmk'), String(mask));
  }
});

test('what is no word of Apache’s is the length of a frame, and too long, whatever the whitelist says', async () => {
  for (const whitelist of ['*', 'srvr', 'orst']) {
    const world = await ServerWorld.start({ config: { '4lw.commands.whitelist': whitelist } });
    for (const word of ['orst', 'abcd', 'RUOK']) assert.equal(await ask(world, word), '', `${word} of ${whitelist}`);
  }
});

test('envi tells system, user and memory of the process', async () => {
  const lines = (await ask(await ServerWorld.start(), 'envi')).split('\n');
  assert.equal(lines[0], 'Environment:');
  const values = new Map(lines.slice(1, -1).map((line) => line.split('=', 2) as [string, string]));
  assert.equal(values.get('os.name'), 'Linux');
  assert.equal(values.get('user.name'), 'user');
  assert.match(values.get('os.memory.max') ?? '', /^\d+MB$/);
});
