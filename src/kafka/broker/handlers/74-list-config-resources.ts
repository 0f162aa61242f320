import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import {
  ListConfigResourcesRequest,
  ListConfigResourcesResponse,
} from '../../protocol/messages/74-list-config-resources.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { mayOnCluster } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { ResourceType } from '../config/config-change.ts';
import { brokersOn } from '../reachable-brokers.ts';

type Resource = ListConfigResourcesResponse['configResources'][number];

const listed: readonly number[] = Object.values(ResourceType);

/**
 * Names of what can be configured; subscriptions to client metrics there are none, and groups only with values of their own.
 *
 * v0  subscriptions to client metrics only (ListClientMetricsResources, KIP-714)
 * v1  the types that are asked for, without any all of them (KIP-1142)
 */
export function listConfigResourcesHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: ListConfigResourcesRequest,
    response: ListConfigResourcesResponse,
    versions: '0-1',
    handle(request, context, responder) {
      if (!mayOnCluster(broker, context, AclOperation.describeConfigs)) {
        const refusal = { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED };
        return responder.answer(build(ListConfigResourcesResponse, refusal));
      }
      if (context.apiVersion === 0) return responder.answer(build(ListConfigResourcesResponse, {}));
      if (request.resourceTypes.some((type) => !listed.includes(type))) {
        const errorCode = ErrorCode.UNSUPPORTED_VERSION;
        return responder.answer(build(ListConfigResourcesResponse, { errorCode }));
      }
      const types = request.resourceTypes.length === 0 ? listed : [...new Set(request.resourceTypes)];
      const configResources = types.flatMap((type) => resourcesOf(broker, type, context.listenerName));
      responder.answer(build(ListConfigResourcesResponse, { configResources }));
    },
  });
}

function resourcesOf(broker: BrokerContext, resourceType: number, listenerName: string): Resource[] {
  switch (resourceType) {
    case ResourceType.topic:
      return [...broker.metadata.topics()].map(({ name }) => ({ resourceName: name, resourceType }));
    case ResourceType.broker:
    case ResourceType.brokerLogger:
      return brokersOn(broker.metadata, listenerName).map(({ nodeId }) => ({
        resourceName: String(nodeId),
        resourceType,
      }));
    case ResourceType.group:
      return [...broker.groupConfigs.names].map((resourceName) => ({ resourceName, resourceType }));
    default:
      return [];
  }
}
