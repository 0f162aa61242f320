import { crc32c } from '../../base/crc32c.ts';
import { ZERO_UUID } from '../../wire/schema.ts';

/** `ClientMetricsConfigs.DEFAULT_INTERVAL_MS`: how often a client asks whether somebody wants its metrics. */
export const PUSH_INTERVAL_MS = 300_000;

/** zstd, lz4, gzip, snappy, in the order in which the broker prefers them. */
export const acceptedCompressionTypes: readonly number[] = [4, 3, 1, 2];

/** No compression and those above. */
export const isCompressionType = (type: number): boolean => type >= 0 && type <= 4;

const METADATA_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ';

/** Ids that no client may have (`Uuid.RESERVED`). */
export const isReservedId = (id: string): boolean => id === ZERO_UUID || id === METADATA_TOPIC_ID;

/**
 * Names what a client was told of, so that a broker knows when it pushes for a subscription of the past: CRC-32C of the metrics and
 * the interval, mixed with the client's instance id as Java hashes it (`ClientMetricsManager.computeSubscriptionId`).
 */
export function subscriptionIdOf(clientInstanceId: string): number {
  return crc32c(Buffer.from(`[]${PUSH_INTERVAL_MS}`)) ^ hashOf(clientInstanceId);
}

/** `java.util.UUID.hashCode`: the four words of the id, each over the other. */
function hashOf(id: string): number {
  const bytes = Buffer.from(id, 'base64url');
  return bytes.readInt32BE(0) ^ bytes.readInt32BE(4) ^ bytes.readInt32BE(8) ^ bytes.readInt32BE(12);
}
