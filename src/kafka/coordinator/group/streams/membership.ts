import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import { JOIN_EPOCH, STATIC_LEAVE_EPOCH } from '../member-epochs.ts';
import type { StreamsGroup } from './streams-group.ts';
import { currentValue, metadataValue, type StreamsMember } from './streams-member.ts';
import type { StreamsRecord } from './streams-records.ts';
import { allTaskIds, type HeldAssignment, NO_ASSIGNMENT, NOTHING_HELD, type TaskAssignment } from './tasks.ts';

export function unknownMember(groupId: string, memberId: string): KafkaError {
  return new KafkaError(ErrorCode.UNKNOWN_MEMBER_ID, `Member ${memberId} is not a member of group ${groupId}.`);
}

// ---- records

export interface GroupFacts {
  readonly epoch: number;
  readonly metadataHash: bigint;
  readonly validatedTopologyEpoch: number;
  readonly assignmentConfigs: ReadonlyMap<string, string>;
}

export function epochRecord({ id, descriptionEpochs }: StreamsGroup, facts: GroupFacts): StreamsRecord {
  return {
    kind: 'streams-epoch',
    group: id,
    value: {
      epoch: facts.epoch,
      metadataHash: facts.metadataHash,
      validatedTopologyEpoch: facts.validatedTopologyEpoch,
      lastAssignmentConfigs: Array.from(facts.assignmentConfigs, ([key, value]) => ({ key, value })),
      storedDescriptionTopologyEpoch: descriptionEpochs.stored,
      failedDescriptionTopologyEpoch: descriptionEpochs.failed,
    },
  };
}

export function memberRecord(group: string, member: StreamsMember): StreamsRecord {
  return { kind: 'streams-member', group, member: member.id, value: metadataValue(member) };
}

export function currentRecord(group: string, member: StreamsMember): StreamsRecord {
  return { kind: 'streams-current', group, member: member.id, value: currentValue(member) };
}

export function targetRecord(group: string, member: string, target: TaskAssignment): StreamsRecord {
  return { kind: 'streams-target', group, member, value: allTaskIds(target) };
}

export function targetEpochRecord(group: string, assignmentEpoch: number, assignmentTimestamp: number): StreamsRecord {
  return { kind: 'streams-target-epoch', group, value: { assignmentEpoch, assignmentTimestamp } };
}

function memberTombstones(group: string, member: string): StreamsRecord[] {
  return [
    { kind: 'streams-current', group, member, value: null },
    { kind: 'streams-target', group, member, value: null },
    { kind: 'streams-member', group, member, value: null },
  ];
}

/** All records of a group, in the order in which their loss makes sense to whoever replays them. */
export function groupTombstones({ id: group, members }: StreamsGroup): StreamsRecord[] {
  const ids = [...members.keys()];
  return [
    ...ids.map((member): StreamsRecord => ({ kind: 'streams-current', group, member, value: null })),
    ...ids.map((member): StreamsRecord => ({ kind: 'streams-target', group, member, value: null })),
    { kind: 'streams-target-epoch', group, value: null },
    ...ids.map((member): StreamsRecord => ({ kind: 'streams-member', group, member, value: null })),
    { kind: 'streams-epoch', group, value: null },
    { kind: 'streams-topology', group, value: null },
  ];
}

// ---- who comes and goes

/** A static member begins another life under a new id: its place and its tasks go with it. */
export function replaceMember(
  group: StreamsGroup,
  holder: StreamsMember,
  memberId: string,
): { readonly member: StreamsMember; readonly records: readonly StreamsRecord[] } {
  const member = { ...holder, id: memberId, epoch: JOIN_EPOCH, previousEpoch: JOIN_EPOCH };
  const records = [
    ...memberTombstones(group.id, holder.id),
    memberRecord(group.id, member),
    targetRecord(group.id, memberId, group.targets.get(holder.id) ?? NO_ASSIGNMENT),
    currentRecord(group.id, member),
  ];
  return { member, records };
}

/** A static member leaves for a while: nobody else gets its tasks before its session expires. */
export function leaveForAWhile(group: StreamsGroup, member: StreamsMember): StreamsRecord {
  const assigned = sinceTheBeginning(member.assigned);
  return currentRecord(group.id, { ...member, epoch: STATIC_LEAVE_EPOCH, assigned, revoking: NOTHING_HELD });
}

/** Under its next id it may commit for what it has, whatever epoch it had. */
function sinceTheBeginning(held: HeldAssignment): HeldAssignment {
  const active = Array.from(
    held.active,
    ([id, partitions]) => [id, new Map(Array.from(partitions.keys(), (one) => [one, 0]))] as const,
  );
  return { ...held, active: new Map(active) };
}

/** A member is out of the group, whether it left or was thrown out. */
export function removeMember(group: StreamsGroup, { id }: StreamsMember): StreamsRecord[] {
  const epoch = group.epoch + 1;
  const records = [...memberTombstones(group.id, id), epochRecord(group, { ...factsOf(group), epoch })];
  // Nobody is left to be assigned anything; whoever comes next is assigned at once.
  if (group.members.size === 1) records.push(targetEpochRecord(group.id, epoch, 0));
  return records;
}

export function factsOf(group: StreamsGroup): GroupFacts {
  const { epoch, metadataHash, validatedTopologyEpoch, assignmentConfigs } = group;
  return { epoch, metadataHash, validatedTopologyEpoch, assignmentConfigs };
}
