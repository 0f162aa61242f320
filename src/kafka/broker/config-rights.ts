import { ErrorCode } from '../protocol/errors.ts';
import type { RequestContext } from './api-handler.ts';
import { mayOnCluster, mayOnGroup, mayOnTopic } from './authorization.ts';
import type { BrokerContext } from './broker-context.ts';
import { ResourceType } from './config/config-change.ts';

/** Whether the client may see or change the configuration of something: an error code. Kinds that there are none of are refused later. */
export function configRefusal(
  broker: BrokerContext,
  context: RequestContext,
  operation: number,
  { resourceType, resourceName }: { readonly resourceType: number; readonly resourceName: string },
): number {
  switch (resourceType) {
    case ResourceType.topic:
      return mayOnTopic(broker, context, operation, resourceName)
        ? ErrorCode.NONE
        : ErrorCode.TOPIC_AUTHORIZATION_FAILED;
    case ResourceType.group:
      return mayOnGroup(broker, context, operation, resourceName)
        ? ErrorCode.NONE
        : ErrorCode.GROUP_AUTHORIZATION_FAILED;
    case ResourceType.broker:
    case ResourceType.brokerLogger:
    case ResourceType.clientMetrics:
      return mayOnCluster(broker, context, operation) ? ErrorCode.NONE : ErrorCode.CLUSTER_AUTHORIZATION_FAILED;
    default:
      return ErrorCode.NONE;
  }
}
