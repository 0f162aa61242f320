import { build } from '../../../wire/schema.ts';
import { type DescribedTransaction, notDescribed } from '../../coordinator/transaction/describe.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import {
  DescribeTransactionsRequest,
  DescribeTransactionsResponse,
} from '../../protocol/messages/65-describe-transactions.ts';
import { AclOperation } from '../../security/acl.ts';
import { type ApiHandler, apiHandler } from '../api-handler.ts';
import { mayOnTopic, mayOnTransaction } from '../authorization.ts';
import type { BrokerContext } from '../broker-context.ts';
import { gather } from '../gather.ts';

export function describeTransactionsHandler(broker: BrokerContext): ApiHandler {
  return apiHandler({
    request: DescribeTransactionsRequest,
    response: DescribeTransactionsResponse,
    versions: '0',
    handle({ transactionalIds }, context, responder) {
      const isSeen = ({ topic }: { readonly topic: string }): boolean =>
        mayOnTopic(broker, context, AclOperation.describe, topic);
      gather<string, DescribedTransaction>(
        transactionalIds,
        (id, done) => {
          if (!mayOnTransaction(broker, context, AclOperation.describe, id))
            return done(notDescribed(id, ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED));
          broker.transactions.describe(id, (found) => done({ ...found, topics: found.topics.filter(isSeen) }));
        },
        (transactionStates) => responder.answer(build(DescribeTransactionsResponse, { transactionStates })),
      );
    },
  });
}
