import { assert } from '../../base/assert.ts';
import { MalformedError } from '../../wire/errors.ts';
import type { Reader } from '../../wire/reader.ts';
import type { Writer } from '../../wire/writer.ts';
import type { ACL, Stat, StatPersisted } from '../jute/data.ts';
import { ErrorCode } from '../jute/errors.ts';
import { EventType } from '../jute/events.ts';
import type { SessionId, Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import type { SetWatches2 } from '../jute/proto.ts';
import type { Txn, TxnDigest, TxnHeader } from '../jute/txn.ts';
import { writeUstring } from '../jute/ustring.ts';
import { ANYONE_ID, READ_ACL_UNSAFE } from './acl.ts';
import { AclCache, OPEN_UNSAFE_ACL_ID } from './acl-cache.ts';
import { DataArena, offsetOf } from './data-arena.ts';
import { crc32, crc32OfPath, crc32Word, DIGEST_VERSION, DigestSum, isExcludedFromDigest } from './digest.ts';
import { DigestLog } from './digest-log.ts';
import { CONTAINER_OWNER, kindOfOwner, type NodeKind, ttlOwner } from './ephemeral-owner.ts';
import {
  ACL_ID,
  AVERSION,
  CHILD_COUNT,
  CRC_PREFIX,
  CTIME,
  CVERSION,
  CZXID,
  DATA_LENGTH,
  DATA_REF,
  DIGEST,
  FIRST_CHILD,
  MTIME,
  MZXID,
  NodeStore,
  OWNER,
  PARENT,
  PZXID,
  VERSION,
} from './node-store.ts';
import { LIMIT_NODE, QUOTA_ROOT, QuotaPaths, QuotaValues, quotaStatPath, STAT_NODE } from './quotas.ts';
import { missedEvent, type Watcher, Watches, WatchMode } from './watches.ts';

export const CONFIG_PATH = '/zookeeper/config';

/** Names a node until it is deleted; NO_NODE where there is none. */
export type NodeId = number;
export const NO_NODE: NodeId = -1;
const ROOT: NodeId = 0;

export interface DataTreeOptions {
  /** `zookeeper.digest.enabled`, default true. */
  readonly digest?: boolean;
  /** `zookeeper.extendedTypesEnabled`, default false: whether owners 0xff… are TTLs rather than sessions of server 255. */
  readonly extendedTypes?: boolean;
}

/** What a transaction did (DataTree.ProcessTxnResult). */
export interface ApplyResult {
  readonly type: number;
  /** 0, the code of an error transaction, or what replay met (see `apply`). */
  readonly err: number;
  readonly path: string | undefined;
  /** The created or changed node: its stat is the reply's, until the next transaction. NO_NODE for others. */
  readonly node: NodeId;
  /** Only inside a multi, where later operations may change the node again. */
  readonly stat: Stat | undefined;
  /** One for each operation of a multi. */
  readonly results: readonly ApplyResult[] | undefined;
}

/**
 * All znodes, in memory: a function of the transactions applied, without clock, chance or disk. Data is copied in and its
 * memory is reused: what `viewData` shows is valid until the next transaction.
 */
export class DataTree {
  readonly watches = new Watches();
  /** Every 128th zxid with its digest, for the four-letter word `hash`. */
  readonly digestLog = new DigestLog();
  /** The newest transaction applied; a leader sets it to the first zxid of its epoch. */
  lastProcessedZxid: Zxid = 0n as Zxid;

  /** The root is there twice, as '' and as '/', like Apache's: node counts include both. */
  readonly #nodes = new Map<string, NodeId>();
  readonly #store = new NodeStore();
  readonly #arena = new DataArena();
  readonly #acls = new AclCache();
  readonly #ephemerals = new Map<SessionId, Set<string>>();
  readonly #containers = new Set<string>();
  readonly #ttls = new Set<string>();
  readonly #quotaPaths = new QuotaPaths();
  readonly #digest = new DigestSum();
  readonly #digestEnabled: boolean;
  readonly #extendedTypes: boolean;
  #ephemeralsCount = 0;
  #dataSize = 0;
  #newestRestoredCzxid: Zxid = 0n as Zxid;

  private constructor(options: DataTreeOptions) {
    this.#digestEnabled = options.digest ?? true;
    this.#extendedTypes = options.extendedTypes ?? false;
  }

  /** A fresh tree: the root, `/zookeeper`, `/zookeeper/quota` and `/zookeeper/config`. */
  static create(options: DataTreeOptions = {}): DataTree {
    const tree = DataTree.bare(options);
    for (const path of ['', '/zookeeper', QUOTA_ROOT]) tree.#insertBuiltIn(path);
    tree.addConfigNode();
    return tree;
  }

  /** Without any node, for `restoreNode`. */
  static bare(options: DataTreeOptions = {}): DataTree {
    return new DataTree(options);
  }

  // ---------------------------------------------------------------- figures

  /** As `srvr` and `mntr` report it: 5 for a fresh tree. */
  get nodeCount(): number {
    return this.#nodes.size;
  }

  get ephemeralsCount(): number {
    return this.#ephemeralsCount;
  }

  /** Bytes of paths and data. */
  get approximateDataSize(): number {
    return this.#dataSize;
  }

  /** Bytes that the tree itself manages, without paths and their table. */
  get memoryHeld(): number {
    return this.#arena.bytesHeld + this.#store.bytesHeld;
  }

  get aclCacheSize(): number {
    return this.#acls.size;
  }

  // ---------------------------------------------------------------- reading

  find(path: string): NodeId {
    return this.#nodes.get(path) ?? NO_NODE;
  }

  path(node: NodeId): string {
    return node === ROOT ? '/' : this.#store.path(node);
  }

  version(node: NodeId): number {
    return this.#store.get(node, VERSION);
  }

  /** The stored cversion: creations of children. Clients see another (`stat`). Sequence suffixes come from this one. */
  cversion(node: NodeId): number {
    return this.#store.get(node, CVERSION);
  }

  aversion(node: NodeId): number {
    return this.#store.get(node, AVERSION);
  }

  childCount(node: NodeId): number {
    return this.#store.get(node, CHILD_COUNT);
  }

  mzxid(node: NodeId): Zxid {
    return this.#store.getBigint(node, MZXID) as Zxid;
  }

  pzxid(node: NodeId): Zxid {
    return this.#store.getBigint(node, PZXID) as Zxid;
  }

  /** Milliseconds. */
  mtime(node: NodeId): number {
    return this.#store.getNumber(node, MTIME);
  }

  /** As stored: a session, or the marker of a container or TTL node. */
  ephemeralOwner(node: NodeId): SessionId {
    return this.#store.getBigint(node, OWNER) as SessionId;
  }

  kind(node: NodeId): NodeKind {
    return this.#hasOwner(node) ? kindOfOwner(this.ephemeralOwner(node), this.#extendedTypes) : 'persistent';
  }

  isEphemeral(node: NodeId): boolean {
    return this.#hasOwner(node) && this.kind(node) === 'ephemeral';
  }

  acl(node: NodeId): readonly ACL[] {
    return this.#acls.get(this.#store.get(node, ACL_ID));
  }

  aclId(node: NodeId): number {
    return this.#store.get(node, ACL_ID);
  }

  /** Bytes; 0 for null. */
  dataLength(node: NodeId): number {
    return Math.max(this.#store.get(node, DATA_LENGTH), 0);
  }

  /** Valid until the next transaction. */
  viewData(node: NodeId): Uint8Array | null {
    const length = this.#store.get(node, DATA_LENGTH);
    if (length < 0) return null;
    if (length === 0) return noBytes;
    const reference = this.#store.get(node, DATA_REF);
    const offset = offsetOf(reference);
    return this.#arena.bytes(reference).subarray(offset, offset + length);
  }

  copyData(node: NodeId): Uint8Array | null {
    const view = this.viewData(node);
    return view === null ? null : new Uint8Array(view);
  }

  /** As clients see it. */
  stat(node: NodeId): Stat {
    const stored = this.persistedStat(node);
    const numChildren = this.childCount(node);
    return {
      czxid: stored.czxid,
      mzxid: stored.mzxid,
      ctime: stored.ctime,
      mtime: stored.mtime,
      version: stored.version,
      cversion: 2 * stored.cversion - numChildren,
      aversion: stored.aversion,
      ephemeralOwner: this.isEphemeral(node) ? stored.ephemeralOwner : (0n as SessionId),
      dataLength: this.dataLength(node),
      numChildren,
      pzxid: stored.pzxid,
    };
  }

  /** As snapshots and the digest see it. */
  persistedStat(node: NodeId): StatPersisted {
    const store = this.#store;
    return {
      czxid: store.getBigint(node, CZXID) as Zxid,
      mzxid: store.getBigint(node, MZXID) as Zxid,
      ctime: store.getNumber(node, CTIME),
      mtime: store.getNumber(node, MTIME),
      version: store.get(node, VERSION),
      cversion: store.get(node, CVERSION),
      aversion: store.get(node, AVERSION),
      ephemeralOwner: store.getBigint(node, OWNER) as SessionId,
      pzxid: store.getBigint(node, PZXID) as Zxid,
    };
  }

  /** The 68 bytes of a reply, without objects between. */
  writeStat(to: Writer, node: NodeId): void {
    const words = this.#store.words(node);
    const at = this.#store.at(node);
    for (let word = CZXID; word <= VERSION; word += 1) to.int32(words[at + word] as number);
    const childCount = words[at + CHILD_COUNT] as number;
    to.int32(2 * (words[at + CVERSION] as number) - childCount);
    to.int32(words[at + AVERSION] as number);
    const isOwned = this.isEphemeral(node);
    to.int32(isOwned ? (words[at + OWNER] as number) : 0);
    to.int32(isOwned ? (words[at + OWNER + 1] as number) : 0);
    to.int32(Math.max(words[at + DATA_LENGTH] as number, 0));
    to.int32(childCount);
    to.int32(words[at + PZXID] as number);
    to.int32(words[at + PZXID + 1] as number);
  }

  /** The data as a jute buffer: length (-1 for null), bytes. Data above 8 KiB is referred to, the rest copied. */
  writeData(to: Writer, node: NodeId): void {
    const length = this.#store.get(node, DATA_LENGTH);
    to.int32(length);
    if (length <= 0) return;
    const reference = this.#store.get(node, DATA_REF);
    const bytes = this.#arena.bytes(reference);
    if (reference < 0) {
      to.slices({ chunks: [bytes], size: length });
      return;
    }
    const offset = offsetOf(reference);
    to.bytes(bytes.subarray(offset, offset + length));
  }

  /** Names, as a jute vector. */
  writeChildren(to: Writer, node: NodeId): void {
    to.int32(this.childCount(node));
    const prefix = node === ROOT ? 1 : this.#store.path(node).length + 1;
    for (let child = this.#store.get(node, FIRST_CHILD); child >= 0; child = this.#store.nextSibling(child)) {
      writeUstring(to, this.#store.path(child).slice(prefix));
    }
  }

  /** Names. Not to be continued after a transaction. */
  *children(node: NodeId): IterableIterator<string> {
    const prefix = node === ROOT ? 1 : this.#store.path(node).length + 1;
    for (const child of this.childNodes(node)) yield this.#store.path(child).slice(prefix);
  }

  *childNodes(node: NodeId): IterableIterator<NodeId> {
    for (let child = this.#store.get(node, FIRST_CHILD); child >= 0; child = this.#store.nextSibling(child))
      yield child;
  }

  /** All descendants; for the root Apache's figure, which is the number of nodes below it. */
  allChildrenCount(node: NodeId): number {
    if (node === ROOT) return this.#nodes.size - 2;
    let count = 0;
    this.#visit(node, () => {
      count += 1;
    });
    return count - 1;
  }

  /** Paths that a session owns. */
  ephemeralsOf(session: SessionId): ReadonlySet<string> {
    return this.#ephemerals.get(session) ?? noPaths;
  }

  /** Sessions that own nodes. */
  get ephemerals(): ReadonlyMap<SessionId, ReadonlySet<string>> {
    return this.#ephemerals;
  }

  get containers(): ReadonlySet<string> {
    return this.#containers;
  }

  get ttls(): ReadonlySet<string> {
    return this.#ttls;
  }

  /** The path itself or its closest ancestor that has a quota. */
  quotaPrefix(path: string): string | undefined {
    return this.#quotaPaths.prefixOf(path);
  }

  // ---------------------------------------------------------------- digest

  /** Signed 64 bits; 0 when the feature is off. */
  get treeDigest(): bigint {
    return this.#digest.value;
  }

  get digestEnabled(): boolean {
    return this.#digestEnabled;
  }

  /** The sum, to predict from: copy it (`DigestSum.copyFrom`). */
  get digestSum(): DigestSum {
    return this.#digest;
  }

  /** A node's part of the digest, unsigned 32 bits. */
  nodeDigest(node: NodeId): number {
    return this.#store.get(node, DIGEST) >>> 0;
  }

  /** False if a transaction carries another digest than the tree has after it. */
  matchesDigest(digest: TxnDigest | null): boolean {
    if (!this.#digestEnabled || digest === null || digest.version !== DIGEST_VERSION) return true;
    // The tree of a fuzzy snapshot is no tree that ever was, until replay has passed the snapshot's end.
    if (this.digestLog.isFuzzy) return true;
    return digest.treeDigest === this.#digest.value;
  }

  // ---------------------------------------------------------------- applying

  /**
   * Applies a transaction. Replay over a fuzzy snapshot meets states that no server ever had: nodes that are there already or
   * gone already. What this yields is an error code that nobody needs to look at, never an exception.
   */
  apply(header: TxnHeader, txn: Txn): ApplyResult {
    const result = this.#applyOne(header, txn, false);
    if (header.zxid > this.lastProcessedZxid) this.lastProcessedZxid = header.zxid;
    if (this.#digestEnabled) this.digestLog.applied(header.zxid, this.#digest);
    return result;
  }

  #applyOne(header: TxnHeader, txn: Txn, inMulti: boolean): ApplyResult {
    const { type } = txn;
    switch (type) {
      case OpCode.create:
      case OpCode.create2: {
        const owner = txn.ephemeral ? header.clientId : (0n as SessionId);
        const err = this.#createNode(header, txn, owner);
        if (type === OpCode.create && err === ErrorCode.NODEEXISTS) this.#adjustParent(header, txn);
        return this.#resultOf(type, err, txn.path, inMulti && type === OpCode.create2);
      }
      case OpCode.createContainer:
        return this.#resultOf(type, this.#createNode(header, txn, CONTAINER_OWNER), txn.path, inMulti);
      case OpCode.createTTL:
        return this.#resultOf(type, this.#createNode(header, txn, ttlOwner(txn.ttl)), txn.path, inMulti);
      case OpCode.delete:
      case OpCode.deleteContainer:
        return { ...noResult, type, err: this.#deleteNode(txn.path, header.zxid), path: txn.path };
      case OpCode.setData:
      case OpCode.reconfig:
        return this.#resultOf(type, this.#setData(header, txn.path, txn.data, txn.version), txn.path, inMulti);
      case OpCode.setACL:
        return this.#resultOf(type, this.#setAcl(txn.path, txn.acl, txn.version), txn.path, inMulti);
      case OpCode.closeSession:
        this.#closeSession(header, txn.paths2Delete);
        return { ...noResult, type };
      case OpCode.error:
        return { ...noResult, type, err: txn.err };
      case OpCode.check:
        return { ...noResult, type, path: txn.path };
      case OpCode.createSession:
        return { ...noResult, type };
      case OpCode.multi:
        return this.#applyMulti(header, txn.txns);
      default:
        return txn satisfies never;
    }
  }

  /** If one of them is an error all are, and nothing is changed: OK before it, RUNTIMEINCONSISTENCY after it. */
  #applyMulti(header: TxnHeader, txns: readonly Txn[]): ApplyResult {
    const results: ApplyResult[] = [];
    const failing = txns.findIndex((txn) => txn.type === OpCode.error);
    let err = 0;
    for (const [index, txn] of txns.entries()) {
      let result: ApplyResult;
      if (failing < 0 || txn.type === OpCode.error) result = this.#applyOne(header, txn, true);
      else result = { ...noResult, type: OpCode.error, err: index < failing ? 0 : ErrorCode.RUNTIMEINCONSISTENCY };
      results.push(result);
      if (err === 0) err = result.err;
    }
    return { ...noResult, type: OpCode.multi, err, results };
  }

  #resultOf(type: number, err: number, path: string, wantsStat: boolean): ApplyResult {
    const node = err === 0 ? this.find(path) : NO_NODE;
    return { type, err, path, node, stat: wantsStat && err === 0 ? this.stat(node) : undefined, results: undefined };
  }

  #createNode(
    header: TxnHeader,
    txn: {
      readonly path: string;
      readonly data: Uint8Array | null;
      readonly acl: readonly ACL[] | null;
      readonly parentCVersion: number;
    },
    owner: SessionId,
  ): number {
    const { path, data } = txn;
    const store = this.#store;
    const parentPath = path.slice(0, path.lastIndexOf('/'));
    const parent = this.#nodes.get(parentPath);
    if (parent === undefined) return ErrorCode.NONODE;
    const existing = this.#nodes.get(path);
    const aclId = this.#acls.acquire(txn.acl);
    if (existing !== undefined) {
      this.#acls.release(store.get(existing, ACL_ID));
      store.set(existing, ACL_ID, aclId);
      return ErrorCode.NODEEXISTS;
    }
    this.#raiseCversion(parent, txn.parentCVersion, header.zxid);

    const node = store.allocate(path);
    store.setBigint(node, CZXID, header.zxid);
    store.setBigint(node, MZXID, header.zxid);
    store.setBigint(node, PZXID, header.zxid);
    store.setNumber(node, CTIME, header.time);
    store.setNumber(node, MTIME, header.time);
    store.set(node, ACL_ID, aclId);
    if (owner !== 0n) {
      store.setBigint(node, OWNER, owner);
      this.#enterOwner(path, owner);
    }
    this.#storeData(node, data);
    store.link(parent, node);
    this.#nodes.set(path, node);
    this.#dataSize += path.length + (data?.length ?? 0);
    this.#digestData(node, data);
    this.#nodeCreated(path, parentPath, data);

    const trigger = parentPath === '' ? '/' : parentPath;
    this.watches.data.trigger(path, EventType.NodeCreated, header.zxid, txn.acl);
    this.watches.child.trigger(trigger, EventType.NodeChildrenChanged, header.zxid, this.acl(parent));
    return 0;
  }

  /** A create never lowers what a snapshot, taken while transactions ran, already has. */
  #raiseCversion(parent: NodeId, parentCVersion: number, zxid: Zxid): void {
    const stored = this.#store.get(parent, CVERSION);
    const raised = parentCVersion === -1 ? stored + 1 : parentCVersion;
    if (raised <= stored) return;
    this.#store.set(parent, CVERSION, raised);
    this.#store.setBigint(parent, PZXID, zxid);
    this.#digestStat(parent);
  }

  /**
   * The node of a replayed create is there already, made by a later create of another session: then the parent may have been
   * written before that one (DataTree.processTxn says which history leads here). Apache does so for type 1 only.
   */
  #adjustParent(header: TxnHeader, txn: { readonly path: string; readonly parentCVersion: number }): void {
    const parent = this.#nodes.get(txn.path.slice(0, txn.path.lastIndexOf('/')));
    if (parent !== undefined) this.#raiseCversion(parent, txn.parentCVersion, header.zxid);
  }

  #deleteNode(path: string, zxid: Zxid): number {
    const node = this.#nodes.get(path);
    if (node === undefined) return this.#deleteMissing(path, zxid);
    if (node === ROOT) return ErrorCode.BADARGUMENTS;
    const store = this.#store;
    // A fuzzy snapshot may hold a later node of this name, with children. In truth there were none at this point:
    // the transactions that created them follow.
    if (store.get(node, CHILD_COUNT) > 0) this.#dropDescendants(node);
    const parent = store.get(node, PARENT);
    this.#raisePzxid(parent, zxid);

    const acl = this.acl(node);
    const parentPath = this.path(parent);
    const dataLength = this.dataLength(node);
    this.#dropNode(node, path);
    this.#nodeDeleted(path, parentPath, dataLength);

    const told = this.watches.data.trigger(path, EventType.NodeDeleted, zxid, acl);
    this.watches.child.trigger(path, EventType.NodeDeleted, zxid, acl, told);
    this.watches.child.trigger(parentPath, EventType.NodeChildrenChanged, zxid, this.acl(parent));
    return 0;
  }

  /** Replay only: the snapshot was written after the node had gone, but perhaps its parent before. */
  #deleteMissing(path: string, zxid: Zxid): number {
    const parent = this.#nodes.get(path.slice(0, path.lastIndexOf('/')));
    if (parent !== undefined) this.#raisePzxid(parent, zxid);
    return ErrorCode.NONODE;
  }

  #raisePzxid(node: NodeId, zxid: Zxid): void {
    if (zxid <= this.pzxid(node)) return;
    this.#store.setBigint(node, PZXID, zxid);
    this.#digestStat(node);
  }

  #dropDescendants(node: NodeId): void {
    const below: NodeId[] = [];
    this.#visit(node, (descendant) => below.push(descendant));
    // Deepest first, without the node itself.
    for (let index = below.length - 1; index > 0; index -= 1) {
      const descendant = below[index] as NodeId;
      this.#dropNode(descendant, this.#store.path(descendant));
    }
  }

  #dropNode(node: NodeId, path: string): void {
    const store = this.#store;
    const dataLength = this.dataLength(node);
    if (this.#hasOwner(node)) this.#leaveOwner(path, this.ephemeralOwner(node));
    this.#acls.release(store.get(node, ACL_ID));
    this.#digest.subtract(this.nodeDigest(node));
    if (dataLength > 0) this.#arena.free(store.get(node, DATA_REF));
    this.#dataSize -= path.length + dataLength;
    store.unlink(node);
    store.free(node);
    this.#nodes.delete(path);
  }

  #setData(header: TxnHeader, path: string, data: Uint8Array | null, version: number): number {
    const node = this.#nodes.get(path);
    if (node === undefined) return ErrorCode.NONODE;
    const store = this.#store;
    const grown = (data?.length ?? 0) - this.dataLength(node);
    this.#storeData(node, data);
    store.setBigint(node, MZXID, header.zxid);
    store.setNumber(node, MTIME, header.time);
    store.set(node, VERSION, version);
    this.#dataSize += grown;
    this.#digestData(node, data);
    const quota = this.#quotaPaths.prefixOf(path);
    if (quota !== undefined) this.#chargeQuota(quota, 0, grown);
    this.watches.data.trigger(path, EventType.NodeDataChanged, header.zxid, this.acl(node));
    return 0;
  }

  #setAcl(path: string, acl: readonly ACL[] | null, version: number): number {
    const node = this.#nodes.get(path);
    if (node === undefined) return ErrorCode.NONODE;
    const aclId = this.#acls.acquire(acl);
    this.#acls.release(this.#store.get(node, ACL_ID));
    this.#store.set(node, ACL_ID, aclId);
    this.#store.set(node, AVERSION, version);
    this.#digestStat(node);
    return 0;
  }

  /** The listed paths, which the leader knew to be the session's, then whatever the tree still holds of it. */
  #closeSession(header: TxnHeader, listed: readonly string[] | null): void {
    for (const path of listed ?? []) this.#deleteNode(path, header.zxid);
    const owned = this.#ephemerals.get(header.clientId);
    if (owned === undefined) return;
    for (const path of [...owned]) this.#deleteNode(path, header.zxid);
  }

  // ---------------------------------------------------------------- the parts of a node

  #hasOwner(node: NodeId): boolean {
    const words = this.#store.words(node);
    const at = this.#store.at(node) + OWNER;
    return words[at] !== 0 || words[at + 1] !== 0;
  }

  #enterOwner(path: string, owner: SessionId): void {
    const kind = kindOfOwner(owner, this.#extendedTypes);
    if (kind === 'container') this.#containers.add(path);
    else if (kind === 'ttl') this.#ttls.add(path);
    else if (kind === 'ephemeral') {
      let owned = this.#ephemerals.get(owner);
      if (owned === undefined) {
        owned = new Set();
        this.#ephemerals.set(owner, owned);
      }
      owned.add(path);
      this.#ephemeralsCount += 1;
    }
  }

  #leaveOwner(path: string, owner: SessionId): void {
    const kind = kindOfOwner(owner, this.#extendedTypes);
    if (kind === 'container') this.#containers.delete(path);
    else if (kind === 'ttl') this.#ttls.delete(path);
    else {
      const owned = this.#ephemerals.get(owner);
      if (owned?.delete(path) !== true) return;
      this.#ephemeralsCount -= 1;
      if (owned.size === 0) this.#ephemerals.delete(owner);
    }
  }

  /** Overwrites in place where the new data fits the block of the old. */
  #storeData(node: NodeId, data: Uint8Array | null): void {
    const store = this.#store;
    const before = this.dataLength(node);
    const after = data?.length ?? 0;
    store.set(node, DATA_LENGTH, data === null ? -1 : after);
    if (data !== null && DataArena.sameBlock(before, after)) {
      this.#arena.replace(store.get(node, DATA_REF), data);
      return;
    }
    if (before > 0) this.#arena.free(store.get(node, DATA_REF));
    if (data !== null && after > 0) store.set(node, DATA_REF, this.#arena.put(data));
  }

  /** After a change of the data (and perhaps of the stat). */
  #digestData(node: NodeId, data: Uint8Array | null): void {
    if (!this.#digestEnabled) return;
    const path = this.#store.path(node);
    if (isExcludedFromDigest(path)) return;
    const ofPath = crc32OfPath(path);
    this.#store.set(node, CRC_PREFIX, data === null ? ofPath : crc32(data, 0, data.length, ofPath));
    this.#digestStat(node);
  }

  /** After a change of the stat. */
  #digestStat(node: NodeId): void {
    if (!this.#digestEnabled) return;
    const words = this.#store.words(node);
    const at = this.#store.at(node);
    if (isExcludedFromDigest(this.#store.path(node))) return;
    let crc = words[at + CRC_PREFIX] as number;
    crc = crc32Word(words[at + CZXID] as number, crc);
    crc = crc32Word(words[at + CZXID + 1] as number, crc);
    crc = crc32Word(words[at + MZXID] as number, crc);
    crc = crc32Word(words[at + MZXID + 1] as number, crc);
    crc = crc32Word(words[at + PZXID] as number, crc);
    crc = crc32Word(words[at + PZXID + 1] as number, crc);
    for (let word = CTIME; word < DATA_LENGTH; word += 1) crc = crc32Word(words[at + word] as number, crc);
    this.#digest.subtract((words[at + DIGEST] as number) >>> 0);
    this.#digest.add(crc >>> 0);
    words[at + DIGEST] = crc;
  }

  /** A node and all below it, parents first. */
  #visit(node: NodeId, visitor: (node: NodeId) => void): void {
    const stack = [node];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      visitor(next);
      for (const child of this.childNodes(next)) stack.push(child);
    }
  }

  // ---------------------------------------------------------------- quotas

  #nodeCreated(path: string, parentPath: string, data: Uint8Array | null): void {
    if (parentPath.startsWith(QUOTA_ROOT)) {
      const quotaPath = parentPath.slice(QUOTA_ROOT.length);
      if (path.endsWith(`/${LIMIT_NODE}`)) this.#quotaPaths.add(quotaPath);
      if (path.endsWith(`/${STAT_NODE}`)) this.#measureQuota(quotaPath);
    }
    const quota = this.#quotaPaths.prefixOf(path);
    if (quota !== undefined) this.#chargeQuota(quota, 1, data?.length ?? 0);
  }

  #nodeDeleted(path: string, parentPath: string, dataLength: number): void {
    if (parentPath.startsWith(QUOTA_ROOT) && path.endsWith(`/${LIMIT_NODE}`)) {
      this.#quotaPaths.delete(parentPath.slice(QUOTA_ROOT.length));
    }
    const quota = this.#quotaPaths.prefixOf(path);
    if (quota !== undefined) this.#chargeQuota(quota, -1, -dataLength);
  }

  /** Every server changes the usage node in place as it applies a transaction: no version, no time, no digest. */
  #chargeQuota(quotaPath: string, countDelta: number, bytesDelta: number): void {
    const node = this.find(quotaStatPath(quotaPath));
    if (node === NO_NODE) return;
    const usage = new QuotaValues(Buffer.from(this.viewData(node) ?? noBytes).toString());
    usage.set('count', usage.get('count') + countDelta);
    usage.set('bytes', usage.get('bytes') + bytesDelta);
    this.#storeData(node, Buffer.from(usage.toString()));
  }

  /** Usage from scratch, when a quota is set and when a tree is loaded. */
  #measureQuota(quotaPath: string): void {
    const usage = new QuotaValues();
    usage.set('count', 0);
    usage.set('bytes', 0);
    const measured = this.find(quotaPath);
    if (measured !== NO_NODE) {
      this.#visit(measured, (node) => {
        usage.set('count', usage.get('count') + 1);
        usage.set('bytes', usage.get('bytes') + this.dataLength(node));
      });
    }
    const node = this.find(quotaStatPath(quotaPath));
    if (node !== NO_NODE) this.#storeData(node, Buffer.from(usage.toString()));
  }

  // ---------------------------------------------------------------- built-in nodes

  #insertBuiltIn(path: string): void {
    const node = this.#insert(path, OPEN_UNSAFE_ACL_ID);
    this.#storeData(node, noBytes);
    this.#digestData(node, noBytes);
  }

  /** Snapshots of before 3.5 lack it. */
  addConfigNode(): void {
    if (this.find(CONFIG_PATH) !== NO_NODE) return;
    this.#insertBuiltIn(CONFIG_PATH);
    this.#setAcl(CONFIG_PATH, READ_ACL_UNSAFE, -1);
  }

  /** The membership, which a quorum member stores by itself at start: no transaction. */
  setConfig(config: Uint8Array, version: Zxid, timeMs: number): void {
    this.addConfigNode();
    const header = { clientId: 0n as SessionId, cxid: 0, zxid: version, time: timeMs, type: OpCode.reconfig };
    this.#setData(header, CONFIG_PATH, config, -1);
  }

  #insert(path: string, aclId: number): NodeId {
    const node = this.#store.allocate(path);
    this.#nodes.set(path, node);
    this.#store.set(node, ACL_ID, aclId);
    this.#dataSize += path.length;
    if (path === '') {
      assert(node === ROOT, 'the root is the first node', node);
      this.#nodes.set('/', node);
      this.#dataSize += 1;
    } else {
      const parent = this.#nodes.get(path.slice(0, path.lastIndexOf('/')));
      if (parent === undefined) throw new MalformedError(`no parent of ${path}`);
      this.#store.link(parent, node);
    }
    return node;
  }

  // ---------------------------------------------------------------- snapshots

  /** All nodes, parents before children; the iterator survives transactions (what was created meanwhile comes last). */
  nodes(): MapIterator<[path: string, node: NodeId]> {
    return this.#nodes.entries();
  }

  czxid(node: NodeId): Zxid {
    return this.#store.getBigint(node, CZXID) as Zxid;
  }

  aclLists(): IterableIterator<[id: number, acl: readonly ACL[]]> {
    return this.#acls.entries();
  }

  /** A tree from a fuzzy snapshot may hold nodes that are newer than `lastProcessedZxid`. */
  get newestRestoredCzxid(): Zxid {
    return this.#newestRestoredCzxid;
  }

  get lastAclId(): number {
    return this.#acls.lastId;
  }

  /**
   * What a snapshot holds of a node after its path: data, ACL id, StatPersisted.
   * @param aclIdMax a list with a greater id came after the snapshot began and is not in it: replay sets it again
   */
  writePersisted(to: Writer, node: NodeId, aclIdMax: number): void {
    this.writeData(to, node);
    const words = this.#store.words(node);
    const at = this.#store.at(node);
    const aclId = (words[at + ACL_ID] as number) > aclIdMax ? OPEN_UNSAFE_ACL_ID : (words[at + ACL_ID] as number);
    to.int32(aclId >> 31);
    to.int32(aclId);
    for (let word = CZXID; word < DATA_LENGTH; word += 1) to.int32(words[at + word] as number);
    to.int32(words[at + PZXID] as number);
    to.int32(words[at + PZXID + 1] as number);
  }

  /** A list of a snapshot, before the nodes that use it. */
  restoreAcl(id: bigint, acl: readonly ACL[]): void {
    this.#acls.insert(aclIdOf(id), acl);
  }

  /**
   * The opposite of `writePersisted`; ACL id and stat are read here.
   * @throws MalformedError
   */
  restoreNode(path: string, data: Uint8Array | null, from: Reader): void {
    if (this.#nodes.has(path)) throw new MalformedError(`${path} is there twice`);
    const aclId = aclIdOf(from.bigint64());
    // Apache writes the lists first and the nodes while transactions go on: replay brings what is missing.
    if (!this.#acls.has(aclId)) this.#acls.insert(aclId, NOBODY);
    const node = this.#insert(path, aclId);
    const store = this.#store;
    this.#acls.addUse(aclId);
    for (let word = CZXID; word < DATA_LENGTH; word += 1) store.set(node, word, from.int32());
    store.set(node, PZXID, from.int32());
    store.set(node, PZXID + 1, from.int32());
    const czxid = this.czxid(node);
    if (czxid > this.#newestRestoredCzxid) this.#newestRestoredCzxid = czxid;
    if (this.#hasOwner(node)) this.#enterOwner(path, this.ephemeralOwner(node));
    this.#storeData(node, data);
    this.#dataSize += data?.length ?? 0;
    this.#digestData(node, data);
  }

  /** After the last node. */
  finishRestore(): void {
    if (this.find('') === NO_NODE) throw new MalformedError('there is no root');
    this.#acls.purgeUnused();
    const quotaRoot = this.find(QUOTA_ROOT);
    if (quotaRoot === NO_NODE) return;
    const limits: string[] = [];
    this.#visit(quotaRoot, (node) => {
      const path = this.#store.path(node);
      if (path.endsWith(`/${LIMIT_NODE}`)) limits.push(path.slice(QUOTA_ROOT.length, -LIMIT_NODE.length - 1));
    });
    for (const path of limits) {
      this.#quotaPaths.add(path);
      this.#measureQuota(path);
    }
  }

  // ---------------------------------------------------------------- watches

  /** A client that is back: what it missed is told now, the rest is watched again. Persistent watches miss nothing by contract. */
  setWatches(request: SetWatches2, watcher: Watcher): void {
    const since = request.relativeZxid;
    const { data, child } = this.watches;
    const tell = (type: EventType, path: string, node: NodeId): void =>
      watcher.process(missedEvent(type, path), node === NO_NODE ? null : this.acl(node));
    for (const path of request.dataWatches ?? []) {
      const node = this.find(path);
      if (node === NO_NODE) tell(EventType.NodeDeleted, path, node);
      else if (this.mzxid(node) > since) tell(EventType.NodeDataChanged, path, node);
      else data.add(path, watcher, WatchMode.STANDARD);
    }
    for (const path of request.existWatches ?? []) {
      const node = this.find(path);
      if (node === NO_NODE) data.add(path, watcher, WatchMode.STANDARD);
      else tell(EventType.NodeCreated, path, node);
    }
    for (const path of request.childWatches ?? []) {
      const node = this.find(path);
      if (node === NO_NODE) tell(EventType.NodeDeleted, path, node);
      else if (this.pzxid(node) > since) tell(EventType.NodeChildrenChanged, path, node);
      else child.add(path, watcher, WatchMode.STANDARD);
    }
    for (const path of request.persistentWatches ?? []) this.watches.addPersistent(path, watcher);
    for (const path of request.persistentRecursiveWatches ?? []) this.watches.addRecursive(path, watcher);
  }
}

const noBytes = new Uint8Array(0);
/** Stands for a list that a snapshot does not have. */
const NOBODY: readonly ACL[] = [{ perms: 0, id: ANYONE_ID }];
const noPaths: ReadonlySet<string> = new Set();
const noResult: ApplyResult = {
  type: 0,
  err: 0,
  path: undefined,
  node: NO_NODE,
  stat: undefined,
  results: undefined,
};

/** Ids are 64 bits in snapshots, and count from 1. */
function aclIdOf(id: bigint): number {
  if (id < -1n || id > 0x7fff_ffffn) throw new MalformedError(`an ACL id of ${id}`);
  return Number(id);
}
