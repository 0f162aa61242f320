import { slicesOf } from '../../base/slices.ts';
import type { Clock } from '../../runtime/clock.ts';
import {
  type Completion,
  CorruptionError,
  type Disk,
  DiskError,
  type File,
  type ReadDone,
} from '../../runtime/disk.ts';
import type { Log } from '../../runtime/log.ts';
import { type BatchHeader, hasValidCrc } from '../records/batch.ts';
import { CorruptBatchError } from '../records/errors.ts';
import { BatchWalk } from './batch-walk.ts';
import {
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  type SegmentFileKind,
  segmentFileName,
  TIME_INDEX_SUFFIX,
  TRANSACTION_INDEX_SUFFIX,
} from './file-names.ts';
import { openAndSync } from './index-file.ts';
import { OffsetIndex } from './offset-index.ts';
import { TimeIndex, type TimestampOffset } from './time-index.ts';
import { TransactionIndex } from './transaction-index.ts';

/** What one append puts behind the last. */
export interface AppendedSet {
  readonly sizeInBytes: number;
  readonly lastOffset: number;
  readonly maxTimestamp: number;
  /** Last offset of the batch that holds the largest timestamp. */
  readonly offsetOfMaxTimestamp: number;
}

export interface SegmentOptions {
  readonly disk: Disk;
  readonly log: Log;
  /** Asked at each use: directories are renamed. */
  readonly directory: () => string;
  readonly baseOffset: number;
  readonly createdMs: number;
  /** Drawn once a segment, below min(segment.jitter.ms, segment.ms). */
  readonly rollJitterMs: number;
  readonly indexBytes: number;
  readonly indexIntervalBytes: number;
  /** The final size to claim at creation (`preallocate`), or undefined. */
  readonly preallocateBytes?: number;
  /** What its files' names end with, behind their kind; none unless given. */
  readonly suffix?: SegmentSuffix;
}

/** What is to become of a segment's files, by the end of their names. */
export type SegmentSuffix = '' | '.cleaned' | '.swap' | '.deleted';

export interface FoundBatch {
  readonly position: number;
  readonly header: BatchHeader;
}

const KINDS = [LOG_SUFFIX, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TRANSACTION_INDEX_SUFFIX] as const;
/** Offsets in an index are 31 bits relative to the base. */
const RELATIVE_OFFSET_MAX = 2_147_483_647;
/** Index entries that may wait in memory before the file is written. */
const WAITING_ENTRIES_MAX = 512;
/** What recovery reads at once. */
const RECOVERY_WINDOW_BYTES = 262_144;

/**
 * A stretch of the log: `.log` and its three indexes, opened when first touched.
 *
 * An append takes two steps, as writes may finish later: `reserve` gives it its place and its index entries (in memory),
 * `settle` says that its bytes are in the file, from when on the entries may be written too.
 */
export class Segment {
  readonly baseOffset: number;
  readonly createdMs: number;
  readonly rollJitterMs: number;
  readonly transactionIndex: TransactionIndex;
  readonly #options: SegmentOptions;
  readonly #offsetIndex: OffsetIndex;
  readonly #timeIndex: TimeIndex;
  #indexesChecked = false;
  #file: File | undefined;
  /** Bytes that have a place, and bytes that are in the file; undefined until looked at. */
  #reserved: number | undefined;
  #settled = 0;
  #bytesSinceIndexEntry = 0;
  /** Undefined until the time index is read. */
  #max: TimestampOffset | undefined;
  /** Largest timestamp of the first set; undefined when empty or not looked at yet. */
  #firstTimestamp: number | undefined;
  #suffix: SegmentSuffix;

  constructor(options: SegmentOptions) {
    this.#options = options;
    this.baseOffset = options.baseOffset;
    this.createdMs = options.createdMs;
    this.rollJitterMs = options.rollJitterMs;
    this.#suffix = options.suffix ?? '';
    const { disk, baseOffset, indexBytes } = options;
    this.#offsetIndex = new OffsetIndex(disk, () => this.path(OFFSET_INDEX_SUFFIX), baseOffset, indexBytes);
    this.#timeIndex = new TimeIndex(disk, () => this.path(TIME_INDEX_SUFFIX), baseOffset, indexBytes);
    this.transactionIndex = new TransactionIndex(disk, () => this.path(TRANSACTION_INDEX_SUFFIX), baseOffset);
  }

