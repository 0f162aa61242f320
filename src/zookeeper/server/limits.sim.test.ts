import assert from 'node:assert/strict';
import test from 'node:test';
import { ConfigError } from '../../config/config-error.ts';
import { zooCfg } from '../../config/zoo-cfg.ts';
import { SimRandom } from '../../runtime/sim/sim-random.ts';
import { Simulation } from '../../runtime/sim/simulation.ts';
import { ErrorCode } from '../jute/errors.ts';
import { OpCode, Xid } from '../jute/op-codes.ts';
import { ConnectionThrottle } from './connection-throttle.ts';
import type { ServingServer } from './serving-server.ts';
import type { RawClient } from './testkit/raw-client.ts';
import { create, exists, getData } from './testkit/requests.ts';
import { ServerWorld } from './testkit/server-world.ts';

/** Writes stay in progress for so long. */
const FLUSH_MS = 300;

async function throttled(keys: Readonly<Record<string, string | number | boolean>>): Promise<ServerWorld> {
  return ServerWorld.start({ config: { flushDelay: FLUSH_MS, request_throttle_max_requests: 2, ...keys } });
}

const statsOf = (world: ServerWorld) => world.server.view.stats;

function sendTwoWrites(client: RawClient): number[] {
  return client.sendTogether([create('/one'), create('/two')]);
}

test('above request_throttle_max_requests all wait their turn, also who has nothing in progress, and nothing changes its order', async () => {
  const world = await throttled({});
  const [writer, reader] = [await world.open(), await world.open()];
  const writes = sendTwoWrites(writer);
  await world.sim.runFor(20);
  const [read, second] = reader.sendTogether([exists('/one'), create('/three')]);
  writes.push(...writer.sendTogether([exists('/three'), create('/four')]));
  await world.sim.runFor(100);
  assert.equal(reader.heard.length, 0);
  assert.ok(statsOf(world).requestThrottleWaitCount > 0);
  await world.until(() => reader.reply(second!) !== undefined && writer.heard.length === 4);
  assert.equal(reader.reply(read!)?.err, 0);
  assert.deepEqual(
    writer.heard.map(({ xid }) => xid),
    writes,
  );
  assert.equal(world.server.view.outstandingCount, 0);
});

test('without that key a reader is answered at once, and nothing is made for limits that are not set', async () => {
  const world = await ServerWorld.start({ config: { flushDelay: FLUSH_MS } });
  const [writer, reader] = [await world.open(), await world.open()];
  sendTwoWrites(writer);
  await world.sim.runFor(20);
  const read = reader.send(OpCode.exists, exists('/').body);
  await world.until(() => reader.reply(read) !== undefined, 50);
  const { throttler, largeRequests, connectionThrottle } = world.server as ServingServer;
  assert.deepEqual([throttler, largeRequests, connectionThrottle], [undefined, undefined, undefined]);
});

test('a request whose connection has gone while it waited is dropped, unless request_throttle_drop_stale says no', async () => {
  for (const [drop, expected] of [
    [true, { dropped: 1, stale: 0 }],
    [false, { dropped: 0, stale: 1 }],
  ] as const) {
    const world = await throttled({ request_throttle_drop_stale: drop });
    const [writer, leaving] = [await world.open(), await world.open()];
    const [, second] = sendTwoWrites(writer);
    await world.sim.runFor(20);
    leaving.send(OpCode.create, create('/late').body);
    await world.sim.runFor(20);
    leaving.connection.destroy();
    await world.until(() => writer.reply(second!) !== undefined);
    await world.sim.runFor(200);
    const { staleRequestsDropped, staleRequests } = statsOf(world);
    assert.deepEqual({ dropped: staleRequestsDropped, stale: staleRequests }, expected);
    assert.equal(world.server.view.tree.find('/late'), -1);
  }
});

test('a session whose end was asked for ends, although its connection has gone while that waited', async () => {
  const world = await throttled({});
  const [writer, leaving] = [await world.open(), await world.open()];
  sendTwoWrites(writer);
  await world.sim.runFor(20);
  leaving.send(OpCode.closeSession);
  await world.sim.runFor(20);
  leaving.connection.destroy();
  await world.until(() => world.server.view.sessions.size === 1, 2000);
});

