import { ErrorCode } from '../../protocol/errors.ts';
import type { OffsetCommitRequest } from '../../protocol/messages/08-offset-commit.ts';
import type { TxnOffsetCommitRequest } from '../../protocol/messages/28-txn-offset-commit.ts';
import type { ClassicGroup } from './classic-group.ts';
import type { GroupConfig } from './group-config.ts';
import type { CommittedOffset, OffsetRecord } from './group-records.ts';
import { NO_MEMBER_ID } from './member.ts';

type RequestPartition = OffsetCommitRequest['topics'][number]['partitions'][number];
type CommitPartition = Commit['topics'][number]['partitions'][number];

/** Error codes of a commit, in the order of the request's topics and partitions. */
export type CommitErrors = readonly (readonly number[])[];

export interface CommitDecision {
  /** What must be in the log before the commit counts. */
  readonly records: readonly OffsetRecord[];
  /** What to answer, given the error of the append: of all partitions that were refused, and of those that were not. */
  readonly errors: (appended: number) => CommitErrors;
}

const NO_RETENTION_TIME = -1;
const NO_TIMESTAMP = -1;
const NO_EXPIRY = -1;

/** The whole request is refused. */
export function refuseCommit(request: Pick<Commit, 'topics'>, errorCode: number): CommitErrors {
  return request.topics.map(({ partitions }) => partitions.map(() => errorCode));
}

/** Whether a client may commit offsets of a group now; 0 if so (`GroupCoordinator.validateOffsetCommit`). */
export function checkCommit(group: ClassicGroup, request: OffsetCommitRequest): number {
  const { generationIdOrMemberEpoch: generation, memberId, groupInstanceId } = request;
  if (group.state === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE;
  // Without a generation: a consumer that assigns itself, or an administrator's tool. Only while nobody is in the group.
  if (generation < 0 && group.state === 'Empty') return ErrorCode.NONE;
  if (generation < 0 && memberId === NO_MEMBER_ID && groupInstanceId === null) return ErrorCode.UNKNOWN_MEMBER_ID;
  const errorCode = group.check(memberId, groupInstanceId);
  if (errorCode !== ErrorCode.NONE) return errorCode;
  if (generation !== group.generation) return ErrorCode.ILLEGAL_GENERATION;
  // Its partitions may be another member's already.
  return group.state === 'CompletingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE;
}

/**
 * Whether offsets of a group may be committed within a transaction now; 0 if so. Producers from before 2.5 name no member and no
 * generation (KIP-447): they may even while others are in the group.
 */
export function checkTransactionalCommit(group: ClassicGroup, request: TxnOffsetCommitRequest): number {
  const { generationIdOrMemberEpoch: generation, memberId, groupInstanceId } = request;
  if (group.state === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE;
  if (generation < 0 && group.state === 'Empty') return ErrorCode.NONE;
  if (generation < 0 && memberId === NO_MEMBER_ID && groupInstanceId === null) return ErrorCode.NONE;
  const errorCode = group.check(memberId, groupInstanceId);
  if (errorCode !== ErrorCode.NONE) return errorCode;
  return generation === group.generation ? ErrorCode.NONE : ErrorCode.ILLEGAL_GENERATION;
}

/** What `decideCommit` needs to know of a commit, within a transaction or not. */
export interface Commit {
  readonly groupId: string;
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly (Omit<RequestPartition, 'commitTimestamp'> & { readonly commitTimestamp?: number })[];
  }[];
  readonly retentionTimeMs?: number;
}

/** What a permitted commit writes. Changes nothing. */
export function decideCommit(request: Commit, config: GroupConfig, nowMs: number): CommitDecision {
  const records: OffsetRecord[] = [];
  const refusals = request.topics.map(({ name, partitions }) =>
    partitions.map((partition) => {
      const errorCode = checkPartition(partition, config);
      if (errorCode === ErrorCode.NONE) {
        records.push({
          kind: 'offset',
          group: request.groupId,
          topic: name,
          partition: partition.partitionIndex,
          value: offsetValue(partition, request.retentionTimeMs ?? NO_RETENTION_TIME, nowMs),
        });
      }
      return errorCode;
    }),
  );
  const errors = (appended: number): CommitErrors =>
    refusals.map((codes) => codes.map((code) => (code === ErrorCode.NONE ? appended : code)));
  return { records, errors };
}

function checkPartition(partition: CommitPartition, config: GroupConfig): number {
  if ((partition.committedMetadata ?? '').length > config.offsetMetadataLengthMax)
    return ErrorCode.OFFSET_METADATA_TOO_LARGE;
  // Beyond 2^53 a number is not exact: no log gets there, and it could not be written back.
  return Number.isSafeInteger(partition.committedOffset) ? ErrorCode.NONE : ErrorCode.INVALID_COMMIT_OFFSET_SIZE;
}

function offsetValue(partition: CommitPartition, retentionTimeMs: number, nowMs: number): CommittedOffset {
  const { commitTimestamp = NO_TIMESTAMP } = partition;
  const hasTimestamp = commitTimestamp !== NO_TIMESTAMP && Number.isSafeInteger(commitTimestamp);
  return {
    offset: partition.committedOffset,
    leaderEpoch: partition.committedLeaderEpoch,
    metadata: partition.committedMetadata ?? '',
    commitTimestampMs: hasTimestamp ? commitTimestamp : nowMs,
    expireTimestampMs:
      retentionTimeMs === NO_RETENTION_TIME ? NO_EXPIRY : Math.min(nowMs + retentionTimeMs, Number.MAX_SAFE_INTEGER),
  };
}
