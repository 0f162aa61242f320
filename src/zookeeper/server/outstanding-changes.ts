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
  /** The next record of the same transaction. */
  next: ChangeRecord | undefined;
}

/** What changes in a record; the rest stays. */
export interface NodeChange {
  readonly kind: 'created' | 'deleted' | 'data' | 'stat';
  readonly data?: Uint8Array | null;
}

/**
 * The tree as it will be: the tree itself, and over it the changes of transactions that are proposed and not yet applied. Every
 * write is judged against this, so that a pipeline of dependent writes behaves as if each had waited for the one before.
 */
export class OutstandingChanges {
  readonly #tree: DataTree;
  readonly #byPath = new Map<string, ChangeRecord>();
  readonly #predicted = new DigestSum();
  /** Records of the transaction being prepared, newest first. */
  #current: ChangeRecord | undefined;
  /** What they replaced, for a multi that fails. */
  #replaced: (ChangeRecord | undefined)[] | undefined;
  readonly #predictedBefore = new DigestSum();

  constructor(tree: DataTree) {
    this.#tree = tree;
  }

  get size(): number {
    return this.#byPath.size;
  }

  /** Undefined where there will be no node. Only `put` makes changes to what this answers visible. */
  get(path: string): ChangeRecord | undefined {
    if (this.#byPath.size > 0) {
      const pending = this.#byPath.get(path);
      if (pending !== undefined) return pending.exists ? { ...pending } : undefined;
    }
    const node = this.#tree.find(path);
    return node === NO_NODE ? undefined : this.#read(path, node);
  }

  has(path: string): boolean {
    if (this.#byPath.size > 0) {
      const pending = this.#byPath.get(path);
      if (pending !== undefined) return pending.exists;
    }
    return this.#tree.find(path) !== NO_NODE;
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
    this.#current = undefined;
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
    record.next = this.#current;
    this.#current = record;
    this.#byPath.set(record.path, record);
  }

  /** Forgets the changes since `keepForUndo`. */
  undo(): void {
    const replaced = this.#replaced ?? [];
    for (let record = this.#current; record !== undefined; record = record.next) {
      const before = replaced.pop();
      if (before === undefined) this.#byPath.delete(record.path);
      else this.#byPath.set(record.path, before);
    }
    this.#current = undefined;
    this.#predicted.copyFrom(this.#predictedBefore);
  }

  /** Ends a transaction: its changes, to be given to `applied` later. */
  end(): ChangeRecord | undefined {
    const changes = this.#current;
    this.#current = undefined;
    this.#replaced = undefined;
    return changes;
  }

  /** The digest of the tree after the transaction. */
  digest(): TxnDigest | null {
    return this.#tree.digestEnabled ? { version: DIGEST_VERSION, treeDigest: this.#predicted.value } : null;
  }

  /** The transaction is in the tree: newer changes of the same nodes stay. */
  applied(changes: ChangeRecord | undefined): void {
    for (let record = changes; record !== undefined; record = record.next) {
      if (this.#byPath.get(record.path) === record) this.#byPath.delete(record.path);
    }
  }

  clear(): void {
    this.#byPath.clear();
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
      next: undefined,
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
    next: undefined,
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
