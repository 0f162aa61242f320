import { build, ZERO_UUID } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { MetadataRequest, MetadataResponse } from '../../protocol/messages/03-metadata.ts';
import type { LiveBroker, PartitionMetadata, TopicMetadata } from '../../replication/metadata-cache.ts';
import { AclOperation } from '../../security/acl.ts';
import { type Audit, asked as askedByName, filtered } from '../../security/authorizer.ts';
import { type ApiHandler, apiHandler, type RequestContext } from '../api-handler.ts';
import {
  allowedTopics,
  clusterOperationsOf,
  everyName,
  mayOnCluster,
  type Names,
  topicOperationsOf,
  UNKNOWN_OPERATIONS,
} from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { brokersOn, endpointOn } from '../reachable-brokers.ts';
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
          brokers: brokersOn(broker.metadata, context.listenerName),
          clusterId: broker.clusterId,
          controllerId: broker.metadata.controllerId ?? -1,
          topics: topicsFor(broker, request, context),
          ...(request.includeClusterAuthorizedOperations
            ? { clusterAuthorizedOperations: clusterOperationsOf(broker, context) }
            : {}),
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

function topicsFor(broker: BrokerContext, request: MetadataRequest, context: RequestContext): Topic[] {
  const { topics } = request;
  if (topics === null || (context.apiVersion === 0 && topics.length === 0)) {
    const all = [...broker.metadata.topics()];
    const seen = describable(
      broker,
      context,
      all.map(({ name }) => name),
      filtered,
    );
    return all.filter(({ name }) => seen.has(name)).map((topic) => describe(broker, topic, request, context));
  }
  const ids = new Set(topics.filter(hasId).map(({ topicId }) => topicId));
  // Whoever names one topic by its id is answered by ids alone.
  if (ids.size > 0) return topicsById(broker, ids, request, context);
  const names = new Set(topics.flatMap(({ name }) => (name === null ? [] : [name])));
  const seen = describable(broker, context, names, askedByName);
  const wouldBeNew = [...names].filter((name) => seen.has(name) && broker.metadata.topic(name) === undefined);
  const creatable = creatableTopics(broker, request, context, wouldBeNew);
  return [...names].map((name) => {
    // Whether there is such a topic is not disclosed.
    if (!seen.has(name)) return denied(name, ZERO_UUID);
    const topic = broker.metadata.topic(name);
    if (topic !== undefined) return describe(broker, topic, request, context);
    if (!creatable.has(name)) return failed(name, ZERO_UUID, ErrorCode.TOPIC_AUTHORIZATION_FAILED);
    return missing(broker, name, request, context);
  });
}

function topicsById(
  broker: BrokerContext,
  ids: ReadonlySet<string>,
  request: MetadataRequest,
  context: RequestContext,
): Topic[] {
  const names = [...ids].flatMap((id) => broker.metadata.topicName(id) ?? []);
  const seen = describable(broker, context, names, askedByName);
  return [...ids].map((id) => {
    const topic = broker.metadata.topic(broker.metadata.topicName(id) ?? '');
    if (topic === undefined) return failed(null, id, ErrorCode.UNKNOWN_TOPIC_ID);
    return seen.has(topic.name) ? describe(broker, topic, request, context) : denied(null, id);
  });
}

function describable(broker: BrokerContext, context: RequestContext, names: Iterable<string>, audit: Audit): Names {
  return allowedTopics(broker, context, AclOperation.describe, names, audit);
}

/** The right to create any topic will do, or that to create each. */
function creatableTopics(
  broker: BrokerContext,
  request: MetadataRequest,
  context: RequestContext,
  names: readonly string[],
): Names {
  if (names.length === 0 || !mayCreate(broker, request)) return everyName;
  return mayOnCluster(broker, context, AclOperation.create, filtered)
    ? everyName
    : allowedTopics(broker, context, AclOperation.create, names);
}

function mayCreate(broker: BrokerContext, { allowAutoTopicCreation }: MetadataRequest): boolean {
  return allowAutoTopicCreation && broker.config.boolean('auto.create.topics.enable');
}

function denied(name: string | null, topicId: string): Topic {
  return { ...failed(name, topicId, ErrorCode.TOPIC_AUTHORIZATION_FAILED), isInternal: false };
}

function missing(broker: BrokerContext, name: string, request: MetadataRequest, context: RequestContext): Topic {
  const known = operationsFor(broker, name, request, context);
  if (illegalTopicName(name) !== undefined) return failed(name, ZERO_UUID, ErrorCode.INVALID_TOPIC_EXCEPTION, known);
  const errorCode = mayCreate(broker, request)
    ? broker.autoTopics.create(name, broker.quotas.mutations(context, Infinity).record)
    : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
  return failed(name, ZERO_UUID, errorCode, known);
}

/** What one may do to a topic does not depend on whether it is there. */
function operationsFor(
  broker: BrokerContext,
  name: string,
  { includeTopicAuthorizedOperations }: MetadataRequest,
  context: RequestContext,
): number {
  return includeTopicAuthorizedOperations ? topicOperationsOf(broker, context, name) : UNKNOWN_OPERATIONS;
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
    topicAuthorizedOperations: operationsFor(broker, topic.name, request, context),
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
