import {
  StreamsGroupCurrentMemberAssignmentKey,
  StreamsGroupCurrentMemberAssignmentValue,
  StreamsGroupMemberMetadataKey,
  StreamsGroupMemberMetadataValue,
  StreamsGroupMetadataKey,
  StreamsGroupMetadataValue,
  StreamsGroupTargetAssignmentMemberKey,
  StreamsGroupTargetAssignmentMemberValue,
  StreamsGroupTargetAssignmentMetadataKey,
  StreamsGroupTargetAssignmentMetadataValue,
  StreamsGroupTopologyKey,
  StreamsGroupTopologyValue,
} from '../../../protocol/records/streams-group.ts';
import { keyType, readKey, readVersioned, writeKey, writeVersioned } from '../../../protocol/records/versioned.ts';
import type { CoordinatorRecord } from '../../coordinator-log.ts';

interface OfGroup {
  readonly group: string;
}

interface OfMember extends OfGroup {
  readonly member: string;
}

/** One record of a streams group in `__consumer_offsets` (KIP-1071); a null value forgets. */
export type StreamsRecord =
  | (OfGroup & { readonly kind: 'streams-epoch'; readonly value: StreamsGroupMetadataValue | null })
  | (OfGroup & { readonly kind: 'streams-topology'; readonly value: StreamsGroupTopologyValue | null })
  | (OfMember & { readonly kind: 'streams-member'; readonly value: StreamsGroupMemberMetadataValue | null })
  | (OfGroup & {
      readonly kind: 'streams-target-epoch';
      readonly value: StreamsGroupTargetAssignmentMetadataValue | null;
    })
  | (OfMember & { readonly kind: 'streams-target'; readonly value: StreamsGroupTargetAssignmentMemberValue | null })
  | (OfMember & { readonly kind: 'streams-current'; readonly value: StreamsGroupCurrentMemberAssignmentValue | null });

/** All values have one version. */
const VERSION = 0;

export function isStreamsRecord(record: { readonly kind: string }): record is StreamsRecord {
  return record.kind.startsWith('streams-');
}

export function encodeStreamsRecord(record: StreamsRecord): CoordinatorRecord {
  const groupId = record.group;
  switch (record.kind) {
    case 'streams-epoch':
      return {
        key: writeKey(StreamsGroupMetadataKey, { groupId }),
        value: record.value && writeVersioned(StreamsGroupMetadataValue, VERSION, record.value),
      };
    case 'streams-topology':
      return {
        key: writeKey(StreamsGroupTopologyKey, { groupId }),
        value: record.value && writeVersioned(StreamsGroupTopologyValue, VERSION, record.value),
      };
    case 'streams-member':
      return {
        key: writeKey(StreamsGroupMemberMetadataKey, { groupId, memberId: record.member }),
        value: record.value && writeVersioned(StreamsGroupMemberMetadataValue, VERSION, record.value),
      };
    case 'streams-target-epoch':
      return {
        key: writeKey(StreamsGroupTargetAssignmentMetadataKey, { groupId }),
        value: record.value && writeVersioned(StreamsGroupTargetAssignmentMetadataValue, VERSION, record.value),
      };
    case 'streams-target':
      return {
        key: writeKey(StreamsGroupTargetAssignmentMemberKey, { groupId, memberId: record.member }),
        value: record.value && writeVersioned(StreamsGroupTargetAssignmentMemberValue, VERSION, record.value),
      };
    case 'streams-current':
      return {
        key: writeKey(StreamsGroupCurrentMemberAssignmentKey, { groupId, memberId: record.member }),
        value: record.value && writeVersioned(StreamsGroupCurrentMemberAssignmentValue, VERSION, record.value),
      };
    default:
      return record satisfies never;
  }
}

/** Undefined for a key of another kind. @throws MalformedError, UnsupportedVersionError */
export function decodeStreamsRecord(key: Uint8Array, bytes: Uint8Array | null): StreamsRecord | undefined {
  // Copied first: the state outlives the slice of the log that it came in.
  const value = bytes && new Uint8Array(bytes);
  switch (keyType(key)) {
    case StreamsGroupMetadataKey.apiKey: {
      const { groupId: group } = readKey(StreamsGroupMetadataKey, key);
      return { kind: 'streams-epoch', group, value: value && readVersioned(StreamsGroupMetadataValue, value) };
    }
    case StreamsGroupTopologyKey.apiKey: {
      const { groupId: group } = readKey(StreamsGroupTopologyKey, key);
      return { kind: 'streams-topology', group, value: value && readVersioned(StreamsGroupTopologyValue, value) };
    }
    case StreamsGroupMemberMetadataKey.apiKey: {
      const { groupId: group, memberId: member } = readKey(StreamsGroupMemberMetadataKey, key);
      return {
        kind: 'streams-member',
        group,
        member,
        value: value && readVersioned(StreamsGroupMemberMetadataValue, value),
      };
    }
    case StreamsGroupTargetAssignmentMetadataKey.apiKey: {
      const { groupId: group } = readKey(StreamsGroupTargetAssignmentMetadataKey, key);
      return {
        kind: 'streams-target-epoch',
        group,
        value: value && readVersioned(StreamsGroupTargetAssignmentMetadataValue, value),
      };
    }
    case StreamsGroupTargetAssignmentMemberKey.apiKey: {
      const { groupId: group, memberId: member } = readKey(StreamsGroupTargetAssignmentMemberKey, key);
      return {
        kind: 'streams-target',
        group,
        member,
        value: value && readVersioned(StreamsGroupTargetAssignmentMemberValue, value),
      };
    }
    case StreamsGroupCurrentMemberAssignmentKey.apiKey: {
      const { groupId: group, memberId: member } = readKey(StreamsGroupCurrentMemberAssignmentKey, key);
      return {
        kind: 'streams-current',
        group,
        member,
        value: value && readVersioned(StreamsGroupCurrentMemberAssignmentValue, value),
      };
    }
    default:
      return undefined;
  }
}
