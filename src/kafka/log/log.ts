import { present } from '../../base/assert.ts';
import type { Slices } from '../../base/slices.ts';
import { type Completion, CorruptionError, DiskError } from '../../runtime/disk.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { abortedBetween, abortedTransactions, type ReadRange } from './aborted-transactions.ts';
import {
  type AppendDone,
  type AppendInfo,
  type AppendRequest,
  type NumberedRecords,
  type StagedAppend,
  stage,
  type TransactionRules,
} from './append.ts';
import { AppendQueue } from './append-queue.ts';
import { directoryNameOf, type TopicPartition } from './file-names.ts';
import { flush } from './flush.ts';
import type { EpochEndOffset, EpochEntry, LeaderEpochCache } from './leader-epoch-cache.ts';
import type { LogConfig } from './log-config.ts';
import { doomedNow, moveStart, removeDoomed } from './log-start.ts';
import type { LogState } from './log-state.ts';
import { encodeProducerSnapshot } from './producer-snapshot.ts';
import type { AppendOrigin, ProducerState } from './producer-state.ts';
import { type LogRead, type ReadOptions, read } from './read.ts';
import { replaceSegments } from './replace-segments.ts';
import { roll } from './roll.ts';
import { allDone, Segment } from './segment.ts';
import { runSliced } from './sliced.ts';
import { findByTimestamp, findMaxTimestamp, type TimestampedOffset } from './timestamp-lookup.ts';
import type { AbortedTransaction } from './transaction-index.ts';
import { truncateFullyAndStartAt, truncateTo } from './truncate.ts';
import type { VerificationGuard, VerificationStart } from './verifications.ts';

/** Special timestamps of ListOffsets. */
export const EARLIEST_TIMESTAMP = -2;
export const LATEST_TIMESTAMP = -1;
export const MAX_TIMESTAMP = -3;
export const EARLIEST_LOCAL_TIMESTAMP = -4;

const noRules: TransactionRules = {};

export type OffsetLookupDone = (error: KafkaError | undefined, found: TimestampedOffset | undefined) => void;

/**
 * The log of one partition: segments on disk, the newest batches in memory, what is known of producers and leader epochs.
 *
 * An append gets its offsets at once, `done` follows when it is in the file; readers see it from then on (`logEndOffset`). After a
 * disk failure the log is offline for good: appends answer KAFKA_STORAGE_ERROR, what was appended before can still be read.
 */
export class PartitionLog {
  readonly #log: LogState;
  readonly #queue: AppendQueue<StagedAppend>;

