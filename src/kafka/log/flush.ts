import type { Completion } from '../../runtime/disk.ts';
import type { LogState } from './log-state.ts';
import { allDone } from './segment.ts';

/**
 * Puts everything written so far on stable storage and raises the recovery point to it: log and indexes of every segment from
 * the recovery point on, the leader epochs, the topic id, and the names of new files.
 */
export function flush(log: LogState, done: Completion): void {
  const { logEndOffset, truncations } = log;
  const segments = log.segments.between(log.recoveryPoint, Math.max(logEndOffset, log.recoveryPoint + 1));
  const { namesChanged } = log;
  log.namesChanged = false;
  const steps = segments
    .filter((segment) => segment.settledSize > 0)
    .map((segment) => (next: Completion) => segment.flush(logEndOffset, next));
  steps.push((next) => log.epochWriter.whenIdle(next));
  steps.push((next) => log.metadataWriter.whenIdle(next));
  if (namesChanged) steps.push((next) => log.runtime.disk.syncDirectory(log.directory, next));
  allDone(steps, (error) => {
    if (error !== undefined) {
      log.fail(error);
    } else if (log.truncations === truncations) {
      log.recoveryPoint = Math.max(log.recoveryPoint, logEndOffset);
      log.lastFlushMs = log.runtime.clock.monotonicMs();
    }
    done(error);
  });
}
