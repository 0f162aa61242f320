import type { PartitionLog } from '../log.ts';
import { segmentsBetween } from './build-offset-map.ts';

/** A log with something to compact, as it is now (LogToClean). */
export interface CleanableLog {
  readonly log: PartitionLog;
  /** The dirty part. */
  readonly firstDirtyOffset: number;
  readonly firstUncleanableOffset: number;
  readonly cleanableBytes: number;
  /** Dirty bytes over all that would be read. */
  readonly ratio: number;
  /** `max.compaction.lag.ms` is over for some record. */
  readonly isOverdue: boolean;
}

/**
 * What of a log could be compacted: whole segments, never the active one, nothing from the last stable offset on, and nothing
 * younger than `min.compaction.lag.ms` (`LogCleanerManager.cleanableOffsets`). Undefined when that is nothing.
 */
export function cleanableOf(log: PartitionLog, nowMs: number): CleanableLog | undefined {
  const { segments, config } = log;
  const active = segments.at(-1)!;
  // A quiet partition has one segment, and is not even looked at.
  if (segments.length === 1) return undefined;
  const firstDirtyOffset = firstDirtyOffsetOf(log);
  let uncleanable = Math.min(log.lastStableOffset, active.baseOffset);
  const dirty = segmentsBetween(segments, firstDirtyOffset, active.baseOffset);
  if (config.minCompactionLagMs > 0) {
    const young = dirty.find(({ largestTimestamp }) => largestTimestamp > nowMs - config.minCompactionLagMs);
    if (young !== undefined) uncleanable = Math.min(uncleanable, young.baseOffset);
  }
  // Down to where a segment begins.
  const firstUncleanableOffset = segments.findLast(({ baseOffset }) => baseOffset <= uncleanable)?.baseOffset ?? 0;
  let cleanBytes = 0;
  let cleanableBytes = 0;
  for (const [index, segment] of segments.entries()) {
    const end = segments[index + 1]?.baseOffset ?? Infinity;
    if (segment.baseOffset < firstDirtyOffset) cleanBytes += segment.settledSize;
    if (end > firstDirtyOffset && segment.baseOffset < firstUncleanableOffset) cleanableBytes += segment.settledSize;
  }
  if (cleanableBytes === 0 || firstUncleanableOffset <= firstDirtyOffset) return undefined;
  const isOverdue =
    config.maxCompactionLagMs !== Infinity &&
    dirty.some(({ firstTimestamp }) => firstTimestamp > 0 && firstTimestamp < nowMs - config.maxCompactionLagMs);
  const ratio = cleanableBytes / (cleanBytes + cleanableBytes);
  return { log, firstDirtyOffset, firstUncleanableOffset, cleanableBytes, ratio, isOverdue };
}

/** The log that needs compaction most, if any does. */
export function filthiestOf(candidates: readonly CleanableLog[]): CleanableLog | undefined {
  const due = candidates.filter(({ log, ratio, isOverdue }) => isOverdue || ratio > log.config.minCleanableDirtyRatio);
  return due.reduce<CleanableLog | undefined>(
    (filthiest, next) => (filthiest === undefined || next.ratio > filthiest.ratio ? next : filthiest),
    undefined,
  );
}

/** What the checkpoint says, unless the log has lost its beginning or its end since. */
function firstDirtyOffsetOf({ firstDirtyOffset, logStartOffset, logEndOffset }: PartitionLog): number {
  if (firstDirtyOffset === undefined) return logStartOffset;
  return firstDirtyOffset < logStartOffset || firstDirtyOffset > logEndOffset ? logStartOffset : firstDirtyOffset;
}
