import { CorruptionError } from '../../runtime/disk.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { isGap, printHex, type SessionId, type Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import type { TxnRecord } from '../jute/txn.ts';
import { DataTree, type DataTreeOptions } from '../tree/data-tree.ts';
import { CommittedLog } from './committed-log.ts';
import { listLogs, listSnapshots, type NamedFile, parentDirectory } from './file-names.ts';
import { readHistoryStart } from './history-start.ts';
import { Slice } from './slice.ts';
import { loadSnapshotFile, looksValid } from './snapshot-file.ts';
import { LOG_HEADER_BYTES } from './txn-log-format.ts';
import { type TxnLogEntry, TxnLogReader } from './txn-log-reader.ts';

export interface RecoveryOptions {
  /** `<dataDir>/version-2` */
  readonly snapshotDirectory: string;
  /** `<dataLogDir>/version-2` */
  readonly logDirectory: string;
  readonly tree?: DataTreeOptions;
  /** `zookeeper.commitLogCount`, default and minimum 500: how many proposals to remember for learners. */
  readonly commitLogCount?: number;
  /** `zookeeper.snapshot.trust.empty`: accept logs without any snapshot, for an upgrade from 3.4. */
  readonly trustEmptySnapshot?: boolean;
  /** `zookeeper.db.autocreate`, default true: begin with an empty database where there is none. */
  readonly autoCreate?: boolean;
  /** Changes no file: nothing torn or empty is removed. */
  readonly readOnly?: boolean;
  /** Default: to the end. What is after this zxid is taken for not there, snapshots too. */
  readonly until?: Zxid;
}

/** A transaction that is in the log: what a leader sends to a learner that lacks it. */
export interface CommittedProposal {
  readonly zxid: Zxid;
  /** Header, body and digest. */
  readonly bytes: Uint8Array;
}

export interface Recovered {
  readonly tree: DataTree;
  /** Timeouts in milliseconds. */
  readonly sessions: Map<SessionId, number>;
  /** Of the newest transaction; -1 where there is no database and none may be created. */
  readonly lastZxid: Zxid;
  /** The newest transactions, oldest first. */
  readonly proposals: CommittedProposal[];
  /** Undefined: the database is new. */
  readonly snapshot: NamedFile | undefined;
  readonly replayedCount: number;
  /** Transactions after which the tree had another digest than its writer. */
  readonly digestMismatches: number;
  /**
   * False: transactions are missing between two, or the snapshot was being written until after the last one, and may show some that
   * are not there.
   */
  readonly isWhole: boolean;
  /** How long it took to load the snapshot, and then to replay the logs. */
  readonly snapshotLoadMs: number;
  readonly replayMs: number;
}

/** The data directory does not hold what a server can start from. */
export class RecoveryError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RecoveryError';
  }
}

/** How many snapshots are tried (FileSnap.deserialize). */
const SNAPSHOTS_TRIED_MAX = 100;
const ENTRIES_PER_SLICE = 500;
const ZXID_MAX = (2n ** 63n - 1n) as Zxid;

/**
 * The newest snapshot that is whole, and every transaction after it. Iterate to the end; between the slices others may run.
 * Repairs the end of the newest log if a crash tore it, so that every later reader sees the same end.
 * @throws RecoveryError, CorruptionError, DiskError
 */
export function* recoverInSlices(runtime: Runtime, options: RecoveryOptions): Generator<undefined, Recovered> {
  return yield* new Recovery(runtime, options).run();
}

/** At once: for tools and tests. */
export function recover(runtime: Runtime, options: RecoveryOptions): Recovered {
  return finished(recoverInSlices(runtime, options));
}

export function finished<T>(slices: Generator<undefined, T>): T {
  for (;;) {
    const slice = slices.next();
    if (slice.done === true) return slice.value;
  }
}

class Recovery {
  readonly #runtime: Runtime;
  readonly #options: RecoveryOptions;
  readonly #proposals: CommittedLog;
  #replayedCount = 0;
  #digestMismatches = 0;
  #snapshotLoadMs = 0;
  #replayMs = 0;
  #snapshotReported = false;
  #hasGap = false;
  /** The newest snapshot that could not be loaded: what only it covers may be missing. */
  #rejected: NamedFile | undefined;

  constructor(runtime: Runtime, options: RecoveryOptions) {
    this.#runtime = runtime;
    this.#options = options;
    this.#proposals = new CommittedLog(options.commitLogCount);
  }

