import type { Log } from '../../runtime/log.ts';
import type { Purgatory } from '../../runtime/purgatory.ts';
import { ZERO_UUID } from '../../wire/schema.ts';
import type { TopicPartition } from '../log/file-names.ts';
import type { PartitionLog } from '../log/log.ts';
import type { LogManager } from '../log/log-manager.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import type { AppendFigures } from './append-figures.ts';
import type { LongWork } from './long-work.ts';
import { type LeadershipState, Partition } from './partition.ts';

export interface ReplicaManagerOptions {
  readonly brokerId: number;
  readonly logs: LogManager;
  readonly log: Log;
  /** Bytes that a producer's batch may become when it is decompressed; 256 MiB unless given. */
  readonly decompressedBytesMax?: number;
  /** Unpacks large batches of producers. */
  readonly longWork: LongWork;
  /** Fetches that wait for records. */
  readonly fetchPurgatory: Purgatory<Partition>;
  /** Who counts appends. */
  readonly figures?: AppendFigures | undefined;
  /** Coordinators load and unload with the leadership of their partitions. */
  readonly onLeadershipChange: (partition: Partition) => void;
}

/** One partition's order in a LeaderAndIsr request. */
export interface LeadershipOrder extends LeadershipState {
  readonly topic: string;
  readonly partition: number;
  /** ZERO_UUID where the controller gives none. */
  readonly topicId: string;
  readonly isNew: boolean;
}

/** One partition's order in a StopReplica request. */
export interface StopOrder {
  readonly topic: string;
  readonly partition: number;
  readonly leaderEpoch: number;
  readonly deletePartition: boolean;
}

/** Leader epochs of StopReplica that are none: an older controller's, and that of a deletion. */
const NO_EPOCH = -1;
const EPOCH_DURING_DELETE = -2;

/** All replicas of this broker. Only the controller's orders make, move or remove one. */
export class ReplicaManager {
  readonly #options: ReplicaManagerOptions;
  readonly #topics = new Map<string, Map<number, Partition>>();
  /** The last order to each replica that is not followed yet. */
  readonly #turns = new Map<string, Promise<number>>();
  readonly #onProgress = (moved: Partition): void => void this.#options.fetchPurgatory.check(moved);

  constructor(options: ReplicaManagerOptions) {
    this.#options = options;
  }

  partition(topic: string, index: number): Partition | undefined {
    return this.#topics.get(topic)?.get(index);
  }

