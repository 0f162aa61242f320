import { ErrorCode } from '../../../protocol/errors.ts';
import type { OffsetCommitRequest } from '../../../protocol/messages/08-offset-commit.ts';
import type { TxnOffsetCommitRequest } from '../../../protocol/messages/28-txn-offset-commit.ts';
import { NO_MEMBER_ID } from '../member.ts';
import type { OffsetOwner } from '../offset-owner.ts';
import { groupTombstones } from './membership.ts';
import type { StreamsGroup } from './streams-group.ts';
import { readerOf } from './topology.ts';

/** From this version of OffsetCommit on its sender knows of member epochs. */
const MEMBER_EPOCHS_FROM = 9;

type Committing = Pick<OffsetCommitRequest, 'generationIdOrMemberEpoch' | 'memberId'> & {
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly { readonly partitionIndex: number }[];
  }[];
};

/**
 * Whether a client may commit offsets of a group now; 0 if so. With an older epoch a member may still commit for active tasks that
 * it has had since (KIP-1251).
 */
export function checkStreamsCommit(group: StreamsGroup, request: Committing, version: number): number {
  const { generationIdOrMemberEpoch: epoch, memberId } = request;
  if (epoch < 0 && group.members.size === 0) return ErrorCode.NONE;
  const member = group.members.get(memberId);
  if (member === undefined) return ErrorCode.UNKNOWN_MEMBER_ID;
  if (version < MEMBER_EPOCHS_FROM) return ErrorCode.UNSUPPORTED_VERSION;
  if (epoch === member.epoch) return ErrorCode.NONE;
  if (epoch > member.epoch || group.topology === undefined) return ErrorCode.STALE_MEMBER_EPOCH;
  for (const { name, partitions } of request.topics) {
    const id = readerOf(group.topology, name)?.subtopologyId ?? '';
    for (const { partitionIndex } of partitions) {
      const since =
        member.assigned.active.get(id)?.get(partitionIndex) ?? member.revoking.active.get(id)?.get(partitionIndex);
      if (since === undefined || epoch < since) return ErrorCode.STALE_MEMBER_EPOCH;
    }
  }
  return ErrorCode.NONE;
}

/** The same within a transaction: who names no member need not be one (KIP-447), and there is one error for a wrong epoch. */
export function checkTransactionalStreamsCommit(group: StreamsGroup, request: TxnOffsetCommitRequest): number {
  const { generationIdOrMemberEpoch: epoch, memberId, groupInstanceId } = request;
  if (epoch < 0 && memberId === NO_MEMBER_ID && groupInstanceId === null) return ErrorCode.NONE;
  const errorCode = checkStreamsCommit(group, request, MEMBER_EPOCHS_FROM);
  return errorCode === ErrorCode.STALE_MEMBER_EPOCH ? ErrorCode.ILLEGAL_GENERATION : errorCode;
}

/** Whether a client may read the offsets of a group; 0 if so. Only who says who it is must be what it says. */
export function checkStreamsFetch(group: StreamsGroup, memberId: string | null, memberEpoch: number): number {
  if (memberId === null && memberEpoch < 0) return ErrorCode.NONE;
  const member = group.members.get(memberId ?? '');
  if (member === undefined) return ErrorCode.UNKNOWN_MEMBER_ID;
  return memberEpoch === member.epoch ? ErrorCode.NONE : ErrorCode.STALE_MEMBER_EPOCH;
}

export function ownerOfStreams(group: StreamsGroup): OffsetOwner {
  return {
    id: group.id,
    memberCount: group.members.size,
    isSubscribed: (topic) => group.isSubscribed(topic),
    tombstones: () => groupTombstones(group),
  };
}
