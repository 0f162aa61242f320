import type { LogState } from './log-state.ts';
import type { AbortedTransaction } from './transaction-index.ts';

/** What a reader was given: from which offset on, up to which (exclusive), and in how many bytes. */
export interface ReadRange {
  readonly fetchOffset: number;
  readonly endOffset: number;
  readonly sizeInBytes: number;
}

/**
 * What a READ_COMMITTED reader has to leave out of what it was given. As in Apache's `LocalLog.addAbortedTransactions` the range
 * ends where the offset index says so, at the earliest behind what was read: clients are told of more than they need.
 */
export function abortedTransactions(log: LogState, range: ReadRange): AbortedTransaction[] {
  const found: AbortedTransaction[] = [];
  const segments = log.segments.between(range.fetchOffset, Infinity);
  const firstWithAny = segments.findIndex((segment) => segment.transactionIndex.entries.length > 0);
  if (firstWithAny < 0) return found;
  const upperBound = Math.max(range.endOffset, indexedEnd(log, range));
  for (const segment of segments.slice(firstWithAny)) {
    if (segment.transactionIndex.collect(range.fetchOffset, upperBound, found)) break;
  }
  return found;
}

function indexedEnd(log: LogState, { fetchOffset, sizeInBytes }: ReadRange): number {
  const segment = log.segments.floor(fetchOffset) ?? log.segments.first;
  const position = segment.find(fetchOffset)?.position;
  const indexed = position === undefined ? undefined : segment.firstIndexedFrom(position + sizeInBytes);
  return indexed ?? log.segments.after(segment)?.baseOffset ?? log.logEndOffset;
}
