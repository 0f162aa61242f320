import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../../protocol/errors.ts';
import { DescribeConfigsRequest, DescribeConfigsResponse } from '../../protocol/messages/32-describe-configs.ts';
import { AlterConfigsRequest, AlterConfigsResponse } from '../../protocol/messages/33-alter-configs.ts';
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../protocol/messages/44-incremental-alter-configs.ts';
import { ClusterWorld, refused } from '../testkit/cluster-world.ts';
import { AlterOperation, ResourceType } from './config-change.ts';

type Change = readonly [name: string, operation: number, value: string | null];
const { set, append, subtract } = AlterOperation;
const remove = AlterOperation.delete;

async function world(brokers = 1) {
  const cluster = await new ClusterWorld({ brokers }).start();
  await cluster.createTopic('t', [[brokers - 1]]);
  const change = async (
    resourceType: number,
    resourceName: string,
    changes: readonly Change[],
    validateOnly = false,
  ) => {
    const configs = changes.map(([name, configOperation, value]) => ({ name, configOperation, value }));
    const answer = await cluster.ask(0, (client) =>
      client.ask(IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse, 1, {
        resources: [{ resourceType, resourceName, configs }],
        validateOnly,
      }),
    );
    await cluster.sim.runFor(500);
    return answer.responses[0]?.errorCode;
  };
  const stored = async (path: string) => ((await cluster.json(path)).config ?? {}) as Record<string, string>;
  const described = async (resourceType: number, resourceName: string, key: string) => {
    const answer = await cluster.ask(0, (client) =>
      client.ask(DescribeConfigsRequest, DescribeConfigsResponse, 2, {
        resources: [{ resourceType, resourceName, configurationKeys: [key] }],
      }),
    );
    const found = answer.results[0]?.configs[0];
    return [found?.value, found?.configSource];
  };
  return { cluster, change, stored, described };
}

const TOPIC_CONFIG = 1;
const DYNAMIC_DEFAULT_BROKER_CONFIG = 3;
const DEFAULT_CONFIG = 5;

test("a topic's configuration counts at once on the broker that leads it, wherever it was changed", async () => {
  const { cluster, change, stored, described } = await world(2);
  assert.equal(await change(ResourceType.topic, 't', [['max.message.bytes', set, '100']]), ErrorCode.NONE);
  await assert.rejects(cluster.produce(1, 't', 'x'.repeat(200)), refused(ErrorCode.MESSAGE_TOO_LARGE));
  assert.deepEqual(await stored('/config/topics/t'), { 'max.message.bytes': '100' });
  assert.deepEqual(await described(ResourceType.topic, 't', 'max.message.bytes'), ['100', TOPIC_CONFIG]);
  assert.equal(await change(ResourceType.topic, 't', [['max.message.bytes', remove, null]]), ErrorCode.NONE);
  assert.equal(await cluster.produce(1, 't', 'x'.repeat(200)), 0);
  assert.deepEqual(await described(ResourceType.topic, 't', 'max.message.bytes'), ['1048588', DEFAULT_CONFIG]);
});

test('a default of all brokers changes logs at once, under what the topic says itself', async () => {
  const { cluster, change, stored, described } = await world(2);
  await cluster.createTopic('own', [[1]]);
  await change(ResourceType.topic, 'own', [['max.message.bytes', set, '5000']]);
  assert.equal(await change(ResourceType.broker, '', [['message.max.bytes', set, '100']]), ErrorCode.NONE);
  assert.deepEqual(await stored('/config/brokers/<default>'), { 'message.max.bytes': '100' });
  await assert.rejects(cluster.produce(1, 't', 'x'.repeat(200)), refused(ErrorCode.MESSAGE_TOO_LARGE));
  assert.equal(await cluster.produce(1, 'own', 'x'.repeat(200)), 0);
  const found = await described(ResourceType.topic, 't', 'max.message.bytes');
  assert.deepEqual(found, ['100', DYNAMIC_DEFAULT_BROKER_CONFIG]);
});

test('dynamic values outlive a restart', async () => {
  const { cluster, change } = await world();
  await change(ResourceType.broker, '', [['message.max.bytes', set, '100']]);
  cluster.broker(0).crash('process');
  await cluster.broker(0).start();
  await cluster.until('it leads', async () => (await cluster.leaderOf(0, 't')) === 0);
  await assert.rejects(cluster.produce(0, 't', 'x'.repeat(200)), refused(ErrorCode.MESSAGE_TOO_LARGE));
});

test('a value that this broker alone has goes over that of all brokers', async () => {
  const { cluster, change } = await world();
  await change(ResourceType.broker, '', [['message.max.bytes', set, '100']]);
  assert.equal(await change(ResourceType.broker, '0', [['message.max.bytes', set, '5000']]), ErrorCode.NONE);
  assert.equal(await cluster.produce(0, 't', 'x'.repeat(200)), 0);
});

