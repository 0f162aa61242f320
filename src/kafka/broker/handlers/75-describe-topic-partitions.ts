import { build, ZERO_UUID } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import {
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsResponse,
} from '../../protocol/messages/75-describe-topic-partitions.ts';
import type { PartitionMetadata, TopicMetadata } from '../../replication/metadata-cache.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler, type RequestContext } from '../api-handler.ts';
import { mayOnTopic, topicOperationsOf, UNKNOWN_OPERATIONS } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { endpointOn } from '../reachable-brokers.ts';
import { illegalTopicName, isInternal } from '../topic-names.ts';

type Topic = DescribeTopicPartitionsResponse['topics'][number];
type Partition = Topic['partitions'][number];

/**
 * Topics by name, so many partitions at a time; the cursor says where the next page begins (KIP-966,
 * `DescribeTopicPartitionsRequestHandler`). There are no eligible leader replicas in ZooKeeper mode.
 */
export function describeTopicPartitionsHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: DescribeTopicPartitionsRequest,
    response: DescribeTopicPartitionsResponse,
    versions: '0',
    handle(request, context, responder) {
      responder.answer(isInvalid(request) ? refusal(request) : new Page(broker, request, context).fill());
    },
  });
}

/** A cursor stands in one of the topics that are asked for, if any are named. */
function isInvalid({ topics, cursor }: DescribeTopicPartitionsRequest): boolean {
  if (cursor === null) return false;
  const isForeign = topics.length > 0 && !topics.some(({ name }) => name === cursor.topicName);
  return isForeign || cursor.partitionIndex < 0;
}

function refusal({ topics }: DescribeTopicPartitionsRequest): DescribeTopicPartitionsResponse {
  return build(DescribeTopicPartitionsResponse, {
    topics: topics.map(({ name }) => ({
      ...withoutPartitions(name, ErrorCode.INVALID_REQUEST),
      isInternal: false,
    })),
  });
}

function withoutPartitions(name: string, errorCode: number): Topic {
  return {
    errorCode,
    name,
    topicId: ZERO_UUID,
    isInternal: isInternal(name),
    partitions: [],
    topicAuthorizedOperations: UNKNOWN_OPERATIONS,
  };
}

/** One page of an answer. */
class Page {
  readonly #broker: BrokerContext;
  readonly #request: DescribeTopicPartitionsRequest;
  readonly #context: RequestContext;

  constructor(broker: BrokerContext, request: DescribeTopicPartitionsRequest, context: RequestContext) {
    this.#broker = broker;
    this.#request = request;
    this.#context = context;
  }

  /** Topics that are asked for and not the client's to see come last: whether they exist is not disclosed. */
  fill(): DescribeTopicPartitionsResponse {
    const names = this.#names();
    const isSeen = (name: string): boolean => mayOnTopic(this.#broker, this.#context, AclOperation.describe, name);
    const seen = names.filter(isSeen);
    const answer = this.#describeAll(seen);
    const topics = answer.topics.map((topic) => ({
      ...topic,
      topicAuthorizedOperations: topicOperationsOf(this.#broker, this.#context, topic.name ?? ''),
    }));
    const hidden = this.#request.topics.length === 0 ? [] : names.filter((name) => !seen.includes(name));
    const denied = hidden.map((name) => ({
      ...withoutPartitions(name, ErrorCode.TOPIC_AUTHORIZATION_FAILED),
      isInternal: false,
    }));
    return { ...answer, topics: [...topics, ...denied] };
  }

  #describeAll(names: readonly string[]): DescribeTopicPartitionsResponse {
    const { cursor, responsePartitionLimit, topics: named } = this.#request;
    const limit = this.#broker.config.number('max.request.partition.size.limit');
    let remaining = Math.max(Math.min(limit, responsePartitionLimit), 1);
    const topics: Topic[] = [];
    for (const name of names) {
      if (remaining === 0) {
        return build(DescribeTopicPartitionsResponse, { topics, nextCursor: { topicName: name, partitionIndex: 0 } });
      }
      const topic = this.#broker.metadata.topic(name);
      if (topic === undefined) {
        if (named.length > 0) topics.push(withoutPartitions(name, unknownError(name)));
        continue;
      }
      const first = cursor?.topicName === name ? cursor.partitionIndex : 0;
      const end = Math.min(topic.partitions.size, first + remaining);
      topics.push({
        ...withoutPartitions(name, ErrorCode.NONE),
        topicId: topic.id,
        partitions: this.#shown(topic, first, end),
      });
      if (end < topic.partitions.size) {
        return build(DescribeTopicPartitionsResponse, { topics, nextCursor: { topicName: name, partitionIndex: end } });
      }
      remaining -= Math.max(end - first, 0);
    }
    return build(DescribeTopicPartitionsResponse, { topics });
  }

  /** In Java's order of strings, from the cursor on. */
  #names(): string[] {
    const { topics, cursor } = this.#request;
    const names = topics.length > 0 ? topics : [...this.#broker.metadata.topics()];
    const distinct = new Set(names.map(({ name }) => name));
    return [...distinct].filter((name) => cursor === null || name >= cursor.topicName).sort();
  }

  #shown({ partitions }: TopicMetadata, first: number, end: number): Partition[] {
    const shown: Partition[] = [];
    for (let index = first; index < end; index += 1) {
      const partition = partitions.get(index);
      if (partition !== undefined) shown.push(this.#describe(partition));
    }
    return shown;
  }

  #describe(partition: PartitionMetadata): Partition {
    const { brokers } = this.#broker.metadata;
    const leader = brokers.get(partition.leader);
    const isReachable = leader !== undefined && endpointOn(leader, this.#context.listenerName) !== undefined;
    return {
      errorCode: ErrorCode.NONE,
      partitionIndex: partition.partition,
      leaderId: isReachable ? partition.leader : -1,
      leaderEpoch: partition.leaderEpoch,
      replicaNodes: [...partition.replicas],
      isrNodes: [...partition.isr],
      eligibleLeaderReplicas: [],
      lastKnownElr: [],
      offlineReplicas: partition.replicas.filter((id) => !brokers.has(id)),
    };
  }
}

function unknownError(name: string): number {
  return illegalTopicName(name) === undefined
    ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    : ErrorCode.INVALID_TOPIC_EXCEPTION;
}
