import { type AppendInfo, type NumberedRecords, numberBatches } from '../../src/kafka/log/append.ts';
import { defaultCleanerConfig } from '../../src/kafka/log/cleaner/cleaner-config.ts';
import { LogCleaner } from '../../src/kafka/log/cleaner/log-cleaner.ts';
import { parseDirectoryName, type TopicPartition } from '../../src/kafka/log/file-names.ts';
import type { PartitionLog } from '../../src/kafka/log/log.ts';
import { defaultLogConfig, type LogConfig } from '../../src/kafka/log/log-config.ts';
import { LogCopy } from '../../src/kafka/log/log-copy.ts';
import type { LogDirectory } from '../../src/kafka/log/log-directory.ts';
import { LogManager } from '../../src/kafka/log/log-manager.ts';
import type { AppendOrigin } from '../../src/kafka/log/producer-state.ts';
import { buildBatch } from '../../src/kafka/records/builder.ts';
import { buildEndTxnMarker } from '../../src/kafka/records/control.ts';
import type { SimMachine } from '../../src/runtime/sim/sim-machine.ts';
import type { SimRandom } from '../../src/runtime/sim/sim-random.ts';
import { Simulation } from '../../src/runtime/sim/simulation.ts';
import { LogBook } from './log-book.ts';
import { checkContents, type Ending } from './log-contents.ts';
import { type DrawnBatch, IDEMPOTENT, type LogStep, type PartitionName, partitionNames } from './log-crash-workload.ts';
import { checkFiles, hasCleanMarker, LOG_DIRS } from './log-dir-files.ts';
import { checkKnowledge, pictureOf, textOf } from './log-picture.ts';
import { must } from './violation.ts';

export interface LogCrashOptions {
  readonly seed: number | string;
  readonly steps: readonly LogStep[];
  readonly config: Partial<LogConfig>;
  readonly random: SimRandom;
  readonly onLog?: (line: string) => void;
}

/** How a run ends for the first time. */
export interface LogDisturbance {
  readonly kind: Ending;
  /** At the how-manieth change of the disk, from 1. */
  readonly at: number;
  /** So many events after it; undefined: in place of it. */
  readonly eventsLater?: number;
}

/** The process is gone, with what was left of a step. */
class Interrupted extends Error {}

export const EVENTS_LATER = 4;
const LIMIT_MS = 60_000;
/** Once a process has come up again, all that it began by itself is over after so long. */
const QUIET_MS = 250;
const COMPACTED: Partial<LogConfig> = {
  compact: true,
  delete: false,
  minCleanableDirtyRatio: 0,
  deleteRetentionMs: 86_400_000,
};

/** A broker's logs on one machine, walked through the steps; whoever ends it; and the books of what must be there then. */
export class LogCrashRun {
  readonly sim: Simulation;
  readonly machine: SimMachine;
  readonly #options: LogCrashOptions;
  readonly #books = new Map<PartitionName, LogBook>();
  readonly #epochs = new Map<PartitionName, number>();
  #manager: LogManager | undefined;
  #topics = 0;
  #values = 0;
  #crashAt: { readonly change: number; eventsLeft: number; readonly kind: Ending } | undefined;
  /** What the crashes since the last check may have taken. */
  #ending: Ending = 'process';
  /** This process found a log dir as a clean stop had left it: nothing is read then. */
  #isClean = false;
  #error: unknown;
  recoveries = 0;

  constructor(options: LogCrashOptions) {
    this.#options = options;
    const { seed, onLog } = options;
    this.sim = new Simulation({ seed, ...(onLog === undefined ? {} : { onLog }) });
    this.machine = this.sim.machine('broker');
    this.machine.onFatal = (error) => {
      if (this.machine.alive) this.#error ??= error;
    };
  }

