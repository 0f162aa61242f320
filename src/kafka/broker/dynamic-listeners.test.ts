/** Listeners that come and go while a broker lives. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../protocol/errors.ts';
import { MetadataRequest, MetadataResponse } from '../protocol/messages/03-metadata.ts';
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../protocol/messages/44-incremental-alter-configs.ts';
import { AlterOperation, ResourceType } from './config/config-change.ts';
import { type ClusterOptions, ClusterWorld } from './testkit/cluster-world.ts';
import type { RawClient } from './testkit/raw-client.ts';

type Values = Readonly<Record<string, string | null>>;

const MAP = 'PLAINTEXT:PLAINTEXT,EXTRA:PLAINTEXT';
const EXTRA_PORT = 9192;

class ListenerWorld extends ClusterWorld {
  host(id = 0): string {
    return this.broker(id).machine.host;
  }

  at(port: number, id = 0): RawClient {
    return this.connectTo(id, port);
  }

  /** Error code and text of a change of broker 0. */
  async set(values: Values): Promise<readonly [number?, (string | null)?]> {
    const configs = Object.entries(values).map(([name, value]) => ({
      name,
      configOperation: value === null ? AlterOperation.delete : AlterOperation.set,
      value,
    }));
    const resources = [{ resourceType: ResourceType.broker, resourceName: '0', configs }];
    const answer = await this.ask(0, (client) =>
      client.ask(IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse, 1, {
        resources,
        validateOnly: false,
      }),
    );
    await this.sim.runFor(1000);
    return [answer.responses[0]?.errorCode, answer.responses[0]?.errorMessage];
  }

  withExtra(port = EXTRA_PORT): Values {
    const listeners = `PLAINTEXT://${this.host()}:9092,EXTRA://${this.host()}:${port}`;
    return { listeners, 'listener.security.protocol.map': MAP };
  }

  /** What a client of this port is told of the brokers; undefined where nobody listens. */
  async told(port: number, id = 0): Promise<readonly string[] | undefined> {
    const client = this.at(port, id);
    const asked = client.ask(MetadataRequest, MetadataResponse, 1, { topics: [] });
    const answer = await this.run(asked.catch(() => undefined));
    client.close();
    return answer?.brokers.map(({ nodeId, host, port: at }) => `${nodeId} ${host}:${at}`).sort();
  }

  async registered(): Promise<unknown> {
    return (await this.json('/brokers/ids/0')).endpoints;
  }
}

async function world(options: ClusterOptions = {}): Promise<ListenerWorld> {
  const cluster = new ListenerWorld(options);
  await cluster.start();
  return cluster;
}

const FINE = [ErrorCode.NONE, null];

test('a listener is added: it serves, is registered, and clients are told of it by every broker', async () => {
  const cluster = await world({ brokers: 2 });
  const before = await cluster.run(cluster.zk.exists('/brokers/ids/0'));
  assert.equal(await cluster.told(EXTRA_PORT), undefined);
  assert.deepEqual(await cluster.set(cluster.withExtra()), FINE);
  const [first, second] = [cluster.host(0), cluster.host(1)];
  assert.deepEqual(await cluster.told(EXTRA_PORT), [`0 ${first}:${EXTRA_PORT}`]);
  assert.deepEqual(await cluster.told(9092, 1), [`0 ${first}:9092`, `1 ${second}:9092`]);
  assert.deepEqual(await cluster.registered(), [`PLAINTEXT://${first}:9092`, `EXTRA://${first}:${EXTRA_PORT}`]);
  const after = await cluster.run(cluster.zk.exists('/brokers/ids/0'));
  assert.equal(after?.czxid, before?.czxid, 'the broker lives on: its node is the same');
});

test('a listener is removed: its connections close at once, those of the others stay', async () => {
  const cluster = await world();
  await cluster.set(cluster.withExtra());
  const [gone, stays] = [cluster.at(EXTRA_PORT), cluster.at(9092)];
  for (const client of [gone, stays]) {
    await cluster.run(client.ask(MetadataRequest, MetadataResponse, 1, { topics: [] }));
  }
  assert.deepEqual(await cluster.set({ listeners: null, 'listener.security.protocol.map': null }), FINE);
  assert.equal(gone.isClosed, true);
  assert.equal(stays.isClosed, false);
  assert.equal(await cluster.told(EXTRA_PORT), undefined);
  assert.deepEqual(await cluster.registered(), [`PLAINTEXT://${cluster.host()}:9092`]);
  assert.equal(cluster.broker(0).server?.networkLoad.connectionCount, 1);
});

