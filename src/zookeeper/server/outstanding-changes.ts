import { Deque } from '../../base/deque.ts';
import type { Counter } from '../../base/metrics.ts';
import type { ACL } from '../jute/data.ts';
import type { SessionId, Zxid } from '../jute/ids.ts';
import type { TxnDigest } from '../jute/txn.ts';
import { type DataTree, NO_NODE, type NodeId } from '../tree/data-tree.ts';
import { crc32, crc32OfPath, crc32Word, DIGEST_VERSION, DigestSum, isExcludedFromDigest } from '../tree/digest.ts';

/** A znode as it will be once everything proposed so far is applied (PrepRequestProcessor's ChangeRecord). */
export interface ChangeRecord {
  readonly path: string;
  /** False: it will be deleted. */
  exists: boolean;
  version: number;
  /** As stored: creations of children. */
  cversion: number;
  aversion: number;
  ephemeralOwner: SessionId;
  childCount: number;
  dataLength: number;
  acl: readonly ACL[];
  /** For the digest alone; zero and null-like without it. */
  czxid: Zxid;
  mzxid: Zxid;
  pzxid: Zxid;
  ctime: number;
  mtime: number;
  /** CRC-32 over path and data; undefined until a change of the stat alone needs it. */
  crcPrefix: number | undefined;
  /** The node's part of the tree digest. */
  digest: number;
  /** The tree's node when this was read from it. */
  readonly node: NodeId;
  /** Transactions that changed it and are not applied yet. */
  pendingCount: number;
}

/** What changes in a record; the rest stays. */
export interface NodeChange {
  readonly kind: 'created' | 'deleted' | 'data' | 'stat';
  readonly data?: Uint8Array | null;
}

/** Changes noted and forgotten so far. */
export interface ChangeCounts {
  readonly changesQueued: Counter;
  readonly changesRemoved: Counter;
}

/**
 * The tree as it will be: the tree itself, and over it the changes of transactions that are proposed and not yet applied. Every
 * write is judged against this, so that a pipeline of dependent writes behaves as if each had waited for the one before.
 */
export class OutstandingChanges {
  readonly #tree: DataTree;
  readonly #byPath = new Map<string, ChangeRecord>();
  readonly #predicted = new DigestSum();
  /** What the transactions that are proposed and not yet applied changed, in their order: they are applied in it. */
  readonly #touched = new Deque<ChangeRecord>();
  /** The same of the transaction being prepared. */
  readonly #current: ChangeRecord[] = [];
  /** What they replaced, for a multi that fails. */
  #replaced: (ChangeRecord | undefined)[] | undefined;
  readonly #predictedBefore = new DigestSum();
  readonly #counts: ChangeCounts;

  constructor(tree: DataTree, counts: ChangeCounts) {
    this.#tree = tree;
    this.#counts = counts;
  }

  get size(): number {
    return this.#byPath.size;
  }

  /** Undefined where there will be no node. Who changes what this answers has nothing left to check, and calls `put`. */
  get(path: string): ChangeRecord | undefined {
    if (this.#byPath.size > 0) {
      const pending = this.#byPath.get(path);
      if (pending !== undefined) return pending.exists ? this.#changeable(pending) : undefined;
    }
    const node = this.#tree.find(path);
    return node === NO_NODE ? undefined : this.#read(path, node);
  }

  has(path: string): boolean {
    if (this.#byPath.size > 0) {
      const pending = this.#byPath.get(path);
      if (pending !== undefined) return pending.exists;
    }
    return this.#tree.has(path);
  }

