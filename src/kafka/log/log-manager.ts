import { assert } from '../../base/assert.ts';
import type { Timer } from '../../runtime/clock.ts';
import { CorruptionError, DiskError } from '../../runtime/disk.ts';
import { randomUuid } from '../../runtime/random.ts';
import { TurnEnd } from '../../runtime/turn-end.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { type CleanerConfig, defaultCleanerConfig } from './cleaner/cleaner-config.ts';
import { LogCleaner } from './cleaner/log-cleaner.ts';
import { DuplicateLogs } from './duplicate-logs.ts';
import { directoryNameOf, type TopicPartition } from './file-names.ts';
import type { PartitionLog } from './log.ts';
import type { LogConfig } from './log-config.ts';
import { LogDirectory } from './log-directory.ts';
import type { LogRuntime } from './log-state.ts';
import { RecentBatches } from './recent-batches.ts';
import { runSliced } from './sliced.ts';

export interface LogManagerOptions {
  readonly runtime: LogRuntime;
  readonly logDirs: readonly string[];
  /** A topic's configuration as it is now. */
  readonly configOf: (topic: string) => LogConfig;
  /** The broker announces it; with the last directory the broker stops. */
  readonly directoryWentOffline?: (path: string, error: DiskError | CorruptionError) => void;
  /** Shared with the connections, so that answers leave together with the writes they wait for; its own unless given. */
  readonly turnEnd?: TurnEnd;
  /** Memory for the newest batches of all logs; 64 MiB unless given. */
  readonly recentBatchesBytes?: number;
  /** `producer.id.expiration.ms` as it is now; a day unless given. */
  readonly producerIdExpirationMs?: () => number;
  readonly intervals?: Partial<LogIntervals>;
  /** `log.cleaner.*`; Apache's defaults unless given. */
  readonly cleaner?: Partial<CleanerConfig>;
}

export interface LogIntervals {
  /** `log.retention.check.interval.ms` */
  readonly retentionCheckMs: number;
  /** `log.flush.offset.checkpoint.interval.ms` */
  readonly recoveryPointCheckpointMs: number;
  /** `log.flush.start.offset.checkpoint.interval.ms` */
  readonly logStartOffsetCheckpointMs: number;
  /** `replica.high.watermark.checkpoint.interval.ms` */
  readonly highWatermarkCheckpointMs: number;
  /** `log.flush.scheduler.interval.ms`: how often `flush.ms` is looked at; never unless given. */
  readonly flushCheckMs: number;
  readonly producerExpirationCheckMs: number;
}

const defaultIntervals: LogIntervals = {
  retentionCheckMs: 300_000,
  recoveryPointCheckpointMs: 60_000,
  logStartOffsetCheckpointMs: 60_000,
  highWatermarkCheckpointMs: 5_000,
  flushCheckMs: Infinity,
  producerExpirationCheckMs: 600_000,
};

const RECENT_BATCHES_BYTES = 67_108_864;
const defaultProducerIdExpirationMs = (): number => 86_400_000;

/** All logs of a broker: several directories, their loading and clean stop, retention, checkpoints. */
export class LogManager {
  readonly recentBatches: RecentBatches;
  readonly #options: LogManagerOptions;
  readonly #directories: readonly LogDirectory[];
  readonly #timers = new Map<string, Timer>();
  readonly #creating = new Map<string, Promise<PartitionLog>>();
  readonly #cleaner: LogCleaner | undefined;
  /** Where partitions that have no log yet are wanted (AlterReplicaLogDirs before LeaderAndIsr), by name. */
  readonly #preferred = new Map<string, string>();
  #closed = false;

