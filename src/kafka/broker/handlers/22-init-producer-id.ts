import { build } from '../../../wire/schema.ts';
import type { ProducerIdAndEpoch } from '../../coordinator/transaction/init-producer-id.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { InitProducerIdRequest, InitProducerIdResponse } from '../../protocol/messages/22-init-producer-id.ts';
import { NO_PRODUCER_EPOCH, NO_PRODUCER_ID } from '../../records/batch.ts';
import { AclOperation, AclResource } from '../../security/acl.ts';
import { filtered } from '../../security/authorizer.ts';
import { type ApiHandler, apiHandler, type RequestContext } from '../api-handler.ts';
import { mayOnCluster, mayOnTransaction } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { asOldClientsKnow } from '../request-errors.ts';

/** Older clients know only INVALID_PRODUCER_EPOCH. */
const PRODUCER_FENCED_FROM = 4;

/** A producer id and epoch; with a transactional id, the only pair that may write for it from now on. */
export function initProducerIdHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: InitProducerIdRequest,
    response: InitProducerIdResponse,
    versions: '0-5',
    handle(request, context, responder) {
      const { apiVersion } = context;
      const { transactionalId, transactionTimeoutMs, producerId, producerEpoch } = request;
      const answer = (errorCode: number, producer: ProducerIdAndEpoch): void =>
        responder.answer(
          build(InitProducerIdResponse, {
            errorCode: asOldClientsKnow(errorCode, apiVersion, PRODUCER_FENCED_FROM),
            producerId: producer.producerId,
            producerEpoch: producer.producerEpoch,
          }),
        );
      const refuse = (errorCode: number): void => answer(errorCode, nobody);
      const refusal = refusalOf(broker, context, transactionalId);
      if (refusal !== ErrorCode.NONE) return refuse(refusal);
      if ((producerId === NO_PRODUCER_ID) !== (producerEpoch === NO_PRODUCER_EPOCH)) {
        return refuse(ErrorCode.INVALID_REQUEST);
      }
      if (transactionalId === null) {
        broker.producerIds.next().then(
          (fresh) => answer(ErrorCode.NONE, { producerId: fresh, producerEpoch: 0 }),
          () => refuse(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS),
        );
        return;
      }
      const expected = producerId === NO_PRODUCER_ID ? undefined : { producerId, producerEpoch };
      broker.transactions.initProducerId(transactionalId, { timeoutMs: transactionTimeoutMs, expected }, answer);
    },
  });
}

const nobody: ProducerIdAndEpoch = { producerId: NO_PRODUCER_ID, producerEpoch: NO_PRODUCER_EPOCH };

/** Whoever may write to any topic gets a producer id (KIP-679). */
function refusalOf(broker: BrokerContext, context: RequestContext, transactionalId: string | null): number {
  if (transactionalId !== null) {
    return mayOnTransaction(broker, context, AclOperation.write, transactionalId)
      ? ErrorCode.NONE
      : ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
  }
  const isAllowed =
    mayOnCluster(broker, context, AclOperation.idempotentWrite, filtered) ||
    broker.authorizer.isAllowedSomewhere(context, AclOperation.write, AclResource.topic);
  return isAllowed ? ErrorCode.NONE : ErrorCode.CLUSTER_AUTHORIZATION_FAILED;
}
