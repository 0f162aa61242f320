import type { Timer } from '../../runtime/clock.ts';
import type { Completion, DiskError } from '../../runtime/disk.ts';
import { below } from '../../runtime/random.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { TurnEnd } from '../../runtime/turn-end.ts';
import type { BatchHeader } from '../records/batch.ts';
import { CheckpointWriter } from './checkpoint-file.ts';
import type { TopicPartition } from './file-names.ts';
import { LeaderEpochCache, leaderEpochWriter, readLeaderEpochs } from './leader-epoch-cache.ts';
import { type LogConfig, segmentMsOf } from './log-config.ts';
import type { LogTail } from './log-tail.ts';
import { encodePartitionMetadata, PARTITION_METADATA_FILE, readPartitionMetadata } from './partition-metadata.ts';
import { replayProducers, runAtOnce } from './producer-replay.ts';
import { ProducerSnapshots } from './producer-snapshots.ts';
import { ProducerState } from './producer-state.ts';
import type { RecentBatches } from './recent-batches.ts';
import { Segment } from './segment.ts';
import { SegmentList } from './segment-list.ts';
import { Verifications } from './verifications.ts';

export type LogRuntime = Pick<Runtime, 'clock' | 'disk' | 'log' | 'random'>;

/** What a log asks of its log directory. */
export interface LogHost {
  /** The disk failed under this log: the whole log directory goes offline. */
  failed(error: DiskError): void;
  /** Makes durable how far the log is flushed and compacted: before anything is appended behind a truncation, say. */
  checkpointRecoveryPoint(done: Completion): void;
  /** Makes durable how far the log is compacted. */
  checkpointCleanerOffset(done: Completion): void;
}

export interface LogParts {
  readonly runtime: LogRuntime;
  readonly host: LogHost;
  readonly topicPartition: TopicPartition;
  readonly directory: string;
  readonly config: LogConfig;
  readonly recentBatches: RecentBatches;
  /** Appends of one turn of the loop are written together. */
  readonly turnEnd: TurnEnd;
  readonly producerIdExpirationMs: () => number;
}

/** What one partition's log consists of; the functions beside it work on it. */
export class LogState {
  readonly runtime: LogRuntime;
  readonly host: LogHost;
  readonly topicPartition: TopicPartition;
  readonly tail: LogTail;
  readonly turnEnd: TurnEnd;
  readonly snapshots: ProducerSnapshots;
  readonly verifications: Verifications;
  readonly #producerIdExpirationMs: () => number;
  segments: SegmentList;
  directory: string;
  config: LogConfig;
  logStartOffset: number;
  /** Behind the last record that has its offset; it may still be on its way to the file. */
  nextOffset: number;
  highWatermark: number;
  /** Everything below is on stable storage. */
  recoveryPoint: number;
  /** What stands below was compacted; undefined before the first time (`cleaner-offset-checkpoint`). */
  firstDirtyOffset: number | undefined;
  lastFlushMs: number;
  /** The disk failed: nothing is appended any more. */
  failure: DiskError | undefined;
  /** How often names were added to the directory or removed from it, and how many of these changes are on stable storage. */
  nameChanges = 0;
  durableNameChanges = 0;
  /** Closed since they were last flushed: their indexes got a last entry and their length, whatever the recovery point says. */
  readonly closedUnflushed = new Set<Segment>();
  /** How often the end went back: a flush that began before says nothing about what came after. */
  truncations = 0;
  /** Changed since it was loaded. */
  touched = false;
  /** Files marked `.deleted` that wait for their end; the next start removes what a stop left. */
  removals: Set<Timer> | undefined;
  /** Closed or deleted: what is still under way no longer matters. */
  closed = false;
  #logEndOffset: number;
  #producers: ProducerState | undefined;
  #epochs: LeaderEpochCache | undefined;
  // Thousands of partitions write neither of these two files.
  #epochWriter: CheckpointWriter | undefined;
  #metadataWriter: CheckpointWriter | undefined;
  #hasEpochFile: boolean;
  /** The epochs' file may say something else from this offset on. */
  #epochsOwedFrom = Infinity;
  #topicId: string | undefined;
  #topicIdRead = false;

  constructor(
    parts: LogParts,
    loaded: {
      readonly segments: readonly Segment[];
      readonly snapshotOffsets: readonly number[];
      readonly logStartOffset: number;
      readonly logEndOffset: number;
      readonly recoveryPoint: number;
      readonly hasEpochFile: boolean;
    },
  ) {
    const { runtime, directory } = parts;
    this.runtime = runtime;
    this.host = parts.host;
    this.topicPartition = parts.topicPartition;
    this.directory = directory;
    this.config = parts.config;
    this.#producerIdExpirationMs = parts.producerIdExpirationMs;
    this.tail = parts.recentBatches.newTail();
    this.turnEnd = parts.turnEnd;
    this.verifications = new Verifications(runtime.clock);
    this.segments = new SegmentList(loaded.segments);
    const where = (): string => this.directory;
    this.snapshots = new ProducerSnapshots(runtime.disk, runtime.log, where, loaded.snapshotOffsets);
    this.logStartOffset = loaded.logStartOffset;
    this.#logEndOffset = loaded.logEndOffset;
    this.#hasEpochFile = loaded.hasEpochFile;
    this.nextOffset = loaded.logEndOffset;
    this.highWatermark = loaded.logStartOffset;
    this.recoveryPoint = loaded.recoveryPoint;
    this.lastFlushMs = runtime.clock.monotonicMs();
  }

