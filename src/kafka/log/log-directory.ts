import { assert } from '../../base/assert.ts';
import { CorruptionError, type Disk, DiskError, type DiskLock } from '../../runtime/disk.ts';
import type { TurnEnd } from '../../runtime/turn-end.ts';
import type { KafkaError } from '../protocol/errors.ts';
import {
  type CheckpointWriter,
  CLEANER_OFFSET_FILE,
  HIGH_WATERMARK_FILE,
  LOG_START_OFFSET_FILE,
  RECOVERY_POINT_FILE,
  readOffsets,
} from './checkpoint-file.ts';
import { hasCleanShutdown, removeCleanShutdown, writeCleanShutdown } from './clean-shutdown.ts';
import { DirectoryCheckpoints } from './directory-checkpoints.ts';
import { DoomedDirectories } from './doomed-directories.ts';
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
  readonly producerIdExpirationMs: () => number;
  readonly configOf: (topic: string) => LogConfig;
  /** The disk failed: nothing in here is written any more. */
  readonly wentOffline: (directory: LogDirectory, error: DiskError | CorruptionError) => void;
}

interface FoundPartition {
  /** As checkpoints name it. */
  readonly name: string;
  readonly directoryName: string;
  readonly topicPartition: TopicPartition;
  readonly isFuture: boolean;
}

/** Tiered storage keeps its indexes here; it is no partition. */
const REMOTE_INDEX_DIRECTORY = 'remote-log-index-cache';
const LOCK_FILE = '.lock';
/** Loading pauses this often. */
const LOAD_SLICE_MS = 4;
/** Logs that close at the same time: each has a few syncs in flight. */
const CLOSING_AT_ONCE = 16;

/** One entry of `log.dirs`: its partitions, its checkpoints, its lock. */
export class LogDirectory {
  readonly path: string;
  readonly logs = new Map<string, PartitionLog>();
  /** Replicas on their way from another log directory into this one (KIP-113), by the name they will have. */
  readonly futures = new Map<string, PartitionLog>();
  readonly #options: LogDirectoryOptions;
  readonly #disk: Disk;
  readonly #checkpoints: DirectoryCheckpoints;
  readonly #doomed: DoomedDirectories;
  readonly #host: LogHost = {
    failed: (error) => this.fail(error),
    checkpointRecoveryPoint: (done) =>
      this.checkpointRecoveryPoints((error) => {
        if (error !== undefined || !this.#hasCompactedLogs()) done(error);
        else this.checkpointCleanerOffsets(done);
      }),
    checkpointCleanerOffset: (done) => this.checkpointCleanerOffsets(done),
  };
  /** Logs that have no files yet. */
  #making = 0;
  #lock: DiskLock | undefined;
  #failure: DiskError | CorruptionError | undefined;
  /** What the start found. */
  #cleanerOffsets = new Map<string, number>();

  constructor(options: LogDirectoryOptions) {
    this.#options = options;
    this.path = options.path;
    this.#disk = options.runtime.disk;
    this.#checkpoints = new DirectoryCheckpoints(this.#disk, this.path, () => this.all());
    this.#doomed = new DoomedDirectories(this.#disk, options.runtime.clock, (error) => this.fail(error));
  }

  /** Logs in here, those included that are on their way or being made. */
  get logCount(): number {
    return this.logs.size + this.futures.size + this.#making;
  }

