import { slicesOf } from '../../base/slices.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Completion, DirectoryEntry, Disk, DiskError } from '../../runtime/disk.ts';
import { BatchWalk } from './batch-walk.ts';
import { LEADER_EPOCH_FILE } from './checkpoint-file.ts';
import {
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  parseSegmentFileName,
  type SegmentFileKind,
  type SegmentFileName,
  SNAPSHOT_SUFFIX,
  segmentFileName,
  TIME_INDEX_SUFFIX,
} from './file-names.ts';
import { PartitionLog } from './log.ts';
import { type LogParts, LogState } from './log-state.ts';
import { learnFrom } from './producer-replay.ts';
import { encodeProducerSnapshot } from './producer-snapshot.ts';
import { ProducerState } from './producer-state.ts';
import { Segment } from './segment.ts';
import { runSliced } from './sliced.ts';

/** What the checkpoints of the log directory say about one partition. */
export interface LoadFrom {
  readonly hadCleanShutdown: boolean;
  readonly recoveryPoint: number;
  readonly logStartOffset: number;
  /** Segments from here on were never compacted, so that each begins where the one before ends. Undefined: none ever was. */
  readonly firstDirtyOffset: number | undefined;
}

/**
 * Opens the log in a directory, new or not. After a clean stop that costs one listing of the directory; otherwise every segment
 * from the recovery point on is read, and the log ends before the first batch that is torn, corrupt or missing.
 * @throws DiskError, CorruptionError
 */
export async function loadLog(parts: LogParts, from: LoadFrom): Promise<PartitionLog> {
  const { disk } = parts.runtime;
  const names = fileNames(disk, parts.directory);
  const found = names.map((name) => parseSegmentFileName(name)).filter((file) => file !== undefined);
  const files = finishReplacements(disk, parts.directory, found);
  removeOrphans(disk, parts.directory, files);
  const state = new LogState(parts, {
    segments: [],
    snapshotOffsets: of(files, SNAPSHOT_SUFFIX),
    logStartOffset: 0,
    logEndOffset: 0,
    recoveryPoint: 0,
    hasEpochFile: names.includes(LEADER_EPOCH_FILE),
  });
  for (const baseOffset of of(files, LOG_SUFFIX)) state.segments.add(new Segment(state.segmentOptions(baseOffset)));
  await new Loader(state, from, files).load();
  return new PartitionLog(state);
}

class Loader {
  readonly #log: LogState;
  readonly #from: LoadFrom;
  readonly #files: readonly SegmentFileName[];

  constructor(log: LogState, from: LoadFrom, files: readonly SegmentFileName[]) {
    this.#log = log;
    this.#from = from;
    this.#files = files;
  }

  async load(): Promise<void> {
    const log = this.#log;
    const { hadCleanShutdown, logStartOffset, recoveryPoint } = this.#from;
    log.firstDirtyOffset = this.#from.firstDirtyOffset;
    log.logStartOffset = Math.max(logStartOffset, log.segments.all[0]?.baseOffset ?? 0);
    if (log.segments.all.length === 0) this.#beginAt(logStartOffset);
    else if (hadCleanShutdown) await this.#loadClean();
    else await this.#recover();
    if (log.logEndOffset < log.logStartOffset) {
      log.runtime.log.warn('The log ends below its start offset: starting anew', { partition: log.name });
      for (const segment of [...log.segments.all]) segment.remove();
      log.segments.remove([...log.segments.all]);
      this.#beginAt(log.logStartOffset);
    }
    log.nextOffset = log.logEndOffset;
    log.highWatermark = log.logStartOffset;
    log.recoveryPoint = hadCleanShutdown ? log.logEndOffset : Math.min(recoveryPoint, log.logEndOffset);
    // What is written next behind a lost end must not count as compacted.
    if ((log.firstDirtyOffset ?? 0) > log.logEndOffset) log.firstDirtyOffset = log.logStartOffset;
    this.#removeStraySnapshots();
  }

