import type { Random } from '../../runtime/random.ts';
import { assignReplicas } from '../controller/replica-assignment.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import type { MetadataCache } from '../replication/metadata-cache.ts';
import type { KafkaZk } from '../zk/kafka-zk.ts';
import type { PartitionAssignment, TopicAssignment } from '../zk/znodes.ts';
import type { KafkaConfig } from './config/kafka-config.ts';
import { collides, requireLegalTopicName } from './topic-names.ts';

export interface NewTopic {
  readonly name: string;
  /** -1: the broker's default. */
  readonly partitionCount: number;
  /** -1: the broker's default. */
  readonly replicationFactor: number;
  /** Given by hand: replicas by partition. */
  readonly assignment?: ReadonlyMap<number, readonly number[]>;
  readonly config: ReadonlyMap<string, string>;
}

export interface CreatedTopic {
  readonly name: string;
  readonly topicId: string;
  readonly partitionCount: number;
  readonly replicationFactor: number;
}

/** Told how many partitions come or go, right before they do. @throws KafkaError if that is too many for now */
export type Admit = (partitionCount: number) => void;
const admitAll: Admit = () => undefined;

export interface TopicAdminOptions {
  readonly config: KafkaConfig;
  readonly zk: KafkaZk;
  readonly metadata: MetadataCache;
  readonly random: Random;
  /** @throws KafkaError INVALID_CONFIG for a key or value that a topic cannot have */
  readonly validateTopicConfig: (config: ReadonlyMap<string, string>) => void;
}

/**
 * Creates, grows and deletes topics by writing their znodes, as 2.1's tools do by themselves; the controller's watches do the
 * rest (`ZkAdminManager`, `AdminZkClient`). Everything is checked before anything is written.
 */
export class TopicAdmin {
  readonly #options: TopicAdminOptions;

  constructor(options: TopicAdminOptions) {
    this.#options = options;
  }

  /** @throws KafkaError with the topic's own error */
  async create(topic: NewTopic, validateOnly: boolean, admit: Admit = admitAll): Promise<CreatedTopic> {
    const { zk } = this.#options;
    requireLegalTopicName(topic.name);
    if (await zk.topicExists(topic.name)) throw alreadyExists(topic.name);
    await this.#refuseCollision(topic.name);
    this.#options.validateTopicConfig(topic.config);
    const partitions = this.#assign(topic);
    const topicId = zk.newTopicId();
    const assignment: TopicAssignment = { topicId, partitions };
    if (!validateOnly) admit(partitions.size);
    if (!validateOnly && !(await zk.createTopic(topic.name, assignment, topic.config))) throw alreadyExists(topic.name);
    const [first] = partitions.values();
    return {
      name: topic.name,
      topicId,
      partitionCount: partitions.size,
      replicationFactor: first?.replicas.length ?? 0,
    };
  }

