import { durationMs } from '../../../config/iso-duration.ts';
import { type ConfigRule, configDefFault } from '../../../config/values.ts';

/** What a group can be configured to do other than others (`GroupConfig` of 4.4). */
export interface GroupKey extends ConfigRule {
  readonly name: string;
  readonly type: 'int' | 'long' | 'string' | 'boolean' | 'list';
  /** What counts where the group says nothing: this key of the broker, or this text where brokers have no such key. */
  readonly otherwise: { readonly brokerKey: string } | { readonly text: string };
  /** Keys of the broker that say what a group may have at least and at most. */
  readonly limits?: GroupLimits;
  /** Not shown by DescribeConfigs before the broker or the group has a value for it. */
  readonly isInternal?: true;
  readonly description: string;
}

/** Either may be missing. */
export interface GroupLimits {
  readonly min?: string;
  readonly max?: string;
}

const BY_DURATION = 'by_duration:';

type Row = readonly [name: string, min: number, description: string];

// biome-ignore format: one key a line
const numbers: readonly Row[] = [
  ['consumer.heartbeat.interval.ms', 1, 'Milliseconds between heartbeats of members of a consumer group.'],
  ['consumer.session.timeout.ms', 1, 'Milliseconds without a heartbeat after which a member of a consumer group is taken for dead.'],
  ['consumer.assignment.interval.ms', 0, 'The least milliseconds between two target assignments of a consumer group.'],
  ['share.heartbeat.interval.ms', 1, 'Milliseconds between heartbeats of members of a share group.'],
  ['share.session.timeout.ms', 1, 'Milliseconds without a heartbeat after which a member of a share group is taken for dead.'],
  ['share.record.lock.duration.ms', 1000, 'Milliseconds for which a member of a share group may keep a record before others get it.'],
  ['share.delivery.count.limit', 2, 'How often a record is delivered to a share group before it is given up.'],
  ['share.partition.max.record.locks', 100, 'Records of a partition that may be acquired by a share group at the same time.'],
  ['share.assignment.interval.ms', 0, 'The least milliseconds between two target assignments of a share group.'],
  ['streams.heartbeat.interval.ms', 1, 'Milliseconds between heartbeats of members of a streams group.'],
  ['streams.session.timeout.ms', 1, 'Milliseconds without a heartbeat after which a member of a streams group is taken for dead.'],
  ['streams.assignment.interval.ms', 0, 'The least milliseconds between two target assignments of a streams group.'],
];

/** `group.share.session.timeout.ms` and `group.share.max.session.timeout.ms` beside `share.session.timeout.ms`. */
function numberKey([name, min, description]: Row): GroupKey {
  const [kind, stem] = [name.slice(0, name.indexOf('.')), name.slice(name.indexOf('.') + 1)];
  const limits = { min: `group.${kind}.min.${stem}`, max: `group.${kind}.max.${stem}` };
  return { name, type: 'int', min, otherwise: { brokerKey: `group.${name}` }, limits, description };
}

const others: readonly GroupKey[] = [
  {
    name: 'share.auto.offset.reset',
    type: 'string',
    otherwise: { text: 'latest' },
    description: `Where a share group begins in a partition: earliest, latest, or ${BY_DURATION}PnDTnHnMn.nS before now.`,
  },
  {
    name: 'share.isolation.level',
    type: 'string',
    otherwise: { text: 'read_uncommitted' },
    allowed: ['read_committed', 'read_uncommitted'],
    description: 'Whether a share group gets records of transactions only once they are committed.',
  },
  {
    name: 'share.renew.acknowledge.enable',
    type: 'boolean',
    otherwise: { text: 'true' },
    description: 'Whether members of a share group may keep a record for longer than its lock lasts.',
  },
];

const streams: readonly GroupKey[] = [
  {
    name: 'streams.num.standby.replicas',
    type: 'int',
    min: 0,
    otherwise: { brokerKey: 'group.streams.num.standby.replicas' },
    limits: { max: 'group.streams.max.standby.replicas' },
    description: 'How many copies of the state of each task of a streams group are kept on other instances.',
  },
  {
    name: 'streams.task.offset.interval.ms',
    type: 'int',
    min: 1,
    otherwise: { brokerKey: 'group.streams.task.offset.interval.ms' },
    limits: { min: 'group.streams.min.task.offset.interval.ms' },
    isInternal: true,
    description: 'Milliseconds after which members of a streams group tell anew how far their state is.',
  },
  {
    name: 'streams.num.warmup.replicas',
    type: 'int',
    min: 0,
    otherwise: { brokerKey: 'group.streams.num.warmup.replicas' },
    limits: { max: 'group.streams.max.warmup.replicas' },
    isInternal: true,
    description: 'How many tasks of a streams group may be warmed up at the same time. Apache 4.4 warms none up yet.',
  },
  {
    name: 'streams.initial.rebalance.delay.ms',
    type: 'int',
    min: 0,
    otherwise: { brokerKey: 'group.streams.initial.rebalance.delay.ms' },
    description: 'Milliseconds for which a new streams group waits for more members before it assigns tasks.',
  },
  {
    name: 'streams.acceptable.recovery.lag',
    type: 'long',
    min: 0,
    otherwise: { brokerKey: 'group.streams.acceptable.recovery.lag' },
    isInternal: true,
    description: 'How many records a copy of state may lack to count as caught up.',
  },
  {
    name: 'streams.rack.aware.assignment.tags',
    type: 'list',
    otherwise: { brokerKey: 'group.streams.rack.aware.assignment.tags' },
    description: 'Client tags that members of a streams group must have, for copies of state to be kept apart by.',
  },
  {
    name: 'streams.assignor.name',
    type: 'string',
    otherwise: { brokerKey: 'group.streams.assignors' },
    description: 'Who assigns the tasks of a streams group: sticky, the only one there is.',
  },
  {
    name: 'streams.assignor.offload.enable',
    type: 'boolean',
    otherwise: { brokerKey: 'group.streams.assignor.offload.enable' },
    isInternal: true,
    description: 'Whether tasks are assigned on a thread of their own. Here they are not.',
  },
];

/** By name, in the order in which limits are checked. Queues for dead letters do not exist here, so nor do their keys. */
export const groupKeys: ReadonlyMap<string, GroupKey> = new Map(
  [...numbers.map(numberKey), ...streams, ...others].map((key) => [key.name, key]),
);

/** What is wrong with a value by itself, in Apache's words; undefined where it will do. */
export function groupValueFault(key: GroupKey, value: string): string | undefined {
  const { name } = key;
  if (name === 'share.auto.offset.reset') {
    if (offsetResetOf(value) !== undefined) return undefined;
    const text = `Invalid value \`${value}\` for configuration ${name}. The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'.`;
    return `Invalid value ${value} for configuration ${name}: ${text}`;
  }
  const fault = configDefFault(key, value);
  return fault === undefined ? undefined : `Invalid value ${value} for configuration ${name}: ${fault}`;
}

/** Milliseconds before now for a duration; undefined for what is no such value. */
export function offsetResetOf(text: string): 'earliest' | 'latest' | { readonly durationMs: number } | undefined {
  if (text === 'earliest' || text === 'latest') return text;
  if (!text.startsWith(BY_DURATION)) return undefined;
  const ms = durationMs(text.slice(BY_DURATION.length));
  return ms === undefined ? undefined : { durationMs: ms };
}
