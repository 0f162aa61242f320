import assert from 'node:assert/strict';
import test from 'node:test';
import { Reader } from '../../wire/reader.ts';
import { ErrorCode } from '../jute/errors.ts';
import { OpCode, Xid } from '../jute/op-codes.ts';
import { AddWatchRequest, AuthPacket, GetDataResponse, WhoAmIResponse } from '../jute/proto.ts';
import { helloFrame, requestFrame } from './testkit/raw-client.ts';
import { create, exists, getData, setData } from './testkit/requests.ts';
import { ServerWorld } from './testkit/server-world.ts';

test('a frame that is too long, negative or no request closes its connection with one line in the log', async () => {
  const world = await ServerWorld.start();
  const frames = ['7fffffff', 'ffffffff', '0000000400000001', '00100000'];
  for (const frame of frames) {
    const client = await world.open();
    const before = world.logged.length;
    client.raw(Buffer.from(frame, 'hex'));
    await world.until(() => client.isClosed);
    const lines = world.logged.slice(before).filter((line) => line.includes('bad frame'));
    assert.equal(lines.length, 1, frame);
  }
  assert.equal(world.server.state, 'serving');
});

test('a garbled ConnectRequest closes the connection, at whatever byte it is cut', async () => {
  const world = await ServerWorld.start();
  for (const bytes of ['GET / HTTP/1.1\r\n\r\n', '\0\0\0\u0003abc', '\0\0\0\0']) {
    const client = await world.connect();
    client.raw(Buffer.from(bytes, 'latin1'));
    await world.until(() => client.isClosed);
  }
});

test('frames may arrive byte by byte, or many at once', async () => {
  const world = await ServerWorld.start();
  const [creating, reading] = [create('/a', 'data'), getData('/a')];
  const bytes = Buffer.concat([
    helloFrame(),
    requestFrame(1, creating.type, creating.body),
    requestFrame(2, reading.type, reading.body),
  ]);
  const slow = await world.connect();
  for (const byte of bytes) {
    slow.connection.write([Uint8Array.of(byte)]);
    await world.sim.runFor(2);
  }
  await world.until(() => slow.heard.length === 2);
  const fast = await world.connect();
  fast.connection.write([bytes]);
  await world.until(() => fast.heard.length === 2);
  assert.deepEqual(
    slow.heard.map(({ err }) => err),
    [0, 0],
  );
  assert.deepEqual(
    fast.heard.map(({ err }) => err),
    [ErrorCode.NODEEXISTS, 0],
  );
});

test('what one read event brought is answered with one write', async () => {
  const world = await ServerWorld.start();
  const client = await world.open();
  let chunks = 0;
  const before = client.heard.length;
  client.sendTogether(Array.from({ length: 50 }, () => exists('/')));
  while (client.heard.length < before + 50) {
    const heard = client.heard.length;
    await world.until(() => client.heard.length > heard);
    chunks += 1;
  }
  assert.equal(chunks, 1);
});

test('maxClientCnxns refuses one connection too many from an address, and takes the next once one has gone', async () => {
  const world = await ServerWorld.start({ config: { maxClientCnxns: 2 } });
  const first = await world.open();
  await world.open();
  const refused = await world.connect();
  await world.until(() => refused.isClosed);
  assert.ok(world.logged.some((line) => line.includes('Too many connections from /') && line.includes('max is 2')));
  first.connection.destroy();
  await world.sim.runFor(100);
  await world.open();
});

test('maxCnxns refuses one connection too many from anywhere', async () => {
  const world = await ServerWorld.start({ config: { maxCnxns: 1 } });
  const first = await world.open();
  const refused = await world.connect();
  await world.until(() => refused.isClosed);
  assert.ok(world.logged.some((line) => line.includes('Too many connections - max is 1')));
  first.connection.destroy();
  await world.sim.runFor(100);
  await world.open();
});

test('a client that does not read is not read either, and costs bounded memory', async () => {
  const world = await ServerWorld.start();
  const client = await world.open({ timeOut: 20_000 });
  client.send(OpCode.create, create('/big', 'x'.repeat(500_000)).body);
  await world.until(() => client.heard.length === 1);
  client.connection.pause();
  let sent = 0;
  for (; sent < 100; sent += 1) client.send(OpCode.getData, getData('/big').body);
  await world.sim.runFor(5000);
  const [connection] = world.server.view.connections;
  assert.ok(connection !== undefined);
  assert.ok(connection.unsentBytes < 8 * 1024 * 1024, `${connection.unsentBytes} bytes wait`);
  client.connection.resume();
  await world.until(() => client.heard.length === sent + 1, 60_000);
});

