import { ConfigError } from '../../config/config-error.ts';
import { splitList } from '../../config/values.ts';
import { ASSIGNOR, type StreamsConfig } from '../coordinator/group/streams/streams-config.ts';
import type { GroupConfigs } from './config/group-configs.ts';
import type { KafkaConfig } from './config/kafka-config.ts';
import { checkGroupTimes, isProtocolEnabled } from './consumer-config.ts';

/** @throws ConfigError */
export function streamsConfig(config: KafkaConfig, groups: GroupConfigs): StreamsConfig {
  const assignors = config.list('group.streams.assignors');
  if (assignors.length !== 1 || assignors[0] !== ASSIGNOR) {
    throw new ConfigError('group.streams.assignors', assignors.join(','), `this broker has ${ASSIGNOR}`);
  }
  checkGroupTimes(config, 'streams');
  atMost(config, 'group.streams.num.standby.replicas', 'group.streams.max.standby.replicas');
  atMost(config, 'group.streams.num.warmup.replicas', 'group.streams.max.warmup.replicas');
  atMost(config, 'group.streams.min.task.offset.interval.ms', 'group.streams.task.offset.interval.ms');
  return {
    isEnabled: isProtocolEnabled(config, 'streams'),
    groupSizeMax: config.number('group.streams.max.size'),
    settings: (groupId) => ({
      ...groups.times('streams', groupId),
      initialRebalanceDelayMs: groups.number(groupId, 'streams.initial.rebalance.delay.ms'),
      standbyReplicas: groups.number(groupId, 'streams.num.standby.replicas'),
      rackAwareTags: splitList(groups.text(groupId, 'streams.rack.aware.assignment.tags')),
      taskOffsetIntervalMs: groups.number(groupId, 'streams.task.offset.interval.ms'),
      acceptableRecoveryLag: groups.number(groupId, 'streams.acceptable.recovery.lag'),
    }),
  };
}

function atMost(config: KafkaConfig, key: string, max: string): void {
  if (config.number(key) <= config.number(max)) return;
  throw new ConfigError(key, config.string(key), `${key} must be less than or equal to ${max}`);
}
