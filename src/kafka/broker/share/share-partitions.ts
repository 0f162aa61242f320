import type { Clock } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import { coordinatorKeyOf, type ShareKey } from '../../coordinator/share/share-key.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import type { MetadataCache } from '../../replication/metadata-cache.ts';
import type { Partition } from '../../replication/partition.ts';
import type { ReplicaManager } from '../../replication/replica-manager.ts';
import type { ShareGroupConfig } from '../../share/share-group-config.ts';
import { SharePartition } from '../../share/share-partition.ts';
import type { SharePersister } from '../../share/share-persister.ts';
import type { ShareSession } from '../../share/share-sessions.ts';
import { gather } from '../gather.ts';

export interface SharePartitionsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly metadata: MetadataCache;
  readonly replicas: ReplicaManager;
  readonly persister: SharePersister;
  readonly configOf: (groupId: string) => ShareGroupConfig;
  /** Records of a partition may have become available to its share groups. */
  readonly onProgress: (partition: Partition) => void;
}

/** The share partitions whose partition this broker leads, from their first use on (`SharePartitionCache`). */
export class SharePartitions {
  readonly #options: SharePartitionsOptions;
  readonly #partitions = new Map<string, SharePartition>();

  constructor(options: SharePartitionsOptions) {
    this.#options = options;
  }

  /** The one that is in use; undefined before its first use. */
  find(key: ShareKey): SharePartition | undefined {
    return this.#partitions.get(coordinatorKeyOf(key));
  }

  /** @throws KafkaError UNKNOWN_TOPIC_ID, UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR */
  get(key: ShareKey): SharePartition {
    const partition = this.partitionOf(key);
    partition.leaderLog();
    const known = this.find(key);
    if (known !== undefined) return known;
    const { clock, log, persister, configOf, onProgress } = this.#options;
    const id = coordinatorKeyOf(key);
    const opened: SharePartition = new SharePartition({
      key,
      partition,
      clock,
      log,
      persister,
      config: () => configOf(key.groupId),
      onProgress: () => onProgress(partition),
      onFenced: () => {
        if (this.#partitions.get(id) === opened) this.#partitions.delete(id);
        // Whoever waits for it hears of it.
        onProgress(partition);
      },
    });
    this.#partitions.set(id, opened);
    return opened;
  }

  /** @throws KafkaError UNKNOWN_TOPIC_ID, UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER */
  partitionOf({ topicId, partition: index }: ShareKey): Partition {
    const { metadata, replicas } = this.#options;
    const topic = metadata.topicName(topicId);
    if (topic === undefined) throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_ID);
    if (metadata.partition(topic, index) === undefined) throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    const partition = replicas.partition(topic, index);
    if (partition === undefined) throw new KafkaError(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    return partition;
  }

  /** What was acquired under another leadership is nobody's any more. */
  leadershipChanged(partition: Partition): void {
    for (const share of [...this.#partitions.values()]) {
      if (share.partition === partition && (!partition.isLeader || share.leaderEpoch !== partition.leaderEpoch)) {
        share.fence();
      }
    }
  }

  /** A session is over: what its member holds of its partitions comes back, and is stored when `done` is called. */
  release(session: ShareSession, done: () => void): void {
    const { groupId, memberId } = session;
    const shares = session.targets().flatMap((target) => this.find({ groupId, ...target }) ?? []);
    gather<SharePartition, unknown>(shares, (share, answer) => share.release(memberId, answer), done);
  }

  /** The next who asks starts from what is stored. */
  forgetGroup(groupId: string): void {
    for (const share of this.#ofGroup(groupId)) share.fence();
  }

  #ofGroup(groupId: string): SharePartition[] {
    return [...this.#partitions.values()].filter(({ key }) => key.groupId === groupId);
  }

  close(): void {
    for (const share of [...this.#partitions.values()]) share.fence();
  }
}