  partitionsOf(topic: string): Partition[] {
    return [...(this.#topics.get(topic)?.values() ?? [])];
  }

  *partitions(): Generator<Partition> {
    for (const partitions of this.#topics.values()) yield* partitions.values();
  }

  /**
   * Leads or follows as ordered. An epoch that is not newer is refused, as is a topic id that the log does not have; answers the
   * error code.
   */
  become(order: LeadershipOrder): Promise<number> {
    return this.inTurn(order, () => this.#become(order));
  }

  /** A log dir failed: whoever waits on its partitions is told so. */
  logDirFailed(): void {
    for (const partition of this.partitions()) if (partition.isOffline) this.#options.fetchPurgatory.check(partition);
  }

  /** Stops a replica, and deletes its log if so ordered; answers the error code. */
  stop(order: StopOrder): Promise<number> {
    return this.inTurn(order, () => this.#stop(order));
  }

  /**
   * Orders to one replica are followed one after the other, also those of two controllers: a log is not made while it is deleted,
   * nor led while it moves to another log dir.
   */
  inTurn({ topic, partition }: TopicPartition, follow: () => Promise<number>): Promise<number> {
    const name = `${topic}-${partition}`;
    const turn = (this.#turns.get(name) ?? Promise.resolve()).then(follow).catch((error: unknown) => {
      this.#options.log.error('a replica cannot do as the controller ordered', {
        topic,
        partition,
        error: String(error),
      });
      return error instanceof KafkaError ? error.code : ErrorCode.KAFKA_STORAGE_ERROR;
    });
    this.#turns.set(name, turn);
    void turn.then(() => {
      if (this.#turns.get(name) === turn) this.#turns.delete(name);
    });
    return turn;
  }

  async #become(order: LeadershipOrder): Promise<number> {
    const { topic, partition: index, topicId } = order;
    const existing = this.partition(topic, index);
    const topicPartition = { topic, partition: index };
    const known = existing?.log ?? this.#options.logs.get(topicPartition);
    if (known?.isOffline || existing?.isOffline) {
      (existing ?? this.#add(topic, index)).goOffline();
      return ErrorCode.KAFKA_STORAGE_ERROR;
    }
    const hasId = known?.topicId !== undefined;
    if (topicId !== ZERO_UUID && hasId && known.topicId !== topicId) return ErrorCode.INCONSISTENT_TOPIC_ID;
    if (existing !== undefined && order.leaderEpoch <= existing.leaderEpoch) {
      // The one thing that may change without an election: a topic of an old controller gets its id.
      const isUpgrade = order.leaderEpoch === existing.leaderEpoch && topicId !== ZERO_UUID && !hasId;
      if (!isUpgrade) return ErrorCode.STALE_CONTROLLER_EPOCH;
      existing.log?.assignTopicId(topicId);
      return ErrorCode.NONE;
    }
    if (!order.replicas.includes(this.#options.brokerId)) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    const log = await this.#logOf(order);
    if (topicId !== ZERO_UUID && log.topicId === undefined) log.assignTopicId(topicId);
    const partition = existing ?? this.#add(topic, index);
    partition.become(order, log);
    if (!partition.isLeader && this.#options.figures !== undefined) this.#stoppedLeading(topic);
    this.#options.onLeadershipChange(partition);
    this.#options.fetchPurgatory.check(partition);
    return ErrorCode.NONE;
  }

  /** @throws KafkaError KAFKA_STORAGE_ERROR: the replica is offline then */
  async #logOf({ topic, partition, isNew }: LeadershipOrder): Promise<PartitionLog> {
    try {
      return await this.#options.logs.getOrCreate({ topic, partition }, isNew);
    } catch (error) {
      const isStorage = error instanceof KafkaError && error.code === ErrorCode.KAFKA_STORAGE_ERROR;
      if (isStorage) (this.partition(topic, partition) ?? this.#add(topic, partition)).goOffline();
      throw error;
    }
  }

  async #stop({ topic, partition: index, leaderEpoch, deletePartition }: StopOrder): Promise<number> {
    const partition = this.partition(topic, index);
    const isFenced =
      partition !== undefined &&
      leaderEpoch !== NO_EPOCH &&
      leaderEpoch !== EPOCH_DURING_DELETE &&
      leaderEpoch < partition.leaderEpoch;
    if (isFenced) return ErrorCode.FENCED_LEADER_EPOCH;
    if (partition?.isOffline === true) {
      partition.goOffline();
      return ErrorCode.KAFKA_STORAGE_ERROR;
    }
    if (partition !== undefined) {
      this.#remove(partition);
      partition.stop();
      this.#options.onLeadershipChange(partition);
      this.#options.fetchPurgatory.check(partition);
    }
    if (deletePartition) await this.#options.logs.delete({ topic, partition: index });
    return ErrorCode.NONE;
  }

  #add(topic: string, index: number): Partition {
    const partition = new Partition({
      topic,
      index,
      brokerId: this.#options.brokerId,
      decompressedBytesMax: this.#options.decompressedBytesMax,
      longWork: this.#options.longWork,
      figures: this.#options.figures?.of(topic),
      onProgress: this.#onProgress,
    });
    let partitions = this.#topics.get(topic);
    if (partitions === undefined) {
      partitions = new Map();
      this.#topics.set(topic, partitions);
    }
    partitions.set(index, partition);
    return partition;
  }

  #stoppedLeading(topic: string): void {
    if (!this.partitionsOf(topic).some(({ isLeader }) => isLeader)) this.#options.figures?.stopsLeading(topic);
  }

  #remove({ topic, index }: Partition): void {
    const partitions = this.#topics.get(topic);
    partitions?.delete(index);
    if (partitions?.size !== 0) return;
    this.#topics.delete(topic);
    this.#options.figures?.forget(topic);
  }
}
