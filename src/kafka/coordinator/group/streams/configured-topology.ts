import { grownBuckets, hashOrder, stringHash } from '../consumer/java-order.ts';
import type { TopicImage } from '../consumer/topic-image.ts';
import { partitionCounts } from './partition-counts.ts';
import { type Status, StatusCode, TopicFault } from './status.ts';
import { byId, requiredTopics, type Subtopology, sourceTopics, type TopicInfo, type Topology } from './topology.ts';

/** An internal topic with its partitions decided. */
export interface InternalTopic {
  readonly name: string;
  readonly partitionCount: number;
  /** 0: the broker's default. */
  readonly replicationFactor: number;
  readonly config: ReadonlyMap<string, string>;
}

export interface ConfiguredSubtopology {
  readonly id: string;
  readonly taskCount: number;
  readonly sourceTopics: readonly string[];
  readonly repartitionSinkTopics: readonly string[];
  readonly repartitionSourceTopics: readonly InternalTopic[];
  readonly stateChangelogTopics: readonly InternalTopic[];
}

/** A topology beside the topics that there are (`InternalTopicManager`). */
export interface ConfiguredTopology {
  readonly epoch: number;
  /** In the order of their ids; undefined where the topics do not allow of any tasks. */
  readonly subtopologies: readonly ConfiguredSubtopology[] | undefined;
  readonly missing: readonly InternalTopic[];
  /** Undefined when all is there: only then tasks are assigned. */
  readonly fault: Status | undefined;
}

/** Names of a list of topics, the first few. */
function summary(names: readonly string[]): string {
  const shown = 3;
  const rest = names.length > shown ? ` and ${names.length - shown} additional topics` : '';
  return names.slice(0, shown).join(', ') + rest;
}

/** @throws KafkaError STREAMS_INVALID_TOPOLOGY */
export function configureTopology(topology: Topology, image: TopicImage): ConfiguredTopology {
  const { epoch } = topology;
  try {
    requireSources(topology, image);
    const existing = (topic: string): number | undefined => image.topic(topic)?.partitionCount;
    const counts = partitionCounts(topology.subtopologies, existing);
    const countOf = (topic: string): number => existing(topic) ?? counts.get(topic) ?? 0;
    const subtopologies = byId(topology.subtopologies).map((one) => configured(one, counts, countOf));
    const missing = missingTopics(subtopologies, topology, existing);
    const names = summary(missing.map(({ name }) => name));
    const statusDetail = `Internal topics are missing: ${names}`;
    const fault = missing.length > 0 ? { statusCode: StatusCode.MISSING_INTERNAL_TOPICS, statusDetail } : undefined;
    return { epoch, subtopologies, missing, fault };
  } catch (error) {
    if (!(error instanceof TopicFault)) throw error;
    const fault = { statusCode: error.statusCode, statusDetail: error.message };
    return { epoch, subtopologies: undefined, missing: [], fault };
  }
}

function requireSources({ subtopologies }: Topology, image: TopicImage): void {
  const sources = new Set(subtopologies.flatMap((one) => one.sourceTopics));
  const missing = [...sources].filter((topic) => image.topic(topic) === undefined).sort();
  if (missing.length > 0)
    throw new TopicFault(StatusCode.MISSING_SOURCE_TOPICS, `Source topics ${summary(missing)} are missing.`);
}

function configured(
  one: Subtopology,
  counts: ReadonlyMap<string, number>,
  countOf: (topic: string) => number,
): ConfiguredSubtopology {
  const internal = (topic: TopicInfo): InternalTopic => ({
    name: topic.name,
    partitionCount: topic.partitions === 0 ? (counts.get(topic.name) ?? 0) : topic.partitions,
    replicationFactor: topic.replicationFactor,
    config: new Map(topic.topicConfigs.map(({ key, value }) => [key, value])),
  });
  return {
    id: one.subtopologyId,
    taskCount: Math.max(...sourceTopics(one).map(countOf)),
    sourceTopics: [...new Set(one.sourceTopics)].sort(),
    repartitionSinkTopics: [...new Set(one.repartitionSinkTopics)].sort(),
    repartitionSourceTopics: one.repartitionSourceTopics.map(internal),
    stateChangelogTopics: one.stateChangelogTopics.map(internal),
  };
}

/** Those that are there must have as many partitions as they would get. @throws TopicFault */
function missingTopics(
  subtopologies: readonly ConfiguredSubtopology[],
  topology: Topology,
  existing: (topic: string) => number | undefined,
): InternalTopic[] {
  const wanted = new Map<string, InternalTopic>();
  for (const { repartitionSourceTopics, stateChangelogTopics } of subtopologies) {
    for (const topic of [...repartitionSourceTopics, ...stateChangelogTopics]) wanted.set(topic.name, topic);
  }
  for (const name of hashOrder(requiredTopics(topology), stringHash, grownBuckets)) {
    const found = existing(name);
    const expected = wanted.get(name);
    if (found === undefined || expected === undefined) continue;
    wanted.delete(name);
    if (found !== expected.partitionCount) {
      throw new TopicFault(
        StatusCode.INCORRECTLY_PARTITIONED_TOPICS,
        `Existing topic ${name} has different number of partitions: expected ${expected.partitionCount}, found ${found}`,
      );
    }
  }
  return hashOrder(wanted.values(), ({ name }) => stringHash(name), grownBuckets);
}
