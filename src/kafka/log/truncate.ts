import { type Completion, DiskError } from '../../runtime/disk.ts';
import type { LogState } from './log-state.ts';
import { ProducerState } from './producer-state.ts';
import { removeSegments } from './remove-segments.ts';
import { allDone } from './segment.ts';
import { runSliced } from './sliced.ts';

/**
 * Cuts the log so that it ends at an offset (LocalLog.truncateTo). In the order that keeps a power failure from leaving a gap:
 * first the later segments go, durably, then the last one is cut, then cut and lowered recovery point are made durable before
 * anything is appended behind them.
 */
export function truncateTo(log: LogState, offset: number, done: Completion): void {
  if (offset >= log.logEndOffset) {
    log.epochs.truncateFromEnd(offset);
    done();
    return;
  }
  if (offset < log.segments.first.baseOffset) {
    truncateFullyAndStartAt(log, offset, done);
    return;
  }
  log.runtime.log.info('Truncating', { partition: log.name, from: log.logEndOffset, to: offset });
  const later = log.segments.all.filter((segment) => segment.baseOffset > offset);
  const cut = (): void => {
    log.segments.active.truncateTo(offset);
    log.snapshots.removeWhere((snapshot) => snapshot > offset);
    log.epochs.truncateFromEnd(offset);
    lowerEnd(log, offset);
    log.logStartOffset = Math.min(log.logStartOffset, offset);
    const persist = [
      (next: Completion): void => log.segments.active.flush(offset, next),
      (next: Completion): void => log.host.checkpointRecoveryPoint(next),
    ];
    rebuildProducers(log, (error) => (error === undefined ? allDone(persist, done) : done(error)));
  };
  attempt(done, () => {
    removeSegments(log, later, 'truncation');
    if (later.length === 0) cut();
    else syncNames(log, done, cut);
  });
}

/** Drops everything; the log is empty and begins at an offset, durably. */
export function truncateFullyAndStartAt(log: LogState, offset: number, done: Completion): void {
  log.runtime.log.info('Truncating fully', { partition: log.name, startAt: offset });
  attempt(done, () => {
    removeSegments(log, [...log.segments.all], 'truncation');
    syncNames(log, done, () => {
      const segment = log.plannedSegment(offset);
      segment.create();
      log.segments.add(segment);
      log.snapshots.removeWhere(() => true);
      log.epochs.clear();
      log.producers = new ProducerState();
      lowerEnd(log, offset);
      log.logStartOffset = offset;
      log.highWatermark = offset;
      log.nameChanges += 1;
      syncNames(log, done, () => log.host.checkpointRecoveryPoint(done));
    });
  });
}

function lowerEnd(log: LogState, offset: number): void {
  log.tail.truncateTo(offset);
  log.touched = true;
  log.truncations += 1;
  log.logEndOffset = offset;
  log.nextOffset = offset;
  log.recoveryPoint = Math.min(log.recoveryPoint, offset);
  log.highWatermark = Math.min(log.highWatermark, offset);
  if (log.firstDirtyOffset !== undefined) log.firstDirtyOffset = Math.min(log.firstDirtyOffset, offset);
}

/** Without producers there is nothing to learn: every batch that is left was written by none, or by one that has expired. */
function rebuildProducers(log: LogState, done: Completion): void {
  if (log.producersLoaded && log.producers.size === 0) {
    done();
    return;
  }
  const state = new ProducerState();
  runSliced(log.runtime.clock, log.loadProducers(state), (error) => {
    if (error === undefined) log.producers = state;
    if (error === undefined || error instanceof DiskError) done(error);
    else throw error;
  });
}

function syncNames(log: LogState, done: Completion, next: () => void): void {
  log.runtime.disk.syncDirectory(log.directory, (error) => {
    if (error === undefined) attempt(done, next);
    else done(error);
  });
}

function attempt(done: Completion, act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    done(error);
  }
}
