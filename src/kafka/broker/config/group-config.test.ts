/** Configuration of groups (ConfigResource GROUP of 4.x): kept in ZooKeeper, within the broker's limits, effective at once. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../../protocol/errors.ts';
import { FindCoordinatorRequest, FindCoordinatorResponse } from '../../protocol/messages/10-find-coordinator.ts';
import { DescribeConfigsRequest, DescribeConfigsResponse } from '../../protocol/messages/32-describe-configs.ts';
import { AlterConfigsRequest, AlterConfigsResponse } from '../../protocol/messages/33-alter-configs.ts';
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../protocol/messages/44-incremental-alter-configs.ts';
import {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../../protocol/messages/68-consumer-group-heartbeat.ts';
import {
  ListConfigResourcesRequest,
  ListConfigResourcesResponse,
} from '../../protocol/messages/74-list-config-resources.ts';
import {
  ShareGroupHeartbeatRequest,
  ShareGroupHeartbeatResponse,
} from '../../protocol/messages/76-share-group-heartbeat.ts';
import { type ClusterOptions, ClusterWorld } from '../testkit/cluster-world.ts';
import { AlterOperation, ResourceType } from './config-change.ts';
import { ConfigSource } from './describe-config.ts';
import { groupKeys } from './group-keys.ts';

const { set, append, subtract, delete: remove } = AlterOperation;
type Change = readonly [name: string, operation: number, value: string | null];

class GroupWorld extends ClusterWorld {
  async change(resourceName: string, changes: readonly Change[], validateOnly = false) {
    const configs = changes.map(([name, configOperation, value]) => ({ name, configOperation, value }));
    const resources = [{ resourceType: ResourceType.group, resourceName, configs }];
    const request = { resources, validateOnly };
    const answer = await this.ask(0, (client) =>
      client.ask(IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse, 1, request),
    );
    await this.sim.runFor(500);
    return [answer.responses[0]?.errorCode, answer.responses[0]?.errorMessage];
  }

  async replace(resourceName: string, values: Readonly<Record<string, string>>) {
    const configs = Object.entries(values).map(([name, value]) => ({ name, value }));
    const resources = [{ resourceType: ResourceType.group, resourceName, configs }];
    const answer = await this.ask(0, (client) =>
      client.ask(AlterConfigsRequest, AlterConfigsResponse, 2, { resources }),
    );
    await this.sim.runFor(500);
    return answer.responses[0]?.errorCode;
  }

  async described(resourceName: string, configurationKeys: string[] | null = null, at = 0) {
    const resources = [{ resourceType: ResourceType.group, resourceName, configurationKeys }];
    const request = { resources, includeSynonyms: true, includeDocumentation: true };
    const { results } = await this.ask(at, (client) =>
      client.ask(DescribeConfigsRequest, DescribeConfigsResponse, 4, request),
    );
    return results[0]!;
  }

  async listed(at = 0): Promise<string[]> {
    const request = { resourceTypes: [ResourceType.group] };
    const answer = await this.ask(at, (client) =>
      client.ask(ListConfigResourcesRequest, ListConfigResourcesResponse, 1, request),
    );
    return answer.configResources.map(({ resourceName }) => resourceName);
  }
}

async function world({ kafka, ...options }: ClusterOptions = {}): Promise<GroupWorld> {
  const cluster = new GroupWorld({ ...options, kafka: { 'offsets.topic.num.partitions': 1, ...kafka } });
  await cluster.start();
  return cluster;
}

const NONE = [ErrorCode.NONE, null];
const SESSION = 'consumer.session.timeout.ms';

test('what a group is given is kept, described with what stands behind it, and listed by every broker', async () => {
  const cluster = await world({ brokers: 2, kafka: { 'group.consumer.session.timeout.ms': '46000' } });
  assert.deepEqual(await cluster.listed(), []);
  assert.deepEqual(await cluster.change('a/b c', [[SESSION, set, '050000']]), NONE);
  assert.deepEqual((await cluster.json('/config/groups/a%2Fb%20c')).config, { [SESSION]: '050000' });
  const { configs } = await cluster.described('a/b c', [SESSION], 1);
  const { documentation, ...facts } = configs[0]!;
  assert.deepEqual(facts, {
    name: SESSION,
    value: '50000',
    readOnly: false,
    isDefault: false,
    configSource: ConfigSource.group,
    isSensitive: false,
    synonyms: [
      { name: SESSION, value: '50000', source: ConfigSource.group },
      { name: 'group.consumer.session.timeout.ms', value: '46000', source: ConfigSource.staticBroker },
      { name: 'group.consumer.session.timeout.ms', value: '45000', source: ConfigSource.default },
    ],
    configType: 3,
  });
  assert.match(documentation ?? '', /heartbeat/);
  for (const broker of [0, 1]) assert.deepEqual(await cluster.listed(broker), ['a/b c']);
  cluster.broker(1).crash('process');
  await cluster.broker(1).start();
  assert.deepEqual(await cluster.listed(1), ['a/b c']);
  assert.deepEqual(await cluster.change('a/b c', [[SESSION, remove, null]]), NONE);
  for (const broker of [0, 1]) assert.deepEqual(await cluster.listed(broker), []);
  assert.equal(await cluster.exists('/config/groups/a%2Fb%20c'), false);
});

test('a group that nobody knows has every key at its default', async () => {
  const cluster = await world();
  const { configs } = await cluster.described('unknown');
  assert.deepEqual(
    configs.map(({ name }) => name),
    [...groupKeys.values()].filter(({ isInternal }) => isInternal !== true).map(({ name }) => name),
  );
  const found = new Map(configs.map(({ name, value, synonyms }) => [name, [value, synonyms.map((one) => one.name)]]));
  assert.deepEqual(found.get('share.auto.offset.reset'), ['latest', ['share.auto.offset.reset']]);
  const interval = 'consumer.assignment.interval.ms';
  assert.deepEqual(found.get(interval), ['1000', [`group.${interval}`]]);
  assert.ok(configs.every(({ configSource }) => configSource === ConfigSource.default));
  assert.equal((await cluster.described('')).errorCode, ErrorCode.INVALID_REQUEST);
});

test('behind a value of a group stands what its broker is given, and the default of that', async () => {
  const cluster = await world({ kafka: { 'group.share.assignment.interval.ms': '0' } });
  const { configs } = await cluster.described('g', ['share.assignment.interval.ms']);
  const { value, configSource, synonyms } = configs[0]!;
  assert.deepEqual([value, configSource], ['0', ConfigSource.staticBroker]);
  assert.deepEqual(synonyms, [
    { name: 'group.share.assignment.interval.ms', value: '0', source: ConfigSource.staticBroker },
    { name: 'group.share.assignment.interval.ms', value: '1000', source: ConfigSource.default },
  ]);
});

test('AlterConfigs leaves nothing of what was there', async () => {
  const cluster = await world();
  await cluster.change('g', [['share.isolation.level', set, 'read_committed']]);
  assert.equal(await cluster.replace('g', { 'share.session.timeout.ms': '50000' }), ErrorCode.NONE);
  assert.deepEqual((await cluster.json('/config/groups/g')).config, { 'share.session.timeout.ms': '50000' });
});

const refused: readonly (readonly [change: Change, text: string])[] = [
  [['share.none', set, '1'], 'Unknown group config name: share.none'],
  [[SESSION, set, 'x'], `Invalid value x for configuration ${SESSION}: Not a number of type INT`],
  [[SESSION, set, '0'], `Invalid value 0 for configuration ${SESSION}: Value must be at least 1`],
  [[SESSION, set, '60001'], `${SESSION} must be in the range 45000 to 60000 inclusive.`],
  [['share.delivery.count.limit', set, '11'], 'share.delivery.count.limit must be in the range 2 to 10 inclusive.'],
  [
    ['share.isolation.level', set, 'none'],
    'Invalid value none for configuration share.isolation.level: String must be one of: read_committed, read_uncommitted',
  ],
  [
    ['share.auto.offset.reset', set, 'by_duration:P1Y'],
    "Invalid value by_duration:P1Y for configuration share.auto.offset.reset: Invalid value `by_duration:P1Y` for configuration share.auto.offset.reset. The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'.",
  ],
  [
    ['share.renew.acknowledge.enable', set, 'yes'],
    'Invalid value yes for configuration share.renew.acknowledge.enable: Expected value to be either true or false',
  ],
  [['streams.num.standby.replicas', set, '3'], 'streams.num.standby.replicas must be less than or equal to 2'],
  [
    ['streams.task.offset.interval.ms', set, '1'],
    'streams.task.offset.interval.ms must be greater than or equal to 15000',
  ],
  [
    ['streams.assignor.name', set, 'other'],
    "streams.assignor.name 'other' is not a registered task assignor. Registered assignors are: [sticky].",
  ],
  [
    ['streams.rack.aware.assignment.tags', set, 'a, b,a'],
    'streams.rack.aware.assignment.tags must not contain duplicate tag keys.',
  ],
  [[SESSION, append, '1'], `Can't APPEND to key ${SESSION} because its type is not LIST.`],
  [[SESSION, subtract, '1'], `Can't SUBTRACT to key ${SESSION} because its type is not LIST.`],
];

test('what a group cannot have is refused in Apache’s words, and nothing is written', async () => {
  const cluster = await world();
  for (const [change, text] of refused) {
    assert.deepEqual(await cluster.change('g', [change]), [ErrorCode.INVALID_CONFIG, text]);
  }
  const noName = [ErrorCode.INVALID_REQUEST, 'Default group resources are not allowed.'];
  assert.deepEqual(await cluster.change('', [[SESSION, set, '50000']]), noName);
  assert.deepEqual(await cluster.change('g', [[SESSION, set, '50000']], true), NONE);
  assert.equal(await cluster.exists('/config/groups'), false);
});

test('what is internal is shown once the group has a value for it', async () => {
  const cluster = await world();
  await cluster.change('g', [['streams.acceptable.recovery.lag', set, '7']]);
  await cluster.until('the broker knows', async () => {
    const { configs } = await cluster.described('g');
    return configs.some(({ name, value }) => name === 'streams.acceptable.recovery.lag' && value === '7');
  });
  assert.ok((await cluster.described('g')).configs.every(({ name }) => name !== 'streams.num.warmup.replicas'));
});

test('a session lasts longer than the pause between two heartbeats', async () => {
  const cluster = await world({ kafka: { 'group.share.min.session.timeout.ms': '1000' } });
  const text = 'share.session.timeout.ms must be greater than share.heartbeat.interval.ms';
  const changed = await cluster.change('g', [['share.session.timeout.ms', set, '5000']]);
  assert.deepEqual(changed, [ErrorCode.INVALID_CONFIG, text]);
});

test('values that lie outside the limits of a broker count as far as it allows', async () => {
  const cluster = await world({ kafka: { 'group.consumer.max.heartbeat.interval.ms': '60000' } });
  await cluster.change('g', [['consumer.heartbeat.interval.ms', set, '30000']]);
  assert.equal(await heartbeat(cluster, 'g'), 30_000);
  const narrower = await world();
  const stored = { version: 1, config: { 'consumer.heartbeat.interval.ms': '30000', other: '1' } };
  await narrower.run(narrower.zk.create('/config/groups', new Uint8Array()));
  await narrower.run(narrower.zk.create('/config/groups/g', Buffer.from(JSON.stringify(stored))));
  narrower.broker(0).crash('process');
  await narrower.broker(0).start();
  assert.equal(await heartbeat(narrower, 'g'), 15_000);
});

async function coordinator(cluster: GroupWorld): Promise<void> {
  await cluster.until('a coordinator', async () => {
    const { errorCode } = await cluster.ask(0, (client) =>
      client.ask(FindCoordinatorRequest, FindCoordinatorResponse, 2, { key: 'g', keyType: 0 }),
    );
    return errorCode === ErrorCode.NONE;
  });
}

async function heartbeat(cluster: GroupWorld, groupId: string, memberId = 'm', memberEpoch = 0): Promise<number> {
  const joining = { rebalanceTimeoutMs: 1000, subscribedTopicNames: ['t'], topicPartitions: [] };
  const request = { groupId, memberId, memberEpoch, ...joining };
  let intervalMs = 0;
  await coordinator(cluster);
  await cluster.until('a heartbeat is answered', async () => {
    const answer = await cluster.ask(0, (client) =>
      client.ask(ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, 1, request),
    );
    intervalMs = answer.heartbeatIntervalMs;
    return answer.errorCode === ErrorCode.NONE;
  });
  return intervalMs;
}

async function shareHeartbeat(cluster: GroupWorld, memberEpoch: number) {
  const request = { groupId: 's', memberId: 'm', memberEpoch, subscribedTopicNames: ['t'] };
  return cluster.ask(0, (client) => client.ask(ShareGroupHeartbeatRequest, ShareGroupHeartbeatResponse, 1, request));
}

test('members hear of a new interval with their next heartbeat, and sessions end by the new timeout', async () => {
  const cluster = await world();
  await cluster.createTopic('t', [[0]]);
  assert.equal(await heartbeat(cluster, 'c'), 5000);
  let epoch = 0;
  await cluster.until('the share group is there', async () => {
    const answer = await shareHeartbeat(cluster, 0);
    epoch = answer.memberEpoch;
    return answer.errorCode === ErrorCode.NONE;
  });
  await cluster.change('c', [['consumer.heartbeat.interval.ms', set, '6000']]);
  await cluster.change('s', [
    ['share.heartbeat.interval.ms', set, '7000'],
    ['share.session.timeout.ms', set, '55000'],
  ]);
  assert.equal(await heartbeat(cluster, 'c', 'other'), 6000);
  assert.equal((await shareHeartbeat(cluster, epoch)).heartbeatIntervalMs, 7000);
  await cluster.sim.runFor(50_000);
  const later = await shareHeartbeat(cluster, epoch);
  assert.equal(later.errorCode, ErrorCode.NONE);
  await cluster.change('s', [['share.session.timeout.ms', remove, null]]);
  await shareHeartbeat(cluster, later.memberEpoch);
  await cluster.sim.runFor(50_000);
  assert.equal((await shareHeartbeat(cluster, later.memberEpoch)).errorCode, ErrorCode.UNKNOWN_MEMBER_ID);
});
