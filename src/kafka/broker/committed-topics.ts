import { ErrorCode } from '../protocol/errors.ts';
import type { BrokerContext } from './broker-context.ts';

interface CommittedTopic {
  readonly name: string;
  readonly topicId: string;
  readonly partitions: readonly { readonly partitionIndex: number }[];
}

export interface CheckedTopics<T extends CommittedTopic> {
  /** With their names, and only with partitions that exist. */
  readonly topics: readonly T[];
  /** Error codes in the order of the request, given those of `topics`. */
  codesWith(errors: readonly (readonly number[])[]): readonly (readonly number[])[];
}

/** Offsets are kept only of partitions that exist, as far as this broker knows. */
export function checkCommittedTopics<T extends CommittedTopic>(
  broker: Pick<BrokerContext, 'metadata'>,
  topics: readonly T[],
  byId: boolean,
): CheckedTopics<T> {
  const accepted: { readonly topic: T; readonly topicIndex: number; readonly places: readonly number[] }[] = [];
  const codes = topics.map((topic, topicIndex) => {
    const name = byId ? broker.metadata.topicName(topic.topicId) : topic.name;
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
