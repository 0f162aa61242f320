/** Quotas of a whole broker, in virtual time: who waits, for how long, and who does not. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { ZERO_UUID } from '../../../wire/schema.ts';
import { CreateMode } from '../../../zookeeper/jute/create-mode.ts';
import { ErrorCode as KeeperCode, KeeperError } from '../../../zookeeper/jute/errors.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts';
import { FetchRequest, FetchResponse } from '../../protocol/messages/01-fetch.ts';
import { ApiVersionsRequest, ApiVersionsResponse } from '../../protocol/messages/18-api-versions.ts';
import { AlterClientQuotasRequest, AlterClientQuotasResponse } from '../../protocol/messages/49-alter-client-quotas.ts';
import { ClusterWorld } from '../testkit/cluster-world.ts';
import { encodeRequest, type RawClient } from '../testkit/raw-client.ts';
import { batchOf, fetchRequest, produceRequest } from '../testkit/requests.ts';
import { LOCK_MS, ShareCluster } from '../testkit/share-cluster.ts';

async function world() {
  const cluster = await new ClusterWorld().start();
  await cluster.createTopic('t', [[0]]);
  return cluster;
}

type Entity = Readonly<Record<string, string | null>>;

async function setQuota(cluster: ClusterWorld, entity: Entity, key: string, value: number | null): Promise<void> {
  const entry = {
    entity: Object.entries(entity).map(([entityType, entityName]) => ({ entityType, entityName })),
    ops: [{ key, value: value ?? 0, remove: value === null }],
  };
  const answer = await cluster.ask(0, (client) =>
    client.ask(AlterClientQuotasRequest, AlterClientQuotasResponse, 1, { entries: [entry], validateOnly: false }),
  );
  assert.equal(answer.entries[0]?.errorCode, ErrorCode.NONE, answer.entries[0]?.errorMessage ?? '');
  await cluster.sim.runFor(1000); // the notification arrives
}

const produce = (client: RawClient, bytes: number, acks = 1, version = 8) =>
  client.ask(ProduceRequest, ProduceResponse, version, produceRequest('t', batchOf(['x'.repeat(bytes)]), acks));
const hello = (client: RawClient) => client.ask(ApiVersionsRequest, ApiVersionsResponse, 2, {});
const fetch = (client: RawClient, offset: number, session: { sessionId: number; sessionEpoch: number }) =>
  client.ask(FetchRequest, FetchResponse, 11, { ...fetchRequest('t', offset), ...session });

/** When something is done, in virtual milliseconds from now. */
async function timed(cluster: ClusterWorld, promise: Promise<unknown>): Promise<number> {
  const startedMs = cluster.sim.nowMs;
  await cluster.run(promise, 600_000);
  return cluster.sim.nowMs - startedMs;
}

test('a connection over its quota is answered at once, then not read until the time is up; others go on', async () => {
  const cluster = await world();
  await setQuota(cluster, { 'client-id': 'raw' }, 'producer_byte_rate', 10_000);
  const client = cluster.connectTo(0);
  const { throttleTimeMs } = await cluster.run(produce(client, 150_000));
  assert.ok(throttleTimeMs > 4900 && throttleTimeMs < 5100, String(throttleTimeMs));
  const other = await timed(cluster, hello(cluster.connectTo(0)));
  assert.ok(other < 100, 'another connection is served');
  const waitedMs = await timed(cluster, hello(client));
  assert.ok(waitedMs > 4700 && waitedMs < 5100, String(waitedMs));
  assert.ok((await timed(cluster, hello(client))) < 100, 'and it is over then');
});

test('a produce that is not answered holds its connection back, too', async () => {
  const cluster = await world();
  await setQuota(cluster, { user: 'ANONYMOUS' }, 'producer_byte_rate', 10_000);
  const client = cluster.connectTo(0);
  client.write(encodeRequest(ProduceRequest, 8, produceRequest('t', batchOf(['x'.repeat(150_000)]), 0)));
  const waitedMs = await timed(cluster, hello(client));
  assert.ok(waitedMs > 4900 && waitedMs < 5200, String(waitedMs));
});

test('pipelined appends are taken one at a time where quotas count', async () => {
  const cluster = await world();
  await setQuota(cluster, { user: null }, 'producer_byte_rate', 10_000);
  const client = cluster.connectTo(0);
  const answers = [produce(client, 150_000), produce(client, 1000), produce(client, 1000)];
  await cluster.run(answers[0] as Promise<unknown>);
  await cluster.sim.runFor(1000);
  assert.equal(await cluster.count(0, 't'), 1);
  await cluster.run(Promise.all(answers), 60_000);
  assert.equal(await cluster.count(0, 't'), 3);
});

