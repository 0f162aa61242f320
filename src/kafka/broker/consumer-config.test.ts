import assert from 'node:assert/strict';
import test from 'node:test';
import { ConfigError } from '../../config/config-error.ts';
import { silent } from '../../runtime/log.ts';
import { GroupConfigs } from './config/group-configs.ts';
import { KafkaConfig } from './config/kafka-config.ts';
import { consumerConfig } from './consumer-config.ts';

const config = (given: Record<string, string> = {}): ReturnType<typeof consumerConfig> => {
  const all = new KafkaConfig(new Map(Object.entries({ 'zookeeper.connect': 'localhost:2181', ...given })));
  return consumerConfig(all, new GroupConfigs(all, silent));
};

test('what is not given has Apache’s defaults', () => {
  const { times, ...rest } = config();
  assert.deepEqual(rest, {
    isEnabled: true,
    groupSizeMax: 2_147_483_647,
    assignors: ['uniform', 'range'],
    migrationPolicy: 'bidirectional',
    regexRefreshIntervalMs: 600_000,
  });
  assert.deepEqual(times('g'), { sessionTimeoutMs: 45_000, heartbeatIntervalMs: 5000, assignmentIntervalMs: 1000 });
});

test('assignors go by the names of 4.x and by the classes of 3.9, and the first is the default', () => {
  const assignors = 'range,org.apache.kafka.coordinator.group.assignor.UniformAssignor';
  assert.deepEqual(config({ 'group.consumer.assignors': assignors }).assignors, ['range', 'uniform']);
});

const refused: readonly (readonly [string, Record<string, string>])[] = [
  ['an assignor that there is not', { 'group.consumer.assignors': 'com.example.Own' }],
  ['no assignor', { 'group.consumer.assignors': '' }],
  ['another policy', { 'group.consumer.migration.policy': 'sometimes' }],
  ['a session below the least', { 'group.consumer.session.timeout.ms': '44999' }],
  ['a session above the most', { 'group.consumer.session.timeout.ms': '60001' }],
  ['an interval above the most', { 'group.consumer.assignment.interval.ms': '15001' }],
  ['a least above the most', { 'group.consumer.min.heartbeat.interval.ms': '20000' }],
];

for (const [name, given] of refused) {
  test(`${name} is refused`, () => {
    assert.throws(() => config(given), ConfigError);
  });
}

test('migration policies go without case', () => {
  assert.equal(config({ 'group.consumer.migration.policy': 'Upgrade' }).migrationPolicy, 'upgrade');
});
