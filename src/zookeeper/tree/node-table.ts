import { assert } from '../../base/assert.ts';
import { MalformedError } from '../../wire/errors.ts';
import type { Reader } from '../../wire/reader.ts';
import type { Writer } from '../../wire/writer.ts';
import type { ACL, Stat, StatPersisted } from '../jute/data.ts';
import type { SessionId, Zxid } from '../jute/ids.ts';
import { AclCache, OPEN_UNSAFE_ACL_ID } from './acl-cache.ts';
import { CreationOrder } from './creation-order.ts';
import { DataArena, offsetOf } from './data-arena.ts';
import { kindOfOwner, type NodeKind } from './ephemeral-owner.ts';
import { NodeDigests } from './node-digests.ts';
import {
  ACL_ID,
  AVERSION,
  CHILD_COUNT,
  CTIME,
  CVERSION,
  CZXID,
  DATA_LENGTH,
  DATA_REF,
  FIRST_CHILD,
  MTIME,
  MZXID,
  NodeStore,
  OWNER,
  PARENT,
  PZXID,
  VERSION,
} from './node-store.ts';
import { OwnerIndex } from './owner-index.ts';
import { RecentParent } from './path.ts';
import { PathStore } from './path-store.ts';
import { PathTable } from './path-table.ts';

/** Names a node until it is deleted; NO_NODE where there is none. */
export type NodeId = number;
export const NO_NODE: NodeId = -1;
export const ROOT: NodeId = 0;

/**
 * The nodes: found by path, their stats in pages of words, their data in an arena, each counted in digest and figures. What a
 * transaction means for them is the tree's affair.
 */
export class NodeTable {
  readonly acls = new AclCache();
  readonly owners: OwnerIndex;
  readonly #store = new NodeStore();
  readonly #paths = new PathStore(this.#store);
  readonly digests: NodeDigests;
  /** All but the root. */
  readonly #ids = new PathTable(this.#paths);
  /** Of the paths found last: the engine knows a string again that it has met before, without looking at its characters. */
  readonly #recent = new Map<string, NodeId>();
  readonly #order = new CreationOrder(this.#store);
  #hasRoot = false;
  readonly #parents = new RecentParent();
  readonly #arena = new DataArena();
  readonly #extendedTypes: boolean;
  #dataSize = 0;

