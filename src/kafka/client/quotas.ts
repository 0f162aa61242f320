import { ErrorCode, errorOf } from '../protocol/errors.ts';
import {
  DescribeClientQuotasRequest,
  DescribeClientQuotasResponse,
} from '../protocol/messages/48-describe-client-quotas.ts';
import { AlterClientQuotasRequest, AlterClientQuotasResponse } from '../protocol/messages/49-alter-client-quotas.ts';
import type { Cluster } from './cluster.ts';

export type QuotaEntityType = 'user' | 'client-id' | 'ip';

/** Whose quota: by type; null is the default of that type. */
export type QuotaEntity = ReadonlyMap<QuotaEntityType, string | null>;

export interface Quota {
  readonly entity: QuotaEntity;
  readonly values: ReadonlyMap<string, number>;
}

/** How a filter's component matches: a name, the default, or any name and the default. */
export interface QuotaFilter {
  readonly type: QuotaEntityType;
  readonly match: { readonly kind: 'exact'; readonly name: string } | { readonly kind: 'default' | 'any' };
}

const matchTypes = { exact: 0, default: 1, any: 2 } as const;

/** Entities of exactly these types. */
export async function describeQuotas(cluster: Cluster, filters: readonly QuotaFilter[]): Promise<Quota[]> {
  const answer = await cluster.retrying(async () => {
    const connection = await cluster.any();
    return connection.request(DescribeClientQuotasRequest, DescribeClientQuotasResponse, {
      components: filters.map(({ type, match }) => ({
        entityType: type,
        matchType: matchTypes[match.kind],
        match: match.kind === 'exact' ? match.name : null,
      })),
      strict: true,
    });
  });
  if (answer.errorCode !== ErrorCode.NONE) throw errorOf(answer.errorCode, answer.errorMessage);
  return (answer.entries ?? []).map(({ entity, values }) => ({
    entity: new Map(entity.map(({ entityType, entityName }) => [entityType as QuotaEntityType, entityName])),
    values: new Map(values.map(({ key, value }) => [key, value])),
  }));
}

/** @param changes undefined removes a key */
export async function alterQuotas(
  cluster: Cluster,
  entity: QuotaEntity,
  changes: ReadonlyMap<string, number | undefined>,
): Promise<void> {
  const answer = await cluster.retrying(async () => {
    const connection = await cluster.any();
    return connection.request(AlterClientQuotasRequest, AlterClientQuotasResponse, {
      entries: [
        {
          entity: [...entity].map(([entityType, entityName]) => ({ entityType, entityName })),
          ops: [...changes].map(([key, value]) => ({ key, value: value ?? 0, remove: value === undefined })),
        },
      ],
    });
  });
  for (const { errorCode, errorMessage } of answer.entries) {
    if (errorCode !== ErrorCode.NONE) throw errorOf(errorCode, errorMessage);
  }
}