  async walk(disturbance?: LogDisturbance): Promise<void> {
    if (disturbance !== undefined) this.#disturb(disturbance);
    await this.#come();
    for (const step of this.#options.steps) await this.#try(() => this.#perform(step));
    this.#rest();
    await this.#perform({ kind: 'restart', how: 'stop' });
    await this.#perform({ kind: 'restart', how: 'power' });
  }

  // ---------------------------------------------------------------- crashes

  #disturb({ kind, at, eventsLater }: LogDisturbance): void {
    const { disk } = this.machine;
    if (eventsLater === undefined) disk.setTrap({ at, changesOnly: true, act: () => this.#crash(kind) });
    else this.#crashAt = { change: disk.faults.changeCount + at, eventsLeft: eventsLater, kind };
  }

  #crash(kind: Ending): void {
    if (kind === 'power') this.#ending = 'power';
    this.#crashAt = undefined;
    for (const [name, book] of this.#books) {
      const log = this.#manager?.get(partitionOf(name));
      // What the log took for durable must be, whoever asked for it.
      if (log !== undefined && log.topicId === book.topicId && !book.isReleased) {
        book.durable = Math.max(book.durable, Math.min(log.recoveryPoint, log.logEndOffset));
      }
    }
    this.machine.crash(kind);
  }

  #rest(): void {
    this.machine.disk.faults.clear();
    this.#crashAt = undefined;
  }

