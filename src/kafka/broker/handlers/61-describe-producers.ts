import { build } from '../../../wire/schema.ts';
import { lastSequenceIn, type ProducerEntry } from '../../log/producer-entry.ts';
import { ErrorCode, errorInfo, KafkaError } from '../../protocol/errors.ts';
import { DescribeProducersRequest, DescribeProducersResponse } from '../../protocol/messages/61-describe-producers.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler, type RequestContext } from '../api-handler.ts';
import { mayOnTopic } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { requireLegalTopicName } from '../topic-names.ts';

type PartitionResult = DescribeProducersResponse['topics'][number]['partitions'][number];

/** What a replica knows of producers: whose transaction hangs, and since which offset (KIP-664). */
export function describeProducersHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: DescribeProducersRequest,
    response: DescribeProducersResponse,
    versions: '0',
    handle(request, context, responder) {
      const topics = request.topics.map(({ name, partitionIndexes }) => {
        const refused = topicError(broker, context, name);
        const partitions = partitionIndexes.map((partitionIndex) => ({
          partitionIndex,
          ...(refused ?? describe(broker, name, partitionIndex)),
        }));
        return { name, partitions };
      });
      responder.answer(build(DescribeProducersResponse, { topics }));
    },
  });
}

type Result = Omit<PartitionResult, 'partitionIndex'>;

function failed(errorCode: number, errorMessage: string | null): Result {
  return { errorCode, errorMessage, activeProducers: [] };
}

function topicError(broker: BrokerContext, context: RequestContext, name: string): Result | undefined {
  try {
    requireLegalTopicName(name);
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error;
    return failed(error.code, error.message);
  }
  const plainly = (errorCode: number): Result => failed(errorCode, errorInfo(errorCode).message);
  if (!mayOnTopic(broker, context, AclOperation.read, name)) return plainly(ErrorCode.TOPIC_AUTHORIZATION_FAILED);
  return broker.metadata.topic(name) === undefined ? plainly(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) : undefined;
}

function describe(broker: BrokerContext, topic: string, partition: number): Result {
  const log = broker.replicas.partition(topic, partition)?.log;
  if (log === undefined) {
    const known = broker.metadata.partition(topic, partition) !== undefined;
    return failed(known ? ErrorCode.NOT_LEADER_OR_FOLLOWER : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, null);
  }
  if (log.isOffline) return failed(ErrorCode.KAFKA_STORAGE_ERROR, null);
  try {
    const activeProducers = Array.from(log.producers.entries(), producerOf);
    return { errorCode: ErrorCode.NONE, errorMessage: null, activeProducers };
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error;
    return failed(error.code, null);
  }
}

function producerOf(entry: ProducerEntry): Result['activeProducers'][number] {
  return {
    producerId: entry.producerId,
    producerEpoch: entry.epoch,
    lastSequence: lastSequenceIn(entry),
    lastTimestamp: entry.lastTimestamp,
    coordinatorEpoch: entry.coordinatorEpoch,
    currentTxnStartOffset: entry.currentTxnFirstOffset,
  };
}
