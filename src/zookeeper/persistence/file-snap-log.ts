import { assert } from '../../base/assert.ts';
import { type Completion, DiskError } from '../../runtime/disk.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { printHex, type SessionId, type Zxid } from '../jute/ids.ts';
import type { TxnRecord } from '../jute/txn.ts';
import type { DataTree, DataTreeOptions } from '../tree/data-tree.ts';
import { completed } from './completed.ts';
import {
  checkContents,
  makeDirectories,
  removeUnfinished,
  syncDirectories,
  syncRecovered,
} from './database-directories.ts';
import { type EpochFileName, readEpoch, writeEpoch } from './epoch-files.ts';
import { type Compression, listLogs, listSnapshots, type NamedFile, VERSION_DIRECTORY } from './file-names.ts';
import { type HistoryCut, makeNotedCut, noteCut, receivedName } from './history-cut.ts';
import { loggedFrom } from './logged-proposals.ts';
import { findPurgeable, purge } from './purge.ts';
import {
  type CommittedProposal,
  type Recovered,
  RecoveryError,
  type RecoveryOptions,
  recoverInSlices,
} from './recovery.ts';
import { inTurns } from './slice.ts';
import { SnapshotFileWriter } from './snapshot-file.ts';
import { SnapshotTrigger, type SnapshotTriggerOptions } from './snapshot-trigger.ts';
import { TxnLog, type TxnLogOptions } from './txn-log.ts';

export interface FileSnapLogOptions {
  readonly dataDir: string;
  /** Default: dataDir. */
  readonly dataLogDir?: string;
  readonly tree?: DataTreeOptions;
  readonly log?: TxnLogOptions;
  readonly trigger?: SnapshotTriggerOptions;
  readonly commitLogCount?: number;
  readonly trustEmptySnapshot?: boolean;
  readonly autoCreate?: boolean;
  /** `zookeeper.datadir.autocreate`, default true. */
  readonly createDirectories?: boolean;
  /** `zookeeper.snapshot.compression.method`, default none. */
  readonly compression?: Compression;
  /** `zookeeper.serializeLastProcessedZxid.enabled`, default true. */
  readonly serializeLastProcessedZxid?: boolean;
  /**
   * `zookeeper.snapshotSizeFactor`, default 0.33: the part of a snapshot up to which a learner gets transactions of the log instead;
   * 0 for any number of them, negative for none.
   */
  readonly snapshotSizeFactor?: number;
}

/** ZKDatabase.DEFAULT_SNAPSHOT_SIZE_FACTOR */
const SNAPSHOT_SIZE_FACTOR = 0.33;

/** Whose state a snapshot takes. */
export interface SnapshotSubject {
  readonly tree: DataTree;
  /** Global sessions with their timeouts in milliseconds. */
  readonly sessions: ReadonlyMap<SessionId, number>;
}

export interface TakenSnapshot {
  readonly path: string;
  readonly zxid: Zxid;
  readonly durationMs: number;
}

/** The two directories of a server: transaction logs and snapshots, as Apache lays them out. */
export class FileSnapLog {
  readonly log: TxnLog;
  readonly snapshotDirectory: string;
  readonly logDirectory: string;
  readonly #runtime: Runtime;
  readonly #options: FileSnapLogOptions;
  readonly #trigger: SnapshotTrigger;
  readonly #unsyncedParents: Set<string>;
  #snapshot: SnapshotFileWriter | undefined;
  /** The end of the history is being replaced: no snapshot may be named meanwhile. */
  #isCutting = false;
  #lastSnapshot: TakenSnapshot | undefined;
  /** Hears of each snapshot taken. */
  onSnapshot: ((snapshot: TakenSnapshot) => void) | undefined;

  /**
   * Makes the directories and looks that they are not swapped.
   * @throws RecoveryError, DiskError
   */
  constructor(runtime: Runtime, options: FileSnapLogOptions) {
    const { dataDir, dataLogDir = dataDir } = options;
    this.#runtime = runtime;
    this.#options = options;
    this.snapshotDirectory = `${dataDir}/${VERSION_DIRECTORY}`;
    this.logDirectory = `${dataLogDir}/${VERSION_DIRECTORY}`;
    this.#unsyncedParents = makeDirectories(runtime.disk, this, options.createDirectories ?? true);
    checkContents(runtime.disk, this);
    this.log = new TxnLog(runtime, this.logDirectory, options.log);
    this.#trigger = new SnapshotTrigger(runtime.random, options.trigger);
  }

