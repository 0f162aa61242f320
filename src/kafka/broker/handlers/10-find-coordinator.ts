import { build } from '../../../wire/schema.ts';
import { parseCoordinatorKey } from '../../coordinator/share/share-key.ts';
import type { TopicPartition } from '../../log/file-names.ts';
import { ErrorCode, errorInfo } from '../../protocol/errors.ts';
import { FindCoordinatorRequest, FindCoordinatorResponse } from '../../protocol/messages/10-find-coordinator.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler, type RequestContext } from '../api-handler.ts';
import { mayOnCluster, mayOnGroup, mayOnTransaction } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { endpointOn } from '../reachable-brokers.ts';
import { OFFSETS_TOPIC, SHARE_STATE_TOPIC, TRANSACTIONS_TOPIC } from '../topic-names.ts';

type Coordinator = FindCoordinatorResponse['coordinators'][number];

const GROUP = 0;
const TRANSACTION = 1;
/** From version 6 on: the coordinator of a share partition. */
const SHARE = 2;
const SHARE_FROM = 6;
const UNKNOWN_TYPE = -1;
const MANY_KEYS_FROM = 4;

/** The coordinator of a key is the leader of the partition that keeps it; the first question brings the topic into being. */
export function findCoordinatorHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: FindCoordinatorRequest,
    response: FindCoordinatorResponse,
    versions: '0-6',
    handle({ key, keyType: given, coordinatorKeys }, context, responder) {
      const { apiVersion } = context;
      const keyType = given === SHARE && apiVersion < SHARE_FROM ? UNKNOWN_TYPE : given;
      const find = (one: string): Coordinator => findCoordinator(broker, { key: one, keyType }, context);
      if (apiVersion >= MANY_KEYS_FROM) {
        return responder.answer(build(FindCoordinatorResponse, { coordinators: coordinatorKeys.map(find) }));
      }
      const { errorCode, nodeId, host, port } = find(key);
      // Apache's text for no error, which was sent until version 3.
      const errorMessage = errorCode === ErrorCode.NONE ? 'NONE' : errorInfo(errorCode).message;
      responder.answer(build(FindCoordinatorResponse, { errorCode, errorMessage, nodeId, host, port }));
    },
  });
}

function findCoordinator(
  broker: BrokerContext,
  wanted: { readonly key: string; readonly keyType: number },
  context: RequestContext,
): Coordinator {
  const failed = (errorCode: number): Coordinator => ({
    key: wanted.key,
    nodeId: -1,
    host: '',
    port: -1,
    errorCode,
    // From v4 on a failed answer has its error's own text only where the request was not understood.
    errorMessage: errorCode === ErrorCode.INVALID_REQUEST ? errorInfo(errorCode).message : '',
  });
  const refusal = refusalOf(broker, wanted, context);
  if (refusal !== ErrorCode.NONE) return failed(refusal);
  const place = placeOf(broker, wanted.keyType, wanted.key);
  if (place === undefined) return failed(ErrorCode.INVALID_REQUEST);
  const topic = broker.metadata.topic(place.topic);
  if (topic === undefined) {
    broker.autoTopics.create(place.topic);
    return failed(ErrorCode.COORDINATOR_NOT_AVAILABLE);
  }
  const leaderId = topic.partitions.get(place.partition)?.leader;
  const leader = leaderId === undefined ? undefined : broker.metadata.brokers.get(leaderId);
  const endpoint = leader && endpointOn(leader, context.listenerName);
  if (leader === undefined || endpoint === undefined) return failed(ErrorCode.COORDINATOR_NOT_AVAILABLE);
  const { host, port } = endpoint;
  return { key: wanted.key, nodeId: leader.id, host, port, errorCode: ErrorCode.NONE, errorMessage: '' };
}

function refusalOf(
  broker: BrokerContext,
  { key, keyType }: { readonly key: string; readonly keyType: number },
  context: RequestContext,
): number {
  if (keyType === GROUP && !mayOnGroup(broker, context, AclOperation.describe, key)) {
    return ErrorCode.GROUP_AUTHORIZATION_FAILED;
  }
  if (keyType === TRANSACTION && !mayOnTransaction(broker, context, AclOperation.describe, key)) {
    return ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
  }
  if (keyType === SHARE && !mayOnCluster(broker, context, AclOperation.clusterAction)) {
    return ErrorCode.CLUSTER_AUTHORIZATION_FAILED;
  }
  return ErrorCode.NONE;
}

/** The partition of an internal topic that keeps a key; undefined for a type of keys that there is none of. */
function placeOf(broker: BrokerContext, keyType: number, key: string): TopicPartition | undefined {
  if (keyType === GROUP) return { topic: OFFSETS_TOPIC, partition: broker.groups.partitionFor(key) };
  if (keyType === TRANSACTION) return { topic: TRANSACTIONS_TOPIC, partition: broker.transactions.partitionFor(key) };
  if (keyType !== SHARE || parseCoordinatorKey(key) === undefined) return undefined;
  return { topic: SHARE_STATE_TOPIC, partition: broker.shares.coordinator.partitionFor(key) };
}