  path(kind: SegmentFileKind): string {
    return `${this.#options.directory()}/${segmentFileName(this.baseOffset, kind)}${this.#suffix}`;
  }

  /** A segment that has no files until the writer reaches it. */
  static planned(options: SegmentOptions): Segment {
    const segment = new Segment(options);
    segment.#reserved = 0;
    segment.#indexesChecked = true;
    segment.#max = { timestamp: -1, offset: options.baseOffset };
    segment.#offsetIndex.assumeEmpty();
    segment.#timeIndex.assumeEmpty();
    return segment;
  }

  /** Makes the files of a planned segment; leftovers of that name go. @throws DiskError */
  create(): void {
    const { disk, preallocateBytes } = this.#options;
    disk.remove(this.path(LOG_SUFFIX));
    disk.remove(this.path(TRANSACTION_INDEX_SUFFIX));
    const file = disk.open(this.path(LOG_SUFFIX), { create: true });
    this.#file = file;
    if (preallocateBytes !== undefined) {
      file.truncate(preallocateBytes);
      file.seek(0);
    }
    this.#offsetIndex.create();
    this.#timeIndex.create();
  }

  /** Bytes, those on their way to the file included. */
  get size(): number {
    this.#reserved ??= this.#measure();
    return this.#reserved;
  }

  /** Bytes that are in the file. */
  get settledSize(): number {
    return this.size === 0 ? 0 : this.#settled;
  }

  get maxTimestamp(): TimestampOffset {
    this.#max ??= this.#indexes().time.last;
    return this.#max;
  }

  /** What retention goes by: the largest record timestamp, else when the file was last written. */
  get largestTimestamp(): number {
    const { timestamp } = this.maxTimestamp;
    return timestamp >= 0 ? timestamp : this.modifiedMs;
  }

  /** LogSegment.shouldRoll. */
  shouldRoll(incoming: AppendedSet, segmentBytes: number, segmentMs: number, clock: Pick<Clock, 'wallMs'>): boolean {
    if (this.size > segmentBytes - incoming.sizeInBytes) return true;
    if (this.size > 0 && this.#waitedMs(clock, incoming.maxTimestamp) > segmentMs - this.rollJitterMs) return true;
    this.#checkIndexes();
    const isFull = this.#offsetIndex.isFull || this.#timeIndex.isFull;
    return isFull || incoming.lastOffset - this.baseOffset > RELATIVE_OFFSET_MAX;
  }

  /** When the log file was last written, ms since 1970; 0 when there is none. */
  get modifiedMs(): number {
    return this.#options.disk.stat(this.path(LOG_SUFFIX))?.modifiedMs ?? 0;
  }

  /** Largest timestamp of the first set; -1 without one. */
  get firstTimestamp(): number {
    if (this.#firstTimestamp === undefined && this.settledSize > 0) {
      this.#firstTimestamp = new BatchWalk(this.file, 0, this.#settled).next()?.maxTimestamp ?? -1;
    }
    return this.#firstTimestamp ?? -1;
  }

  /** Bytes of the two indexes, of which each has its limit. */
  get indexSizes(): { readonly offset: number; readonly time: number } {
    const { offset, time } = this.#indexes();
    return { offset: offset.sizeInBytes, time: time.sizeInBytes };
  }

  /** Time that records span, or where they carry none, time since creation. */
  #waitedMs(clock: Pick<Clock, 'wallMs'>, maxTimestamp: number): number {
    const first = this.firstTimestamp;
    return first >= 0 ? maxTimestamp - first : clock.wallMs() - this.createdMs;
  }

