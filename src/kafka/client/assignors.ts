import type { TopicPartition } from './cluster-metadata.ts';

/** A member as the leader of its group sees it. */
export interface GroupMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly topics: readonly string[];
}

/** Which member gets which partitions; computed by the leader of a group for all. */
export interface Assignor {
  /** What members agree on: `range`, `roundrobin`. */
  readonly name: string;
  /** @param partitionCounts of topics that exist */
  assign(
    members: readonly GroupMember[],
    partitionCounts: ReadonlyMap<string, number>,
  ): ReadonlyMap<string, readonly TopicPartition[]>;
}

/** Static members by their lasting name, so that a restart changes nothing (KIP-345); then the others by their ids. */
function inOrder(members: readonly GroupMember[]): GroupMember[] {
  return [...members].sort((a, b) => {
    if (a.groupInstanceId !== null && b.groupInstanceId !== null) return compare(a.groupInstanceId, b.groupInstanceId);
    if (a.groupInstanceId !== null) return -1;
    return b.groupInstanceId !== null ? 1 : compare(a.memberId, b.memberId);
  });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function noAssignments(members: readonly GroupMember[]): Map<string, TopicPartition[]> {
  return new Map(members.map(({ memberId }) => [memberId, []]));
}

/** Topic by topic: consecutive partitions, the first members get one more where the division leaves a rest. */
export const rangeAssignor: Assignor = {
  name: 'range',
  assign(members, partitionCounts) {
    const assigned = noAssignments(members);
    for (const topic of [...partitionCounts.keys()].sort(compare)) {
      const takers = inOrder(members.filter(({ topics }) => topics.includes(topic)));
      if (takers.length === 0) continue;
      const count = partitionCounts.get(topic)!;
      const each = Math.floor(count / takers.length);
      const rest = count % takers.length;
      let partition = 0;
      takers.forEach(({ memberId }, index) => {
        for (let left = each + (index < rest ? 1 : 0); left > 0; left -= 1) {
          assigned.get(memberId)!.push({ topic, partition });
          partition += 1;
        }
      });
    }
    return assigned;
  },
};

/** All partitions in a row, dealt out in turn to the members that want their topic. */
export const roundRobinAssignor: Assignor = {
  name: 'roundrobin',
  assign(members, partitionCounts) {
    const assigned = noAssignments(members);
    const circle = inOrder(members);
    let next = 0;
    for (const topic of [...partitionCounts.keys()].sort(compare)) {
      if (!circle.some(({ topics }) => topics.includes(topic))) continue;
      for (let partition = 0; partition < partitionCounts.get(topic)!; partition += 1) {
        while (!circle[next % circle.length]!.topics.includes(topic)) next += 1;
        assigned.get(circle[next % circle.length]!.memberId)!.push({ topic, partition });
        next += 1;
      }
    }
    return assigned;
  },
};

export const assignors: ReadonlyMap<string, Assignor> = new Map(
  [rangeAssignor, roundRobinAssignor].map((assignor) => [assignor.name, assignor]),
);
