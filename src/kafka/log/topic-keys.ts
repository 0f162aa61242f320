/** Types under the names that DescribeConfigs gives them. */
export type TopicKeyType = 'boolean' | 'string' | 'int' | 'long' | 'double' | 'list';

/** A broker key that gives a topic key its default; `unitMs` scales it (`log.retention.hours`). */
export interface BrokerSynonym {
  readonly name: string;
  readonly unitMs?: number;
}

export interface TopicKey {
  readonly name: string;
  readonly type: TopicKeyType;
  /** Apache 3.9's default as text. */
  readonly default: string;
  readonly min?: number;
  readonly max?: number;
  /** The only values, or for a list the only members. */
  readonly allowed?: readonly string[];
  /** The first that is set wins. */
  readonly synonyms: readonly BrokerSynonym[];
  readonly description: string;
}

interface Limits {
  readonly min?: number;
  readonly max?: number;
  readonly allowed?: readonly string[];
}

const HOUR_MS = 3_600_000;
const NO_LIMIT = '9223372036854775807';

// biome-ignore format: one key a line
const rows: readonly TopicKey[] = [
  key('cleanup.policy', 'list', 'delete', ['log.cleanup.policy'], 'Whether old segments are deleted, compacted by key, or both.', { allowed: ['compact', 'delete'] }),
  key('compression.gzip.level', 'int', '-1', ['compression.gzip.level'], 'Level when compression.type is gzip; -1 is the codec’s own default.'),
  key('compression.lz4.level', 'int', '9', ['compression.lz4.level'], 'Level when compression.type is lz4.', { min: 1, max: 17 }),
  key('compression.type', 'string', 'producer', ['compression.type'], 'The final codec of the topic; producer keeps what the producer chose.', {
    allowed: ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'],
  }),
  key('compression.zstd.level', 'int', '3', ['compression.zstd.level'], 'Level when compression.type is zstd.', { min: -131_072, max: 22 }),
  key('delete.retention.ms', 'long', '86400000', ['log.cleaner.delete.retention.ms'], 'How long a compacted topic keeps tombstones.', { min: 0 }),
  key('file.delete.delay.ms', 'long', '60000', ['log.segment.delete.delay.ms'], 'How long files marked .deleted stay on the disk.', { min: 0 }),
  key('flush.messages', 'long', NO_LIMIT, ['log.flush.interval.messages'], 'Sync the log after so many records.', { min: 1 }),
  key('flush.ms', 'long', NO_LIMIT, ['log.flush.interval.ms', 'log.flush.scheduler.interval.ms'], 'Sync the log after so much time.', { min: 0 }),
  key('follower.replication.throttled.replicas', 'list', '', [], 'partition:broker pairs, or *, whose fetching as follower is throttled.'),
  key('index.interval.bytes', 'int', '4096', ['log.index.interval.bytes'], 'Bytes of log between two index entries.', { min: 0 }),
  key('leader.replication.throttled.replicas', 'list', '', [], 'partition:broker pairs, or *, whose sending as leader is throttled.'),
  key('local.retention.bytes', 'long', '-2', ['log.local.retention.bytes'], 'Bytes kept locally of a tiered topic; -2 follows retention.bytes.', { min: -2 }),
  key('local.retention.ms', 'long', '-2', ['log.local.retention.ms'], 'Time kept locally of a tiered topic; -2 follows retention.ms.', { min: -2 }),
  key('max.compaction.lag.ms', 'long', NO_LIMIT, ['log.cleaner.max.compaction.lag.ms'], 'The longest a record stays uncompacted.', { min: 1 }),
  key('max.message.bytes', 'int', '1048588', ['message.max.bytes'], 'The largest record batch that is accepted.', { min: 0 }),
  key('message.downconversion.enable', 'boolean', 'true', ['log.message.downconversion.enable'], 'Whether old consumers get their old record format.'),
  key('message.format.version', 'string', '3.0-IV1', ['log.message.format.version'], 'Record format of the topic; ignored since 3.0, kept for old tools.'),
  key('message.timestamp.after.max.ms', 'long', NO_LIMIT, ['log.message.timestamp.after.max.ms'], 'How far a record’s timestamp may lie ahead of the broker’s clock.', { min: 0 }),
  key('message.timestamp.before.max.ms', 'long', NO_LIMIT, ['log.message.timestamp.before.max.ms'], 'How far a record’s timestamp may lie behind the broker’s clock.', { min: 0 }),
  key('message.timestamp.difference.max.ms', 'long', NO_LIMIT, ['log.message.timestamp.difference.max.ms'], 'Either direction at once; superseded by before and after.', { min: 0 }),
  key('message.timestamp.type', 'string', 'CreateTime', ['log.message.timestamp.type'], 'Whether the producer’s or the append’s time counts.', { allowed: ['CreateTime', 'LogAppendTime'] }),
  key('min.cleanable.dirty.ratio', 'double', '0.5', ['log.cleaner.min.cleanable.ratio'], 'Share of uncompacted bytes from which a log is compacted.', { min: 0, max: 1 }),
  key('min.compaction.lag.ms', 'long', '0', ['log.cleaner.min.compaction.lag.ms'], 'The shortest a record stays uncompacted.', { min: 0 }),
  key('min.insync.replicas', 'int', '1', ['min.insync.replicas'], 'Replicas in sync that a write with acks=all needs.', { min: 1 }),
  key('preallocate', 'boolean', 'false', ['log.preallocate'], 'Whether a new segment file takes its full size at once.'),
  key('remote.log.copy.disable', 'boolean', 'false', [], 'Whether a tiered topic stops copying segments away.'),
  key('remote.log.delete.on.disable', 'boolean', 'false', [], 'Whether remote data goes when tiering is switched off.'),
  key('remote.storage.enable', 'boolean', 'false', [], 'Whether segments are copied to remote storage.'),
  key('retention.bytes', 'long', '-1', ['log.retention.bytes'], 'Bytes kept of a partition; -1 without limit.'),
  key('retention.ms', 'long', '604800000', [
    'log.retention.ms',
    { name: 'log.retention.minutes', unitMs: 60_000 },
    { name: 'log.retention.hours', unitMs: HOUR_MS },
  ], 'Time that records are kept; -1 for ever.', { min: -1 }),
  key('segment.bytes', 'int', '1073741824', ['log.segment.bytes'], 'Size at which a segment is closed.', { min: 14 }),
  key('segment.index.bytes', 'int', '10485760', ['log.index.size.max.bytes'], 'Size to which an index may grow before its segment is closed.', { min: 4 }),
  key('segment.jitter.ms', 'long', '0', ['log.roll.jitter.ms', { name: 'log.roll.jitter.hours', unitMs: HOUR_MS }], 'Random time by which segments close earlier, so that not all do at once.', { min: 0 }),
  key('segment.ms', 'long', '604800000', ['log.roll.ms', { name: 'log.roll.hours', unitMs: HOUR_MS }], 'Time after which a segment is closed.', { min: 1 }),
  key('unclean.leader.election.enable', 'boolean', 'false', ['unclean.leader.election.enable'], 'Whether a replica that is not in sync may lead as a last resort.'),
];