  /**
   * The database as the disk has it. A new one is on the disk before this resolves, or a log without any snapshot would look
   * like a loss. Rejects with RecoveryError, CorruptionError, DiskError.
   */
  async recover(): Promise<Recovered> {
    const { disk } = this.#runtime;
    await syncDirectories(disk, this.#unsyncedParents);
    this.#unsyncedParents.clear();
    await makeNotedCut(this.#runtime, this);
    removeUnfinished(disk, this.snapshotDirectory);
    const recovered = await this.#read();
    await syncRecovered(disk, this);
    if (recovered.snapshot === undefined && recovered.lastZxid === 0n) await this.takeSnapshot(recovered);
    return recovered;
  }

  /**
   * Forgets every transaction after a zxid, for a leader that has never had them (TRUNC): logs are cut, and snapshots of later states
   * removed. Answers what is left, which ends at the newest transaction at or before the zxid; undefined, and nothing has changed,
   * where that cannot be put together: no snapshot is as old, transactions between it and the zxid are missing, or it was being
   * written when later ones came. All or nothing, whenever a crash comes; durable when it resolves.
   * Rejects with DiskError, CorruptionError.
   */
  truncate(zxid: Zxid): Promise<Recovered | undefined> {
    return this.#alone(async () => {
      const kept = await this.#readUntil(zxid);
      if (kept?.snapshot === undefined || !kept.isWhole) return undefined;
      await this.#cut({ zxid: kept.lastZxid, snapshot: kept.snapshot.name, isReceived: false });
      return kept;
    });
  }

