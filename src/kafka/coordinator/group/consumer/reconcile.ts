import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import { type Assignment, NO_PARTITIONS, type OwnedPartitions, type TopicPartitions } from './assignment.ts';
import { type ConsumerMember, MemberState, withEpoch } from './consumer-member.ts';
import type { PartitionOwners } from './partition-owners.ts';

/**
 *                 target without some of what it has                     it reports that it has given them up
 *   STABLE ---------------------------------------> UNREVOKED_PARTITIONS -------------------------+
 *     ^  |                                                                                        |
 *     |  +--------------------------------+                                                       v
 *     |   target with what others have    |                                          on to the target epoch:
 *     |                                   v                                          STABLE, or UNRELEASED_PARTITIONS
 *     +----------------------- UNRELEASED_PARTITIONS                                 where others have some of it
 *       all of it is there
 */
export interface Reconciliation {
  readonly targetEpoch: number;
  readonly target: Assignment;
  readonly owners: PartitionOwners;
  /** What the member says it has; undefined where it does not say. */
  readonly owned: readonly TopicPartitions[] | undefined;
  /** Ids of what it subscribes to now. */
  readonly subscribed: ReadonlySet<string>;
  readonly hasSubscriptionChanged: boolean;
}

/**
 * The next step of a member towards its target (`CurrentAssignmentBuilder`); the same member where there is none.
 * @throws KafkaError FENCED_MEMBER_EPOCH for a state that a later release wrote, unless the member has nothing
 */
export function reconcile(member: ConsumerMember, to: Reconciliation): ConsumerMember {
  switch (member.state) {
    case MemberState.STABLE:
      if (member.epoch !== to.targetEpoch) return next(member, to);
      return to.hasSubscriptionChanged ? dropUnsubscribed(member, to) : member;
    case MemberState.UNREVOKED_PARTITIONS:
      if (!stillHas(to.owned, member.revoking)) return next(member, to);
      return to.hasSubscriptionChanged ? dropUnsubscribed(member, to) : member;
    case MemberState.UNRELEASED_PARTITIONS:
      return next(member, to);
    default:
      if (to.owned === undefined || to.owned.length > 0) {
        throw new KafkaError(
          ErrorCode.FENCED_MEMBER_EPOCH,
          'The consumer group member is in a unknown state. The member must abandon all its partitions and rejoin.',
        );
      }
      return next({ ...member, epoch: to.targetEpoch }, to);
  }
}

/** Who does not say what it has may have anything. */
function stillHas(owned: readonly TopicPartitions[] | undefined, revoking: OwnedPartitions): boolean {
  if (owned === undefined) return true;
  return owned.some(({ topicId, partitions }) => partitions.some((one) => revoking.get(topicId)?.has(one) === true));
}

function next(member: ConsumerMember, to: Reconciliation): ConsumerMember {
  const kept = new Map<string, Map<number, number>>();
  const revoking = new Map<string, Map<number, number>>();
  for (const [topicId, partitions] of member.assigned) {
    const target = new Set(to.subscribed.has(topicId) ? to.target.get(topicId) : []);
    for (const [partition, epoch] of partitions)
      put(target.has(partition) ? kept : revoking, topicId, partition, epoch);
  }
  if (revoking.size > 0 && stillHas(to.owned, revoking)) {
    const state = MemberState.UNREVOKED_PARTITIONS;
    return { ...withEpoch(member, member.epoch), state, assigned: kept, revoking };
  }
  let isComplete = true;
  for (const [topicId, partitions] of to.target) {
    if (!to.subscribed.has(topicId)) continue;
    for (const partition of partitions) {
      if (kept.get(topicId)?.has(partition) === true) continue;
      // What it gives up itself is free for it.
      const isFree = !to.owners.isOwned(topicId, partition) || member.revoking.get(topicId)?.has(partition) === true;
      if (isFree) put(kept, topicId, partition, to.targetEpoch);
      else isComplete = false;
    }
  }
  const state = isComplete ? MemberState.STABLE : MemberState.UNRELEASED_PARTITIONS;
  return { ...withEpoch(member, to.targetEpoch), state, assigned: kept, revoking: NO_PARTITIONS };
}

/** Until the target follows, a member at least loses what it does not subscribe to any more. */
function dropUnsubscribed(member: ConsumerMember, to: Reconciliation): ConsumerMember {
  const assigned = new Map<string, ReadonlyMap<number, number>>();
  const revoking = new Map<string, ReadonlyMap<number, number>>(member.revoking);
  for (const [topicId, partitions] of member.assigned) {
    if (to.subscribed.has(topicId)) assigned.set(topicId, partitions);
    else revoking.set(topicId, new Map([...(revoking.get(topicId) ?? []), ...partitions]));
  }
  if (assigned.size === member.assigned.size) return member;
  const current = withEpoch(member, member.epoch);
  if (!stillHas(to.owned, revoking)) return { ...current, assigned };
  return { ...current, state: MemberState.UNREVOKED_PARTITIONS, assigned, revoking };
}

function put(owned: Map<string, Map<number, number>>, topicId: string, partition: number, epoch: number): void {
  const partitions = owned.get(topicId);
  if (partitions !== undefined) partitions.set(partition, epoch);
  else owned.set(topicId, new Map([[partition, epoch]]));
}
