import { slicesOf } from '../../../base/slices.ts';
import type { Steps } from '../../../base/steps.ts';
import type { Batch, BatchHeader } from '../../records/batch.ts';
import { type IterateOptions, openPlain, recordsOf } from '../../records/iterate.ts';
import type { Segment } from '../segment.ts';
import { checkCrc, STEP_BYTES } from './batch-filter.ts';
import { CleanedTransactions } from './cleaned-transactions.ts';
import type { Cleaning } from './cleaning.ts';
import type { OffsetMap } from './offset-map.ts';
import { RecordCursor } from './record-cursor.ts';

/**
 * Notes the last offset of each key in the dirty part [start, end) of a log, until that is done or the map is full. What the map
 * then knows reaches to its `latestOffset` (`Cleaner.buildOffsetMap`).
 */
export async function buildOffsetMap(cleaning: Cleaning, start: number, end: number, map: OffsetMap): Promise<void> {
  const { log } = cleaning;
  const dirty = segmentsBetween(log.segments, start, end);
  const transactions = new CleanedTransactions();
  transactions.expect(log.abortedBetween(start, end));
  for (const [index, segment] of dirty.entries()) {
    let isFull = false;
    const position = segment.baseOffset < start ? (segment.find(start)?.position ?? segment.settledSize) : 0;
    await cleaning.read(segment, position, async (stretch) => {
      for (const [header, bytes] of stretch.batches()) {
        const noted = note(header, bytes, { start, map, transactions, iteration: cleaning.iteration });
        if (!(await cleaning.inSlices(noted))) {
          isFull = true;
          return false;
        }
        if (cleaning.slice.isOver) await cleaning.breathe();
      }
      return true;
    });
    if (isFull) return;
    // Where records are missing at the end of a segment the map knows that too.
    map.latestOffset = (dirty[index + 1]?.baseOffset ?? end) - 1;
  }
}

interface Noting {
  readonly start: number;
  readonly map: OffsetMap;
  readonly transactions: CleanedTransactions;
  readonly iteration: IterateOptions;
}

/** In steps; false when the map has no room for all of the batch. */
function* note(header: BatchHeader, bytes: Uint8Array, noting: Noting): Steps<boolean> {
  const { start, map, transactions } = noting;
  checkCrc(header, bytes);
  if (header.isControl) transactions.onControlBatch(header, bytes);
  else if (!transactions.onBatch(header) && !(yield* noteKeys({ header, bytes: slicesOf(bytes) }, noting)))
    return false;
  if (header.lastOffset >= start) map.latestOffset = header.lastOffset;
  return true;
}

function* noteKeys(batch: Batch, { start, map, iteration }: Noting): Steps<boolean> {
  const { header } = batch;
  if (header.magic !== 2) {
    for (const { offset, key } of recordsOf(batch, iteration)) {
      if (key === null || offset < start) continue;
      if (map.isFull) return false;
      map.put(key, 0, key.length, offset);
    }
    return true;
  }
  if (header.recordCount === 0) return true;
  const { slices, position } = yield* openPlain(batch, iteration);
  const plain = slices.chunks[0]!;
  const cursor = new RecordCursor(plain, position, plain.length, header.recordCount);
  let toldTo = cursor.start;
  while (cursor.next()) {
    if (cursor.end - toldTo >= STEP_BYTES) {
      yield cursor.end - toldTo;
      toldTo = cursor.end;
    }
    const offset = header.baseOffset + cursor.offsetDelta;
    if (cursor.keyStart < 0 || offset < start) continue;
    if (map.isFull) return false;
    map.put(plain, cursor.keyStart, cursor.keyEnd, offset);
  }
  return true;
}

/** From the segment that holds `start` on, as far as they begin below `end`. */
export function segmentsBetween(segments: readonly Segment[], start: number, end: number): Segment[] {
  return segments.filter(
    ({ baseOffset }, index) => baseOffset < end && (segments[index + 1]?.baseOffset ?? Infinity) > start,
  );
}
