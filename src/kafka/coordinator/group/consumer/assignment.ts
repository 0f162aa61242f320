/** Partitions of one member, by topic id, each list without repetition. */
export type Assignment = ReadonlyMap<string, readonly number[]>;

/** Partitions that a member has, by topic id, each with the epoch in which it got it (KIP-1251). */
export type OwnedPartitions = ReadonlyMap<string, ReadonlyMap<number, number>>;

/** How partitions stand in messages and records. */
export interface TopicPartitions {
  readonly topicId: string;
  readonly partitions: readonly number[];
}

export const NO_ASSIGNMENT: Assignment = new Map();
export const NO_PARTITIONS: OwnedPartitions = new Map();

export function sameAssignment(a: Assignment, b: Assignment): boolean {
  if (a.size !== b.size) return false;
  for (const [topicId, partitions] of a) {
    const others = b.get(topicId);
    if (others === undefined || others.length !== partitions.length) return false;
    const known = new Set(others);
    if (!partitions.every((partition) => known.has(partition))) return false;
  }
  return true;
}

export function samePartitions(a: OwnedPartitions, b: OwnedPartitions): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [topicId, partitions] of a) {
    const others = b.get(topicId);
    if (others === undefined || others.size !== partitions.size) return false;
    for (const [partition, epoch] of partitions) if (others.get(partition) !== epoch) return false;
  }
  return true;
}

/** All of a kind got in the same epoch. */
export function ownedSince(assignment: Assignment, epoch: number): OwnedPartitions {
  return new Map(
    Array.from(assignment, ([topicId, partitions]) => [
      topicId,
      new Map(partitions.map((partition) => [partition, epoch])),
    ]),
  );
}

export function withoutEpochs(owned: OwnedPartitions): Assignment {
  return new Map(Array.from(owned, ([topicId, partitions]) => [topicId, [...partitions.keys()]]));
}

export function topicPartitionsOf(assignment: Assignment): { topicId: string; partitions: number[] }[] {
  return Array.from(assignment, ([topicId, partitions]) => ({ topicId, partitions: [...partitions] }));
}
