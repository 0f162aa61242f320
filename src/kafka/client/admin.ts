import type { Runtime } from '../../runtime/runtime.ts';
import type { Fields, Message, Value } from '../../wire/schema.ts';
import { ZERO_UUID } from '../../wire/schema.ts';
import { ErrorCode, errorOf, KafkaError } from '../protocol/errors.ts';
import { CreateTopicsRequest, CreateTopicsResponse } from '../protocol/messages/19-create-topics.ts';
import { DeleteTopicsRequest, DeleteTopicsResponse } from '../protocol/messages/20-delete-topics.ts';
import { CreatePartitionsRequest, CreatePartitionsResponse } from '../protocol/messages/37-create-partitions.ts';
import {
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponse,
} from '../protocol/messages/46-list-partition-reassignments.ts';
import { Acls } from './acls.ts';
import { codeOf, isRetriable } from './client-errors.ts';
import { type ClientOptions, Cluster } from './cluster.ts';
import { type BrokerNode, partitionKey, type TopicMetadata } from './cluster-metadata.ts';
import { alterConfigs, type ConfigChange, type ConfigEntry, type ConfigResource, describeConfigs } from './configs.ts';
import type { BrokerConnection, Given } from './connection.ts';
import { DelegationTokens } from './delegation-tokens.ts';
import { Groups } from './groups.ts';
import { namedCall } from './named-call.ts';
import { type IsolationLevel, listOffsets, type OffsetFound, type OffsetWanted } from './offsets.ts';
import { alterQuotas, describeQuotas, type Quota, type QuotaEntity, type QuotaFilter } from './quotas.ts';

export interface NewTopic {
  readonly name: string;
  /** Default: as the broker is configured. */
  readonly partitions?: number;
  readonly replicationFactor?: number;
  /** Instead of the two above: each partition's replicas. */
  readonly assignment?: readonly (readonly number[])[];
  readonly configs?: ReadonlyMap<string, string>;
}

export interface Reassignment {
  readonly addingReplicas: readonly number[];
  readonly removingReplicas: readonly number[];
}

/** Opens an administrator's client. */
export function createAdmin(runtime: Runtime, options: ClientOptions): Admin {
  return new Admin(runtime, options);
}

/**
 * What administrators do. Each call is retried while the cluster changes and its time lasts; it rejects with the broker's error
 * of the first topic, resource or group that failed.
 */
export class Admin {
  readonly groups: Groups;
  readonly acls: Acls;
  readonly tokens: DelegationTokens;
  readonly #cluster: Cluster;

