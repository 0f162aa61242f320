import assert from 'node:assert/strict';
import test from 'node:test';
import { OpCode, Xid } from '../jute/op-codes.ts';
import { sessionPassword } from './session-identity.ts';
import { create, exists, getData } from './testkit/requests.ts';
import { ServerWorld } from './testkit/server-world.ts';

const EPHEMERAL = 1;

test('a session gets an id, its password and a timeout within the limits', async () => {
  const world = await ServerWorld.start();
  const short = await world.open({ timeOut: 1 });
  const long = await world.open({ timeOut: 10_000_000 });
  assert.equal(short.session?.timeOut, 2000);
  assert.equal(long.session?.timeOut, 20_000);
  const id = short.session?.sessionId ?? 0n;
  assert.equal(id >> 56n, 1n);
  assert.deepEqual(Buffer.from(short.session?.passwd ?? []), Buffer.from(sessionPassword(id)));
  assert.equal(short.session?.readOnly, false);
});

test('a client that sends no readOnly byte gets none', async () => {
  const world = await ServerWorld.start();
  const client = await world.open({ readOnly: undefined });
  assert.equal(client.session?.readOnly, undefined);
});

test('a silent session expires between its timeout and a tick later, and its ephemerals go in one transaction', async () => {
  const world = await ServerWorld.start();
  const watching = await world.open({ timeOut: 20_000 });
  const silent = await world.open({ timeOut: 4000 });
  silent.sendTogether([create('/a', '', EPHEMERAL), create('/b', '', EPHEMERAL)]);
  await world.until(() => silent.heard.length === 2);
  const createdMs = world.sim.nowMs;
  watching.sendTogether([exists('/a', true), exists('/b', true)]);
  await world.until(() => watching.heard.length === 2);
  await world.until(() => watching.events.length > 0);
  const tookMs = world.sim.nowMs - createdMs;
  assert.ok(tookMs > 3990 && tookMs < 5100, `expired after ${tookMs} ms`);
  await world.until(() => watching.events.length === 2);
  const [first, second] = watching.events;
  assert.equal(first?.zxid, second?.zxid, 'one transaction');
  await world.until(() => silent.isClosed);
  assert.equal(world.server.view.sessions.size, 1);
});

test('any request keeps a session alive, a ping too', async () => {
  const world = await ServerWorld.start();
  const client = await world.open({ timeOut: 4000 });
  for (let round = 0; round < 10; round += 1) {
    await world.sim.runFor(3000);
    client.send(OpCode.ping, undefined, Xid.ping);
  }
  await world.sim.runFor(1000);
  assert.equal(client.isClosed, false);
  assert.equal(client.heard.length, 10);
});

test('a stalled server does not expire sessions whose pings wait in the kernel', async () => {
  const world = await ServerWorld.start();
  const client = await world.open({ timeOut: 4000 });
  const silent = await world.open({ timeOut: 4000 });
  world.machine.stall(60_000);
  for (let round = 0; round < 20; round += 1) {
    client.send(OpCode.ping, undefined, Xid.ping);
    await world.sim.runFor(3000);
  }
  await world.sim.runFor(3000);
  assert.equal(client.isClosed, false, 'the client that pinged lives');
  assert.equal(client.heard.length, 20);
  assert.equal(silent.isClosed, true, 'the silent one has expired');
});

test('a session is resumed with its password, with ephemerals, and the old connection is closed', async () => {
  const world = await ServerWorld.start();
  const first = await world.open();
  first.send(OpCode.create, create('/mine', 'x', EPHEMERAL).body);
  await world.until(() => first.heard.length === 1);
  const { sessionId = 0n, passwd } = first.session ?? {};
  const second = await world.open({ sessionId, passwd: passwd ?? new Uint8Array(16) });
  assert.equal(second.session?.sessionId, sessionId);
  await world.until(() => first.isClosed);
  second.send(OpCode.getData, getData('/mine').body);
  await world.until(() => second.heard.length === 1);
  assert.equal(second.heard[0]?.err, 0);
});

test('a wrong password is told "no such session", and the holder of the session is not disturbed', async () => {
  const world = await ServerWorld.start();
  const owner = await world.open();
  const thief = await world.open({ sessionId: owner.session?.sessionId ?? 0n, passwd: new Uint8Array(16) });
  assert.equal(thief.session?.timeOut, 0);
  assert.equal(thief.session?.sessionId, 0n);
  await world.until(() => thief.isClosed);
  assert.equal(owner.isClosed, false);
});

test('a session survives a restart of the server and expires if nobody comes back', async () => {
  const world = await ServerWorld.start();
  const client = await world.open({ timeOut: 4000 });
  client.send(OpCode.create, create('/e', 'x', EPHEMERAL).body);
  await world.until(() => client.heard.length === 1);
  await world.crash('power');
  assert.equal(world.server.view.tree.ephemeralsCount, 1);
  await world.sim.runFor(3500);
  assert.equal(world.server.view.sessions.size, 1);
  await world.sim.runFor(2500);
  assert.equal(world.server.view.sessions.size, 0);
  assert.equal(world.server.view.tree.ephemeralsCount, 0);
});

test('closeSession takes the ephemerals along, is answered, and closes the connection', async () => {
  const world = await ServerWorld.start();
  const client = await world.open();
  client.send(OpCode.create, create('/e', 'x', EPHEMERAL).body);
  const xid = client.send(OpCode.closeSession);
  await world.until(() => client.isClosed);
  assert.equal(client.reply(xid)?.err, 0);
  assert.equal(world.server.view.tree.ephemeralsCount, 0);
  const late = await world.open({
    sessionId: client.session?.sessionId ?? 0n,
    passwd: client.session?.passwd ?? new Uint8Array(),
  });
  assert.equal(late.session?.timeOut, 0);
});

test('a client that has seen a later zxid is sent away without an answer', async () => {
  const world = await ServerWorld.start();
  const client = await world.connect();
  client.hello({ lastZxidSeen: 0x100n });
  await world.until(() => client.isClosed);
  assert.equal(client.session, undefined);
});

test('a connection without a session is dropped after a while', async () => {
  const world = await ServerWorld.start();
  const client = await world.connect();
  await world.sim.runFor(9000);
  assert.equal(client.isClosed, false);
  await world.sim.runFor(2000);
  assert.equal(client.isClosed, true);
});
