import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { type BatchHeader, NO_PRODUCER_EPOCH } from '../records/batch.ts';
import {
  adoptEpoch,
  type BatchMetadata,
  duplicateOf,
  follows,
  lastSequenceIn,
  newProducerEntry,
  type ProducerEntry,
  remember,
} from './producer-entry.ts';

/** What ends a transaction in a partition. */
export interface EndTxnMarker {
  readonly committed: boolean;
  readonly coordinatorEpoch: number;
}

/** Where an append comes from: a producer, a coordinator (and its markers), or the leader we follow. */
export type AppendOrigin = 'client' | 'coordinator' | 'replication';

/** Asks for more of a batch than its producer's state: it knows whether the batch's transaction is open here. */
export type BatchCheck = (known: { readonly isOngoing: boolean; readonly hasBatches: boolean }) => void;

/** From this version of transactions on each has an epoch of its own, and its marker one above it (KIP-890 part 2). */
const EPOCH_BUMP_FROM = 2;
/** An epoch that cannot be raised any more ends with the marker that reached it. */
const EPOCH_MAX = 32_767;

export interface CompletedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
  /** Of the marker. */
  readonly lastOffset: number;
  readonly aborted: boolean;
  /** First offset that is undecided once this transaction is resolved. */
  readonly lastStableOffset: number;
}

/**
 * Idempotence and transactions of one partition (KIP-98): per producer id the last batches and the open transaction.
 * `check` judges a batch and changes nothing; `update` records one that has its offsets.
 */
export class ProducerState {
  readonly #producers = new Map<number, ProducerEntry>();
  /** First offset of each open transaction by producer id; offsets enter in rising order, so the first is the earliest. */
  readonly #ongoing = new Map<number, number>();
  /** Resolved, but the marker may still be above the high watermark. */
  #unreplicated: { readonly firstOffset: number; readonly lastOffset: number }[] = [];

  get size(): number {
    return this.#producers.size;
  }

  get(producerId: number): ProducerEntry | undefined {
    return this.#producers.get(producerId);
  }

  entries(): IterableIterator<ProducerEntry> {
    return this.#producers.values();
  }

