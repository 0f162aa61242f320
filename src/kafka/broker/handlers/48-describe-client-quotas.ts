import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import {
  DescribeClientQuotasRequest,
  DescribeClientQuotasResponse,
} from '../../protocol/messages/48-describe-client-quotas.ts';
import { AclOperation } from '../../security/acl.ts';
import type { QuotaEntity } from '../../zk/quota-znodes.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { mayOnCluster } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { quotaFilters } from '../quotas/quota-filter.ts';
import { asKafkaError, ownMessage } from '../request-errors.ts';

type Entry = NonNullable<DescribeClientQuotasResponse['entries']>[number];

/** What is set for which users, clients and addresses (KIP-546), as ZooKeeper has it. */
export function describeClientQuotasHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: DescribeClientQuotasRequest,
    response: DescribeClientQuotasResponse,
    versions: '0-1',
    handle(request, context, responder) {
      if (!mayOnCluster(broker, context, AclOperation.describeConfigs)) {
        const refusal = { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, errorMessage: null, entries: null };
        return responder.answer(build(DescribeClientQuotasResponse, refusal));
      }
      void describe(broker, request)
        .then((entries) => responder.answer(build(DescribeClientQuotasResponse, { entries })))
        .catch((reason: unknown) => {
          const error = asKafkaError(reason);
          const refusal = { errorCode: error.code, errorMessage: ownMessage(error), entries: null };
          responder.answer(build(DescribeClientQuotasResponse, refusal));
        });
    },
  });
}

async function describe(broker: BrokerContext, request: DescribeClientQuotasRequest): Promise<Entry[]> {
  const found = await broker.quotaAdmin.describe(quotaFilters(request.components), request.strict);
  return found.map(({ entity, values }) => ({
    entity: entityData(entity),
    values: [...values].map(([key, value]) => ({ key, value })),
  }));
}

function entityData({ user, clientId, ip }: QuotaEntity): Entry['entity'] {
  const named = [
    ['user', user],
    ['client-id', clientId],
    ['ip', ip],
  ] as const;
  return named.flatMap(([entityType, entityName]) => (entityName === undefined ? [] : [{ entityType, entityName }]));
}