test('with request_stale_latency_check a request older than its session timeout is dropped, and its connection ends', async () => {
  const world = await throttled({ request_stale_latency_check: true, minSessionTimeout: 50 });
  const [writer, impatient] = [await world.open(), await world.open({ timeOut: 50 })];
  sendTwoWrites(writer);
  await world.sim.runFor(20);
  impatient.send(OpCode.exists, exists('/').body);
  await world.until(() => impatient.isClosed);
  assert.equal(impatient.heard.length, 0);
  assert.equal(statsOf(world).staleRequestsDropped, 1);
});

test('who waited longer than throttled_op_wait_time is answered with ThrottledOp in his place, a ping is not', async () => {
  const world = await throttled({ throttled_op_wait_time: 100 });
  const [writer, waiting] = [await world.open(), await world.open()];
  sendTwoWrites(writer);
  await world.sim.runFor(20);
  const [read, write] = waiting.sendTogether([getData('/one'), create('/late')]);
  const ping = waiting.send(OpCode.ping, () => undefined, Xid.ping);
  await world.until(() => waiting.heard.length === 3);
  assert.deepEqual(
    waiting.heard.map(({ xid, err }) => ({ xid, err })),
    [
      { xid: read, err: ErrorCode.THROTTLEDOP },
      { xid: write, err: ErrorCode.THROTTLEDOP },
      { xid: ping, err: 0 },
    ],
  );
  assert.equal(statsOf(world).throttledOps, 2);
  assert.equal(world.server.view.tree.find('/late'), -1);
});

test('a ThrottledOp comes after the answers to what was sent before it', async () => {
  const world = await throttled({ throttled_op_wait_time: 100, request_throttle_max_requests: 1 });
  const client = await world.open();
  const xids = client.sendTogether([create('/a'), exists('/a'), create('/b')]);
  await world.until(() => client.heard.length === 3);
  assert.deepEqual(
    client.heard.map(({ xid, err }) => ({ xid, err })),
    [
      { xid: xids[0], err: 0 },
      { xid: xids[1], err: ErrorCode.THROTTLEDOP },
      { xid: xids[2], err: ErrorCode.THROTTLEDOP },
    ],
  );
});

test('who waits for the throttler is not read without end', async () => {
  const world = await throttled({ globalOutstandingLimit: 10 });
  const [writer, client] = [await world.open(), await world.open()];
  sendTwoWrites(writer);
  await world.sim.runFor(20);
  client.sendTogether(Array.from({ length: 200 }, (_, index) => create(`/n${index}`)));
  let most = 0;
  world.sim.invariant('the queue is bounded', () => {
    most = Math.max(most, (world.server as ServingServer).throttler?.size ?? 0);
  });
  await world.until(() => client.heard.length === 200, 120_000);
  assert.ok(most <= 10, `${most}`);
});

test('an answer for which nobody is there is counted', async () => {
  const world = await ServerWorld.start({ config: { flushDelay: FLUSH_MS } });
  const client = await world.open();
  client.send(OpCode.create, create('/a').body);
  await world.sim.runFor(20);
  client.connection.destroy();
  await world.until(() => statsOf(world).staleReplies === 1);
  assert.notEqual(world.server.view.tree.find('/a'), -1);
});

test('large requests beyond largeRequestMaxBytes are rejected with their connection, until there is room again', async () => {
  const world = await ServerWorld.start({
    config: { flushDelay: FLUSH_MS, largeRequestThreshold: 1000, largeRequestMaxBytes: 5000 },
  });
  const [first, second, third] = [await world.open(), await world.open(), await world.open()];
  const value = 'x'.repeat(3000);
  const kept = first.send(OpCode.create, create('/a', value).body);
  await world.sim.runFor(20);
  second.send(OpCode.create, create('/b', value).body);
  const small = third.send(OpCode.create, create('/c', 'x'.repeat(800)).body);
  await world.until(() => second.isClosed);
  assert.equal(statsOf(world).largeRequestsRejected, 1);
  await world.until(() => first.reply(kept) !== undefined && third.reply(small) !== undefined);
  assert.equal((world.server as ServingServer).largeRequests?.bytes, 0);
  const later = third.send(OpCode.create, create('/b', value).body);
  await world.until(() => third.reply(later)?.err === 0);
});

test('a large request is rejected when its length is known, before its bytes are there', async () => {
  const world = await ServerWorld.start({ config: { largeRequestThreshold: 1000, largeRequestMaxBytes: 5000 } });
  const client = await world.open();
  client.raw(Buffer.from('0000138900000001', 'hex'));
  await world.until(() => client.isClosed, 100);
  assert.equal(statsOf(world).largeRequestsRejected, 1);
});

