import type { Timer } from '../../runtime/clock.ts';
import { CorruptionError, DiskError } from '../../runtime/disk.ts';
import { randomUuid } from '../../runtime/random.ts';
import { TurnEnd } from '../../runtime/turn-end.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { type CleanerConfig, defaultCleanerConfig } from './cleaner/cleaner-config.ts';
import { LogCleaner } from './cleaner/log-cleaner.ts';
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
  /** `producer.id.expiration.ms`; a day unless given. */
  readonly producerIdExpirationMs?: number;
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
const PRODUCER_ID_EXPIRATION_MS = 86_400_000;

/** All logs of a broker: several directories, their loading and clean stop, retention, checkpoints. */
export class LogManager {
  readonly recentBatches: RecentBatches;
  readonly #options: LogManagerOptions;
  readonly #directories: readonly LogDirectory[];
  readonly #timers = new Map<string, Timer>();
  readonly #creating = new Map<string, Promise<PartitionLog>>();
  /** Undefined when `log.cleaner.enable` is false. */
  readonly #cleaner: LogCleaner | undefined;
  #closed = false;

  /** Loads every directory; one that cannot be loaded is offline. @throws KafkaError KAFKA_STORAGE_ERROR when none is left */
  static async open(options: LogManagerOptions): Promise<LogManager> {
    const manager = new LogManager(options);
    await Promise.all(manager.#directories.map((directory) => manager.#load(directory)));
    if (manager.#online().length === 0) {
      throw manager.#noneLeft();
    }
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
    this.recentBatches = new RecentBatches(options.recentBatchesBytes ?? RECENT_BATCHES_BYTES);
    const { runtime, configOf, producerIdExpirationMs = PRODUCER_ID_EXPIRATION_MS } = options;
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
    this.#cleaner = config.enabled ? new LogCleaner({ runtime, config, logs: () => this.logs() }) : undefined;
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

  /** Gone at once for everybody; its files go after `file.delete.delay.ms`. */
  async delete(topicPartition: TopicPartition): Promise<void> {
    const name = directoryNameOf(topicPartition);
    const directory = this.#directories.find(({ logs }) => logs.has(name));
    if (directory === undefined) return;
    const uuidHex = randomUuid(this.#options.runtime.random).replaceAll('-', '');
    await directory.delete(topicPartition, uuidHex);
    directory.checkpointRecoveryPoints();
    directory.checkpointLogStartOffsets();
    directory.checkpointHighWatermarks();
    directory.checkpointCleanerOffsets();
  }

  /** A topic's configuration changed. */
  updateConfig(topic: string, config: LogConfig): void {
    for (const log of this.logs()) if (log.topicPartition.topic === topic) log.config = config;
  }

  /** Removes what retention allows; the retention task calls it. The cleaner does it for the logs that it compacts. */
  deleteOldSegments(): void {
    this.#forEachLog((log) => {
      if (!log.isOffline && !log.config.compact) log.deleteOldSegments(() => undefined);
    });
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
      throw new KafkaError(
        ErrorCode.KAFKA_STORAGE_ERROR,
        `Can not create log for ${directoryNameOf(topicPartition)} because log directories are offline`,
      );
    }
    const [first, ...others] = online as [LogDirectory, ...LogDirectory[]];
    const target = others.reduce((fewest, next) => (next.logs.size < fewest.logs.size ? next : fewest), first);
    try {
      return await target.create(topicPartition);
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