test('who goes while he waits is forgotten, and the broker closes with others waiting', async () => {
  const cluster = await world();
  await setQuota(cluster, { user: null }, 'producer_byte_rate', 10_000);
  const [first, second] = [cluster.connectTo(0), cluster.connectTo(0)];
  await cluster.run(produce(first, 150_000));
  await cluster.run(produce(second, 150_000));
  first.close();
  await cluster.broker(0).stop();
  await cluster.run(second.closed);
  assert.deepEqual(cluster.failures, []);
});

test('an idle connection that waits for its quota is not closed as idle', async () => {
  const cluster = await new ClusterWorld({ kafka: { 'connections.max.idle.ms': 20_000 } }).start();
  await cluster.createTopic('t', [[0]]);
  await setQuota(cluster, { user: null }, 'producer_byte_rate', 1000);
  const client = cluster.connectTo(0);
  await cluster.run(produce(client, 60_000));
  const waitedMs = await timed(cluster, hello(client));
  assert.ok(waitedMs > 45_000, String(waitedMs));
});

test('a fetch session that is throttled at its beginning does not begin, a later one goes on', async () => {
  const cluster = await world();
  for (let count = 0; count < 3; count += 1) await cluster.run(produce(cluster.connectTo(0), 20_000));
  await setQuota(cluster, { 'client-id': 'raw' }, 'consumer_byte_rate', 3000);
  const opened = await cluster.run(fetch(cluster.connectTo(0), 0, { sessionId: 0, sessionEpoch: 0 }));
  assert.equal(opened.throttleTimeMs, 0);
  assert.notEqual(opened.sessionId, 0);
  const next = await cluster.run(
    cluster.connectTo(0).ask(FetchRequest, FetchResponse, 11, {
      ...fetchRequest('t', 1),
      sessionId: opened.sessionId,
      sessionEpoch: 1,
    }),
  );
  assert.ok(next.throttleTimeMs > 3000 && next.throttleTimeMs < 4000, String(next.throttleTimeMs));
  assert.deepEqual([next.sessionId, next.responses], [opened.sessionId, []]);
  const refused = await cluster.run(fetch(cluster.connectTo(0), 1, { sessionId: 0, sessionEpoch: 0 }));
  assert.equal(refused.sessionId, 0);
  await cluster.sim.runFor(12_000); // what was fetched is out of sight
  const resumed = await cluster.run(
    cluster.connectTo(0).ask(FetchRequest, FetchResponse, 11, {
      topics: [],
      maxWaitMs: 0,
      minBytes: 1,
      sessionId: opened.sessionId,
      sessionEpoch: 2,
    }),
  );
  assert.equal(resumed.throttleTimeMs, 0);
  assert.ok((resumed.responses[0]?.partitions[0]?.records?.size ?? 0) > 20_000);
});

test('what a throttled answer left out is told by the next', async () => {
  const cluster = await new ClusterWorld().start();
  await cluster.createTopic('t', [[0], [0]]);
  for (let count = 0; count < 2; count += 1) await cluster.run(produce(cluster.connectTo(0), 20_000));
  await cluster.produce(0, 't', 'x', 1);
  await setQuota(cluster, { 'client-id': 'raw' }, 'consumer_byte_rate', 3000);
  const ask = (fields: Partial<FetchRequest>) =>
    cluster.run(cluster.connectTo(0).ask(FetchRequest, FetchResponse, 11, { maxWaitMs: 0, minBytes: 1, ...fields }));
  const topics = (offsets: readonly number[]): FetchRequest['topics'] => {
    const [topic] = fetchRequest('t', 0).topics ?? [];
    const [partition] = topic?.partitions ?? [];
    assert.ok(topic && partition);
    const partitions = offsets.map((fetchOffset, index) => ({ ...partition, partition: index, fetchOffset }));
    return [{ ...topic, partitions }];
  };
  const { sessionId } = await ask({ topics: topics([0, 0]), maxBytes: 25_000, sessionId: 0, sessionEpoch: 0 });
  await cluster.produce(0, 't', 'y', 1);
  const throttled = await ask({ topics: topics([1, 2]), sessionId, sessionEpoch: 1 });
  assert.ok(throttled.throttleTimeMs > 0);
  await cluster.sim.runFor(12_000);
  const forgottenTopicsData = [{ topic: 't', topicId: ZERO_UUID, partitions: [0] }];
  const { responses } = await ask({ topics: [], forgottenTopicsData, sessionId, sessionEpoch: 2 });
  assert.deepEqual(
    responses.map(({ partitions }) =>
      partitions.map(({ partitionIndex, highWatermark }) => [partitionIndex, highWatermark]),
    ),
    [[[1, 2]]],
  );
});

