import { build } from '../../../wire/schema.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { DescribeClusterRequest, DescribeClusterResponse } from '../../protocol/messages/60-describe-cluster.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { clusterOperationsOf } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { brokersOn } from '../reachable-brokers.ts';

/** Endpoint type 2 asks for KRaft controllers, which a ZooKeeper cluster does not have (KIP-919). */
const BROKERS = 1;
const CONTROLLERS = 2;

export function describeClusterHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: DescribeClusterRequest,
    response: DescribeClusterResponse,
    versions: '0-2',
    handle(request, context, responder) {
      if (request.endpointType !== BROKERS) {
        const { code, message } = endpointError(request.endpointType);
        return responder.answer(
          build(DescribeClusterResponse, { errorCode: code, errorMessage: message, endpointType: BROKERS }),
        );
      }
      responder.answer(
        build(DescribeClusterResponse, {
          clusterId: broker.clusterId,
          controllerId: broker.metadata.controllerId ?? -1,
          brokers: brokersOn(broker.metadata, context.listenerName).map(({ nodeId, ...rest }) => ({
            ...rest,
            brokerId: nodeId,
            isFenced: false,
          })),
          ...(request.includeClusterAuthorizedOperations
            ? { clusterAuthorizedOperations: clusterOperationsOf(broker, context) }
            : {}),
        }),
      );
    },
  });
}

function endpointError(type: number): KafkaError {
  return type === CONTROLLERS
    ? new KafkaError(
        ErrorCode.MISMATCHED_ENDPOINT_TYPE,
        'The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER',
      )
    : new KafkaError(ErrorCode.UNSUPPORTED_ENDPOINT_TYPE, `Unsupported endpoint type ${type}`);
}
