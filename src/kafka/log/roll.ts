import type { StagedAppend } from './append.ts';
import type { AppendQueue } from './append-queue.ts';
import { flush } from './flush.ts';
import { segmentMsOf } from './log-config.ts';
import type { LogState } from './log-state.ts';
import { encodeProducerSnapshot } from './producer-snapshot.ts';
import { type AppendedSet, asDiskError, type Segment } from './segment.ts';

/** The segment that takes a set: the active one, or a new one where that must not grow. @throws DiskError */
export function segmentFor(log: LogState, queue: AppendQueue<StagedAppend>, set: AppendedSet): Segment {
  const { active } = log.segments;
  const { config } = log;
  return active.shouldRoll(set, config.segmentBytes, segmentMsOf(config), log.runtime.clock)
    ? roll(log, queue)
    : active;
}

/**
 * Begins a new segment at the next offset. Its place in the log is taken at once; the files change when the writer has put
 * everything before it into the old one.
 */
export function roll(log: LogState, queue: AppendQueue<StagedAppend>): Segment {
  const old = log.segments.active;
  if (old.baseOffset === log.nextOffset) return old;
  const segment = log.plannedSegment(log.nextOffset);
  const snapshot = encodeProducerSnapshot(log.producers.entries());
  log.segments.add(segment);
  log.touched = true;
  queue.run((next) => {
    if (log.failure === undefined) change(log, old, segment, snapshot);
    next();
  });
  return segment;
}

function change(log: LogState, old: Segment, segment: Segment, snapshot: Uint8Array): void {
  try {
    old.becomeInactive();
    log.closedUnflushed.add(old);
    log.snapshots.write(segment.baseOffset, snapshot);
    segment.create();
  } catch (error) {
    log.fail(asDiskError(error));
    return;
  }
  log.nameChanges += 1;
  log.runtime.log.debug('Rolled new log segment', { partition: log.name, offset: segment.baseOffset });
  // Beside the appends that follow, as Apache's scheduler does it: a sync can take long.
  flush(log, () => undefined);
}
