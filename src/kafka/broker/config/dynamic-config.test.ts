import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../../protocol/errors.ts';
import { MetadataRequest, MetadataResponse } from '../../protocol/messages/03-metadata.ts';
import { DescribeConfigsRequest, DescribeConfigsResponse } from '../../protocol/messages/32-describe-configs.ts';
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../protocol/messages/44-incremental-alter-configs.ts';
import { type ClusterOptions, ClusterWorld } from '../testkit/cluster-world.ts';
import type { RawClient } from '../testkit/raw-client.ts';
import { AlterOperation, ResourceType } from './config-change.ts';
import { connectionOverrides } from './dynamic-validation.ts';
import { PasswordEncoder } from './password-encoder.ts';

const CLUSTER = '';
const BROKER = '0';

class DynamicWorld extends ClusterWorld {
  change(client: RawClient, resourceName: string, name: string, value: string | null) {
    const configOperation = value === null ? AlterOperation.delete : AlterOperation.set;
    const resource = { resourceType: ResourceType.broker, resourceName, configs: [{ name, configOperation, value }] };
    return client.ask(IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse, 1, {
      resources: [resource],
      validateOnly: false,
    });
  }

  async set(resourceName: string, name: string, value: string | null): Promise<readonly [number?, (string | null)?]> {
    const answer = await this.ask(0, (client) => this.change(client, resourceName, name, value));
    await this.sim.runFor(500);
    return [answer.responses[0]?.errorCode, answer.responses[0]?.errorMessage];
  }

  async described(key: string) {
    const resource = { resourceType: ResourceType.broker, resourceName: BROKER, configurationKeys: [key] };
    const answer = await this.ask(0, (client) =>
      client.ask(DescribeConfigsRequest, DescribeConfigsResponse, 4, { resources: [resource], includeSynonyms: true }),
    );
    const found = answer.results[0]?.configs[0];
    return { value: found?.value, sources: found?.synonyms.map(({ source }) => source), found };
  }

  /** So many connections that ask for something; the answer counts those that are served. */
  hold(count: number): { readonly served: () => number; readonly close: () => void } {
    const clients = Array.from({ length: count }, () => this.connectTo(0));
    let served = 0;
    for (const client of clients) {
      void client.ask(MetadataRequest, MetadataResponse, 1, { topics: [] }).then(
        () => {
          served += 1;
        },
        () => undefined,
      );
    }
    return { served: () => served, close: () => clients.forEach((client) => void client.close()) };
  }

  /** How many of so many connections are served, while the others wait or are closed. */
  async open(count: number): Promise<number> {
    const { served, close } = this.hold(count);
    await this.sim.runFor(1000);
    const servedWhileOpen = served();
    close();
    await this.sim.runFor(100);
    return servedWhileOpen;
  }
}

async function world(options: ClusterOptions = {}): Promise<DynamicWorld> {
  const cluster = new DynamicWorld(options);
  await cluster.start();
  return cluster;
}

const NONE = [ErrorCode.NONE, null];

test('limits of connections count at once, for all, for a host, for a listener', async () => {
  const cluster = await world();
  assert.deepEqual(await cluster.set(CLUSTER, 'max.connections', '3'), NONE);
  assert.equal(await cluster.open(5), 3);
  assert.deepEqual(await cluster.set(CLUSTER, 'max.connections', null), NONE);
  assert.deepEqual(await cluster.set(BROKER, 'listener.name.plaintext.max.connections', '4'), NONE);
  assert.equal(await cluster.open(5), 4);
  assert.deepEqual(await cluster.set(BROKER, 'listener.name.plaintext.max.connections', null), NONE);
  assert.equal(await cluster.open(5), 5);
  assert.deepEqual(await cluster.set(CLUSTER, 'max.connections.per.ip', '3'), NONE);
  assert.equal(await cluster.open(5), 3);
  assert.deepEqual(
    await cluster.set(CLUSTER, 'max.connections.per.ip.overrides', `elsewhere:1,${cluster.clientHost}:4`),
    NONE,
  );
  assert.equal(await cluster.open(5), 4);
});

test('who waits for room is let in when a change makes some', async () => {
  const cluster = await world();
  const admin = cluster.connectTo(0);
  await cluster.run(cluster.change(admin, CLUSTER, 'max.connections', '4'));
  await cluster.sim.runFor(500);
  const { served } = cluster.hold(5);
  await cluster.sim.runFor(1000);
  assert.equal(served(), 3);
  await cluster.run(cluster.change(admin, CLUSTER, 'max.connections', null));
  await cluster.sim.runFor(1000);
  assert.equal(served(), 5);
});

