import type { Clock, Timer } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { directoryNameOf, futureNameIsTooLong, type TopicPartition } from '../log/file-names.ts';
import { isStorageError, LogCopy } from '../log/log-copy.ts';
import type { LogManager } from '../log/log-manager.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { ByteRate } from './byte-rate.ts';
import type { Partition } from './partition.ts';
import type { ReplicaManager } from './replica-manager.ts';

export interface LogDirMovesOptions {
  readonly replicas: ReplicaManager;
  readonly logs: LogManager;
  readonly clock: Clock;
  readonly log: Log;
  /** `replica.alter.log.dirs.io.max.bytes.per.second` as it is now, for all moves together; Infinity for no limit. */
  readonly bytesPerSecond: () => number;
  /** Partitions that move at the same time (`num.replica.alter.log.dirs.threads`; one for each log dir unless given). */
  readonly atOnce: number;
  /** Whether the metadata of the cluster know a partition. */
  readonly isKnown: (topicPartition: TopicPartition) => boolean;
}

interface Move {
  readonly topicPartition: TopicPartition;
  readonly name: string;
}

/** Where nothing can be done at the moment. */
const PAUSE_MS = 1000;

/**
 * Moves replicas between the log dirs of this broker (KIP-113): the target holds a second log, `topic-p.uuid-future`, into which the
 * first is copied while it is written to. Once it has all, appends wait for the moment in which the second takes the place of the
 * first. A move that a restart interrupts goes on after it.
 */
export class LogDirMoves {
  readonly #options: LogDirMovesOptions;
  readonly #rate: ByteRate;
  readonly #moves = new Map<string, Move>();
  readonly #waiting: Move[] = [];
  readonly #pauses = new Map<Timer, () => void>();
  #running = 0;
  #closed = false;

  constructor(options: LogDirMovesOptions) {
    this.#options = options;
    this.#rate = new ByteRate(options.clock, options.bytesPerSecond);
  }

  /**
   * Begins to move a partition to a log dir; to the one where it is ends a move (`ReplicaManager.alterReplicaLogDirs`). Answers the
   * error code.
   */
  move(topicPartition: TopicPartition, path: string): Promise<number> {
    if (futureNameIsTooLong(topicPartition)) return Promise.resolve(ErrorCode.INVALID_TOPIC_EXCEPTION);
    return this.#options.replicas.inTurn(topicPartition, () => this.#begin(topicPartition, path));
  }

  /** The controller gave a partition its log: one that was moving before a restart moves on. */
  resume({ topic, index, log }: Partition): void {
    const topicPartition = { topic, partition: index };
    const future = this.#options.logs.future(topicPartition);
    if (log === undefined || future === undefined) return;
    if (log.topicId !== undefined) future.assignTopicId(log.topicId);
    this.#start(topicPartition);
  }

  close(): void {
    this.#closed = true;
    for (const [timer, resume] of this.#pauses) {
      timer.cancel();
      resume();
    }
  }