  constructor(runtime: Runtime, options: ClientOptions) {
    this.#cluster = new Cluster(runtime, options);
    this.groups = new Groups(this.#cluster);
    this.acls = new Acls(this.#cluster);
    this.tokens = new DelegationTokens(this.#cluster);
  }

  // ---- topics

  async createTopics(topics: readonly NewTopic[], options: { readonly validateOnly?: boolean } = {}): Promise<void> {
    const answer = await this.#controller('createTopics', CreateTopicsRequest, CreateTopicsResponse, {
      topics: topics.map(({ name, partitions, replicationFactor, assignment = [], configs = new Map() }) => ({
        name,
        numPartitions: assignment.length > 0 ? -1 : (partitions ?? -1),
        replicationFactor: assignment.length > 0 ? -1 : (replicationFactor ?? -1),
        assignments: assignment.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds: [...brokerIds] })),
        configs: [...configs].map(([key, value]) => ({ name: key, value })),
      })),
      timeoutMs: this.#cluster.requestTimeoutMs,
      validateOnly: options.validateOnly ?? false,
    });
    throwFirst(answer.topics);
  }

  async deleteTopics(names: readonly string[]): Promise<void> {
    const answer = await this.#controller('deleteTopics', DeleteTopicsRequest, DeleteTopicsResponse, (version) => ({
      ...(version >= 6 ? { topics: names.map((name) => ({ name, topicId: ZERO_UUID })) } : { topicNames: [...names] }),
      timeoutMs: this.#cluster.requestTimeoutMs,
    }));
    throwFirst(answer.responses);
  }

  /** More partitions: `count` is the new total. */
  async createPartitions(
    topics: readonly {
      readonly name: string;
      readonly count: number;
      readonly assignment?: readonly (readonly number[])[];
    }[],
  ): Promise<void> {
    const answer = await this.#controller('createPartitions', CreatePartitionsRequest, CreatePartitionsResponse, {
      topics: topics.map(({ name, count, assignment }) => ({
        name,
        count,
        assignments: assignment === undefined ? null : assignment.map((brokerIds) => ({ brokerIds: [...brokerIds] })),
      })),
      timeoutMs: this.#cluster.requestTimeoutMs,
    });
    throwFirst(answer.results);
  }

  /** Names, sorted. */
  async listTopics(options: { readonly includeInternal?: boolean } = {}): Promise<string[]> {
    const topics = await this.allTopics();
    const wanted = topics.filter(({ isInternal }) => options.includeInternal !== false || !isInternal);
    return wanted.map(({ name }) => name).sort();
  }

  /** Every topic, in the order of names. */
  async allTopics(): Promise<TopicMetadata[]> {
    const { topics } = await namedCall(this.#cluster, 'listTopics', () => this.#cluster.refresh('all'));
    return [...topics.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @throws KafkaError UNKNOWN_TOPIC_OR_PARTITION among others */
  async describeTopics(names: readonly string[]): Promise<TopicMetadata[]> {
    const { topics } = await namedCall(this.#cluster, 'describeTopics', () =>
      this.#cluster.refresh(names, { allowAutoTopicCreation: false }),
    );
    return names.map((name) => {
      const topic = topics.get(name);
      const errorCode = topic?.errorCode ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
      const isUsable = errorCode === ErrorCode.NONE || errorCode === ErrorCode.LEADER_NOT_AVAILABLE;
      if (topic === undefined || !isUsable) throw errorOf(errorCode);
      return topic;
    });
  }

  /** What moves at present, by `partitionKey`; nothing where the broker is older than that request (2.4). */
  async listReassignments(): Promise<ReadonlyMap<string, Reassignment>> {
    try {
      const answer = await this.#controller(
        'listPartitionReassignments',
        ListPartitionReassignmentsRequest,
        ListPartitionReassignmentsResponse,
        {
          timeoutMs: this.#cluster.requestTimeoutMs,
          topics: null,
        },
      );
      return new Map(
        answer.topics.flatMap(({ name, partitions }) =>
          partitions.map(({ partitionIndex, addingReplicas, removingReplicas }) => [
            partitionKey(name, partitionIndex),
            { addingReplicas, removingReplicas },
          ]),
        ),
      );
    } catch (error) {
      const code = codeOf(error);
      if (code === ErrorCode.UNSUPPORTED_VERSION || code === ErrorCode.CLUSTER_AUTHORIZATION_FAILED) return new Map();
      throw error;
    }
  }

  listOffsets(
    wanted: readonly OffsetWanted[],
    options: { readonly isolation?: IsolationLevel; readonly timeoutMs?: number } = {},
  ): Promise<OffsetFound[]> {
    return listOffsets(this.#cluster, wanted, options);
  }

  // ---- the cluster

  async describeCluster(): Promise<{ clusterId: string | null; controllerId: number; brokers: BrokerNode[] }> {
    const { clusterId, controllerId, brokers } = await namedCall(this.#cluster, 'listNodes', () =>
      this.#cluster.refresh([]),
    );
    return { clusterId, controllerId, brokers: [...brokers.values()].sort((a, b) => a.id - b.id) };
  }

  /** A connection to one broker, for what it says of itself. */
  async connect(node: number): Promise<BrokerConnection> {
    return this.#cluster.retrying(() => this.#cluster.connect(node));
  }

  // ---- configuration

  describeConfigs(
    resources: readonly ConfigResource[],
    options: { readonly includeSynonyms?: boolean } = {},
  ): Promise<ReadonlyMap<string, readonly ConfigEntry[]>> {
    return describeConfigs(this.#cluster, resources, options);
  }

  /** Key by key where the broker can (2.3), else the whole configuration is read, changed and written. */
  alterConfigs(resource: ConfigResource, changes: readonly ConfigChange[]): Promise<void> {
    return alterConfigs(this.#cluster, resource, changes);
  }

  describeQuotas(filters: readonly QuotaFilter[]): Promise<Quota[]> {
    return describeQuotas(this.#cluster, filters);
  }

  alterQuotas(entity: QuotaEntity, changes: ReadonlyMap<string, number | undefined>): Promise<void> {
    return alterQuotas(this.#cluster, entity, changes);
  }

  close(): void {
    this.#cluster.close();
  }

  /** Only the controller does it; whoever is asked instead says so, and is asked who it is. */
  async #controller<Q extends Fields, R extends Fields>(
    name: string,
    request: Message<Q>,
    response: Message<R>,
    given: Given<Q>,
  ): Promise<Value<R>> {
    return namedCall(this.#cluster, name, async () => {
      if (this.#cluster.metadata.controllerId < 0) await this.#cluster.refresh([]);
      const node = this.#cluster.metadata.controllerId;
      if (node < 0) throw new KafkaError(ErrorCode.NOT_CONTROLLER, 'no broker is the controller at present');
      try {
        const answer = await this.#cluster.request({ node }, request, response, given);
        if (someErrorIs(answer, ErrorCode.NOT_CONTROLLER)) throw new KafkaError(ErrorCode.NOT_CONTROLLER);
        return answer;
      } catch (error) {
        if (isRetriable(error)) await this.#cluster.refresh([]).catch(() => undefined);
        throw error;
      }
    });
  }
}

interface Failable {
  readonly errorCode: number;
  readonly errorMessage?: string | null;
}

function throwFirst(results: readonly Failable[]): void {
  for (const { errorCode, errorMessage } of results) {
    if (errorCode !== ErrorCode.NONE) throw errorOf(errorCode, errorMessage);
  }
}

/** In the answer itself or in one of its lists. */
function someErrorIs(answer: object, code: number): boolean {
  const isIt = (value: unknown): boolean =>
    typeof value === 'object' && value !== null && (value as Partial<Failable>).errorCode === code;
  return isIt(answer) || Object.values(answer).some((value) => Array.isArray(value) && value.some(isIt));
}
