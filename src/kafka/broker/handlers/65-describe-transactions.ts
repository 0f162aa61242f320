import { build } from '../../../wire/schema.ts';
import type { DescribedTransaction } from '../../coordinator/transaction/describe.ts';
import {
  DescribeTransactionsRequest,
  DescribeTransactionsResponse,
} from '../../protocol/messages/65-describe-transactions.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import type { BrokerContext } from '../broker-context.ts';
import { gather } from '../gather.ts';

export function describeTransactionsHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: DescribeTransactionsRequest,
    response: DescribeTransactionsResponse,
    versions: '0',
    handle({ transactionalIds }, _context, responder) {
      gather<string, DescribedTransaction>(
        transactionalIds,
        (id, done) => broker.transactions.describe(id, done),
        (transactionStates) => responder.answer(build(DescribeTransactionsResponse, { transactionStates })),
      );
    },
  });
}
