import { bool, bytes, type Infer, int8, int16, int32, message, uuid } from '../../../wire/schema.ts';

/** PushTelemetry: client metrics (KIP-714). */

export const PushTelemetryRequest = message({
  name: 'PushTelemetryRequest',
  apiKey: 72,
  versions: '0',
  flexible: '0+',
  fields: {
    clientInstanceId: { type: uuid, versions: '0+' },
    subscriptionId: { type: int32, versions: '0+' },
    terminating: { type: bool, versions: '0+' },
    compressionType: { type: int8, versions: '0+' },
    metrics: { type: bytes, versions: '0+' },
  },
});
export type PushTelemetryRequest = Infer<typeof PushTelemetryRequest>;

export const PushTelemetryResponse = message({
  name: 'PushTelemetryResponse',
  apiKey: 72,
  versions: '0',
  flexible: '0+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    errorCode: { type: int16, versions: '0+' },
  },
});
export type PushTelemetryResponse = Infer<typeof PushTelemetryResponse>;
