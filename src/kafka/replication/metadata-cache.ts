import { ZERO_UUID } from '../../wire/schema.ts';

/** The leader of a partition that nobody leads, and of one that is being deleted (KAFKA's LeaderAndIsr sentinels). */
export const NO_LEADER = -1;
export const LEADER_DURING_DELETE = -2;

export interface BrokerEndpoint {
  readonly listener: string;
  readonly host: string;
  readonly port: number;
}

export interface LiveBroker {
  readonly id: number;
  readonly rack: string | null;
  readonly endpoints: readonly BrokerEndpoint[];
}

export interface PartitionMetadata {
  readonly topic: string;
  readonly partition: number;
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly isr: readonly number[];
  readonly replicas: readonly number[];
  readonly offlineReplicas: readonly number[];
  readonly controllerEpoch: number;
  /** Version of the partition's state znode. */
  readonly zkVersion: number;
}

export interface TopicMetadata {
  readonly name: string;
  /** ZERO_UUID where the controller's protocol version gives topics no ids. */
  readonly id: string;
  readonly partitions: ReadonlyMap<number, PartitionMetadata>;
}

export interface DeletedPartition extends PartitionMetadata {
  /** ZERO_UUID where the topic had none. */
  readonly topicId: string;
}

interface MutableTopic {
  name: string;
  id: string;
  partitions: Map<number, PartitionMetadata>;
}

export interface MetadataUpdate {
  readonly controllerId: number;
  readonly brokers: readonly LiveBroker[];
  readonly topics: readonly {
    readonly name: string;
    readonly id: string;
    readonly partitions: readonly PartitionMetadata[];
  }[];
}

/**
 * What the controller last told this broker of the whole cluster (`ZkMetadataCache`): the live brokers are replaced with each
 * UpdateMetadata, partitions are merged in.
 */
export class MetadataCache {
  #controllerId: number | undefined;
  #brokers: ReadonlyMap<number, LiveBroker> = new Map();
  readonly #topics = new Map<string, MutableTopic>();
  readonly #names = new Map<string, string>();
  #changeCount = 0;
  #createdCount = 0;

  get controllerId(): number | undefined {
    return this.#controllerId;
  }

  get brokers(): ReadonlyMap<number, LiveBroker> {
    return this.#brokers;
  }

  topics(): IterableIterator<TopicMetadata> {
    return this.#topics.values();
  }

  get topicCount(): number {
    return this.#topics.size;
  }

  /** Grows whenever a topic, its partitions, their replicas or a broker's rack became another. */
  get changeCount(): number {
    return this.#changeCount;
  }

  /** How many topics have come, as far as this broker knows. */
  get createdCount(): number {
    return this.#createdCount;
  }

  topic(name: string): TopicMetadata | undefined {
    return this.#topics.get(name);
  }

  topicName(id: string): string | undefined {
    return this.#names.get(id);
  }

  /** ZERO_UUID for an unknown topic or one without an id. */
  topicId(name: string): string {
    return this.#topics.get(name)?.id ?? ZERO_UUID;
  }

  partition(topic: string, partition: number): PartitionMetadata | undefined {
    return this.#topics.get(topic)?.partitions.get(partition);
  }

  /** Answers the partitions that the update deleted. */
  update(update: MetadataUpdate): DeletedPartition[] {
    this.#controllerId = update.controllerId < 0 ? undefined : update.controllerId;
    const brokers = new Map(update.brokers.map((broker) => [broker.id, broker]));
    if (racksOf(brokers) !== racksOf(this.#brokers)) this.#changeCount += 1;
    this.#brokers = brokers;
    const deleted: DeletedPartition[] = [];
    for (const topic of update.topics) {
      const topicId = this.topicId(topic.name);
      for (const partition of topic.partitions) {
        if (partition.leader === LEADER_DURING_DELETE) {
          this.#delete(topic.name, partition.partition);
          deleted.push({ ...partition, topicId });
        } else {
          this.#put(topic.name, topic.id, partition);
        }
      }
    }
    return deleted;
  }

  #put(name: string, id: string, partition: PartitionMetadata): void {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      topic = { name, id, partitions: new Map() };
      this.#topics.set(name, topic);
      this.#createdCount += 1;
    }
    if (id !== ZERO_UUID && topic.id !== id) this.#names.delete(topic.id);
    if (id !== ZERO_UUID) {
      topic.id = id;
      this.#names.set(id, name);
    }
    const known = topic.partitions.get(partition.partition);
    if (known?.replicas.join() !== partition.replicas.join()) this.#changeCount += 1;
    topic.partitions.set(partition.partition, partition);
  }

  #delete(name: string, index: number): void {
    const topic = this.#topics.get(name);
    if (topic === undefined) return;
    topic.partitions.delete(index);
    this.#changeCount += 1;
    if (topic.partitions.size > 0) return;
    this.#topics.delete(name);
    this.#names.delete(topic.id);
  }
}

function racksOf(brokers: ReadonlyMap<number, LiveBroker>): string {
  return JSON.stringify(Array.from(brokers.values(), ({ id, rack }) => [id, rack]).sort());
}