  /**
   * Raises a topic's partition count.
   * @throws KafkaError UNKNOWN_TOPIC_OR_PARTITION, INVALID_PARTITIONS, INVALID_REPLICA_ASSIGNMENT, REASSIGNMENT_IN_PROGRESS
   */
  async grow(
    name: string,
    count: number,
    assignments: readonly (readonly number[])[] | null,
    validateOnly: boolean,
    admit: Admit = admitAll,
  ): Promise<void> {
    const { zk } = this.#options;
    const current = await zk.topic(name);
    if (current === undefined)
      throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `The topic '${name}' does not exist.`);
    const existing = [...current.partitions.values()];
    if (existing.some(({ addingReplicas, removingReplicas }) => addingReplicas.length + removingReplicas.length > 0)) {
      throw new KafkaError(
        ErrorCode.REASSIGNMENT_IN_PROGRESS,
        `A partition reassignment is in progress for the topic '${name}'.`,
      );
    }
    const had = existing.length;
    if (count < had) {
      throw new KafkaError(
        ErrorCode.INVALID_PARTITIONS,
        `Topic currently has ${had} partitions, which is higher than the requested ${count}.`,
      );
    }
    if (count === had) throw new KafkaError(ErrorCode.INVALID_PARTITIONS, `Topic already has ${had} partitions.`);
    const replicationFactor = current.partitions.get(0)?.replicas.length ?? 1;
    const added =
      assignments === null
        ? this.#addedByRotation(current, count - had, replicationFactor)
        : this.#addedByHand(assignments, had, count, replicationFactor);
    if (validateOnly) return;
    admit(added.size);
    const partitions = new Map([...current.partitions, ...withoutMoves(added)]);
    if (!(await zk.setTopic(name, { ...current, partitions }))) {
      throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `The topic '${name}' does not exist.`);
    }
  }

  /** @throws KafkaError UNKNOWN_TOPIC_OR_PARTITION, TOPIC_DELETION_DISABLED */
  async delete(name: string, admit: Admit = admitAll): Promise<void> {
    const { config, metadata, zk } = this.#options;
    if (!config.boolean('delete.topic.enable')) throw new KafkaError(ErrorCode.TOPIC_DELETION_DISABLED);
    if (!(await zk.topicExists(name))) throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    admit(metadata.topic(name)?.partitions.size ?? 0);
    await zk.requestTopicDeletion(name);
  }

  async #refuseCollision(name: string): Promise<void> {
    if (!/[._]/.test(name)) return;
    const other = (await this.#options.zk.topics()).find((candidate) => collides(name, candidate));
    if (other === undefined) return;
    throw new KafkaError(ErrorCode.INVALID_TOPIC_EXCEPTION, `Topic '${name}' collides with existing topic: ${other}`);
  }

  #assign(topic: NewTopic): Map<number, PartitionAssignment> {
    const { config, metadata, random } = this.#options;
    if (topic.assignment !== undefined && topic.assignment.size > 0) return this.#assignedByHand(topic);
    const partitionCount = topic.partitionCount === -1 ? config.number('num.partitions') : topic.partitionCount;
    const replicationFactor =
      topic.replicationFactor === -1 ? config.number('default.replication.factor') : topic.replicationFactor;
    const brokers = [...metadata.brokers.keys()];
    return withoutMoves(assignReplicas({ brokers, partitionCount, replicationFactor }, random));
  }

  #assignedByHand({
    assignment = new Map(),
    partitionCount,
    replicationFactor,
  }: NewTopic): Map<number, PartitionAssignment> {
    if (partitionCount !== -1 || replicationFactor !== -1) {
      throw new KafkaError(
        ErrorCode.INVALID_REQUEST,
        'Both numPartitions or replicationFactor and replicasAssignments were set. Both cannot be used at the same time.',
      );
    }
    const sizes = new Set([...assignment.values()].map((replicas) => replicas.length));
    if (sizes.size !== 1) throw invalidAssignment('All partitions should have the same number of replicas');
    for (let partition = 0; partition < assignment.size; partition += 1) {
      const replicas = assignment.get(partition);
      if (replicas === undefined)
        throw invalidAssignment('partitions should be a consecutive 0-based integer sequence');
      this.#checkReplicas(replicas);
    }
    return withoutMoves(new Map([...assignment].sort(([a], [b]) => a - b)));
  }

  #checkReplicas(replicas: readonly number[]): void {
    if (replicas.length === 0) throw invalidAssignment('Partition replica lists may not be empty');
    if (new Set(replicas).size !== replicas.length)
      throw invalidAssignment(`Duplicate replicas not allowed in ${replicas}`);
    const unknown = replicas.filter((id) => !this.#options.metadata.brokers.has(id));
    if (unknown.length > 0) throw invalidAssignment(`Unknown broker(s) in replica assignment: ${unknown.join(', ')}.`);
  }

  #addedByRotation(current: TopicAssignment, count: number, replicationFactor: number): Map<number, readonly number[]> {
    const brokers = [...this.#options.metadata.brokers.keys()].sort((a, b) => a - b);
    const firstReplica = current.partitions.get(0)?.replicas[0] ?? 0;
    const startIndex = Math.max(
      0,
      brokers.findIndex((id) => id >= firstReplica),
    );
    return assignReplicas(
      { brokers, partitionCount: count, replicationFactor, firstPartition: current.partitions.size, startIndex },
      this.#options.random,
    );
  }

  #addedByHand(
    assignments: readonly (readonly number[])[],
    had: number,
    count: number,
    replicationFactor: number,
  ): Map<number, readonly number[]> {
    if (assignments.length !== count - had) {
      throw invalidAssignment(
        `Increasing the number of partitions by ${count - had} but ${assignments.length} assignments provided.`,
      );
    }
    for (const replicas of assignments) {
      this.#checkReplicas(replicas);
      if (replicas.length !== replicationFactor) {
        throw invalidAssignment('Inconsistent replication factor between partitions');
      }
    }
    return new Map(assignments.map((replicas, index) => [had + index, replicas]));
  }
}

function withoutMoves(replicas: ReadonlyMap<number, readonly number[]>): Map<number, PartitionAssignment> {
  return new Map(
    [...replicas].map(([partition, list]) => [partition, { replicas: list, addingReplicas: [], removingReplicas: [] }]),
  );
}

function invalidAssignment(message: string): KafkaError {
  return new KafkaError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message);
}

function alreadyExists(name: string): KafkaError {
  return new KafkaError(ErrorCode.TOPIC_ALREADY_EXISTS, `Topic '${name}' already exists.`);
}
