import { build } from '../../../wire/schema.ts';
import type { PartitionsRequest } from '../../coordinator/transaction/add-partitions.ts';
import { partitionSet } from '../../coordinator/transaction/partition-set.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import {
  AddPartitionsToTxnRequest,
  AddPartitionsToTxnResponse,
} from '../../protocol/messages/24-add-partitions-to-txn.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler, type RequestContext } from '../api-handler.ts';
import { allowedTopics, everyName, mayOnCluster, mayOnTransaction, type Names } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { gather } from '../gather.ts';
import { asOldClientsKnow } from '../request-errors.ts';
import { isInternal } from '../topic-names.ts';

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
    handle(request, context, responder) {
      const isBatch = context.apiVersion >= BATCHES_FROM;
      if (isBatch && !mayOnCluster(broker, context, AclOperation.clusterAction)) {
        const refusal = { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED };
        return responder.answer(build(AddPartitionsToTxnResponse, refusal));
      }
      gather<OneTransaction, TopicResults>(
        isBatch ? request.transactions : [theOnlyOne(request)],
        (transaction, done) => addPartitions(broker, transaction, context, done),
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
  context: RequestContext,
  done: (results: TopicResults) => void,
): void {
  const { apiVersion } = context;
  const isClient = apiVersion < BATCHES_FROM;
  if (isClient && !mayOnTransaction(broker, context, AclOperation.write, producer.transactionalId)) {
    return done(resultsOf(topics, () => ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED));
  }
  const writable = isClient ? writableTopics(broker, context, topics) : everyName;
  const isKnown = (topic: string, partition: number): boolean =>
    broker.metadata.partition(topic, partition) !== undefined;
  const isComplete = topics.every(
    ({ name, partitions }) => writable.has(name) && partitions.every((partition) => isKnown(name, partition)),
  );
  const partitions = partitionSet(
    topics.map(({ name, partitions: indexes }) => ({ topic: name, partitions: indexes })),
  );
  // Of a partition that is named twice an answer of its own is given once.
  const distinct = [...partitions].map(([name, indexes]) => ({ name, partitions: [...indexes] }));
  // One partition that does not exist or may not be written to, and none is added.
  if (!isComplete) {
    const errorOf = (topic: string, partition: number): number => {
      if (!writable.has(topic)) return ErrorCode.TOPIC_AUTHORIZATION_FAILED;
      return isKnown(topic, partition) ? ErrorCode.OPERATION_NOT_ATTEMPTED : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    };
    return done(resultsOf(distinct, errorOf));
  }
  const request: PartitionsRequest = { ...producer, partitions };
  if (verifyOnly) return broker.transactions.verifyPartitions(request, (errorOf) => done(resultsOf(distinct, errorOf)));
  // Whoever asks in batches speaks the newest version of the protocol (`TransactionVersion.transactionVersionForAddPartitionsToTxn`).
  const clientVersion = apiVersion >= BATCHES_FROM ? 2 : 0;
  broker.transactions.addPartitions(request, clientVersion, (errorCode) => {
    const known = asOldClientsKnow(errorCode, apiVersion, PRODUCER_FENCED_FROM);
    done(resultsOf(topics, () => known));
  });
}

/** Internal topics are nobody's to write to, whatever ACLs say. */
function writableTopics(broker: BrokerContext, context: RequestContext, topics: Topics): Names {
  const names = topics.map(({ name }) => name).filter((name) => !isInternal(name));
  const allowed = allowedTopics(broker, context, AclOperation.write, names);
  return { has: (name) => !isInternal(name) && allowed.has(name) };
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
