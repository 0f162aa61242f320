/** How fast and how many connections are let in, in virtual time. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { ConfigError } from '../../../config/config-error.ts';
import { silent } from '../../../runtime/log.ts';
import type { ConfigKeys } from '../../../testing/index.ts';
import { ApiVersionsRequest, ApiVersionsResponse } from '../../protocol/messages/18-api-versions.ts';
import { AlterClientQuotasRequest, AlterClientQuotasResponse } from '../../protocol/messages/49-alter-client-quotas.ts';
import { ClusterWorld } from '../testkit/cluster-world.ts';
import type { RawClient } from '../testkit/raw-client.ts';
import { ConnectionQuotas } from './connection-quotas.ts';

const hello = (client: RawClient) => client.ask(ApiVersionsRequest, ApiVersionsResponse, 2, {});
const start = (kafka: ConfigKeys): Promise<ClusterWorld> => new ClusterWorld({ kafka }).start();

/** So many connections at once: when each is answered, in virtual milliseconds; -1 for one that is closed. */
async function arrivals(cluster: ClusterWorld, count: number): Promise<number[]> {
  const startedMs = cluster.sim.nowMs;
  const clients = Array.from({ length: count }, () => cluster.connectTo(0));
  const times = clients.map((client) =>
    hello(client).then(
      () => cluster.sim.nowMs - startedMs,
      () => -1,
    ),
  );
  const all = await cluster.run(Promise.all(times), 600_000);
  for (const client of clients) client.close();
  return all.sort((a, b) => a - b);
}

test('beyond the rate of the broker connections wait, and all are served in the end', async () => {
  const cluster = await start({ 'max.connection.creation.rate': 2 });
  const times = await arrivals(cluster, 26);
  // 20 are 2 a second over ten seconds; each later one waits for the one before, and for a second at most.
  assert.equal(times.filter((time) => time < 100).length, 20, String(times));
  assert.ok(Number(times[20]) >= 500, String(times));
  for (let index = 20; index < times.length; index += 1) {
    const gapMs = Number(times[index]) - Number(times[index - 1]);
    assert.ok(gapMs > 400 && gapMs < 1010, String(times));
  }
});

test('a listener has its own rate, or the one of the broker', async () => {
  const cluster = await start({ 'listener.name.plaintext.max.connection.creation.rate': 1 });
  const times = await arrivals(cluster, 12);
  assert.equal(times.filter((time) => time < 100).length, 10, String(times));
});

test('connections of an address beyond its quota are held, then closed, and do not count', async () => {
  const cluster = await start({});
  const entry = {
    entity: [{ entityType: 'ip', entityName: null }],
    ops: [{ key: 'connection_creation_rate', value: 1, remove: false }],
  };
  await cluster.ask(0, (client) =>
    client.ask(AlterClientQuotasRequest, AlterClientQuotasResponse, 1, { entries: [entry], validateOnly: false }),
  );
  await cluster.sim.runFor(1000);
  const startedMs = cluster.sim.nowMs;
  const times = await arrivals(cluster, 15);
  assert.equal(times.filter((time) => time >= 0).length, 10, String(times));
  assert.ok(cluster.sim.nowMs - startedMs >= 900, 'they were not closed at once');
  await cluster.sim.runFor(100);
  assert.equal(cluster.broker(0).server?.networkLoad.connectionCount, 0);
  await cluster.sim.runFor(12_000);
  assert.equal((await arrivals(cluster, 1)).length, 1);
});

test('where there is no room a connection waits until another goes', async () => {
  const cluster = await start({ 'max.connections': 2 });
  const [first, second] = [cluster.connectTo(0), cluster.connectTo(0)];
  await cluster.run(Promise.all([hello(first), hello(second)]));
  const third = cluster.connectTo(0);
  let isServed = false;
  const waiting = hello(third).then(() => {
    isServed = true;
  });
  await cluster.sim.runFor(5000);
  assert.equal(isServed, false);
  first.close();
  await cluster.run(waiting);
});

