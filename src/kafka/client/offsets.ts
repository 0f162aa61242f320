import { ZERO_UUID } from '../../wire/schema.ts';
import { ErrorCode, errorOf, KafkaError } from '../protocol/errors.ts';
import { ListOffsetsRequest, ListOffsetsResponse } from '../protocol/messages/02-list-offsets.ts';
import { OffsetCommitRequest, OffsetCommitResponse } from '../protocol/messages/08-offset-commit.ts';
import { OffsetFetchRequest, OffsetFetchResponse } from '../protocol/messages/09-offset-fetch.ts';
import { isRetriable } from './client-errors.ts';
import type { Cluster } from './cluster.ts';
import { partitionKey, type TopicPartition } from './cluster-metadata.ts';

/** Times that stand for places. */
export const LATEST = -1;
export const EARLIEST = -2;
/** Of the record with the highest timestamp (3.0 and later). */
export const MAX_TIMESTAMP = -3;

export type IsolationLevel = 'read_uncommitted' | 'read_committed';

export interface OffsetWanted extends TopicPartition {
  /** ms since 1970, or one of the constants. */
  readonly timestamp: number;
}

export interface OffsetFound extends TopicPartition {
  /** -1: no record is that young. */
  readonly offset: number;
  readonly timestamp: number;
  readonly error: KafkaError | undefined;
}

/**
 * Where logs begin, end, or reach a time. Errors of partitions are values; those that may pass are retried within the time.
 */
export async function listOffsets(
  cluster: Cluster,
  wanted: readonly OffsetWanted[],
  options: { readonly isolation?: IsolationLevel; readonly timeoutMs?: number } = {},
): Promise<OffsetFound[]> {
  const found = new Map<string, OffsetFound>();
  let missing = wanted;
  const topics = [...new Set(wanted.map(({ topic }) => topic))];
  const attempt = async (): Promise<void> => {
    if (missing.some(({ topic, partition }) => cluster.leaderOf(topic, partition) < 0)) await cluster.refresh(topics);
    const answers = await Promise.all(
      [...byLeader(cluster, missing)].map(([leader, group]) =>
        leader < 0 ? unknownPartitions(group) : askLeader(cluster, leader, group, options.isolation),
      ),
    );
    for (const answer of answers.flat()) found.set(partitionKey(answer.topic, answer.partition), answer);
    missing = wanted.filter(({ topic, partition }) => isRetriable(found.get(partitionKey(topic, partition))?.error));
    const [failed] = missing;
    if (failed === undefined) return;
    await cluster.refresh(topics);
    throw found.get(partitionKey(failed.topic, failed.partition))!.error;
  };
  await cluster.retrying(attempt, options.timeoutMs).catch((error: unknown) => {
    if (found.size < wanted.length) throw error; // otherwise every partition has its own
  });
  return [...found.values()];
}

function unknownPartitions(wanted: readonly OffsetWanted[]): OffsetFound[] {
  return wanted.map(({ topic, partition }) => ({
    ...{ topic, partition, offset: -1, timestamp: -1 },
    error: new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
  }));
}

function byLeader(cluster: Cluster, wanted: readonly OffsetWanted[]): Map<number, OffsetWanted[]> {
  return Map.groupBy(wanted, ({ topic, partition }) => cluster.leaderOf(topic, partition));
}

async function askLeader(
  cluster: Cluster,
  leader: number,
  wanted: readonly OffsetWanted[],
  isolation: IsolationLevel = 'read_uncommitted',
): Promise<OffsetFound[]> {
  const topics = [...Map.groupBy(wanted, ({ topic }) => topic)].map(([name, partitions]) => ({
    name,
    partitions: partitions.map(({ partition, timestamp }) => ({
      partitionIndex: partition,
      currentLeaderEpoch: -1,
      timestamp,
      maxNumOffsets: 1,
    })),
  }));
  const response = await cluster.request({ node: leader }, ListOffsetsRequest, ListOffsetsResponse, (version) => ({
    replicaId: -1,
    ...(version >= 2 ? { isolationLevel: isolation === 'read_committed' ? 1 : 0 } : {}),
    topics,
  }));
  return response.topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partitionIndex, offset, timestamp, errorCode }) => ({
      topic: name,
      partition: partitionIndex,
      offset,
      timestamp,
      error: errorCode === ErrorCode.NONE ? undefined : errorOf(errorCode),
    })),
  );
}

export interface CommittedOffset extends TopicPartition {
  readonly offset: number;
  readonly metadata?: string | null;
}

/** Who commits: a member of a generation, or nobody (a consumer that was assigned its partitions by hand, a tool). */
export interface Committer {
  readonly groupId: string;
  readonly generation: number;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
}

/** One attempt at a coordinator. Answers each partition's error. */
export async function commitOffsets(
  cluster: Cluster,
  coordinator: number,
  committer: Committer,
  offsets: readonly CommittedOffset[],
): Promise<(TopicPartition & { readonly error: KafkaError | undefined })[]> {
  const topics = [...Map.groupBy(offsets, ({ topic }) => topic)].map(([name, partitions]) => ({
    name,
    topicId: ZERO_UUID,
    partitions: partitions.map(({ partition, offset, metadata }) => ({
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: -1,
      commitTimestamp: -1,
      committedMetadata: metadata ?? '',
    })),
  }));
  const response = await cluster.request(
    { node: coordinator, lane: 'group' },
    OffsetCommitRequest,
    OffsetCommitResponse,
    {
      groupId: committer.groupId,
      generationIdOrMemberEpoch: committer.generation,
      memberId: committer.memberId,
      groupInstanceId: committer.groupInstanceId,
      topics,
    },
  );
  return response.topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partitionIndex, errorCode }) => ({
      topic: name,
      partition: partitionIndex,
      error: errorCode === ErrorCode.NONE ? undefined : errorOf(errorCode),
    })),
  );
}

/** What a group committed, of some partitions or of all; those without an offset are left out. One attempt. */
export async function fetchOffsets(
  cluster: Cluster,
  coordinator: number,
  groupId: string,
  wanted: readonly TopicPartition[] | 'all',
): Promise<CommittedOffset[]> {
  const topics =
    wanted === 'all'
      ? null
      : [...Map.groupBy(wanted, ({ topic }) => topic)].map(([name, partitions]) => ({
          name,
          topicId: ZERO_UUID,
          partitionIndexes: partitions.map(({ partition }) => partition),
        }));
  const answer = await cluster.request(
    { node: coordinator, lane: 'group' },
    OffsetFetchRequest,
    OffsetFetchResponse,
    (version) => ({
      ...(version >= 8 ? { groups: [{ groupId, memberId: null, memberEpoch: -1, topics }] } : { groupId, topics }),
      ...(version >= 7 ? { requireStable: true } : {}),
    }),
  );
  const group = answer.groups[0] ?? answer;
  if (group.errorCode !== ErrorCode.NONE) throw errorOf(group.errorCode);
  const offsets: CommittedOffset[] = [];
  for (const { name, partitions } of group.topics) {
    for (const { partitionIndex, committedOffset, metadata, errorCode } of partitions) {
      if (errorCode !== ErrorCode.NONE) throw errorOf(errorCode);
      if (committedOffset >= 0) {
        offsets.push({ topic: name, partition: partitionIndex, offset: committedOffset, metadata });
      }
    }
  }
  return offsets;
}
