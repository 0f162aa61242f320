import { ZERO_UUID } from '../../wire/schema.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { AclOperation } from '../security/acl.ts';
import type { RequestContext } from './api-handler.ts';
import { allowedTopics, type Names } from './authorization.ts';
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

type Broker = Pick<BrokerContext, 'metadata' | 'authorizer'>;

function nameOf({ metadata }: Broker, { name, topicId }: CommittedTopic, byId: boolean): string | undefined {
  return byId ? metadata.topicName(topicId ?? ZERO_UUID) : name;
}

/** The topics of which the client may read: about the offsets of others it may not say anything. */
export function readableTopics(
  broker: Broker,
  context: RequestContext,
  topics: readonly CommittedTopic[],
  byId: boolean,
): Names {
  const names = topics.flatMap((topic) => nameOf(broker, topic, byId) ?? []);
  return allowedTopics(broker, context, AclOperation.read, names);
}

/** A topic that is named twice is one. */
export function mergedTopics<T extends CommittedTopic>(topics: readonly T[], byId: boolean): T[] {
  const merged = new Map<string, T>();
  for (const topic of topics) {
    const key = byId ? (topic.topicId ?? ZERO_UUID) : topic.name;
    const before = merged.get(key);
    merged.set(
      key,
      before === undefined ? topic : { ...before, partitions: [...before.partitions, ...topic.partitions] },
    );
  }
  return [...merged.values()];
}

/**
 * What is said of offsets, once of each thing: of a partition that is there the last word counts. Partitions that are not there, or not
 * the client's to read, are refused as often as they are named.
 */
export function distinctPartitions<T extends CommittedTopic>(
  broker: Broker,
  topics: readonly T[],
  byId: boolean,
  readable: Names,
): T[] {
  return mergedTopics(topics, byId).map((topic) => {
    const name = nameOf(broker, topic, byId);
    const last = new Map(topic.partitions.map((partition) => [partition.partitionIndex, partition]));
    const partitions = topic.partitions.filter(
      (partition) =>
        last.get(partition.partitionIndex) === partition ||
        name === undefined ||
        !readable.has(name) ||
        broker.metadata.partition(name, partition.partitionIndex) === undefined,
    );
    return { ...topic, partitions };
  });
}

/** Offsets are kept only of partitions that exist, as far as this broker knows, and that the client may read. */
export function checkCommittedTopics<T extends CommittedTopic>(
  broker: Broker,
  topics: readonly T[],
  byId: boolean,
  readable: Names,
): CheckedTopics<T> {
  const accepted: { readonly topic: T; readonly topicIndex: number; readonly places: readonly number[] }[] = [];
  const codes = topics.map((topic, topicIndex) => {
    const name = nameOf(broker, topic, byId);
    if (name === undefined) return topic.partitions.map((): number => ErrorCode.UNKNOWN_TOPIC_ID);
    if (!readable.has(name)) return topic.partitions.map((): number => ErrorCode.TOPIC_AUTHORIZATION_FAILED);
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