test('above globalOutstandingLimit a connection with requests under way is not read, and all is answered in the end', async () => {
  const world = await ServerWorld.start({ config: { globalOutstandingLimit: 10 } });
  const client = await world.open();
  let most = 0;
  world.sim.invariant('outstanding requests are bounded', () => {
    most = Math.max(most, world.server.view.outstandingCount);
  });
  const requests = [];
  for (let index = 0; index < 300; index += 1)
    requests.push(create(`/n${index}`), setData(`/n${index}`, 'x'), getData(`/n${index}`));
  const xids = client.sendTogether(requests);
  await world.until(() => client.heard.length === xids.length);
  assert.deepEqual(
    client.heard.map(({ xid }) => xid),
    xids,
  );
  assert.ok(most <= 10 && most > 5, `${most} at once`);
});

test('a session that we do not read because of our own limit does not expire', async () => {
  const world = await ServerWorld.start({ config: { globalOutstandingLimit: 1, tickTime: 10 } });
  const client = await world.open({ timeOut: 20 });
  client.sendTogether(Array.from({ length: 400 }, (_, index) => create(`/n${index}`)));
  await world.until(() => client.heard.length === 400, 120_000);
  assert.equal(client.isClosed, false);
});

test('digest credentials open what their ACL guards, bad ones end the connection', async () => {
  const world = await ServerWorld.start();
  const owner = await world.open();
  const auth = (scheme: string, credentials: string) => (to: Parameters<typeof AuthPacket.write>[0]) =>
    AuthPacket.write(to, { type: 0, scheme, auth: Buffer.from(credentials) });
  owner.send(OpCode.auth, auth('digest', 'bob:bobsecret'), Xid.auth);
  owner.send(OpCode.create, create('/guarded', 'secret').body);
  const acl = owner.send(OpCode.setACL, (to) => {
    to.bytes(Buffer.concat([Buffer.from([0, 0, 0, 8]), Buffer.from('/guarded')]));
    to.bytes(Buffer.from('000000010000001f0000000461757468' + '00000000' + 'ffffffff', 'hex'));
  });
  await world.until(() => owner.reply(acl) !== undefined);
  assert.equal(owner.reply(acl)?.err, 0);
  assert.equal(owner.reply(Xid.auth)?.err, 0);
  assert.equal(owner.reply(Xid.auth)?.zxid, 0n);

  const stranger = await world.open();
  const [read, write, look] = stranger.sendTogether([
    getData('/guarded'),
    setData('/guarded', 'x'),
    exists('/guarded'),
  ]);
  await world.until(() => stranger.heard.length === 3);
  for (const xid of [read, write, look]) assert.equal(stranger.reply(xid ?? 0)?.err, ErrorCode.NOAUTH);
  stranger.send(OpCode.auth, auth('digest', 'bob:bobsecret'), Xid.auth);
  const again = stranger.send(OpCode.getData, getData('/guarded').body);
  await world.until(() => stranger.reply(again) !== undefined);
  assert.equal(stranger.reply(again)?.err, 0);
  const who = stranger.send(OpCode.whoAmI);
  await world.until(() => stranger.reply(who) !== undefined);
  assert.deepEqual(
    WhoAmIResponse.read(new Reader(stranger.reply(who)?.body ?? new Uint8Array(0))).clientInfo?.map(({ user }) => user),
    [world.clients.host, 'bob'],
  );
  const failing = await world.open();
  failing.send(OpCode.auth, auth('kerberos', 'x'), Xid.auth);
  await world.until(() => failing.isClosed);
  assert.equal(failing.reply(Xid.auth)?.err, ErrorCode.AUTHFAILED);
  const nameless = await world.open();
  nameless.send(
    OpCode.auth,
    (to) => {
      for (const number of [0, -1, -1]) to.int32(number);
    },
    Xid.auth,
  );
  await world.until(() => nameless.isClosed);
  assert.equal(nameless.reply(Xid.auth)?.err, ErrorCode.AUTHFAILED);
});

