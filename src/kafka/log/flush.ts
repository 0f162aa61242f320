import type { Completion } from '../../runtime/disk.ts';
import type { LogState } from './log-state.ts';
import { allDone } from './segment.ts';

/**
 * Puts everything written so far on stable storage and raises the recovery point to it: log and indexes of every segment from
 * the recovery point on, the leader epochs, the topic id, and the names of new files.
 */
export function flush(log: LogState, done: Completion): void {
  const { logEndOffset, truncations } = log;
  const closed = [...log.closedUnflushed];
  const unflushed = log.segments.between(log.recoveryPoint, Math.max(logEndOffset, log.recoveryPoint + 1));
  const segments = [...new Set([...closed, ...unflushed])];
  const { nameChanges } = log;
  const steps = segments
    .filter((segment) => segment.settledSize > 0)
    .map((segment) => (next: Completion) => segment.flush(logEndOffset, next));
  steps.push((next) => log.epochWriter.whenIdle(next));
  steps.push((next) => log.metadataWriter.whenIdle(next));
  // Also where another flush is at it: what this one promises may lie in a file whose name is not durable before.
  if (nameChanges > log.durableNameChanges) steps.push((next) => syncNames(log, nameChanges, next));
  allDone(steps, (error) => {
    if (error !== undefined) {
      log.fail(error);
    } else if (log.truncations === truncations) {
      for (const segment of closed) log.closedUnflushed.delete(segment);
      log.recoveryPoint = Math.max(log.recoveryPoint, logEndOffset);
      log.lastFlushMs = log.runtime.clock.monotonicMs();
    }
    done(error);
  });
}

function syncNames(log: LogState, nameChanges: number, done: Completion): void {
  log.runtime.disk.syncDirectory(log.directory, (error) => {
    if (error === undefined) log.durableNameChanges = Math.max(log.durableNameChanges, nameChanges);
    done(error);
  });
}