test('what is advertised changes alone, and reaches the clients of other brokers', async () => {
  const cluster = await world({ brokers: 2 });
  assert.deepEqual(await cluster.set({ 'advertised.listeners': 'PLAINTEXT://elsewhere:19092' }), FINE);
  assert.deepEqual(await cluster.told(9092, 1), ['0 elsewhere:19092', `1 ${cluster.host(1)}:9092`]);
  assert.deepEqual(await cluster.set({ 'advertised.listeners': null }), FINE);
  assert.deepEqual(await cluster.told(9092, 1), [`0 ${cluster.host(0)}:9092`, `1 ${cluster.host(1)}:9092`]);
});

test('a restart, and another session, find the listeners of now', async () => {
  const cluster = await world();
  await cluster.set(cluster.withExtra());
  cluster.broker(0).crash('process');
  await cluster.broker(0).start();
  assert.deepEqual(await cluster.told(EXTRA_PORT), [`0 ${cluster.host()}:${EXTRA_PORT}`]);
  await cluster.set({ 'advertised.listeners': `PLAINTEXT://elsewhere:1,EXTRA://${cluster.host()}:${EXTRA_PORT}` });
  const endpoints = ['PLAINTEXT://elsewhere:1', `EXTRA://${cluster.host()}:${EXTRA_PORT}`];
  assert.deepEqual(await cluster.registered(), endpoints);
  const before = await cluster.run(cluster.zk.exists('/brokers/ids/0'));
  const machines = [cluster.broker(0).machine, cluster.zookeeper.machine] as const;
  cluster.sim.network.partition(...machines);
  await cluster.until('the session has expired', async () => !(await cluster.exists('/brokers/ids/0')));
  cluster.sim.network.heal(...machines);
  await cluster.until('the broker is back', () => cluster.exists('/brokers/ids/0'));
  const after = await cluster.run(cluster.zk.exists('/brokers/ids/0'));
  assert.notEqual(after?.ephemeralOwner, before?.ephemeralOwner);
  assert.deepEqual(await cluster.registered(), endpoints);
});

test('an address that is taken is told in the log, the broker lives on, and a later change opens it', async () => {
  const cluster = await world();
  const { network } = cluster.broker(0).machine.runtime;
  const at = { host: cluster.host(), port: EXTRA_PORT };
  const blocker = await cluster.run(network.listen(at, () => ({ data: () => undefined, closed: () => undefined })));
  assert.deepEqual(await cluster.set(cluster.withExtra()), FINE);
  assert.ok(cluster.logLines.some((line) => line.includes('Unable to start acceptor for ListenerName(EXTRA)')));
  await cluster.run(blocker.close());
  await cluster.set({ 'max.connections': '1000' });
  assert.deepEqual(await cluster.told(EXTRA_PORT), [`0 ${cluster.host()}:${EXTRA_PORT}`]);
});

test('an endpoint that another broker has is not registered', async () => {
  const cluster = await world({ brokers: 2 });
  await cluster.set({ 'advertised.listeners': `PLAINTEXT://${cluster.host(1)}:9092` });
  assert.deepEqual(await cluster.registered(), [`PLAINTEXT://${cluster.host(0)}:9092`]);
  assert.ok(cluster.logLines.some((line) => line.includes('are already registered by broker 1')));
});

test('the limits of a listener are those of its name from its first connection on', async () => {
  const cluster = await world();
  await cluster.set({ ...cluster.withExtra(), 'listener.name.extra.max.connections': '1' });
  const [first, second] = [cluster.at(EXTRA_PORT), cluster.at(EXTRA_PORT)];
  const asked = [first, second].map((client) => client.ask(MetadataRequest, MetadataResponse, 1, { topics: [] }));
  let served = 0;
  for (const one of asked) void one.then(() => (served += 1));
  await cluster.sim.runFor(1000);
  assert.equal(served, 1);
  first.close();
  await cluster.sim.runFor(1000);
  assert.equal(served, 2);
});

test('listeners that cannot be are ignored where another tool wrote them', async () => {
  const cluster = await world();
  const value = JSON.stringify({ version: 1, config: { listeners: 'EXTRA://nowhere:1', 'max.connections': '77' } });
  await cluster.run(cluster.zk.create('/config/brokers/0', value));
  cluster.broker(0).crash('process');
  await cluster.broker(0).start();
  assert.deepEqual(await cluster.told(9092), [`0 ${cluster.host()}:9092`]);
  assert.ok(cluster.logLines.some((line) => line.includes('the listeners in ZooKeeper cannot be used')));
});
