import { build } from '../../../wire/schema.ts';
import type { PartitionsRequest } from '../../coordinator/transaction/add-partitions.ts';
import { partitionSet } from '../../coordinator/transaction/partition-set.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import {
  AddPartitionsToTxnRequest,
  AddPartitionsToTxnResponse,
} from '../../protocol/messages/24-add-partitions-to-txn.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';
import { gather } from '../gather.ts';
import { asOldClientsKnow } from '../request-errors.ts';

type OneTransaction = AddPartitionsToTxnRequest['transactions'][number];
type Topics = OneTransaction['topics'];
type TopicResults = AddPartitionsToTxnResponse['resultsByTopicV3AndBelow'];

/** From this version on brokers ask, for many transactions at once. */
const BATCHES_FROM = 4;
const PRODUCER_FENCED_FROM = 2;

/** Adds partitions to transactions, or tells a partition's leader whether they are in them (KIP-890). */
export function addPartitionsToTxnHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: AddPartitionsToTxnRequest,
    response: AddPartitionsToTxnResponse,
    versions: '0-5',
    handle(request, { apiVersion }, responder) {
      const isBatch = apiVersion >= BATCHES_FROM;
      gather<OneTransaction, TopicResults>(
        isBatch ? request.transactions : [theOnlyOne(request)],
        (transaction, done) => addPartitions(broker, transaction, apiVersion, done),
        (results) =>
          responder.answer(
            isBatch
              ? build(AddPartitionsToTxnResponse, {
                  resultsByTransaction: results.map((topicResults, index) => ({
                    transactionalId: request.transactions[index]?.transactionalId ?? '',
                    topicResults,
                  })),
                })
              : build(AddPartitionsToTxnResponse, { resultsByTopicV3AndBelow: results[0] ?? [] }),
          ),
      );
    },
  });
}

function theOnlyOne(request: AddPartitionsToTxnRequest): OneTransaction {
  return {
    transactionalId: request.v3AndBelowTransactionalId,
    producerId: request.v3AndBelowProducerId,
    producerEpoch: request.v3AndBelowProducerEpoch,
    verifyOnly: false,
    topics: request.v3AndBelowTopics,
  };
}

function addPartitions(
  broker: BrokerContext,
  { topics, verifyOnly, ...producer }: OneTransaction,
  apiVersion: number,
  done: (results: TopicResults) => void,
): void {
  const isKnown = (topic: string, partition: number): boolean =>
    broker.metadata.partition(topic, partition) !== undefined;
  const isComplete = topics.every(({ name, partitions }) => partitions.every((partition) => isKnown(name, partition)));
  // One partition that does not exist, and none is added.
  if (!isComplete) {
    const errorOf = (topic: string, partition: number): number =>
      isKnown(topic, partition) ? ErrorCode.OPERATION_NOT_ATTEMPTED : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    return done(resultsOf(topics, errorOf));
  }
  const partitions = partitionSet(
    topics.map(({ name, partitions: indexes }) => ({ topic: name, partitions: indexes })),
  );
  const request: PartitionsRequest = { ...producer, partitions };
  if (verifyOnly) return broker.transactions.verifyPartitions(request, (errorOf) => done(resultsOf(topics, errorOf)));
  // Whoever asks in batches speaks the newest version of the protocol (`TransactionVersion.transactionVersionForAddPartitionsToTxn`).
  const clientVersion = apiVersion >= BATCHES_FROM ? 2 : 0;
  broker.transactions.addPartitions(request, clientVersion, (errorCode) => {
    const known = asOldClientsKnow(errorCode, apiVersion, PRODUCER_FENCED_FROM);
    done(resultsOf(topics, () => known));
  });
}

function resultsOf(topics: Topics, errorOf: (topic: string, partition: number) => number): TopicResults {
  return topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map((partitionIndex) => ({
      partitionIndex,
      partitionErrorCode: errorOf(name, partitionIndex),
    })),
  }));
}
