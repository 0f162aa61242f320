import { slicesOf } from '../../base/slices.ts';
import type { DiskError } from '../../runtime/disk.ts';
import type { Batch, BatchHeader } from '../records/batch.ts';
import { openRecords } from '../records/iterate.ts';
import type { BatchWalk } from './batch-walk.ts';
import type { LogState } from './log-state.ts';
import type { Segment } from './segment.ts';

export interface TimestampedOffset {
  readonly timestamp: number;
  readonly offset: number;
  /** -1 unknown. */
  readonly leaderEpoch: number;
}

export type LookupDone = (error: DiskError | undefined, found: TimestampedOffset | undefined) => void;

/** Headers that are looked at before others get a turn. */
const HEADERS_AT_ONCE = 2048;
/** As many records of one batch. */
const RECORDS_AT_ONCE = 1024;

/** The first record at or above the start of the log whose timestamp is at least this one. */
export function* findByTimestamp(log: LogState, timestamp: number): Generator<void, TimestampedOffset | undefined> {
  for (const segment of [...log.segments.all]) {
    if (segment.largestTimestamp < timestamp && segment !== log.segments.active) continue;
    if (segment.settledSize === 0) continue;
    const walk = segment.walk(segment.positionForTimestamp(timestamp));
    const isCandidate = (header: BatchHeader): boolean =>
      header.maxTimestamp >= timestamp && header.lastOffset >= log.logStartOffset;
    const found = yield* firstIn(log, walk, isCandidate, timestamp, segment);
    if (found === 'gone') return yield* findByTimestamp(log, timestamp);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The first record that has the largest timestamp of the log (KIP-734); where none has any, the first. */
export function* findMaxTimestamp(log: LogState): Generator<void, TimestampedOffset | undefined> {
  let latest: Segment | undefined;
  for (const segment of log.segments.all) {
    if (segment.settledSize === 0) continue;
    if (latest === undefined || segment.maxTimestamp.timestamp > latest.maxTimestamp.timestamp) latest = segment;
  }
  if (latest === undefined) return undefined;
  const { timestamp } = latest.maxTimestamp;
  const walk = latest.walk(latest.positionForTimestamp(timestamp - 1));
  const found = yield* firstIn(log, walk, (header) => header.maxTimestamp === timestamp, timestamp, latest);
  return found === 'gone' ? yield* findMaxTimestamp(log) : found;
}

/** `gone`: retention or compaction took the segment while others had their turn, and its files are closed. */
function* firstIn(
  log: LogState,
  walk: BatchWalk,
  isCandidate: (header: BatchHeader) => boolean,
  timestamp: number,
  segment: Segment,
): Generator<void, TimestampedOffset | 'gone' | undefined> {
  let count = 0;
  for (let header = walk.next(); header !== undefined; header = walk.next()) {
    count += 1;
    if (count % HEADERS_AT_ONCE === 0) {
      yield;
      if (!log.segments.all.includes(segment)) return 'gone';
    }
    if (!isCandidate(header)) continue;
    const found = yield* firstWithin({ header, bytes: slicesOf(walk.bytes()) }, timestamp, log);
    if (found !== undefined) return found;
    if (!log.segments.all.includes(segment)) return 'gone';
  }
  return undefined;
}

/** The batch is in memory: whatever becomes of its segment meanwhile, it is as it was. */
function* firstWithin(batch: Batch, timestamp: number, log: LogState): Generator<void, TimestampedOffset | undefined> {
  const opening = openRecords(batch);
  let step = opening.next();
  for (; step.done !== true; step = opening.next()) yield;
  let count = 0;
  for (const record of step.value) {
    count += 1;
    if (count % RECORDS_AT_ONCE === 0) yield;
    if (record.timestamp < timestamp || record.offset < log.logStartOffset) continue;
    return { timestamp: record.timestamp, offset: record.offset, leaderEpoch: batch.header.partitionLeaderEpoch };
  }
  return undefined;
}
