import { slicesOf } from '../../../base/slices.ts';
import type { Steps } from '../../../base/steps.ts';
import { type BatchHeader, hasValidCrc } from '../../records/batch.ts';
import { CorruptBatchError } from '../../records/errors.ts';
import { type IterateOptions, openPlain } from '../../records/iterate.ts';
import type { CleanedTransactions } from './cleaned-transactions.ts';
import { retainLegacyRecords } from './legacy-batch.ts';
import type { OffsetMap } from './offset-map.ts';
import { RecordCursor } from './record-cursor.ts';
import type { RetainedBatches } from './retained-batches.ts';
import { emptyBatch, PLACE_FIELDS, rewriteBatch } from './rewrite-batch.ts';

/** What is known of a producer that is still active: how its state is kept in the log. */
export interface LastOfProducer {
  /** Of its last data batch; undefined when the log knows it by a marker alone. */
  readonly lastDataOffset: number | undefined;
  readonly epoch: number;
}

export interface FilterOptions {
  readonly map: OffsetMap;
  /** When the pass began. */
  readonly nowMs: number;
  readonly deleteRetentionMs: number;
  readonly transactions: CleanedTransactions;
  readonly producers: ReadonlyMap<number, LastOfProducer>;
  /** What stands from here on was checked when the map was built. */
  readonly checkedFrom: number;
  /** Tombstones of magic 0 and 1 have no horizon of their own: the segment's age decides. */
  readonly keepLegacyTombstones: boolean;
  /** How batches are opened. */
  readonly iteration: IterateOptions;
}

/** A batch may have this many records before the list of places grows. */
const FIRST_PLACES = 1024;
/** Records that are looked at in one step. */
export const STEP_BYTES = 65_536;

/** Decides, batch by batch, what compaction leaves of a log (`Cleaner.cleanInto`, `MemoryRecords.filterTo`). */
export class BatchFilter {
  readonly #options: FilterOptions;
  #places = new Float64Array(FIRST_PLACES * PLACE_FIELDS);
  /** Records that the pass has read, and those of them without a key, which no compacted topic should have. */
  recordsRead = 0;
  keylessRecords = 0;

  constructor(options: FilterOptions) {
    this.#options = options;
  }

