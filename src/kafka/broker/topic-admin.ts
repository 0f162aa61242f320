import type { Random } from '../../runtime/random.ts';
import { assignReplicas } from '../controller/replica-assignment.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import type { MetadataCache } from '../replication/metadata-cache.ts';
import type { KafkaZk } from '../zk/kafka-zk.ts';
import type { PartitionAssignment, TopicAssignment } from '../zk/znodes.ts';
import type { KafkaConfig } from './config/kafka-config.ts';
import type { CreateTopicPolicy } from './config/policies.ts';
import {
  checkAddedAssignment,
  checkNewAssignment,
  invalidAssignment,
  requireModestCount,
} from './manual-assignment.ts';
import { collides, illegalTopicName, requireLegalTopicName } from './topic-names.ts';

export interface NewTopic {
  readonly name: string;
  /** -1: the broker's default. */
  readonly partitionCount: number;
  /** -1: the broker's default. */
  readonly replicationFactor: number;
  /** Given by hand: replicas by partition, of brokers that need not be live or even known. */
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
  /** `create.topic.policy.class.name`; undefined where none is configured. */
  readonly policy?: CreateTopicPolicy | undefined;
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

  /** Faults are found in Apache's order. @throws KafkaError with the topic's own error */
  async create(topic: NewTopic, validateOnly: boolean, admit: Admit = admitAll): Promise<CreatedTopic> {
    const { zk, metadata, validateTopicConfig } = this.#options;
    const { name } = topic;
    if (metadata.topic(name) !== undefined) throw alreadyExists(name);
    const partitions = this.#assign(topic);
    requireLegalTopicName(name);
    if (await zk.isTopicBeingDeleted(name)) {
      throw new KafkaError(ErrorCode.TOPIC_ALREADY_EXISTS, `Topic '${name}' is marked for deletion.`);
    }
    if (await zk.topicExists(name)) throw alreadyExists(name);
    await this.#refuseCollision(name);
    checkNewAssignment(partitions);
    validateTopicConfig(topic.config);
    await this.#askPolicy(topic, partitions);
    const topicId = zk.newTopicId();
    const assignment: TopicAssignment = { topicId, partitions: withoutMoves(partitions) };
    if (!validateOnly) admit(partitions.size);
    if (!validateOnly && !(await zk.createTopic(name, assignment, topic.config))) throw alreadyExists(name);
    const [first = []] = partitions.values();
    return { name, topicId, partitionCount: partitions.size, replicationFactor: first.length };
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
    const current = illegalTopicName(name) === undefined ? await zk.topic(name) : undefined;
    if (current === undefined)
      throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `The topic '${name}' does not exist.`);
    if (await zk.isTopicBeingDeleted(name)) {
      throw new KafkaError(ErrorCode.INVALID_TOPIC_EXCEPTION, 'The topic is queued for deletion.');
    }
    const existing = [...current.partitions.values()];
    if (existing.some(({ addingReplicas, removingReplicas }) => addingReplicas.length + removingReplicas.length > 0)) {
      throw new KafkaError(
        ErrorCode.REASSIGNMENT_IN_PROGRESS,
        `A partition reassignment is in progress for the topic '${name}'.`,
      );
    }
    const had = existing.length;
    requireModestCount(count);
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
    const { config, zk, metadata } = this.#options;
    if (!config.boolean('delete.topic.enable')) throw new KafkaError(ErrorCode.TOPIC_DELETION_DISABLED);
    const known = metadata.topic(name);
    if (known === undefined || !(await zk.topicExists(name)))
      throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    admit(known.partitions.size);
    await zk.requestTopicDeletion(name);
  }

  /** @throws KafkaError POLICY_VIOLATION */
  async #askPolicy(topic: NewTopic, partitions: ReadonlyMap<number, readonly number[]>): Promise<void> {
    const isByHand = topic.assignment !== undefined && topic.assignment.size > 0;
    await this.#options.policy?.validate({
      topic: topic.name,
      numPartitions: isByHand ? null : partitions.size,
      replicationFactor: isByHand ? null : (partitions.get(0)?.length ?? 0),
      replicasAssignments: topic.assignment !== undefined && isByHand ? topic.assignment : null,
      configs: topic.config,
    });
  }

  async #refuseCollision(name: string): Promise<void> {
    if (!/[._]/.test(name)) return;
    const others = (await this.#options.zk.topics()).filter((candidate) => collides(name, candidate));
    if (others.length === 0) return;
    throw new KafkaError(
      ErrorCode.INVALID_TOPIC_EXCEPTION,
      `Topic '${name}' collides with existing topics: ${others.join(', ')}`,
    );
  }

  #assign({ assignment, partitionCount, replicationFactor }: NewTopic): ReadonlyMap<number, readonly number[]> {
    const { config, metadata, random } = this.#options;
    if (assignment === undefined) {
      const count = partitionCount === -1 ? config.number('num.partitions') : partitionCount;
      requireModestCount(count);
      const factor = replicationFactor === -1 ? config.number('default.replication.factor') : replicationFactor;
      const brokers = [...metadata.brokers.keys()];
      return assignReplicas({ brokers, partitionCount: count, replicationFactor: factor }, random);
    }
    if (partitionCount === -1 && replicationFactor === -1) return assignment;
    throw new KafkaError(
      ErrorCode.INVALID_REQUEST,
      'Both numPartitions or replicationFactor and replicasAssignments were set. Both cannot be used at the same time.',
    );
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
    const { brokers } = this.#options.metadata;
    const unknown = new Set(assignments.flat().filter((id) => !brokers.has(id)));
    if (unknown.size > 0) {
      throw invalidAssignment(`Unknown broker(s) in replica assignment: ${[...unknown].join(', ')}.`);
    }
    if (assignments.length !== count - had) {
      throw invalidAssignment(
        `Increasing the number of partitions by ${count - had} but ${assignments.length} assignments provided.`,
      );
    }
    const added = new Map(assignments.map((replicas, index) => [had + index, replicas]));
    checkAddedAssignment(added, replicationFactor);
    return added;
  }
}

function withoutMoves(replicas: ReadonlyMap<number, readonly number[]>): Map<number, PartitionAssignment> {
  return new Map(
    [...replicas].map(([partition, list]) => [partition, { replicas: list, addingReplicas: [], removingReplicas: [] }]),
  );
}

function alreadyExists(name: string): KafkaError {
  return new KafkaError(ErrorCode.TOPIC_ALREADY_EXISTS, `Topic '${name}' already exists.`);
}
