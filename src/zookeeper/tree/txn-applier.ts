import type { ACL, Stat } from '../jute/data.ts';
import { ErrorCode } from '../jute/errors.ts';
import { EventType } from '../jute/events.ts';
import type { SessionId, Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import type { Txn, TxnHeader } from '../jute/txn.ts';
import { CONTAINER_OWNER, ttlOwner } from './ephemeral-owner.ts';
import { NO_NODE, type NodeId, type NodeTable, ROOT } from './node-table.ts';
import { RecentParent } from './path.ts';
import type { QuotaUsage } from './quota-usage.ts';
import type { TreeAccount } from './tree-account.ts';
import type { Watches } from './watches.ts';

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

/** The node, or what was met instead: error codes are negative. */
type Outcome = NodeId | ErrorCode;

/** What transactions mean for the nodes, and who is told of it. */
export class TxnApplier {
  account: TreeAccount | undefined;
  readonly #nodes: NodeTable;
  readonly #quotas: QuotaUsage;
  readonly #watches: Watches;
  readonly #parents = new RecentParent();

  constructor(nodes: NodeTable, quotas: QuotaUsage, watches: Watches) {
    this.#nodes = nodes;
    this.#quotas = quotas;
    this.#watches = watches;
  }

  /** @param inMulti later operations of the same transaction may change the node again: its stat is taken at once */
  apply(header: TxnHeader, txn: Txn, inMulti = false): ApplyResult {
    const { type } = txn;
    switch (type) {
      case OpCode.create:
      case OpCode.create2: {
        const owner = txn.ephemeral ? header.clientId : (0n as SessionId);
        const outcome = this.#createNode(header, txn, owner);
        if (type === OpCode.create && outcome === ErrorCode.NODEEXISTS) this.#adjustParent(header, txn);
        return this.#resultOf(type, outcome, txn.path, inMulti && type === OpCode.create2);
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
        return this.#resultOf(type, this.setData(header, txn.path, txn.data, txn.version), txn.path, inMulti);
      case OpCode.setACL:
        return this.#resultOf(type, this.setAcl(txn.path, txn.acl, txn.version), txn.path, inMulti);
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
      if (failing < 0 || txn.type === OpCode.error) result = this.apply(header, txn, true);
      else result = { ...noResult, type: OpCode.error, err: index < failing ? 0 : ErrorCode.RUNTIMEINCONSISTENCY };
      results.push(result);
      if (err === 0) err = result.err;
    }
    return { ...noResult, type: OpCode.multi, err, results };
  }

  #resultOf(type: number, outcome: Outcome, path: string, wantsStat: boolean): ApplyResult {
    const isDone = outcome >= 0;
    return {
      type,
      err: isDone ? 0 : outcome,
      path,
      node: isDone ? outcome : NO_NODE,
      stat: wantsStat && isDone ? this.#nodes.stat(outcome) : undefined,
      results: undefined,
    };
  }

  #createNode(header: TxnHeader, txn: Creation, owner: SessionId): Outcome {
    const { path, data } = txn;
    const nodes = this.#nodes;
    const parentPath = this.#parents.of(path) ?? '';
    const parent = nodes.find(parentPath);
    if (parent === NO_NODE) return ErrorCode.NONODE;
    const existing = nodes.findOnce(path);
    const aclId = nodes.acls.acquire(txn.acl);
    if (existing !== NO_NODE) {
      nodes.setAcl(existing, aclId);
      return ErrorCode.NODEEXISTS;
    }
    this.#raiseCversion(parent, txn.parentCVersion, header.zxid);
    const node = nodes.insertBelow(parent, path, aclId);
    nodes.stamp(node, header.zxid, header.time);
    if (owner !== 0n) nodes.setOwner(node, path, owner);
    nodes.storeData(node, data);
    nodes.digests.dataChanged(node, data);
    this.#quotas.created(path, parentPath, data?.length ?? 0);
    this.account?.wrote(path, data?.length ?? 0);
    this.#watches.data.trigger(path, EventType.NodeCreated, header.zxid, txn.acl);
    this.#childrenChanged(parent, header.zxid);
    return node;
  }

  #childrenChanged(parent: NodeId, zxid: Zxid): void {
    const { child } = this.#watches;
    if (child.pathCount === 0) return;
    child.trigger(this.#nodes.path(parent), EventType.NodeChildrenChanged, zxid, this.#nodes.acl(parent));
  }

  /** A create never lowers what a snapshot, taken while transactions ran, already has. */
  #raiseCversion(parent: NodeId, parentCVersion: number, zxid: Zxid): void {
    const stored = this.#nodes.cversion(parent);
    const raised = parentCVersion === -1 ? stored + 1 : parentCVersion;
    if (raised <= stored) return;
    this.#nodes.setCversion(parent, raised, zxid);
  }

  /**
   * The node of a replayed create is there already, made by a later create of another session: then the parent may have been
   * written before that one (DataTree.processTxn says which history leads here). Apache does so for type 1 only.
   */
  #adjustParent(header: TxnHeader, txn: Creation): void {
    const parent = this.#nodes.find(txn.path.slice(0, txn.path.lastIndexOf('/')));
    if (parent !== NO_NODE) this.#raiseCversion(parent, txn.parentCVersion, header.zxid);
  }

  #deleteNode(path: string, zxid: Zxid): number {
    const nodes = this.#nodes;
    const node = nodes.find(path);
    if (node === NO_NODE) return this.#deleteMissing(path, zxid);
    if (node === ROOT) return ErrorCode.BADARGUMENTS;
    // A fuzzy snapshot may hold a later node of this name, with children. In truth there were none at this point:
    // the transactions that created them follow.
    if (nodes.childCount(node) > 0) this.#dropDescendants(node);
    const parent = nodes.parent(node);
    if (zxid > nodes.pzxid(parent)) nodes.setPzxid(parent, zxid);
    const acl = nodes.acl(node);
    const dataLength = nodes.dataLength(node);
    nodes.drop(node);
    this.#quotas.deleted(path, nodes.path(parent), dataLength);
    this.account?.wrote(path, 0);

    const told = this.#watches.data.trigger(path, EventType.NodeDeleted, zxid, acl);
    this.#watches.child.trigger(path, EventType.NodeDeleted, zxid, acl, told);
    this.#childrenChanged(parent, zxid);
    return 0;
  }

  /** Replay only: the snapshot was written after the node had gone, but perhaps its parent before. */
  #deleteMissing(path: string, zxid: Zxid): number {
    const parent = this.#nodes.find(path.slice(0, path.lastIndexOf('/')));
    if (parent !== NO_NODE && zxid > this.#nodes.pzxid(parent)) this.#nodes.setPzxid(parent, zxid);
    return ErrorCode.NONODE;
  }

  #dropDescendants(node: NodeId): void {
    const below: NodeId[] = [];
    this.#nodes.visit(node, (descendant) => below.push(descendant));
    // Deepest first, without the node itself.
    for (let index = below.length - 1; index > 0; index -= 1) this.#nodes.drop(below[index] as NodeId);
  }

  setData(header: TxnHeader, path: string, data: Uint8Array | null, version: number): Outcome {
    const nodes = this.#nodes;
    const node = nodes.find(path);
    if (node === NO_NODE) return ErrorCode.NONODE;
    const grownBytes = (data?.length ?? 0) - nodes.dataLength(node);
    nodes.storeData(node, data);
    nodes.setModified(node, header.zxid, header.time, version);
    nodes.digests.dataChanged(node, data);
    this.#quotas.changed(path, grownBytes);
    this.account?.wrote(path, data?.length ?? 0);
    this.#watches.data.trigger(path, EventType.NodeDataChanged, header.zxid, nodes.acl(node));
    return node;
  }

  setAcl(path: string, acl: readonly ACL[] | null, version: number): Outcome {
    const node = this.#nodes.find(path);
    if (node === NO_NODE) return ErrorCode.NONODE;
    this.#nodes.setAcl(node, this.#nodes.acls.acquire(acl));
    this.#nodes.setAversion(node, version);
    return node;
  }

  /** The listed paths, which the leader knew to be the session's, then whatever the tree still holds of it. */
  #closeSession(header: TxnHeader, listed: readonly string[] | null): void {
    for (const path of listed ?? []) this.#deleteNode(path, header.zxid);
    for (const path of [...(this.#nodes.owners.ephemerals.get(header.clientId) ?? [])])
      this.#deleteNode(path, header.zxid);
  }
}

/** What the transactions that create have in common. */
interface Creation {
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly acl: readonly ACL[] | null;
  readonly parentCVersion: number;
}

const noResult: ApplyResult = {
  type: 0,
  err: 0,
  path: undefined,
  node: NO_NODE,
  stat: undefined,
  results: undefined,
};