  /**
   * Takes the place of all that is here: the database that a leader sent (SNAP), as of its last zxid. What was logged after that zxid
   * is gone before the snapshot counts, so that it is never replayed over it. A crash leaves either what was before or all of the
   * new; durable when it resolves. Rejects with DiskError.
   */
  installSnapshot(subject: SnapshotSubject): Promise<void> {
    return this.#alone(async () => {
      const { zxid, name } = await this.#receive(subject);
      await this.#cut({ zxid, snapshot: name, isReceived: true });
    });
  }

  /** Appends; true if it is time for a snapshot: the log has been rolled, and whoever owns the tree takes one. */
  append(record: TxnRecord): boolean {
    this.log.append(record);
    return this.countAppended();
  }

  /** For who appends by `log.append`: the trigger, after each transaction. */
  countAppended(): boolean {
    if (!this.#trigger.logged(this.log.bytesSinceRoll)) return false;
    this.log.roll();
    return true;
  }

  get isSnapshotting(): boolean {
    return this.#snapshot !== undefined;
  }

  /** The newest one that this process wrote, and how long it took. */
  get lastSnapshot(): TakenSnapshot | undefined {
    return this.#lastSnapshot;
  }

  /** Begins a snapshot of the tree as it is now; false if one is still being written. */
  startSnapshot({ tree, sessions }: SnapshotSubject, done?: Completion): boolean {
    if (this.#snapshot !== undefined || this.#isCutting) {
      this.#runtime.log.warn('Too busy to snap, skipping');
      return false;
    }
    const startMs = this.#runtime.clock.monotonicMs();
    const writer = this.#write({ tree, sessions }, (error) => {
      const durationMs = Math.round(this.#runtime.clock.monotonicMs() - startMs);
      if (error === undefined) {
        this.#lastSnapshot = { path: writer.path, zxid: writer.zxid, durationMs };
        this.onSnapshot?.(this.#lastSnapshot);
      }
      done?.(error);
    });
    this.#runtime.log.info(`Snapshotting: ${printHex(writer.zxid)} to ${writer.path}`);
    return true;
  }

  /** Waits for the one being written, then takes one. */
  takeSnapshot(subject: SnapshotSubject): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        if (this.#snapshot !== undefined || this.#isCutting) this.#runtime.clock.after(1, begin);
        else this.startSnapshot(subject, (error) => (error === undefined ? resolve() : reject(error)));
      };
      begin();
    });
  }

  /** Transactions of the log for a learner, from the last one at or before a zxid on; see `loggedFrom`. */
  loggedFrom(zxid: Zxid): IterableIterator<CommittedProposal> {
    const { disk } = this.#runtime;
    const newest = listSnapshots(disk, this.snapshotDirectory).at(-1);
    const snapshotBytes = newest === undefined ? 0 : (disk.stat(newest.path)?.size ?? 0);
    const { snapshotSizeFactor: factor = SNAPSHOT_SIZE_FACTOR } = this.#options;
    return loggedFrom(this.#runtime, this, zxid, Math.floor(snapshotBytes * factor));
  }

  /** What `purge` would remove. */
  findPurgeable(retainCount: number): NamedFile[] {
    return findPurgeable(this.#runtime, this.snapshotDirectory, this.logDirectory, retainCount);
  }

  /** Removes old snapshots and the logs that only they need; nothing while the history is being cut, which may need them. */
  purge(retainCount: number): NamedFile[] {
    if (this.#isCutting) return [];
    return purge(this.#runtime, this.snapshotDirectory, this.logDirectory, retainCount);
  }

  readEpoch(name: EpochFileName): number | undefined {
    return readEpoch(this.#runtime.disk, this.snapshotDirectory, name);
  }

  writeEpoch(name: EpochFileName, epoch: number, done: Completion): void {
    writeEpoch(this.#runtime.disk, this.snapshotDirectory, name, epoch, done);
  }

  /** Bytes of all logs and of all snapshots, for AdminServer and metrics. */
  sizes(): { readonly logBytes: number; readonly snapshotBytes: number } {
    const { disk } = this.#runtime;
    const sum = (files: readonly NamedFile[]): number =>
      files.reduce((total, file) => total + (disk.stat(file.path)?.size ?? 0), 0);
    return {
      logBytes: sum(listLogs(disk, this.logDirectory)),
      snapshotBytes: sum(listSnapshots(disk, this.snapshotDirectory)),
    };
  }

  /** Flushes the log; a snapshot that is not finished is given up. */
  close(done: Completion): void {
    this.#snapshot?.cancel();
    this.#snapshot = undefined;
    this.log.close(done);
  }

  #write(
    { tree, sessions }: SnapshotSubject,
    done: (error: DiskError | undefined) => void,
    nameOf?: (name: string) => string,
  ): SnapshotFileWriter {
    const { compression = 'none', serializeLastProcessedZxid: lastProcessedZxid = true } = this.#options;
    const directory = this.snapshotDirectory;
    const options = { tree, sessions, directory, compression, lastProcessedZxid };
    const writer = new SnapshotFileWriter(
      this.#runtime,
      nameOf === undefined ? options : { ...options, nameOf },
      (error) => {
        this.#snapshot = undefined;
        if (error !== undefined) {
          this.#runtime.log.error('Severe error, snapshot failed', { path: writer.path, error: error.message });
        }
        done(error);
      },
    );
    this.#snapshot = writer;
    return writer;
  }

  /** What is done to the history while nothing is appended and no snapshot written. */
  async #alone<T>(act: () => Promise<T>): Promise<T> {
    assert(!this.#isCutting, 'two cuts of the history at a time');
    this.#isCutting = true;
    try {
      await this.#giveUpSnapshot();
      await completed((done) => this.log.flush(done));
      return await act();
    } finally {
      this.#isCutting = false;
    }
  }

  #giveUpSnapshot(): Promise<void> {
    const snapshot = this.#snapshot;
    if (snapshot === undefined) return Promise.resolve();
    this.#snapshot = undefined;
    return new Promise((resolve) => snapshot.cancel(resolve));
  }

  /** The history up to a zxid, and nothing is changed; undefined where there is none. */
  async #readUntil(zxid: Zxid): Promise<Recovered | undefined> {
    try {
      return await this.#read({ readOnly: true, until: zxid });
    } catch (error) {
      if (error instanceof RecoveryError) return undefined;
      throw error;
    }
  }

  #read(more: Pick<RecoveryOptions, 'readOnly' | 'until'> = {}): Promise<Recovered> {
    const { snapshotDirectory, logDirectory } = this;
    const slices = recoverInSlices(this.#runtime, { snapshotDirectory, logDirectory, ...this.#options, ...more });
    return inTurns(this.#runtime.clock, slices);
  }

  /** Complete and durable, but not yet what recovery looks for. */
  #receive(subject: SnapshotSubject): Promise<SnapshotFileWriter> {
    return new Promise((resolve, reject) => {
      const writer = this.#write(
        subject,
        (error) => (error === undefined ? resolve(writer) : reject(error)),
        receivedName,
      );
    });
  }

  /** After a failure nothing may be logged any more: the next start would cut it off. */
  async #cut(cut: HistoryCut): Promise<void> {
    try {
      await noteCut(this.#runtime.disk, this, cut);
      await makeNotedCut(this.#runtime, this);
    } catch (error) {
      this.log.fail(
        error instanceof DiskError ? error : new DiskError('EIO', this.logDirectory, 'truncate', { cause: error }),
      );
      throw error;
    }
    this.log.continueAfter(cut.zxid);
  }
}
