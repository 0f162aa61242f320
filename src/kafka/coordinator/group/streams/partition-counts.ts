import { ErrorCode, KafkaError } from '../../../protocol/errors.ts';
import { grownBuckets, hashOrder, stringHash } from '../consumer/java-order.ts';
import { StatusCode, TopicFault } from './status.ts';
import { type Subtopology, sourceTopics, type TopicInfo } from './topology.ts';

/** Partitions of a topic that exists; undefined for one that does not. */
export type CountOf = (topic: string) => number | undefined;

/**
 * How many partitions each internal topic is to have (`RepartitionTopics`, `CopartitionedTopicsEnforcer`, `ChangelogTopics`):
 * a repartition topic as many as it says, or as the most of what its writer reads; topics that are joined the same; a changelog as
 * many as its subtopology has tasks.
 * @throws TopicFault
 * @throws KafkaError STREAMS_INVALID_TOPOLOGY
 */
export function partitionCounts(told: readonly Subtopology[], existing: CountOf): Map<string, number> {
  // A writer takes what is known of its sources at its turn, so the order of Java's table is part of the rule.
  const subtopologies = hashOrder(told, ({ subtopologyId }) => stringHash(subtopologyId), grownBuckets);
  const counts = repartitionCounts(subtopologies, existing);
  const countOf = (topic: string): number => requireKnown(existing(topic) ?? counts.get(topic));
  const repartition = subtopologies.flatMap((one) => one.repartitionSourceTopics);
  const fixed = namesWhere(repartition, ({ partitions }) => partitions !== 0);
  const flexible = namesWhere(repartition, ({ partitions }) => partitions === 0);
  for (const subtopology of subtopologies) {
    for (const group of copartitionGroups(subtopology)) {
      for (const [topic, count] of copartitioned(group, { fixed, flexible, countOf })) counts.set(topic, count);
    }
  }
  for (const subtopology of subtopologies) {
    const sources = sourceTopics(subtopology);
    if (sources.length === 0) {
      throw invalidTopology(`No source topics found for subtopology ${subtopology.subtopologyId}`);
    }
    const count = Math.max(...sources.map(countOf));
    for (const { name } of subtopology.stateChangelogTopics) counts.set(name, count);
  }
  return counts;
}

function invalidTopology(message: string): KafkaError {
  return new KafkaError(ErrorCode.STREAMS_INVALID_TOPOLOGY, message);
}

/** A topology may join topics that nothing says the size of: Apache's broker has no better word for it. */
function requireKnown<T>(found: T | undefined): T {
  if (found === undefined) throw new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR);
  return found;
}

function namesWhere(topics: readonly TopicInfo[], isWanted: (topic: TopicInfo) => boolean): Set<string> {
  return new Set(topics.filter(isWanted).map(({ name }) => name));
}

function repartitionCounts(subtopologies: readonly Subtopology[], existing: CountOf): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { repartitionSourceTopics } of subtopologies) {
    for (const { name, partitions } of repartitionSourceTopics) if (partitions !== 0) counts.set(name, partitions);
  }
  let isMissing = true;
  while (isMissing) {
    isMissing = false;
    let hasProgress = false;
    for (const subtopology of subtopologies) {
      for (const sink of subtopology.repartitionSinkTopics) {
        if (counts.has(sink)) continue;
        const count = writtenCount(subtopology, counts, existing);
        if (count === undefined) isMissing = true;
        else {
          counts.set(sink, count);
          hasProgress = true;
        }
      }
    }
    if (isMissing && !hasProgress) {
      throw invalidTopology(
        'Failed to compute number of partitions for all repartition topics. There may be loops in the topology that cannot be resolved.',
      );
    }
  }
  const isNeverWritten = subtopologies.some((one) => one.repartitionSourceTopics.some(({ name }) => !counts.has(name)));
  if (isNeverWritten) {
    throw invalidTopology(
      'Failed to compute number of partitions for all repartition topics, because a repartition source topic is never used as a sink topic.',
    );
  }
  return counts;
}

/** As many as the most that the subtopology reads; undefined while nothing of that is known. */
function writtenCount(
  subtopology: Subtopology,
  counts: ReadonlyMap<string, number>,
  existing: CountOf,
): number | undefined {
  const candidates = [
    ...subtopology.repartitionSourceTopics.map(({ name }) => counts.get(name)),
    ...subtopology.sourceTopics.map(existing),
  ].filter((count) => count !== undefined);
  return candidates.length === 0 ? undefined : Math.max(...candidates);
}

function copartitionGroups(subtopology: Subtopology): Set<string>[] {
  return subtopology.copartitionGroups.map(
    (group) =>
      new Set([
        ...group.sourceTopics.map((index) => requireKnown(subtopology.sourceTopics[index])),
        ...group.repartitionSourceTopics.map((index) => requireKnown(subtopology.repartitionSourceTopics[index]).name),
      ]),
  );
}

interface Enforcement {
  readonly fixed: ReadonlySet<string>;
  readonly flexible: ReadonlySet<string>;
  readonly countOf: (topic: string) => number;
}

function copartitioned(group: ReadonlySet<string>, { fixed, flexible, countOf }: Enforcement): Map<string, number> {
  const repartition = [...group].filter((topic) => fixed.has(topic) || flexible.has(topic));
  const external = [...group].filter((topic) => !repartition.includes(topic));
  if (group.size === 0) return new Map();
  let count: number;
  if (external.length > 0) count = sameCount(external, external, countOf);
  // Java's set decides which of the fixed ones is looked at first, and what is said names the group's either way.
  else if (fixed.size > 0) count = sameCount(hashOrder(fixed, stringHash, grownBuckets), repartition, countOf);
  else count = Math.max(...repartition.map(countOf));
  for (const topic of repartition) {
    if (!fixed.has(topic) || countOf(topic) === count) continue;
    throw new TopicFault(
      StatusCode.INCORRECTLY_PARTITIONED_TOPICS,
      `Number of partitions [${countOf(topic)}] of repartition topic [${topic}] doesn't match number of partitions [${count}] of the source topic.`,
    );
  }
  return new Map(repartition.map((topic) => [topic, count]));
}

function sameCount(topics: readonly string[], named: readonly string[], countOf: (topic: string) => number): number {
  const count = countOf(topics[0]!);
  if (topics.every((topic) => countOf(topic) === count)) return count;
  const told = [...named].sort().map((topic) => `${topic}=${countOf(topic)}`);
  throw new TopicFault(
    StatusCode.INCORRECTLY_PARTITIONED_TOPICS,
    `Following topics do not have the same number of partitions: [{${told.join(', ')}}]`,
  );
}
