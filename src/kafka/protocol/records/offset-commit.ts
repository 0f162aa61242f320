import { type Infer, int32, int64, message, string, uuid } from '../../../wire/schema.ts';

/**
 * Committed offsets in `__consumer_offsets`: key type 1, and type 0 of old releases. OffsetCommitValue reads the value of
 * either: its version 0 is LegacyOffsetCommitValue.
 */

export const OffsetCommitKey = message({
  name: 'OffsetCommitKey',
  apiKey: 1,
  versions: '0',
  flexible: 'none',
  fields: {
    group: { type: string, versions: '0' },
    topic: { type: string, versions: '0' },
    partition: { type: int32, versions: '0' },
  },
});
export type OffsetCommitKey = Infer<typeof OffsetCommitKey>;

export const OffsetCommitValue = message({
  name: 'OffsetCommitValue',
  apiKey: 1,
  versions: '0-4',
  flexible: '4+',
  fields: {
    offset: { type: int64, versions: '0+' },
    leaderEpoch: { type: int32, versions: '3+', default: -1, ignorable: true },
    metadata: { type: string, versions: '0+' },
    commitTimestamp: { type: int64, versions: '0+' },
    expireTimestamp: { type: int64, versions: '1', default: -1, ignorable: true },
    topicId: { type: uuid, versions: '4+', tag: 0, ignorable: true },
  },
});
export type OffsetCommitValue = Infer<typeof OffsetCommitValue>;

export const LegacyOffsetCommitKey = message({
  name: 'LegacyOffsetCommitKey',
  apiKey: 0,
  versions: '0',
  flexible: 'none',
  fields: {
    group: { type: string, versions: '0' },
    topic: { type: string, versions: '0' },
    partition: { type: int32, versions: '0' },
  },
});
export type LegacyOffsetCommitKey = Infer<typeof LegacyOffsetCommitKey>;

export const LegacyOffsetCommitValue = message({
  name: 'LegacyOffsetCommitValue',
  apiKey: 0,
  versions: '0',
  flexible: 'none',
  fields: {
    offset: { type: int64, versions: '0' },
    metadata: { type: string, versions: '0' },
    commitTimestamp: { type: int64, versions: '0' },
  },
});
export type LegacyOffsetCommitValue = Infer<typeof LegacyOffsetCommitValue>;
