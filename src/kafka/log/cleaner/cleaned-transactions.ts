import { Heap } from '../../../base/heap.ts';
import { slicesOf } from '../../../base/slices.ts';
import type { BatchHeader } from '../../records/batch.ts';
import { readControlRecord } from '../../records/control.ts';
import type { AbortedTransaction } from '../transaction-index.ts';

interface Ongoing {
  readonly transaction: AbortedTransaction;
  /** Some of its batches are still in the log. */
  hasBatches: boolean;
}

/**
 * The transactions that are open where a pass over a log stands, and what came of them (CleanedTransactionMetadata): data of an
 * aborted one may go at once, a marker when no batch of its transaction is left before it.
 */
export class CleanedTransactions {
  readonly #committed = new Set<number>();
  readonly #aborted = new Map<number, Ongoing>();
  readonly #coming = new Heap<AbortedTransaction>((a, b) => a.firstOffset < b.firstOffset);
  #retained: AbortedTransaction[] = [];

  /** From the transaction indexes, before the batches in which they begin. */
  expect(transactions: readonly AbortedTransaction[]): void {
    for (const transaction of transactions) this.#coming.push(transaction);
  }

  /** The aborted transactions of which something is left before the markers read since the last call: the new index. */
  takeRetained(): readonly AbortedTransaction[] {
    const retained = this.#retained;
    this.#retained = [];
    return retained;
  }

  /** Whether a data batch belongs to an aborted transaction. */
  onBatch(header: BatchHeader): boolean {
    this.#beginUpTo(header.lastOffset);
    if (!header.isTransactional) return false;
    const aborted = this.#aborted.get(header.producerId);
    if (aborted === undefined) this.#committed.add(header.producerId);
    else aborted.hasBatches = true;
    return aborted !== undefined;
  }

  /** Whether a control batch has outlived its transaction. */
  onControlBatch(header: BatchHeader, bytes: Uint8Array): boolean {
    this.#beginUpTo(header.lastOffset);
    const marker = readControlRecord({ header, bytes: slicesOf(bytes) });
    if (marker.kind === 'cleaned') return true;
    if (marker.kind === 'other') return false;
    const { producerId } = header;
    if (marker.committed) return !this.#committed.delete(producerId);
    const aborted = this.#aborted.get(producerId);
    this.#aborted.delete(producerId);
    if (aborted?.hasBatches !== true) return true;
    this.#retained.push(aborted.transaction);
    return false;
  }

  #beginUpTo(offset: number): void {
    for (let next = this.#coming.peek(); next !== undefined && next.firstOffset <= offset; next = this.#coming.peek()) {
      this.#coming.pop();
      // A transaction is in the index of each segment that it reaches into.
      if (!this.#aborted.has(next.producerId)) {
        this.#aborted.set(next.producerId, { transaction: next, hasBatches: false });
      }
    }
  }
}
