import { ErrorCode } from '../../../protocol/errors.ts';
import type { OffsetCommitRequest } from '../../../protocol/messages/08-offset-commit.ts';
import type { TxnOffsetCommitRequest } from '../../../protocol/messages/28-txn-offset-commit.ts';
import { NO_MEMBER_ID } from '../member.ts';
import type { OffsetOwner } from '../offset-owner.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import type { ConsumerMember } from './consumer-member.ts';
import { groupTombstones } from './membership.ts';
import { type TopicImage, topicId } from './topic-image.ts';

/** From this version of OffsetCommit on its sender knows of member epochs. */
const MEMBER_EPOCHS_FROM = 9;

type Committing = Pick<OffsetCommitRequest, 'generationIdOrMemberEpoch' | 'memberId'> & {
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly { readonly partitionIndex: number }[];
  }[];
};

/**
 * Whether a client may commit offsets of a group now; 0 if so. With an older epoch a member may still commit for partitions that it
 * has had since (KIP-1251).
 */
export function checkConsumerCommit(
  group: ConsumerGroup,
  request: Committing,
  version: number,
  image: TopicImage,
): number {
  const { generationIdOrMemberEpoch: epoch, memberId } = request;
  if (epoch < 0 && group.members.size === 0) return ErrorCode.NONE;
  const member = group.members.get(memberId);
  if (member === undefined) return ErrorCode.UNKNOWN_MEMBER_ID;
  if (member.classic === null && version < MEMBER_EPOCHS_FROM) return ErrorCode.UNSUPPORTED_VERSION;
  if (epoch === member.epoch) return ErrorCode.NONE;
  const stale = staleError(member);
  if (epoch > member.epoch) return stale;
  for (const { name, partitions } of request.topics) {
    const id = topicId(image, name) ?? '';
    for (const { partitionIndex } of partitions) {
      const since = member.assigned.get(id)?.get(partitionIndex) ?? member.revoking.get(id)?.get(partitionIndex);
      if (since === undefined || epoch < since) return stale;
    }
  }
  return ErrorCode.NONE;
}

/** The same within a transaction: who names no member need not be one (KIP-447), and there is one error for a wrong epoch. */
export function checkTransactionalConsumerCommit(
  group: ConsumerGroup,
  request: TxnOffsetCommitRequest,
  image: TopicImage,
): number {
  const { generationIdOrMemberEpoch: epoch, memberId, groupInstanceId } = request;
  if (epoch < 0 && memberId === NO_MEMBER_ID && groupInstanceId === null) return ErrorCode.NONE;
  const errorCode = checkConsumerCommit(group, request, MEMBER_EPOCHS_FROM, image);
  return errorCode === ErrorCode.STALE_MEMBER_EPOCH ? ErrorCode.ILLEGAL_GENERATION : errorCode;
}

/** Whether a client may read the offsets of a group; 0 if so. Only who says who it is must be what it says. */
export function checkConsumerFetch(group: ConsumerGroup, memberId: string | null, memberEpoch: number): number {
  if (memberId === null && memberEpoch < 0) return ErrorCode.NONE;
  const member = group.members.get(memberId ?? '');
  if (member === undefined) return ErrorCode.UNKNOWN_MEMBER_ID;
  return memberEpoch === member.epoch ? ErrorCode.NONE : staleError(member);
}

function staleError(member: ConsumerMember): number {
  return member.classic === null ? ErrorCode.STALE_MEMBER_EPOCH : ErrorCode.ILLEGAL_GENERATION;
}

function isSubscribed(group: ConsumerGroup, topic: string): boolean {
  return group.subscriptions.byName.of(topic) > 0 || group.subscriptions.byRegex.of(topic) > 0;
}

export function ownerOfConsumers(group: ConsumerGroup): OffsetOwner {
  return {
    id: group.id,
    memberCount: group.members.size,
    isSubscribed: (topic) => isSubscribed(group, topic),
    tombstones: () => groupTombstones(group),
  };
}
