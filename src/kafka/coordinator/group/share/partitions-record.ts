import type { ShareGroup, TopicShares } from './share-group.ts';
import type { ShareRecord } from './share-records.ts';

export interface PartitionsChange {
  readonly initializing?: ReadonlyMap<string, TopicShares>;
  readonly initialized?: ReadonlyMap<string, TopicShares>;
  /** Topics whose state is being deleted, with their names. */
  readonly deleting?: ReadonlyMap<string, string>;
  /** Topics of which nothing is left. */
  readonly gone?: ReadonlySet<string>;
}

/** The group's partitions after a change: what is initialized is initializing no more, what is deleted is neither. */
export function partitionsRecord(group: ShareGroup, change: PartitionsChange): ShareRecord {
  const deleting = new Map([...group.deleting, ...(change.deleting ?? [])]);
  const gone = change.gone ?? new Set();
  for (const id of gone) deleting.delete(id);
  const isLeft = ([id]: readonly [string, TopicShares]): boolean => !gone.has(id) && !deleting.has(id);
  const initialized = merged(group.initialized, change.initialized ?? new Map());
  const initializing = without(merged(group.initializing, change.initializing ?? new Map()), initialized);
  return {
    kind: 'share-partitions',
    group: group.id,
    value: {
      initializingTopics: [...initializing].filter(isLeft).map(storedShares),
      initializedTopics: [...initialized].filter(isLeft).map(storedShares),
      deletingTopics: [...deleting].map(([topicId, topicName]) => ({ topicId, topicName })),
    },
  };
}

function storedShares([topicId, { topicName, partitions }]: readonly [string, TopicShares]): {
  topicId: string;
  topicName: string;
  partitions: number[];
} {
  return { topicId, topicName, partitions: [...partitions] };
}

function merged(a: ReadonlyMap<string, TopicShares>, b: ReadonlyMap<string, TopicShares>): Map<string, TopicShares> {
  const all = new Map(a);
  for (const [topicId, { topicName, partitions }] of b) {
    const known = all.get(topicId)?.partitions ?? [];
    const union = [...new Set([...known, ...partitions])].sort((one, other) => one - other);
    all.set(topicId, { topicName, partitions: union });
  }
  return all;
}

function without(a: ReadonlyMap<string, TopicShares>, b: ReadonlyMap<string, TopicShares>): Map<string, TopicShares> {
  const left = new Map<string, TopicShares>();
  for (const [topicId, { topicName, partitions }] of a) {
    const known = new Set(b.get(topicId)?.partitions ?? []);
    const rest = partitions.filter((partition) => !known.has(partition));
    if (rest.length > 0) left.set(topicId, { topicName, partitions: rest });
  }
  return left;
}
