import { ZERO_UUID } from '../../wire/schema.ts';
import { ErrorCode } from '../protocol/errors.ts';
import type { BrokerContext } from './broker-context.ts';

interface CommittedTopic {
  readonly name: string;
  /** Where topics go by id. */
  readonly topicId?: string;
  readonly partitions: readonly { readonly partitionIndex: number }[];
}

export interface CheckedTopics<T extends CommittedTopic> {
  /** With their names, and only with partitions that exist. */
  readonly topics: readonly T[];
  /** Error codes in the order of the request, given those of `topics`. */
  codesWith(errors: readonly (readonly number[])[]): readonly (readonly number[])[];
}

/**
 * What is said of offsets, once of each thing: a topic that is named twice is one, and of a partition that is there the last word
 * counts. Partitions that are not there are refused as often as they are named.
 */
export function distinctPartitions<T extends CommittedTopic>(
  broker: Pick<BrokerContext, 'metadata'>,
  topics: readonly T[],
  byId: boolean,
): T[] {
  const merged = new Map<string, T>();
  for (const topic of topics) {
    const key = byId ? (topic.topicId ?? ZERO_UUID) : topic.name;
    const before = merged.get(key);
    merged.set(
      key,
      before === undefined ? topic : { ...before, partitions: [...before.partitions, ...topic.partitions] },
    );
  }
  return Array.from(merged.values(), (topic) => {
    const name = byId ? broker.metadata.topicName(topic.topicId ?? ZERO_UUID) : topic.name;
    const last = new Map(topic.partitions.map((partition) => [partition.partitionIndex, partition]));
    const partitions = topic.partitions.filter(
      (partition) =>
        last.get(partition.partitionIndex) === partition ||
        name === undefined ||
        broker.metadata.partition(name, partition.partitionIndex) === undefined,
    );
    return { ...topic, partitions };
  });
}

/** Offsets are kept only of partitions that exist, as far as this broker knows. */
export function checkCommittedTopics<T extends CommittedTopic>(
  broker: Pick<BrokerContext, 'metadata'>,
  topics: readonly T[],
  byId: boolean,
): CheckedTopics<T> {
  const accepted: { readonly topic: T; readonly topicIndex: number; readonly places: readonly number[] }[] = [];
  const codes = topics.map((topic, topicIndex) => {
    const name = byId ? broker.metadata.topicName(topic.topicId ?? ZERO_UUID) : topic.name;
    if (name === undefined) return topic.partitions.map((): number => ErrorCode.UNKNOWN_TOPIC_ID);
    const exists = ({ partitionIndex }: T['partitions'][number]): boolean =>
      broker.metadata.partition(name, partitionIndex) !== undefined;
    const places = [...topic.partitions.keys()].filter((place) => exists(topic.partitions[place]!));
    if (places.length > 0) {
      const partitions = places.map((place) => topic.partitions[place]!);
      accepted.push({ topic: { ...topic, name, partitions }, topicIndex, places });
    }
    return topic.partitions.map((): number => ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  });
  return {
    topics: accepted.map(({ topic }) => topic),
    codesWith(errors) {
      accepted.forEach(({ topicIndex, places }, index) => {
        for (const [at, place] of places.entries()) codes[topicIndex]![place] = errors[index]![at]!;
      });
      return codes;
    },
  };
}
