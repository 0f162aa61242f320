import assert from 'node:assert/strict';
import test from 'node:test';
import { ConfigError } from '../../config/config-error.ts';
import { silent } from '../../runtime/log.ts';
import { GroupConfigs } from './config/group-configs.ts';
import { KafkaConfig } from './config/kafka-config.ts';
import { streamsConfig } from './streams-config.ts';

const config = (given: Record<string, string> = {}): ReturnType<typeof streamsConfig> => {
  const all = new KafkaConfig(new Map(Object.entries({ 'zookeeper.connect': 'localhost:2181', ...given })));
  return streamsConfig(all, new GroupConfigs(all, silent));
};

test('what is not given has Apache’s defaults', () => {
  const { settings, ...rest } = config();
  assert.deepEqual(rest, { isEnabled: true, groupSizeMax: 2_147_483_647 });
  assert.deepEqual(settings('g'), {
    sessionTimeoutMs: 45_000,
    heartbeatIntervalMs: 5000,
    assignmentIntervalMs: 1000,
    initialRebalanceDelayMs: 3000,
    standbyReplicas: 0,
    rackAwareTags: [],
    taskOffsetIntervalMs: 60_000,
    acceptableRecoveryLag: 10_000,
  });
  assert.equal(config({ 'group.coordinator.rebalance.protocols': 'classic,consumer' }).isEnabled, false);
  assert.equal(config({ 'group.coordinator.rebalance.protocols': 'classic,streams' }).isEnabled, true);
});

const refused: readonly (readonly [string, Record<string, string>])[] = [
  ['an assignor that there is not', { 'group.streams.assignors': 'com.example.Own' }],
  ['a session below the least', { 'group.streams.session.timeout.ms': '44999' }],
  ['an interval above the most', { 'group.streams.heartbeat.interval.ms': '15001' }],
  ['more standbys than the most', { 'group.streams.num.standby.replicas': '3' }],
  ['more to warm up than the most', { 'group.streams.num.warmup.replicas': '21' }],
  ['offsets more often than the least', { 'group.streams.task.offset.interval.ms': '14999' }],
];

for (const [name, given] of refused) {
  test(`refused: ${name}`, () => assert.throws(() => config(given), ConfigError));
}
