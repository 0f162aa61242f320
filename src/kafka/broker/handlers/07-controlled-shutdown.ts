import { build } from '../../../wire/schema.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import {
  ControlledShutdownRequest,
  ControlledShutdownResponse,
} from '../../protocol/messages/07-controlled-shutdown.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { mayOnCluster } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';

export function controlledShutdownHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: ControlledShutdownRequest,
    response: ControlledShutdownResponse,
    versions: '0-3',
    handle({ brokerId, brokerEpoch }, context, responder) {
      if (!mayOnCluster(broker, context, AclOperation.clusterAction)) {
        const refusal = { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED };
        return responder.answer(build(ControlledShutdownResponse, refusal));
      }
      broker.controller.controlledShutdown(brokerId, brokerEpoch).then(
        (remaining) =>
          responder.answer(
            build(ControlledShutdownResponse, {
              remainingPartitions: remaining.map(({ topic, partition }) => ({
                topicName: topic,
                partitionIndex: partition,
              })),
            }),
          ),
        (error: unknown) =>
          responder.answer(
            build(ControlledShutdownResponse, {
              errorCode: error instanceof KafkaError ? error.code : ErrorCode.UNKNOWN_SERVER_ERROR,
            }),
          ),
      );
    },
  });
}
