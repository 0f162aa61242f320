import { array, bool, type Infer, int8, int16, int32, message, string, uuid } from '../../../wire/schema.ts';

/** GetTelemetrySubscriptions: which client metrics the broker wants (KIP-714). */

export const GetTelemetrySubscriptionsRequest = message({
  name: 'GetTelemetrySubscriptionsRequest',
  apiKey: 71,
  versions: '0',
  flexible: '0+',
  fields: {
    clientInstanceId: { type: uuid, versions: '0+' },
  },
});
export type GetTelemetrySubscriptionsRequest = Infer<typeof GetTelemetrySubscriptionsRequest>;

export const GetTelemetrySubscriptionsResponse = message({
  name: 'GetTelemetrySubscriptionsResponse',
  apiKey: 71,
  versions: '0',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    errorCode: { type: int16, versions: '0+' },
    clientInstanceId: { type: uuid, versions: '0+' },
    subscriptionId: { type: int32, versions: '0+' },
    acceptedCompressionTypes: { type: array(int8), versions: '0+' },
    pushIntervalMs: { type: int32, versions: '0+' },
    telemetryMaxBytes: { type: int32, versions: '0+' },
    deltaTemporality: { type: bool, versions: '0+' },
    requestedMetrics: { type: array(string), versions: '0+' },
  },
});
export type GetTelemetrySubscriptionsResponse = Infer<typeof GetTelemetrySubscriptionsResponse>;
