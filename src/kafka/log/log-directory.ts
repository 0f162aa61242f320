import type { Timer } from '../../runtime/clock.ts';
import { CorruptionError, type Disk, DiskError, type DiskLock } from '../../runtime/disk.ts';
import type { TurnEnd } from '../../runtime/turn-end.ts';
import {
  CheckpointWriter,
  CLEANER_OFFSET_FILE,
  encodeOffsets,
  HIGH_WATERMARK_FILE,
  LOG_START_OFFSET_FILE,
  type OffsetEntry,
  RECOVERY_POINT_FILE,
  readOffsets,
} from './checkpoint-file.ts';
import { hasCleanShutdown, removeCleanShutdown, writeCleanShutdown } from './clean-shutdown.ts';
import { directoryNameOf, doomedDirectoryName, parseDirectoryName, type TopicPartition } from './file-names.ts';
import type { PartitionLog } from './log.ts';
import type { LogConfig } from './log-config.ts';
import type { LogHost, LogRuntime } from './log-state.ts';
import type { RecentBatches } from './recent-batches.ts';
import { completed, loadLog, pause } from './recovery.ts';

export interface LogDirectoryOptions {
  readonly runtime: LogRuntime;
  readonly path: string;
  readonly recentBatches: RecentBatches;
  readonly turnEnd: TurnEnd;
  readonly producerIdExpirationMs: number;
  readonly configOf: (topic: string) => LogConfig;
  /** The disk failed: nothing in here is written any more. */
  readonly wentOffline: (directory: LogDirectory, error: DiskError | CorruptionError) => void;
}

/** Tiered storage keeps its indexes here; it is no partition. */
const REMOTE_INDEX_DIRECTORY = 'remote-log-index-cache';
/** Loading pauses this often. */
const LOAD_SLICE_MS = 4;
/** Logs that close at the same time: each has a few syncs in flight. */
const CLOSING_AT_ONCE = 16;

/** One entry of `log.dirs`: its partitions, its checkpoints, its lock. */
export class LogDirectory {
  readonly path: string;
  readonly logs = new Map<string, PartitionLog>();
  readonly #options: LogDirectoryOptions;
  readonly #disk: Disk;
  readonly #recoveryPoints: CheckpointWriter;
  readonly #logStartOffsets: CheckpointWriter;
  readonly #highWatermarks: CheckpointWriter;
  readonly #cleanerCheckpoint: CheckpointWriter;
  /** Directories of deleted partitions that wait for their end. */
  readonly #removals = new Set<Timer>();
  #lock: DiskLock | undefined;
  #failure: DiskError | CorruptionError | undefined;
  /** What the start found. */
  #cleanerOffsets = new Map<string, number>();