  async #try(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      await this.#come();
    }
  }

  /** Asked after every event. */
  #isOver(): boolean {
    if (this.#error !== undefined) throw this.#error;
    const crash = this.#crashAt;
    if (crash !== undefined && this.machine.disk.faults.changeCount >= crash.change) {
      crash.eventsLeft -= 1;
      if (crash.eventsLeft < 0) this.#crash(crash.kind);
    }
    return !this.machine.alive;
  }

  /** @throws Interrupted when the process ends meanwhile */
  async #finish<T>(begin: () => Promise<T> | T): Promise<T> {
    let outcome: { readonly value: T } | { readonly error: unknown } | undefined;
    const run = async (): Promise<T> => begin();
    run().then(
      (value) => (outcome = { value }),
      (error) => (outcome = { error }),
    );
    await this.sim.runUntil(() => this.#isOver() || outcome !== undefined, LIMIT_MS);
    if (!this.machine.alive) throw new Interrupted();
    if (outcome !== undefined && 'value' in outcome) return outcome.value;
    throw outcome?.error;
  }

  // ---------------------------------------------------------------- the process

  /** Starts, if need be several times; is checked; and once more, which changes nothing. */
  async #come(): Promise<void> {
    const { random } = this.#options;
    let isFirst = this.recoveries === 0;
    for (let tries = 0; ; tries += 1) {
      if (!this.machine.alive) this.machine.restart();
      this.recoveries += 1;
      if (!isFirst && tries < 3 && random.chance(1 / 2)) this.#disturb(drawDisturbance(random, 20));
      isFirst = false;
      try {
        await this.#open();
        break;
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error;
      }
    }
    const isRecovered = this.#books.size > 0;
    if (isRecovered) {
      this.#rest();
      await this.#again(await this.#inspect());
    }
    if (isRecovered && random.chance(1 / 3)) this.#disturb(drawDisturbance(random, 60));
    await this.#try(() => this.#complete());
  }

  async #open(): Promise<void> {
    const { config, random } = this.#options;
    this.#manager = undefined;
    this.#isClean = hasCleanMarker(this.machine);
    const plain = { ...defaultLogConfig, ...config };
    const tidy = { ...plain, ...COMPACTED };
    this.#manager = await this.#finish(() =>
      LogManager.open({
        runtime: this.machine.runtime,
        logDirs: LOG_DIRS,
        configOf: (topic) => (topic === 'tidy' ? tidy : plain),
        cleaner: { enabled: false },
        intervals: {
          recoveryPointCheckpointMs: 400 + random.below(300),
          logStartOffsetCheckpointMs: 400 + random.below(300),
          highWatermarkCheckpointMs: 400 + random.below(300),
        },
      }),
    );
    const failed = this.#manager.directories.find(({ isOnline }) => !isOnline);
    must(failed === undefined, () => `${failed?.path} is offline: ${failed?.failure?.message}`);
  }

  /** Compares each log with its book, which then goes by what is there. The answer is all that is there. */
  async #inspect(isClean = this.#isClean): Promise<string> {
    const manager = this.#manager!;
    const ending = this.#ending;
    checkFiles(this.machine);
    const texts: string[] = [];
    for (const [name, book] of [...this.#books]) {
      const log = manager.get(partitionOf(name));
      if (log === undefined) {
        must(book.mayBeGone, () => `${name} is gone`);
        this.#books.delete(name);
        continue;
      }
      const picture = pictureOf(this.machine, log);
      checkContents(name, book, picture, ending);
      checkKnowledge(name, book, picture);
      book.found(picture, log.segments[0]!.baseOffset);
      texts.push(`${name} ${textOf(picture, isClean)}`);
    }
    this.#ending = 'process';
    await this.#finish(() => this.#wait(QUIET_MS));
    const files = checkFiles(this.machine);
    // A recovery makes indexes and snapshots anew.
    return [...texts, ...(isClean ? [] : files)].join('\n');
  }

  /** A process that ends as soon as it has come up leaves the same to the next one. */
  async #again(before: string): Promise<void> {
    const wasClean = this.#isClean;
    this.machine.crash('process');
    this.machine.restart();
    await this.#open();
    const after = await this.#inspect(wasClean);
    must(after === before, () => `a second recovery changes what the first one left:\n${difference(before, after)}`);
  }

  /** What the controller asks of a broker that has come up: missing partitions are made, interrupted moves go on. */
  async #complete(): Promise<void> {
    const manager = this.#manager!;
    for (const name of partitionNames) {
      if (!this.#books.has(name)) await this.#make(name);
      const log = this.#log(name);
      const book = this.#book(name);
      if (log.topicId === undefined) log.assignTopicId(book.topicId);
      book.mayBeGone = false;
      if (manager.future(partitionOf(name)) !== undefined) await this.#moveOn(name);
    }
  }

  async #make(name: PartitionName): Promise<void> {
    this.#topics += 1;
    const book = new LogBook(`topic${this.#topics}`.padEnd(22, 'x'));
    this.#books.set(name, book);
    const log = await this.#finish(() => this.#manager!.getOrCreate(partitionOf(name), true));
    must(log.logEndOffset === 0, () => `${name} is made anew, and has records up to ${log.logEndOffset}`);
    book.mayBeGone = false;
    log.assignTopicId(book.topicId);
  }

  #log(name: PartitionName): PartitionLog {
    const log = this.#manager!.get(partitionOf(name));
    must(log !== undefined, () => `${name} is gone`);
    return log;
  }

  #book(name: PartitionName): LogBook {
    const book = this.#books.get(name);
    must(book !== undefined, () => `${name} has no book`);
    return book;
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.machine.runtime.clock.after(ms, () => resolve()));
  }

  // ---------------------------------------------------------------- steps

  async #perform(step: LogStep): Promise<void> {
    switch (step.kind) {
      case 'append':
        return this.#finish(() => this.#append(step.name, step.batches));
      case 'end':
        return this.#finish(() => this.#end(step.name, step.producerId, step.committed));
      case 'wait':
        return this.#finish(() => this.#wait(step.ms));
      case 'checkpoint':
        return this.#finish(() => this.#checkpoint(step.what));
      case 'clean':
        return this.#finish(() => this.#clean());
      case 'make anew': {
        this.#book(step.name).mayBeGone = true;
        await this.#finish(() => this.#manager!.delete(partitionOf(step.name)));
        return this.#make(step.name);
      }
      case 'move':
        return this.#move(step.name);
      case 'restart':
        return this.#restart(step.how);
      default:
        await this.#finish(() => written(this.#log(step.name)));
        return this.#finish(() => this.#change(step));
    }
  }

  #change(step: Extract<LogStep, { readonly name: PartitionName }>): Promise<void> | void {
    const log = this.#log(step.name);
    const book = this.#book(step.name);
    const between = (share: number): number =>
      log.logStartOffset + Math.round((log.logEndOffset - log.logStartOffset) * share);
    switch (step.kind) {
      case 'lead': {
        const epoch = (this.#epochs.get(step.name) ?? 0) + 1;
        this.#epochs.set(step.name, epoch);
        return log.assignEpoch(epoch, log.logEndOffset);
      }
      case 'flush':
        return flush(log, book);
      case 'roll':
        return settled((done) => log.roll(done));
      case 'replicate':
        return this.#replicate(log, book, between(step.share));
      case 'delete records': {
        this.#replicate(log, book, log.logEndOffset);
        book.start = Math.max(book.start, between(step.share));
        return log.deleteRecords(between(step.share));
      }
      case 'retain':
        return this.#retain(log, book);
      case 'truncate':
        return truncate(log, book, between(step.share));
      case 'truncate fully':
        return truncateFully(log, book);
      default:
        throw new RangeError(step.kind);
    }
  }

  #append(name: PartitionName, batches: readonly DrawnBatch[]): Promise<void> {
    const log = this.#log(name);
    const answers = batches.map(({ producerId, records }) => {
      const wallMs = this.machine.runtime.clock.wallMs();
      const drawn = records.map(({ key, size }) => {
        this.#values += 1;
        const value = size === undefined ? null : Buffer.from(`${this.#values} `.padEnd(size, '.'));
        return { key: Buffer.from(key), value, timestamp: wallMs - ((this.#values * 7) % 40) };
      });
      const last = log.producers.get(producerId)?.batches.at(-1)?.lastSequence ?? -1;
      const producer = {
        producerId,
        producerEpoch: 0,
        baseSequence: last + 1,
        isTransactional: producerId > IDEMPOTENT,
      };
      const bytes = buildBatch({ records: drawn, ...(producerId < 0 ? {} : producer) });
      return this.#give(name, numberBatches(bytes, log.nextOffset, this.#epochs.get(name) ?? 0), 'client');
    });
    return Promise.all(answers).then(() => undefined);
  }

  async #end(name: PartitionName, producerId: number, committed: boolean): Promise<void> {
    const log = this.#log(name);
    if (!log.producers.isOngoing(producerId, 0)) return;
    const timestampMs = this.machine.runtime.clock.wallMs();
    const marker = buildEndTxnMarker({ committed, producerId, producerEpoch: 0, timestampMs, coordinatorEpoch: 3 });
    await this.#give(name, numberBatches(marker, log.nextOffset, this.#epochs.get(name) ?? 0), 'coordinator');
  }

  /** Enters it into the book first: of what a crash cuts off everything may be in the file. */
  #give(name: PartitionName, records: NumberedRecords, origin: AppendOrigin): Promise<void> {
    const log = this.#log(name);
    const book = this.#book(name);
    book.append(records);
    return new Promise((resolve, reject) => {
      log.appendAsLeader(records, origin, (error, info: AppendInfo | undefined) => {
        if (error !== undefined || info === undefined) return reject(error);
        book.answered = Math.max(book.answered, info.lastOffset + 1);
        resolve();
      });
    });
  }

  #replicate(log: PartitionLog, book: LogBook, offset: number): void {
    book.highWatermark = Math.max(book.highWatermark, offset);
    log.updateHighWatermark(offset);
  }

  async #retain(log: PartitionLog, book: LogBook): Promise<void> {
    this.#replicate(log, book, log.logEndOffset);
    const before = book.start;
    book.start = log.logEndOffset;
    await settled((done) => log.deleteOldSegments(done));
    book.start = Math.max(before, log.logStartOffset);
    book.firstBase = log.segments[0]!.baseOffset;
  }

  async #checkpoint(what: Extract<LogStep, { kind: 'checkpoint' }>['what']): Promise<void> {
    const books = [...this.#books].map(([name, book]) => ({ book, log: this.#log(name) }));
    const then = books.map(({ book, log }) => ({ book, start: log.logStartOffset, mark: log.highWatermark }));
    const write = (directory: LogDirectory) => (done: (error?: Error) => void) => {
      if (what === 'start offsets') directory.checkpointLogStartOffsets(done);
      else if (what === 'recovery points') directory.checkpointRecoveryPoints(done);
      else directory.checkpointHighWatermarks(done);
    };
    await Promise.all(this.#manager!.directories.map((directory) => settled(write(directory))));
    for (const { book, start, mark } of then) {
      if (what === 'start offsets') book.durableStart = Math.max(book.durableStart, start);
      if (what === 'high watermarks') book.durableHighWatermark = mark;
    }
  }

  async #clean(): Promise<void> {
    const log = this.#log('tidy-0');
    const book = this.#book('tidy-0');
    const { runtime } = this.machine;
    await settled((done) => log.roll(done));
    this.#replicate(log, book, log.logEndOffset);
    book.isCompacted = true;
    await new LogCleaner({ runtime, config: defaultCleanerConfig, logs: () => [log] }).cleanFilthiest();
  }

  async #move(name: PartitionName): Promise<void> {
    const manager = this.#manager!;
    const from = manager.directoryOf(this.#log(name));
    const target = manager.directories.find((directory) => directory !== from)!;
    const future = await this.#finish(() => manager.createFuture(partitionOf(name), target));
    future.assignTopicId(this.#book(name).topicId);
    await this.#moveOn(name);
  }

  /** As `LogDirMoves` does it, while nothing is appended. */
  async #moveOn(name: PartitionName): Promise<void> {
    const manager = this.#manager!;
    const future = manager.future(partitionOf(name))!;
    if (future.topicId === undefined) future.assignTopicId(this.#book(name).topicId);
    const copy = new LogCopy(this.#log(name), future);
    await this.#finish(async () => {
      do await copy.next();
      while (!copy.isWhole);
      await settled((done) => future.flush(done));
      await manager.replaceWithFuture(partitionOf(name));
      copy.follow();
    });
    this.#book(name).firstBase = future.segments[0]!.baseOffset;
  }

  async #restart(how: Extract<LogStep, { kind: 'restart' }>['how']): Promise<void> {
    if (how === 'stop') {
      await this.#finish(() => this.#manager!.close());
      for (const [name, book] of this.#books) book.stopped(this.#log(name));
    }
    this.#crash(how === 'stop' ? 'process' : how);
    await this.#come();
  }
}

