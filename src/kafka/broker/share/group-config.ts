import { parseBoolean } from '../../../config/values.ts';
import type { ShareMembershipConfig } from '../../coordinator/group/share/share-groups.ts';
import type { ShareGroupConfig } from '../../share/share-group-config.ts';
import type { GroupConfigs } from '../config/group-configs.ts';
import { offsetResetOf } from '../config/group-keys.ts';
import type { KafkaConfig } from '../config/kafka-config.ts';
import { checkGroupTimes } from '../consumer-config.ts';

/** @throws ConfigError */
export function shareMembershipConfig(config: KafkaConfig, groups: GroupConfigs): ShareMembershipConfig {
  checkGroupTimes(config, 'share');
  return {
    groupSizeMax: config.number('group.share.max.size'),
    times: (groupId) => groups.times('share', groupId),
  };
}

/** What counts for a group that reads by share. */
export function shareGroupConfigOf(groups: GroupConfigs, groupId: string): ShareGroupConfig {
  const isCommitted = groups.text(groupId, 'share.isolation.level') === 'read_committed';
  return {
    recordLockDurationMs: groups.number(groupId, 'share.record.lock.duration.ms'),
    deliveryCountMax: groups.number(groupId, 'share.delivery.count.limit'),
    inFlightMax: groups.number(groupId, 'share.partition.max.record.locks'),
    offsetReset: offsetResetOf(groups.text(groupId, 'share.auto.offset.reset')) ?? 'latest',
    isolation: isCommitted ? 'committed' : 'high-watermark',
    isRenewEnabled: parseBoolean(groups.text(groupId, 'share.renew.acknowledge.enable')),
  };
}
