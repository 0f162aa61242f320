import type { Random } from '../../../runtime/random.ts';
import { buildOffsetMap, segmentsBetween } from './build-offset-map.ts';
import { cleanSegments } from './clean-segments.ts';
import type { CleanableLog } from './cleanable.ts';
import { CleanedTransactions } from './cleaned-transactions.ts';
import type { Cleaning } from './cleaning.ts';
import { OffsetMap } from './offset-map.ts';
import { groupSegments } from './segment-groups.ts';

export interface MapLimits {
  /** Bytes of an offset map. */
  readonly bytesMax: number;
  readonly loadFactor: number;
}

/**
 * One pass over a log (`Cleaner.doClean`): what is last of each key in the dirty part, then everything up to there written anew,
 * group by group. The answer is the first offset that is dirty then: not the end of the dirty part when the map was full before.
 * @throws CleaningAborted, DiskError, and whatever a corrupt batch throws
 */
export async function cleanLog(
  cleaning: Cleaning,
  { firstDirtyOffset, firstUncleanableOffset }: CleanableLog,
  { nowMs, limits, random }: { readonly nowMs: number; readonly limits: MapLimits; readonly random: Random },
): Promise<number> {
  const { log } = cleaning;
  const clean = segmentsBetween(log.segments, 0, firstDirtyOffset).at(-1);
  const legacyHorizonMs = clean === undefined ? 0 : clean.modifiedMs - log.config.deleteRetentionMs;
  const keysMax = firstUncleanableOffset - firstDirtyOffset;
  const map = new OffsetMap({ ...limits, keysMax, random });
  await buildOffsetMap(cleaning, firstDirtyOffset, firstUncleanableOffset, map);
  const endOffset = map.latestOffset + 1;
  const segments = segmentsBetween(log.segments, 0, endOffset);
  const next = log.segments[log.segments.indexOf(segments.at(-1)!) + 1]!;
  await flushBefore(cleaning, next.baseOffset);
  const { segmentBytes, segmentIndexBytes, deleteRetentionMs } = log.config;
  const groups = groupSegments(segments, {
    segmentBytes,
    indexBytes: segmentIndexBytes,
    endOffset: firstUncleanableOffset,
  });
  const transactions = new CleanedTransactions();
  for (const group of groups) {
    await cleanSegments(cleaning, group, {
      map,
      nowMs,
      deleteRetentionMs,
      transactions,
      legacyHorizonMs,
      checkedFrom: firstDirtyOffset,
    });
  }
  return endOffset;
}

async function flushBefore(cleaning: Cleaning, offset: number): Promise<void> {
  await new Promise<void>((resolve, reject) =>
    cleaning.log.flushBefore(offset, (error) => (error === undefined ? resolve() : reject(error))),
  );
  cleaning.check();
}
