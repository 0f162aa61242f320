import { present } from '../../base/assert.ts';
import { canonicalText } from '../../config/canonical-text.ts';
import { configDefFault, parseBoolean, parseNumber, splitList } from '../../config/values.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import type { TimestampType } from '../records/batch.ts';
import { isFormatVersion } from './format-version.ts';
import { checkedOrder, type TopicKey, topicKeys } from './topic-keys.ts';

/** What a log goes by. Times in milliseconds; "no limit" (2^63-1) is Infinity. */
export interface LogConfig {
  readonly segmentBytes: number;
  readonly segmentMs: number;
  readonly segmentJitterMs: number;
  readonly segmentIndexBytes: number;
  readonly indexIntervalBytes: number;
  readonly preallocate: boolean;
  readonly flushMessages: number;
  readonly flushMs: number;
  readonly retentionBytes: number;
  readonly retentionMs: number;
  readonly fileDeleteDelayMs: number;
  readonly maxMessageBytes: number;
  /** `cleanup.policy` contains it. */
  readonly compact: boolean;
  readonly delete: boolean;
  readonly deleteRetentionMs: number;
  readonly minCleanableDirtyRatio: number;
  readonly minCompactionLagMs: number;
  readonly maxCompactionLagMs: number;
  readonly compressionType: string;
  readonly compressionGzipLevel: number;
  readonly compressionLz4Level: number;
  readonly compressionZstdLevel: number;
  readonly messageTimestampType: TimestampType;
  readonly messageTimestampBeforeMaxMs: number;
  readonly messageTimestampAfterMaxMs: number;
  readonly messageDownconversionEnable: boolean;
  readonly minInsyncReplicas: number;
  readonly uncleanLeaderElectionEnable: boolean;
  readonly leaderReplicationThrottledReplicas: readonly string[];
  readonly followerReplicationThrottledReplicas: readonly string[];
}

/** Texts of topic keys by name: a topic's own, or a broker's defaults for all. */
export type TopicConfigTexts = ReadonlyMap<string, string>;

/** Apache's defaults under what `server.properties` gives. */
export function topicDefaultsOf(brokerConfig: ReadonlyMap<string, string>): TopicConfigTexts {
  const defaults = new Map<string, string>();
  for (const topicKey of topicKeys.values()) {
    defaults.set(topicKey.name, defaultOf(topicKey, brokerConfig));
  }
  return defaults;
}

function defaultOf(topicKey: TopicKey, brokerConfig: ReadonlyMap<string, string>): string {
  for (const { name, unitMs } of topicKey.synonyms) {
    const given = brokerConfig.get(name);
    if (given === undefined) continue;
    // -1 hours is "for ever" as -1 milliseconds is.
    return unitMs === undefined || Number(given) < 0 ? given : String(Number(given) * unitMs);
  }
  return topicKey.default;
}

/** @throws KafkaError INVALID_CONFIG in Apache's words */
export function logConfigOf(overrides: TopicConfigTexts, defaults: TopicConfigTexts = new Map()): LogConfig {
  validateTopicConfig(overrides);
  const text = (name: string): string =>
    overrides.get(name) ?? defaults.get(name) ?? present(topicKeys.get(name), 'a topic key', name).default;
  const number = (name: string): number => parseNumber(text(name));
  const boolean = (name: string): boolean => parseBoolean(text(name));
  const policy = splitList(text('cleanup.policy'));
  const differenceMaxMs = number('message.timestamp.difference.max.ms');
  const config: LogConfig = {
    segmentBytes: number('segment.bytes'),
    segmentMs: number('segment.ms'),
    segmentJitterMs: number('segment.jitter.ms'),
    segmentIndexBytes: number('segment.index.bytes'),
    indexIntervalBytes: number('index.interval.bytes'),
    preallocate: boolean('preallocate'),
    flushMessages: number('flush.messages'),
    flushMs: number('flush.ms'),
    retentionBytes: number('retention.bytes'),
    retentionMs: number('retention.ms'),
    fileDeleteDelayMs: number('file.delete.delay.ms'),
    maxMessageBytes: number('max.message.bytes'),
    compact: policy.includes('compact'),
    delete: policy.includes('delete'),
    deleteRetentionMs: number('delete.retention.ms'),
    minCleanableDirtyRatio: number('min.cleanable.dirty.ratio'),
    minCompactionLagMs: number('min.compaction.lag.ms'),
    maxCompactionLagMs: number('max.compaction.lag.ms'),
    compressionType: text('compression.type'),
    compressionGzipLevel: number('compression.gzip.level'),
    compressionLz4Level: number('compression.lz4.level'),
    compressionZstdLevel: number('compression.zstd.level'),
    messageTimestampType: text('message.timestamp.type') as TimestampType,
    messageTimestampBeforeMaxMs: firstLimit(number('message.timestamp.before.max.ms'), differenceMaxMs),
    messageTimestampAfterMaxMs: firstLimit(number('message.timestamp.after.max.ms'), differenceMaxMs),
    messageDownconversionEnable: boolean('message.downconversion.enable'),
    minInsyncReplicas: number('min.insync.replicas'),
    uncleanLeaderElectionEnable: boolean('unclean.leader.election.enable'),
    leaderReplicationThrottledReplicas: splitList(text('leader.replication.throttled.replicas')),
    followerReplicationThrottledReplicas: splitList(text('follower.replication.throttled.replicas')),
  };
  if (config.minCompactionLagMs > config.maxCompactionLagMs) {
    throw new KafkaError(
      ErrorCode.INVALID_CONFIG,
      `conflict topic config setting min.compaction.lag.ms (${text('min.compaction.lag.ms')}) > max.compaction.lag.ms (${text('max.compaction.lag.ms')})`,
    );
  }
  return config;
}

