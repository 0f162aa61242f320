import { ZERO_UUID } from '../../../../../src/wire/schema.ts';
import type { Answer } from '../../raw-client.ts';
import { type Draw, requestKind } from '../kind.ts';
import type { Side } from '../side.ts';

export interface FetchedTopic {
  readonly name: string;
  readonly partitions: readonly {
    readonly partition: number;
    readonly fetchOffset: number;
    readonly partitionMaxBytes: number;
    readonly currentLeaderEpoch: number;
  }[];
}

interface Args {
  readonly version: number;
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly isolationLevel: number;
  readonly replicaId: number;
  readonly topics: readonly FetchedTopic[];
}

const sizes = [1_000_000, 1_000_000, 1_000_000, 150, 300, 90, 1000, 1, 0];

export function drawFetchedTopics(draw: Draw, most: number): FetchedTopic[] {
  const names = draw.distinct(most, () => draw.topic());
  return names.map((name) => ({
    name,
    partitions: draw
      .distinct(3, () => draw.partition())
      .map((partition) => ({
        partition,
        fetchOffset: draw.pick([0, 0, 0, 1, 2, 3, 5, draw.below(30), -1, 5000]),
        partitionMaxBytes: draw.chance(0.02) ? -1 : draw.pick(sizes),
        currentLeaderEpoch: draw.chance(0.9) ? -1 : draw.pick([0, 0, 5, -2]),
      })),
  }));
}

export function drawLimits(draw: Draw): Pick<Args, 'maxWaitMs' | 'minBytes' | 'maxBytes' | 'isolationLevel'> {
  return {
    maxWaitMs: draw.pick([0, 0, 0, 30]),
    minBytes: draw.pick([1, 1, 0, 100]),
    maxBytes: draw.chance(0.02) ? -1 : draw.pick(sizes),
    isolationLevel: draw.below(2),
  };
}

export function fetchFields(topics: readonly FetchedTopic[], version: number, side: Side): object[] {
  return topics.map(({ name, partitions }) => ({
    ...side.topic(name, version >= 13),
    partitions: partitions.map((asked) => ({
      ...asked,
      lastFetchedEpoch: -1,
      logStartOffset: -1,
      replicaDirectoryId: ZERO_UUID,
      highWatermark: Number.POSITIVE_INFINITY,
    })),
  }));
}

/** In which order partitions come, in one text: lists of an answer are compared sorted. */
export function orderOf(answer: Answer, side: Side): string {
  const names = new Map([...side.topicIds].map(([name, id]) => [id, side.named(name)]));
  const responses = answer.responses as { topic: string; topicId: string; partitions: { partitionIndex: number }[] }[];
  return responses
    .map(({ topic, topicId, partitions }) => {
      const name = topic || (names.get(topicId) ?? 'unknown');
      return `${name}: ${partitions.map(({ partitionIndex }) => partitionIndex).join(' ')}`;
    })
    .join('; ');
}

export const fetch = requestKind<Args>({
  name: 'fetch',
  weight: 14,
  apiKey: 1,
  draw: (draw) => {
    const topics = drawFetchedTopics(draw, 3);
    const hasTransactions = topics.some(({ name }) => draw.transactionTopics.includes(name));
    return {
      version: draw.version(1, hasTransactions ? 4 : 0),
      ...drawLimits(draw),
      replicaId: draw.chance(0.95) ? -1 : draw.pick([-2, 3]),
      topics,
    };
  },
  request: ({ version, topics, replicaId, ...limits }, side) => ({
    apiKey: 1,
    version,
    fields: {
      ...limits,
      replicaId: version < 15 ? replicaId : -1,
      replicaState: { replicaId: version >= 15 ? replicaId : -1, replicaEpoch: -1 },
      topics: fetchFields(topics, version, side),
    },
  }),
  facts: orderOf,
});
