import { DiskError } from '../../../runtime/disk.ts';
import type { PartitionLog } from '../log.ts';
import type { Segment } from '../segment.ts';
import { BatchFilter, type FilterOptions, type LastOfProducer } from './batch-filter.ts';
import { type Cleaning, CleaningAborted } from './cleaning.ts';
import { RetainedBatches } from './retained-batches.ts';

export interface CleanSegmentsOptions
  extends Pick<FilterOptions, 'map' | 'nowMs' | 'deleteRetentionMs' | 'transactions' | 'checkedFrom'> {
  /** Tombstones of magic 0 and 1 go from segments that were last written at or before. */
  readonly legacyHorizonMs: number;
}

/** Writes what stays of a group of segments into one, and puts that in their place (`Cleaner.cleanSegments`). */
export async function cleanSegments(
  cleaning: Cleaning,
  group: readonly Segment[],
  options: CleanSegmentsOptions,
): Promise<void> {
  const { log } = cleaning;
  const cleaned = log.newCleanedSegment(group[0]!.baseOffset);
  try {
    await fill(cleaned, cleaning, group, options);
  } catch (error) {
    discard(cleaned);
    throw error;
  }
  await replace(log, group, cleaned);
}

async function fill(
  cleaned: Segment,
  cleaning: Cleaning,
  group: readonly Segment[],
  options: CleanSegmentsOptions,
): Promise<void> {
  cleaned.create();
  const writer = new SegmentWriter(cleaning, cleaned);
  const producers = lastOfProducers(cleaning.log);
  for (const segment of group) await cleanInto(cleaning, segment, writer, { ...options, producers });
  for (const transaction of options.transactions.takeRetained()) cleaned.transactionIndex.append(transaction);
  cleaned.becomeInactive();
  await new Promise<void>((resolve, reject) =>
    cleaned.flush(Infinity, (error) => (error === undefined ? resolve() : reject(error))),
  );
  // Whoever reads it opens it again: compacted segments are many, and mostly quiet.
  cleaned.close();
  cleaned.setModified(group.at(-1)!.modifiedMs);
  cleaning.check();
}

async function cleanInto(
  cleaning: Cleaning,
  segment: Segment,
  writer: SegmentWriter,
  options: CleanSegmentsOptions & Pick<FilterOptions, 'producers'>,
): Promise<void> {
  const { log, stats } = cleaning;
  const next = log.segments[log.segments.indexOf(segment) + 1];
  options.transactions.expect(log.abortedBetween(segment.baseOffset, next?.baseOffset ?? log.logEndOffset));
  const filter = new BatchFilter({
    ...options,
    iteration: cleaning.iteration,
    keepLegacyTombstones: segment.modifiedMs > options.legacyHorizonMs,
  });
  await cleaning.read(segment, 0, async (stretch) => {
    const retained = new RetainedBatches();
    for (const [header, bytes] of stretch.batches()) {
      await cleaning.inSlices(filter.filter(header, bytes, retained));
      if (cleaning.slice.isOver) await cleaning.breathe();
    }
    stats.bytesRead += stretch.sizeInBytes;
    await writer.write(retained);
    return true;
  });
  stats.recordsRead += filter.recordsRead;
  stats.keylessRecords += filter.keylessRecords;
}

class SegmentWriter {
  readonly #cleaning: Cleaning;
  readonly #segment: Segment;

  constructor(cleaning: Cleaning, segment: Segment) {
    this.#cleaning = cleaning;
    this.#segment = segment;
  }

  /** Resolves when the bytes are in the file. */
  async write(retained: RetainedBatches): Promise<void> {
    if (retained.sets.length === 0) return;
    const { stats } = this.#cleaning;
    for (const set of retained.sets) this.#segment.reserve(set);
    await new Promise<void>((resolve, reject) =>
      this.#segment.write(retained.buffers, (error) => (error === undefined ? resolve() : reject(error))),
    );
    this.#segment.settle(retained.sizeInBytes, retained.sets.at(-1)!.lastOffset + 1);
    stats.bytesWritten += retained.sizeInBytes;
    stats.recordsWritten += retained.recordCount;
    await this.#cleaning.transferred(retained.sizeInBytes);
  }
}

function replace(log: PartitionLog, group: readonly Segment[], cleaned: Segment): Promise<void> {
  return new Promise((resolve, reject) => {
    log.replaceSegments(group, cleaned, (error, replaced) => {
      if (replaced) return resolve();
      // After a failure nobody knows how far it came: recovery finds out.
      if (error === undefined) discard(cleaned);
      reject(new CleaningAborted(error === undefined ? 'its segments changed' : error.message));
    });
  });
}

function lastOfProducers(log: PartitionLog): ReadonlyMap<number, LastOfProducer> {
  const producers = new Map<number, LastOfProducer>();
  for (const { producerId, epoch, batches } of log.producers.entries()) {
    producers.set(producerId, { lastDataOffset: batches.at(-1)?.lastOffset, epoch });
  }
  return producers;
}

/** What a pass leaves half done the next start would remove too. */
function discard(cleaned: Segment): void {
  try {
    cleaned.remove();
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
  }
}
