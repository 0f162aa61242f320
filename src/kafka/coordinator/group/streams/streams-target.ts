import { grownBuckets, hashOrder, stringHash } from '../consumer/java-order.ts';
import type { ConfiguredTopology } from './configured-topology.ts';
import { targetEpochRecord, targetRecord } from './membership.ts';
import { assignSticky } from './sticky-assignor.ts';
import type { StreamsMember } from './streams-member.ts';
import type { StreamsRecord } from './streams-records.ts';
import { NO_OFFSETS, type TaskOffsets } from './task-offsets.ts';
import { NO_ASSIGNMENT, sameAssignment, type TaskAssignment, type Tasks } from './tasks.ts';

export interface Assigning {
  readonly groupId: string;
  readonly epoch: number;
  /** As they are to be. */
  readonly members: readonly StreamsMember[];
  /** What they were to have so far, by member id. */
  readonly targets: ReadonlyMap<string, TaskAssignment>;
  readonly topology: ConfiguredTopology;
  readonly offsets: ReadonlyMap<string, TaskOffsets>;
  readonly standbyReplicas: number;
  /** Wall time. */
  readonly nowMs: number;
}

export interface Assigned {
  readonly records: readonly StreamsRecord[];
  readonly targets: ReadonlyMap<string, TaskAssignment>;
}

/** A new target for each member; nobody has any task while the topology lacks topics (`TargetAssignmentBuilder`). */
export function assignTasks(given: Assigning): Assigned {
  const { groupId, epoch, topology } = given;
  const targets = topology.fault === undefined ? assigned(given) : new Map<string, TaskAssignment>();
  const records: StreamsRecord[] = [];
  for (const { id } of hashOrder(given.members, (one) => stringHash(one.id), grownBuckets)) {
    const target = targets.get(id) ?? NO_ASSIGNMENT;
    const former = given.targets.get(id);
    if (former === undefined || !sameAssignment(former, target)) records.push(targetRecord(groupId, id, target));
  }
  records.push(targetEpochRecord(groupId, epoch, given.nowMs));
  return { records, targets };
}

function assigned({ members, topology, offsets, standbyReplicas }: Assigning): Map<string, TaskAssignment> {
  return assignSticky(
    members.map(({ id, processId, assigned: { active, standby } }) => ({
      id,
      processId,
      active: withoutEpochs(active),
      standby,
      offsets: (offsets.get(id) ?? NO_OFFSETS).offsets,
    })),
    (topology.subtopologies ?? []).map(({ id, taskCount, stateChangelogTopics }) => ({
      id,
      taskCount,
      isStateful: stateChangelogTopics.length > 0,
    })),
    standbyReplicas,
  );
}

function withoutEpochs(held: StreamsMember['assigned']['active']): Tasks {
  return new Map(Array.from(held, ([id, partitions]) => [id, new Set(partitions.keys())]));
}