/** At one of so many changes of the disk. */
export function drawDisturbance(random: SimRandom, changes: number): LogDisturbance {
  const at = 1 + random.below(changes);
  const kind = random.pick(['process', 'power'] as const);
  return random.chance(1 / 2) ? { at, kind } : { at, kind, eventsLater: random.below(EVENTS_LATER) };
}

function partitionOf(name: PartitionName): TopicPartition {
  return parseDirectoryName(name)!;
}

function settled(start: (done: (error?: Error) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => start((error) => (error === undefined ? resolve() : reject(error))));
}

const written = (log: PartitionLog): Promise<void> => settled((done) => log.whenWritten(done));

async function flush(log: PartitionLog, book: LogBook): Promise<void> {
  const { logEndOffset } = log;
  await settled((done) => log.flush(done));
  book.durable = Math.max(book.durable, logEndOffset);
}

/** Followers truncate where batches begin: leader epochs do. */
async function truncate(log: PartitionLog, book: LogBook, offset: number): Promise<void> {
  const batch = book.between(log.logStartOffset, log.logEndOffset).find(({ header }) => header.lastOffset >= offset);
  const end = batch?.header.baseOffset ?? log.logEndOffset;
  if (end < log.logStartOffset) return;
  book.release(end);
  await settled((done) => log.truncateTo(end, done));
  book.cut(end);
}

/** Beyond what the log has: its leader begins there. */
async function truncateFully(log: PartitionLog, book: LogBook): Promise<void> {
  const offset = log.logEndOffset + 3;
  book.release(0);
  book.anewAt = offset;
  await settled((done) => log.truncateFullyAndStartAt(offset, done));
  book.begunAnew(offset);
}

function difference(before: string, after: string): string {
  const [old, now] = [before.split('\n'), after.split('\n')];
  const lost = old.filter((line) => !now.includes(line)).map((line) => `- ${line}`);
  const come = now.filter((line) => !old.includes(line)).map((line) => `+ ${line}`);
  return [...lost, ...come].join('\n');
}
