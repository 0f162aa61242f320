import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { StopReplicaRequest, StopReplicaResponse } from '../../protocol/messages/05-stop-replica.ts';
import type { StopOrder } from '../../replication/replica-manager.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { mayOnCluster } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';

/** The controller tells which replicas to stop, and which to delete. */
export function stopReplicaHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: StopReplicaRequest,
    response: StopReplicaResponse,
    versions: '0-4',
    handle(request, context, responder) {
      if (!mayOnCluster(broker, context, AclOperation.clusterAction)) {
        return responder.answer(refusal(request, context.apiVersion));
      }
      const errorCode = broker.fence.check(request.controllerEpoch, request.brokerEpoch);
      if (errorCode !== ErrorCode.NONE) return responder.answer(build(StopReplicaResponse, { errorCode }));
      const stopped = readOrders(request, context.apiVersion).map(async (order) => ({
        topicName: order.topic,
        partitionIndex: order.partition,
        errorCode: await broker.replicas.stop(order),
      }));
      void Promise.all(stopped)
        .then((partitionErrors) => responder.answer(build(StopReplicaResponse, { partitionErrors })))
        .catch((error: unknown) => responder.close(String(error)));
    },
  });
}

/** Every partition is refused as well as the whole. */
function refusal(request: StopReplicaRequest, version: number): StopReplicaResponse {
  const errorCode = ErrorCode.CLUSTER_AUTHORIZATION_FAILED;
  return build(StopReplicaResponse, {
    errorCode,
    partitionErrors: readOrders(request, version).map(({ topic, partition }) => ({
      topicName: topic,
      partitionIndex: partition,
      errorCode,
    })),
  });
}

/** v0 names each partition apart, v1 groups them by topic, from v3 on each has its own epoch and its own deletion. */
function readOrders(request: StopReplicaRequest, version: number): StopOrder[] {
  const { deletePartitions: deletePartition } = request;
  const leaderEpoch = -1;
  if (version === 0) {
    return request.ungroupedPartitions.map(({ topicName, partitionIndex }) => ({
      topic: topicName,
      partition: partitionIndex,
      leaderEpoch,
      deletePartition,
    }));
  }
  if (version < 3) {
    return request.topics.flatMap(({ name, partitionIndexes }) =>
      partitionIndexes.map((partition) => ({ topic: name, partition, leaderEpoch, deletePartition })),
    );
  }
  return request.topicStates.flatMap(({ topicName, partitionStates }) =>
    partitionStates.map((state) => ({
      topic: topicName,
      partition: state.partitionIndex,
      leaderEpoch: state.leaderEpoch,
      deletePartition: state.deletePartition,
    })),
  );
}