  /** Paths that a session will own. */
  ephemeralsOf(session: SessionId): string[] {
    const paths = new Set(this.#tree.ephemeralsOf(session));
    for (const [path, record] of this.#byPath) {
      if (!record.exists || record.ephemeralOwner !== session) paths.delete(path);
      else paths.add(path);
    }
    return [...paths];
  }

  /** Begins a transaction. */
  begin(): void {
    if (this.#byPath.size === 0) this.#predicted.copyFrom(this.#tree.digestSum);
    this.#current.length = 0;
  }

  /** The changes from here on may be undone: a multi. */
  keepForUndo(): void {
    this.#replaced = [];
    this.#predictedBefore.copyFrom(this.#predicted);
  }

  /** The node will be like this. */
  put(record: ChangeRecord, change: NodeChange): void {
    if (this.#tree.digestEnabled) this.#predict(record, change);
    if (change.kind === 'deleted') record.exists = false;
    this.#replaced?.push(this.#byPath.get(record.path));
    this.#current.push(record);
    this.#counts.changesQueued.add();
    if (record.pendingCount === 0) this.#byPath.set(record.path, record);
    record.pendingCount += 1;
  }

  /** Forgets the changes since `keepForUndo`. */
  undo(): void {
    const replaced = this.#replaced ?? [];
    this.#counts.changesRemoved.add(this.#current.length);
    for (let record = this.#current.pop(); record !== undefined; record = this.#current.pop()) {
      const before = replaced.pop();
      if (before === undefined) this.#byPath.delete(record.path);
      else this.#byPath.set(record.path, before);
    }
    this.#predicted.copyFrom(this.#predictedBefore);
  }

  /** Ends a transaction; answers how many changes it makes, to be given to `applied` later. */
  end(): number {
    const count = this.#current.length;
    for (const record of this.#current) this.#touched.push(record);
    this.#current.length = 0;
    this.#replaced = undefined;
    return count;
  }

  /** The digest of the tree after the transaction. */
  digest(): TxnDigest | null {
    return this.#tree.digestEnabled ? { version: DIGEST_VERSION, treeDigest: this.#predicted.value } : null;
  }

  /** The oldest transaction is in the tree: newer changes of the same nodes stay. */
  applied(count: number): void {
    this.#counts.changesRemoved.add(count);
    for (let left = count; left > 0; left -= 1) {
      const record = this.#touched.shift() as ChangeRecord;
      record.pendingCount -= 1;
      if (record.pendingCount === 0 && this.#byPath.get(record.path) === record) this.#byPath.delete(record.path);
    }
  }

  /** What may be undone is a copy. */
  #changeable(pending: ChangeRecord): ChangeRecord {
    return this.#replaced === undefined ? pending : { ...pending, pendingCount: 0 };
  }

  #read(path: string, node: NodeId): ChangeRecord {
    const tree = this.#tree;
    const record: ChangeRecord = {
      path,
      exists: true,
      version: tree.version(node),
      cversion: tree.cversion(node),
      aversion: tree.aversion(node),
      ephemeralOwner: tree.ephemeralOwner(node),
      childCount: tree.childCount(node),
      dataLength: tree.dataLength(node),
      acl: tree.acl(node),
      czxid: 0n as Zxid,
      mzxid: 0n as Zxid,
      pzxid: 0n as Zxid,
      ctime: 0,
      mtime: 0,
      crcPrefix: undefined,
      digest: 0,
      node,
      pendingCount: 0,
    };
    if (tree.digestEnabled) {
      const stat = tree.persistedStat(node);
      record.czxid = stat.czxid;
      record.mzxid = stat.mzxid;
      record.pzxid = stat.pzxid;
      record.ctime = stat.ctime;
      record.mtime = stat.mtime;
      record.digest = tree.nodeDigest(node);
    }
    return record;
  }

  #predict(record: ChangeRecord, { kind, data }: NodeChange): void {
    if (kind !== 'created') this.#predicted.subtract(record.digest);
    record.digest = 0;
    if (kind === 'deleted' || isExcludedFromDigest(record.path)) return;
    if (kind === 'stat') record.crcPrefix ??= crcPrefixOf(record.path, this.#tree.viewData(record.node));
    else record.crcPrefix = crcPrefixOf(record.path, data ?? null);
    record.digest = digestOf(record, record.crcPrefix);
    this.#predicted.add(record.digest);
  }
}

/** A record of a node that does not exist yet. */
export function newRecord(path: string, acl: readonly ACL[], zxid: Zxid, timeMs: number): ChangeRecord {
  return {
    path,
    exists: true,
    version: 0,
    cversion: 0,
    aversion: 0,
    ephemeralOwner: 0n as SessionId,
    childCount: 0,
    dataLength: 0,
    acl,
    czxid: zxid,
    mzxid: zxid,
    pzxid: zxid,
    ctime: timeMs,
    mtime: timeMs,
    crcPrefix: undefined,
    digest: 0,
    node: NO_NODE,
    pendingCount: 0,
  };
}

function crcPrefixOf(path: string, data: Uint8Array | null): number {
  const crc = crc32OfPath(path);
  return data === null ? crc : crc32(data, 0, data.length, crc);
}

/** 60 bytes behind path and data, in the order of DigestCalculator: the child's zxid third, the owner last. */
function digestOf(record: ChangeRecord, prefix: number): number {
  let crc = crcLong(record.czxid, prefix);
  crc = crcLong(record.mzxid, crc);
  crc = crcLong(record.pzxid, crc);
  crc = crcMs(record.ctime, crc);
  crc = crcMs(record.mtime, crc);
  crc = crc32Word(record.version, crc);
  crc = crc32Word(record.cversion, crc);
  crc = crc32Word(record.aversion, crc);
  return crcLong(record.ephemeralOwner, crc) >>> 0;
}

const TWO_32 = 4_294_967_296;
const scratch = new DataView(new ArrayBuffer(8));

function crcLong(value: bigint, initial: number): number {
  scratch.setBigInt64(0, value);
  return crc32Word(scratch.getInt32(4), crc32Word(scratch.getInt32(0), initial));
}

function crcMs(value: number, initial: number): number {
  return crc32Word(value | 0, crc32Word(Math.floor(value / TWO_32) | 0, initial));
}
