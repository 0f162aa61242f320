import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import { JOIN_EPOCH, STATIC_LEAVE_EPOCH } from '../member-epochs.ts';
import type { OwnedPartitions } from './assignment.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import { type ConsumerMember, currentValue, metadataValue, regexOf } from './consumer-member.ts';
import type { ConsumerRecord } from './consumer-records.ts';
import { Counts } from './counts.ts';
import type { MetadataHasher } from './metadata-hash.ts';
import { regexTombstone } from './regexes.ts';
import { targetEpochRecord, targetRecord } from './target.ts';

export function unknownMember(groupId: string, memberId: string): KafkaError {
  return new KafkaError(ErrorCode.UNKNOWN_MEMBER_ID, `Member ${memberId} is not a member of group ${groupId}.`);
}

export function checkStaticMember<M>(holder: M | undefined, instanceId: string): asserts holder is M {
  if (holder === undefined) throw new KafkaError(ErrorCode.UNKNOWN_MEMBER_ID, `Instance id ${instanceId} is unknown.`);
}

export function checkFencedInstance(holder: { readonly id: string }, memberId: string, instanceId: string): void {
  if (holder.id === memberId) return;
  throw new KafkaError(
    ErrorCode.FENCED_INSTANCE_ID,
    `Static member ${memberId} with instance id ${instanceId} was fenced by member ${holder.id}.`,
  );
}

/** A static member begins another life under a new id: its place and its partitions go with it. */
export function replaceMember(
  group: ConsumerGroup,
  holder: ConsumerMember,
  memberId: string,
): { readonly member: ConsumerMember; readonly records: readonly ConsumerRecord[] } {
  const member = { ...holder, id: memberId, epoch: JOIN_EPOCH, previousEpoch: JOIN_EPOCH };
  const records: ConsumerRecord[] = [
    ...memberTombstones(group.id, holder.id),
    { kind: 'consumer-member', group: group.id, member: memberId, value: metadataValue(member) },
    targetRecord(group.id, memberId, group.target(holder.id) ?? new Map()),
    { kind: 'consumer-current', group: group.id, member: memberId, value: currentValue(member) },
  ];
  return { member, records };
}

/** A static member leaves for a while: nobody else gets its partitions before its session expires. */
export function leaveForAWhile(group: ConsumerGroup, member: ConsumerMember): ConsumerRecord {
  const value = currentValue({
    ...member,
    epoch: STATIC_LEAVE_EPOCH,
    assigned: sinceTheBeginning(member.assigned),
    revoking: new Map(),
  });
  return { kind: 'consumer-current', group: group.id, member: member.id, value };
}

function sinceTheBeginning(owned: OwnedPartitions): OwnedPartitions {
  return new Map(
    Array.from(owned, ([topicId, partitions]) => [topicId, new Map(Array.from(partitions.keys(), (one) => [one, 0]))]),
  );
}

/** Members are out of the group, whether they left or were thrown out. */
export function removeMembers(
  group: ConsumerGroup,
  members: ReadonlySet<ConsumerMember>,
  hasher: MetadataHasher,
): ConsumerRecord[] {
  const records = [...members].flatMap(({ id }) => memberTombstones(group.id, id));
  const subscriptions = group.subscriptions.copy();
  const gone = new Counts();
  for (const member of members) {
    subscriptions.count(member.topicNames, regexOf(member), -1);
    const regex = regexOf(member);
    if (regex !== undefined) gone.add(regex, 1);
  }
  for (const [regex, count] of gone.entries()) {
    if (group.subscriptions.regexes.of(regex) !== count) continue;
    records.push(regexTombstone(group.id, regex));
    subscriptions.resolve(group.regexes.get(regex)?.topics ?? [], []);
  }
  const epoch = group.epoch + 1;
  const metadataHash = hasher.hash(subscriptions.topics());
  records.push({ kind: 'consumer-epoch', group: group.id, value: { epoch, metadataHash } });
  // Nobody is left to be assigned anything; whoever comes next is assigned at once.
  if (members.size === group.members.size) records.push(targetEpochRecord(group.id, epoch, 0));
  return records;
}

function memberTombstones(group: string, member: string): ConsumerRecord[] {
  return [
    { kind: 'consumer-current', group, member, value: null },
    { kind: 'consumer-target', group, member, value: null },
    { kind: 'consumer-member', group, member, value: null },
  ];
}

/** All records of a group, in the order in which their loss makes sense to whoever replays them. */
export function groupTombstones(
  group: ConsumerGroup,
  renamed: ReadonlyMap<string, string> = new Map(),
): ConsumerRecord[] {
  const ids = Array.from(group.members.keys(), (id) => renamed.get(id) ?? id);
  const of = group.id;
  return [
    ...ids.map((member): ConsumerRecord => ({ kind: 'consumer-current', group: of, member, value: null })),
    ...ids.map((member): ConsumerRecord => ({ kind: 'consumer-target', group: of, member, value: null })),
    { kind: 'consumer-target-epoch', group: of, value: null },
    ...ids.map((member): ConsumerRecord => ({ kind: 'consumer-member', group: of, member, value: null })),
    ...Array.from(group.regexes.keys(), (regex) => regexTombstone(of, regex)),
    { kind: 'consumer-topics', group: of, value: null },
    { kind: 'consumer-epoch', group: of, value: null },
  ];
}
