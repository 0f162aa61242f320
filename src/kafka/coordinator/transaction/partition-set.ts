/** Partitions by topic. Never changed: every change makes another set. */
export type PartitionSet = ReadonlyMap<string, ReadonlySet<number>>;

export const noPartitions: PartitionSet = new Map();

export function partitionSet(
  topics: Iterable<{ readonly topic: string; readonly partitions: Iterable<number> }>,
): PartitionSet {
  const set = new Map<string, Set<number>>();
  for (const { topic, partitions } of topics) {
    const known = set.get(topic);
    if (known === undefined) set.set(topic, new Set(partitions));
    else for (const partition of partitions) known.add(partition);
  }
  return set;
}

export function unionOf(one: PartitionSet, other: PartitionSet): PartitionSet {
  const union = new Map(one);
  for (const [topic, partitions] of other) union.set(topic, new Set([...(one.get(topic) ?? []), ...partitions]));
  return union;
}

export function includesAll(set: PartitionSet, wanted: PartitionSet): boolean {
  for (const [topic, partitions] of wanted) {
    const known = set.get(topic);
    for (const partition of partitions) if (known?.has(partition) !== true) return false;
  }
  return true;
}

export function without(set: PartitionSet, topic: string, partition: number): PartitionSet {
  const known = set.get(topic);
  if (known?.has(partition) !== true) return set;
  const rest = new Set(known);
  rest.delete(partition);
  const result = new Map(set);
  if (rest.size === 0) result.delete(topic);
  else result.set(topic, rest);
  return result;
}

export function* partitionsIn(set: PartitionSet): IterableIterator<{ topic: string; partition: number }> {
  for (const [topic, partitions] of set) for (const partition of partitions) yield { topic, partition };
}