test('a large read that waits behind a write gives its room back when its connection goes', async () => {
  const world = await ServerWorld.start({
    config: { flushDelay: FLUSH_MS, largeRequestThreshold: 100, largeRequestMaxBytes: 5000 },
  });
  const client = await world.open();
  client.sendTogether([create('/a', 'x'.repeat(500)), exists(`/${'p'.repeat(500)}`)]);
  await world.sim.runFor(20);
  client.connection.destroy();
  await world.sim.runFor(2 * FLUSH_MS);
  assert.equal((world.server as ServingServer).largeRequests?.bytes, 0);
});

test('connection_throttle_tokens limits how many sessions begin at once, and tokens come back with time', async () => {
  const world = await ServerWorld.start({
    config: { connection_throttle_tokens: 3, connection_throttle_fill_time: 1000, connection_throttle_fill_count: 1 },
  });
  for (let index = 0; index < 3; index += 1) await world.open();
  assert.equal(world.server.view.metrics.connectionTokenDeficit.max, 3);
  const refused = await world.connect();
  refused.hello();
  await world.until(() => refused.isClosed);
  assert.equal(refused.session, undefined);
  assert.equal(statsOf(world).connectionsRejected, 1);
  await world.sim.runFor(1100);
  await world.open();
});

test('with weights a resumed session costs less than a new one, and a local one least', () => {
  const { machine } = { machine: new Simulation({ seed: 1 }).machine('server') };
  const limitsWith = (keys: Readonly<Record<string, string | number>>) =>
    zooCfg({ dataDir: '/data', clientPort: 0, connection_throttle_tokens: 2, ...keys }).limits.connections;
  const admitted = (keys: Readonly<Record<string, string | number>>, asked: 'global' | 'local' | 'renewed'): number => {
    const throttle = new ConnectionThrottle(limitsWith(keys), machine.runtime.clock, new SimRandom('weights'));
    let count = 0;
    while (throttle.admits(asked)) count += 1;
    return count;
  };
  assert.equal(admitted({}, 'global'), 2);
  const weighed = { connection_throttle_weight_enabled: 'true' };
  assert.deepEqual([admitted(weighed, 'global'), admitted(weighed, 'renewed'), admitted(weighed, 'local')], [2, 3, 6]);
  const heavy = {
    ...weighed,
    connection_throttle_global_session_weight: 6,
    connection_throttle_renew_session_weight: 1,
  };
  assert.deepEqual([admitted(heavy, 'global'), admitted(heavy, 'renewed')], [2, 12]);
  // No weight is below that of a local session.
  const local = { ...heavy, connection_throttle_local_session_weight: 4 };
  assert.deepEqual([admitted(local, 'global'), admitted(local, 'renewed')], [2, 3]);
});

test('with connection_throttle_freeze_time the chance to be turned away grows without tokens and falls with them', async () => {
  const sim = new Simulation({ seed: 1 });
  const { clock } = sim.machine('server').runtime;
  const { connections } = zooCfg({
    dataDir: '/data',
    clientPort: 0,
    connection_throttle_tokens: 10,
    connection_throttle_fill_time: 10_000,
    connection_throttle_freeze_time: 10,
    connection_throttle_drop_increase: 0.3,
    connection_throttle_drop_decrease: 0.25,
    connection_throttle_decrease_ratio: 0.5,
  }).limits;
  const throttle = new ConnectionThrottle(connections, clock, new SimRandom('blue'));
  for (let index = 0; index < 10; index += 1) assert.equal(throttle.admits('global'), true);
  const chances: number[] = [];
  for (let index = 0; index < 5; index += 1) {
    await sim.runFor(11);
    throttle.admits('global');
    chances.push(Number(throttle.dropChance.toFixed(2)));
  }
  assert.deepEqual(chances, [0.3, 0.6, 0.9, 1, 1]);
  await sim.runFor(200_000);
  throttle.admits('global');
  assert.equal(throttle.dropChance, 0.75);
});

test('a limit out of its range is refused with its key', () => {
  for (const [key, value] of [
    ['request_throttle_stall_time', '0'],
    ['request_throttle_drop_stale', 'perhaps'],
    ['largeRequestMaxBytes', '0'],
    ['connection_throttle_tokens', 'many'],
    ['connection_throttle_drop_increase', '1.5'],
    ['connection_throttle_renew_session_weight', '0'],
  ] as const) {
    assert.throws(
      () => zooCfg({ dataDir: '/data', clientPort: 0, [key]: value }),
      (error: unknown) => error instanceof ConfigError && error.message.includes(key),
      key,
    );
  }
});