/** A compacted log closes its segments in time for `max.compaction.lag.ms`: the active one is never compacted (KIP-354). */
export function segmentMsOf({ compact, segmentMs, maxCompactionLagMs }: LogConfig): number {
  return compact && maxCompactionLagMs > 0 ? Math.min(maxCompactionLagMs, segmentMs) : segmentMs;
}

/** The superseded key counts where its successor says nothing (KIP-937). */
function firstLimit(limit: number, superseded: number): number {
  return limit === Infinity ? superseded : limit;
}

export const defaultLogConfig: LogConfig = logConfigOf(new Map());

/** @throws KafkaError INVALID_CONFIG for an unknown key or a value that it cannot take */
export function validateTopicConfig(overrides: TopicConfigTexts): void {
  for (const name of overrides.keys()) {
    if (!topicKeys.has(name)) throw new KafkaError(ErrorCode.INVALID_CONFIG, `Unknown topic config name: ${name}`);
  }
  for (const topicKey of inCheckedOrder(overrides)) {
    const { name } = topicKey;
    const value = present(overrides.get(name), 'a value', name);
    const fault = faultOf(topicKey, value);
    if (fault !== undefined) {
      const shown = refusedText(topicKey, value);
      throw new KafkaError(ErrorCode.INVALID_CONFIG, `Invalid value ${shown} for configuration ${name}: ${fault}`);
    }
  }
  if (parseBoolean(overrides.get('remote.storage.enable') ?? 'false')) {
    throw new KafkaError(
      ErrorCode.INVALID_CONFIG,
      'Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.',
    );
  }
}

/** The keys that have a value, in the order in which Apache's `LogConfig` defines them: the first bad value is told. */
function inCheckedOrder(overrides: TopicConfigTexts): TopicKey[] {
  const keys = [...overrides.keys()].map((name) => present(topicKeys.get(name), 'a topic key', name));
  return keys.sort((one, other) => checkedOrder.indexOf(one.name) - checkedOrder.indexOf(other.name));
}

/** As Apache shows it: what its type cannot take as it came, else what the type made of it. */
function refusedText({ type, allowed }: TopicKey, value: string): string {
  if (configDefFault({ type }, value) !== undefined) return value;
  if (type !== 'list') return canonicalText(type, value);
  const members = splitList(value);
  if (allowed === undefined) return `[${members.join(', ')}]`;
  return members.find((member) => !allowed.includes(member)) ?? value;
}

/** What `ConfigDef` says, then what the validators of single keys say. */
function faultOf(topicKey: TopicKey, value: string): string | undefined {
  const fault = configDefFault(topicKey, value);
  if (fault !== undefined) return fault;
  if (topicKey.name === 'compression.gzip.level' && !isGzipLevel(Number(value))) {
    return 'Value must be between 1 and 9 or equal to -1';
  }
  if (topicKey.name === 'message.format.version' && !isFormatVersion(value)) {
    return `Version ${value} is not a valid version`;
  }
  return topicKey.name.endsWith('.throttled.replicas') ? faultOfThrottledReplicas(topicKey.name, value) : undefined;
}

const isGzipLevel = (level: number): boolean => level === -1 || (level >= 1 && level <= 9);

/** `partition:broker,…`, `*`, or nothing (`ThrottledReplicaListValidator`). */
function faultOfThrottledReplicas(name: string, value: string): string | undefined {
  const members = splitList(value);
  const isFine = (members.length === 1 && members[0] === '*') || members.every((member) => /^\d+:\d+$/.test(member));
  if (isFine) return undefined;
  return `${name} must be the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...`;
}