  async #begin(topicPartition: TopicPartition, path: string): Promise<number> {
    const { logs, replicas, isKnown, log } = this.#options;
    const target = logs.directory(path);
    if (target === undefined) return ErrorCode.LOG_DIR_NOT_FOUND;
    if (!target.isOnline) return ErrorCode.KAFKA_STORAGE_ERROR;
    const partition = replicas.partition(topicPartition.topic, topicPartition.partition);
    if (partition?.isOffline === true) return ErrorCode.KAFKA_STORAGE_ERROR;
    const future = logs.future(topicPartition);
    if (future !== undefined && logs.directoryOf(future) !== target) {
      this.#moves.delete(directoryNameOf(topicPartition));
      await logs.deleteFuture(topicPartition);
    }
    if (partition?.log === undefined) {
      logs.prefer(topicPartition, path);
      return isKnown(topicPartition) ? ErrorCode.REPLICA_NOT_AVAILABLE : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    }
    if (logs.directoryOf(partition.log) === target || logs.future(topicPartition) !== undefined) return ErrorCode.NONE;
    const created = await logs.createFuture(topicPartition, target);
    if (partition.log.topicId !== undefined) created.assignTopicId(partition.log.topicId);
    log.info('Moving a replica', { ...topicPartition, from: partition.log.directory, to: created.directory });
    this.#start(topicPartition);
    return ErrorCode.NONE;
  }

  #start(topicPartition: TopicPartition): void {
    const name = directoryNameOf(topicPartition);
    if (this.#moves.has(name)) return;
    const move = { topicPartition, name };
    this.#moves.set(name, move);
    this.#waiting.push(move);
    this.#next();
  }

  #next(): void {
    while (this.#running < this.#options.atOnce) {
      const move = this.#waiting.shift();
      if (move === undefined) return;
      this.#running += 1;
      void this.#run(move).finally(() => {
        if (this.#moves.get(move.name) === move) this.#moves.delete(move.name);
        this.#running -= 1;
        this.#next();
      });
    }
  }

  /** Until the partition has moved, or is to move elsewhere, or one of its two log dirs has failed. */
  async #run(move: Move): Promise<void> {
    while (!this.#closed && this.#moves.get(move.name) === move) {
      try {
        const pauseMs = this.#rate.waitMs;
        if (pauseMs > 0) await this.#pause(pauseMs);
        else if (await this.#step(move)) return;
      } catch (error) {
        if (isStorageError(error)) return;
        this.#options.log.warn('a replica does not move on', { ...move.topicPartition, error: String(error) });
        await this.#pause(PAUSE_MS);
      }
    }
  }

  /** Copies a slice, or ends the move where all is copied. Answers whether the move is over. */
  async #step({ topicPartition }: Move): Promise<boolean> {
    const { logs, replicas, clock } = this.#options;
    const copy = this.#copyOf(topicPartition);
    if (copy === undefined) return true;
    const bytes = await copy.next();
    this.#rate.take(bytes);
    if (!copy.isWhole) {
      if (bytes === 0) await this.#pause(PAUSE_MS);
      else await new Promise<void>((resume) => clock.soon(resume));
      return false;
    }
    // Most of what a flush costs is paid before appends have to wait.
    const future = logs.future(topicPartition);
    if (future !== undefined) await flushed(future);
    await replicas.inTurn(topicPartition, () => this.#arrive(topicPartition));
    const now = replicas.partition(topicPartition.topic, topicPartition.partition)?.log;
    if (future !== undefined && now === future) {
      this.#options.log.info('A replica has moved', { ...topicPartition, to: future.directory });
    }
    return logs.future(topicPartition) === undefined;
  }

  async #arrive(topicPartition: TopicPartition): Promise<number> {
    const { logs, replicas } = this.#options;
    const partition = replicas.partition(topicPartition.topic, topicPartition.partition);
    await partition?.exchangeLog(async (current) => {
      const future = logs.future(topicPartition);
      if (future === undefined) return current;
      const copy = new LogCopy(current, future);
      await written(current);
      while (!copy.isWhole) if ((await copy.next()) === 0) return current;
      await flushed(future);
      await logs.replaceWithFuture(topicPartition);
      copy.follow();
      return future;
    });
    return ErrorCode.NONE;
  }

  #copyOf(topicPartition: TopicPartition): LogCopy | undefined {
    const { logs, replicas } = this.#options;
    const log = replicas.partition(topicPartition.topic, topicPartition.partition)?.log;
    const future = logs.future(topicPartition);
    if (log === undefined || log.isOffline || future === undefined) return undefined;
    return new LogCopy(log, future);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(ms, () => {
        this.#pauses.delete(timer);
        resolve();
      });
      this.#pauses.set(timer, resolve);
    });
  }
}

type Settling = { flush(done: (error?: unknown) => void): void; whenWritten(done: (error?: unknown) => void): void };

function flushed(log: Pick<Settling, 'flush'>): Promise<void> {
  return new Promise((resolve, reject) => log.flush((error) => (error === undefined ? resolve() : reject(error))));
}

function written(log: Pick<Settling, 'whenWritten'>): Promise<void> {
  return new Promise((resolve, reject) =>
    log.whenWritten((error) => (error === undefined ? resolve() : reject(error))),
  );
}
