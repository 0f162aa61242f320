import {
  ConsumerGroupCurrentMemberAssignmentKey,
  ConsumerGroupCurrentMemberAssignmentValue,
  ConsumerGroupMemberMetadataKey,
  ConsumerGroupMemberMetadataValue,
  ConsumerGroupMetadataKey,
  ConsumerGroupMetadataValue,
  ConsumerGroupPartitionMetadataKey,
  ConsumerGroupPartitionMetadataValue,
  ConsumerGroupRegularExpressionKey,
  ConsumerGroupRegularExpressionValue,
  ConsumerGroupTargetAssignmentMemberKey,
  ConsumerGroupTargetAssignmentMemberValue,
  ConsumerGroupTargetAssignmentMetadataKey,
  ConsumerGroupTargetAssignmentMetadataValue,
} from '../../../protocol/records/consumer-group.ts';
import { keyType, readKey, readVersioned, writeKey, writeVersioned } from '../../../protocol/records/versioned.ts';
import type { CoordinatorRecord } from '../../coordinator-log.ts';

/** One record of a group of the consumer protocol (KIP-848); a null value forgets. */
export type ConsumerRecord =
  | { readonly kind: 'consumer-epoch'; readonly group: string; readonly value: ConsumerGroupMetadataValue | null }
  | {
      /** Only 4.0 and before wrote it; later releases put its tombstone in its place. */
      readonly kind: 'consumer-topics';
      readonly group: string;
      readonly value: ConsumerGroupPartitionMetadataValue | null;
    }
  | {
      readonly kind: 'consumer-member';
      readonly group: string;
      readonly member: string;
      readonly value: ConsumerGroupMemberMetadataValue | null;
    }
  | {
      readonly kind: 'consumer-target-epoch';
      readonly group: string;
      readonly value: ConsumerGroupTargetAssignmentMetadataValue | null;
    }
  | {
      readonly kind: 'consumer-target';
      readonly group: string;
      readonly member: string;
      readonly value: ConsumerGroupTargetAssignmentMemberValue | null;
    }
  | {
      readonly kind: 'consumer-current';
      readonly group: string;
      readonly member: string;
      readonly value: ConsumerGroupCurrentMemberAssignmentValue | null;
    }
  | {
      readonly kind: 'consumer-regex';
      readonly group: string;
      readonly regex: string;
      readonly value: ConsumerGroupRegularExpressionValue | null;
    };

/** All values have one version. */
const VERSION = 0;

export function encodeConsumerRecord(record: ConsumerRecord): CoordinatorRecord {
  const groupId = record.group;
  switch (record.kind) {
    case 'consumer-epoch': {
      const value = record.value && writeVersioned(ConsumerGroupMetadataValue, VERSION, record.value);
      return { key: writeKey(ConsumerGroupMetadataKey, { groupId }), value };
    }
    case 'consumer-topics': {
      const value = record.value && writeVersioned(ConsumerGroupPartitionMetadataValue, VERSION, record.value);
      return { key: writeKey(ConsumerGroupPartitionMetadataKey, { groupId }), value };
    }
    case 'consumer-member': {
      const key = writeKey(ConsumerGroupMemberMetadataKey, { groupId, memberId: record.member });
      return { key, value: record.value && writeVersioned(ConsumerGroupMemberMetadataValue, VERSION, record.value) };
    }
    case 'consumer-target-epoch': {
      const value = record.value && writeVersioned(ConsumerGroupTargetAssignmentMetadataValue, VERSION, record.value);
      return { key: writeKey(ConsumerGroupTargetAssignmentMetadataKey, { groupId }), value };
    }
    case 'consumer-target': {
      const key = writeKey(ConsumerGroupTargetAssignmentMemberKey, { groupId, memberId: record.member });
      const value = record.value && writeVersioned(ConsumerGroupTargetAssignmentMemberValue, VERSION, record.value);
      return { key, value };
    }
    case 'consumer-current': {
      const key = writeKey(ConsumerGroupCurrentMemberAssignmentKey, { groupId, memberId: record.member });
      const value = record.value && writeVersioned(ConsumerGroupCurrentMemberAssignmentValue, VERSION, record.value);
      return { key, value };
    }
    case 'consumer-regex': {
      const key = writeKey(ConsumerGroupRegularExpressionKey, { groupId, regularExpression: record.regex });
      return { key, value: record.value && writeVersioned(ConsumerGroupRegularExpressionValue, VERSION, record.value) };
    }
    default:
      return record satisfies never;
  }
}

/**
 * Undefined for a key that is none of a consumer group's. Values are copied first: what stays in memory must not hold the slice of
 * the log that it came in.
 * @throws MalformedError, UnsupportedVersionError
 */
export function decodeConsumerRecord(key: Uint8Array, value: Uint8Array | null): ConsumerRecord | undefined {
  const bytes = value && new Uint8Array(value);
  switch (keyType(key)) {
    case ConsumerGroupMetadataKey.apiKey: {
      const { groupId: group } = readKey(ConsumerGroupMetadataKey, key);
      return { kind: 'consumer-epoch', group, value: bytes && readVersioned(ConsumerGroupMetadataValue, bytes) };
    }
    case ConsumerGroupPartitionMetadataKey.apiKey: {
      const { groupId: group } = readKey(ConsumerGroupPartitionMetadataKey, key);
      const topics = bytes && readVersioned(ConsumerGroupPartitionMetadataValue, bytes);
      return { kind: 'consumer-topics', group, value: topics };
    }
    case ConsumerGroupMemberMetadataKey.apiKey: {
      const { groupId: group, memberId: member } = readKey(ConsumerGroupMemberMetadataKey, key);
      const metadata = bytes && readVersioned(ConsumerGroupMemberMetadataValue, bytes);
      return { kind: 'consumer-member', group, member, value: metadata };
    }
    case ConsumerGroupTargetAssignmentMetadataKey.apiKey: {
      const { groupId: group } = readKey(ConsumerGroupTargetAssignmentMetadataKey, key);
      const epoch = bytes && readVersioned(ConsumerGroupTargetAssignmentMetadataValue, bytes);
      return { kind: 'consumer-target-epoch', group, value: epoch };
    }
    case ConsumerGroupTargetAssignmentMemberKey.apiKey: {
      const { groupId: group, memberId: member } = readKey(ConsumerGroupTargetAssignmentMemberKey, key);
      const target = bytes && readVersioned(ConsumerGroupTargetAssignmentMemberValue, bytes);
      return { kind: 'consumer-target', group, member, value: target };
    }
    case ConsumerGroupCurrentMemberAssignmentKey.apiKey: {
      const { groupId: group, memberId: member } = readKey(ConsumerGroupCurrentMemberAssignmentKey, key);
      const current = bytes && readVersioned(ConsumerGroupCurrentMemberAssignmentValue, bytes);
      return { kind: 'consumer-current', group, member, value: current };
    }
    case ConsumerGroupRegularExpressionKey.apiKey: {
      const { groupId: group, regularExpression: regex } = readKey(ConsumerGroupRegularExpressionKey, key);
      const resolved = bytes && readVersioned(ConsumerGroupRegularExpressionValue, bytes);
      return { kind: 'consumer-regex', group, regex, value: resolved };
    }
    default:
      return undefined;
  }
}
