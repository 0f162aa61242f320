import { coordinatorKeyOf, type ShareKey } from './share-key.ts';
import type { ShareStateRecord } from './share-state-records.ts';
import { combineBatches, type StateBatch } from './state-batches.ts';

/** Where delivery starts when nobody knows yet: the leader of the partition decides by `share.auto.offset.reset`. */
export const UNINITIALIZED_START_OFFSET = -1;
export const UNKNOWN_COUNT = -1;

/** What is stored of one share partition. */
export interface ShareState {
  readonly key: ShareKey;
  readonly snapshotEpoch: number;
  readonly stateEpoch: number;
  readonly leaderEpoch: number;
  readonly startOffset: number;
  /** Records above the start offset that will not be delivered again; -1 unknown. */
  readonly deliveryCompleteCount: number;
  /** When the snapshot's state came about, and when the snapshot was written: later for one that only keeps the log short. */
  readonly createTimestampMs: number;
  readonly writeTimestampMs: number;
  readonly batches: readonly StateBatch[];
  /** Updates since the snapshot. */
  readonly updateCount: number;
  /** Nothing of this share partition below this offset of the log counts any more. */
  readonly snapshotPosition: number;
}

/** What one partition of `__share_group_state` says: every change is the replay of a record, live and after a restart. */
export class ShareStates {
  readonly #states = new Map<string, ShareState>();
  /** The newest epochs ever seen: an initialization starts a state anew, but does not bring back leaders of the past. */
  readonly #leaderEpochs = new Map<string, number>();
  readonly #stateEpochs = new Map<string, number>();

  get size(): number {
    return this.#states.size;
  }

  get(key: ShareKey): ShareState | undefined {
    return this.#states.get(coordinatorKeyOf(key));
  }

  values(): IterableIterator<ShareState> {
    return this.#states.values();
  }

  leaderEpochOf(key: ShareKey): number {
    return this.#leaderEpochs.get(coordinatorKeyOf(key)) ?? -1;
  }

  stateEpochOf(key: ShareKey): number {
    return this.#stateEpochs.get(coordinatorKeyOf(key)) ?? -1;
  }

  /** @param position an offset of the log that is not above the record's own */
  replay(record: ShareStateRecord, position: number): void {
    const id = coordinatorKeyOf(record.key);
    if (record.value === null) {
      this.#states.delete(id);
      this.#leaderEpochs.delete(id);
      this.#stateEpochs.delete(id);
    } else if (record.kind === 'snapshot') {
      const { createTimestamp, writeTimestamp, stateBatches, ...value } = record.value;
      this.#states.set(id, {
        ...value,
        key: record.key,
        createTimestampMs: createTimestamp,
        writeTimestampMs: writeTimestamp,
        batches: stateBatches,
        updateCount: 0,
        snapshotPosition: position,
      });
      raise(this.#leaderEpochs, id, record.value.leaderEpoch);
      raise(this.#stateEpochs, id, record.value.stateEpoch);
    } else {
      this.#update(id, record);
    }
  }

  /** An update belongs to its snapshot: without it, as where the log was pruned in between, it says nothing. */
  #update(id: string, { value }: Extract<ShareStateRecord, { kind: 'update' }>): void {
    const state = this.#states.get(id);
    if (state === undefined) return;
    const startOffset = value.startOffset === UNINITIALIZED_START_OFFSET ? state.startOffset : value.startOffset;
    this.#states.set(id, {
      ...state,
      startOffset,
      leaderEpoch: value.leaderEpoch === -1 ? state.leaderEpoch : value.leaderEpoch,
      deliveryCompleteCount: value.deliveryCompleteCount,
      batches: combineBatches(state.batches, value.stateBatches, startOffset),
      updateCount: state.updateCount + 1,
    });
    raise(this.#leaderEpochs, id, value.leaderEpoch);
  }
}

function raise(epochs: Map<string, number>, id: string, epoch: number): void {
  epochs.set(id, Math.max(epoch, epochs.get(id) ?? epoch));
}
