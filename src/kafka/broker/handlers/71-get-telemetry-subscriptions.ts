import { build, ZERO_UUID } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import {
  GetTelemetrySubscriptionsRequest,
  GetTelemetrySubscriptionsResponse,
} from '../../protocol/messages/71-get-telemetry-subscriptions.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';
import { acceptedCompressionTypes, PUSH_INTERVAL_MS, subscriptionIdOf } from '../telemetry.ts';

/** Nobody here wants metrics of clients (KIP-714): a client gets its instance id, and asks again after the interval. */
export function getTelemetrySubscriptionsHandler(broker: BrokerContext): ApiHandler {
  const { config, zk, telemetry } = broker;
  return apiHandler({
    request: GetTelemetrySubscriptionsRequest,
    response: GetTelemetrySubscriptionsResponse,
    versions: '0',
    handle(request, { connectionId }, responder) {
      const clientInstanceId = request.clientInstanceId === ZERO_UUID ? zk.newTopicId() : request.clientInstanceId;
      const instance = telemetry.heardOf(clientInstanceId, connectionId);
      if (!instance.asks(telemetry.nowMs)) {
        const errorCode = ErrorCode.THROTTLING_QUOTA_EXCEEDED;
        return responder.answer(build(GetTelemetrySubscriptionsResponse, { errorCode }));
      }
      instance.lastError = ErrorCode.NONE;
      responder.answer(
        build(GetTelemetrySubscriptionsResponse, {
          clientInstanceId,
          subscriptionId: subscriptionIdOf(clientInstanceId),
          acceptedCompressionTypes: [...acceptedCompressionTypes],
          pushIntervalMs: PUSH_INTERVAL_MS,
          telemetryMaxBytes: config.number('telemetry.max.bytes'),
          deltaTemporality: true,
          requestedMetrics: [],
        }),
      );
    },
  });
}
