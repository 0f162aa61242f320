/*
 * A segment's files share its base offset, 20 digits: 00000000000000000000.log .index .timeindex .txnindex .snapshot;
 * a second suffix tells what is to become of them. Directories: <topic>-<partition>, and with `.<32 hex>-delete`,
 * `-future`, `-stray` those that are going, coming, or set aside.
 */
export const LOG_SUFFIX = '.log';
export const OFFSET_INDEX_SUFFIX = '.index';
export const TIME_INDEX_SUFFIX = '.timeindex';
export const TRANSACTION_INDEX_SUFFIX = '.txnindex';
export const SNAPSHOT_SUFFIX = '.snapshot';

/** Scheduled for removal. */
export const DELETED_SUFFIX = '.deleted';
/** Output of a compaction or split that was still running. */
export const CLEANED_SUFFIX = '.cleaned';
/** Output of a finished compaction or split that replaces older segments. */
export const SWAP_SUFFIX = '.swap';

export type SegmentFileKind = '.log' | '.index' | '.timeindex' | '.txnindex' | '.snapshot';

export interface SegmentFileName {
  readonly baseOffset: number;
  readonly kind: SegmentFileKind;
  readonly fate: '' | '.deleted' | '.cleaned' | '.swap';
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export function segmentFileName(baseOffset: number, kind: SegmentFileKind): string {
  return `${String(baseOffset).padStart(20, '0')}${kind}`;
}

const SEGMENT_FILE = /^(\d{20})(\.log|\.index|\.timeindex|\.txnindex|\.snapshot)(\.deleted|\.cleaned|\.swap)?$/;

/** Undefined for a file that is not a segment's. */
export function parseSegmentFileName(name: string): SegmentFileName | undefined {
  const match = SEGMENT_FILE.exec(name);
  if (match === null) return undefined;
  return {
    baseOffset: Number(match[1]),
    kind: match[2] as SegmentFileKind,
    fate: (match[3] ?? '') as SegmentFileName['fate'],
  };
}

export function directoryNameOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`;
}

export type DirectoryFate = '' | 'delete' | 'future' | 'stray';

/** What file systems allow for a name; the topic gives way (UnifiedLog.logDeleteDirName). */
const NAME_LENGTH_MAX = 255;

/** @param uuidHex 32 hexadecimal digits, so that a topic deleted twice leaves two names */
export function doomedDirectoryName(
  { topic, partition }: TopicPartition,
  uuidHex: string,
  fate: Exclude<DirectoryFate, ''>,
): string {
  const suffix = `-${partition}.${uuidHex}-${fate}`;
  return `${topic.slice(0, NAME_LENGTH_MAX - suffix.length)}${suffix}`;
}

/** Apache shortens no name of a replica on its way: one that does not fit cannot move (`ReplicaManager.alterReplicaLogDirs`). */
export function futureNameIsTooLong(topicPartition: TopicPartition): boolean {
  return `${directoryNameOf(topicPartition)}.-future`.length + 32 > NAME_LENGTH_MAX;
}

const PLAIN_DIRECTORY = /^(.+)-(\d+)$/;
const DOOMED_DIRECTORY = /^(.+)-(\d+)\.([0-9a-z]{32})-(delete|future|stray)$/;

/** Undefined for a directory that holds no partition. */
export function parseDirectoryName(name: string): (TopicPartition & { readonly fate: DirectoryFate }) | undefined {
  const match = DOOMED_DIRECTORY.exec(name) ?? PLAIN_DIRECTORY.exec(name);
  if (match === null) return undefined;
  return { topic: match[1]!, partition: Number(match[2]), fate: (match[4] ?? '') as DirectoryFate };
}