/** In which order values are checked: that of Apache's definitions. */
export const checkedOrder: readonly string[] = [
  ...['segment.bytes', 'segment.ms', 'segment.jitter.ms', 'segment.index.bytes', 'flush.messages', 'flush.ms'],
  ...['retention.bytes', 'retention.ms', 'max.message.bytes', 'index.interval.bytes', 'delete.retention.ms'],
  ...['min.compaction.lag.ms', 'max.compaction.lag.ms', 'file.delete.delay.ms', 'min.cleanable.dirty.ratio'],
  ...['cleanup.policy', 'unclean.leader.election.enable', 'min.insync.replicas', 'compression.type'],
  ...['compression.gzip.level', 'compression.lz4.level', 'compression.zstd.level', 'preallocate'],
  ...['message.format.version', 'message.timestamp.type', 'message.timestamp.difference.max.ms'],
  ...['message.timestamp.before.max.ms', 'message.timestamp.after.max.ms', 'leader.replication.throttled.replicas'],
  ...['follower.replication.throttled.replicas', 'message.downconversion.enable', 'remote.storage.enable'],
  ...['local.retention.ms', 'local.retention.bytes', 'remote.log.copy.disable', 'remote.log.delete.on.disable'],
];

/** Every topic configuration key of Kafka 3.9, by name (`LogConfig`, `TopicConfig`). */
export const topicKeys: ReadonlyMap<string, TopicKey> = new Map(rows.map((row) => [row.name, row]));

function key(
  name: string,
  type: TopicKeyType,
  value: string,
  synonyms: readonly (string | BrokerSynonym)[],
  description: string,
  limits: Limits = {},
): TopicKey {
  const named = synonyms.map((synonym) => (typeof synonym === 'string' ? { name: synonym } : synonym));
  return { name, type, default: value, synonyms: named, description, ...limits };
}