  constructor(digestEnabled: boolean, extendedTypes: boolean) {
    this.digests = new NodeDigests(this.#store, this.#paths, digestEnabled);
    this.#extendedTypes = extendedTypes;
    this.owners = new OwnerIndex(extendedTypes);
  }

  /** The root is there twice, as '' and as '/', like Apache's. */
  get count(): number {
    return this.#ids.size + (this.#hasRoot ? 2 : 0);
  }

  /** Bytes of paths and data. */
  get dataSize(): number {
    return this.#dataSize;
  }

  /** Bytes of the pages, without the table of paths. */
  get memoryHeld(): number {
    return this.#arena.bytesHeld + this.#paths.bytesHeld + this.#store.bytesHeld;
  }

  find(path: string): NodeId {
    return this.#recent.get(path) ?? this.#lookUp(path);
  }

  /** For paths that are probably not there, or not asked for again. */
  findOnce(path: string): NodeId {
    if (path === '' || path === '/') return this.#hasRoot ? ROOT : NO_NODE;
    return this.#ids.find(path);
  }

  #lookUp(path: string): NodeId {
    const node = this.findOnce(path);
    if (node <= ROOT) return node;
    if (this.#recent.size === RECENT_MAX) this.#recent.clear();
    this.#recent.set(path, node);
    return node;
  }

  path(node: NodeId): string {
    return node === ROOT ? '/' : this.#paths.path(node);
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
    return this.acls.get(this.#store.get(node, ACL_ID));
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
    for (let child = this.#store.get(node, FIRST_CHILD); child >= 0; child = this.#store.nextSibling(child)) {
      this.#paths.writeName(to, child, node);
    }
  }

  /** Names. Not to be continued after a transaction. */
  *children(node: NodeId): IterableIterator<string> {
    for (const child of this.childNodes(node)) yield this.#paths.name(child, node);
  }

  *childNodes(node: NodeId): IterableIterator<NodeId> {
    for (let child = this.#store.get(node, FIRST_CHILD); child >= 0; child = this.#store.nextSibling(child))
      yield child;
  }

  /** All descendants; for the root Apache's figure, which is the number of nodes below it. */
  allChildrenCount(node: NodeId): number {
    if (node === ROOT) return this.count - 2;
    let count = 0;
    this.visit(node, () => {
      count += 1;
    });
    return count - 1;
  }

  parent(node: NodeId): NodeId {
    return this.#store.get(node, PARENT);
  }

  // ---------------------------------------------------------------- changing

  /**
   * A node without data, all numbers zero; the root first.
   * @throws MalformedError without a parent
   */
  insert(path: string, aclId: number): NodeId {
    if (path === '') return this.#insertRoot(aclId);
    const parent = this.find(this.#parents.of(path) ?? '');
    if (parent === NO_NODE) throw new MalformedError(`no parent of ${path}`);
    return this.insertBelow(parent, path, aclId);
  }

  insertBelow(parent: NodeId, path: string, aclId: number): NodeId {
    const node = this.#store.allocate();
    this.#paths.put(node, path);
    this.#store.set(node, ACL_ID, aclId);
    this.#store.link(parent, node);
    this.#order.append(node);
    this.#ids.add(path, node);
    this.#dataSize += path.length;
    this.digests.pathSet(node, path);
    return node;
  }

  #insertRoot(aclId: number): NodeId {
    const node = this.#store.allocate();
    assert(node === ROOT, 'the root is the first node', node);
    this.#store.set(node, ACL_ID, aclId);
    this.#order.append(node);
    this.#hasRoot = true;
    this.#dataSize += 1;
    return node;
  }

  /** The numbers of a new node. The digest waits for its data. */
  stamp(node: NodeId, zxid: Zxid, timeMs: number): void {
    this.#store.setBigint(node, CZXID, zxid);
    this.#store.setBigint(node, PZXID, zxid);
    this.#store.setNumber(node, CTIME, timeMs);
    this.setModified(node, zxid, timeMs, 0);
  }

  setModified(node: NodeId, zxid: Zxid, timeMs: number, version: number): void {
    this.#store.setBigint(node, MZXID, zxid);
    this.#store.setNumber(node, MTIME, timeMs);
    this.#store.set(node, VERSION, version);
  }

  setOwner(node: NodeId, path: string, owner: SessionId): void {
    this.#store.setBigint(node, OWNER, owner);
    this.owners.enter(path, owner);
  }

  setCversion(node: NodeId, cversion: number, pzxid: Zxid): void {
    this.#store.set(node, CVERSION, cversion);
    this.setPzxid(node, pzxid);
  }

  setPzxid(node: NodeId, pzxid: Zxid): void {
    this.#store.setBigint(node, PZXID, pzxid);
    this.digests.statChanged(node);
  }

  /** The id was acquired for this node. */
  setAcl(node: NodeId, aclId: number): void {
    this.acls.release(this.#store.get(node, ACL_ID));
    this.#store.set(node, ACL_ID, aclId);
  }

  setAversion(node: NodeId, aversion: number): void {
    this.#store.set(node, AVERSION, aversion);
    this.digests.statChanged(node);
  }

  /** The words of a StatPersisted, in their order in a snapshot. */
  readPersistedStat(node: NodeId, from: Reader): void {
    const words = this.#store.words(node);
    const at = this.#store.at(node);
    for (let word = CZXID; word < DATA_LENGTH; word += 1) words[at + word] = from.int32();
    words[at + PZXID] = from.int32();
    words[at + PZXID + 1] = from.int32();
    if (this.#hasOwner(node)) this.owners.enter(this.#paths.path(node), this.ephemeralOwner(node));
  }

  /** A node without children. */
  drop(node: NodeId): void {
    const path = this.#paths.path(node);
    const dataLength = this.dataLength(node);
    if (this.#hasOwner(node)) this.owners.leave(path, this.ephemeralOwner(node));
    this.acls.release(this.#store.get(node, ACL_ID));
    this.digests.drop(node);
    if (dataLength > 0) this.#arena.free(this.#store.get(node, DATA_REF));
    this.#dataSize -= path.length + dataLength;
    this.#ids.delete(path, node);
    this.#recent.delete(path);
    this.#order.remove(node);
    this.#paths.free(node);
    this.#store.unlink(node);
    this.#store.free(node);
  }

  #hasOwner(node: NodeId): boolean {
    const words = this.#store.words(node);
    const at = this.#store.at(node) + OWNER;
    return words[at] !== 0 || words[at + 1] !== 0;
  }

  /** Overwrites in place where the new data fits the block of the old. */
  storeData(node: NodeId, data: Uint8Array | null): void {
    const store = this.#store;
    const before = this.dataLength(node);
    const after = data?.length ?? 0;
    this.#dataSize += after - before;
    store.set(node, DATA_LENGTH, data === null ? -1 : after);
    if (data !== null && DataArena.sameBlock(before, after)) {
      this.#arena.replace(store.get(node, DATA_REF), data);
      return;
    }
    if (before > 0) this.#arena.free(store.get(node, DATA_REF));
    if (data !== null && after > 0) store.set(node, DATA_REF, this.#arena.put(data));
  }

  /** A node and all below it, parents first. */
  visit(node: NodeId, visitor: (node: NodeId) => void): void {
    const stack = [node];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      visitor(next);
      for (const child of this.childNodes(next)) stack.push(child);
    }
  }

  // ---------------------------------------------------------------- snapshots

  /** All nodes, parents before children. It survives transactions (what was created meanwhile comes last). */
  all(): Generator<NodeId, void> {
    return this.#order.nodes();
  }

  czxid(node: NodeId): Zxid {
    return this.#store.getBigint(node, CZXID) as Zxid;
  }

  /**
   * What a snapshot holds of a node: path, data, ACL id, StatPersisted.
   * @param aclIdMax a list with a greater id came after the snapshot began and is not in it: replay sets it again
   */
  writePersisted(to: Writer, node: NodeId, aclIdMax: number): void {
    this.#paths.writePath(to, node);
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
}

const noBytes = new Uint8Array(0);
const RECENT_MAX = 1024;