  get name(): string {
    return `${this.topicPartition.topic}-${this.topicPartition.partition}`;
  }

  get epochWriter(): CheckpointWriter {
    this.#epochWriter ??= leaderEpochWriter(
      this.runtime.disk,
      () => this.directory,
      () => this.epochs.entries,
    );
    return this.#epochWriter;
  }

  get metadataWriter(): CheckpointWriter {
    this.#metadataWriter ??= new CheckpointWriter(
      this.runtime.disk,
      () => `${this.directory}/${PARTITION_METADATA_FILE}`,
      () => encodePartitionMetadata(this.#topicId ?? ''),
    );
    return this.#metadataWriter;
  }

  /** Behind the last record that is in the file. */
  get logEndOffset(): number {
    return this.#logEndOffset;
  }

  set logEndOffset(offset: number) {
    this.#logEndOffset = offset;
    if (this.#epochsOwedFrom < offset) this.#writeEpochs();
  }

  /** Read from the newest snapshot when first asked for. @throws DiskError */
  get producers(): ProducerState {
    if (this.#producers === undefined) {
      const state = new ProducerState();
      runAtOnce(this.loadProducers(state));
      this.#producers = state;
    }
    return this.#producers;
  }

  /** Read when first asked for, within what the log holds. @throws DiskError, CorruptionError */
  get epochs(): LeaderEpochCache {
    if (this.#epochs === undefined) {
      // Without a record nothing in the file is of this log any more. Thousands of empty partitions are led at every start.
      const isRead = this.logEndOffset > 0 && this.#hasEpochFile;
      const entries = isRead ? readLeaderEpochs(this.runtime.disk, this.directory) : [];
      if (this.#hasEpochFile && !isRead) this.#epochsOwedFrom = 0;
      this.#epochs = new LeaderEpochCache(entries, (from) => this.#epochsChanged(from));
      this.#epochs.truncateFromEnd(this.logEndOffset);
      this.#epochs.truncateFromStart(this.logStartOffset);
    }
    return this.#epochs;
  }

  /** Of `partition.metadata`; undefined before one was assigned. @throws DiskError, CorruptionError */
  get topicId(): string | undefined {
    if (!this.#topicIdRead) this.#topicId = readPartitionMetadata(this.runtime.disk, this.directory);
    this.#topicIdRead = true;
    return this.#topicId;
  }

  assignTopicId(topicId: string): void {
    if (this.topicId === topicId) return;
    this.#topicId = topicId;
    this.metadataWriter.write((error) => {
      if (error !== undefined) this.fail(error);
    });
  }

  get producerIdExpirationMs(): number {
    return this.#producerIdExpirationMs();
  }

  get producersLoaded(): boolean {
    return this.#producers !== undefined;
  }

  set producers(state: ProducerState) {
    this.#producers = state;
  }

  /** The newest snapshot, then what stands behind it in the log. */
  *loadProducers(state: ProducerState): Generator<void, void> {
    const snapshot = this.snapshots.newest(this.logStartOffset, this.logEndOffset);
    state.load(snapshot?.entries ?? [], this.runtime.clock.wallMs(), this.producerIdExpirationMs);
    const from = Math.max(snapshot?.offset ?? 0, this.logStartOffset);
    if (from < this.logEndOffset) yield* replayProducers(state, this.segments, from, this.logEndOffset);
    // Whose marker every replica has is decided, however late its producer is looked at.
    state.onHighWatermark(this.highWatermark);
  }

  /** The leader of a batch, as recovery and replication learn it. Formats before v2 say nothing, and void what was known. */
  learnEpoch({ partitionLeaderEpoch, baseOffset, magic }: BatchHeader): void {
    if (partitionLeaderEpoch >= 0) this.epochs.assign(partitionLeaderEpoch, baseOffset);
    else if (magic < 2 && this.epochs.entries.length > 0) this.epochs.clear();
  }

  plannedSegment(baseOffset: number): Segment {
    return Segment.planned(this.segmentOptions(baseOffset));
  }

  segmentOptions(baseOffset: number): ConstructorParameters<typeof Segment>[0] {
    const { runtime, config } = this;
    const jitterMs = Math.min(config.segmentJitterMs, segmentMsOf(config), 0xffff_ffff);
    return {
      disk: runtime.disk,
      log: runtime.log,
      directory: () => this.directory,
      baseOffset,
      createdMs: runtime.clock.wallMs(),
      rollJitterMs: jitterMs === 0 ? 0 : below(runtime.random, jitterMs),
      indexBytes: config.segmentIndexBytes,
      indexIntervalBytes: config.indexIntervalBytes,
      ...(config.preallocate ? { preallocateBytes: config.segmentBytes } : {}),
    };
  }

  fail(error: DiskError): void {
    if (this.failure !== undefined || this.closed) return;
    this.failure = error;
    this.runtime.log.error('The log is offline: its disk failed', { partition: this.name, error });
    this.host.failed(error);
  }

  /** What lies at or above the end of the log is dropped when it is loaded: the file owes it only once there is a record. */
  #epochsChanged(from: number): void {
    this.#epochsOwedFrom = Math.min(this.#epochsOwedFrom, from);
    if (!this.#hasEpochFile || this.#epochsOwedFrom < this.#logEndOffset) this.#writeEpochs();
  }

  #writeEpochs(): void {
    this.#hasEpochFile = true;
    this.#epochsOwedFrom = Infinity;
    this.epochWriter.write((error) => {
      if (error !== undefined) this.fail(error);
    });
  }
}
