import { DiskError } from '../../runtime/disk.ts';
import type { LogState } from './log-state.ts';
import type { Segment } from './segment.ts';

/**
 * Takes segments out of the log: their files get `.deleted` now and go for good after `file.delete.delay.ms`, so that whoever
 * is reading them can finish. @throws DiskError
 */
export function removeSegments(log: LogState, gone: readonly Segment[], reason: string): void {
  if (gone.length === 0) return;
  const offsets = gone.map((segment) => segment.baseOffset);
  log.runtime.log.info('Removing segments', { partition: log.name, offsets, reason });
  log.segments.remove(gone);
  log.nameChanges += 1;
  markDeleted(log, gone);
  removeLater(log, gone);
}

/** Their files get `.deleted`, and no flush minds them any more. @throws DiskError */
export function markDeleted(log: LogState, gone: readonly Segment[]): void {
  for (const segment of gone) {
    log.closedUnflushed.delete(segment);
    segment.markDeleted();
  }
}

/** The files of segments that are marked `.deleted` go after `file.delete.delay.ms`. */
export function removeLater(log: LogState, gone: readonly Segment[]): void {
  const timer = log.runtime.clock.after(log.config.fileDeleteDelayMs, () => {
    log.removals?.delete(timer);
    for (const segment of gone) removeForGood(log, segment);
  });
  log.removals ??= new Set();
  log.removals.add(timer);
}

function removeForGood(log: LogState, segment: Segment): void {
  try {
    segment.remove();
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    log.fail(error);
  }
}
