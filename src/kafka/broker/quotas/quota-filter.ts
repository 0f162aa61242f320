import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import type { DescribeClientQuotasRequest } from '../../protocol/messages/48-describe-client-quotas.ts';
import type { QuotaEntity } from '../../zk/quota-znodes.ts';

/** What the name has to be: a text, null for the default entity, undefined for any. */
export interface EntityFilter {
  readonly name: string | null | undefined;
}

export interface QuotaFilters {
  readonly user?: EntityFilter;
  readonly clientId?: EntityFilter;
  readonly ip?: EntityFilter;
}

const Match = { exact: 0, default: 1, any: 2 } as const;

const kinds: ReadonlyMap<string, { readonly key: keyof QuotaFilters; readonly word: string }> = new Map([
  ['user', { key: 'user', word: 'user' }],
  ['client-id', { key: 'clientId', word: 'client' }],
  ['ip', { key: 'ip', word: 'ip' }],
]);

/** @throws KafkaError INVALID_REQUEST, UNSUPPORTED_VERSION for other types of entities */
export function quotaFilters(components: DescribeClientQuotasRequest['components']): QuotaFilters {
  const named = components.map(({ entityType, matchType, match }) => ({
    entityType,
    filter: filterOf(matchType, match),
  }));
  const filters: { -readonly [K in keyof QuotaFilters]: EntityFilter } = {};
  for (const { entityType, filter } of named) {
    if (entityType === '') throw invalid('Unexpected empty filter component entity type');
    const kind = kinds.get(entityType);
    if (kind === undefined) {
      throw new KafkaError(ErrorCode.UNSUPPORTED_VERSION, `Custom entity type '${entityType}' not supported`);
    }
    if (filters[kind.key] !== undefined) throw invalid(`Duplicate ${kind.word} filter component entity type`);
    filters[kind.key] = filter;
  }
  if (filters.ip !== undefined && (filters.user !== undefined || filters.clientId !== undefined)) {
    throw invalid(
      'Invalid entity filter component combination, IP filter component should not be used with user or clientId filter component.',
    );
  }
  return filters;
}

/** A strict filter wants nothing else to play a part. */
export function matches(entity: QuotaEntity, filters: QuotaFilters, isStrict: boolean): boolean {
  return (['user', 'clientId', 'ip'] as const).every((key) => {
    const filter = filters[key];
    const name = entity[key];
    if (filter === undefined) return name === undefined || !isStrict;
    return name !== undefined && (filter.name === undefined || filter.name === name);
  });
}

function filterOf(matchType: number, match: string | null): EntityFilter {
  switch (matchType) {
    case Match.exact:
      if (match === null) throw new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR);
      return { name: match };
    case Match.default:
      return { name: null };
    case Match.any:
      return { name: undefined };
    default:
      throw new KafkaError(ErrorCode.UNKNOWN_SERVER_ERROR);
  }
}

function invalid(message: string): KafkaError {
  return new KafkaError(ErrorCode.INVALID_REQUEST, message);
}
