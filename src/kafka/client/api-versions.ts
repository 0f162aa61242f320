import type { Fields, Message } from '../../wire/schema.ts';
import { bounds, type Versions } from '../../wire/versions.ts';
import { ApiKey } from '../protocol/api-keys.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';

/**
 * Where this client stays within a part of what the schemas know. Everything older than 0.11 (no record batches of magic 2) is
 * left out; topics go by name, so requests stop before the version in which ids replace names. Transactions add
 * their partitions first, so requests stop before the version in which brokers do that by themselves (KIP-890), and before that in
 * which brokers ask for it.
 */
const limits: ReadonlyMap<number, Versions> = new Map<number, Versions>([
  [ApiKey.Produce, '3-11'],
  [ApiKey.Fetch, '4-12'],
  [ApiKey.ListOffsets, '1-9'],
  [ApiKey.Metadata, '1-12'],
  [ApiKey.OffsetCommit, '2-9'],
  [ApiKey.OffsetFetch, '2-9'],
  [ApiKey.ApiVersions, '0-4'],
  [ApiKey.AddPartitionsToTxn, '0-3'],
  [ApiKey.EndTxn, '0-4'],
  [ApiKey.TxnOffsetCommit, '0-4'],
]);

export interface VersionRange {
  readonly minVersion: number;
  readonly maxVersion: number;
}

/**
 * The newest version of a request that both sides speak.
 * @throws KafkaError UNSUPPORTED_VERSION when there is none
 */
export function commonVersion<F extends Fields>(request: Message<F>, broker: VersionRange | undefined): number {
  if (broker === undefined) throw unsupported(request, 'does not know it');
  const [schemaFirst, schemaLast] = bounds(request.versions);
  const [first, last] = bounds(limits.get(request.apiKey) ?? request.versions);
  const version = Math.min(broker.maxVersion, last, schemaLast);
  if (version < Math.max(broker.minVersion, first, schemaFirst)) {
    throw unsupported(request, `speaks versions ${broker.minVersion} to ${broker.maxVersion}`);
  }
  return version;
}

function unsupported(request: { readonly name: string }, what: string): KafkaError {
  return new KafkaError(ErrorCode.UNSUPPORTED_VERSION, `${request.name}: the broker ${what}`);
}
