import { ListTransactionsRequest, ListTransactionsResponse } from '../../protocol/messages/66-list-transactions.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { mayOnTransaction } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';

/** The transactional ids of this broker alone: tools ask all. */
export function listTransactionsHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: ListTransactionsRequest,
    response: ListTransactionsResponse,
    versions: '0-2',
    handle(request, context, responder) {
      broker.transactions.list(request, (response) => {
        const transactionStates = response.transactionStates.filter(({ transactionalId }) =>
          mayOnTransaction(broker, context, AclOperation.describe, transactionalId),
        );
        responder.answer({ ...response, transactionStates });
      });
    },
  });
}
