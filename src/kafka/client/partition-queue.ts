import { type ProducerBatch, type ProducerId, sequenceAfter } from './producer-batch.ts';

/**
 * What waits for one partition and what is under way to it, in the order of the calls. With idempotence each batch has its
 * sequence numbers from its first sending on, so retries neither repeat nor reorder records (KIP-98).
 */
export class PartitionQueue {
  readonly topic: string;
  readonly partition: number;
  /** Retries first, by sequence; then new batches. */
  readonly queued: ProducerBatch[] = [];
  readonly inFlight: ProducerBatch[] = [];
  /** Under whom the sequence numbers count. */
  #producer: ProducerId | undefined;
  #nextSequence = 0;

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  get producer(): ProducerId | undefined {
    return this.#producer;
  }

  get isIdle(): boolean {
    return this.queued.length === 0 && this.inFlight.length === 0;
  }

  /** The batch that may go next, if any: while something is retried, one at a time. */
  next(inFlightMax: number): ProducerBatch | undefined {
    const [head] = this.queued;
    if (head === undefined || this.inFlight.length >= inFlightMax) return undefined;
    const isRetrying = head.attempts > 0 || this.inFlight.some(({ attempts }) => attempts > 1);
    return isRetrying && this.inFlight.length > 0 ? undefined : head;
  }

  /** Takes the head; `current` undefined: without idempotence. */
  take(current: ProducerId | undefined): ProducerBatch {
    const batch = this.queued.shift()!;
    this.inFlight.push(batch);
    batch.attempts += 1;
    if (current !== undefined && batch.baseSequence < 0) {
      // A new producer epoch counts from 0, but only once nothing of the old one is outstanding.
      if (this.#producer !== current && !this.#hasOutstandingBut(batch)) this.#adopt(current);
      batch.baseSequence = this.#nextSequence;
      this.#nextSequence = sequenceAfter(this.#nextSequence, batch.count);
    }
    return batch;
  }

  /** It failed for a reason that may pass: again, in its place. */
  requeue(...batches: readonly ProducerBatch[]): void {
    for (const batch of batches) {
      const later = this.queued.findIndex(
        ({ baseSequence, attempts }) =>
          attempts === 0 ||
          (baseSequence >= 0 && batch.baseSequence >= 0 && isBefore(batch.baseSequence, baseSequence)),
      );
      this.queued.splice(later < 0 ? this.queued.length : later, 0, batch);
    }
  }

  /** The answer came. */
  settle(batch: ProducerBatch): void {
    const index = this.inFlight.indexOf(batch);
    if (index >= 0) this.inFlight.splice(index, 1);
  }

  /** Nothing that was sent before it is unanswered: an error of sequence is its own. */
  isFirstOutstanding(batch: ProducerBatch): boolean {
    return ![...this.inFlight, ...this.queued].some(
      (other) => other !== batch && other.baseSequence >= 0 && isBefore(other.baseSequence, batch.baseSequence),
    );
  }

  /** The broker refused the batch for good, so its sequence numbers are the next ones': what follows moves up. */
  closeGap(failed: ProducerBatch): void {
    if (failed.baseSequence < 0) return;
    for (const batch of [...this.inFlight, ...this.queued]) {
      if (batch.baseSequence >= 0 && isBefore(failed.baseSequence, batch.baseSequence)) {
        batch.baseSequence = sequenceAfter(batch.baseSequence, 2_147_483_648 - failed.count);
      }
    }
    this.#nextSequence = sequenceAfter(this.#nextSequence, 2_147_483_648 - failed.count);
  }

  /** Everything outstanding starts again from 0 under a new epoch (KIP-360). */
  restart(current: ProducerId): void {
    this.#adopt(current);
    const outstanding = [...this.inFlight, ...this.queued].filter(({ baseSequence }) => baseSequence >= 0);
    outstanding.sort((a, b) => (isBefore(a.baseSequence, b.baseSequence) ? -1 : 1));
    for (const batch of outstanding) {
      batch.baseSequence = this.#nextSequence;
      this.#nextSequence = sequenceAfter(this.#nextSequence, batch.count);
    }
  }

  #adopt(producer: ProducerId): void {
    this.#producer = producer;
    this.#nextSequence = 0;
  }

  #hasOutstandingBut(batch: ProducerBatch): boolean {
    return [...this.inFlight, ...this.queued].some((other) => other !== batch && other.baseSequence >= 0);
  }
}

/** In the order of a number that wraps: the shorter way round decides. */
function isBefore(a: number, b: number): boolean {
  return a !== b && (b - a + 2_147_483_648) % 2_147_483_648 < 1_073_741_824;
}
