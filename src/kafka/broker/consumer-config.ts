import { ConfigError } from '../../config/config-error.ts';
import {
  assignorName,
  type ConsumerConfig,
  type MigrationPolicy,
} from '../coordinator/group/consumer/consumer-config.ts';
import type { GroupConfigs } from './config/group-configs.ts';
import type { KafkaConfig } from './config/kafka-config.ts';

const PROTOCOLS = 'group.coordinator.rebalance.protocols';
const policies: readonly MigrationPolicy[] = ['bidirectional', 'upgrade', 'downgrade', 'disabled'];

/** @throws ConfigError */
export function consumerConfig(config: KafkaConfig, groups: GroupConfigs): ConsumerConfig {
  const assignors = config.list('group.consumer.assignors').map((text) => {
    const name = assignorName(text);
    if (name !== undefined) return name;
    throw new ConfigError('group.consumer.assignors', text, 'this broker has uniform and range');
  });
  if (assignors.length === 0) throw new ConfigError('group.consumer.assignors', '', 'name at least one assignor');
  const policy = config.string('group.consumer.migration.policy').toLowerCase();
  const migrationPolicy = policies.find((one) => one === policy);
  if (migrationPolicy === undefined) {
    throw new ConfigError('group.consumer.migration.policy', policy, `it is one of ${policies.join(', ')}`);
  }
  checkGroupTimes(config, 'consumer');
  return {
    isEnabled: isProtocolEnabled(config, 'consumer'),
    groupSizeMax: config.number('group.consumer.max.size'),
    assignors,
    migrationPolicy,
    regexRefreshIntervalMs: config.number('group.consumer.regex.refresh.interval.ms'),
    times: (groupId) => groups.times('consumer', groupId),
  };
}

/** Its default is that of 3.9, which serves new protocols in KRaft alone; we serve all unless we are told otherwise. */
export function isProtocolEnabled(config: KafkaConfig, protocol: 'consumer' | 'streams'): boolean {
  return !config.given.has(PROTOCOLS) || config.list(PROTOCOLS).includes(protocol);
}

/** What a broker says for all groups lies within what it allows each; in Apache's words. @throws ConfigError */
export function checkGroupTimes(config: KafkaConfig, kind: 'consumer' | 'share' | 'streams'): void {
  for (const time of ['session.timeout.ms', 'heartbeat.interval.ms', 'assignment.interval.ms']) {
    const key = `group.${kind}.${time}`;
    const [min, max] = [`group.${kind}.min.${time}`, `group.${kind}.max.${time}`];
    const refuse = (name: string, text: string): never => {
      throw new ConfigError(name, config.string(name), `${name} must be ${text}`);
    };
    if (config.number(max) < config.number(min)) refuse(max, `greater than or equal to ${min}`);
    if (config.number(key) < config.number(min)) refuse(key, `greater than or equal to ${min}`);
    if (config.number(key) > config.number(max)) refuse(key, `less than or equal to ${max}`);
  }
}
