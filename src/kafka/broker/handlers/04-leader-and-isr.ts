import { build, ZERO_UUID } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { LeaderAndIsrRequest, LeaderAndIsrResponse } from '../../protocol/messages/04-leader-and-isr.ts';
import type { LeadershipOrder } from '../../replication/replica-manager.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { mayOnCluster } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';

type Result = LeadershipOrder & { readonly errorCode: number };
type Asked = LeaderAndIsrRequest['topicStates'][number]['partitionStates'][number];

/** The controller tells which partitions to lead or follow. */
export function leaderAndIsrHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: LeaderAndIsrRequest,
    response: LeaderAndIsrResponse,
    versions: '0-7',
    handle(request, context, responder) {
      if (!mayOnCluster(broker, context, AclOperation.clusterAction)) {
        return responder.answer(refusal(request, context.apiVersion));
      }
      const errorCode = broker.fence.check(request.controllerEpoch, request.brokerEpoch);
      if (errorCode !== ErrorCode.NONE) return responder.answer(build(LeaderAndIsrResponse, { errorCode }));
      const orders = readOrders(request, context.apiVersion);
      void follow(broker, orders)
        .then((errors) => responder.answer(respond(errors, context.apiVersion)))
        .catch((error: unknown) => responder.close(String(error)));
    },
  });
}

/** Every partition is refused as well as the whole. */
function refusal(request: LeaderAndIsrRequest, version: number): LeaderAndIsrResponse {
  const errorCode = ErrorCode.CLUSTER_AUTHORIZATION_FAILED;
  const results = readOrders(request, version).map((asked) => ({ ...asked, errorCode }));
  return { ...respond(results, version), errorCode };
}

async function follow(broker: BrokerContext, orders: readonly LeadershipOrder[]): Promise<Result[]> {
  await broker.prepareTopics(new Set(orders.map(({ topic }) => topic)));
  return Promise.all(orders.map(async (order) => ({ ...order, errorCode: await broker.replicas.become(order) })));
}

function readOrders(request: LeaderAndIsrRequest, version: number): LeadershipOrder[] {
  if (version < 2) return request.ungroupedPartitionStates.map((asked) => order(asked.topicName, ZERO_UUID, asked));
  return request.topicStates.flatMap(({ topicName, topicId, partitionStates }) =>
    partitionStates.map((asked) => order(topicName, topicId, asked)),
  );
}

function order(topic: string, topicId: string, asked: Asked): LeadershipOrder {
  return {
    topic,
    topicId,
    partition: asked.partitionIndex,
    leader: asked.leader,
    leaderEpoch: asked.leaderEpoch,
    isr: asked.isr,
    replicas: asked.replicas,
    partitionEpoch: asked.partitionEpoch,
    controllerEpoch: asked.controllerEpoch,
    isNew: asked.isNew,
  };
}

/** From v5 on errors are grouped by topic id. */
function respond(results: readonly Result[], version: number): LeaderAndIsrResponse {
  const error = ({
    topic,
    partition,
    errorCode,
  }: Result): { topicName: string; partitionIndex: number; errorCode: number } => ({
    topicName: topic,
    partitionIndex: partition,
    errorCode,
  });
  if (version < 5) return build(LeaderAndIsrResponse, { partitionErrors: results.map(error) });
  const topics = new Map<string, ReturnType<typeof error>[]>();
  for (const result of results) topics.set(result.topicId, [...(topics.get(result.topicId) ?? []), error(result)]);
  return build(LeaderAndIsrResponse, {
    topics: [...topics].map(([topicId, partitionErrors]) => ({ topicId, partitionErrors })),
  });
}