  *run(): Generator<undefined, Recovered> {
    const { disk } = this.#runtime;
    const { logDirectory, snapshotDirectory } = this.#options;
    const logs = this.#removeEmptyNewest(listLogs(disk, logDirectory));
    const snapshots = listSnapshots(disk, snapshotDirectory).filter(({ zxid }) => zxid <= this.#until);
    const { clock } = this.#runtime;
    const startMs = clock.monotonicMs();
    const base = yield* this.#loadNewest(snapshots);
    const loadedMs = clock.monotonicMs();
    this.#snapshotLoadMs = Math.round(loadedMs - startMs);
    if (base === undefined && logs.length === 0) return this.#begin();
    if (base === undefined && this.#options.trustEmptySnapshot !== true) {
      throw new RecoveryError('No snapshot found, but there are log entries. Something is broken!');
    }
    if (base !== undefined) this.#checkHistory(base.file);
    const tree = base?.tree ?? DataTree.create(this.#options.tree);
    const sessions = base?.sessions ?? new Map<SessionId, number>();
    this.#checkSnapshotDigest(tree, tree.lastProcessedZxid);
    yield* this.#replay(logs, tree, sessions);
    this.#replayMs = Math.round(clock.monotonicMs() - loadedMs);
    const isWhole = !this.#hasGap && (base?.writtenUntil ?? 0n) <= tree.lastProcessedZxid;
    return this.#result(tree, sessions, tree.lastProcessedZxid, { snapshot: base?.file, isWhole });
  }

  get #until(): Zxid {
    return this.#options.until ?? ZXID_MAX;
  }

  #result(
    tree: DataTree,
    sessions: Map<SessionId, number>,
    lastZxid: Zxid,
    { snapshot, isWhole }: Pick<Recovered, 'snapshot' | 'isWhole'>,
  ): Recovered {
    return {
      tree,
      sessions,
      lastZxid,
      isWhole,
      proposals: [...this.#proposals],
      snapshot,
      replayedCount: this.#replayedCount,
      digestMismatches: this.#digestMismatches,
      snapshotLoadMs: this.#snapshotLoadMs,
      replayMs: this.#replayMs,
    };
  }

  /** No database: a new one, if that is allowed. The marker file asks for one explicitly. */
  #begin(): Recovered {
    const { disk } = this.#runtime;
    const marker = `${parentDirectory(this.#options.logDirectory)}/initialize`;
    const isMarked = disk.stat(marker) !== undefined;
    if (isMarked && this.#options.readOnly !== true) disk.remove(marker);
    const isAllowed = isMarked || this.#options.autoCreate !== false;
    return this.#result(DataTree.create(this.#options.tree), new Map(), (isAllowed ? 0n : -1n) as Zxid, {
      snapshot: undefined,
      isWhole: true,
    });
  }

  *#loadNewest(snapshots: readonly NamedFile[]) {
    let failure: CorruptionError | undefined;
    const candidates = [...snapshots].reverse();
    let tried = 0;
    for (const file of candidates) {
      if (tried === SNAPSHOTS_TRIED_MAX) break;
      if (!looksValid(this.#runtime, file)) {
        this.#reject(file, 'it is incomplete');
        continue;
      }
      tried += 1;
      try {
        const loaded = yield* loadSnapshotFile(this.#runtime, file, this.#options.tree ?? {});
        return { ...loaded, file };
      } catch (error) {
        if (!(error instanceof CorruptionError)) throw error;
        failure = error;
        this.#reject(file, error.message);
      }
    }
    if (failure !== undefined) {
      throw new RecoveryError(`Not able to find valid snapshots in ${this.#options.snapshotDirectory}`, {
        cause: failure,
      });
    }
    return undefined;
  }

  #reject(file: NamedFile, reason: string): void {
    this.#rejected ??= file;
    this.#runtime.log.warn('problem reading snap file', { path: file.path, reason });
  }

  /** An older snapshot takes the place of one that cannot be read only if its logs lead there. */
  #checkHistory(base: NamedFile): void {
    if (this.#rejected === undefined) return;
    const start = readHistoryStart(this.#runtime.disk, this.#options);
    if (base.zxid >= start || this.#rejected.zxid < start) return;
    throw new CorruptionError(
      this.#rejected.path,
      0,
      `this snapshot cannot be read, and what is older than ${printHex(start)} does not lead to it`,
    );
  }

  /** A file that a crash left before its header was written. It may only be the newest. */
  #removeEmptyNewest(logs: NamedFile[]): NamedFile[] {
    const newest = logs.at(-1);
    if (newest === undefined || this.#runtime.disk.stat(newest.path)?.size !== 0) return logs;
    if (this.#options.readOnly !== true) {
      this.#runtime.log.warn('Deleted empty log file', { path: newest.path });
      this.#runtime.disk.remove(newest.path);
    }
    return logs.slice(0, -1);
  }

  /** Files that begin after the base, and the one before them, which may end after it. */
  *#replay(logs: readonly NamedFile[], tree: DataTree, sessions: Map<SessionId, number>): Generator<undefined> {
    const base = tree.lastProcessedZxid;
    const first = logs.findLastIndex((log) => log.zxid <= base);
    const needed = logs.slice(Math.max(first, 0));
    let previous = base;
    for (const log of needed) {
      const file = this.#runtime.disk.open(log.path, { readOnly: true });
      let tornAt = -1;
      try {
        const reader = new TxnLogReader(file);
        const slice = new Slice(ENTRIES_PER_SLICE);
        for (let entry = reader.nextAfter(base); entry !== undefined; entry = reader.nextAfter(base)) {
          if (slice.isFull(reader.position)) yield;
          if (entry === 'earlier') continue;
          this.#checkOrder(previous, entry, log);
          if (entry.header.zxid > this.#until) return;
          previous = entry.header.zxid;
          this.#apply(entry, tree, sessions);
        }
        if (reader.end === 'torn') tornAt = reader.position;
      } finally {
        file.close();
      }
      if (tornAt >= 0) this.#repair(log, tornAt, log === needed.at(-1));
    }
  }

  #apply(entry: TxnLogEntry, tree: DataTree, sessions: Map<SessionId, number>): void {
    const { header, bytes } = entry;
    if (!replayTxn(entry, tree, sessions)) this.#reportDigest(header.zxid);
    this.#checkSnapshotDigest(tree, header.zxid);
    this.#replayedCount += 1;
    this.#proposals.add(header.zxid, bytes);
  }

  /** Once replay has come to the snapshot's end, the tree must have the digest that its writer had there. */
  #checkSnapshotDigest(tree: DataTree, zxid: Zxid): void {
    if (tree.digestLog.snapshotMatches !== false || this.#snapshotReported) return;
    this.#snapshotReported = true;
    this.#reportDigest(zxid);
  }

  #reportDigest(zxid: Zxid): void {
    this.#digestMismatches += 1;
    if (this.#digestMismatches === 1) {
      this.#runtime.log.error(`Digests are not matching. Value is Zxid. ${zxid}`);
    }
  }

  /** Within an epoch zxids have no gaps; a file that is missing or ends too early makes one. */
  #checkOrder(previous: Zxid, entry: TxnLogEntry, log: NamedFile): void {
    const { zxid } = entry.header;
    if (zxid === previous + 1n) return;
    if (zxid <= previous) {
      if (zxid < previous) this.#warn(`${printHex(previous)} is followed by a smaller zxid`, zxid, log);
      return;
    }
    if (!isGap(previous, zxid)) return;
    this.#hasGap = true;
    if (this.#rejected !== undefined) {
      throw new CorruptionError(
        this.#rejected.path,
        0,
        `this snapshot cannot be read, and the logs lack transactions from ${printHex(previous)} to ${printHex(zxid)}`,
      );
    }
    this.#warn(`${printHex(previous)} is not followed by the next zxid`, zxid, log);
  }

  #warn(message: string, zxid: Zxid, log: NamedFile): void {
    this.#runtime.log.error(message, { zxid: printHex(zxid), path: log.path });
  }

  /** Nothing of a torn write was acknowledged. Without it every reader, Apache's too, sees the same end. */
  #repair(log: NamedFile, end: number, isNewest: boolean): void {
    const { disk } = this.#runtime;
    if (end < LOG_HEADER_BYTES) {
      if (!isNewest) throw new CorruptionError(log.path, 0, 'no log header, though newer logs exist');
      if (this.#options.readOnly === true) return;
      this.#runtime.log.warn('Deleted empty log file', { path: log.path });
      disk.remove(log.path);
      return;
    }
    if (this.#options.readOnly === true) return;
    this.#runtime.log.warn('the last write was torn, its rest is removed', { path: log.path, position: end });
    const file = disk.open(log.path);
    file.truncate(end);
    file.close();
  }
}

/** One transaction of a log. False if the tree has another digest after it than its writer had. */
export function replayTxn(
  { header, txn, digest }: TxnRecord,
  tree: DataTree,
  sessions: Map<SessionId, number>,
): boolean {
  if (txn.type === OpCode.createSession) sessions.set(header.clientId, txn.timeOut);
  else if (txn.type === OpCode.closeSession) sessions.delete(header.clientId);
  tree.apply(header, txn);
  return tree.matchesDigest(digest);
}
