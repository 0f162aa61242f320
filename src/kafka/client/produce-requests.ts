/** Batches as a Produce request has them, and what its answer says of each. */
import type { Slices } from '../../base/slices.ts';
import { ZERO_UUID } from '../../wire/schema.ts';
import { ErrorCode, errorOf, type KafkaError } from '../protocol/errors.ts';
import type { ProduceRequest, ProduceResponse } from '../protocol/messages/00-produce.ts';
import { partitionKey } from './cluster-metadata.ts';
import type { ProducerBatch } from './producer-batch.ts';

export type PartitionAnswer = ProduceResponse['responses'][number]['partitionResponses'][number];

export function topicDataOf(
  batches: readonly ProducerBatch[],
  bytesOf: (batch: ProducerBatch) => Slices,
): ProduceRequest['topicData'] {
  const topics = new Map<string, ProduceRequest['topicData'][number]>();
  for (const batch of batches) {
    const topic = topics.get(batch.topic) ?? { name: batch.topic, topicId: ZERO_UUID, partitionData: [] };
    topics.set(batch.topic, topic);
    topic.partitionData.push({ index: batch.partition, records: bytesOf(batch) });
  }
  return [...topics.values()];
}

/** By `partitionKey`. */
export function answersOf({ responses }: ProduceResponse): Map<string, PartitionAnswer> {
  const answers = new Map<string, PartitionAnswer>();
  for (const { name, partitionResponses } of responses) {
    for (const answer of partitionResponses) answers.set(partitionKey(name, answer.index), answer);
  }
  return answers;
}

/** Some records are wrong, and the others are lost with them (KIP-467): each record's error by its index. */
export function recordErrorsOf(answer: PartitionAnswer): (index: number) => KafkaError {
  const messages = new Map(answer.recordErrors.map((each) => [each.batchIndex, each.batchIndexErrorMessage]));
  return (index) =>
    messages.has(index)
      ? errorOf(answer.errorCode, messages.get(index) ?? answer.errorMessage)
      : errorOf(
          ErrorCode.INVALID_RECORD,
          'Failed to append record because it was part of a batch which had one more more invalid records',
        );
}
