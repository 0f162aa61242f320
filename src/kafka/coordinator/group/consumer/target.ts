import { type Assignment, NO_ASSIGNMENT, sameAssignment, topicPartitionsOf } from './assignment.ts';
import type { AssignableMember } from './assignors/assignor.ts';
import { assignorOf } from './consumer-config.ts';
import type { ConsumerGroup, ResolvedRegex } from './consumer-group.ts';
import { type ConsumerMember, regexOf } from './consumer-member.ts';
import type { ConsumerRecord } from './consumer-records.ts';
import { copiedBuckets, grownBuckets, hashOrder, intHash, stringHash, uuidHash } from './java-order.ts';
import { type TopicImage, topicIds } from './topic-image.ts';

export interface TargetRequest {
  readonly group: ConsumerGroup;
  readonly epoch: number;
  /** The member as it is to be; it may replace another with its instance id. */
  readonly updated: ConsumerMember;
  readonly isHomogeneous: boolean;
  readonly assignor: string;
  readonly image: TopicImage;
  readonly nowMs: number;
}

export interface NewTarget {
  readonly records: readonly ConsumerRecord[];
  /** Of the updated member. */
  readonly target: Assignment;
}

/** Names that a member subscribes to, with what its regular expression is known to match. */
export function subscribedNames(member: ConsumerMember, regexes: ReadonlyMap<string, ResolvedRegex>): Set<string> {
  const regex = regexOf(member);
  const matched = regex === undefined ? [] : (regexes.get(regex)?.topics ?? []);
  return new Set([...member.topicNames, ...matched]);
}

/** The target of the member, or what it takes over from the one whose instance id it has. */
export function targetOf(group: ConsumerGroup, member: ConsumerMember): Assignment {
  const id = member.instanceId === null ? member.id : group.staticMembers.get(member.instanceId);
  return (id === undefined ? undefined : group.target(id)) ?? NO_ASSIGNMENT;
}

/** Who is to have what from now on: records for those who are to have something else than before (`TargetAssignmentBuilder`). */
export function assignTarget(request: TargetRequest): NewTarget {
  const { group, epoch, updated, isHomogeneous, assignor, image, nowMs } = request;
  const holder = group.staticMember(updated.instanceId);
  const replaced = holder?.id === updated.id ? undefined : holder;
  const members = new Map<string, AssignableMember>();
  const former = new Map<string, Assignment | undefined>();
  for (const member of inJavaOrder(group, updated, replaced)) {
    const takesOver = member === updated && replaced !== undefined;
    const assignment = group.target(takesOver ? replaced.id : member.id);
    former.set(member.id, assignment);
    const names = hashOrder(subscribedNames(member, group.regexes), stringHash, copiedBuckets);
    members.set(member.id, {
      instanceId: member.instanceId,
      topicIds: topicIds(image, names),
      assignment: walkedAssignment(assignment ?? NO_ASSIGNMENT),
    });
  }
  const assigned = assignorOf(assignor)({
    members,
    isHomogeneous,
    isAssigned: (topicId, partition) => group.isTargeted(topicId, partition),
    partitionCount: (topicId) => image.topic(image.nameOf(topicId) ?? '')?.partitionCount ?? 0,
  });
  const records: ConsumerRecord[] = [];
  for (const [memberId, before] of former) {
    const target = assigned.get(memberId) ?? NO_ASSIGNMENT;
    if (before === undefined || !sameAssignment(before, target)) records.push(targetRecord(group.id, memberId, target));
  }
  records.push(targetEpochRecord(group.id, epoch, nowMs));
  return { records, target: assigned.get(updated.id) ?? NO_ASSIGNMENT };
}

function inJavaOrder(
  group: ConsumerGroup,
  updated: ConsumerMember,
  replaced: ConsumerMember | undefined,
): ConsumerMember[] {
  const members = new Map(group.members);
  if (replaced !== undefined) members.delete(replaced.id);
  members.set(updated.id, updated);
  return hashOrder(members.values(), ({ id }) => stringHash(id), grownBuckets);
}

/** As Java's tables hand it out. */
function walkedAssignment(assignment: Assignment): Assignment {
  const topics = hashOrder(assignment, ([topicId]) => uuidHash(topicId), grownBuckets);
  return new Map(topics.map(([topicId, partitions]) => [topicId, hashOrder(partitions, intHash, copiedBuckets)]));
}

export function targetRecord(group: string, member: string, target: Assignment): ConsumerRecord {
  return { kind: 'consumer-target', group, member, value: { topicPartitions: topicPartitionsOf(target) } };
}

export function targetEpochRecord(group: string, epoch: number, timestampMs: number): ConsumerRecord {
  const value = { assignmentEpoch: epoch, assignmentTimestamp: timestampMs };
  return { kind: 'consumer-target-epoch', group, value };
}