  /** Loads every directory; one that cannot be loaded is offline. @throws KafkaError KAFKA_STORAGE_ERROR when none is left */
  static async open(options: LogManagerOptions): Promise<LogManager> {
    const manager = new LogManager(options);
    await Promise.all(manager.#directories.map((directory) => manager.#load(directory)));
    if (manager.#online().length === 0) {
      throw manager.#noneLeft();
    }
    await new DuplicateLogs(manager.#directories, options.runtime).resolve();
    manager.#startTasks();
    manager.#cleaner?.start();
    return manager;
  }

  /** The texts that operators search for, of LogManager.lockLogDirs and createAndValidateLogDirs. */
  #noneLeft(): KafkaError {
    const locked = this.#directories.find(({ failure }) => failure instanceof DiskError && failure.code === 'EBUSY');
    const reason =
      locked === undefined
        ? `Shutdown broker because none of the specified log dirs from ${this.#options.logDirs.join(', ')} can be created or validated`
        : `Failed to acquire lock on file .lock in ${locked.path}. A Kafka instance in another process or thread is using this directory.`;
    const cause = (locked ?? this.#directories[0])?.failure;
    return new KafkaError(ErrorCode.KAFKA_STORAGE_ERROR, reason, { cause });
  }

  private constructor(options: LogManagerOptions) {
    this.#options = options;
    const { runtime, configOf, producerIdExpirationMs = defaultProducerIdExpirationMs } = options;
    const { recentBatchesBytes: limitBytes = RECENT_BATCHES_BYTES } = options;
    this.recentBatches = new RecentBatches({ limitBytes, fillByte: runtime.disk.buffers.fillByte });
    const { turnEnd = new TurnEnd(runtime.clock, rethrow) } = options;
    this.#directories = options.logDirs.map(
      (path) =>
        new LogDirectory({
          runtime,
          path,
          recentBatches: this.recentBatches,
          turnEnd,
          producerIdExpirationMs,
          configOf,
          wentOffline: (directory, error) => options.directoryWentOffline?.(directory.path, error),
        }),
    );
    const config = { ...defaultCleanerConfig, ...options.cleaner };
    this.#cleaner = config.enabled ? new LogCleaner({ runtime, config, logs: () => this.#compactable() }) : undefined;
  }

  get directories(): readonly LogDirectory[] {
    return this.#directories;
  }

  /** Also of an offline directory: what can be read of it is still served. */
  get(topicPartition: TopicPartition): PartitionLog | undefined {
    const name = directoryNameOf(topicPartition);
    for (const { logs } of this.#directories) {
      const log = logs.get(name);
      if (log !== undefined) return log;
    }
    return undefined;
  }

  /** The log to which a partition is moving; undefined where it is not. */
  future(topicPartition: TopicPartition): PartitionLog | undefined {
    const name = directoryNameOf(topicPartition);
    return this.#directories.find(({ futures, isOnline }) => isOnline && futures.has(name))?.futures.get(name);
  }

  /** The log dir of a path; undefined for a path that is none. */
  directory(path: string): LogDirectory | undefined {
    return this.#directories.find((directory) => directory.path === path);
  }

  /** Undefined when `log.cleaner.enable` is false. */
  get cleaner(): LogCleaner | undefined {
    return this.#cleaner;
  }

  get isAnyOnline(): boolean {
    return this.#online().length > 0;
  }

  /** Where a log lives, or is on its way to. */
  directoryOf(log: PartitionLog): LogDirectory | undefined {
    const name = directoryNameOf(log.topicPartition);
    return this.#directories.find(({ logs, futures }) => logs.get(name) === log || futures.get(name) === log);
  }

  /** A log is not compacted while it is copied to another directory. */
  *#compactable(): Generator<PartitionLog> {
    for (const log of this.logs()) if (this.future(log.topicPartition) === undefined) yield log;
  }

