import type { BrokerKey } from './broker-keys.ts';

export const DECOMPRESSED_BYTES_KEY = 'odradek.message.max.decompressed.bytes';
export const RECENT_BATCHES_KEY = 'odradek.recent.batches.bytes';
export const METRICS_PORT_KEY = 'odradek.metrics.port';
export const METRICS_HOST_KEY = 'odradek.metrics.host';

const newerRows: readonly (readonly [string, BrokerKey['type'], string, number?])[] = [
  ['group.consumer.assignment.interval.ms', 'int', '1000', 0],
  ['group.consumer.max.assignment.interval.ms', 'int', '15000', 0],
  ['group.consumer.migration.policy', 'string', 'bidirectional'],
  ['group.consumer.min.assignment.interval.ms', 'int', '0', 0],
  ['group.consumer.regex.refresh.interval.ms', 'int', '600000', 10_000],
  ['group.share.assignment.interval.ms', 'int', '1000', 0],
  ['group.share.max.assignment.interval.ms', 'int', '15000', 0],
  ['group.share.max.delivery.count.limit', 'int', '10', 2],
  ['group.share.max.partition.max.record.locks', 'int', '4000', 100],
  ['group.share.max.share.sessions', 'int', '2000', 1],
  ['group.share.min.assignment.interval.ms', 'int', '0', 0],
  ['group.share.min.delivery.count.limit', 'int', '2', 2],
  ['group.share.min.partition.max.record.locks', 'int', '100', 100],
  ['group.streams.acceptable.recovery.lag', 'long', '10000', 0],
  ['group.streams.assignment.interval.ms', 'int', '1000', 0],
  ['group.streams.assignor.offload.enable', 'boolean', 'true'],
  ['group.streams.assignors', 'list', 'sticky'],
  ['group.streams.heartbeat.interval.ms', 'int', '5000', 1],
  ['group.streams.initial.rebalance.delay.ms', 'int', '3000', 0],
  ['group.streams.max.assignment.interval.ms', 'int', '15000', 0],
  ['group.streams.max.heartbeat.interval.ms', 'int', '15000', 1],
  ['group.streams.max.session.timeout.ms', 'int', '60000', 1],
  ['group.streams.max.size', 'int', '2147483647', 1],
  ['group.streams.max.standby.replicas', 'int', '2', 0],
  ['group.streams.max.warmup.replicas', 'int', '20', 0],
  ['group.streams.min.assignment.interval.ms', 'int', '0', 0],
  ['group.streams.min.heartbeat.interval.ms', 'int', '5000', 1],
  ['group.streams.min.session.timeout.ms', 'int', '45000', 1],
  ['group.streams.min.task.offset.interval.ms', 'int', '15000', 1],
  ['group.streams.num.standby.replicas', 'int', '0', 0],
  ['group.streams.num.warmup.replicas', 'int', '2', 0],
  ['group.streams.rack.aware.assignment.tags', 'list', ''],
  ['group.streams.session.timeout.ms', 'int', '45000', 1],
  ['group.streams.task.offset.interval.ms', 'int', '60000', 1],
  ['share.coordinator.cold.partition.snapshot.interval.ms', 'int', '300000', 1],
  ['share.coordinator.snapshot.update.records.per.snapshot', 'int', '500', 0],
  ['share.coordinator.state.topic.compression.codec', 'int', '0', 0],
  ['share.coordinator.state.topic.min.isr', 'short', '2', 1],
  ['share.coordinator.state.topic.num.partitions', 'int', '50', 1],
  ['share.coordinator.state.topic.prune.interval.ms', 'int', '300000', 1],
  ['share.coordinator.state.topic.replication.factor', 'short', '3', 1],
  ['share.coordinator.state.topic.segment.bytes', 'int', '104857600', 1],
];

/** Groups of KIP-848, of KIP-932 and of KIP-1071: keys that brokers describe from 4.0, 4.1 and 4.2 on. */
const newerKeys = newerRows.map(
  ([name, type, text, min]): BrokerKey => ({
    name,
    type,
    default: text,
    updateMode: 'read-only',
    effect: 'honoured',
    ...(min === undefined ? {} : { min }),
  }),
);

/**
 * Keys that no broker of Apache's has, for what a cluster with ZooKeeper cannot be told otherwise. They are read like the others,
 * and not shown by DescribeConfigs: tools that compare brokers find Apache's keys and no more.
 */
export const ownKeys: ReadonlyMap<string, BrokerKey> = new Map(
  [
    ...newerKeys,
    // The finalized level of the feature of that name (KIP-584, KIP-890): 2 lets clients of 4.x speak the newer protocol.
    {
      name: 'transaction.version',
      type: 'int',
      default: '0',
      updateMode: 'read-only',
      effect: 'honoured',
      min: 0,
    } as const,
    /**
     * What a compressed batch of a producer may become, in bytes; default 256 MiB. A MB can become 32 GB, which takes time, and
     * memory where the topic has another codec. Beyond it the batch is refused with MESSAGE_TOO_LARGE.
     */
    {
      name: DECOMPRESSED_BYTES_KEY,
      type: 'long',
      default: '268435456',
      updateMode: 'read-only',
      effect: 'honoured',
      min: 1,
    } as const,
    /**
     * Memory for the newest batches of all logs, in bytes; default 64 MiB. Consumers that keep up are served from it; 0 has
     * everything read from files.
     */
    {
      name: RECENT_BATCHES_KEY,
      type: 'long',
      default: '67108864',
      updateMode: 'read-only',
      effect: 'honoured',
      min: 0,
    } as const,
    /** Where `/metrics` is served, for there is no JMX without a JVM; 0 takes any port, -1 serves and counts nothing. */
    {
      name: METRICS_PORT_KEY,
      type: 'int',
      default: '-1',
      updateMode: 'read-only',
      effect: 'honoured',
      min: -1,
    } as const,
    /** The address for it; empty is every address. */
    {
      name: METRICS_HOST_KEY,
      type: 'string',
      default: '',
      updateMode: 'read-only',
      effect: 'honoured',
    } as const,
  ].map((key) => [key.name, key]),
);
