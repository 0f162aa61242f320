import type { ShareSnapshotValue } from '../../protocol/records/share-state.ts';
import type { ShareKey } from './share-key.ts';
import { type ShareState, type ShareStates, UNINITIALIZED_START_OFFSET, UNKNOWN_COUNT } from './share-state.ts';
import type { ShareStateRecord } from './share-state-records.ts';
import { combineBatches, type StateBatch } from './state-batches.ts';

/*
 * What is written for a request of the group coordinator or of a partition's leader (`ShareCoordinatorShard`):
 *
 *   initialize      a snapshot that starts anew
 *   write           an update, or a snapshot after `share.coordinator.snapshot.update.records.per.snapshot` updates
 *   read            an update if a new leader reads: from then on the old one is refused
 *   delete          a tombstone
 */

export interface InitializeState {
  readonly stateEpoch: number;
  readonly startOffset: number;
}

export interface WriteState {
  readonly stateEpoch: number;
  readonly leaderEpoch: number;
  readonly startOffset: number;
  readonly deliveryCompleteCount: number;
  readonly stateBatches: readonly StateBatch[];
}

export interface Times {
  readonly nowMs: number;
  readonly updatesPerSnapshot: number;
}

export function decideInitialize(
  states: ShareStates,
  key: ShareKey,
  given: InitializeState,
  nowMs: number,
): ShareStateRecord {
  const known = states.get(key);
  return {
    kind: 'snapshot',
    key,
    value: {
      snapshotEpoch: known === undefined ? 0 : known.snapshotEpoch + 1,
      stateEpoch: given.stateEpoch,
      leaderEpoch: 0,
      startOffset: given.startOffset,
      deliveryCompleteCount: given.startOffset === UNINITIALIZED_START_OFFSET ? UNKNOWN_COUNT : 0,
      createTimestamp: nowMs,
      writeTimestamp: nowMs,
      stateBatches: [],
    },
  };
}

export function decideWrite(state: ShareState, given: WriteState, times: Times): ShareStateRecord {
  const startOffset = Math.max(given.startOffset, state.startOffset);
  const { leaderEpoch } = given;
  const deliveryCompleteCount = completeCount(state, given);
  return changeOf(state, { startOffset, leaderEpoch, deliveryCompleteCount, stateBatches: given.stateBatches }, times);
}

/** A leader that was told of a later start offset may say again what an earlier one said. */
function completeCount(state: ShareState, given: WriteState): number {
  if (given.startOffset > state.startOffset) return given.deliveryCompleteCount;
  if (given.startOffset < state.startOffset) return state.deliveryCompleteCount;
  return Math.max(given.deliveryCompleteCount, state.deliveryCompleteCount);
}

/** A new leader reads: undefined where the epoch is known already. */
export function decideRead(state: ShareState, leaderEpoch: number, times: Times): ShareStateRecord | undefined {
  if (leaderEpoch <= state.leaderEpoch) return undefined;
  const { startOffset, deliveryCompleteCount } = state;
  return changeOf(state, { startOffset, leaderEpoch, deliveryCompleteCount, stateBatches: [] }, times);
}

interface Change {
  readonly startOffset: number;
  readonly leaderEpoch: number;
  readonly deliveryCompleteCount: number;
  readonly stateBatches: readonly StateBatch[];
}

function changeOf(state: ShareState, change: Change, { nowMs, updatesPerSnapshot }: Times): ShareStateRecord {
  const { key } = state;
  if (state.updateCount < updatesPerSnapshot) {
    const stateBatches = combineBatches([], change.stateBatches, change.startOffset);
    return { kind: 'update', key, value: { ...change, snapshotEpoch: state.snapshotEpoch, stateBatches } };
  }
  const stateBatches = combineBatches(state.batches, change.stateBatches, change.startOffset);
  const value = { ...nextSnapshot(state), ...change, createTimestamp: nowMs, writeTimestamp: nowMs, stateBatches };
  return { kind: 'snapshot', key, value };
}

/**
 * Snapshots of what nobody has changed for a while: the log can then be pruned up to what still changes. Nothing to do when all
 * are as old as that (`ShareCoordinatorShard.snapshotColdPartitions`).
 */
export function decideColdSnapshots(states: ShareStates, nowMs: number, intervalMs: number): ShareStateRecord[] {
  const all = [...states.values()];
  if (all.every(({ createTimestampMs, writeTimestampMs }) => createTimestampMs !== writeTimestampMs)) return [];
  return all
    .filter(({ writeTimestampMs }) => nowMs - writeTimestampMs >= intervalMs)
    .map((state) => ({ kind: 'snapshot', key: state.key, value: { ...nextSnapshot(state), writeTimestamp: nowMs } }));
}

function nextSnapshot(state: ShareState): ShareSnapshotValue {
  return {
    snapshotEpoch: state.snapshotEpoch + 1,
    stateEpoch: state.stateEpoch,
    leaderEpoch: state.leaderEpoch,
    startOffset: state.startOffset,
    deliveryCompleteCount: state.deliveryCompleteCount,
    createTimestamp: state.createTimestampMs,
    writeTimestamp: state.writeTimestampMs,
    stateBatches: [...state.batches],
  };
}
