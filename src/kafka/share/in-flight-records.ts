import { InFlightBatch, type SlotRun } from './in-flight-batch.ts';
import { afterRelease, isFree, isHeld, isTerminal, newSlot, RecordState, release } from './slot.ts';

/** A run of offsets as it is stored. */
export interface StoredBatch {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly deliveryState: number;
  readonly deliveryCount: number;
}

/** 3 (ARCHIVING) is on its way to a dead-letter queue, which does not exist here. */
function stateOf(stored: number): RecordState {
  return stored === RecordState.available || stored === RecordState.acknowledged ? stored : RecordState.archived;
}

/**
 * The records of a share partition between its start offset (below it all is done) and its end offset (above it nothing was
 * delivered yet): batches in the order of their offsets, with holes only where the log has no records.
 */
export class InFlightRecords {
  startOffset = 0;
  /** The last offset that was acquired; without in-flight records the next that will be. */
  endOffset = 0;
  #batches: InFlightBatch[] = [];

  /**
   * Takes over what was stored. Of what was acquired nothing is stored before it is acknowledged or comes back, so offsets that
   * nothing is said of are available.
   */
  restore(startOffset: number, stored: readonly StoredBatch[]): void {
    this.startOffset = startOffset;
    this.endOffset = startOffset;
    this.#batches = [];
    let next = startOffset;
    for (const { firstOffset, lastOffset, deliveryState, deliveryCount } of stored) {
      if (firstOffset > next) {
        this.#batches.push(new InFlightBatch(next, firstOffset - 1, newSlot(RecordState.available, 0)));
      }
      const slot = newSlot(stateOf(deliveryState), deliveryCount);
      this.#batches.push(new InFlightBatch(firstOffset, lastOffset, slot));
      next = lastOffset + 1;
      this.endOffset = lastOffset;
    }
    this.advance();
  }

  get batches(): readonly InFlightBatch[] {
    return this.#batches;
  }

  get isEmpty(): boolean {
    return this.#batches.length === 0;
  }

  get lastOffset(): number {
    return this.#batches.at(-1)?.lastOffset ?? -1;
  }

  /** Records that are neither done nor far enough for the start offset to pass them. */
  get count(): number {
    return this.isEmpty ? 0 : this.endOffset - this.startOffset + 1;
  }

  /** Records from the start offset on that will not be delivered again. */
  get completeCount(): number {
    let count = 0;
    for (const { slot, firstOffset, lastOffset } of this.runs(this.startOffset)) {
      if (isTerminal(slot.state)) count += lastOffset - firstOffset + 1;
    }
    return count;
  }

  /** Where the next fetch begins: at what came back, else behind all. */
  get nextFetchOffset(): number {
    if (this.isEmpty || this.startOffset > this.lastOffset) return this.endOffset;
    for (const { slot, firstOffset } of this.runs(this.startOffset)) if (isFree(slot)) return firstOffset;
    return this.endOffset + 1;
  }

  *runs(from: number, to = Infinity): Generator<SlotRun> {
    for (let index = Math.max(0, this.#indexAtOrBelow(from)); index < this.#batches.length; index += 1) {
      const batch = this.#batches[index]!;
      if (batch.firstOffset > to) return;
      yield* batch.slots(from, to);
    }
  }

  /** The batch that begins at or before an offset. */
  floor(offset: number): InFlightBatch | undefined {
    return this.#batches[this.#indexAtOrBelow(offset)];
  }

  /** Batches that begin within [from, to]. */
  beginningIn(from: number, to: number): InFlightBatch[] {
    const first = this.#indexAtOrBelow(from);
    const begin = this.#batches[first]?.firstOffset === from ? first : first + 1;
    return this.#batches.slice(begin, this.#indexAtOrBelow(to) + 1);
  }

  add(batch: InFlightBatch): void {
    this.#batches.splice(this.#indexAtOrBelow(batch.firstOffset) + 1, 0, batch);
  }

  #indexAtOrBelow(offset: number): number {
    let low = 0;
    let high = this.#batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#batches[middle]!.firstOffset <= offset) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Archives what is free of [from, to]: the log has no such records any more. */
  archiveFree(from: number, to: number): void {
    for (const batch of this.#batches) {
      if (batch.lastOffset < from || batch.firstOffset > to) continue;
      const isPart = batch.firstOffset < from || batch.lastOffset > to;
      if (batch.whole !== undefined && !isFree(batch.whole)) continue;
      if (isPart) batch.split();
      for (const { slot } of batch.slots(from, to)) if (isFree(slot)) slot.state = RecordState.archived;
    }
  }

  /** Archives what a member has just acquired of [from, to], which nobody should see. */
  archiveHeld(from: number, to: number): void {
    for (const batch of this.#batches) {
      if (batch.lastOffset < from || batch.firstOffset > to) continue;
      if (batch.firstOffset < from || batch.lastOffset > to) batch.split();
      for (const { slot } of batch.slots(from, to)) if (isHeld(slot)) release(slot, RecordState.archived);
    }
  }

  /** The log begins later than we thought. */
  logStartMoved(logStartOffset: number): void {
    if (logStartOffset <= this.startOffset) return;
    this.archiveFree(this.startOffset, logStartOffset - 1);
    this.startOffset = logStartOffset;
    this.endOffset = this.isEmpty ? logStartOffset : Math.max(this.endOffset, logStartOffset);
    this.#batches = this.#batches.filter(({ lastOffset }) => lastOffset >= logStartOffset);
    for (const batch of this.#batches) {
      if (batch.firstOffset >= logStartOffset) break;
      batch.split();
      for (const { slot } of batch.slots(batch.firstOffset, logStartOffset - 1)) release(slot, RecordState.archived);
    }
    this.advance();
  }

  /** Ends acquisitions whose time is over; answers what changed, as it is to be stored. */
  expire(nowMs: number, deliveryCountMax: number): StoredBatch[] {
    const changed: StoredBatch[] = [];
    for (const { slot, firstOffset, lastOffset } of this.runs(this.startOffset)) {
      if (!isHeld(slot) || slot.lockedUntilMs > nowMs) continue;
      release(slot, afterRelease(slot, deliveryCountMax));
      changed.push({ firstOffset, lastOffset, deliveryState: slot.state, deliveryCount: slot.deliveryCount });
    }
    return changed;
  }

  /** When the next acquisition ends; Infinity without any. */
  get nextExpiryMs(): number {
    let next = Infinity;
    for (const { slot } of this.runs(this.startOffset)) if (isHeld(slot)) next = Math.min(next, slot.lockedUntilMs);
    return next;
  }

  /** Moves the start offset over what is done, and forgets it. */
  advance(): void {
    let done = this.startOffset - 1;
    for (const { slot, lastOffset } of this.runs(this.startOffset)) {
      if (!isTerminal(slot.state) || slot.before !== undefined) break;
      done = lastOffset;
    }
    if (done < this.startOffset) return;
    if (done === this.lastOffset) {
      this.startOffset = done + 1;
      this.endOffset = done + 1;
      this.#batches = [];
      return;
    }
    this.#batches = this.#batches.filter(({ lastOffset }) => lastOffset > done);
    // Holes between batches hold no records.
    this.startOffset = Math.max(done + 1, this.#batches[0]!.firstOffset);
  }
}