  constructor(options: LogDirectoryOptions) {
    this.#options = options;
    this.path = options.path;
    this.#disk = options.runtime.disk;
    this.#recoveryPoints = this.#writer(RECOVERY_POINT_FILE, (log) => log.recoveryPoint);
    this.#logStartOffsets = this.#writer(LOG_START_OFFSET_FILE, (log) =>
      log.logStartOffset > log.segments[0]!.baseOffset ? log.logStartOffset : undefined,
    );
    this.#highWatermarks = this.#writer(HIGH_WATERMARK_FILE, (log) => log.highWatermark);
    this.#cleanerCheckpoint = this.#writer(CLEANER_OFFSET_FILE, (log) => log.firstDirtyOffset);
  }

  get isOnline(): boolean {
    return this.#failure === undefined;
  }

  get failure(): DiskError | CorruptionError | undefined {
    return this.#failure;
  }

  /** Locks the directory and loads every partition in it. @throws DiskError, CorruptionError */
  async load(): Promise<void> {
    const { runtime } = this.#options;
    await this.#make();
    this.#lock = this.#disk.lock(this.path);
    const hadCleanShutdown = hasCleanShutdown(this.#disk, this.path);
    const recoveryPoints = this.#read(RECOVERY_POINT_FILE);
    const logStartOffsets = this.#read(LOG_START_OFFSET_FILE);
    const highWatermarks = this.#read(HIGH_WATERMARK_FILE);
    this.#cleanerOffsets = new Map(this.#read(CLEANER_OFFSET_FILE));
    const partitions = this.#partitions();
    runtime.log.info('Loading logs', { directory: this.path, count: partitions.length, hadCleanShutdown });
    if (hadCleanShutdown) await completed((done) => removeCleanShutdown(this.#disk, this.path, done));
    let sliceStartMs = runtime.clock.monotonicMs();
    for (const { name, topicPartition } of partitions) {
      const log = await this.#load(topicPartition, {
        hadCleanShutdown,
        recoveryPoint: recoveryPoints.get(name) ?? 0,
        logStartOffset: logStartOffsets.get(name) ?? 0,
      });
      log.updateHighWatermark(highWatermarks.get(name) ?? 0);
      if (runtime.clock.monotonicMs() - sliceStartMs < LOAD_SLICE_MS) continue;
      await pause(runtime.clock);
      sliceStartMs = runtime.clock.monotonicMs();
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** A partition that is new here. @throws DiskError */
  async create(topicPartition: TopicPartition): Promise<PartitionLog> {
    const path = `${this.path}/${directoryNameOf(topicPartition)}`;
    // Something that was left there is checked like after a crash.
    const hadCleanShutdown = this.#disk.stat(path) === undefined;
    if (hadCleanShutdown) this.#cleanerOffsets.delete(directoryNameOf(topicPartition));
    this.#disk.makeDirectory(path);
    const log = await this.#load(topicPartition, { hadCleanShutdown, recoveryPoint: 0, logStartOffset: 0 });
    await completed((done) => this.#disk.syncDirectory(this.path, done));
    return log;
  }

  /** The partition is gone at once, its files after `file.delete.delay.ms`. */
  delete(topicPartition: TopicPartition, uuidHex: string): Promise<void> {
    const name = directoryNameOf(topicPartition);
    const log = this.logs.get(name);
    if (log === undefined) return Promise.resolve();
    const doomed = `${this.path}/${doomedDirectoryName(topicPartition, uuidHex, 'delete')}`;
    const { fileDeleteDelayMs } = log.config;
    return new Promise((resolve, reject) => {
      log.retire(doomed, (error) => {
        if (error === undefined) {
          this.logs.delete(name);
          this.#removeLater(doomed, fileDeleteDelayMs);
          resolve();
        } else {
          reject(error);
        }
      });
    });
  }

  checkpointRecoveryPoints(done: (error?: DiskError) => void = () => undefined): void {
    this.#write(this.#recoveryPoints, done);
  }

  checkpointLogStartOffsets(done: (error?: DiskError) => void = () => undefined): void {
    this.#write(this.#logStartOffsets, done);
  }

  checkpointHighWatermarks(done: (error?: DiskError) => void = () => undefined): void {
    this.#write(this.#highWatermarks, done);
  }

  checkpointCleanerOffsets(done: (error?: DiskError) => void = () => undefined): void {
    this.#write(this.#cleanerCheckpoint, done);
  }

  /** Everything to disk, then the marker that says so; without it the next start checks what was not flushed. */
  async close(): Promise<void> {
    for (const timer of this.#removals) timer.cancel();
    const logs = [...this.logs.values()];
    for (let start = 0; start < logs.length; start += CLOSING_AT_ONCE) {
      await Promise.all(logs.slice(start, start + CLOSING_AT_ONCE).map((log) => closed(log)));
    }
    try {
      if (this.isOnline) {
        await completed((done) => this.checkpointRecoveryPoints(done));
        await completed((done) => this.checkpointLogStartOffsets(done));
        await completed((done) => this.checkpointHighWatermarks(done));
      }
      if (this.isOnline) await completed((done) => writeCleanShutdown(this.#disk, this.path, done));
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#options.runtime.log.error('No clean shutdown of a log directory', { directory: this.path, error });
    }
    this.release();
  }

  /** Lets go of everything as it is, without the marker: the next start checks what it finds. */
  abandon(): void {
    for (const timer of this.#removals) timer.cancel();
    for (const log of this.logs.values()) log.abandon();
    this.release();
  }

  release(): void {
    this.#lock?.release();
    this.#lock = undefined;
  }

  fail(error: DiskError | CorruptionError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    for (const log of this.logs.values()) log.takeOffline(error);
    this.#options.runtime.log.error('Stopping serving logs in a log directory', { directory: this.path, error });
    this.#options.wentOffline(this, error);
  }

  /** With missing parents; every new name durable. */
  async #make(): Promise<void> {
    const parents: string[] = [];
    for (let path = this.path; this.#disk.stat(path) === undefined; path = parentOf(path)) {
      parents.push(parentOf(path));
    }
    this.#disk.makeDirectory(this.path);
    for (const parent of parents.reverse()) {
      await completed((done) => this.#disk.syncDirectory(parent, done));
    }
  }

  async #load(
    topicPartition: TopicPartition,
    from: { hadCleanShutdown: boolean; recoveryPoint: number; logStartOffset: number },
  ): Promise<PartitionLog> {
    const { runtime, recentBatches, turnEnd, producerIdExpirationMs, configOf } = this.#options;
    const name = directoryNameOf(topicPartition);
    const host: LogHost = {
      failed: (error) => this.fail(error),
      checkpointRecoveryPoint: (done) =>
        this.checkpointRecoveryPoints((error) => {
          if (error !== undefined || !this.#hasCompactedLogs()) done(error);
          else this.checkpointCleanerOffsets(done);
        }),
      checkpointCleanerOffset: (done) => this.checkpointCleanerOffsets(done),
    };
    const log = await loadLog(
      {
        runtime,
        host,
        topicPartition: { topic: topicPartition.topic, partition: topicPartition.partition },
        directory: `${this.path}/${name}`,
        config: configOf(topicPartition.topic),
        recentBatches,
        turnEnd,
        producerIdExpirationMs,
      },
      { ...from, firstDirtyOffset: this.#cleanerOffsets.get(name) },
    );
    this.logs.set(name, log);
    return log;
  }

  #hasCompactedLogs(): boolean {
    for (const log of this.logs.values()) if (log.firstDirtyOffset !== undefined) return true;
    return false;
  }

  /** What Apache refuses to start with, and what was on its way out when it stopped. */
  #partitions(): { name: string; topicPartition: TopicPartition }[] {
    const found: { name: string; topicPartition: TopicPartition }[] = [];
    for (const { name, kind } of this.#disk.list(this.path)) {
      if (kind !== 'directory' || name === REMOTE_INDEX_DIRECTORY) continue;
      const parsed = parseDirectoryName(name);
      if (parsed === undefined) {
        const text = `Found directory ${this.path}/${name}, '${name}' is not in the form of topic-partition or topic-partition.uniqueId-delete (if marked for deletion).`;
        throw new CorruptionError(this.path, 0, text);
      }
      if (parsed.fate === '') found.push({ name, topicPartition: parsed });
      else if (parsed.fate === 'delete') {
        this.#removeLater(`${this.path}/${name}`, this.#options.configOf(parsed.topic).fileDeleteDelayMs);
      } else this.#options.runtime.log.warn('Leaving a directory alone', { path: `${this.path}/${name}` });
    }
    return found;
  }

  #removeLater(path: string, delayMs: number): void {
    const timer = this.#options.runtime.clock.after(delayMs, () => {
      this.#removals.delete(timer);
      this.#removeFiles(path);
    });
    this.#removals.add(timer);
  }

  /** One file a turn: unlinking a large file takes a while. */
  #removeFiles(path: string): void {
    try {
      if (this.#disk.stat(path) === undefined) return;
      const [file] = this.#disk.list(path);
      this.#disk.remove(file === undefined ? path : `${path}/${file.name}`);
      if (file !== undefined) this.#options.runtime.clock.soon(() => this.#removeFiles(path));
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.fail(error);
    }
  }

  #read(fileName: string): ReadonlyMap<string, number> {
    const entries = readOffsets(this.#disk, `${this.path}/${fileName}`);
    return new Map(entries.map((entry) => [directoryNameOf(entry), entry.offset]));
  }

  #writer(fileName: string, offsetIn: (log: PartitionLog) => number | undefined): CheckpointWriter {
    const entries = (): OffsetEntry[] => {
      const found: OffsetEntry[] = [];
      for (const log of this.logs.values()) {
        const offset = offsetIn(log);
        if (offset !== undefined) found.push({ ...log.topicPartition, offset });
      }
      return found;
    };
    return new CheckpointWriter(
      this.#disk,
      () => `${this.path}/${fileName}`,
      () => encodeOffsets(entries()),
    );
  }

  #write(writer: CheckpointWriter, done: (error?: DiskError) => void): void {
    if (this.#failure !== undefined) {
      done(this.#failure instanceof DiskError ? this.#failure : undefined);
      return;
    }
    writer.write((error) => {
      if (error !== undefined) this.fail(error);
      done(error);
    });
  }
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  if (slash > 0) return path.slice(0, slash);
  return slash === 0 ? '/' : '.';
}

/** A log whose disk failed is let go of; its directory gets no marker. */
function closed(log: PartitionLog): Promise<void> {
  return new Promise((resolve) => log.close(() => resolve()));
}
