import { build } from '../../../wire/schema.ts';
import { GroupMetadataKey, GroupMetadataValue } from '../../protocol/records/group-metadata.ts';
import { LegacyOffsetCommitKey, OffsetCommitKey, OffsetCommitValue } from '../../protocol/records/offset-commit.ts';
import { keyType, readKey, readVersioned, writeKey, writeVersioned } from '../../protocol/records/versioned.ts';
import type { CoordinatorRecord } from '../coordinator-log.ts';
import { type ConsumerRecord, decodeConsumerRecord, encodeConsumerRecord } from './consumer/consumer-records.ts';
import { decodeShareRecord, encodeShareRecord, isShareRecord, type ShareRecord } from './share/share-records.ts';
import {
  decodeStreamsRecord,
  encodeStreamsRecord,
  isStreamsRecord,
  type StreamsRecord,
} from './streams/streams-records.ts';

/** What is known of a committed offset. */
export interface CommittedOffset {
  readonly offset: number;
  /** -1: not told. */
  readonly leaderEpoch: number;
  readonly metadata: string;
  readonly commitTimestampMs: number;
  /** -1: the broker's retention decides. Only commits of version 2 to 4 could ask for a time of their own. */
  readonly expireTimestampMs: number;
}

/** One record of `__consumer_offsets` that groups know; a null value forgets. */
export type GroupRecord = OffsetRecord | MetadataRecord | ConsumerRecord | ShareRecord | StreamsRecord;

export interface OffsetRecord {
  readonly kind: 'offset';
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly value: CommittedOffset | null;
}

export interface MetadataRecord {
  readonly kind: 'metadata';
  readonly group: string;
  readonly value: GroupMetadataValue | null;
}

/** What brokers from 2.3 to 3.9 write and read (`inter.broker.protocol.version`). */
const METADATA_VERSION = 3;
/** From 2.1 on, with the leader epoch. */
const OFFSET_VERSION = 3;
/** The only one that carries an expiry time of its own. */
const EXPIRING_OFFSET_VERSION = 1;
const NEVER = -1;

export function encodeRecord(record: GroupRecord): CoordinatorRecord {
  if (record.kind === 'metadata') {
    const key = writeKey(GroupMetadataKey, { group: record.group });
    return { key, value: record.value && writeVersioned(GroupMetadataValue, METADATA_VERSION, record.value) };
  }
  if (isShareRecord(record)) return encodeShareRecord(record);
  if (isStreamsRecord(record)) return encodeStreamsRecord(record);
  if (record.kind !== 'offset') return encodeConsumerRecord(record);
  const { group, topic, partition, value } = record;
  return { key: writeKey(OffsetCommitKey, { group, topic, partition }), value: value && encodeOffset(value) };
}

function encodeOffset(value: CommittedOffset): Uint8Array {
  const version = value.expireTimestampMs === NEVER ? OFFSET_VERSION : EXPIRING_OFFSET_VERSION;
  return writeVersioned(
    OffsetCommitValue,
    version,
    build(OffsetCommitValue, {
      offset: value.offset,
      leaderEpoch: value.leaderEpoch,
      metadata: value.metadata,
      commitTimestamp: value.commitTimestampMs,
      expireTimestamp: value.expireTimestampMs,
    }),
  );
}

/**
 * Undefined for a key that none of these groups knows: groups of yet other protocols leave such records.
 * @throws MalformedError, UnsupportedVersionError
 */
export function decodeRecord(key: Uint8Array, value: Uint8Array | null): GroupRecord | undefined {
  switch (keyType(key)) {
    case GroupMetadataKey.apiKey:
      return { kind: 'metadata', group: readKey(GroupMetadataKey, key).group, value: value && decodeMetadata(value) };
    case OffsetCommitKey.apiKey:
      return { kind: 'offset', ...readKey(OffsetCommitKey, key), value: value && decodeOffset(value) };
    case LegacyOffsetCommitKey.apiKey:
      return { kind: 'offset', ...readKey(LegacyOffsetCommitKey, key), value: value && decodeOffset(value) };
    default:
      return decodeConsumerRecord(key, value) ?? decodeShareRecord(key, value) ?? decodeStreamsRecord(key, value);
  }
}

/** Copied first: subscriptions and assignments stay in memory, the slice of the log that they came in must not. */
function decodeMetadata(value: Uint8Array): GroupMetadataValue {
  return readVersioned(GroupMetadataValue, new Uint8Array(value));
}

function decodeOffset(value: Uint8Array): CommittedOffset {
  const { offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp } = readVersioned(OffsetCommitValue, value);
  return { offset, leaderEpoch, metadata, commitTimestampMs: commitTimestamp, expireTimestampMs: expireTimestamp };
}