  /** Every log in here, those on their way included. */
  *all(): Generator<PartitionLog> {
    yield* this.logs.values();
    yield* this.futures.values();
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
    await this.#makeDirectory();
    this.#lock = this.#disk.lock(this.path);
    const hadCleanShutdown = hasCleanShutdown(this.#disk, this.path);
    const recoveryPoints = this.#read(RECOVERY_POINT_FILE);
    const logStartOffsets = this.#read(LOG_START_OFFSET_FILE);
    const highWatermarks = this.#read(HIGH_WATERMARK_FILE);
    this.#cleanerOffsets = new Map(this.#read(CLEANER_OFFSET_FILE));
    const partitions = this.#partitions();
    runtime.log.info('Loading logs', { directory: this.path, count: partitions.length, hadCleanShutdown });
    await completed((done) => removeCleanShutdown(this.#disk, this.path, done));
    let sliceStartMs = runtime.clock.monotonicMs();
    for (const { name, topicPartition, isFuture, directoryName } of partitions) {
      const log = await this.#load(topicPartition, directoryName, {
        hadCleanShutdown,
        recoveryPoint: recoveryPoints.get(name) ?? 0,
        logStartOffset: logStartOffsets.get(name) ?? 0,
      });
      log.updateHighWatermark(highWatermarks.get(name) ?? 0);
      (isFuture ? this.futures : this.logs).set(name, log);
      if (runtime.clock.monotonicMs() - sliceStartMs < LOAD_SLICE_MS) continue;
      await pause(runtime.clock);
      sliceStartMs = runtime.clock.monotonicMs();
    }
    if (this.#failure !== undefined) throw this.#failure;
    const isGone = (name: string): boolean => !this.logs.has(name) && !this.futures.has(name);
    const checkpoints = [recoveryPoints, logStartOffsets, highWatermarks, this.#cleanerOffsets];
    if (checkpoints.some((each) => each.keys().some(isGone))) await this.checkpointAll();
  }

  /** A partition that is new here. @throws DiskError */
  async create(topicPartition: TopicPartition): Promise<PartitionLog> {
    const name = directoryNameOf(topicPartition);
    const log = await this.#make(topicPartition, name);
    this.logs.set(name, log);
    return log;
  }

  /** A partition's second log, to which it will move. @param uuidHex 32 hexadecimal digits @throws DiskError */
  async createFuture(topicPartition: TopicPartition, uuidHex: string): Promise<PartitionLog> {
    const log = await this.#make(topicPartition, doomedDirectoryName(topicPartition, uuidHex, 'future'));
    this.futures.set(directoryNameOf(topicPartition), log);
    return log;
  }

  /** The log that was on its way lives here now: its directory gets the plain name, durably. */
  async arrive(topicPartition: TopicPartition): Promise<void> {
    const name = directoryNameOf(topicPartition);
    const log = this.futures.get(name);
    assert(log !== undefined, 'a log that arrives was on its way', name);
    await settled((done) => log.moveTo(`${this.path}/${name}`, done));
    await this.syncNames();
    this.futures.delete(name);
    this.logs.set(name, log);
  }

  /** Names that were added, changed or removed in here are on stable storage. A failure takes the directory offline. @throws DiskError */
  async syncNames(): Promise<void> {
    try {
      await completed((done) => this.#disk.syncDirectory(this.path, done));
    } catch (error) {
      if (error instanceof DiskError) this.fail(error);
      throw error;
    }
  }

  /** The partition is gone at once, its files after `file.delete.delay.ms`. */
  async delete(topicPartition: TopicPartition, uuidHex: string, which: 'logs' | 'futures' = 'logs'): Promise<void> {
    const name = directoryNameOf(topicPartition);
    const log = this[which].get(name);
    if (log === undefined) return;
    const doomed = `${this.path}/${doomedDirectoryName(topicPartition, uuidHex, 'delete')}`;
    await settled((done) => log.retire(doomed, done));
    this[which].delete(name);
    this.#doomed.removeLater(doomed, log.config.fileDeleteDelayMs);
  }

  checkpointRecoveryPoints(done: (error?: DiskError) => void = () => undefined): void {
    this.#write(this.#checkpoints.recoveryPoints, done);
  }

  checkpointLogStartOffsets(done: (error?: DiskError) => void = () => undefined): void {
    this.#write(this.#checkpoints.logStartOffsets, done);
  }

  checkpointHighWatermarks(done: (error?: DiskError) => void = () => undefined): void {
    this.#write(this.#checkpoints.highWatermarks, done);
  }

  checkpointCleanerOffsets(done: (error?: DiskError) => void = () => undefined): void {
    this.#write(this.#checkpoints.cleanerOffsets, done);
  }

  /**
   * All of them durably, and with them the names of directories. Whoever takes the name of a partition that is gone must not find
   * what they said of that one. @throws DiskError
   */
  async checkpointAll(): Promise<void> {
    await Promise.all(this.#checkpoints.all.map((writer) => completed((done) => this.#write(writer, done))));
  }

  /** Everything to disk, then the marker that says so; without it the next start checks what was not flushed. */
  async close(): Promise<void> {
    this.#doomed.close();
    const logs = [...this.all()];
    for (let start = 0; start < logs.length; start += CLOSING_AT_ONCE) {
      await Promise.all(logs.slice(start, start + CLOSING_AT_ONCE).map((log) => closed(log)));
    }
    try {
      if (this.isOnline) await completed((done) => this.#checkpoints.writeAll(done));
      if (this.isOnline) await completed((done) => writeCleanShutdown(this.#disk, this.path, done));
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#options.runtime.log.error('No clean shutdown of a log directory', { directory: this.path, error });
    }
    this.release();
  }

  /** Lets go of everything as it is, without the marker: the next start checks what it finds. */
  abandon(): void {
    this.#doomed.close();
    for (const log of this.all()) log.abandon();
    this.release();
  }

  release(): void {
    this.#lock?.release();
    this.#lock = undefined;
  }

  fail(error: DiskError | CorruptionError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    for (const log of this.all()) log.takeOffline(error);
    this.#options.runtime.log.error('Stopping serving logs in a log directory', { directory: this.path, error });
    this.#options.wentOffline(this, error);
  }

  /** With missing parents; all names on the way durable, also where the process before made it and died of something else. */
  async #makeDirectory(): Promise<void> {
    const isMade = this.#disk.stat(this.path) !== undefined;
    if (isMade && this.#disk.list(this.path).some(({ name }) => !name.endsWith(LOCK_FILE))) return;
    this.#disk.makeDirectory(this.path);
    const parents: string[] = [];
    for (let path = this.path; path !== '/' && path !== '.'; path = parentOf(path)) parents.push(parentOf(path));
    for (const parent of parents.reverse()) {
      await completed((done) => this.#disk.syncDirectory(parent, done)).catch(unlessForeign);
    }
  }

  async #make(topicPartition: TopicPartition, directoryName: string): Promise<PartitionLog> {
    const path = `${this.path}/${directoryName}`;
    // Something that was left there is checked like after a crash.
    const hadCleanShutdown = this.#disk.stat(path) === undefined;
    if (hadCleanShutdown) this.#cleanerOffsets.delete(directoryNameOf(topicPartition));
    this.#making += 1;
    try {
      this.#disk.makeDirectory(path);
      const from = { hadCleanShutdown, recoveryPoint: 0, logStartOffset: 0 };
      const log = await this.#load(topicPartition, directoryName, from);
      await completed((done) => this.#disk.syncDirectory(this.path, done));
      return log;
    } finally {
      this.#making -= 1;
    }
  }

  async #load(
    topicPartition: TopicPartition,
    directoryName: string,
    from: { hadCleanShutdown: boolean; recoveryPoint: number; logStartOffset: number },
  ): Promise<PartitionLog> {
    const { runtime, recentBatches, turnEnd, producerIdExpirationMs, configOf } = this.#options;
    return loadLog(
      {
        runtime,
        host: this.#host,
        topicPartition: { topic: topicPartition.topic, partition: topicPartition.partition },
        directory: `${this.path}/${directoryName}`,
        config: configOf(topicPartition.topic),
        recentBatches,
        turnEnd,
        producerIdExpirationMs,
      },
      { ...from, firstDirtyOffset: this.#cleanerOffsets.get(directoryNameOf(topicPartition)) },
    );
  }

  #hasCompactedLogs(): boolean {
    for (const log of this.all()) if (log.firstDirtyOffset !== undefined) return true;
    return false;
  }

  /** What Apache refuses to start with, and what was on its way out when it stopped. */
  #partitions(): FoundPartition[] {
    const found: FoundPartition[] = [];
    for (const { name: directoryName, kind } of this.#disk.list(this.path)) {
      if (kind !== 'directory' || directoryName === REMOTE_INDEX_DIRECTORY) continue;
      const parsed = parseDirectoryName(directoryName);
      if (parsed === undefined) {
        const text = `Found directory ${this.path}/${directoryName}, '${directoryName}' is not in the form of topic-partition or topic-partition.uniqueId-delete (if marked for deletion).`;
        throw new CorruptionError(this.path, 0, text);
      }
      const isFuture = parsed.fate === 'future';
      const isSecond = isFuture && found.some((other) => other.isFuture && other.name === directoryNameOf(parsed));
      if (parsed.fate === '' || (isFuture && !isSecond)) {
        found.push({ name: directoryNameOf(parsed), directoryName, topicPartition: parsed, isFuture });
      } else if (parsed.fate === 'delete' || isSecond) {
        const { fileDeleteDelayMs } = this.#options.configOf(parsed.topic);
        this.#doomed.removeLater(`${this.path}/${directoryName}`, fileDeleteDelayMs);
      } else this.#options.runtime.log.warn('Leaving a directory alone', { path: `${this.path}/${directoryName}` });
    }
    return found;
  }

  #read(fileName: string): ReadonlyMap<string, number> {
    const entries = readOffsets(this.#disk, `${this.path}/${fileName}`);
    return new Map(entries.map((entry) => [directoryNameOf(entry), entry.offset]));
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

/** Of a directory further up: who may not read it did not make what is in it, and some mounted file systems sync none. */
function unlessForeign(error: unknown): void {
  if (!(error instanceof DiskError && ['EACCES', 'EPERM', 'EINVAL', 'EROFS'].includes(error.code))) throw error;
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

function settled(start: (done: (error: KafkaError | undefined) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => start((error) => (error === undefined ? resolve() : reject(error))));
}