test('a listener may have less room than the broker', async () => {
  const cluster = await start({ 'listener.name.plaintext.max.connections': 1 });
  const first = cluster.connectTo(0);
  await cluster.run(hello(first));
  const second = cluster.connectTo(0);
  const waiting = hello(second);
  await cluster.sim.runFor(2000);
  first.close();
  await cluster.run(waiting);
});

test('those who wait are bounded, and go with the broker', async () => {
  const cluster = await start({ 'max.connections': 1, 'socket.listen.backlog.size': 3 });
  const first = cluster.connectTo(0);
  await cluster.run(hello(first));
  const others = Array.from({ length: 5 }, () => cluster.connectTo(0));
  await cluster.sim.runFor(2000);
  assert.equal(others.filter(({ isClosed }) => isClosed).length, 2);
  await cluster.broker(0).stop();
  await cluster.run(Promise.all(others.map(({ closed }) => closed)));
});

test('an address has as many connections as it may, or as its override says', async () => {
  const limited = await start({ 'max.connections.per.ip': 2 });
  assert.deepEqual((await arrivals(limited, 3)).filter((time) => time < 0).length, 1);
  const other = await start({ 'max.connections.per.ip.overrides': '10.9.9.9:0' });
  assert.deepEqual((await arrivals(other, 3)).filter((time) => time < 0).length, 0);
});

function quotasOf(keys: Readonly<Record<string, string>>, listenerNames = ['A', 'B']): ConnectionQuotas {
  const quotas = new ConnectionQuotas({
    windows: { samples: 11, windowMs: 1000 },
    value: (key) => keys[key] ?? null,
    interBrokerListenerName: 'A',
    network: { resolve: async (host) => [host === 'named' ? '10.0.0.2' : ''] },
    log: silent,
  });
  for (const name of listenerNames) quotas.addListener(name);
  return quotas;
}

test('overrides are for addresses or for names; what cannot be read is refused at the start', async () => {
  const quotas = quotasOf({ 'max.connections.per.ip': '1', 'max.connections.per.ip.overrides': '10.0.0.1:2, named:3' });
  await Promise.resolve();
  await Promise.resolve();
  const taken = (address: string): number => [1, 2, 3, 4].filter(() => quotas.add('B', address)).length;
  assert.deepEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3'].map(taken), [2, 3, 1]);
  assert.throws(() => quotasOf({ 'max.connections.per.ip.overrides': 'nothing' }), ConfigError);
});

test('the listener between brokers is spared the limits of the broker where there are others', () => {
  const quotas = quotasOf({ 'max.connections': '1' });
  quotas.add('B', 'x');
  assert.equal(quotas.hasRoom('B'), false);
  assert.equal(quotas.hasRoom('A'), true);
  quotas.add('A', 'x');
  assert.equal(quotas.isOverfull, true);
  const alone = quotasOf({ 'max.connections': '1' }, ['A']);
  alone.add('A', 'x');
  assert.equal(alone.hasRoom('A'), false);
});

test('a connection that is not let in for its address counts for no rate', async () => {
  const quotas = quotasOf({ 'max.connection.creation.rate': '200' });
  await quotas.setRate(null, '100');
  for (let count = 0; count < 3000; count += 1) {
    assert.equal(quotas.recordArrival('B', 0), 0, `arrival ${count}`);
    assert.equal(quotas.recordAddress('B', '10.0.0.7', 0), count < 1000 ? 0 : 10, `of the address ${count}`);
  }
});

test('an address has its own rate or that of all, and none when both were taken back', async () => {
  const quotas = quotasOf({});
  await quotas.setRate(null, '1');
  for (let count = 0; count < 10; count += 1) assert.equal(quotas.recordAddress('B', '10.0.0.7', 0), 0);
  assert.equal(quotas.recordAddress('B', '10.0.0.7', 0), 1000);
  assert.equal(quotas.recordAddress('B', '10.0.0.8', 0), 0);
  await quotas.setRate('10.0.0.7', '100');
  assert.equal(quotas.recordAddress('B', '10.0.0.7', 0), 0);
  await quotas.setRate('10.0.0.7', undefined);
  assert.equal(quotas.recordAddress('B', '10.0.0.7', 0) > 0, true);
  await quotas.setRate(null, undefined);
  assert.equal(quotas.recordAddress('B', '10.0.0.7', 0), 0);
});