test('an auth entry needs no id: kazoo sends null', async () => {
  const world = await ServerWorld.start();
  const client = await world.open();
  const bob = Buffer.from('bob:bobsecret');
  client.send(OpCode.auth, (to) => AuthPacket.write(to, { type: 0, scheme: 'digest', auth: bob }), Xid.auth);
  const entryOf = (scheme: string) => (to: Parameters<typeof AuthPacket.write>[0]) => {
    const path = `/${scheme}`;
    to.int32(path.length);
    to.utf8(path);
    for (const number of [-1, 1, 31, scheme.length]) to.int32(number);
    to.utf8(scheme);
    for (const number of [-1, 0]) to.int32(number);
  };
  const xids = ['auth', 'digest'].map((scheme) => client.send(OpCode.create, entryOf(scheme)));
  await world.until(() => xids.every((xid) => client.reply(xid) !== undefined));
  assert.deepEqual(
    xids.map((xid) => client.reply(xid)?.err),
    [0, ErrorCode.MARSHALLINGERROR],
  );
});

test('who may not read a node is not told of it by a watch', async () => {
  const world = await ServerWorld.start();
  const stranger = await world.open();
  stranger.sendTogether([exists('/secret', true), exists('/open', true)]);
  await world.until(() => stranger.heard.length === 2);
  const owner = world.client({ auth: [{ scheme: 'digest', auth: 'bob:bobsecret' }] });
  await world.complete(owner.create('/secret', 'x', { acl: [{ perms: 31, id: { scheme: 'auth', id: '' } }] }));
  await world.complete(owner.create('/open', 'x'));
  await world.until(() => stranger.events.length > 0);
  assert.deepEqual(
    stranger.events.map(({ path }) => path),
    ['/open'],
  );
});

test('the super digest bypasses every ACL', async () => {
  const world = await ServerWorld.start({
    config: { 'DigestAuthenticationProvider.superDigest': 'super:D/InIHSb7yEEbrWz8b9l71RjZJU=' },
  });
  const client = await world.open();
  client.send(
    OpCode.auth,
    (to) => AuthPacket.write(to, { type: 0, scheme: 'digest', auth: Buffer.from('super:test') }),
    Xid.auth,
  );
  const xid = client.send(OpCode.setData, setData('/zookeeper/config', 'x').body);
  await world.until(() => client.reply(xid) !== undefined);
  assert.equal(client.reply(xid)?.err, 0);
});

test('a large value comes back whole', async () => {
  const world = await ServerWorld.start();
  const client = await world.open();
  const value = 'y'.repeat(1_000_000);
  const [, read] = client.sendTogether([create('/big', value), getData('/big')]);
  await world.until(() => client.reply(read ?? 0) !== undefined);
  const { data } = GetDataResponse.read(new Reader(client.reply(read ?? 0)?.body ?? new Uint8Array(0)));
  assert.equal(Buffer.from(data ?? []).toString(), value);
});

test('a client that never reads what its watches tell it is cut off before that fills the memory, and delays nobody', async () => {
  const world = await ServerWorld.start();
  const long = `/${'n'.repeat(30_000)}`;
  const [silent, busy] = [await world.open({ timeOut: 20_000 }), await world.open({ timeOut: 20_000 })];
  const first = busy.send(OpCode.create, create(long).body);
  await world.until(() => busy.reply(first)?.err === 0);
  const watch = silent.send(OpCode.addWatch, (to) => AddWatchRequest.write(to, { path: long, mode: 0 }));
  // One-shot watches beside it: what they cost is bounded by their number.
  silent.sendTogether(Array.from({ length: 10_000 }, (_, index) => exists(`/later-${index}`, true)));
  await world.until(() => silent.reply(watch) !== undefined && silent.heard.length === 10_001, 60_000);
  silent.connection.pause();
  const held = () => [...world.server.view.connections].reduce((sum, { unsentBytes }) => sum + unsentBytes, 0);
  let most = 0;
  let slowestMs = 0;
  while (world.server.view.connections.size === 2) {
    const beganMs = world.sim.nowMs;
    const xids = busy.sendTogether(Array.from({ length: 100 }, () => setData(long, 'x')));
    await world.until(() => busy.reply(xids.at(-1)!) !== undefined);
    slowestMs = Math.max(slowestMs, world.sim.nowMs - beganMs);
    most = Math.max(most, held());
    busy.heard.length = 0;
  }
  assert.ok(most > 16 * 1024 * 1024 && most < 80 * 1024 * 1024, `${most} bytes were held`);
  assert.ok(slowestMs < 1000, `${slowestMs} ms`);
  assert.ok(world.logged.some((line) => line.includes('closing a client that does not read')));
  await world.until(() => held() === 0);
  assert.equal(world.server.view.tree.watches.size, 0);
});
