import type { Timer } from '../../../runtime/clock.ts';
import { DiskError } from '../../../runtime/disk.ts';
import type { PartitionLog } from '../log.ts';
import type { LogRuntime } from '../log-state.ts';
import { cleanLog } from './clean-log.ts';
import { type CleanableLog, cleanableOf, filthiestOf } from './cleanable.ts';
import type { CleanerConfig } from './cleaner-config.ts';
import { Cleaning, CleaningAborted } from './cleaning.ts';
import { Throttle } from './throttle.ts';
import { TimeSlice } from './time-slice.ts';

export interface LogCleanerOptions {
  readonly runtime: LogRuntime;
  /** What counts until it is configured anew. */
  readonly config: CleanerConfig;
  readonly logs: () => Iterable<PartitionLog>;
}

/** Smaller reads would hardly hold a batch. */
const BYTES_AT_ONCE_MIN = 4_096;

/**
 * Compacts the logs whose `cleanup.policy` has `compact`, the filthiest first (LogCleaner). Each of `log.cleaner.threads` takes one
 * log at a time, in slices between other work. A log that cannot be read is left alone until the next start; nothing ends the
 * cleaner.
 */
export class LogCleaner {
  readonly #options: LogCleanerOptions;
  readonly #throttle: Throttle;
  #config: CleanerConfig;
  readonly #inProgress = new Set<PartitionLog>();
  readonly #uncleanable = new WeakSet<PartitionLog>();
  readonly #pauses = new Map<Timer, () => void>();
  /** By number: one whose number is too high ends after the log that it is at. */
  readonly #workers = new Map<number, Promise<void>>();
  #isStarted = false;
  #filthiestRatio = 0;
  #lastRunMs: number;
  #isStopping = false;

  constructor(options: LogCleanerOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#lastRunMs = options.runtime.clock.monotonicMs();
    this.#throttle = new Throttle(options.runtime.clock, options.config.ioBytesPerSecondMax);
  }

  start(): void {
    this.#isStarted = true;
    this.#employ();
  }

  /** Counts at once, also for whoever pauses; a log that is being compacted keeps the buffers that it has (KIP-226). */
  configure(config: CleanerConfig): void {
    // Its next round is due when it was, whatever else of the broker has changed.
    if (isSame(config, this.#config)) return;
    this.#config = config;
    this.#throttle.bytesPerSecondMax = config.ioBytesPerSecondMax;
    if (!this.#isStarted || this.#isStopping) return;
    this.#employ();
    this.#wake();
  }

  #employ(): void {
    for (let number = 0; number < this.#config.threads; number += 1) {
      if (!this.#workers.has(number)) this.#workers.set(number, this.#work(number));
    }
  }

  /** Resolves when nothing is being compacted any more; what was half done is given up. */
  async close(): Promise<void> {
    this.stop();
    await Promise.all(this.#workers.values());
  }

  /** Nothing more is begun. */
  stop(): void {
    this.#isStopping = true;
    this.#wake();
  }

  #wake(): void {
    for (const [timer, resume] of this.#pauses) {
      timer.cancel();
      resume();
    }
    this.#pauses.clear();
  }

  /** Dirty bytes over all bytes, of the filthiest log that was found when one was looked for. */
  get filthiestRatio(): number {
    return this.#filthiestRatio;
  }

  /** Since a log was looked for. */
  get sinceLastRunMs(): number {
    return this.#options.runtime.clock.monotonicMs() - this.#lastRunMs;
  }

  isUncleanable(log: PartitionLog): boolean {
    return this.#uncleanable.has(log);
  }

  /** Compacts the filthiest log, if one needs it: false when none does. */
  async cleanFilthiest(): Promise<boolean> {
    const cleanable = await this.#grabFilthiest();
    if (cleanable === undefined) return false;
    const { log } = cleanable;
    try {
      return await this.#clean(cleanable);
    } finally {
      this.#inProgress.delete(log);
    }
  }

  async #work(number: number): Promise<void> {
    while (!this.#isStopping && number < this.#config.threads) {
      const hasCleaned = await this.cleanFilthiest();
      await this.#removeOldSegments();
      if (!hasCleaned) await this.#pause(this.#config.backoffMs);
    }
    this.#workers.delete(number);
  }

  async #grabFilthiest(): Promise<CleanableLog | undefined> {
    const nowMs = this.#options.runtime.clock.wallMs();
    this.#lastRunMs = this.#options.runtime.clock.monotonicMs();
    const candidates: CleanableLog[] = [];
    await this.#forEachLog((log) => {
      const cleanable = cleanableOf(log, nowMs);
      if (cleanable !== undefined) candidates.push(cleanable);
    });
    this.#filthiestRatio = candidates.reduce((most, { ratio }) => Math.max(most, ratio), 0);
    // Another worker may have taken one meanwhile.
    const filthiest = filthiestOf(candidates.filter(({ log }) => !this.#inProgress.has(log)));
    if (filthiest !== undefined) this.#inProgress.add(filthiest.log);
    return filthiest;
  }

  async #clean(cleanable: CleanableLog): Promise<boolean> {
    const { log } = cleanable;
    const { runtime } = this.#options;
    const config = this.#config;
    const cleaning = new Cleaning({
      log,
      clock: runtime.clock,
      buffers: runtime.disk.buffers,
      throttle: this.#throttle,
      bytesAtOnce: Math.max(BYTES_AT_ONCE_MIN, Math.floor(config.ioBufferBytes / config.threads)),
      decompressedBytesMax: config.decompressedBytesMax,
      isStopping: () => this.#isStopping,
    });
    const limits = { bytesMax: Math.floor(config.dedupeBufferBytes / config.threads), loadFactor: config.loadFactor };
    const startMs = runtime.clock.monotonicMs();
    try {
      const endOffset = await cleanLog(cleaning, cleanable, {
        nowMs: runtime.clock.wallMs(),
        limits,
        random: runtime.random,
      });
      await this.#markCleaned(log, endOffset);
      runtime.log.info('Cleaned log', {
        partition: nameOf(log),
        from: cleanable.firstDirtyOffset,
        to: endOffset,
        ...cleaning.stats,
        elapsedMs: Math.round(runtime.clock.monotonicMs() - startMs),
      });
      return true;
    } catch (error) {
      return this.#failed(log, error);
    }
  }

