import { ErrorCode } from '../../protocol/errors.ts';
import type { OffsetFetchResponse } from '../../protocol/messages/09-offset-fetch.ts';
import type { TopicPartition } from './clean-up.ts';
import type { DurableState } from './durable-state.ts';
import type { CommittedOffset } from './group-records.ts';

export type WantedTopics = readonly { readonly name: string; readonly partitionIndexes: readonly number[] }[];
export type FetchedPartition = OffsetFetchResponse['topics'][number]['partitions'][number];

export interface FetchedOffsets {
  /** Of the whole group; then there are no topics. */
  readonly errorCode: number;
  readonly topics: { name: string; partitions: FetchedPartition[] }[];
}

export interface OffsetQuery {
  /** Null: all that the group has. */
  readonly topics: WantedTopics | null;
  /** Refuse what a commit or a transaction under way may change (KIP-447). */
  readonly requireStable: boolean;
  readonly inFlight: readonly TopicPartition[];
}

/** Whoever asks is told, member or not: offsets may be kept here without a group. */
export function fetchOffsets(state: DurableState, group: string, query: OffsetQuery): FetchedOffsets {
  const unstable = new Set(query.inFlight.map(({ topic, partition }) => `${partition} ${topic}`));
  const partitionOf = (topic: string, partition: number): FetchedPartition => {
    const isUnstable =
      query.requireStable && (unstable.has(`${partition} ${topic}`) || state.isPending(group, topic, partition));
    if (isUnstable) return failedOffset(partition, ErrorCode.UNSTABLE_OFFSET_COMMIT);
    return fetched(partition, state.offset(group, topic, partition));
  };
  const wanted = query.topics ?? allTopics(state, group);
  return {
    errorCode: ErrorCode.NONE,
    topics: wanted.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partition) => partitionOf(name, partition)),
    })),
  };
}

function allTopics(state: DurableState, group: string): WantedTopics {
  const topics = new Map<string, number[]>();
  for (const { topic, partition } of state.offsets(group)) {
    const partitions = topics.get(topic);
    if (partitions === undefined) topics.set(topic, [partition]);
    else partitions.push(partition);
  }
  return Array.from(topics, ([name, partitionIndexes]) => ({ name, partitionIndexes }));
}

function fetched(partitionIndex: number, committed: CommittedOffset | undefined): FetchedPartition {
  if (committed === undefined) return failedOffset(partitionIndex, ErrorCode.NONE);
  // Another broker may have stored what no number holds exactly.
  if (!Number.isSafeInteger(committed.offset)) return failedOffset(partitionIndex, ErrorCode.UNKNOWN_SERVER_ERROR);
  return {
    partitionIndex,
    committedOffset: committed.offset,
    committedLeaderEpoch: committed.leaderEpoch,
    metadata: committed.metadata,
    errorCode: ErrorCode.NONE,
  };
}

/** No offset; without an error nothing was committed. */
export function failedOffset(partitionIndex: number, errorCode: number): FetchedPartition {
  return { partitionIndex, committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode };
}
