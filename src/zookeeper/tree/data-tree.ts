import { MalformedError } from '../../wire/errors.ts';
import type { Reader } from '../../wire/reader.ts';
import type { Writer } from '../../wire/writer.ts';
import type { ACL, Stat, StatPersisted } from '../jute/data.ts';
import { EventType } from '../jute/events.ts';
import type { SessionId, Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import type { SetWatches2 } from '../jute/proto.ts';
import type { Txn, TxnDigest, TxnHeader } from '../jute/txn.ts';
import { ANYONE_ID, READ_ACL_UNSAFE } from './acl.ts';
import { OPEN_UNSAFE_ACL_ID } from './acl-cache.ts';
import { DIGEST_VERSION, type DigestSum } from './digest.ts';
import { DigestLog } from './digest-log.ts';
import type { NodeKind } from './ephemeral-owner.ts';
import { NO_NODE, type NodeId, NodeTable } from './node-table.ts';
import { QuotaUsage } from './quota-usage.ts';
import { QUOTA_ROOT } from './quotas.ts';
import type { TreeAccount } from './tree-account.ts';
import { type ApplyResult, TxnApplier } from './txn-applier.ts';
import { missedEvent, type Watcher, Watches, WatchMode } from './watches.ts';

export { NO_NODE, type NodeId } from './node-table.ts';
export type { ApplyResult } from './txn-applier.ts';

export const CONFIG_PATH = '/zookeeper/config';

export interface DataTreeOptions {
  /** `zookeeper.digest.enabled`, default true. */
  readonly digest?: boolean;
  /** `zookeeper.extendedTypesEnabled`, default false: whether owners 0xff… are TTLs rather than sessions of server 255. */
  readonly extendedTypes?: boolean;
}

/**
 * All znodes, in memory: a function of the transactions applied, without clock, chance or disk. Data is copied in and its
 * memory is reused: what `viewData` shows is valid until the next transaction.
 */
export class DataTree {
  readonly watches = new Watches();
  /** Every 128th zxid with its digest, for the four-letter word `hash`. */
  digestLog = new DigestLog();
  /** The newest transaction applied; a leader sets it to the first zxid of its epoch. */
  lastProcessedZxid: Zxid = 0n as Zxid;
  #nodes: NodeTable;
  #quotas: QuotaUsage;
  #applier: TxnApplier;
  #newestRestoredCzxid: Zxid = 0n as Zxid;

  private constructor(options: DataTreeOptions) {
    this.#nodes = new NodeTable(options.digest ?? true, options.extendedTypes ?? false);
    this.#quotas = new QuotaUsage(this.#nodes);
    this.#applier = new TxnApplier(this.#nodes, this.#quotas, this.watches);
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

  // ---------------------------------------------------------------- reading

  find(path: string): NodeId {
    return this.#nodes.find(path);
  }

  /** As `find`, for paths that are probably not there. */
  has(path: string): boolean {
    return this.#nodes.findOnce(path) !== NO_NODE;
  }

  path(node: NodeId): string {
    return this.#nodes.path(node);
  }

  version(node: NodeId): number {
    return this.#nodes.version(node);
  }

  /** The stored cversion: creations of children. Clients see another (`stat`). Sequence suffixes come from this one. */
  cversion(node: NodeId): number {
    return this.#nodes.cversion(node);
  }

  aversion(node: NodeId): number {
    return this.#nodes.aversion(node);
  }

  childCount(node: NodeId): number {
    return this.#nodes.childCount(node);
  }

  czxid(node: NodeId): Zxid {
    return this.#nodes.czxid(node);
  }

  mzxid(node: NodeId): Zxid {
    return this.#nodes.mzxid(node);
  }

  pzxid(node: NodeId): Zxid {
    return this.#nodes.pzxid(node);
  }

  /** Milliseconds. */
  mtime(node: NodeId): number {
    return this.#nodes.mtime(node);
  }

  /** As stored: a session, or the marker of a container or TTL node. */
  ephemeralOwner(node: NodeId): SessionId {
    return this.#nodes.ephemeralOwner(node);
  }

  kind(node: NodeId): NodeKind {
    return this.#nodes.kind(node);
  }

  isEphemeral(node: NodeId): boolean {
    return this.#nodes.isEphemeral(node);
  }

  acl(node: NodeId): readonly ACL[] {
    return this.#nodes.acl(node);
  }

  aclId(node: NodeId): number {
    return this.#nodes.aclId(node);
  }

  /** Bytes; 0 for null. */
  dataLength(node: NodeId): number {
    return this.#nodes.dataLength(node);
  }

  /** Valid until the next transaction. */
  viewData(node: NodeId): Uint8Array | null {
    return this.#nodes.viewData(node);
  }

  copyData(node: NodeId): Uint8Array | null {
    return this.#nodes.copyData(node);
  }

  /** As clients see it. */
  stat(node: NodeId): Stat {
    return this.#nodes.stat(node);
  }

  /** As snapshots and the digest see it. */
  persistedStat(node: NodeId): StatPersisted {
    return this.#nodes.persistedStat(node);
  }

  /** The 68 bytes of a reply, without objects between. */
  writeStat(to: Writer, node: NodeId): void {
    this.#nodes.writeStat(to, node);
  }

  /** The data as a jute buffer: length (-1 for null), bytes. Data above 8 KiB is referred to, the rest copied. */
  writeData(to: Writer, node: NodeId): void {
    this.#nodes.writeData(to, node);
  }

  /** Names, as a jute vector. */
  writeChildren(to: Writer, node: NodeId): void {
    this.#nodes.writeChildren(to, node);
  }

  /** Names. Not to be continued after a transaction. */
  children(node: NodeId): IterableIterator<string> {
    return this.#nodes.children(node);
  }

  /** All descendants; for the root Apache's figure, which is the number of nodes below it. */
  allChildrenCount(node: NodeId): number {
    return this.#nodes.allChildrenCount(node);
  }

  /** Paths that a session owns. */
  ephemeralsOf(session: SessionId): ReadonlySet<string> {
    return this.#nodes.owners.ephemerals.get(session) ?? noPaths;
  }

  /** Sessions that own nodes. */
  get ephemerals(): ReadonlyMap<SessionId, ReadonlySet<string>> {
    return this.#nodes.owners.ephemerals;
  }

  get containers(): ReadonlySet<string> {
    return this.#nodes.owners.containers;
  }

  get ttls(): ReadonlySet<string> {
    return this.#nodes.owners.ttls;
  }

  /** The path itself or its closest ancestor that has a quota. */
  quotaPrefix(path: string): string | undefined {
    return this.#quotas.prefixOf(path);
  }

  // ---------------------------------------------------------------- figures

  /** As `srvr` and `mntr` report it: 5 for a fresh tree. */
  get nodeCount(): number {
    return this.#nodes.count;
  }

  get ephemeralsCount(): number {
    return this.#nodes.owners.ephemeralsCount;
  }

  /** Bytes of paths and data. */
  get approximateDataSize(): number {
    return this.#nodes.dataSize;
  }

  /** Bytes that the tree itself manages, without the table of paths. */
  get memoryHeld(): number {
    return this.#nodes.memoryHeld;
  }

  get aclCacheSize(): number {
    return this.#nodes.acls.size;
  }

  // ---------------------------------------------------------------- digest

  get digestEnabled(): boolean {
    return this.#nodes.digests.isEnabled;
  }

  /** Signed 64 bits; 0 when the feature is off. */
  get treeDigest(): bigint {
    return this.#nodes.digests.sum.value;
  }

  /** The sum, to predict from: copy it (`DigestSum.copyFrom`). */
  get digestSum(): DigestSum {
    return this.#nodes.digests.sum;
  }

  /** A node's part of the digest, unsigned 32 bits. */
  nodeDigest(node: NodeId): number {
    return this.#nodes.digests.of(node);
  }

  /** False if a transaction carries another digest than the tree has after it. */
  matchesDigest(digest: TxnDigest | null): boolean {
    if (!this.digestEnabled || digest === null || digest.version !== DIGEST_VERSION) return true;
    // The tree of a fuzzy snapshot is no tree that ever was, until replay has passed the snapshot's end.
    if (this.digestLog.isFuzzy) return true;
    return digest.treeDigest === this.treeDigest;
  }

  /** Who is told what is written and how many watches fire, from now on. */
  keepAccount(account: TreeAccount): void {
    this.#applier.account = account;
    this.watches.data.account = account;
    this.watches.child.account = account;
  }

  // ---------------------------------------------------------------- applying

  /**
   * Applies a transaction. Replay over a fuzzy snapshot meets states that no server ever had: nodes that are there already or
   * gone already. What this yields is an error code that nobody needs to look at, never an exception.
   */
  apply(header: TxnHeader, txn: Txn): ApplyResult {
    const result = this.#applier.apply(header, txn);
    if (header.zxid > this.lastProcessedZxid) this.lastProcessedZxid = header.zxid;
    if (this.digestEnabled) this.digestLog.applied(header.zxid, this.#nodes.digests.sum);
    return result;
  }

  // ---------------------------------------------------------------- built-in nodes

  #insertBuiltIn(path: string): void {
    const node = this.#nodes.insert(path, OPEN_UNSAFE_ACL_ID);
    this.#nodes.storeData(node, noBytes);
    this.#nodes.digests.dataChanged(node, noBytes);
  }

  /** Snapshots of before 3.5 lack it. */
  addConfigNode(): void {
    if (this.find(CONFIG_PATH) !== NO_NODE) return;
    this.#insertBuiltIn(CONFIG_PATH);
    this.#applier.setAcl(CONFIG_PATH, READ_ACL_UNSAFE, -1);
  }

  /** The membership, which a quorum member stores by itself at start: no transaction. */
  setConfig(config: Uint8Array, version: Zxid, timeMs: number): void {
    this.addConfigNode();
    const header = { clientId: 0n as SessionId, cxid: 0, zxid: version, time: timeMs, type: OpCode.reconfig };
    this.#applier.setData(header, CONFIG_PATH, config, -1);
  }

  // ---------------------------------------------------------------- snapshots

  /**
   * All nodes, parents before children. It survives transactions (what was created meanwhile comes last); who does not come to
   * its end calls `return`.
   */
  nodes(): Generator<NodeId, void> {
    return this.#nodes.all();
  }

  aclLists(): IterableIterator<[id: number, acl: readonly ACL[]]> {
    return this.#nodes.acls.entries();
  }

  get lastAclId(): number {
    return this.#nodes.acls.lastId;
  }

  /** A tree from a fuzzy snapshot may hold nodes that are newer than `lastProcessedZxid`. */
  get newestRestoredCzxid(): Zxid {
    return this.#newestRestoredCzxid;
  }

  /**
   * What a snapshot holds of a node: path, data, ACL id, StatPersisted.
   * @param aclIdMax a list with a greater id came after the snapshot began and is not in it: replay sets it again
   */
  writePersisted(to: Writer, node: NodeId, aclIdMax: number): void {
    this.#nodes.writePersisted(to, node, aclIdMax);
  }

  /** A list of a snapshot, before the nodes that use it. */
  restoreAcl(id: bigint, acl: readonly ACL[]): void {
    this.#nodes.acls.insert(aclIdOf(id), acl);
  }

  /**
   * The opposite of `writePersisted`, after path and data; ACL id and stat are read here.
   * @throws MalformedError
   */
  restoreNode(path: string, data: Uint8Array | null, from: Reader): void {
    const nodes = this.#nodes;
    if (nodes.findOnce(path) !== NO_NODE) throw new MalformedError(`${path} is there twice`);
    const aclId = aclIdOf(from.bigint64());
    // Apache writes the lists first and the nodes while transactions go on: replay brings what is missing.
    if (!nodes.acls.has(aclId)) nodes.acls.insert(aclId, NOBODY);
    const node = nodes.insert(path, aclId);
    nodes.acls.addUse(aclId);
    nodes.readPersistedStat(node, from);
    const czxid = nodes.czxid(node);
    if (czxid > this.#newestRestoredCzxid) this.#newestRestoredCzxid = czxid;
    nodes.storeData(node, data);
    nodes.digests.dataChanged(node, data);
  }

  /** After the last node. */
  finishRestore(): void {
    if (this.find('') === NO_NODE) throw new MalformedError('there is no root');
    this.#nodes.acls.purgeUnused();
    this.#quotas.measureAll();
  }

  /** Takes over all that another tree holds, which is not to be used any more. Watches and whoever keeps account stay. */
  become(other: DataTree): void {
    const { account } = this.#applier;
    this.#nodes = other.#nodes;
    this.#quotas = other.#quotas;
    this.#applier = new TxnApplier(this.#nodes, this.#quotas, this.watches);
    this.#applier.account = account;
    this.digestLog = other.digestLog;
    this.lastProcessedZxid = other.lastProcessedZxid;
    this.#newestRestoredCzxid = other.#newestRestoredCzxid;
  }

  // ---------------------------------------------------------------- watches

  /** A client that is back: what it missed is told now, the rest is watched again. Persistent watches miss nothing by contract. */
  setWatches(request: SetWatches2, watcher: Watcher): void {
    const since = request.relativeZxid;
    const { data, child } = this.watches;
    // Of what it missed Apache tells also who may not read the node.
    const tell = (type: EventType, path: string): void => watcher.process(missedEvent(type, path), null);
    for (const path of request.dataWatches ?? []) {
      const node = this.find(path);
      if (node === NO_NODE) tell(EventType.NodeDeleted, path);
      else if (this.mzxid(node) > since) tell(EventType.NodeDataChanged, path);
      else data.add(path, watcher, WatchMode.STANDARD);
    }
    for (const path of request.existWatches ?? []) {
      const node = this.find(path);
      if (node === NO_NODE) data.add(path, watcher, WatchMode.STANDARD);
      else tell(EventType.NodeCreated, path);
    }
    for (const path of request.childWatches ?? []) {
      const node = this.find(path);
      if (node === NO_NODE) tell(EventType.NodeDeleted, path);
      else if (this.pzxid(node) > since) tell(EventType.NodeChildrenChanged, path);
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
/** Ids are 64 bits in snapshots, and count from 1. */
function aclIdOf(id: bigint): number {
  if (id < -1n || id > 0x7fff_ffffn) throw new MalformedError(`an ACL id of ${id}`);
  return Number(id);
}
