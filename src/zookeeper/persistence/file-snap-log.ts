import { type Completion, DiskError, type File } from '../../runtime/disk.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { printHex, type SessionId, type Zxid } from '../jute/ids.ts';
import type { TxnRecord } from '../jute/txn.ts';
import type { DataTree, DataTreeOptions } from '../tree/data-tree.ts';
import { type EpochFileName, hasUnfinishedEpoch, readEpoch, writeEpoch } from './epoch-files.ts';
import {
  type Compression,
  listLogs,
  listSnapshots,
  type NamedFile,
  parentDirectory,
  VERSION_DIRECTORY,
} from './file-names.ts';
import { findPurgeable, purge } from './purge.ts';
import { type Recovered, RecoveryError, recoverBetween } from './recovery.ts';
import { SnapshotFileWriter } from './snapshot-file.ts';
import { SnapshotTrigger, type SnapshotTriggerOptions } from './snapshot-trigger.ts';
import { TxnLog, type TxnLogOptions } from './txn-log.ts';
import { BATCH_BYTES_MAX, ENTRY_HEADER_BYTES, LOG_HEADER_BYTES, RECORD_BYTES_MAX } from './txn-log-format.ts';

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
}

const BLOCK_BYTES = 64 * 1024;

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
  readonly #unsyncedParents = new Set<string>();
  #snapshot: SnapshotFileWriter | undefined;
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
    for (const directory of new Set([this.snapshotDirectory, this.logDirectory])) this.#makeDirectory(directory);
    this.#checkContents();
    this.log = new TxnLog(runtime, this.logDirectory, options.log);
    this.#trigger = new SnapshotTrigger(runtime.random, options.trigger);
  }

  /**
   * The database as the disk has it. A new one is on the disk before this resolves, or a log without any snapshot would look
   * like a loss. Rejects with RecoveryError, CorruptionError, DiskError.
   */
  async recover(): Promise<Recovered> {
    await this.#syncParents();
    this.#removeUnfinished();
    const recovered = await recoverBetween(this.#runtime, {
      snapshotDirectory: this.snapshotDirectory,
      logDirectory: this.logDirectory,
      ...this.#options,
    });
    await this.#syncRecovered();
    if (recovered.snapshot === undefined && recovered.lastZxid === 0n) await this.takeSnapshot(recovered);
    return recovered;
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
    if (this.#snapshot !== undefined) {
      this.#runtime.log.warn('Too busy to snap, skipping');
      return false;
    }
    const startMs = this.#runtime.clock.monotonicMs();
    const writer = new SnapshotFileWriter(
      this.#runtime,
      {
        tree,
        sessions,
        directory: this.snapshotDirectory,
        compression: this.#options.compression ?? 'none',
        lastProcessedZxid: this.#options.serializeLastProcessedZxid ?? true,
      },
      (error) => {
        this.#snapshot = undefined;
        const durationMs = Math.round(this.#runtime.clock.monotonicMs() - startMs);
        if (error === undefined) {
          this.#lastSnapshot = { path: writer.path, zxid: writer.zxid, durationMs };
          this.onSnapshot?.(this.#lastSnapshot);
        } else this.#runtime.log.error('Severe error, snapshot failed', { path: writer.path, error: error.message });
        done?.(error);
      },
    );
    this.#snapshot = writer;
    this.#runtime.log.info(`Snapshotting: ${printHex(writer.zxid)} to ${writer.path}`);
    return true;
  }

  /** Waits for the one being written, then takes one. */
  takeSnapshot(subject: SnapshotSubject): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        if (this.#snapshot !== undefined) this.#runtime.clock.after(1, begin);
        else this.startSnapshot(subject, settle(resolve, reject));
      };
      begin();
    });
  }

  /** What `purge` would remove. */
  findPurgeable(retainCount: number): NamedFile[] {
    return findPurgeable(this.#runtime, this.snapshotDirectory, this.logDirectory, retainCount);
  }

  /** Removes old snapshots and the logs that only they need. */
  purge(retainCount: number): NamedFile[] {
    return purge(this.#runtime, this.snapshotDirectory, this.logDirectory, retainCount);
  }

  readEpoch(name: EpochFileName): number | undefined {
    return readEpoch(this.#runtime.disk, this.snapshotDirectory, name);
  }

  writeEpoch(name: EpochFileName, epoch: number, done: Completion): void {
    writeEpoch(this.#runtime.disk, this.snapshotDirectory, name, epoch, done);
  }

  hasUnfinishedEpoch(): boolean {
    return hasUnfinishedEpoch(this.#runtime.disk, this.snapshotDirectory);
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

  #makeDirectory(directory: string): void {
    const { disk } = this.#runtime;
    if (disk.stat(directory)?.kind === 'directory') return;
    if (this.#options.createDirectories === false) {
      throw new RecoveryError(`Missing data directory ${directory}, automatic data directory creation is disabled`);
    }
    for (let created = directory; disk.stat(created) === undefined; created = parentDirectory(created)) {
      this.#unsyncedParents.add(parentDirectory(created));
    }
    disk.makeDirectory(directory);
  }

  /** A directory's name is durable once the one that holds it is synced. */
  async #syncParents(): Promise<void> {
    for (const directory of this.#unsyncedParents) await this.#syncDirectory(directory);
    this.#unsyncedParents.clear();
  }

  /**
   * What recovery has read may be in the page cache only, left there by a process that was killed before its sync. The log goes
   * on in a new file: without this a power failure could take the end of the old one from under it. A sync alone is not enough
   * where that process died of a failed one: the kernel took those pages for clean, so they are written again.
   */
  async #syncRecovered(): Promise<void> {
    const { disk } = this.#runtime;
    const newest = listLogs(disk, this.logDirectory).at(-1);
    if (newest !== undefined) {
      const file = disk.open(newest.path);
      rewriteLastBatch(file);
      await new Promise<void>((resolve, reject) => file.sync(settle(resolve, reject))).finally(() => file.close());
    }
    for (const directory of new Set([this.logDirectory, this.snapshotDirectory])) await this.#syncDirectory(directory);
  }

  #syncDirectory(directory: string): Promise<void> {
    return new Promise((resolve, reject) => this.#runtime.disk.syncDirectory(directory, settle(resolve, reject)));
  }

  /** FileTxnSnapLog.checkLogDir and checkSnapDir, for directories that are not one. */
  #checkContents(): void {
    const { disk } = this.#runtime;
    if (this.snapshotDirectory === this.logDirectory) return;
    if (listSnapshots(disk, this.logDirectory).length > 0) {
      throw new RecoveryError(
        'Log directory has snapshot files. Check if dataLogDir and dataDir configuration is correct.',
      );
    }
    if (listLogs(disk, this.snapshotDirectory).length > 0) {
      throw new RecoveryError(
        'Snapshot directory has log files. Check if dataLogDir and dataDir configuration is correct.',
      );
    }
  }

  /** Snapshots whose writing a crash ended. */
  #removeUnfinished(): void {
    const { disk } = this.#runtime;
    for (const { name } of disk.list(this.snapshotDirectory)) {
      if (!/^snapshot\..*\.tmp$/.test(name)) continue;
      try {
        disk.remove(`${this.snapshotDirectory}/${name}`);
      } catch (error) {
        if (!(error instanceof DiskError)) throw error;
      }
    }
  }
}

/** What a failed sync may have left in the page cache only: the last batch, in a file that ends in zeros. */
function rewriteLastBatch(file: File): void {
  const end = endOfEntries(file);
  const first = Math.max(0, end - LOG_HEADER_BYTES - BATCH_BYTES_MAX - RECORD_BYTES_MAX);
  for (let at = first; at < end; at += BLOCK_BYTES) file.writeAt(at, file.readAt(at, Math.min(BLOCK_BYTES, end - at)));
}

/**
 * Where the padding begins. An entry ends with a byte that is not zero, so zeros longer than any entry are padding, and so is
 * all behind them: halving finds the place with a few reads where the file has 64 MiB of zeros.
 */
function endOfEntries(file: File): number {
  const zeros = Buffer.alloc(ENTRY_HEADER_BYTES + RECORD_BYTES_MAX + 1);
  const memory = Buffer.allocUnsafe(zeros.length);
  let low = 0;
  let high = file.size;
  while (high - low > zeros.length) {
    const middle = low + Math.floor((high - low) / 2);
    const window = file.readAt(middle, Math.min(zeros.length, high - middle), memory);
    if (zeros.compare(window, 0, window.length, 0, window.length) === 0) high = middle;
    else low = middle;
  }
  const rest = file.readAt(low, high - low, memory);
  let end = rest.length;
  while (end > 0 && rest[end - 1] === 0) end -= 1;
  return low + end;
}

function settle(resolve: () => void, reject: (error: DiskError) => void): Completion {
  return (error) => (error === undefined ? resolve() : reject(error));
}
