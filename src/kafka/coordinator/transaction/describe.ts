import { build } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import type { DescribeTransactionsResponse } from '../../protocol/messages/65-describe-transactions.ts';
import type { ListTransactionsRequest } from '../../protocol/messages/66-list-transactions.ts';
import { ListTransactionsResponse } from '../../protocol/messages/66-list-transactions.ts';
import { compilePattern, type Pattern, PatternError } from '../regular-expression.ts';
import { type Transaction, transactionStates } from './transaction.ts';

export type DescribedTransaction = DescribeTransactionsResponse['transactionStates'][number];

/** What is told of an id that cannot be described. */
export function notDescribed(transactionalId: string, errorCode: number): DescribedTransaction {
  return {
    errorCode,
    transactionalId,
    transactionState: '',
    transactionTimeoutMs: 0,
    transactionStartTimeMs: 0,
    producerId: 0,
    producerEpoch: 0,
    topics: [],
  };
}

export function describeTransaction({ id, metadata }: Transaction): DescribedTransaction {
  return {
    errorCode: ErrorCode.NONE,
    transactionalId: id,
    transactionState: metadata.state,
    transactionTimeoutMs: metadata.timeoutMs,
    transactionStartTimeMs: metadata.startMs,
    producerId: metadata.producerId,
    producerEpoch: metadata.producerEpoch,
    topics: [...metadata.partitions].map(([topic, partitions]) => ({ topic, partitions: [...partitions] })),
  };
}

/** An empty filter lets all through; a state that does not exist lets none through, and is named in the answer. */
export function listTransactions(
  transactions: Iterable<Transaction>,
  { stateFilters, producerIdFilters, durationFilter, transactionalIdPattern }: ListTransactionsRequest,
  nowMs: number,
): ListTransactionsResponse {
  const known: ReadonlySet<string> = new Set(transactionStates);
  const states = new Set(stateFilters.filter((state) => known.has(state)));
  const producerIds = new Set(producerIdFilters);
  // Null and the empty pattern let every id through.
  const matches = transactionalIdPattern ? patternOrNone(transactionalIdPattern) : () => true;
  if (matches === undefined) {
    return build(ListTransactionsResponse, { errorCode: ErrorCode.INVALID_REGULAR_EXPRESSION });
  }
  const listed: ListTransactionsResponse['transactionStates'] = [];
  for (const { id, metadata } of transactions) {
    const { state, producerId, startMs } = metadata;
    if (producerIds.size > 0 && !producerIds.has(producerId)) continue;
    if (stateFilters.length > 0 && !states.has(state)) continue;
    if (durationFilter >= 0 && nowMs - startMs <= durationFilter) continue;
    if (!matches(id)) continue;
    listed.push({ transactionalId: id, producerId, transactionState: state });
  }
  return build(ListTransactionsResponse, {
    unknownStateFilters: stateFilters.filter((state) => !known.has(state)),
    transactionStates: listed,
  });
}

function patternOrNone(text: string): Pattern | undefined {
  try {
    return compilePattern(text);
  } catch (error) {
    if (error instanceof PatternError) return undefined;
    throw error;
  }
}