  /** Gives a set its place. The answer is its position. */
  reserve(set: AppendedSet): number {
    const position = this.size;
    this.#checkIndexes();
    const offset = this.#offsetIndex;
    const time = this.#timeIndex;
    if (position === 0) this.#firstTimestamp = set.maxTimestamp;
    if (set.maxTimestamp > this.maxTimestamp.timestamp) {
      this.#max = { timestamp: set.maxTimestamp, offset: set.offsetOfMaxTimestamp };
    }
    // An active segment ends before its indexes are full; a compacted one goes on, and is read from its last entry.
    const hasRoom = !offset.isFull && !time.isFull;
    if (this.#bytesSinceIndexEntry > this.#options.indexIntervalBytes && hasRoom) {
      offset.append(set.lastOffset, position);
      time.maybeAppend(this.maxTimestamp.timestamp, this.maxTimestamp.offset);
      this.#bytesSinceIndexEntry = 0;
    }
    this.#bytesSinceIndexEntry += set.sizeInBytes;
    this.#reserved = position + set.sizeInBytes;
    return position;
  }

  write(buffers: readonly Uint8Array[], done: Completion): void {
    let file: File;
    try {
      file = this.file;
    } catch (error) {
      done(asDiskError(error));
      return;
    }
    file.append(buffers, done);
  }

  /** Later; what a deletion took meanwhile answers ENOENT. */
  read(position: number, into: Uint8Array, done: ReadDone): void {
    let file: File;
    try {
      file = this.file;
    } catch (error) {
      done(asDiskError(error), 0);
      return;
    }
    file.read(position, into, done);
  }