  /** The answer is whether to look for the next log at once. */
  #failed(log: PartitionLog, error: unknown): boolean {
    const partition = nameOf(log);
    const { log: messages } = this.#options.runtime;
    // What happens to the files of a log that went meanwhile says nothing.
    if (error instanceof CleaningAborted || log.isClosed || this.#isStopping) {
      messages.info('Compaction given up', { partition, error });
    } else if (error instanceof DiskError) {
      log.fail(error);
    } else {
      messages.warn('Unexpected exception thrown when cleaning log. Marking its partition as uncleanable', {
        partition,
        error,
      });
      this.#uncleanable.add(log);
    }
    return false;
  }

  #markCleaned(log: PartitionLog, offset: number): Promise<void> {
    return new Promise((resolve, reject) =>
      log.markCleaned(offset, (error) => (error === undefined ? resolve() : reject(error))),
    );
  }

  /** Retention of compacted logs is ours, so that both never work on one log (`LogCleanerManager.deletableLogs`). */
  #removeOldSegments(): Promise<void> {
    return this.#forEachLog((log) => log.deleteOldSegments(() => undefined));
  }

  /** Those that are compacted, and nobody is at work on. */
  async #forEachLog(act: (log: PartitionLog) => void): Promise<void> {
    const slice = new TimeSlice(this.#options.runtime.clock);
    for (const log of [...this.#options.logs()]) {
      if (this.#isStopping) return;
      const isOurs = log.config.compact && !log.isOffline && !log.isClosed;
      if (!isOurs || this.#inProgress.has(log) || this.#uncleanable.has(log)) continue;
      try {
        act(log);
      } catch (error) {
        this.#failed(log, error);
      }
      if (slice.isOver) await slice.pause();
    }
  }

  #pause(delayMs: number): Promise<void> {
    if (this.#isStopping) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#options.runtime.clock.after(delayMs, () => {
        this.#pauses.delete(timer);
        resolve();
      });
      this.#pauses.set(timer, resolve);
    });
  }
}

function nameOf({ topicPartition: { topic, partition } }: PartitionLog): string {
  return `${topic}-${partition}`;
}

function isSame(one: CleanerConfig, other: CleanerConfig): boolean {
  return (Object.keys(one) as (keyof CleanerConfig)[]).every((key) => one[key] === other[key]);
}
