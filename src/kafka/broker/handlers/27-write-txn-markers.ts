import { build } from '../../../wire/schema.ts';
import type { EndTxnMarker } from '../../coordinator/coordinator-log.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { WriteTxnMarkersRequest, WriteTxnMarkersResponse } from '../../protocol/messages/27-write-txn-markers.ts';
import { AclOperation } from '../../security/acl.ts';
import { filtered } from '../../security/authorizer.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { mayOnCluster } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { gather } from '../gather.ts';
import { OFFSETS_TOPIC } from '../topic-names.ts';
import { appendMarker } from '../txn-markers.ts';

type Marker = WriteTxnMarkersRequest['markers'][number];
type MarkerResult = WriteTxnMarkersResponse['markers'][number];

/** One marker into one partition. */
interface Write {
  readonly marker: EndTxnMarker;
  readonly topic: string;
  readonly partition: number;
}

interface Written extends Write {
  readonly errorCode: number;
}

/**
 * The coordinator of a transaction has its end written into the partitions that we lead; what the transaction committed of a
 * group's offsets counts from then on. From v2 on the request tells the version of transactions, by which a late marker of another
 * transaction is recognised (KIP-1228).
 */
export function writeTxnMarkersHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: WriteTxnMarkersRequest,
    response: WriteTxnMarkersResponse,
    versions: '0-2',
    handle({ markers }, context, responder) {
      const writes = markers.flatMap(writesOf);
      // Administrators end transactions that hang, brokers all others (KIP-664).
      const isAllowed =
        mayOnCluster(broker, context, AclOperation.alter, filtered) ||
        mayOnCluster(broker, context, AclOperation.clusterAction);
      if (!isAllowed) {
        const errorCode = ErrorCode.CLUSTER_AUTHORIZATION_FAILED;
        const refused = writes.map((write) => ({ ...write, errorCode }));
        return responder.answer(build(WriteTxnMarkersResponse, { markers: resultsOf(refused) }));
      }
      gather<Write, Written>(
        writes,
        (write, done) => writeMarker(broker, write, (errorCode) => done({ ...write, errorCode })),
        (written) => responder.answer(build(WriteTxnMarkersResponse, { markers: resultsOf(written) })),
      );
    },
  });
}

function writesOf({ topics, transactionResult, ...rest }: Marker): Write[] {
  const { producerId, producerEpoch, coordinatorEpoch, transactionVersion } = rest;
  const marker = { producerId, producerEpoch, coordinatorEpoch, committed: transactionResult, transactionVersion };
  return topics.flatMap(({ name, partitionIndexes }) =>
    partitionIndexes.map((partition) => ({ marker, topic: name, partition })),
  );
}

function writeMarker(
  broker: BrokerContext,
  { marker, topic, partition }: Write,
  done: (errorCode: number) => void,
): void {
  const replica = broker.replicas.partition(topic, partition);
  if (replica?.log === undefined || replica.log.isOffline) done(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  else if (topic === OFFSETS_TOPIC) {
    broker.groups.endTransaction(partition, marker, (errorCode) => done(leaderError(errorCode)));
  } else appendMarker(replica, marker, broker.runtime.clock.wallMs(), done);
}

/** The coordinator of a transaction expects only errors of partitions: it tries again. */
function leaderError(errorCode: number): number {
  switch (errorCode) {
    case ErrorCode.COORDINATOR_NOT_AVAILABLE:
    case ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
    case ErrorCode.NOT_COORDINATOR:
      return ErrorCode.NOT_LEADER_OR_FOLLOWER;
    default:
      return errorCode;
  }
}

/** By producer, topic and partition; of what was asked twice the last answer counts. */
function resultsOf(written: readonly Written[]): MarkerResult[] {
  const producers = new Map<number, Map<string, Map<number, number>>>();
  for (const { marker, topic, partition, errorCode } of written) {
    const topics = entryOf(producers, marker.producerId, () => new Map<string, Map<number, number>>());
    entryOf(topics, topic, () => new Map<number, number>()).set(partition, errorCode);
  }
  return Array.from(producers, ([producerId, topics]) => ({
    producerId,
    topics: Array.from(topics, ([name, partitions]) => ({
      name,
      partitions: Array.from(partitions, ([partitionIndex, errorCode]) => ({ partitionIndex, errorCode })),
    })),
  }));
}

function entryOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
