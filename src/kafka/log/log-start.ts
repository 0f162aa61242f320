import type { LogState } from './log-state.ts';
import { removeSegments } from './remove-segments.ts';
import { type Doomed, doomedSegments } from './retention.ts';

/** Nothing below this offset is read any more. */
export function moveStart(log: LogState, offset: number): void {
  log.logStartOffset = offset;
  log.highWatermark = Math.max(log.highWatermark, offset);
  log.epochs.truncateFromStart(offset);
  if (log.producersLoaded) log.producers.onHighWatermark(offset);
}

/** Segments that retention takes now. */
export function doomedNow({
  config,
  logStartOffset,
  logEndOffset,
  highWatermark,
  segments,
  runtime,
}: LogState): Doomed[] {
  const nowMs = runtime.clock.wallMs();
  return doomedSegments({ segments: segments.all, config, logStartOffset, logEndOffset, highWatermark, nowMs });
}

/** Removes them; the answer is how many went. @throws DiskError */
export function removeDoomed(log: LogState): number {
  const doomed = doomedNow(log);
  if (doomed.length === 0) return 0;
  const gone = doomed.map(({ segment }) => segment);
  removeSegments(log, gone, [...new Set(doomed.map(({ reason }) => reason))].join(', '));
  const first = log.segments.first.baseOffset;
  log.snapshots.removeWhere((offset) => offset < first);
  if (first > log.logStartOffset) moveStart(log, first);
  return gone.length;
}
