/** What a transactional producer asks of its coordinator and its groups'. One attempt each; errors are thrown. */

import { ZERO_UUID } from '../../wire/schema.ts';
import { ErrorCode, errorOf, KafkaError } from '../protocol/errors.ts';
import { InitProducerIdRequest, InitProducerIdResponse } from '../protocol/messages/22-init-producer-id.ts';
import {
  AddPartitionsToTxnRequest,
  AddPartitionsToTxnResponse,
} from '../protocol/messages/24-add-partitions-to-txn.ts';
import { AddOffsetsToTxnRequest, AddOffsetsToTxnResponse } from '../protocol/messages/25-add-offsets-to-txn.ts';
import { EndTxnRequest, EndTxnResponse } from '../protocol/messages/26-end-txn.ts';
import { TxnOffsetCommitRequest, TxnOffsetCommitResponse } from '../protocol/messages/28-txn-offset-commit.ts';
import type { Cluster } from './cluster.ts';
import type { TopicPartition } from './cluster-metadata.ts';
import type { CommittedOffset, Committer } from './offsets.ts';
import type { ProducerId } from './producer-batch.ts';

/** Since this version a producer names its own id and epoch, and only their holder gets the next epoch (KIP-360). */
const RECOVERY_VERSION = 3;

export interface TransactionalId {
  readonly transactionalId: string;
  readonly producer: ProducerId;
}

function check(errorCode: number): void {
  if (errorCode !== ErrorCode.NONE) throw errorOf(errorCode);
}

/** @param current undefined: a new life, which fences all earlier ones */
export async function initProducer(
  cluster: Cluster,
  node: number,
  options: { readonly transactionalId: string; readonly transactionTimeoutMs: number },
  current: ProducerId | undefined,
): Promise<ProducerId> {
  const answer = await cluster.request({ node }, InitProducerIdRequest, InitProducerIdResponse, (version) => {
    if (current === undefined) return options;
    if (version < RECOVERY_VERSION) {
      throw new KafkaError(ErrorCode.UNSUPPORTED_VERSION, 'The broker cannot raise the epoch of a producer.');
    }
    return { ...options, producerId: current.id, producerEpoch: current.epoch };
  });
  check(answer.errorCode);
  return { id: answer.producerId, epoch: answer.producerEpoch };
}

export async function addPartitions(
  cluster: Cluster,
  node: number,
  { transactionalId, producer }: TransactionalId,
  partitions: readonly TopicPartition[],
): Promise<void> {
  const topics = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, group]) => ({
    name,
    partitions: group.map(({ partition }) => partition),
  }));
  const answer = await cluster.request({ node }, AddPartitionsToTxnRequest, AddPartitionsToTxnResponse, {
    v3AndBelowTransactionalId: transactionalId,
    v3AndBelowProducerId: producer.id,
    v3AndBelowProducerEpoch: producer.epoch,
    v3AndBelowTopics: topics,
  });
  const codes = answer.resultsByTopicV3AndBelow.flatMap(({ resultsByPartition }) =>
    resultsByPartition.map(({ partitionErrorCode }) => partitionErrorCode),
  );
  // All or none are added; those that are right are told that nothing was attempted.
  check(codes.find((code) => code !== ErrorCode.NONE && code !== ErrorCode.OPERATION_NOT_ATTEMPTED) ?? ErrorCode.NONE);
}

export async function addOffsets(
  cluster: Cluster,
  node: number,
  { transactionalId, producer }: TransactionalId,
  groupId: string,
): Promise<void> {
  const answer = await cluster.request({ node }, AddOffsetsToTxnRequest, AddOffsetsToTxnResponse, {
    transactionalId,
    producerId: producer.id,
    producerEpoch: producer.epoch,
    groupId,
  });
  check(answer.errorCode);
}

/** @param node the group's coordinator */
export async function commitOffsetsInTransaction(
  cluster: Cluster,
  node: number,
  { transactionalId, producer }: TransactionalId,
  committer: Committer,
  offsets: readonly CommittedOffset[],
): Promise<void> {
  const topics = [...Map.groupBy(offsets, ({ topic }) => topic)].map(([name, group]) => ({
    name,
    topicId: ZERO_UUID,
    partitions: group.map(({ partition, offset, metadata }) => ({
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: -1,
      committedMetadata: metadata ?? '',
    })),
  }));
  const { groupId, generation, memberId, groupInstanceId } = committer;
  const answer = await cluster.request({ node }, TxnOffsetCommitRequest, TxnOffsetCommitResponse, (version) => ({
    transactionalId,
    groupId,
    producerId: producer.id,
    producerEpoch: producer.epoch,
    // Before version 3 a member that was put out is not refused (KIP-447).
    ...(version >= 3 ? { generationIdOrMemberEpoch: generation, memberId, groupInstanceId } : {}),
    topics,
  }));
  for (const { partitions } of answer.topics) for (const { errorCode } of partitions) check(errorCode);
}

export async function endTransaction(
  cluster: Cluster,
  node: number,
  { transactionalId, producer }: TransactionalId,
  committed: boolean,
): Promise<void> {
  const answer = await cluster.request({ node }, EndTxnRequest, EndTxnResponse, {
    transactionalId,
    producerId: producer.id,
    producerEpoch: producer.epoch,
    committed,
  });
  check(answer.errorCode);
}
