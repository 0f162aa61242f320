import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { PushTelemetryRequest, PushTelemetryResponse } from '../../protocol/messages/72-push-telemetry.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';
import { isCompressionType, isReservedId, subscriptionIdOf } from '../telemetry.ts';

/** Nobody here subscribes to metrics: what a client pushes all the same is checked as Apache checks it, and dropped. */
export function pushTelemetryHandler({ config }: BrokerContext): ApiHandler {
  return apiHandler({
    request: PushTelemetryRequest,
    response: PushTelemetryResponse,
    versions: '0',
    handle(request, _context, responder) {
      const errorCode = errorOf(request, config.number('telemetry.max.bytes'));
      responder.answer(build(PushTelemetryResponse, { errorCode }));
    },
  });
}

function errorOf(request: PushTelemetryRequest, bytesMax: number): number {
  if (isReservedId(request.clientInstanceId)) return ErrorCode.INVALID_REQUEST;
  if (request.subscriptionId !== subscriptionIdOf(request.clientInstanceId)) return ErrorCode.UNKNOWN_SUBSCRIPTION_ID;
  if (!isCompressionType(request.compressionType)) return ErrorCode.UNSUPPORTED_COMPRESSION_TYPE;
  return request.metrics.length > bytesMax ? ErrorCode.TELEMETRY_TOO_LARGE : ErrorCode.NONE;
}
