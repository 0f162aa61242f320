import { build, ZERO_UUID } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { MetadataRequest, MetadataResponse } from '../../protocol/messages/03-metadata.ts';
import type { LiveBroker, PartitionMetadata, TopicMetadata } from '../../replication/metadata-cache.ts';
import { type ApiHandler, apiHandler, type RequestContext } from '../api-handler.ts';
import { CLUSTER_OPERATIONS, TOPIC_OPERATIONS, UNKNOWN_OPERATIONS } from '../authorized-operations.ts';
import type { BrokerContext } from '../broker-context.ts';
import { illegalTopicName, isInternal } from '../topic-names.ts';

type Topic = MetadataResponse['topics'][number];
type Partition = Topic['partitions'][number];

const FIRST_VERSION_BY_ID = 12;

/** Answers from the metadata cache alone; a topic that is missing may come into being. */
export function metadataHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: MetadataRequest,
    response: MetadataResponse,
    versions: '0-13',
    handle(request, context, responder) {
      const errorCode = errorOf(request, context.apiVersion);
      if (errorCode !== ErrorCode.NONE) return responder.answer(refusal(request, errorCode));
      responder.answer(
        build(MetadataResponse, {
          brokers: brokersOn(broker, context.listenerName),
          clusterId: broker.clusterId,
          controllerId: broker.metadata.controllerId ?? -1,
          topics: topicsFor(broker, request, context),
          ...(request.includeClusterAuthorizedOperations ? { clusterAuthorizedOperations: CLUSTER_OPERATIONS } : {}),
        }),
      );
    },
  });
}

type AskedTopic = NonNullable<MetadataRequest['topics']>[number];

/**
 * Topics have ids in requests since v12; v10 and v11 carry fields for them that nobody may use (KAFKA-12701). A topic without
 * either is an exception in Apache's broker, unless others have ids: then only those are looked at.
 */
function errorOf({ topics }: MetadataRequest, version: number): number {
  const isById = topics?.some(hasId) ?? false;
  for (const topic of topics ?? []) {
    if (version < FIRST_VERSION_BY_ID && (topic.name === null || hasId(topic))) return ErrorCode.INVALID_REQUEST;
    if (topic.name === null && !isById) return ErrorCode.UNKNOWN_SERVER_ERROR;
  }
  return ErrorCode.NONE;
}

function hasId({ topicId }: AskedTopic): boolean {
  return topicId !== ZERO_UUID;
}

function refusal({ topics }: MetadataRequest, errorCode: number): MetadataResponse {
  return build(MetadataResponse, {
    clusterId: null,
    controllerId: -1,
    topics: (topics ?? []).map(({ name, topicId }) => ({
      ...failed(name ?? '', topicId, errorCode),
      isInternal: false,
    })),
  });
}

/** Only endpoints of the listener that the client came by: it may not reach the others. */
export function brokersOn(
  broker: BrokerContext,
  listener: string,
): { nodeId: number; host: string; port: number; rack: string | null }[] {
  return [...broker.metadata.brokers.values()].flatMap((live) => {
    const endpoint = endpointOn(live, listener);
    return endpoint === undefined
      ? []
      : [{ nodeId: live.id, host: endpoint.host, port: endpoint.port, rack: live.rack }];
  });
}

export function endpointOn(broker: LiveBroker, listener: string): { host: string; port: number } | undefined {
  return broker.endpoints.find((endpoint) => endpoint.listener === listener);
}

function topicsFor(broker: BrokerContext, request: MetadataRequest, context: RequestContext): Topic[] {
  const { topics } = request;
  const all = topics === null || (context.apiVersion === 0 && topics.length === 0);
  if (all) return [...broker.metadata.topics()].map((topic) => describe(broker, topic, request, context));
  const ids = new Set(topics.filter(hasId).map(({ topicId }) => topicId));
  // Whoever names one topic by its id is answered by ids alone.
  if (ids.size > 0) {
    return [...ids].map((id) => {
      const topic = broker.metadata.topic(broker.metadata.topicName(id) ?? '');
      return topic === undefined
        ? failed(null, id, ErrorCode.UNKNOWN_TOPIC_ID)
        : describe(broker, topic, request, context);
    });
  }
  const names = new Set(topics.flatMap(({ name }) => (name === null ? [] : [name])));
  return [...names].map((name) => {
    const topic = broker.metadata.topic(name);
    return topic === undefined ? missing(broker, name, request, context) : describe(broker, topic, request, context);
  });
}

function missing(broker: BrokerContext, name: string, request: MetadataRequest, context: RequestContext): Topic {
  const known = operationsFor(request);
  if (illegalTopicName(name) !== undefined) return failed(name, ZERO_UUID, ErrorCode.INVALID_TOPIC_EXCEPTION, known);
  const create = request.allowAutoTopicCreation && broker.config.boolean('auto.create.topics.enable');
  const errorCode = create
    ? broker.autoTopics.create(name, broker.quotas.mutations(context, Infinity).record)
    : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
  return failed(name, ZERO_UUID, errorCode, known);
}

/** What one may do to a topic does not depend on whether it is there. */
function operationsFor({ includeTopicAuthorizedOperations }: MetadataRequest): number {
  return includeTopicAuthorizedOperations ? TOPIC_OPERATIONS : UNKNOWN_OPERATIONS;
}

function failed(name: string | null, topicId: string, errorCode: number, operations = UNKNOWN_OPERATIONS): Topic {
  return {
    errorCode,
    name,
    topicId,
    isInternal: name !== null && isInternal(name),
    partitions: [],
    topicAuthorizedOperations: operations,
  };
}

function describe(
  broker: BrokerContext,
  topic: TopicMetadata,
  request: MetadataRequest,
  context: RequestContext,
): Topic {
  const partitions: Partition[] = [];
  for (const partition of topic.partitions.values()) partitions.push(describePartition(broker, partition, context));
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: isInternal(topic.name),
    partitions,
    topicAuthorizedOperations: operationsFor(request),
  };
}

function describePartition(broker: BrokerContext, partition: PartitionMetadata, context: RequestContext): Partition {
  const leader = broker.metadata.brokers.get(partition.leader);
  const reachable = leader !== undefined && endpointOn(leader, context.listenerName) !== undefined;
  const { errorCode, leaderId } = reachable
    ? { errorCode: ErrorCode.NONE, leaderId: partition.leader }
    : { errorCode: leaderError(leader, context.apiVersion), leaderId: -1 };
  // v0 had no way to say which replicas are down: it leaves them out.
  const shown = (ids: readonly number[]): number[] =>
    context.apiVersion === 0 ? ids.filter((id) => broker.metadata.brokers.has(id)) : [...ids];
  return {
    errorCode,
    partitionIndex: partition.partition,
    leaderId,
    leaderEpoch: partition.leaderEpoch,
    replicaNodes: shown(partition.replicas),
    isrNodes: shown(partition.isr),
    // Those of a dead broker, and those whose log dir has failed.
    offlineReplicas: partition.replicas.filter(
      (id) => !broker.metadata.brokers.has(id) || partition.offlineReplicas.includes(id),
    ),
  };
}

/** The leader lives but not on this listener: clients before v6 do not know that error. */
function leaderError(leader: LiveBroker | undefined, version: number): number {
  return leader !== undefined && version >= 6 ? ErrorCode.LISTENER_NOT_FOUND : ErrorCode.LEADER_NOT_AVAILABLE;
}