test('lists grow and shrink, beginning with what they inherit', async () => {
  const { change, stored } = await world();
  const steps: readonly [number, string, string][] = [
    [append, 'compact', 'delete,compact'],
    [append, 'compact', 'delete,compact'],
    [subtract, 'delete', 'compact'],
  ];
  for (const [operation, value, expected] of steps) {
    assert.equal(await change(ResourceType.topic, 't', [['cleanup.policy', operation, value]]), ErrorCode.NONE);
    assert.equal((await stored('/config/topics/t'))['cleanup.policy'], expected);
  }
  assert.equal(await change(ResourceType.topic, 't', [['retention.ms', append, '1']]), ErrorCode.INVALID_CONFIG);
});

test('what cannot be is refused, and nothing is written', async () => {
  const { cluster, change } = await world();
  const { topic, broker } = ResourceType;
  const refusals: readonly [number, string, readonly Change[], number][] = [
    [broker, '', [['log.dirs', set, '/x']], ErrorCode.INVALID_REQUEST],
    [broker, '0', [['broker.id', set, '4']], ErrorCode.INVALID_REQUEST],
    [broker, '', [['listeners', set, 'PLAINTEXT://:1']], ErrorCode.INVALID_REQUEST],
    [broker, '1', [['message.max.bytes', set, '4']], ErrorCode.INVALID_REQUEST],
    [broker, '', [['message.max.bytes', set, 'many']], ErrorCode.INVALID_REQUEST],
    [topic, 't', [['retention.ms', set, 'long']], ErrorCode.INVALID_CONFIG],
    [topic, 't', [['no.such.key', set, '1']], ErrorCode.INVALID_CONFIG],
    [topic, 't', [['retention.ms', set, null]], ErrorCode.INVALID_REQUEST],
    [topic, 'none', [['retention.ms', set, '1']], ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    [99, 't', [['retention.ms', set, '1']], ErrorCode.INVALID_REQUEST],
    [
      topic,
      't',
      [
        ['retention.ms', set, '1'],
        ['retention.ms', set, '2'],
      ],
      ErrorCode.INVALID_REQUEST,
    ],
  ];
  for (const [type, name, changes, code] of refusals) {
    assert.equal(await change(type, name, changes), code, JSON.stringify([type, name, changes]));
  }
  assert.equal(await change(topic, 't', [['retention.ms', set, '1']], true), ErrorCode.NONE);
  assert.deepEqual((await cluster.json('/config/topics/t')).config, {});
  assert.equal(await cluster.exists('/config/brokers/<default>'), false);
});

test('AlterConfigs replaces: what is not named goes back to its default', async () => {
  const { cluster, change, stored } = await world();
  await change(ResourceType.topic, 't', [
    ['retention.ms', set, '1000'],
    ['segment.bytes', set, '2000'],
  ]);
  const configs = [{ name: 'segment.bytes', value: '3000' }];
  const answer = await cluster.ask(0, (client) =>
    client.ask(AlterConfigsRequest, AlterConfigsResponse, 1, {
      resources: [{ resourceType: ResourceType.topic, resourceName: 't', configs }],
      validateOnly: false,
    }),
  );
  assert.equal(answer.responses[0]?.errorCode, ErrorCode.NONE);
  assert.deepEqual(await stored('/config/topics/t'), { 'segment.bytes': '3000' });
});

test('a change that a 2.1 tool announced is heard, one that nobody can read is passed over', async () => {
  const { cluster } = await world();
  const announce = (data: string) =>
    cluster.run(cluster.zk.create('/config/changes/config_change_', data, { mode: 2 }));
  await announce('{"version":2');
  await cluster.run(cluster.zk.setData('/config/topics/t', '{"version":1,"config":{"max.message.bytes":"100"}}'));
  await announce('{"version":2,"entity_path":"topics/t"}');
  await cluster.sim.runFor(500);
  await assert.rejects(cluster.produce(0, 't', 'x'.repeat(200)), refused(ErrorCode.MESSAGE_TOO_LARGE));
});

test('a value that nobody should have written in ZooKeeper does not keep a broker from starting, nor from serving', async () => {
  const { cluster } = await world();
  await cluster.run(cluster.zk.setData('/config/topics/t', '{"version":1,"config":{"retention.ms":"long"}}'));
  await cluster.run(
    cluster.zk.create('/config/brokers/<default>', '{"version":1,"config":{"message.max.bytes":"many"}}'),
  );
  cluster.broker(0).crash('process');
  await cluster.broker(0).start();
  await cluster.until('it leads', async () => (await cluster.leaderOf(0, 't')) === 0);
  assert.equal(await cluster.produce(0, 't', 'x'), 0);
});
