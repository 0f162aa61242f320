import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import test from 'node:test';
import { createProducer } from '../kafka/client/producer.ts';
import { silent } from '../runtime/log.ts';
import { nodeRuntime } from '../runtime/node/node-runtime.ts';
import { randomUuid } from '../runtime/random.ts';
import { connectZookeeper } from '../zookeeper/client/client.ts';
import { simulateCluster, startTestCluster, startTestZookeeper } from './index.ts';

const runtime = nodeRuntime({ log: silent });

test('a ZooKeeper on a free port answers, and its temporary directory goes with it', async () => {
  const zookeeper = await startTestZookeeper();
  const { dataDir } = zookeeper.server.view.config;
  const client = connectZookeeper(runtime, { connect: zookeeper.connect, sessionTimeoutMs: 5000 });
  await client.create('/spool', 'thread');
  assert.equal(String((await client.getData('/spool')).data), 'thread');
  assert.ok(runtime.disk.stat(dataDir));
  await client.close();
  await zookeeper.close();
  assert.equal(runtime.disk.stat(dataDir), undefined);
});

test('a directory that was given is kept, with what was written in it', async (t) => {
  const directory = `${tmpdir()}/odradek-given-${randomUuid(runtime.random)}`;
  t.after(() => runtime.disk.remove(directory));
  const first = await startTestZookeeper({ directory });
  const client = connectZookeeper(runtime, { connect: first.connect, sessionTimeoutMs: 5000 });
  await client.create('/spool', 'thread');
  await client.close();
  await first.close();
  assert.deepEqual(runtime.disk.list(directory), [{ name: 'zookeeper', kind: 'directory' }]);
  const second = await startTestZookeeper({ directory });
  const again = connectZookeeper(runtime, { connect: second.connect, sessionTimeoutMs: 5000 });
  assert.equal(String((await again.getData('/spool')).data), 'thread');
  await again.close();
  await second.close();
});

test('a cluster on free ports takes records', async () => {
  const cluster = await startTestCluster();
  const producer = createProducer(runtime, { bootstrapServers: cluster.kafka.bootstrap });
  const { offset } = await producer.send({ topic: 'spool', value: 'thread', partition: 0 });
  assert.equal(offset, 0);
  await producer.close();
  await cluster.close();
});

test('a simulated cluster keeps its records over a crash of everything', async () => {
  const cluster = simulateCluster({ seed: 7 });
  await cluster.start();
  const producer = createProducer(cluster.client.runtime, { bootstrapServers: cluster.bootstrap });
  const send = (): Promise<{ offset: number }> =>
    cluster.sim.complete(producer.send({ topic: 'spool', value: 'thread', partition: 0 }));
  assert.equal((await send()).offset, 0);
  cluster.zookeeper.crash('power');
  cluster.broker.crash('process');
  await cluster.start();
  assert.equal((await send()).offset, 1);
  await cluster.stop();
  assert.equal(cluster.broker.machine.alive, false);
});