  /** Those of partitions, not those that are on their way. */
  *logs(): IterableIterator<PartitionLog> {
    for (const { logs } of this.#directories) yield* logs.values();
  }

  /**
   * The log of a partition, made where fewest are if it is not there. While a directory is offline nobody knows what was in it: then
   * only a partition that is new to this broker (`isNew`) is made. @throws KafkaError KAFKA_STORAGE_ERROR
   */
  getOrCreate(topicPartition: TopicPartition, isNew: boolean): Promise<PartitionLog> {
    const known = this.get(topicPartition);
    if (known !== undefined) return Promise.resolve(known);
    const name = directoryNameOf(topicPartition);
    let creating = this.#creating.get(name);
    if (creating === undefined) {
      creating = this.#create(topicPartition, isNew).finally(() => this.#creating.delete(name));
      this.#creating.set(name, creating);
    }
    return creating;
  }

  /** A partition that gets its log later gets it in this log dir. */
  prefer(topicPartition: TopicPartition, path: string): void {
    this.#preferred.set(directoryNameOf(topicPartition), path);
  }

  /**
   * A second log of a partition, in another log dir. While a directory is offline none is made: it may hold one already.
   * @throws KafkaError KAFKA_STORAGE_ERROR
   */
  async createFuture(topicPartition: TopicPartition, target: LogDirectory): Promise<PartitionLog> {
    this.#preferred.delete(directoryNameOf(topicPartition));
    if (this.#online().length < this.#directories.length) throw this.#mayBeOffline(topicPartition);
    return this.#creation(topicPartition, target, () => target.createFuture(topicPartition, this.#uuidHex()));
  }

  /**
   * The partition lives in the log to which it moved, its old log is gone. Nothing may be appended meanwhile. Both logs are whole
   * until the new one has its name durably: what a crash leaves of two the next start decides (`DuplicateLogs`).
   * @throws KafkaError, DiskError where the new directory fails: nothing has changed then
   */
  async replaceWithFuture(topicPartition: TopicPartition): Promise<void> {
    const old = this.get(topicPartition);
    const future = this.future(topicPartition);
    const target = future && this.directoryOf(future);
    const source = old && this.directoryOf(old);
    assert(target !== undefined && source !== undefined, 'a partition that arrives has two logs', topicPartition);
    // Where it begins and how much is replicated: whichever of the two a crash leaves knows it.
    await target.checkpointAll();
    await target.arrive(topicPartition);
    try {
      await source.delete(topicPartition, this.#uuidHex());
      await source.checkpointAll();
    } catch (error) {
      // Its directory has failed; the partition no longer needs it.
      source.logs.delete(directoryNameOf(topicPartition));
      if (!(error instanceof DiskError || error instanceof KafkaError)) throw error;
    }
  }

  /** A move is given up: the log that was on its way goes. */
  async deleteFuture(topicPartition: TopicPartition): Promise<void> {
    const log = this.future(topicPartition);
    const directory = log && this.directoryOf(log);
    if (directory === undefined) return;
    await directory.delete(topicPartition, this.#uuidHex(), 'futures');
    await directory.checkpointAll();
  }

  /** Gone at once for everybody, durably when it is done; its files go after `file.delete.delay.ms`. */
  async delete(topicPartition: TopicPartition): Promise<void> {
    await this.deleteFuture(topicPartition);
    const log = this.get(topicPartition);
    const directory = log && this.directoryOf(log);
    if (directory === undefined) return;
    await directory.delete(topicPartition, this.#uuidHex());
    await directory.checkpointAll();
  }

  #uuidHex(): string {
    return randomUuid(this.#options.runtime.random).replaceAll('-', '');
  }

  /** A topic's configuration changed. */
  updateConfig(topic: string, config: LogConfig): void {
    for (const directory of this.#directories) {
      for (const log of directory.all()) if (log.topicPartition.topic === topic) log.config = config;
    }
  }

  /** Removes what retention allows; the retention task calls it. The cleaner does it for the logs that it compacts. */
  deleteOldSegments(): void {
    this.#forEachLog((log) => {
      if (!log.isOffline && !log.config.compact) log.deleteOldSegments(() => undefined);
    });
  }

  /** `log.cleaner.*` have changed; whether there is a cleaner cannot. */
  configureCleaner(config: CleanerConfig): void {
    this.#cleaner?.configure(config);
  }

  /** Clean stop. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#timers.values()) timer.cancel();
    await Promise.all(this.#creating.values());
    await this.#cleaner?.close();
    await Promise.all(this.#directories.map((directory) => directory.close()));
  }

  /** After a broken invariant: nothing more is written, and the next start trusts nothing that was not flushed. */
  abandon(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#timers.values()) timer.cancel();
    this.#cleaner?.stop();
    for (const directory of this.#directories) directory.abandon();
  }

  async #load(directory: LogDirectory): Promise<void> {
    try {
      await directory.load();
    } catch (error) {
      if (!(error instanceof DiskError || error instanceof CorruptionError)) throw error;
      directory.fail(error);
      directory.release();
    }
  }

  async #create(topicPartition: TopicPartition, isNew: boolean): Promise<PartitionLog> {
    const online = this.#online();
    if (online.length === 0 || (!isNew && online.length < this.#directories.length)) {
      throw this.#mayBeOffline(topicPartition);
    }
    const name = directoryNameOf(topicPartition);
    const preferred = online.find(({ path }) => path === this.#preferred.get(name));
    this.#preferred.delete(name);
    const fewest = online.reduce((best, next) => (next.logCount < best.logCount ? next : best));
    const target = preferred ?? fewest;
    return this.#creation(topicPartition, target, () => target.create(topicPartition));
  }

  #mayBeOffline(topicPartition: TopicPartition): KafkaError {
    const offline = this.#directories.filter(({ isOnline }) => !isOnline).map(({ path }) => path);
    return new KafkaError(
      ErrorCode.KAFKA_STORAGE_ERROR,
      `Can not create log for ${directoryNameOf(topicPartition)} because log directories ${offline.join(',')} are offline`,
    );
  }

  async #creation(
    topicPartition: TopicPartition,
    target: LogDirectory,
    create: () => Promise<PartitionLog>,
  ): Promise<PartitionLog> {
    try {
      return await create();
    } catch (error) {
      if (!(error instanceof DiskError || error instanceof CorruptionError)) throw error;
      target.fail(error);
      const text = `Error while creating log for ${directoryNameOf(topicPartition)} in dir ${target.path}`;
      throw new KafkaError(ErrorCode.KAFKA_STORAGE_ERROR, text, { cause: error });
    }
  }

  #online(): LogDirectory[] {
    return this.#directories.filter((directory) => directory.isOnline);
  }

  #startTasks(): void {
    const intervals = { ...defaultIntervals, ...this.#options.intervals };
    const each = (act: (directory: LogDirectory) => void) => () => this.#online().forEach(act);
    this.#every('retention', intervals.retentionCheckMs, () => this.deleteOldSegments());
    this.#every(
      'recovery points',
      intervals.recoveryPointCheckpointMs,
      each((at) => at.checkpointRecoveryPoints()),
    );
    this.#every(
      'start offsets',
      intervals.logStartOffsetCheckpointMs,
      each((at) => at.checkpointLogStartOffsets()),
    );
    this.#every(
      'high watermarks',
      intervals.highWatermarkCheckpointMs,
      each((at) => at.checkpointHighWatermarks()),
    );
    this.#every('flush', intervals.flushCheckMs, () => {
      this.#forEachLog((log) => {
        if (!log.isOffline && log.isFlushDue) log.flush();
      });
    });
    this.#every('producers', intervals.producerExpirationCheckMs, () => {
      this.#forEachLog((log) => log.removeExpiredProducers());
    });
  }

  /** In slices: there may be thousands, and each may have to look at its files. */
  #forEachLog(act: (log: PartitionLog) => void): void {
    const logs = [...this.logs()];
    const steps = function* (): Generator<void, void> {
      for (const log of logs) {
        act(log);
        yield;
      }
    };
    runSliced(this.#options.runtime.clock, steps(), (error) => {
      if (error !== undefined) throw error;
    });
  }

  #every(task: string, intervalMs: number, act: () => void): void {
    if (intervalMs === Infinity) return;
    const timer = this.#options.runtime.clock.after(intervalMs, () => {
      if (this.#closed) return;
      act();
      this.#every(task, intervalMs, act);
    });
    this.#timers.set(task, timer);
  }
}

function rethrow(error: unknown): never {
  throw error;
}
