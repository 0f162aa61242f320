import { build } from '../../../wire/schema.ts';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import { AlterClientQuotasRequest, AlterClientQuotasResponse } from '../../protocol/messages/49-alter-client-quotas.ts';
import { AclOperation } from '../../security/acl.ts';
import type { QuotaEntity } from '../../zk/quota-znodes.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { mayOnCluster } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { asKafkaError, ownMessage } from '../request-errors.ts';

type Asked = AlterClientQuotasRequest['entries'][number];
type Result = AlterClientQuotasResponse['entries'][number];

/** Sets and removes quotas (KIP-546): any broker does, it writes to ZooKeeper itself. Each entity stands for itself. */
export function alterClientQuotasHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: AlterClientQuotasRequest,
    response: AlterClientQuotasResponse,
    versions: '0-1',
    handle(request, context, responder) {
      if (!mayOnCluster(broker, context, AclOperation.alterConfigs)) {
        const { code, message } = new KafkaError(ErrorCode.CLUSTER_AUTHORIZATION_FAILED);
        const entries = request.entries.map(({ entity }) => ({ entity, errorCode: code, errorMessage: message }));
        return responder.answer(build(AlterClientQuotasResponse, { entries }));
      }
      void alterAll(broker, request)
        .then((entries) => responder.answer(build(AlterClientQuotasResponse, { entries })))
        .catch((error: unknown) => responder.close(String(error)));
    },
  });
}

async function alterAll(broker: BrokerContext, request: AlterClientQuotasRequest): Promise<Result[]> {
  // One answer for each entity, however often it was named: that of the last time.
  const results = new Map<string, Result>();
  for (const asked of request.entries) {
    const names = new Map(asked.entity.map(({ entityType, entityName }) => [entityType, entityName]));
    const error = await alter(broker, names, asked.ops, request.validateOnly);
    results.set(JSON.stringify([...names].sort()), {
      errorCode: error?.code ?? ErrorCode.NONE,
      errorMessage: error === undefined ? null : ownMessage(error),
      entity: [...names].map(([entityType, entityName]) => ({ entityType, entityName })),
    });
  }
  return [...results.values()];
}

async function alter(
  broker: BrokerContext,
  names: ReadonlyMap<string, string | null>,
  ops: Asked['ops'],
  validateOnly: boolean,
): Promise<KafkaError | undefined> {
  try {
    const changes = ops.map(({ key, value, remove }) => ({ key, value: remove ? null : value }));
    await broker.quotaAdmin.alter(entityOf(names), changes, validateOnly);
    return undefined;
  } catch (error) {
    return asKafkaError(error);
  }
}

/** @throws KafkaError INVALID_REQUEST */
function entityOf(names: ReadonlyMap<string, string | null>): QuotaEntity {
  if (names.size === 0) throw new KafkaError(ErrorCode.INVALID_REQUEST, 'Invalid empty client quota entity');
  const entity: { -readonly [K in keyof QuotaEntity]: QuotaEntity[K] } = {};
  for (const [type, name] of names) {
    if (type === 'user') entity.user = name;
    else if (type === 'client-id') entity.clientId = name;
    else if (type === 'ip') entity.ip = name;
    else throw new KafkaError(ErrorCode.INVALID_REQUEST, `Unhandled client quota entity type: ${type}`);
    if (name === '') throw new KafkaError(ErrorCode.INVALID_REQUEST, `Empty ${type} not supported`);
  }
  return entity;
}
