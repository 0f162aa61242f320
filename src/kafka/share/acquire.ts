import { InFlightBatch } from './in-flight-batch.ts';
import type { InFlightRecords } from './in-flight-records.ts';
import { type Acquisition, acquire, isFree, newSlot, RecordState } from './slot.ts';

/** How a fetch limits what it acquires (`ShareAcquireMode`): whole batches of the log, or exactly so many records. */
export const AcquireMode = { batchOptimized: 0, recordLimit: 1 } as const;

export interface AcquireRequest extends Acquisition {
  /** Where the read of the log began. */
  readonly fetchOffset: number;
  /** The batches that were read, in order. */
  readonly batches: readonly { readonly baseOffset: number; readonly lastOffset: number }[];
  readonly maxRecords: number;
  /** About how many records a batch of the answer has. */
  readonly batchSize: number;
  /** Exactly `maxRecords`, not rounded up to whole batches. */
  readonly isStrict: boolean;
  readonly limits: AcquireLimits;
}

export interface AcquireLimits {
  readonly deliveryCountMax: number;
  readonly inFlightMax: number;
}

export interface AcquiredRecords {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly deliveryCount: number;
}

/** Gives a member what is free among the records that were read (`SharePartition.acquire`). */
export function acquireRecords(records: InFlightRecords, request: AcquireRequest): AcquiredRecords[] {
  const first = request.batches[0];
  const { lastOffset, maxRecords } = reach(records, request);
  if (first === undefined || maxRecords <= 0) return [];
  // What compaction took away since it was delivered cannot be delivered again.
  if (first.baseOffset > request.fetchOffset) records.archiveFree(request.fetchOffset, first.baseOffset - 1);
  const from = beginning(records, first.baseOffset);
  // A batch in flight may begin below the start offset, within the first batch that was read.
  const known = records.beginningIn(Math.min(from, first.baseOffset), lastOffset);
  const acquired = new Acquiring(records, request, maxRecords);
  for (const batch of known) {
    if (acquired.left <= 0) break;
    acquired.again(batch, first.baseOffset, lastOffset);
  }
  const next = known.length === 0 ? from : known.at(-1)!.lastOffset + 1;
  if (acquired.left > 0 && next <= lastOffset) acquired.fresh(next, lastOffset);
  return acquired.ranges;
}

/** At the limit of in-flight records only what is in flight already may be delivered again. */
function reach(
  records: InFlightRecords,
  { batches, maxRecords, fetchOffset, limits }: AcquireRequest,
): { readonly lastOffset: number; readonly maxRecords: number } {
  const lastOffset = batches.at(-1)?.lastOffset ?? -1;
  const room = limits.inFlightMax - records.count;
  if (room > 0) return { lastOffset, maxRecords: Math.min(maxRecords, room) };
  if (records.isEmpty || fetchOffset > records.endOffset) return { lastOffset, maxRecords: 0 };
  return {
    lastOffset: Math.min(lastOffset, records.endOffset),
    maxRecords: Math.min(maxRecords, records.endOffset - fetchOffset + 1),
  };
}

function beginning(records: InFlightRecords, baseOffset: number): number {
  const floor = records.floor(baseOffset);
  if (floor !== undefined && floor.lastOffset >= baseOffset) return floor.firstOffset;
  return Math.max(baseOffset, records.startOffset);
}

class Acquiring {
  readonly #records: InFlightRecords;
  readonly #request: AcquireRequest;
  readonly ranges: AcquiredRecords[] = [];
  /** Records that may still be acquired; whole batches may bring it below 0. */
  left: number;

  constructor(records: InFlightRecords, request: AcquireRequest, maxRecords: number) {
    this.#records = records;
    this.#request = request;
    this.left = maxRecords;
  }

  /**
   * Delivers what came back. Records that have failed often come in smaller parts and with nothing else, to find the one that is
   * to blame.
   */
  again(batch: InFlightBatch, firstOffset: number, lastOffset: number): void {
    const isThrottled = this.#isThrottled(batch, firstOffset, lastOffset);
    if (isThrottled && this.ranges.length > 0) {
      this.left = 0;
      return;
    }
    this.#acquireAgain(batch, firstOffset, lastOffset, isThrottled);
    if (isThrottled && this.ranges.length > 0) this.left = 0;
  }

  #isThrottled(batch: InFlightBatch, firstOffset: number, lastOffset: number): boolean {
    const from = throttleFrom(this.#request.limits.deliveryCountMax);
    const { whole } = batch;
    if (whole !== undefined) return isFree(whole) && whole.deliveryCount >= from;
    for (const { slot } of batch.slots(firstOffset, lastOffset)) {
      if (isFree(slot) && slot.deliveryCount >= from) return true;
    }
    return false;
  }

