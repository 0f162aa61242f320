import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ACL } from '../jute/data.ts';
import { OpCode } from '../jute/op-codes.ts';
import type { Txn, TxnHeader } from '../jute/txn.ts';
import { DataTree } from './data-tree.ts';
import { nodeDigest } from './digest.ts';
import { CONTAINER_OWNER, ttlOwner } from './ephemeral-owner.ts';
import { drawFrom, RandomTxns } from './random-txns.fixture.ts';

interface NaiveNode {
  data: Uint8Array | null;
  acl: readonly ACL[];
  owner: bigint;
  czxid: bigint;
  mzxid: bigint;
  pzxid: bigint;
  ctime: number;
  mtime: number;
  version: number;
  created: number;
  aversion: number;
}

/** The tree as its description reads: a map of objects, everything else searched for. Knows only what a leader makes. */
class NaiveTree {
  readonly nodes = new Map<string, NaiveNode>();

  apply(header: TxnHeader, txn: Txn): void {
    switch (txn.type) {
      case OpCode.create:
      case OpCode.create2:
        this.#create(header, txn, txn.ephemeral ? header.clientId : 0n);
        break;
      case OpCode.createContainer:
        this.#create(header, txn, CONTAINER_OWNER);
        break;
      case OpCode.createTTL:
        this.#create(header, txn, ttlOwner(txn.ttl));
        break;
      case OpCode.delete:
        this.#delete(txn.path, header.zxid);
        break;
      case OpCode.setData:
        Object.assign(this.#at(txn.path), {
          data: txn.data,
          mzxid: header.zxid,
          mtime: header.time,
          version: txn.version,
        });
        break;
      case OpCode.setACL:
        Object.assign(this.#at(txn.path), { acl: txn.acl, aversion: txn.version });
        break;
      case OpCode.closeSession:
        for (const [path, node] of [...this.nodes]) if (node.owner === header.clientId) this.#delete(path, header.zxid);
        break;
      case OpCode.multi:
        if (txn.txns.every((each) => each.type !== OpCode.error)) for (const each of txn.txns) this.apply(header, each);
        break;
      default:
    }
  }

  children(path: string): string[] {
    const prefix = path === '/' ? '/' : `${path}/`;
    return [...this.nodes.keys()]
      .filter((each) => each !== '/' && each.startsWith(prefix) && !each.slice(prefix.length).includes('/'))
      .map((each) => each.slice(prefix.length));
  }

  #at(path: string): NaiveNode {
    const node = this.nodes.get(path);
    assert.ok(node !== undefined, path);
    return node;
  }

  #create(
    header: TxnHeader,
    txn: { path: string; data: Uint8Array | null; acl: readonly ACL[] | null },
    owner: bigint,
  ): void {
    const { zxid, time } = header;
    const parent = this.#at(parentOf(txn.path));
    parent.created += 1;
    parent.pzxid = zxid;
    const stat = {
      czxid: zxid,
      mzxid: zxid,
      pzxid: zxid,
      ctime: time,
      mtime: time,
      version: 0,
      created: 0,
      aversion: 0,
    };
    this.nodes.set(txn.path, { data: txn.data, acl: txn.acl ?? [], owner, ...stat });
  }

  #delete(path: string, zxid: bigint): void {
    assert.ok(this.nodes.delete(path));
    this.#at(parentOf(path)).pzxid = zxid;
  }
}

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';

test('the tree is what a naive one is after any transactions', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 400 }), (seed, count) => {
      const tree = DataTree.create({ extendedTypes: true });
      const naive = new NaiveTree();
      for (const node of tree.nodes()) {
        const { czxid, mzxid, pzxid, ctime, mtime, version, cversion, aversion } = tree.persistedStat(node);
        const stat = { czxid, mzxid, pzxid, ctime, mtime, version, created: cversion, aversion };
        naive.nodes.set(tree.path(node), { data: tree.copyData(node), acl: tree.acl(node), owner: 0n, ...stat });
      }
      const txns = new RandomTxns(tree, drawFrom(seed));
      for (let index = 0; index < count; index += 1) {
        const { header, txn } = txns.next();
        naive.apply(header, txn);
      }
      compare(tree, naive);
    }),
    { numRuns: 100 },
  );
});

function compare(tree: DataTree, naive: NaiveTree): void {
  assert.deepEqual([...tree.nodes()].map((node) => tree.path(node)).sort(), [...naive.nodes.keys()].sort());
  let digest = 0n;
  let dataSize = 0;
  let ephemerals = 0;
  for (const [path, expected] of naive.nodes) {
    const node = tree.find(path);
    const children = naive.children(path);
    const isSession = expected.owner > 0n;
    assert.deepEqual(tree.stat(node), {
      czxid: expected.czxid,
      mzxid: expected.mzxid,
      ctime: expected.ctime,
      mtime: expected.mtime,
      version: expected.version,
      cversion: 2 * expected.created - children.length,
      aversion: expected.aversion,
      ephemeralOwner: isSession ? expected.owner : 0n,
      dataLength: expected.data?.length ?? 0,
      numChildren: children.length,
      pzxid: expected.pzxid,
    });
    assert.deepEqual(tree.copyData(node), expected.data === null ? null : new Uint8Array(expected.data));
    assert.deepEqual(tree.acl(node), expected.acl);
    assert.deepEqual([...tree.children(node)].sort(), children.sort());
    digest += BigInt(nodeDigest(path, expected.data, { ...tree.persistedStat(node) }));
    dataSize += path.length + (expected.data?.length ?? 0);
    if (isSession) {
      ephemerals += 1;
      assert.ok(tree.ephemeralsOf(expected.owner).has(path));
    }
  }
  assert.equal(tree.treeDigest, digest);
  assert.equal(tree.approximateDataSize, dataSize);
  assert.equal(tree.ephemeralsCount, ephemerals);
  assert.equal(tree.allChildrenCount(tree.find('/')), naive.nodes.size - 1);
}