  constructor(state: LogState) {
    this.#log = state;
    this.#queue = new AppendQueue(
      state.turnEnd,
      () => state.failure ?? (state.closed ? closedFile(state) : undefined),
      (group, error, next) => this.#settle(group, error, next),
    );
  }

  get topicPartition(): TopicPartition {
    return this.#log.topicPartition;
  }

  get directory(): string {
    return this.#log.directory;
  }

  get config(): LogConfig {
    return this.#log.config;
  }

  set config(config: LogConfig) {
    this.#log.config = config;
  }

  get topicId(): string | undefined {
    return this.#log.topicId;
  }

  get logStartOffset(): number {
    return this.#log.logStartOffset;
  }

  /** Behind the last record that is in the file, and so the end for readers and followers. */
  get logEndOffset(): number {
    return this.#log.logEndOffset;
  }

  /** The offset that the next append begins with: its records are numbered from here. */
  get nextOffset(): number {
    return this.#log.nextOffset;
  }

  get highWatermark(): number {
    return this.#log.highWatermark;
  }

  get recoveryPoint(): number {
    return this.#log.recoveryPoint;
  }

  /** First offset that READ_COMMITTED must not see yet. */
  get lastStableOffset(): number {
    const { highWatermark, logStartOffset } = this.#log;
    const unstable = this.producers.firstUnstableOffset;
    return unstable === undefined ? highWatermark : Math.min(highWatermark, Math.max(unstable, logStartOffset));
  }

  /** What stands below was compacted; undefined before the first time. */
  get firstDirtyOffset(): number | undefined {
    return this.#log.firstDirtyOffset;
  }

  /** How often the end of the log went back. */
  get truncations(): number {
    return this.#log.truncations;
  }

  get latestEpoch(): number {
    return this.#epochs.latestEpoch;
  }

  get epochEntries(): readonly EpochEntry[] {
    return this.#epochs.entries;
  }

  /** @throws KafkaError KAFKA_STORAGE_ERROR: a quiet log reads what is known of producers when it is first asked */
  get producers(): ProducerState {
    try {
      return this.#log.producers;
    } catch (error) {
      throw this.#errorOf(error);
    }
  }

  get #epochs(): LeaderEpochCache {
    try {
      return this.#log.epochs;
    } catch (error) {
      throw this.#errorOf(error);
    }
  }

  get segments(): readonly Segment[] {
    return this.#log.segments.all;
  }

  get sizeInBytes(): number {
    return this.#log.segments.size;
  }

  get isOffline(): boolean {
    return this.#log.failure !== undefined;
  }

  /** Closed, or deleted with its topic: its files are nobody's, or another's. */
  get isClosed(): boolean {
    return this.#log.closed;
  }

  /** Nothing is being written, and nothing waits. */
  get isIdle(): boolean {
    return this.#queue.isIdle;
  }

  /**
   * Appends what the leader has numbered from `nextOffset` on. The answer is the offsets, at once; undefined when the append is
   * refused, as `done` then says. A repeated batch is a success with the offsets of the first time.
   */
  appendAsLeader(
    records: NumberedRecords,
    origin: AppendOrigin,
    done: AppendDone,
    rules: TransactionRules = noRules,
  ): AppendInfo | undefined {
    return this.#append({ kind: 'lead', records, origin, rules, done });
  }

  /**
   * Somebody is about to ask the coordinator whether a transaction may write here: the guard that its first batch has to show.
   * Undefined where the transaction has written already. @throws KafkaError KAFKA_STORAGE_ERROR
   */
  startVerification(start: VerificationStart): VerificationGuard | undefined {
    try {
      const { producers, verifications } = this.#log;
      return producers.isOngoing(start.producerId, start.producerEpoch) ? undefined : verifications.start(start);
    } catch (error) {
      throw this.#errorOf(error);
    }
  }

  /** Appends what a leader sent, byte for byte. Answers undefined too when there was no whole batch. */
  appendAsFollower(records: Slices, done: AppendDone): AppendInfo | undefined {
    return this.#append({ kind: 'follow', records, done });
  }

  /** @throws KafkaError OFFSET_OUT_OF_RANGE, CORRUPT_MESSAGE, KAFKA_STORAGE_ERROR */
  read(offset: number, options: ReadOptions): LogRead {
    return read(this.#log, offset, options);
  }

  /** What a READ_COMMITTED reader has to leave out of what it was given. */
  abortedTransactions(range: ReadRange): AbortedTransaction[] {
    return abortedTransactions(this.#log, range);
  }

  /** Aborted transactions of which a reader of [startOffset, endOffset) must know. */
  abortedBetween(startOffset: number, endOffset: number): AbortedTransaction[] {
    return abortedBetween(this.#log, startOffset, endOffset);
  }

  /** Clipped to what the log holds. The answer is the new value. */
  updateHighWatermark(offset: number): number {
    const log = this.#log;
    log.highWatermark = Math.min(Math.max(offset, log.logStartOffset), log.logEndOffset);
    if (log.producersLoaded) log.producers.onHighWatermark(log.highWatermark);
    return log.highWatermark;
  }

  /** We lead from here on: the epoch starts where the log ends. */
  assignEpoch(epoch: number, startOffset: number): void {
    this.#epochs.assign(epoch, startOffset);
  }

  endOffsetForEpoch(epoch: number): EpochEndOffset {
    return this.#epochs.endOffsetFor(epoch, this.#log.logEndOffset);
  }

  epochOf(offset: number): number {
    return this.#epochs.epochOf(offset);
  }

  /**
   * ListOffsets: a timestamp, or -1 the end, -2 and -4 the start, -3 the record with the largest timestamp. Undefined when no
   * record is that new.
   */
  offsetForTimestamp(timestamp: number, done: OffsetLookupDone): void {
    const { logStartOffset, logEndOffset, runtime } = this.#log;
    const epochs = this.#epochs;
    if (timestamp === LATEST_TIMESTAMP) {
      done(undefined, { timestamp: -1, offset: logEndOffset, leaderEpoch: epochs.latestEpoch });
      return;
    }
    if (timestamp === EARLIEST_TIMESTAMP || timestamp === EARLIEST_LOCAL_TIMESTAMP) {
      done(undefined, { timestamp: -1, offset: logStartOffset, leaderEpoch: epochs.epochOf(logStartOffset) });
      return;
    }
    const search = timestamp === MAX_TIMESTAMP ? findMaxTimestamp(this.#log) : findByTimestamp(this.#log, timestamp);
    runSliced(runtime.clock, search, (error, found) => {
      if (error === undefined) done(undefined, found);
      else done(this.#errorOf(error), undefined);
    });
  }

  /**
   * DeleteRecords, and what a follower learns of its leader: nothing below this offset is read any more.
   * @throws KafkaError OFFSET_OUT_OF_RANGE above the high watermark
   */
  deleteRecords(offset: number): void {
    const log = this.#log;
    if (offset > log.highWatermark) {
      throw new KafkaError(
        ErrorCode.OFFSET_OUT_OF_RANGE,
        `Cannot increment the log start offset to ${offset} of partition ${log.name} since it is larger than the high watermark ${log.highWatermark}`,
      );
    }
    if (offset > log.logStartOffset) moveStart(this.#log, offset);
  }

  /** Retention: removes what may go. The answer is how many segments went. */
  deleteOldSegments(done: (error: KafkaError | undefined, count: number) => void): void {
    // Where all may go the log first gets a new segment: its name is where the log's end offset survives a restart.
    this.#whenDrained(
      (next) => {
        if (doomedNow(this.#log).length === this.#log.segments.all.length) roll(this.#log, this.#queue);
        next();
      },
      () => {
        let count = 0;
        this.#whenDrained(
          (next) => {
            count = removeDoomed(this.#log);
            next();
          },
          (error) => done(error, count),
        );
      },
    );
  }

  /** For what compaction makes of the segments from this one on: without files yet, and no part of the log. */
  newCleanedSegment(baseOffset: number): Segment {
    const { preallocateBytes: _, ...options } = this.#log.segmentOptions(baseOffset);
    return Segment.planned({ ...options, suffix: '.cleaned' });
  }

  /**
   * Before segments are replaced everything below `offset`, where a segment begins, is on stable storage and the recovery point
   * says so: a crash then never looks for records that compaction removed.
   */
  flushBefore(offset: number, done: Completion): void {
    const checkpoint: Completion = (error) =>
      error === undefined ? this.#log.host.checkpointRecoveryPoint(done) : done(error);
    if (this.#log.recoveryPoint >= offset) checkpoint();
    else flush(this.#log, checkpoint);
  }

  /**
   * Puts a compacted segment in the place of those that it was made from, unless the log changed meanwhile: then `done` gets false
   * and nothing has happened.
   */
  replaceSegments(
    old: readonly Segment[],
    cleaned: Segment,
    done: (error: KafkaError | undefined, replaced: boolean) => void,
  ): void {
    let replaced = false;
    this.#whenDrained(
      (next) => {
        const { segments } = this.#log;
        replaced = old.every((segment) => segments.all.includes(segment) && segment !== segments.active);
        if (replaced) replaceSegments(this.#log, old, cleaned);
        next();
      },
      (error) => {
        if (error !== undefined || !replaced) return done(error, false);
        // Appends need not wait for it.
        this.#log.runtime.disk.syncDirectory(this.#log.directory, (failure) => {
          if (failure !== undefined) this.#log.fail(failure);
          done(this.#storageError(), true);
        });
      },
    );
  }

  /** Everything below `offset` was compacted: durably noted. */
  markCleaned(offset: number, done: Completion): void {
    this.#log.firstDirtyOffset = offset;
    this.#log.host.checkpointCleanerOffset(done);
  }

  /** The disk failed under somebody who works on this log's files: its log directory goes offline. */
  fail(error: DiskError): void {
    this.#log.fail(error);
  }

  /** Cuts the log so that it ends at an offset, after everything under way is written. */
  truncateTo(offset: number, done: (error: KafkaError | undefined) => void): void {
    this.#whenDrained((next) => truncateTo(this.#log, offset, next), done);
  }

  truncateFullyAndStartAt(offset: number, done: (error: KafkaError | undefined) => void): void {
    this.#whenDrained((next) => truncateFullyAndStartAt(this.#log, offset, next), done);
  }

  /** Puts everything that is in the file on stable storage; raises the recovery point. */
  flush(done: Completion = () => undefined): void {
    if (this.#log.recoveryPoint >= this.#log.logEndOffset) done();
    else flush(this.#log, done);
  }

  /** `flush.ms` has passed since the last flush. */
  get isFlushDue(): boolean {
    const { config, lastFlushMs, runtime, recoveryPoint, logEndOffset } = this.#log;
    return recoveryPoint < logEndOffset && runtime.clock.monotonicMs() - lastFlushMs >= config.flushMs;
  }

  /** Begins a new segment, after everything under way is written. */
  roll(done: (error: KafkaError | undefined) => void = () => undefined): void {
    roll(this.#log, this.#queue);
    this.whenWritten(done);
  }

  /** Calls when everything that was appended so far is in the file. */
  whenWritten(done: (error: KafkaError | undefined) => void): void {
    this.#whenDrained((next) => next(), done);
  }

  /** Forgets producers that wrote nothing for `producer.id.expiration.ms`, and transactions that were verified and never wrote. */
  removeExpiredProducers(): void {
    const { producersLoaded, producerIdExpirationMs, runtime, verifications } = this.#log;
    const nowMs = runtime.clock.wallMs();
    verifications.removeExpired(nowMs, producerIdExpirationMs);
    if (producersLoaded) this.#log.producers.removeExpired(nowMs, producerIdExpirationMs);
  }

  /** Binds the directory to a topic id. */
  assignTopicId(topicId: string): void {
    this.#log.assignTopicId(topicId);
  }

  /**
   * Clean stop: everything is written, indexes have their real length, the producers their snapshot, all of it synced. A log that
   * nobody touched since a clean start is as it should be already.
   */
  close(done: (error: KafkaError | undefined) => void): void {
    const log = this.#log;
    this.#whenDrained(
      (next) => {
        if (!log.touched && log.recoveryPoint >= log.logEndOffset) {
          log.metadataWriter.whenIdle(next);
          return;
        }
        log.segments.active.becomeInactive();
        allDone([(step) => flush(log, step), (step) => this.#snapshot(step)], next);
      },
      (error) => {
        this.#forgetFiles();
        done(error);
      },
    );
  }

  /** The directory goes under another name and no longer belongs to this log; its files are the caller's to remove. */
  retire(directory: string, done: (error: KafkaError | undefined) => void): void {
    this.#whenDrained((next) => {
      this.#rename(directory, (error) => {
        if (error === undefined) this.#forgetFiles();
        next(error);
      });
    }, done);
  }

  /** The directory goes under another name, after everything under way is written, and the log goes on in it. */
  moveTo(directory: string, done: (error: KafkaError | undefined) => void): void {
    this.#whenDrained((next) => this.#rename(directory, next), done);
  }

  #rename(directory: string, done: Completion): void {
    const log = this.#log;
    const steps = [log.epochWriter, log.metadataWriter].map((writer) => (step: Completion) => writer.whenIdle(step));
    allDone(steps, (failure) => {
      if (failure !== undefined) return done(failure);
      try {
        log.runtime.disk.rename(log.directory, directory);
      } catch (error) {
        if (!(error instanceof DiskError)) throw error;
        return done(error);
      }
      log.directory = directory;
      done();
    });
  }

  /** The disk failed elsewhere in the log directory. */
  takeOffline(error: DiskError | CorruptionError): void {
    this.#log.failure ??= error instanceof DiskError ? error : unreadable(error);
  }

  /** Lets go of everything without a word to the disk: the broker ends as it is. */
  abandon(): void {
    this.#forgetFiles();
  }

  #append(request: AppendRequest): AppendInfo | undefined {
    let staged: StagedAppend | AppendInfo | undefined;
    try {
      if (this.#log.failure !== undefined) throw this.#log.failure;
      if (this.#log.closed)
        throw new KafkaError(ErrorCode.KAFKA_STORAGE_ERROR, `The log of ${this.#log.name} is closed`);
      staged = stage(this.#log, this.#queue, request);
    } catch (error) {
      const refusal = this.#errorOf(error);
      this.#queue.run((next) => {
        request.done(refusal, undefined);
        next();
      });
      return undefined;
    }
    if (staged === undefined) {
      request.done(undefined, undefined);
      return undefined;
    }
    if ('kind' in staged) {
      this.#queue.push(staged);
      return staged.info;
    }
    const info = staged;
    // The first time may still be on its way to the file: its repetition is answered after it.
    this.#queue.run((next) => {
      request.done(this.#storageError(), info);
      next();
    });
    return info;
  }

  #settle(group: readonly StagedAppend[], error: DiskError | undefined, next: () => void): void {
    const log = this.#log;
    for (const { spans } of group) for (const { slab } of spans) slab.release();
    if (error !== undefined) log.fail(error);
    if (log.closed) return this.#answer(group, next);
    if (log.failure === undefined) this.#enterIndexes(group);
    if (log.failure === undefined) {
      log.logEndOffset = present(group.at(-1), 'a group has an append').endOffset;
      if (log.logEndOffset - log.recoveryPoint >= log.config.flushMessages) {
        flush(log, () => this.#answer(group, next));
        return;
      }
    }
    this.#answer(group, next);
  }

  #enterIndexes(group: readonly StagedAppend[]): void {
    const { segment, endOffset } = present(group.at(-1), 'a group has an append');
    let settledBytes = 0;
    for (const { sizeInBytes } of group) settledBytes += sizeInBytes;
    try {
      segment.settle(settledBytes, endOffset);
      for (const { aborted } of group) {
        for (const transaction of aborted) segment.transactionIndex.append(transaction);
      }
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#log.fail(error);
    }
  }

  #answer(group: readonly StagedAppend[], next: () => void): void {
    const error = this.#storageError() ?? (this.#log.closed ? this.#closedError() : undefined);
    for (const { done, info } of group) done(error, error === undefined ? info : undefined);
    next();
  }

  #snapshot(done: Completion): void {
    const { snapshots, producers, logEndOffset } = this.#log;
    // At 0 there is nothing to know, and Apache writes none.
    if (logEndOffset === 0) {
      done();
      return;
    }
    snapshots.replace(logEndOffset, encodeProducerSnapshot(producers.entries()), done);
  }

  #forgetFiles(): void {
    this.#log.closed = true;
    for (const timer of this.#log.removals ?? []) timer.cancel();
    this.#log.tail.clear();
    for (const segment of this.#log.segments.all) segment.close();
  }

  /** Runs when nothing is under way; appends that come meanwhile wait. */
  #whenDrained(act: (next: Completion) => void, done: (error: KafkaError | undefined) => void): void {
    this.#queue.run((next) => {
      const finish: Completion = (error) => {
        if (error !== undefined) this.#log.fail(error);
        done(this.#storageError());
        next();
      };
      if (this.#log.failure !== undefined) {
        finish();
        return;
      }
      if (this.#log.closed) {
        done(this.#closedError());
        next();
        return;
      }
      try {
        act(finish);
      } catch (error) {
        if (!(error instanceof DiskError)) throw error;
        finish(error);
      }
    });
  }

  #storageError(): KafkaError | undefined {
    return this.#log.failure === undefined ? undefined : this.#errorOf(this.#log.failure);
  }

  #closedError(): KafkaError {
    return new KafkaError(ErrorCode.KAFKA_STORAGE_ERROR, `The log of ${this.#log.name} is closed`);
  }

  /** The disk's faults take the log offline; the peer's go back to it. */
  #errorOf(error: unknown): KafkaError {
    if (error instanceof KafkaError) return error;
    if (error instanceof CorruptionError) {
      return this.#errorOf(unreadable(error));
    }
    if (!(error instanceof DiskError)) throw error;
    this.#log.fail(error);
    const where = directoryNameOf(this.#log.topicPartition);
    return new KafkaError(ErrorCode.KAFKA_STORAGE_ERROR, `The log of ${where} is offline`, { cause: error });
  }
}

function unreadable(cause: CorruptionError): DiskError {
  return new DiskError('EIO', cause.path, 'read', { cause });
}

/** Nothing is written to a log that was let go of: its files may be another's by now. */
function closedFile({ directory }: LogState): DiskError {
  return new DiskError('EBADF', directory, 'append');
}
