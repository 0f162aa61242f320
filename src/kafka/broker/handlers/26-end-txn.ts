import { build } from '../../../wire/schema.ts';
import { EPOCH_BUMP_VERSION } from '../../coordinator/transaction/transaction.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { EndTxnRequest, EndTxnResponse } from '../../protocol/messages/26-end-txn.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { mayOnTransaction } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { asOldClientsKnow } from '../request-errors.ts';

/** From this version on the end raises the producer's epoch, which the answer tells (KIP-890). */
const EPOCH_BUMP_FROM = 5;
const PRODUCER_FENCED_FROM = 2;

/** Commits or aborts a transaction: answered once that is certain. */
export function endTxnHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: EndTxnRequest,
    response: EndTxnResponse,
    versions: '0-5',
    handle(request, context, responder) {
      if (!mayOnTransaction(broker, context, AclOperation.write, request.transactionalId)) {
        const refusal = { errorCode: ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED };
        return responder.answer(build(EndTxnResponse, refusal));
      }
      const { apiVersion } = context;
      const clientVersion = apiVersion >= EPOCH_BUMP_FROM ? EPOCH_BUMP_VERSION : 0;
      broker.transactions.endTransaction(request, clientVersion, (errorCode, producer) =>
        responder.answer(
          build(EndTxnResponse, {
            errorCode: asOldClientsKnow(errorCode, apiVersion, PRODUCER_FENCED_FROM),
            producerId: producer.producerId,
            producerEpoch: producer.producerEpoch,
          }),
        ),
      );
    },
  });
}