  /** Replaces everything, as read from a snapshot; what has expired by now is left out. */
  load(entries: readonly ProducerEntry[], nowMs: number, expirationMs: number): void {
    this.clear();
    for (const entry of entries) {
      if (!isExpired(entry, nowMs, expirationMs)) this.#producers.set(entry.producerId, entry);
    }
    const open = [...this.#producers.values()].filter((entry) => entry.currentTxnFirstOffset >= 0);
    open.sort((a, b) => a.currentTxnFirstOffset - b.currentTxnFirstOffset);
    for (const entry of open) this.#ongoing.set(entry.producerId, entry.currentTxnFirstOffset);
  }

  clear(): void {
    this.#producers.clear();
    this.#ongoing.clear();
    this.#unreplicated = [];
  }

  /**
   * Undefined: may be appended. A remembered batch: this is its repetition, to be answered with its offsets.
   * @param checks of a batch that is no repetition: whether it was verified, and after its epoch was found right, its sequence
   * @throws KafkaError INVALID_PRODUCER_EPOCH, OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_TXN_STATE
   */
  check(
    header: BatchHeader,
    origin: AppendOrigin,
    checks: { readonly verified?: BatchCheck; readonly sequence?: BatchCheck } = {},
  ): BatchMetadata | undefined {
    if (origin === 'replication') return undefined;
    const entry = this.#producers.get(header.producerId);
    if (origin === 'client' && entry !== undefined) {
      const duplicate = duplicateOf(entry, header);
      if (duplicate !== undefined) return duplicate;
    }
    const known = {
      isOngoing: this.isOngoing(header.producerId, header.producerEpoch),
      hasBatches: (entry?.batches.length ?? 0) > 0,
    };
    checks.verified?.(known);
    if (entry !== undefined) checkEpoch(entry, header);
    if (origin === 'client') checks.sequence?.(known);
    if (entry === undefined) return undefined;
    if (origin === 'client') checkSequence(entry, header);
    if (entry.currentTxnFirstOffset >= 0 && !header.isTransactional) {
      throw new KafkaError(
        ErrorCode.INVALID_TXN_STATE,
        `Expected transactional write from producer ${header.producerId} at offset ${header.baseOffset}`,
      );
    }
    return undefined;
  }

  /** A transaction of this producer and epoch is open here. One of an older epoch is another transaction. */
  isOngoing(producerId: number, producerEpoch: number): boolean {
    const entry = this.#producers.get(producerId);
    return entry !== undefined && entry.currentTxnFirstOffset >= 0 && entry.epoch === producerEpoch;
  }

  /**
   * @param transactionVersion of the coordinator that has the marker written
   * @throws KafkaError INVALID_PRODUCER_EPOCH, TRANSACTION_COORDINATOR_FENCED
   */
  checkMarker(header: BatchHeader, marker: EndTxnMarker, transactionVersion = 0): void {
    const entry = this.#producers.get(header.producerId);
    if (entry === undefined) return;
    if (transactionVersion < EPOCH_BUMP_FROM) checkEpoch(entry, header);
    else checkBumpedEpoch(entry, header);
    if (entry.coordinatorEpoch > marker.coordinatorEpoch) {
      throw new KafkaError(
        ErrorCode.TRANSACTION_COORDINATOR_FENCED,
        `Invalid coordinator epoch for producerId ${header.producerId}: ${marker.coordinatorEpoch} (zombie), ${entry.coordinatorEpoch} (current)`,
      );
    }
  }

  /** Records a data batch. */
  update(header: BatchHeader): void {
    const entry = this.#entryOf(header.producerId);
    adoptEpoch(entry, header.producerEpoch);
    remember(entry, header);
    entry.lastTimestamp = header.maxTimestamp;
    if (header.isTransactional && entry.currentTxnFirstOffset < 0) {
      entry.currentTxnFirstOffset = header.baseOffset;
      this.#ongoing.set(header.producerId, header.baseOffset);
    }
  }

  /** Records a marker; the answer is the transaction that it ends, if it wrote anything here. */
  endTransaction(header: BatchHeader, marker: EndTxnMarker): CompletedTransaction | undefined {
    const entry = this.#entryOf(header.producerId);
    const firstOffset = entry.currentTxnFirstOffset;
    adoptEpoch(entry, header.producerEpoch);
    entry.coordinatorEpoch = marker.coordinatorEpoch;
    entry.lastTimestamp = header.maxTimestamp;
    entry.currentTxnFirstOffset = -1;
    if (firstOffset < 0) return undefined;
    this.#ongoing.delete(header.producerId);
    const lastOffset = header.lastOffset;
    this.#unreplicated.push({ firstOffset, lastOffset });
    const aborted = !marker.committed;
    const lastStableOffset = this.#earliestOngoing() ?? lastOffset + 1;
    return { producerId: header.producerId, firstOffset, lastOffset, aborted, lastStableOffset };
  }

  /** First offset that a transaction leaves undecided: open, or its marker not below the high watermark. */
  get firstUnstableOffset(): number | undefined {
    let first = this.#earliestOngoing() ?? Infinity;
    for (const { firstOffset } of this.#unreplicated) first = Math.min(first, firstOffset);
    return first === Infinity ? undefined : first;
  }

  /** Also when the start of the log moves past them: what ended below needs no marker any more. */
  onHighWatermark(highWatermark: number): void {
    if (this.#unreplicated.length === 0) return;
    this.#unreplicated = this.#unreplicated.filter(({ lastOffset }) => lastOffset >= highWatermark);
  }

  /** `producer.id.expiration.ms`. The answer is how many producers went. */
  removeExpired(nowMs: number, expirationMs: number): number {
    const before = this.#producers.size;
    for (const entry of this.#producers.values()) {
      if (isExpired(entry, nowMs, expirationMs)) this.#producers.delete(entry.producerId);
    }
    return before - this.#producers.size;
  }

  #earliestOngoing(): number | undefined {
    for (const firstOffset of this.#ongoing.values()) return firstOffset;
    return undefined;
  }

  #entryOf(producerId: number): ProducerEntry {
    let entry = this.#producers.get(producerId);
    if (entry === undefined) {
      entry = newProducerEntry(producerId);
      this.#producers.set(producerId, entry);
    }
    return entry;
  }
}

function isExpired(entry: ProducerEntry, nowMs: number, expirationMs: number): boolean {
  return entry.currentTxnFirstOffset < 0 && nowMs - entry.lastTimestamp >= expirationMs;
}

function checkEpoch(entry: ProducerEntry, header: BatchHeader): void {
  if (header.producerEpoch >= entry.epoch) return;
  throw new KafkaError(
    ErrorCode.INVALID_PRODUCER_EPOCH,
    `Epoch of producer ${header.producerId} is ${header.producerEpoch}, which is smaller than the last seen epoch ${entry.epoch}`,
  );
}

/**
 * A marker of the epoch that is known already comes late, or once more: it must not end the transaction that has begun since. Where
 * none is open it is a repetition, which changes nothing.
 */
function checkBumpedEpoch(entry: ProducerEntry, header: BatchHeader): void {
  if (header.producerEpoch > entry.epoch) return;
  const isLast = entry.currentTxnFirstOffset < 0 || header.producerEpoch === EPOCH_MAX;
  if (header.producerEpoch === entry.epoch && isLast) return;
  throw new KafkaError(
    ErrorCode.INVALID_PRODUCER_EPOCH,
    `Epoch of producer ${header.producerId} is ${header.producerEpoch}, which is not above the last seen epoch ${entry.epoch}`,
  );
}

function checkSequence(entry: ProducerEntry, header: BatchHeader): void {
  const { producerId, producerEpoch, baseSequence } = header;
  if (entry.epoch === NO_PRODUCER_EPOCH) return;
  if (producerEpoch !== entry.epoch) {
    if (baseSequence === 0) return;
    throw new KafkaError(
      ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
      `Invalid sequence number for new epoch of producer ${producerId}: ${producerEpoch} (request epoch), ${baseSequence} (seq. number), ${entry.epoch} (current producer epoch)`,
    );
  }
  const lastSequence = lastSequenceIn(entry);
  if (follows(lastSequence, baseSequence)) return;
  throw new KafkaError(
    ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
    `Out of order sequence number for producer ${producerId}: ${baseSequence} (incoming seq. number), ${lastSequence} (current end sequence number)`,
  );
}
