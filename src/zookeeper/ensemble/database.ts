import type { Completion } from '../../runtime/disk.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { Reader } from '../../wire/reader.ts';
import type { SessionId, Zxid } from '../jute/ids.ts';
import { readTxnRecord, type TxnRecord } from '../jute/txn.ts';
import { CommittedLog } from '../persistence/committed-log.ts';
import { loadEpochs } from '../persistence/epochs.ts';
import type { FileSnapLog, SnapshotSubject } from '../persistence/file-snap-log.ts';
import { type CommittedProposal, type Recovered, replayTxn } from '../persistence/recovery.ts';
import type { LoadedSnapshot } from '../persistence/snapshot-body.ts';
import type { DataTree } from '../tree/data-tree.ts';

/**
 * What a member has, in memory and on its disk, from one term to the next: the tree, its sessions, the log, the epochs. Between terms
 * the tree holds all that is in the log.
 */
export class Database {
  readonly files: FileSnapLog;
  readonly recovered: Recovered;
  readonly tree: DataTree;
  /** Timeouts in milliseconds. */
  readonly sessions: Map<SessionId, number>;
  /** The newest transactions, for learners that lack only these. */
  readonly committed: CommittedLog;
  #acceptedEpoch: number;
  #currentEpoch: number;
  #needsAll = false;
  /** The tree has transactions that the log will never have. */
  #isLogBehind = false;

  private constructor(files: FileSnapLog, recovered: Recovered, options: DatabaseOptions) {
    this.files = files;
    this.recovered = recovered;
    this.tree = recovered.tree;
    this.sessions = recovered.sessions;
    this.committed = new CommittedLog(options.commitLogCount, recovered.proposals);
    this.#acceptedEpoch = 0;
    this.#currentEpoch = 0;
  }

  /** Rejects with RecoveryError, CorruptionError, DiskError. */
  static async open(runtime: Runtime, files: FileSnapLog, options: DatabaseOptions): Promise<Database> {
    const recovered = await files.recover();
    const database = new Database(files, recovered, options);
    const epochs = await loadEpochs(runtime.disk, files.snapshotDirectory, database.lastZxid);
    database.#acceptedEpoch = epochs.acceptedEpoch;
    database.#currentEpoch = epochs.currentEpoch;
    return database;
  }

  get subject(): SnapshotSubject {
    return { tree: this.tree, sessions: this.sessions };
  }

  /** Of the log, between terms. */
  get lastZxid(): Zxid {
    return this.tree.lastProcessedZxid;
  }

  get acceptedEpoch(): number {
    return this.#acceptedEpoch;
  }

  get currentEpoch(): number {
    return this.#currentEpoch;
  }

  /** Our history cannot be made a leader's: it has to come as a whole. What is on the disk stays until then. */
  get needsAll(): boolean {
    return this.#needsAll;
  }

  /** The promise to follow no leader of an older epoch. */
  async acceptEpoch(epoch: number): Promise<void> {
    await this.#completed((done) => this.files.writeEpoch('acceptedEpoch', epoch, done));
    this.#acceptedEpoch = epoch;
  }

  async beginEpoch(epoch: number): Promise<void> {
    await this.#completed((done) => this.files.writeEpoch('currentEpoch', epoch, done));
    this.#currentEpoch = epoch;
  }

  /** Transactions of the log on the disk, from the last one at or before a zxid on. */
  logged(from: Zxid): Iterable<CommittedProposal> {
    return this.files.loggedFrom(from);
  }

  /**
   * Into log and tree: the history of a leader, which is committed. Durable when it resolves, where it is logged.
   * @param logs false where no log is kept: after a restart it has to come again
   */
  async adopt(proposals: readonly CommittedProposal[], logs = true): Promise<void> {
    if (!logs && proposals.length > 0) this.leaveLogBehind();
    else if (logs && this.#isLogBehind) await this.#save();
    if (!logs) for (const proposal of proposals) this.replay(proposal);
    if (!logs || proposals.length === 0) return;
    for (const { zxid, bytes } of proposals) this.append(zxid, bytes);
    await this.#completed((done) => this.files.log.flush(done));
    for (const proposal of proposals) this.replay(proposal);
  }

  /** From now on the tree goes on without the log. */
  leaveLogBehind(): void {
    this.#isLogBehind = true;
  }

  /** Into the log; durable after a flush. Begins a snapshot when it is time for one. */
  append(zxid: Zxid, bytes: Uint8Array): void {
    this.files.log.appendBytes(zxid, bytes);
    if (this.files.countAppended()) this.files.startSnapshot(this.subject);
  }

  /** What is in the log goes into the tree, where nobody waits for it. */
  replay({ zxid, bytes }: CommittedProposal): void {
    replayTxn(recordOf(bytes), this.tree, this.sessions);
    this.committed.add(zxid, bytes);
  }

  /**
   * Forgets what is after `zxid`, on the disk first; then the tree is what the disk has. Answers where the log ends now, which is
   * earlier where that zxid was never in it; undefined where our files do not allow it.
   */
  async truncate(zxid: Zxid): Promise<Zxid | undefined> {
    const kept = this.#isLogBehind ? undefined : await this.files.truncate(zxid);
    if (kept === undefined) {
      this.#needsAll = true;
      return undefined;
    }
    this.#become(kept.tree, kept.sessions);
    this.committed.clear();
    for (const proposal of kept.proposals) this.committed.add(proposal.zxid, proposal.bytes);
    return kept.lastZxid;
  }

  /** The database of a leader takes the place of ours, on the disk first. */
  async install({ tree, sessions }: LoadedSnapshot): Promise<void> {
    await this.files.installSnapshot({ tree, sessions });
    this.#become(tree, sessions);
    this.committed.clear();
    this.#needsAll = false;
    this.#isLogBehind = false;
  }

  /** A log is kept again: it begins where the tree is. */
  async #save(): Promise<void> {
    await this.files.installSnapshot(this.subject);
    this.#isLogBehind = false;
  }

  #become(tree: DataTree, sessions: ReadonlyMap<SessionId, number>): void {
    this.tree.become(tree);
    this.sessions.clear();
    for (const [id, timeoutMs] of sessions) this.sessions.set(id, timeoutMs);
  }

  #completed(begin: (done: Completion) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      begin((error) => (error === undefined ? resolve() : reject(error)));
    });
  }
}

export interface DatabaseOptions {
  /** `commitLogCount` */
  readonly commitLogCount: number;
}

/** @throws MalformedError */
export function recordOf(bytes: Uint8Array): TxnRecord {
  return readTxnRecord(new Reader(bytes));
}