test('what is for one broker goes over what is for all, and an end of it brings back the other', async () => {
  const cluster = await world({ kafka: { 'log.retention.hours': 2 } });
  const retention = async () => (await cluster.described('log.retention.ms')).sources;
  assert.deepEqual(await retention(), []);
  await cluster.set(CLUSTER, 'log.retention.ms', '5000');
  await cluster.set(BROKER, 'log.retention.ms', '6000');
  const both = await cluster.described('log.retention.ms');
  assert.deepEqual([both.value, both.sources], ['6000', [2, 3, 4, 5]]);
  cluster.broker(0).crash('process');
  await cluster.broker(0).start();
  assert.deepEqual((await cluster.described('log.retention.ms')).value, '6000');
  await cluster.set(BROKER, 'log.retention.ms', null);
  assert.deepEqual((await cluster.described('log.retention.ms')).value, '5000');
  await cluster.set(CLUSTER, 'log.retention.ms', null);
  assert.deepEqual(await retention(), []);
});

test('values mean something together: what they demand of each other is asked of the whole', async () => {
  const cluster = await world();
  const cases = [
    [
      'log.retention.ms',
      '0',
      'requirement failed: log.retention.ms must be unlimited (-1) or, greater than or equal to 1',
    ],
    [
      'log.cleaner.threads',
      '200',
      'requirement failed: log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.',
    ],
    ['broker.id', '7', 'Cannot update these configs dynamically: Set(broker.id)'],
    ['message.max.bytes', 'x', 'Invalid value x for configuration message.max.bytes: Not a number of type INT'],
    ['listeners', 'PLAINTEXT://:70000', 'PLAINTEXT cannot listen on port 70000'],
  ] as const;
  for (const [name, value, text] of cases) {
    assert.deepEqual(await cluster.set(BROKER, name, value), [ErrorCode.INVALID_REQUEST, text]);
  }
  const [code, text] = await cluster.set(CLUSTER, 'num.io.threads', '100');
  assert.equal(code, ErrorCode.INVALID_REQUEST);
  assert.match(
    text ?? '',
    /value should not be greater than double the current value 8 for configuration Invalid dynamic/,
  );
  assert.equal(await cluster.exists('/config/brokers/0'), false);
});

test('a leader that is not in sync is elected as soon as that is allowed', async () => {
  const cluster = await world({ brokers: 2, kafka: { 'log.dirs': '/one,/two' } });
  await cluster.createTopic('t', [[1, 0]]);
  const path = '/brokers/topics/t/partitions/0/state';
  cluster.broker(1).crash('process');
  await cluster.until('it is led by the other', async () => (await cluster.leaderOf(0, 't')) === 0);
  await cluster.run(cluster.zk.setData(path, JSON.stringify({ ...(await cluster.json(path)), leader: 1, isr: [1] })));
  cluster.broker(0).crash('process');
  await cluster.broker(0).start();
  await cluster.sim.runFor(20_000);
  assert.equal(await cluster.leaderOf(0, 't'), -1);
  assert.deepEqual(await cluster.set(CLUSTER, 'unclean.leader.election.enable', 'true'), NONE);
  await cluster.until('it is led', async () => (await cluster.leaderOf(0, 't')) === 0);
});

test('passwords are stored encoded and never shown; without a secret none is taken', async () => {
  const key = 'listener.name.plaintext.ssl.key.password';
  const without = await world();
  assert.deepEqual(await without.set(BROKER, key, 'p'), [
    ErrorCode.INVALID_CONFIG,
    "Invalid config value for resource ConfigResource(type=BROKER, name='0'): Password encoder secret not configured",
  ]);
  const cluster = await world({ kafka: { 'password.encoder.secret': 's', 'password.encoder.iterations': 1024 } });
  assert.deepEqual(await cluster.set(BROKER, key, 'p'), NONE);
  const { config } = (await cluster.json('/config/brokers/0')) as { config: Record<string, string> };
  const decoder = new PasswordEncoder({
    secret: 's',
    keyFactoryAlgorithm: 'PBKDF2WithHmacSHA512',
    cipherAlgorithm: 'AES/CBC/PKCS5Padding',
    keyBits: 128,
    iterations: 1,
    random: cluster.broker(0).machine.runtime.random,
  });
  assert.equal(decoder.decode(config[key] ?? ''), 'p');
  const { value, sources, found } = await cluster.described(key);
  assert.deepEqual([value, found?.isSensitive, sources], [null, true, [2]]);
  assert.deepEqual(await cluster.set(BROKER, 'log.retention.ms', '5'), NONE);
  const again = (await cluster.json('/config/brokers/0')) as { config: Record<string, string> };
  assert.equal(decoder.decode(again.config[key] ?? ''), 'p');
});

test('connections by host are refused in Java’s words where a colon or a number is missing', () => {
  const property = "Error parsing configuration property 'max.connections.per.ip.overrides'";
  assert.throws(() => connectionOverrides('a:x,127.0.0.1'), { message: `${property}: begin 0, end -1, length 9` });
  assert.throws(() => connectionOverrides('a:x'), { message: 'For input string: "x"' });
  assert.deepEqual([...connectionOverrides('::1:4, a:2')], Object.entries({ '::1': 4, a: 2 }));
});
