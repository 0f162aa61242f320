import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { PushTelemetryRequest, PushTelemetryResponse } from '../../protocol/messages/72-push-telemetry.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';
import { isCompressionType, isReservedId, subscriptionIdOf } from '../telemetry.ts';
import type { TelemetryInstance } from '../telemetry-instances.ts';

/** Nobody here subscribes to metrics: what a client pushes all the same is checked as Apache checks it, and dropped. */
export function pushTelemetryHandler({ config, telemetry }: BrokerContext): ApiHandler {
  return apiHandler({
    request: PushTelemetryRequest,
    response: PushTelemetryResponse,
    versions: '0',
    handle(request, { connectionId }, responder) {
      const { clientInstanceId, terminating } = request;
      if (isReservedId(clientInstanceId)) {
        return responder.answer(build(PushTelemetryResponse, { errorCode: ErrorCode.INVALID_REQUEST }));
      }
      const instance = telemetry.heardOf(clientInstanceId, connectionId);
      const errorCode =
        stateError(instance, terminating, telemetry.nowMs) ||
        contentError(request, config.number('telemetry.max.bytes'));
      instance.lastError = errorCode;
      instance.isTerminating = terminating;
      responder.answer(build(PushTelemetryResponse, { errorCode }));
    },
  });
}

/** A client may always say that it ends, but only once. */
function stateError(instance: TelemetryInstance, isTerminating: boolean, nowMs: number): number {
  if (instance.isTerminating) return ErrorCode.INVALID_REQUEST;
  const mayPush = instance.pushes(nowMs) || isTerminating;
  return mayPush ? ErrorCode.NONE : ErrorCode.THROTTLING_QUOTA_EXCEEDED;
}

function contentError(request: PushTelemetryRequest, bytesMax: number): number {
  if (request.subscriptionId !== subscriptionIdOf(request.clientInstanceId)) return ErrorCode.UNKNOWN_SUBSCRIPTION_ID;
  if (!isCompressionType(request.compressionType)) return ErrorCode.UNSUPPORTED_COMPRESSION_TYPE;
  return request.metrics.length > bytesMax ? ErrorCode.TELEMETRY_TOO_LARGE : ErrorCode.NONE;
}