  #acquireAgain(batch: InFlightBatch, firstOffset: number, lastOffset: number, isThrottled: boolean): void {
    const isWithin = batch.firstOffset >= firstOffset && batch.lastOffset <= lastOffset;
    const isCut = batch.firstOffset < this.#records.startOffset;
    const isTooLarge = this.#request.isStrict && this.left < batch.size;
    const { whole } = batch;
    if (whole !== undefined) {
      if (!isFree(whole)) return;
      if (isWithin && !isCut && !isTooLarge && !isThrottled) {
        acquire(whole, this.#request);
        this.#add({ ...rangeOf(batch), deliveryCount: whole.deliveryCount });
        return;
      }
      batch.split();
    }
    this.#part(batch, Math.max(firstOffset, this.#records.startOffset), lastOffset);
  }

  #part(batch: InFlightBatch, firstOffset: number, lastOffset: number): void {
    const { isStrict, limits } = this.#request;
    const throttledFrom = throttleFrom(limits.deliveryCountMax);
    let most = isStrict ? this.left : Infinity;
    let isThrottled = false;
    let count = 0;
    const parts: AcquiredRecords[] = [];
    for (const { slot, firstOffset: offset } of batch.slots(firstOffset, lastOffset)) {
      if (!isFree(slot)) continue;
      const isLast = limits.deliveryCountMax > 2 && slot.deliveryCount === limits.deliveryCountMax - 1;
      // The last attempt is made alone.
      if (isLast && count > 0) break;
      if (!isThrottled && slot.deliveryCount >= throttledFrom) {
        isThrottled = true;
        const part = Math.floor(batch.size / 2 ** (slot.deliveryCount - throttledFrom + 1));
        most = Math.min(most, Math.max(1, part));
      }
      acquire(slot, this.#request);
      count += 1;
      appendTo(parts, { firstOffset: offset, lastOffset: offset, deliveryCount: slot.deliveryCount });
      if (isLast || count >= most) break;
    }
    for (const part of parts) this.#add(part);
  }

  /** Delivers records for the first time. */
  fresh(firstOffset: number, lastOffset: number): void {
    const records = this.#records;
    const first = records.isEmpty && records.endOffset > firstOffset ? records.endOffset : firstOffset;
    const last =
      this.left < lastOffset - first + 1 ? Math.min(lastOffset, this.#endOfBatchAt(first + this.left - 1)) : lastOffset;
    if (this.#request.isStrict && last - first + 1 > this.left) this.#strict(first, last);
    else for (const range of this.#divide(first, last)) this.#take(range.firstOffset, range.lastOffset);
    if (records.batches[0]?.firstOffset === first) records.startOffset = first;
    records.endOffset = Math.max(records.endOffset, last);
  }

  /** Only as many as were asked for; the rest of the log's batch is free for the next fetch. */
  #strict(first: number, last: number): void {
    const batch = new InFlightBatch(first, last, newSlot(RecordState.available, 0));
    batch.split();
    const lastAcquired = first + this.left - 1;
    for (const { slot } of batch.slots(first, lastAcquired)) acquire(slot, this.#request);
    this.#records.add(batch);
    this.#add({ firstOffset: first, lastOffset: lastAcquired, deliveryCount: 1 });
  }

  #take(firstOffset: number, lastOffset: number): void {
    const slot = newSlot(RecordState.available, 0);
    acquire(slot, this.#request);
    this.#records.add(new InFlightBatch(firstOffset, lastOffset, slot));
    this.#add({ firstOffset, lastOffset, deliveryCount: slot.deliveryCount });
  }

  /** Parts of at least `batchSize` records, cut where a batch of the log begins. */
  *#divide(first: number, last: number): Generator<{ firstOffset: number; lastOffset: number }> {
    const { batches, batchSize, isStrict } = this.#request;
    let begin = first;
    if (!isStrict && last - first + 1 > batchSize) {
      for (const { baseOffset } of batches) {
        if (baseOffset > last) break;
        if (baseOffset - begin < batchSize || baseOffset <= begin) continue;
        yield { firstOffset: begin, lastOffset: baseOffset - 1 };
        begin = baseOffset;
      }
    }
    yield { firstOffset: begin, lastOffset: last };
  }

  #endOfBatchAt(offset: number): number {
    const batch = this.#request.batches.findLast(({ baseOffset }) => baseOffset <= offset);
    return batch !== undefined && batch.lastOffset >= offset ? batch.lastOffset : offset;
  }

  #add(range: AcquiredRecords): void {
    this.left -= range.lastOffset - range.firstOffset + 1;
    this.ranges.push(range);
  }
}

function rangeOf({ firstOffset, lastOffset }: InFlightBatch): { firstOffset: number; lastOffset: number } {
  return { firstOffset, lastOffset };
}

/** From so many deliveries on records come in parts. */
function throttleFrom(deliveryCountMax: number): number {
  return Math.max(2, Math.ceil(deliveryCountMax / 2));
}

function appendTo(ranges: AcquiredRecords[], range: AcquiredRecords): void {
  const last = ranges.at(-1);
  if (last?.lastOffset === range.firstOffset - 1 && last.deliveryCount === range.deliveryCount) {
    ranges[ranges.length - 1] = { ...last, lastOffset: range.lastOffset };
  } else {
    ranges.push(range);
  }
}
