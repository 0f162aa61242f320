import { durationMs } from '../../../config/iso-duration.ts';
import type { ShareMembershipConfig } from '../../coordinator/group/share/share-groups.ts';
import type { OffsetReset, ShareGroupConfig } from '../../share/share-group-config.ts';
import type { KafkaConfig } from '../config/kafka-config.ts';

/** From a broker's configuration, by its keys. */
export function shareMembershipConfig(number: (key: string) => number): ShareMembershipConfig {
  return {
    groupSizeMax: number('group.share.max.size'),
    sessionTimeoutMs: number('group.share.session.timeout.ms'),
    heartbeatIntervalMs: number('group.share.heartbeat.interval.ms'),
    assignmentIntervalMs: number('group.share.assignment.interval.ms'),
  };
}

const BY_DURATION = 'by_duration:';

/** What is configured for a group, within the bounds that the broker sets, else what the broker says for all groups. */
export function shareGroupConfigOf(config: KafkaConfig, overrides: ReadonlyMap<string, string>): ShareGroupConfig {
  const bounded = (name: string, key: string, bounds: string): number => {
    const given = overrides.get(name);
    if (given === undefined) return config.number(key);
    const [min, max] = [config.number(`group.share.min.${bounds}`), config.number(`group.share.max.${bounds}`)];
    return Math.min(Math.max(Number(given), min), max);
  };
  const isCommitted = overrides.get('share.isolation.level') === 'read_committed';
  return {
    recordLockDurationMs: bounded(
      'share.record.lock.duration.ms',
      'group.share.record.lock.duration.ms',
      'record.lock.duration.ms',
    ),
    deliveryCountMax: bounded('share.delivery.count.limit', 'group.share.delivery.count.limit', 'delivery.count.limit'),
    inFlightMax: bounded(
      'share.partition.max.record.locks',
      'group.share.partition.max.record.locks',
      'partition.max.record.locks',
    ),
    offsetReset: offsetResetOf(overrides.get('share.auto.offset.reset') ?? 'latest'),
    isolation: isCommitted ? 'committed' : 'high-watermark',
    isRenewEnabled: overrides.get('share.renew.acknowledge.enable') !== 'false',
  };
}

function offsetResetOf(text: string): OffsetReset {
  if (text === 'earliest' || text === 'latest') return text;
  return { durationMs: durationMs(text.slice(BY_DURATION.length)) ?? 0 };
}
