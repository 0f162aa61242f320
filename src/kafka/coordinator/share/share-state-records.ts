import {
  ShareSnapshotKey,
  ShareSnapshotValue,
  ShareUpdateKey,
  ShareUpdateValue,
} from '../../protocol/records/share-state.ts';
import { keyType, readKey, readVersioned, writeKey, writeVersioned } from '../../protocol/records/versioned.ts';
import type { CoordinatorRecord } from '../coordinator-log.ts';
import type { ShareKey } from './share-key.ts';

/** One record of `__share_group_state`. A snapshot without a value forgets the share partition. */
export type ShareStateRecord =
  | { readonly kind: 'snapshot'; readonly key: ShareKey; readonly value: ShareSnapshotValue | null }
  | { readonly kind: 'update'; readonly key: ShareKey; readonly value: ShareUpdateValue };

const VALUE_VERSION = 0;

export function encodeRecord(record: ShareStateRecord): CoordinatorRecord {
  if (record.kind === 'update') {
    return {
      key: writeKey(ShareUpdateKey, record.key),
      value: writeVersioned(ShareUpdateValue, VALUE_VERSION, record.value),
    };
  }
  return {
    key: writeKey(ShareSnapshotKey, record.key),
    value: record.value && writeVersioned(ShareSnapshotValue, VALUE_VERSION, record.value),
  };
}

/**
 * Undefined for a key of a newer release, and for an update without a value, which says nothing.
 * @throws MalformedError, UnsupportedVersionError
 */
export function decodeRecord(key: Uint8Array, value: Uint8Array | null): ShareStateRecord | undefined {
  switch (keyType(key)) {
    case ShareSnapshotKey.apiKey:
      return {
        kind: 'snapshot',
        key: readKey(ShareSnapshotKey, key),
        value: value && readVersioned(ShareSnapshotValue, value),
      };
    case ShareUpdateKey.apiKey:
      if (value === null) return undefined;
      return { kind: 'update', key: readKey(ShareUpdateKey, key), value: readVersioned(ShareUpdateValue, value) };
    default:
      return undefined;
  }
}