  /** Without any segment: the first one. */
  #beginAt(offset: number): void {
    const log = this.#log;
    const segment = log.plannedSegment(offset);
    segment.create();
    log.segments.add(segment);
    log.logStartOffset = offset;
    log.logEndOffset = offset;
    log.nameChanges += 1;
    log.touched = true;
    log.snapshots.removeWhere(() => true);
    log.producers = new ProducerState();
  }

  async #loadClean(): Promise<void> {
    const log = this.#log;
    const { active } = log.segments;
    await this.#rebuildMissingIndexes();
    // A clean stop writes the end offset twice, as recovery point and as the name of a snapshot: both together are believed.
    const { recoveryPoint } = this.#from;
    const isWitnessed = log.snapshots.offsets.includes(recoveryPoint) && recoveryPoint >= active.baseOffset;
    log.logEndOffset = isWitnessed ? recoveryPoint : active.readNextOffset();
    if (isWitnessed) return;
    if (log.snapshots.offsets.length === 0) {
      // Upgraded from before 0.11: no producer has written yet, so nothing needs to be learned (UnifiedLog.rebuildProducerState).
      // What is empty learns it from nothing when it is first asked.
      if (log.logEndOffset > log.logStartOffset) log.producers = new ProducerState();
      return;
    }
    const producers = new ProducerState();
    await sliced(log.runtime.clock, log.loadProducers(producers));
    log.producers = producers;
    for (const segment of log.segments.all) segment.close();
  }

  /** An index that was deleted (operators do) is made again. */
  async #rebuildMissingIndexes(): Promise<void> {
    const log = this.#log;
    const offsetIndexes = new Set(of(this.#files, OFFSET_INDEX_SUFFIX));
    const timeIndexes = new Set(of(this.#files, TIME_INDEX_SUFFIX));
    for (const segment of log.segments.all) {
      if (offsetIndexes.has(segment.baseOffset) && timeIndexes.has(segment.baseOffset)) continue;
      log.runtime.log.error('Could not find an index file, rebuilding it', { path: segment.path(OFFSET_INDEX_SUFFIX) });
      await this.#rebuildIndexes(segment);
    }
  }

  /** The aborted transactions of a segment are known by its index alone. */
  async #rebuildIndexes(segment: Segment): Promise<void> {
    const log = this.#log;
    const aborted = [...segment.transactionIndex.entries];
    const validBytes = await sliced(
      log.runtime.clock,
      segment.recover(() => undefined),
    );
    segment.endRecovery(validBytes);
    for (const transaction of aborted) segment.transactionIndex.append(transaction);
    log.closedUnflushed.add(segment);
    log.touched = true;
    segment.close();
  }

  async #recover(): Promise<void> {
    const log = this.#log;
    const { clock } = log.runtime;
    const unflushed = log.segments.between(this.#from.recoveryPoint, Infinity);
    await this.#completeClosed(unflushed[0]!);
    const producers = new ProducerState();
    log.logEndOffset = unflushed[0]!.baseOffset;
    await sliced(clock, log.loadProducers(producers));
    for (const segment of unflushed) {
      if (!this.#continues(segment)) {
        await this.#removeFrom(segment, 'the segment before it lost its end');
        break;
      }
      if (segment !== log.segments.first) {
        log.snapshots.write(segment.baseOffset, encodeProducerSnapshot(producers.entries()));
      }
      if (segment.settledSize === 0) {
        segment.emptyIndexes();
        log.logEndOffset = segment.baseOffset;
        continue;
      }
      log.runtime.log.info('Recovering unflushed segment', { partition: log.name, offset: segment.baseOffset });
      if (!(await this.#recoverSegment(segment, producers))) break;
      await pause(clock);
    }
    log.producers = producers;
    // Names that the process before gave may not be durable, and a recovery point would vouch for them.
    log.nameChanges += 1;
    // A stop has nothing to do for a log without a record.
    log.touched = log.segments.size > 0;
    // The batch that holds the start may begin before it.
    if (log.touched) log.epochs.truncateFromStart(log.logStartOffset);
    for (const segment of log.segments.all) segment.close();
  }

  /** Its records were on stable storage, and then it was closed: what that did to its indexes may not have been. */
  async #completeClosed(first: Segment): Promise<void> {
    const { segments, closedUnflushed } = this.#log;
    const before = segments.all[segments.all.indexOf(first) - 1];
    if (before === undefined || first.baseOffset !== this.#from.recoveryPoint) return;
    if (before.completeIndexes()) closedUnflushed.add(before);
    else await this.#rebuildIndexes(before);
  }

  /** Whether a segment begins where the log ends so far: a power failure may keep it and lose what comes before. */
  #continues(segment: Segment): boolean {
    const { logEndOffset, segments } = this.#log;
    const isFirst = segment.baseOffset <= logEndOffset;
    const before = segments.all[segments.all.indexOf(segment) - 1];
    return isFirst || before === undefined || before.baseOffset < (this.#from.firstDirtyOffset ?? 0);
  }

  /** False when the log ends in this segment. */
  async #recoverSegment(segment: Segment, producers: ProducerState): Promise<boolean> {
    const log = this.#log;
    const size = segment.settledSize;
    let endOffset = segment.baseOffset;
    const steps = segment.recover((header, bytes) => {
      endOffset = header.lastOffset + 1;
      log.learnEpoch(header);
      const completed = learnFrom(producers, header, () => slicesOf(bytes));
      if (completed?.aborted === true) segment.transactionIndex.append(completed);
    });
    const validBytes = await sliced(log.runtime.clock, steps);
    log.logEndOffset = endOffset;
    const isWhole = validBytes === size;
    if (!isWhole) {
      const bytes = size - validBytes;
      log.runtime.log.warn('Corruption found in segment, truncating', { partition: log.name, endOffset, bytes });
      const later = log.segments.after(segment);
      if (later !== undefined) await this.#removeFrom(later, 'an earlier segment is corrupt');
    }
    segment.endRecovery(validBytes);
    await sliced(log.runtime.clock, segment.rewriteFrom(this.#from.recoveryPoint));
    // What was cut off must not come back under what is appended next.
    if (!isWhole) await completed((done) => segment.flush(endOffset, done));
    segment.close();
    return isWhole;
  }

  /** Durably, before what is left may look complete. */
  async #removeFrom(first: Segment, reason: string): Promise<void> {
    const log = this.#log;
    const gone = log.segments.all.filter((segment) => segment.baseOffset >= first.baseOffset);
    const offsets = gone.map((segment) => segment.baseOffset);
    log.runtime.log.warn('Removing segments that the log does not reach', { partition: log.name, offsets, reason });
    log.segments.remove(gone);
    for (const segment of gone) segment.remove();
    await completed((done) => log.runtime.disk.syncDirectory(log.directory, done));
  }

  /** One a segment stays, and the newest; what lies above the end was written before the end was lost. */
  #removeStraySnapshots(): void {
    const { snapshots, segments, logEndOffset } = this.#log;
    snapshots.removeWhere((offset) => offset > logEndOffset);
    const bases = new Set(segments.all.map((segment) => segment.baseOffset));
    const newest = snapshots.offsets.at(-1);
    snapshots.removeWhere((offset) => offset !== newest && !bases.has(offset));
  }
}

function fileNames(disk: Disk, directory: string): string[] {
  const entries = disk.list(directory).filter((entry: DirectoryEntry) => entry.kind === 'file');
  return entries.map(({ name }) => name);
}

/** Base offsets of the files of a kind, ascending. */
function of(files: readonly SegmentFileName[], kind: SegmentFileKind): number[] {
  const offsets = files.filter((file) => file.kind === kind).map((file) => file.baseOffset);
  return offsets.sort((a, b) => a - b);
}

/**
 * Ends what a compaction left half done: `.deleted` and `.cleaned` go, and with them every `.swap` from the smallest `.cleaned` on
 * (KAFKA-6264); the other `.swap` segments take the place of those they were made from. The answer is the files that stand then.
 */
function finishReplacements(
  disk: Disk,
  directory: string,
  files: readonly SegmentFileName[],
): readonly SegmentFileName[] {
  if (files.every(({ fate }) => fate === '')) return files;
  const path = ({ baseOffset, kind, fate }: SegmentFileName): string =>
    `${directory}/${segmentFileName(baseOffset, kind)}${fate}`;
  const firstCleaned = Math.min(...files.filter(({ fate }) => fate === '.cleaned').map(({ baseOffset }) => baseOffset));
  const isGone = ({ fate, baseOffset }: SegmentFileName): boolean =>
    fate === '.deleted' || fate === '.cleaned' || (fate === '.swap' && baseOffset >= firstCleaned);
  for (const file of files) if (isGone(file)) disk.remove(path(file));
  const left = files.filter((file) => !isGone(file));
  const swaps = left.filter(({ fate }) => fate === '.swap');
  if (swaps.length === 0) return left;
  let start = Infinity;
  let end = -1;
  for (const swap of swaps.filter(({ kind }) => kind === LOG_SUFFIX)) {
    start = Math.min(start, swap.baseOffset);
    end = Math.max(end, nextOffsetIn(disk, path(swap), swap.baseOffset));
  }
  // Where nothing is left of a segment its replacement is empty, and still takes its place.
  const bases = new Set(of(swaps, LOG_SUFFIX));
  const isReplaced = ({ fate, kind, baseOffset }: SegmentFileName): boolean =>
    fate === '' && kind !== SNAPSHOT_SUFFIX && ((baseOffset >= start && baseOffset < end) || bases.has(baseOffset));
  for (const file of left) if (isReplaced(file)) disk.remove(path(file));
  for (const swap of swaps) disk.rename(path(swap), path({ ...swap, fate: '' }));
  const kept = left.filter((file) => file.fate === '' && !isReplaced(file));
  return [...kept, ...swaps.map((swap) => ({ ...swap, fate: '' as const }))];
}

function nextOffsetIn(disk: Disk, path: string, baseOffset: number): number {
  const file = disk.open(path, { readOnly: true });
  const walk = new BatchWalk(file, 0, file.size);
  let next = baseOffset;
  for (let header = walk.next(); header !== undefined; header = walk.next()) next = header.lastOffset + 1;
  file.close();
  return next;
}

/** An index without its log. */
function removeOrphans(disk: Disk, directory: string, files: readonly SegmentFileName[]): void {
  const logs = new Set(of(files, LOG_SUFFIX));
  for (const { kind, baseOffset } of files) {
    if (kind === SNAPSHOT_SUFFIX || logs.has(baseOffset)) continue;
    disk.remove(`${directory}/${segmentFileName(baseOffset, kind)}`);
  }
}

export function sliced<T>(clock: Clock, steps: Generator<void, T>): Promise<T> {
  return new Promise((resolve, reject) => {
    runSliced(clock, steps, (error, result) =>
      error === undefined ? resolve(result as T) : reject(error as DiskError),
    );
  });
}

/** Lets everybody else have a turn. */
export function pause(clock: Clock): Promise<void> {
  return new Promise((resume) => clock.soon(resume));
}

export function completed(start: (done: Completion) => void): Promise<void> {
  return new Promise((resolve, reject) => start((error) => (error === undefined ? resolve() : reject(error))));
}