test('quotas that tools wrote count after either form of notification, after a restart, and after a new session', async () => {
  const cluster = await world();
  const { zk } = cluster;
  const write = async (path: string, quotas: object): Promise<void> => {
    const data = Buffer.from(JSON.stringify({ version: 1, config: quotas }));
    try {
      await cluster.run(zk.create(path, data));
    } catch (error) {
      if (!(error instanceof KeeperError) || error.code !== KeeperCode.NODEEXISTS) throw error;
      await cluster.run(zk.setData(path, data));
    }
  };
  const tell = async (change: object): Promise<void> => {
    const data = Buffer.from(JSON.stringify(change));
    await cluster.run(zk.create('/config/changes/config_change_', data, { mode: CreateMode.PERSISTENT_SEQUENTIAL }));
    await cluster.sim.runFor(1000);
  };
  const throttled = async (): Promise<boolean> =>
    (await cluster.ask(0, (client) => produce(client, 50_000))).throttleTimeMs > 0;

  await write('/config/clients/raw', { producer_byte_rate: '1000' });
  assert.equal(await throttled(), false, 'nobody was told');
  await tell({ version: 1, entity_type: 'clients', entity_name: 'raw' });
  assert.equal(await throttled(), true);
  await write('/config/clients/raw', {});
  await tell({ version: 2, entity_path: 'clients/raw' });
  assert.equal(await throttled(), false);

  await write('/config/users/ANONYMOUS', {});
  await cluster.run(zk.create('/config/users/ANONYMOUS/clients', null));
  await write('/config/users/ANONYMOUS/clients/raw', { producer_byte_rate: '1000' });
  await cluster.broker(0).stop();
  await cluster.broker(0).start();
  assert.equal(await throttled(), true, 'after a restart');

  cluster.sim.network.partition(cluster.broker(0).machine, cluster.zookeeper.machine);
  await cluster.sim.runFor(20_000);
  await cluster.run(zk.delete('/config/users/ANONYMOUS/clients/raw'));
  cluster.sim.network.heal();
  await cluster.until('a new session', async () => cluster.exists('/brokers/ids/0'));
  await cluster.sim.runFor(3000);
  assert.equal(await throttled(), false, 'after a new session');
});

test('the last quota takes the znode with it, and parents that only led there', async () => {
  const cluster = await world();
  const both = { user: 'u 1', 'client-id': 'c' };
  await setQuota(cluster, both, 'producer_byte_rate', 10);
  await setQuota(cluster, { user: 'u 1', 'client-id': null }, 'producer_byte_rate', 10);
  assert.equal(await cluster.exists('/config/users/u%201/clients/%3Cdefault%3E'), false);
  assert.deepEqual((await cluster.json('/config/users/u%201/clients/<default>')).config, { producer_byte_rate: '10' });
  await setQuota(cluster, both, 'producer_byte_rate', null);
  assert.equal(await cluster.exists('/config/users/u%201/clients/c'), false);
  assert.equal(await cluster.exists('/config/users/u%201/clients/<default>'), true);
  await setQuota(cluster, { user: 'u 1' }, 'producer_byte_rate', 10);
  await setQuota(cluster, { user: 'u 1', 'client-id': null }, 'producer_byte_rate', null);
  assert.equal(await cluster.exists('/config/users/u%201/clients'), false);
  assert.equal(await cluster.exists('/config/users/u%201'), true, 'with quotas of its own');
  await setQuota(cluster, both, 'producer_byte_rate', 10);
  await setQuota(cluster, { user: 'u 1' }, 'producer_byte_rate', null);
  assert.equal(await cluster.exists('/config/users/u%201/clients/c'), true);
  await setQuota(cluster, both, 'producer_byte_rate', null);
  assert.equal(await cluster.exists('/config/users/u%201'), false);
  assert.equal(await cluster.exists('/config/users'), true);
});

test('records of a share fetch count for the quota of fetches, and one that is over it is answered empty', async () => {
  const shares = await new ShareCluster().start();
  const { world: cluster } = shares;
  await setQuota(cluster, { 'client-id': 'raw' }, 'consumer_byte_rate', 25);
  const client = cluster.connectTo(0);
  const first = await shares.fetch(client, 0);
  assert.deepEqual([first.acquired, first.throttleTimeMs], [[[0, 1, 1]], 0]);
  const acknowledged = await shares.fetch(client, 1, [[0, 1, 1]]);
  assert.ok(acknowledged.throttleTimeMs > 0, 'throttled');
  assert.deepEqual([acknowledged.acknowledgeErrorCode, acknowledged.acquired], [ErrorCode.NONE, []]);
  const waitedMs = await timed(cluster, hello(client));
  assert.ok(Math.abs(waitedMs - acknowledged.throttleTimeMs) < 200, `${waitedMs} of ${acknowledged.throttleTimeMs}`);
  await cluster.sim.runFor(LOCK_MS);
  assert.deepEqual((await shares.fetch(client, 2)).acquired, [[2, 3, 2]], 'what nobody saw comes again');
});
