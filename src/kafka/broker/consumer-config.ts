import { ConfigError } from '../../config/config-error.ts';
import {
  assignorName,
  type ConsumerConfig,
  type MigrationPolicy,
} from '../coordinator/group/consumer/consumer-config.ts';
import type { KafkaConfig } from './config/kafka-config.ts';

const PROTOCOLS = 'group.coordinator.rebalance.protocols';
const policies: readonly MigrationPolicy[] = ['bidirectional', 'upgrade', 'downgrade', 'disabled'];

/** @throws ConfigError */
export function consumerConfig(config: KafkaConfig): ConsumerConfig {
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
  const times = {
    sessionTimeoutMs: within(config, 'session.timeout.ms'),
    heartbeatIntervalMs: within(config, 'heartbeat.interval.ms'),
    assignmentIntervalMs: config.number('group.consumer.assignment.interval.ms'),
  };
  return {
    // Its default is that of 3.9, which serves them in KRaft alone; we serve all unless we are told otherwise.
    isEnabled: !config.given.has(PROTOCOLS) || config.list(PROTOCOLS).includes('consumer'),
    groupSizeMax: config.number('group.consumer.max.size'),
    assignors,
    migrationPolicy,
    regexRefreshIntervalMs: config.number('group.consumer.regex.refresh.interval.ms'),
    times: () => times,
  };
}

/** In Apache's words. */
function within(config: KafkaConfig, key: string): number {
  const value = config.number(`group.consumer.${key}`);
  const [min, max] = [`group.consumer.min.${key}`, `group.consumer.max.${key}`];
  if (config.number(max) < config.number(min)) {
    throw new ConfigError(max, config.string(max), `${max} must be greater than or equal to ${min}`);
  }
  if (value < config.number(min)) {
    throw new ConfigError(
      `group.consumer.${key}`,
      String(value),
      `group.consumer.${key} must be greater than or equal to ${min}`,
    );
  }
  if (value > config.number(max)) {
    throw new ConfigError(
      `group.consumer.${key}`,
      String(value),
      `group.consumer.${key} must be less than or equal to ${max}`,
    );
  }
  return value;
}
