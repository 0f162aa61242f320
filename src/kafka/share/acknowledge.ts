import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import type { InFlightBatch } from './in-flight-batch.ts';
import type { InFlightRecords, StoredBatch } from './in-flight-records.ts';
import { AcknowledgeType, afterRelease, begin, isHeld, RecordState, rollBack, type Slot } from './slot.ts';

export interface Acknowledgement {
  readonly firstOffset: number;
  readonly lastOffset: number;
  /** One for all offsets, or one for each. */
  readonly acknowledgeTypes: readonly number[];
}

export interface AcknowledgeOptions {
  readonly memberId: string;
  readonly nowMs: number;
  readonly deliveryCountMax: number;
  /** How long records that are renewed stay with the member; undefined where the group allows none. */
  readonly renewMs: number | undefined;
}

/** Changes that count once they are stored. */
export interface Changes {
  readonly slots: readonly Slot[];
  readonly stored: readonly StoredBatch[];
}

/**
 * All acknowledgements, or none of them (`SharePartition.acknowledge`): only what was renewed before the first that is refused stays
 * renewed, as with Apache.
 * @throws KafkaError INVALID_REQUEST, INVALID_RECORD_STATE
 */
export function acknowledgeRecords(
  records: InFlightRecords,
  acknowledgements: readonly Acknowledgement[],
  options: AcknowledgeOptions,
): Changes {
  const acknowledging = new Acknowledging(records, options);
  try {
    for (const acknowledgement of acknowledgements) acknowledging.apply(acknowledgement);
  } catch (error) {
    acknowledging.undo();
    throw error;
  }
  return acknowledging;
}

/** What a member holds comes back: its session ended (`SharePartition.releaseAcquiredRecords`). */
export function releaseRecords(records: InFlightRecords, memberId: string, deliveryCountMax: number): Changes {
  const slots: Slot[] = [];
  const stored: StoredBatch[] = [];
  for (const { slot, firstOffset, lastOffset } of records.runs(records.startOffset)) {
    if (!isHeld(slot) || slot.memberId !== memberId) continue;
    begin(slot, afterRelease(slot, deliveryCountMax));
    slots.push(slot);
    stored.push({ firstOffset, lastOffset, deliveryState: slot.state, deliveryCount: slot.deliveryCount });
  }
  return { slots, stored };
}

class Acknowledging implements Changes {
  readonly #records: InFlightRecords;
  readonly #options: AcknowledgeOptions;
  readonly slots: Slot[] = [];
  readonly stored: StoredBatch[] = [];

  constructor(records: InFlightRecords, options: AcknowledgeOptions) {
    this.#records = records;
    this.#options = options;
  }

  apply(acknowledgement: Acknowledgement): void {
    const { startOffset } = this.#records;
    // All of it is done already, or the log has it no more.
    if (acknowledgement.lastOffset < startOffset) return;
    for (const batch of this.#batchesOf(acknowledgement)) {
      if (batch.lastOffset < startOffset) continue;
      this.#inBatch(batch, acknowledgement);
    }
  }

  undo(): void {
    for (const slot of this.slots) rollBack(slot, this.#options.nowMs, this.#options.deliveryCountMax);
  }

  #batchesOf({ firstOffset, lastOffset }: Acknowledgement): InFlightBatch[] {
    const from = Math.max(firstOffset, this.#records.startOffset);
    const floor = this.#records.floor(from);
    if (floor === undefined) {
      throw state('Batch record not found. The request batch offsets are not found in the cache.');
    }
    const batches = this.#records.beginningIn(floor.firstOffset, lastOffset);
    const end = batches.at(-1)?.lastOffset ?? -1;
    if (end < firstOffset) {
      throw invalid('Batch record not found. The first offset in request is past acquired records.');
    }
    if (end < lastOffset) {
      throw invalid('Batch record not found. The last offset in request is past acquired records.');
    }
    return batches.filter((batch) => batch.lastOffset >= from);
  }

  #inBatch(batch: InFlightBatch, acknowledgement: Acknowledgement): void {
    const { firstOffset, lastOffset, acknowledgeTypes } = acknowledgement;
    const { startOffset } = this.#records;
    const isWithin = batch.firstOffset >= Math.max(firstOffset, startOffset) && batch.lastOffset <= lastOffset;
    const { whole } = batch;
    if (whole !== undefined) {
      this.#requireHeld(whole, 'batch', isWithin);
      if (!isWithin || acknowledgeTypes.length > 1) batch.split();
    }
    for (const { slot, ...run } of batch.slots(Math.max(firstOffset, startOffset), lastOffset)) {
      if (whole === undefined) this.#requireHeld(slot, 'offset', false);
      const type = acknowledgeTypes.length > 1 ? acknowledgeTypes[run.firstOffset - firstOffset] : acknowledgeTypes[0];
      this.#end(slot, type ?? -1, run);
    }
  }

  #requireHeld(slot: Slot, what: 'batch' | 'offset', isWhole: boolean): void {
    if (what === 'offset') {
      if (!isHeld(slot)) throw state('The offset cannot be acknowledged. The offset is not acquired.');
      if (slot.memberId !== this.#options.memberId) throw state('Member is not the owner of offset');
      return;
    }
    if (slot.memberId !== this.#options.memberId) throw state('Member is not the owner of batch record');
    if (isHeld(slot)) return;
    const part = isWhole ? 'batch' : 'subset batch';
    throw state(`The batch cannot be acknowledged. The ${part} is not in the acquired state.`);
  }

  #end(slot: Slot, type: number, run: { readonly firstOffset: number; readonly lastOffset: number }): void {
    if (type === AcknowledgeType.renew) return this.#renew(slot);
    begin(slot, this.#stateAfter(slot, type));
    this.slots.push(slot);
    this.stored.push({ ...run, deliveryState: slot.state, deliveryCount: slot.deliveryCount });
  }

  #renew(slot: Slot): void {
    const { renewMs, nowMs } = this.#options;
    if (renewMs === undefined) throw state('Renewing acquisition locks is not enabled for the group.');
    slot.lockedUntilMs = nowMs + renewMs;
  }

  #stateAfter(slot: Slot, type: number): RecordState {
    switch (type) {
      case AcknowledgeType.accept:
        return RecordState.acknowledged;
      case AcknowledgeType.release:
        return afterRelease(slot, this.#options.deliveryCountMax);
      case AcknowledgeType.gap:
      case AcknowledgeType.reject:
        return RecordState.archived;
      default:
        throw invalid(`Invalid acknowledge type: ${type}`);
    }
  }
}

function invalid(message: string): KafkaError {
  return new KafkaError(ErrorCode.INVALID_REQUEST, message);
}

function state(message: string): KafkaError {
  return new KafkaError(ErrorCode.INVALID_RECORD_STATE, message);
}
