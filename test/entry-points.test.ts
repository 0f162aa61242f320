/** What a user of the package imports, by the names that package.json gives. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { startKafka } from 'odradek/kafka';
import { createAdmin, createConsumer, createProducer } from 'odradek/kafka/client';
import { simulateCluster } from 'odradek/testing';
import { nodeRuntime, silent, startZookeeper } from 'odradek/zookeeper';
import { AbortError, connectZookeeper, ErrorCode, isKeeperError, MultiError } from 'odradek/zookeeper/client';

test('servers and clients work from keys alone, in the real world by default', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'odradek-entry-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const runtime = nodeRuntime({ log: silent });
  const zookeeper = await startZookeeper({
    runtime,
    config: { dataDir: join(directory, 'zookeeper'), clientPort: 0, clientPortAddress: '127.0.0.1' },
  });
  const connect = `127.0.0.1:${zookeeper.clientAddress.port}`;
  const broker = await startKafka({
    runtime,
    config: {
      'broker.id': 0,
      listeners: 'PLAINTEXT://127.0.0.1:0',
      'log.dirs': join(directory, 'kafka'),
      'zookeeper.connect': connect,
      'offsets.topic.replication.factor': 1,
      'group.initial.rebalance.delay.ms': 0,
    },
  });
  const bootstrapServers = `127.0.0.1:${broker.endpoints[0]?.port}`;

  const admin = createAdmin({ bootstrapServers });
  await admin.createTopics([{ name: 'morris', partitions: 1, replicationFactor: 1 }]);
  await admin.close();
  const producer = createProducer({ bootstrapServers });
  await producer.send({ topic: 'morris', value: 'hello' });
  await producer.close();
  const consumer = createConsumer({ bootstrapServers, groupId: 'readers', autoOffsetReset: 'earliest' });
  await consumer.subscribe(['morris']);
  for await (const { value } of consumer) {
    assert.equal(String(value), 'hello');
    break;
  }
  await consumer.close();

  const client = connectZookeeper({ connect });
  assert.deepEqual((await client.getChildren('/brokers/topics')).toSorted(), ['__consumer_offsets', 'morris']);
  await client.close();
  await broker.close();
  await zookeeper.close();
});

test('a client lives in the world that it is given', async () => {
  const { sim, client, connect, start } = simulateCluster({ seed: 11 });
  await start();
  const zookeeper = connectZookeeper({ runtime: client.runtime, connect });
  assert.ok(await sim.complete(zookeeper.exists('/brokers')));
  await sim.complete(zookeeper.close());
});

test('a ZooKeeper client’s errors are recognised by what it exports', async () => {
  const { sim, client, connect, start } = simulateCluster({ seed: 12 });
  await start();
  const zookeeper = connectZookeeper({ runtime: client.runtime, connect });
  const caught = (promise: Promise<unknown>): Promise<unknown> =>
    sim.complete(promise.catch((error: unknown) => error));
  const missing = await caught(zookeeper.getData('/nowhere'));
  assert.ok(isKeeperError(missing, 'NONODE') && missing.code === ErrorCode.NONODE);
  assert.ok((await caught(zookeeper.transaction().delete('/nowhere').commit())) instanceof MultiError);
  assert.ok((await caught(zookeeper.sync('/', { signal: AbortSignal.abort() }))) instanceof AbortError);
  await sim.complete(zookeeper.close());
});
