import { isGap, printHex, type SessionId, type Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import type { TxnRecord } from '../jute/txn.ts';
import { DataTree, type DataTreeOptions } from '../tree/data-tree.ts';
import type { NamedFile } from './file-names.ts';
import type { Finding, FindingKind, Severity } from './finding.ts';
import { replayTxn } from './recovery.ts';
import type { LoadedSnapshot } from './snapshot-body.ts';
import { SnapshotStreamReader, streamSignature } from './snapshot-stream.ts';
import { SnapshotWriter } from './snapshot-writer.ts';

export interface Saved {
  readonly tree: DataTree;
  /** Timeouts in milliseconds. */
  readonly sessions: Map<SessionId, number>;
  readonly lastZxid: Zxid;
}

export type AddFinding = (
  kind: FindingKind,
  severity: Severity,
  path: string,
  text: string,
  more?: Partial<Finding>,
) => void;

/**
 * Replays what logs hold over a snapshot, as far as it is sure: past damage and gaps only if the next transaction's digest says
 * that nothing is missing.
 */
export class SalvageReplay {
  readonly #add: AddFinding;
  readonly #options: DataTreeOptions;
  readonly #base: Zxid;
  readonly #hasBase: boolean;
  readonly #tree: DataTree;
  readonly #sessions: Map<SessionId, number>;
  #log: NamedFile | undefined;
  #isFirstInLog = false;
  /** Of the last transaction that was met, in whatever file. */
  #previous: Zxid;
  #isInterrupted = false;
  #isStopped = false;
  #hasDigests = false;
  #hasReportedDigest = false;
  #count = 0;

  constructor(base: LoadedSnapshot | undefined, options: DataTreeOptions, add: AddFinding) {
    this.#add = add;
    this.#options = options;
    this.#hasBase = base !== undefined;
    this.#tree = base?.tree ?? DataTree.create(options);
    this.#sessions = base?.sessions ?? new Map();
    this.#base = this.#tree.lastProcessedZxid;
    this.#previous = this.#base;
  }

  begin(log: NamedFile): void {
    this.#log = log;
    this.#isFirstInLog = true;
  }

  /** Something between the last transaction and the next cannot be read. */
  interrupt(): void {
    this.#isInterrupted = true;
  }

  take(record: TxnRecord, position: number): void {
    const { zxid } = record.header;
    const path = this.#path;
    if (this.#isFirstInLog && zxid !== this.#log?.zxid) {
      this.#add('log-name', 'note', path, `its first transaction is ${printHex(zxid)}`, { zxid, position });
    }
    const isFirst = this.#isFirstInLog;
    this.#isFirstInLog = false;
    if (zxid <= this.#base) {
      // The snapshot has it, whatever lay before it.
      this.#isInterrupted = false;
      return;
    }
    if (zxid <= this.#previous) {
      this.#add(
        isFirst ? 'overlap' : 'zxid-back',
        'damage',
        path,
        `${printHex(zxid)} comes after ${printHex(this.#previous)}: it is left out`,
        { zxid, position },
      );
      return;
    }
    this.#takeNew(record, position);
  }

  #takeNew(record: TxnRecord, position: number): void {
    const { zxid } = record.header;
    if (this.#isStopped) return;
    if (!this.#isInterrupted && this.#isNext(zxid)) this.#apply(record, position);
    // Consecutive zxids: what was damaged between them was no transaction.
    else if (this.#hasStarted && zxid === this.#last + 1n) this.#apply(record, position);
    else if (!this.#hasStarted) this.#stop(zxid, position);
    else if (record.txn.type === OpCode.error) this.#isInterrupted = true;
    else if (record.digest === null && !this.#hasDigests && !this.#isInterrupted) {
      this.#add('gap', 'damage', this.#path, `${gapText(this.#last, zxid)}, and no digest tells whether they matter`, {
        zxid,
        position,
      });
      this.#apply(record, position);
    } else if (this.#isProvenBy(record)) {
      this.#add('gap', 'damage', this.#path, `${gapText(this.#last, zxid)}, but they changed no node`, {
        zxid,
        position,
      });
      this.#apply(record, position);
    } else this.#stop(zxid, position);
  }

  /** Its digest is the only witness. */
  takeDoubtful(record: TxnRecord, position: number): void {
    const { zxid } = record.header;
    if (zxid <= this.#base || this.#isStopped) return;
    if (this.#hasStarted && zxid === this.#last + 1n && this.#isProvenBy(record)) {
      this.#isInterrupted = false;
      this.#add(
        'damaged-log',
        'damage',
        this.#path,
        `only the checksum of ${printHex(zxid)} is wrong: its digest is right`,
        { zxid, position },
      );
      this.#apply(record, position);
    } else this.interrupt();
  }

  /** @param isNew no snapshot is there, not even a bad one */
  finish(isNew: boolean): Saved | undefined {
    if (!this.#hasBase && this.#count === 0 && (this.#log !== undefined || !isNew)) return undefined;
    if (this.#tree.digestLog.isFuzzy) {
      const text = 'the snapshot holds parts of transactions that came while it was written, and those are missing';
      this.#add('digest', 'loss', this.#path, text, { zxid: this.#last });
    }
    return { tree: this.#tree, sessions: this.#sessions, lastZxid: this.#last };
  }

  get #path(): string {
    return this.#log?.path ?? '';
  }

  get #hasStarted(): boolean {
    return this.#hasBase || this.#count > 0;
  }

  /** Of what was applied. */
  get #last(): Zxid {
    return this.#tree.lastProcessedZxid;
  }

  /** The first of all begins an epoch, of a server alone or of an ensemble. */
  #isNext(zxid: Zxid): boolean {
    return this.#hasStarted ? !isGap(this.#last, zxid) : zxid === 1n || zxid === 0x1_0000_0001n;
  }

  /** Whether the tree would have the digest after it that its writer had: tried on a copy. */
  #isProvenBy(record: TxnRecord): boolean {
    if (record.digest === null || this.#tree.digestLog.isFuzzy) return false;
    const { tree, sessions } = copyOf(this.#tree, this.#sessions, this.#options);
    return replayTxn(record, tree, sessions);
  }

  #apply(record: TxnRecord, position: number): void {
    const { zxid } = record.header;
    this.#isInterrupted = false;
    this.#previous = zxid;
    this.#count += 1;
    if (record.digest !== null) this.#hasDigests = true;
    if (replayTxn(record, this.#tree, this.#sessions) || this.#hasReportedDigest) return;
    this.#hasReportedDigest = true;
    this.#add('digest', 'damage', this.#path, `after ${printHex(zxid)} the tree is not what its writer had`, {
      zxid,
      position,
    });
  }

  #stop(zxid: Zxid, position: number): void {
    this.#isStopped = true;
    this.#add(
      'gap',
      'loss',
      this.#path,
      this.#hasStarted
        ? `${gapText(this.#last, zxid)}: what follows cannot be applied`
        : `nothing is there before ${printHex(zxid)}`,
      { zxid, position },
    );
  }
}

function gapText(last: Zxid, next: Zxid): string {
  return `transactions between ${printHex(last)} and ${printHex(next)} are missing`;
}

/** By way of the bytes of a snapshot. */
function copyOf(tree: DataTree, sessions: ReadonlyMap<SessionId, number>, options: DataTreeOptions): LoadedSnapshot {
  const writer = new SnapshotWriter({ tree, sessions, form: 'stream' });
  const reader = new SnapshotStreamReader(tree.lastProcessedZxid, options);
  while (!writer.isDone) reader.push(writer.step(10_000));
  reader.push(streamSignature());
  return reader.loaded as LoadedSnapshot;
}