  /** In steps: a batch may hold much. @throws CorruptBatchError, InvalidRecordError, CompressionError */
  *filter(header: BatchHeader, batch: Uint8Array, into: RetainedBatches): Steps<void> {
    const { transactions, nowMs, checkedFrom } = this.#options;
    if (header.lastOffset < checkedFrom || header.lastOffset > this.#options.map.latestOffset) checkCrc(header, batch);
    const isObsolete = header.isControl ? transactions.onControlBatch(header, batch) : transactions.onBatch(header);
    const isDiscarded = isObsolete && (!header.isControl || hasHorizonPassed(header, nowMs));
    const isKeptEmpty = header.producerId >= 0 && this.#isLastOfProducer(header);
    if (isDiscarded) {
      if (isKeptEmpty) this.#addEmpty(header, batch, into);
      return;
    }
    if (header.magic !== 2) return this.#filterLegacy(header, batch, into);
    if (header.recordCount !== 0 && (yield* this.#retain(header, batch, isObsolete && header.isControl, into))) return;
    if (isKeptEmpty) this.#addEmpty(header, batch, into);
  }

  /** Writes what stays of the records; false when that is none. */
  *#retain(
    header: BatchHeader,
    batch: Uint8Array,
    outlivesTransaction: boolean,
    into: RetainedBatches,
  ): Steps<boolean> {
    const source = yield* openPlain({ header, bytes: slicesOf(batch) }, this.#options.iteration);
    const plain = source.slices.chunks[0]!;
    const cursor = new RecordCursor(plain, source.position, plain.length, header.recordCount);
    const { nowMs, deleteRetentionMs } = this.#options;
    const keepsTombstones = !hasHorizonPassed(header, nowMs);
    let count = 0;
    let hasTombstones = false;
    let maxDelta = -Infinity;
    let toldTo = cursor.start;
    while (cursor.next()) {
      if (cursor.end - toldTo >= STEP_BYTES) {
        yield cursor.end - toldTo;
        toldTo = cursor.end;
      }
      this.recordsRead += 1;
      if (!header.isControl && !this.#isRetained(header, cursor, plain, keepsTombstones)) continue;
      if (!cursor.hasValue) hasTombstones = true;
      if (cursor.timestampDelta > maxDelta) maxDelta = cursor.timestampDelta;
      this.#notePlace(cursor, count);
      count += 1;
    }
    if (count === 0) return false;
    // A timestamp that no number holds cannot be counted from another base: such tombstones stay.
    const canCount = Number.isSafeInteger(header.baseTimestamp);
    const needsHorizon = (hasTombstones || outlivesTransaction) && !header.hasDeleteHorizon && canCount;
    if (count === header.recordCount && !needsHorizon) {
      into.add(batch, header);
      return true;
    }
    const isAppendTime = header.timestampType === 'LogAppendTime';
    const horizonMs = needsHorizon ? nowMs + deleteRetentionMs : header.baseTimestamp;
    const hasHorizon = needsHorizon || header.hasDeleteHorizon;
    const firstTimestamp = isAppendTime ? header.maxTimestamp : header.baseTimestamp + this.#places[4]!;
    const maxTimestamp = isAppendTime ? header.maxTimestamp : header.baseTimestamp + maxDelta;
    const rewritten = yield* rewriteBatch(batch, header, {
      plain,
      places: this.#places,
      count,
      deleteHorizonMs: hasHorizon ? horizonMs : undefined,
      baseTimestamp: hasHorizon ? horizonMs : firstTimestamp,
      maxTimestamp,
    });
    into.add(rewritten, { lastOffset: header.lastOffset, maxTimestamp, recordCount: count });
    return true;
  }

  #isRetained(header: BatchHeader, cursor: RecordCursor, plain: Uint8Array, keepsTombstones: boolean): boolean {
    const { map } = this.#options;
    const offset = header.baseOffset + cursor.offsetDelta;
    if (offset > map.latestOffset) return true;
    if (cursor.keyStart < 0) {
      this.keylessRecords += 1;
      return false;
    }
    return (cursor.hasValue || keepsTombstones) && offset >= map.get(plain, cursor.keyStart, cursor.keyEnd);
  }

  #notePlace(cursor: RecordCursor, index: number): void {
    const at = index * PLACE_FIELDS;
    if (at === this.#places.length) {
      const larger = new Float64Array(at * 2);
      larger.set(this.#places);
      this.#places = larger;
    }
    this.#places[at] = cursor.start;
    this.#places[at + 1] = cursor.end;
    this.#places[at + 2] = cursor.attributesAt;
    this.#places[at + 3] = cursor.offsetDeltaAt;
    this.#places[at + 4] = cursor.timestampDelta;
  }

  #filterLegacy(header: BatchHeader, batch: Uint8Array, into: RetainedBatches): void {
    const { map, keepLegacyTombstones, iteration } = this.#options;
    const isRetained = (offset: number, key: Uint8Array | null, hasValue: boolean): boolean => {
      this.recordsRead += 1;
      if (offset > map.latestOffset) return true;
      if (key === null) this.keylessRecords += 1;
      return key !== null && (hasValue || keepLegacyTombstones) && offset >= map.get(key, 0, key.length);
    };
    retainLegacyRecords({ header, bytes: slicesOf(batch) }, iteration, isRetained, into);
  }

  #addEmpty(header: BatchHeader, batch: Uint8Array, into: RetainedBatches): void {
    into.add(emptyBatch(batch, header), { ...header, recordCount: 0 });
  }

  /**
   * A producer's state in the log is its last data batch, whose sequence its next one must follow, or else the marker that carries
   * its epoch.
   */
  #isLastOfProducer(header: BatchHeader): boolean {
    const last = this.#options.producers.get(header.producerId);
    if (last === undefined) return false;
    if (last.lastDataOffset !== undefined) return header.lastOffset === last.lastDataOffset;
    return header.isControl && header.producerEpoch === last.epoch;
  }
}

/** What is interpreted is checked: a record that rotted would be lost, or take another with it. @throws CorruptBatchError */
export function checkCrc(header: BatchHeader, batch: Uint8Array): void {
  if (hasValidCrc({ header, bytes: slicesOf(batch) })) return;
  throw new CorruptBatchError(`Record is corrupt (stored crc = ${header.crc}) at offset ${header.baseOffset}`);
}

function hasHorizonPassed(header: BatchHeader, nowMs: number): boolean {
  return header.hasDeleteHorizon && header.baseTimestamp <= nowMs;
}
