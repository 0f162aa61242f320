import {
  ShareGroupCurrentMemberAssignmentKey,
  ShareGroupCurrentMemberAssignmentValue,
  ShareGroupMemberMetadataKey,
  ShareGroupMemberMetadataValue,
  ShareGroupMetadataKey,
  ShareGroupMetadataValue,
  ShareGroupStatePartitionMetadataKey,
  ShareGroupStatePartitionMetadataValue,
  ShareGroupTargetAssignmentMemberKey,
  ShareGroupTargetAssignmentMemberValue,
  ShareGroupTargetAssignmentMetadataKey,
  ShareGroupTargetAssignmentMetadataValue,
} from '../../../protocol/records/share-group.ts';
import { keyType, readKey, readVersioned, writeKey, writeVersioned } from '../../../protocol/records/versioned.ts';
import type { CoordinatorRecord } from '../../coordinator-log.ts';

interface OfGroup {
  readonly group: string;
}

interface OfMember extends OfGroup {
  readonly member: string;
}

/** One record of a share group in `__consumer_offsets` (KIP-932); a null value forgets. */
export type ShareRecord =
  | (OfMember & { readonly kind: 'share-member'; readonly value: ShareGroupMemberMetadataValue | null })
  | (OfGroup & { readonly kind: 'share-epoch'; readonly value: ShareGroupMetadataValue | null })
  | (OfGroup & { readonly kind: 'share-target-epoch'; readonly value: ShareGroupTargetAssignmentMetadataValue | null })
  | (OfMember & { readonly kind: 'share-target'; readonly value: ShareGroupTargetAssignmentMemberValue | null })
  | (OfMember & { readonly kind: 'share-current'; readonly value: ShareGroupCurrentMemberAssignmentValue | null })
  | (OfGroup & { readonly kind: 'share-partitions'; readonly value: ShareGroupStatePartitionMetadataValue | null });

const VERSION = 0;

export function isShareRecord(record: { readonly kind: string }): record is ShareRecord {
  return record.kind.startsWith('share-');
}

export function encodeShareRecord(record: ShareRecord): CoordinatorRecord {
  const groupId = record.group;
  switch (record.kind) {
    case 'share-member':
      return {
        key: writeKey(ShareGroupMemberMetadataKey, { groupId, memberId: record.member }),
        value: record.value && writeVersioned(ShareGroupMemberMetadataValue, VERSION, record.value),
      };
    case 'share-epoch':
      return {
        key: writeKey(ShareGroupMetadataKey, { groupId }),
        value: record.value && writeVersioned(ShareGroupMetadataValue, VERSION, record.value),
      };
    case 'share-target-epoch':
      return {
        key: writeKey(ShareGroupTargetAssignmentMetadataKey, { groupId }),
        value: record.value && writeVersioned(ShareGroupTargetAssignmentMetadataValue, VERSION, record.value),
      };
    case 'share-target':
      return {
        key: writeKey(ShareGroupTargetAssignmentMemberKey, { groupId, memberId: record.member }),
        value: record.value && writeVersioned(ShareGroupTargetAssignmentMemberValue, VERSION, record.value),
      };
    case 'share-current':
      return {
        key: writeKey(ShareGroupCurrentMemberAssignmentKey, { groupId, memberId: record.member }),
        value: record.value && writeVersioned(ShareGroupCurrentMemberAssignmentValue, VERSION, record.value),
      };
    case 'share-partitions':
      return {
        key: writeKey(ShareGroupStatePartitionMetadataKey, { groupId }),
        value: record.value && writeVersioned(ShareGroupStatePartitionMetadataValue, VERSION, record.value),
      };
    default:
      return record satisfies never;
  }
}

/** Undefined for a key of another kind. @throws MalformedError, UnsupportedVersionError */
export function decodeShareRecord(key: Uint8Array, bytes: Uint8Array | null): ShareRecord | undefined {
  // Copied first: the state outlives the slice of the log that it came in.
  const value = bytes && new Uint8Array(bytes);
  switch (keyType(key)) {
    case ShareGroupMemberMetadataKey.apiKey: {
      const { groupId, memberId } = readKey(ShareGroupMemberMetadataKey, key);
      const read = value && readVersioned(ShareGroupMemberMetadataValue, value);
      return { kind: 'share-member', group: groupId, member: memberId, value: read };
    }
    case ShareGroupMetadataKey.apiKey: {
      const { groupId } = readKey(ShareGroupMetadataKey, key);
      return { kind: 'share-epoch', group: groupId, value: value && readVersioned(ShareGroupMetadataValue, value) };
    }
    case ShareGroupTargetAssignmentMetadataKey.apiKey: {
      const { groupId } = readKey(ShareGroupTargetAssignmentMetadataKey, key);
      const read = value && readVersioned(ShareGroupTargetAssignmentMetadataValue, value);
      return { kind: 'share-target-epoch', group: groupId, value: read };
    }
    case ShareGroupTargetAssignmentMemberKey.apiKey: {
      const { groupId, memberId } = readKey(ShareGroupTargetAssignmentMemberKey, key);
      const read = value && readVersioned(ShareGroupTargetAssignmentMemberValue, value);
      return { kind: 'share-target', group: groupId, member: memberId, value: read };
    }
    case ShareGroupCurrentMemberAssignmentKey.apiKey: {
      const { groupId, memberId } = readKey(ShareGroupCurrentMemberAssignmentKey, key);
      const read = value && readVersioned(ShareGroupCurrentMemberAssignmentValue, value);
      return { kind: 'share-current', group: groupId, member: memberId, value: read };
    }
    case ShareGroupStatePartitionMetadataKey.apiKey: {
      const { groupId } = readKey(ShareGroupStatePartitionMetadataKey, key);
      const read = value && readVersioned(ShareGroupStatePartitionMetadataValue, value);
      return { kind: 'share-partitions', group: groupId, value: read };
    }
    default:
      return undefined;
  }
}