  /**
   * Bytes of reserved sets are in the file now, up to this offset (exclusive). Once for all that one write took: what waits for
   * the indexes is gone through each time. @throws DiskError
   */
  settle(sizeInBytes: number, endOffset: number): void {
    this.#settled += sizeInBytes;
    if (this.#offsetIndex.waiting >= WAITING_ENTRIES_MAX) this.#writeIndexes(endOffset);
  }

  get file(): File {
    if (this.#file === undefined) {
      this.#file = this.#options.disk.open(this.path(LOG_SUFFIX));
      if (this.#reserved === undefined) this.#settled = this.#file.size;
      this.#reserved ??= this.#settled;
      if (this.#file.end !== this.#settled) this.#file.seek(this.#settled);
    }
    return this.#file;
  }

  /** The first batch that holds this offset or a larger one, among those in the file. @throws CorruptBatchError, DiskError */
  find(offset: number): FoundBatch | undefined {
    const from = this.#indexes().offset.lookup(offset).position;
    const walk = BatchWalk.search(this.file, from, this.settledSize);
    for (let header = walk.next(); header !== undefined; header = walk.next()) {
      if (header.lastOffset >= offset) return { position: walk.position, header };
    }
    return undefined;
  }

  /** An offset that does not stand before a position: the first that the index knows at or behind it. */
  firstIndexedFrom(position: number): number | undefined {
    return this.#indexes().offset.firstFrom(position)?.offset;
  }

  /** Where to begin looking for records at or after a timestamp. */
  positionForTimestamp(timestamp: number): number {
    const { offset, time } = this.#indexes();
    return offset.lookup(time.lookup(timestamp).offset).position;
  }

  walk(position: number): BatchWalk {
    return new BatchWalk(this.file, position, this.settledSize);
  }

  /** The offset behind the last batch: from the last index entry the file is read to its end. */
  readNextOffset(): number {
    if (this.settledSize === 0) return this.baseOffset;
    const walk = new BatchWalk(this.file, this.#indexes().offset.last.position, this.settledSize);
    let next = this.baseOffset;
    for (let header = walk.next(); header !== undefined; header = walk.next()) next = header.lastOffset + 1;
    return next;
  }

  /** No more appends: the indexes get their last entry and their real length. @throws DiskError */
  becomeInactive(): void {
    const { time } = this.#indexes();
    const { timestamp, offset } = this.maxTimestamp;
    time.maybeAppend(timestamp, offset);
    this.#trim();
  }

  /**
   * After a crash the indexes of a closed segment may lack their last entry. False: they, or the end of the log file, are not what
   * a segment has, and all of it has to be recovered. @throws DiskError
   */
  completeIndexes(): boolean {
    if (this.settledSize === 0) return true;
    try {
      this.#offsetIndex.sanityCheck();
      this.#timeIndex.sanityCheck();
      this.#indexesChecked = true;
      this.#max = this.#largestTimestampAfter(this.#timeIndex.last);
    } catch (error) {
      if (error instanceof CorruptionError || error instanceof CorruptBatchError) return false;
      throw error;
    }
    this.becomeInactive();
    return true;
  }

  /** Everything below `endOffset` (settled) to stable storage. */
  flush(endOffset: number, done: Completion): void {
    try {
      this.#writeIndexes(endOffset);
    } catch (error) {
      done(asDiskError(error));
      return;
    }
    const { offset, time } = this.#indexes();
    allDone(
      [
        (next) => openAndSync(() => this.file, next),
        (next) => offset.sync(next),
        (next) => time.sync(next),
        (next) => this.transactionIndex.sync(next),
      ],
      done,
    );
  }

  /** Cuts away everything from an offset on. The answer is how many bytes went. @throws DiskError */
  truncateTo(offset: number): number {
    const size = this.settledSize;
    const position = this.find(offset)?.position ?? size;
    const indexes = this.#indexes();
    indexes.offset.truncateTo(offset);
    indexes.time.truncateTo(offset);
    this.transactionIndex.truncateTo(offset);
    this.#cutFile(position);
    this.#bytesSinceIndexEntry = 0;
    this.#max = this.#largestTimestampAfter(indexes.time.last);
    if (position === 0) this.#firstTimestamp = undefined;
    return size - position;
  }

  /**
   * Reads every batch and rebuilds the indexes, up to the first batch that is torn or corrupt: its position is the answer, and
   * `endRecovery` cuts there. Pauses (yields) after each stretch of bytes, so that the caller can let others in.
   */
  *recover(onBatch: (header: BatchHeader, bytes: Uint8Array) => void): Generator<void, number> {
    this.emptyIndexes();
    const walk = new BatchWalk(this.file, 0, this.settledSize, RECOVERY_WINDOW_BYTES);
    this.#reserved = 0;
    let lastOffset = this.baseOffset - 1;
    let pausedAt = 0;
    for (let valid = 0; ; valid = walk.reached) {
      const header = this.#nextValid(walk, lastOffset);
      if (header === undefined) return valid;
      const { sizeInBytes, maxTimestamp } = header;
      lastOffset = header.lastOffset;
      this.reserve({ sizeInBytes, lastOffset, maxTimestamp, offsetOfMaxTimestamp: lastOffset });
      onBatch(header, walk.bytes());
      if (walk.reached - pausedAt < RECOVERY_WINDOW_BYTES) continue;
      if (this.#offsetIndex.waiting >= WAITING_ENTRIES_MAX) this.#writeIndexes(Infinity);
      pausedAt = walk.reached;
      yield;
    }
  }

  /** All that recovery does where the file is empty. @throws DiskError */
  emptyIndexes(): void {
    this.#offsetIndex.create();
    this.#timeIndex.create();
    this.transactionIndex.reset();
    this.#indexesChecked = true;
    this.#max = { timestamp: -1, offset: this.baseOffset };
    this.#firstTimestamp = undefined;
    this.#bytesSinceIndexEntry = 0;
  }

  /** Cuts the file behind its last valid batch. The answer is how many bytes went. @throws DiskError */
  endRecovery(validBytes: number): number {
    const gone = this.#settled - validBytes;
    this.#cutFile(validBytes);
    this.#bytesSinceIndexEntry = 0;
    this.becomeInactive();
    return gone;
  }

  /**
   * Writes everything from an offset on again. After a failed sync the kernel takes its pages for clean: the next process reads
   * them, and its sync succeeds without having written them. @throws DiskError
   */
  *rewriteFrom(offset: number): Generator<void, void> {
    const size = this.settledSize;
    let at = this.find(offset)?.position ?? size;
    while (at < size) {
      const bytes = this.file.readAt(at, Math.min(RECOVERY_WINDOW_BYTES, size - at));
      this.file.writeAt(at, bytes);
      at += bytes.length;
      yield;
    }
  }

  /** Gives the files other names; who is reading them goes on. @throws DiskError */
  changeSuffix(suffix: SegmentSuffix): void {
    const { disk } = this.#options;
    const present = KINDS.filter((kind) => disk.stat(this.path(kind)) !== undefined);
    const before = present.map((kind) => this.path(kind));
    this.#suffix = suffix;
    for (const [index, kind] of present.entries()) disk.rename(before[index]!, this.path(kind));
  }

  /** Files get the suffix `.deleted` and go for good with `remove`. @throws DiskError */
  markDeleted(): void {
    this.close();
    this.changeSuffix('.deleted');
  }

  remove(): void {
    this.close();
    for (const kind of KINDS) this.#options.disk.remove(this.path(kind));
  }

  /** What retention and old tombstones go by when the records say nothing. @throws DiskError */
  setModified(modifiedMs: number): void {
    this.#options.disk.setModified(this.path(LOG_SUFFIX), modifiedMs);
  }

  /** Forgets open files without touching what they hold; the next use opens them again. */
  close(): void {
    this.#file?.close();
    this.#file = undefined;
    this.#offsetIndex.close();
    this.#timeIndex.close();
    this.transactionIndex.close();
  }

  #indexes(): { offset: OffsetIndex; time: TimeIndex } {
    this.#checkIndexes();
    return { offset: this.#offsetIndex, time: this.#timeIndex };
  }

  /** Before they are first used. */
  #checkIndexes(): void {
    if (this.#indexesChecked) return;
    this.#indexesChecked = true;
    try {
      this.#offsetIndex.sanityCheck();
      this.#timeIndex.sanityCheck();
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      this.#options.log.error('Found an index file that is corrupt, rebuilding it', { path: error.path, error });
      this.#rebuildIndexes();
    }
  }

  /** At once: a file of a cleanly closed segment is found damaged only when someone reads it. */
  #rebuildIndexes(): void {
    const aborted = [...this.transactionIndex.entries];
    const size = this.settledSize;
    const recovery = this.recover(() => undefined);
    let step = recovery.next();
    while (step.done !== true) step = recovery.next();
    if (step.value !== size) {
      throw new CorruptionError(this.path(LOG_SUFFIX), step.value, 'a batch of a closed segment is corrupt');
    }
    this.becomeInactive();
    for (const entry of aborted) this.transactionIndex.append(entry);
  }

  #nextValid(walk: BatchWalk, lastOffset: number): BatchHeader | undefined {
    try {
      const header = walk.next();
      if (header === undefined) return undefined;
      const inRange = header.lastOffset > lastOffset && header.lastOffset - this.baseOffset <= RELATIVE_OFFSET_MAX;
      const isValid = inRange && hasValidCrc({ header, bytes: slicesOf(walk.bytes()) });
      return isValid ? header : undefined;
    } catch (error) {
      if (error instanceof CorruptBatchError) return undefined;
      throw error;
    }
  }

  /** The last index entry may be gone: what stands behind it in the file counts too (LogSegment.loadLargestTimestamp). */
  #largestTimestampAfter(entry: TimestampOffset): TimestampOffset {
    let largest = entry;
    const walk = this.walk(this.#indexes().offset.lookup(entry.offset).position);
    for (let header = walk.next(); header !== undefined; header = walk.next()) {
      const { maxTimestamp, lastOffset } = header;
      if (maxTimestamp > largest.timestamp) largest = { timestamp: maxTimestamp, offset: lastOffset };
    }
    return largest;
  }

  #writeIndexes(endOffset: number): void {
    this.#offsetIndex.writeOut(endOffset);
    this.#timeIndex.writeOut(endOffset);
  }

  #cutFile(position: number): void {
    this.file.truncate(position);
    this.file.seek(position);
    this.#reserved = position;
    this.#settled = position;
  }

  #trim(): void {
    this.#offsetIndex.trim();
    this.#timeIndex.trim();
    if (this.file.size > this.#settled) this.file.truncate(this.#settled);
  }

  #measure(): number {
    const stat = this.#options.disk.stat(this.path(LOG_SUFFIX));
    this.#settled = stat?.size ?? 0;
    return this.#settled;
  }
}

/** Starts all, answers once, with the first error if any failed. */
export function allDone(steps: readonly ((next: Completion) => void)[], done: Completion): void {
  let left = steps.length;
  let failure: DiskError | undefined;
  if (left === 0) {
    done();
    return;
  }
  for (const step of steps) {
    step((error) => {
      failure ??= error;
      left -= 1;
      if (left === 0) done(failure);
    });
  }
}

export function asDiskError(error: unknown): DiskError {
  if (error instanceof DiskError) return error;
  throw error;
}
