import { ConfigError } from '../../../config/config-error.ts';
import type { KafkaConfig } from './kafka-config.ts';

/**
 * Bytes of requests that may be in memory, `queued.max.request.bytes`; Infinity where it is 0 or less. @throws ConfigError where
 * the largest request would not fit (`KafkaConfig.validateValues`)
 */
export function queuedBytesMaxOf(config: KafkaConfig): number {
  const bytes = config.number('queued.max.request.bytes');
  if (bytes <= 0) return Infinity;
  if (bytes < config.number('socket.request.max.bytes')) {
    throw new ConfigError(
      'queued.max.request.bytes',
      String(bytes),
      'queued.max.request.bytes must be larger or equal to socket.request.max.bytes',
    );
  }
  return bytes;
}
