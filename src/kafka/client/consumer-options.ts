import type { ClientOptions } from './cluster.ts';
import type { TopicPartition } from './cluster-metadata.ts';
import type { IsolationLevel } from './offsets.ts';

/** Names and defaults are those of Apache's consumer keys. */
export interface ConsumerOptions extends ClientOptions {
  readonly groupId?: string;
  /** Static membership: restarts within the session timeout cause no rebalance. */
  readonly groupInstanceId?: string;
  /** Where to begin without a committed offset; default latest. */
  readonly autoOffsetReset?: 'earliest' | 'latest' | 'none';
  /** Default: true with a group id. */
  readonly enableAutoCommit?: boolean;
  /** Default 5 s. */
  readonly autoCommitIntervalMs?: number;
  /** Default 45 s. */
  readonly sessionTimeoutMs?: number;
  /** Default 3 s. */
  readonly heartbeatIntervalMs?: number;
  /** A consumer that does not poll for so long leaves its group; default 5 minutes. */
  readonly maxPollIntervalMs?: number;
  /** Default 500. */
  readonly maxPollRecords?: number;
  /** By preference: `range`, `roundrobin`; default range. */
  readonly assignors?: readonly string[];
  readonly isolation?: IsolationLevel;
  /** Default 1. */
  readonly fetchMinBytes?: number;
  /** Default 50 MiB. */
  readonly fetchMaxBytes?: number;
  /** Default 500 ms. */
  readonly fetchMaxWaitMs?: number;
  /** Default 1 MiB. */
  readonly maxPartitionFetchBytes?: number;
  /** Default true. */
  readonly checkCrcs?: boolean;
  readonly allowAutoTopicCreation?: boolean;
}

/** Told of rebalances, within `poll`; partitions are given up before others are given. */
export interface RebalanceListener {
  assigned?(partitions: readonly TopicPartition[]): void | Promise<void>;
  /** Still ours: the last moment to commit. */
  revoked?(partitions: readonly TopicPartition[]): void | Promise<void>;
  /** Another's already. */
  lost?(partitions: readonly TopicPartition[]): void | Promise<void>;
}
