import type { LogState } from './log-state.ts';
import { endPosition } from './read.ts';
import type { AbortedTransaction } from './transaction-index.ts';

/** What a reader was given. */
export interface ReadRange {
  readonly fetchOffset: number;
  /** Exclusive. */
  readonly endOffset: number;
  readonly sizeInBytes: number;
  /** What it asked for at most: Apache cuts the last batch there, we leave it out. */
  readonly maxBytes: number;
  /** Exclusive: what it might have been given. */
  readonly upTo: number;
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

function indexedEnd(log: LogState, { fetchOffset, sizeInBytes, maxBytes, upTo }: ReadRange): number {
  const segment = log.segments.floor(fetchOffset) ?? log.segments.first;
  const position = segment.find(fetchOffset)?.position;
  if (position === undefined) return fetchOffset;
  const readable = Math.min(maxBytes, endPosition(log, segment, upTo) - position);
  const indexed = segment.firstIndexedFrom(position + Math.max(sizeInBytes, readable));
  return indexed ?? log.segments.after(segment)?.baseOffset ?? log.logEndOffset;
}
