import type { Transaction } from './transaction.ts';

/** About as much as one batch of tombstones holds. */
const TOMBSTONE_BYTES_MAX = 16_384;
/** Of one record beside its id. */
const TOMBSTONE_OVERHEAD = 16;

/** An open transaction whose producer has taken longer than it said it would. */
export function isTimedOut({ pending, metadata }: Transaction, nowMs: number): boolean {
  return pending === undefined && metadata.state === 'Ongoing' && metadata.startMs + metadata.timeoutMs < nowMs;
}

/** An id without a transaction that nobody has used since. */
export function isExpired({ pending, metadata }: Transaction, beforeMs: number): boolean {
  const { state, lastUpdateMs } = metadata;
  const isIdle = state === 'Empty' || state === 'CompleteCommit' || state === 'CompleteAbort';
  return isIdle && pending === undefined && lastUpdateMs <= beforeMs;
}

/** Ids whose tombstones go together, in batches that any topic takes. */
export function* tombstoneBatches(transactions: Iterable<Transaction>): IterableIterator<Transaction[]> {
  let batch: Transaction[] = [];
  let size = 0;
  for (const transaction of transactions) {
    const recordSize = Buffer.byteLength(transaction.id) + TOMBSTONE_OVERHEAD;
    if (batch.length > 0 && size + recordSize > TOMBSTONE_BYTES_MAX) {
      yield batch;
      batch = [];
      size = 0;
    }
    batch.push(transaction);
    size += recordSize;
  }
  if (batch.length > 0) yield batch;
}
