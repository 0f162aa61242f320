import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Reader } from '../../wire/reader.ts';
import { Writer } from '../../wire/writer.ts';
import { type ACL, Stat } from '../jute/data.ts';
import { ErrorCode } from '../jute/errors.ts';
import { OpCode } from '../jute/op-codes.ts';
import type { Txn } from '../jute/txn.ts';
import { OPEN_ACL_UNSAFE, Perms } from './acl.ts';
import { type ApplyResult, DataTree, NO_NODE } from './data-tree.ts';
import { nodeDigest } from './digest.ts';

const open = OPEN_ACL_UNSAFE as ACL[];
const text = (value: string): Uint8Array => Buffer.from(value);

/** Applies transactions one after the other, with zxid 1, 2, … and one session. */
class Driver {
  readonly tree: DataTree;
  zxid = 0n;
  session = 0x100n;

  constructor(tree = DataTree.create({ extendedTypes: true })) {
    this.tree = tree;
  }

  apply(txn: Txn): ApplyResult {
    this.zxid += 1n;
    return this.tree.apply(
      { clientId: this.session, cxid: 1, zxid: this.zxid, time: 1000 + Number(this.zxid), type: txn.type },
      txn,
    );
  }

  create(
    path: string,
    data = '',
    more: { ephemeral?: boolean; parentCVersion?: number; acl?: ACL[] } = {},
  ): ApplyResult {
    const { ephemeral = false, parentCVersion = -1, acl = open } = more;
    return this.apply({ type: OpCode.create2, path, data: text(data), acl, ephemeral, parentCVersion });
  }

  delete(path: string): ApplyResult {
    return this.apply({ type: OpCode.delete, path });
  }

  set(path: string, data: string | null, version: number): ApplyResult {
    return this.apply({ type: OpCode.setData, path, data: data === null ? null : text(data), version });
  }

  data(path: string): string | undefined {
    const bytes = this.tree.viewData(this.tree.find(path));
    return bytes === null ? undefined : Buffer.from(bytes).toString();
  }
}

test('a fresh tree has the nodes, figures and digest of Apache', () => {
  const tree = DataTree.create();
  assert.equal(tree.nodeCount, 5);
  assert.equal(tree.approximateDataSize, 44);
  assert.equal(tree.treeDigest, 1371985504n);
  assert.deepEqual([...tree.children(tree.find('/'))], ['zookeeper']);
  assert.deepEqual([...tree.children(tree.find('/zookeeper'))], ['quota', 'config']);
  assert.deepEqual(tree.acl(tree.find('/zookeeper/config')), [
    { perms: Perms.READ, id: { scheme: 'world', id: 'anyone' } },
  ]);
  assert.equal(tree.aversion(tree.find('/zookeeper/config')), -1);
});

test('stats follow creations, changes and deletions', () => {
  const driver = new Driver();
  driver.create('/a', 'one');
  driver.create('/a/b');
  driver.create('/a/c');
  driver.delete('/a/b');
  const { node, stat } = driver.set('/a', 'three', 1);
  assert.equal(stat, undefined);
  const expected = {
    czxid: 1n,
    mzxid: 5n,
    ctime: 1001,
    mtime: 1005,
    version: 1,
    cversion: 3,
    aversion: 0,
    ephemeralOwner: 0n,
    dataLength: 5,
    numChildren: 1,
    pzxid: 4n,
  };
  assert.deepEqual(driver.tree.stat(node), expected);
  const to = new Writer();
  driver.tree.writeStat(to, node);
  assert.deepEqual(Stat.read(new Reader(to.finishFlat())), expected);
  assert.equal(driver.data('/a'), 'three');
});

test('null data and empty data differ, and both have length 0', () => {
  const driver = new Driver();
  driver.create('/a', 'x');
  driver.set('/a', null, 1);
  assert.equal(driver.data('/a'), undefined);
  assert.equal(driver.tree.stat(driver.tree.find('/a')).dataLength, 0);
  driver.set('/a', '', 2);
  assert.equal(driver.data('/a'), '');
});

test('a closed session takes its ephemerals with it', () => {
  const driver = new Driver();
  driver.create('/p');
  driver.create('/p/mine', '', { ephemeral: true });
  driver.create('/p/also-mine', '', { ephemeral: true });
  driver.session = 0x200n;
  driver.create('/p/theirs', '', { ephemeral: true });
  assert.equal(driver.tree.ephemeralsCount, 3);
  driver.session = 0x100n;
  driver.apply({ type: OpCode.closeSession, paths2Delete: ['/p/mine'] });
  assert.deepEqual([...driver.tree.children(driver.tree.find('/p'))], ['theirs']);
  assert.equal(driver.tree.ephemeralsCount, 1);
  assert.deepEqual([...driver.tree.ephemerals.keys()], [0x200n]);
});

test('containers and TTL nodes are known, and show no owner', () => {
  const driver = new Driver();
  driver.apply({ type: OpCode.createContainer, path: '/c', data: null, acl: open, parentCVersion: 1 });
  driver.apply({ type: OpCode.createTTL, path: '/t', data: null, acl: open, parentCVersion: 2, ttl: 5000 });
  const { tree } = driver;
  assert.deepEqual([[...tree.containers], [...tree.ttls]], [['/c'], ['/t']]);
  assert.deepEqual([tree.kind(tree.find('/c')), tree.kind(tree.find('/t'))], ['container', 'ttl']);
  assert.equal(tree.stat(tree.find('/t')).ephemeralOwner, 0n);
  driver.apply({ type: OpCode.deleteContainer, path: '/c' });
  driver.delete('/t');
  assert.deepEqual([tree.containers.size, tree.ttls.size, tree.ephemeralsCount], [0, 0, 0]);
});

test('a multi applies all operations, and a failed one none', () => {
  const driver = new Driver();
  const done = driver.apply({
    type: OpCode.multi,
    txns: [
      { type: OpCode.create2, path: '/m', data: null, acl: open, ephemeral: false, parentCVersion: 1 },
      { type: OpCode.setData, path: '/m', data: text('x'), version: 1 },
      { type: OpCode.check, path: '/m', version: 1 },
    ],
  });
  assert.deepEqual(
    done.results?.map(({ type, err, stat }) => [type, err, stat?.version]),
    [
      [15, 0, 0],
      [5, 0, 1],
      [13, 0, undefined],
    ],
  );
  const failed = driver.apply({
    type: OpCode.multi,
    txns: [
      { type: OpCode.delete, path: '/m' },
      { type: OpCode.error, err: -103 },
      { type: OpCode.error, err: -2 },
    ],
  });
  assert.deepEqual(
    failed.results?.map(({ type, err }) => [type, err]),
    [
      [-1, 0],
      [-1, -103],
      [-1, -2],
    ],
  );
  assert.notEqual(driver.tree.find('/m'), NO_NODE);
  assert.equal(driver.tree.lastProcessedZxid, 2n);
});

test('replay over a later state ends in the same state', () => {
  const driver = new Driver();
  driver.create('/p', '', { parentCVersion: 1 });
  driver.create('/p/a', '', { parentCVersion: 1 });
  // The same creates again, as replay after a fuzzy snapshot brings them.
  driver.zxid = 0n;
  const before = driver.tree.treeDigest;
  assert.equal(driver.create('/p', 'other', { parentCVersion: 1 }).err, ErrorCode.NODEEXISTS);
  assert.equal(driver.create('/p/a', '', { parentCVersion: 1 }).err, ErrorCode.NODEEXISTS);
  assert.equal(driver.tree.treeDigest, before);
  assert.equal(driver.create('/none/x').err, ErrorCode.NONODE);
  assert.equal(driver.delete('/p/gone').err, ErrorCode.NONODE);
  assert.equal(driver.tree.pzxid(driver.tree.find('/p')), 4n);
  assert.equal(driver.set('/gone', 'x', 1).err, ErrorCode.NONODE);
});

test('a replayed create does not take back what the snapshot has of the parent', () => {
  const driver = new Driver();
  driver.create('/p');
  for (const name of ['a', 'b', 'c']) driver.create(`/p/${name}`);
  driver.delete('/p/a');
  driver.zxid = 1n;
  assert.equal(driver.create('/p/a', '', { parentCVersion: 1 }).err, 0);
  const node = driver.tree.find('/p');
  assert.deepEqual([driver.tree.cversion(node), driver.tree.pzxid(node)], [3, 5n]);
});

test('a replayed delete of a node that a snapshot holds in its later life takes the children of that life along', () => {
  const driver = new Driver();
  driver.create('/p');
  driver.create('/p/later', '', { ephemeral: true });
  driver.delete('/p');
  assert.equal(driver.tree.nodeCount, 5);
  assert.equal(driver.tree.ephemeralsCount, 0);
  assert.equal(driver.tree.treeDigest, new Driver().tree.treeDigest + digestDelta(driver.tree));
});

/** What the root's changed stat adds to a fresh tree's digest. */
function digestDelta(tree: DataTree): bigint {
  return BigInt(tree.nodeDigest(tree.find('/'))) - BigInt(DataTree.create().nodeDigest(0));
}

test('the digest is the sum over all nodes, whatever happened before', () => {
  const driver = new Driver();
  driver.create('/a', 'one');
  driver.create('/a/ü', 'x'.repeat(1000));
  driver.create('/a/c', '', { ephemeral: true });
  driver.set('/a/ü', 'y'.repeat(20_000), 1);
  driver.apply({ type: OpCode.setACL, path: '/a', acl: [{ perms: 1, id: { scheme: 'ip', id: '::1' } }], version: 1 });
  driver.delete('/a/c');
  driver.create('/zookeeper/x', 'not counted');
  assert.equal(driver.tree.treeDigest, digestFromScratch(driver.tree));
});

function digestFromScratch(tree: DataTree): bigint {
  let sum = 0n;
  for (const node of tree.nodes()) {
    sum += BigInt(nodeDigest(tree.path(node), tree.viewData(node), tree.persistedStat(node)));
  }
  return sum;
}

test('quotas count nodes and bytes below them', () => {
  const driver = new Driver();
  driver.create('/q', 'abc');
  driver.create('/q/one', 'x');
  driver.create('/zookeeper/quota/q');
  driver.create('/zookeeper/quota/q/zookeeper_limits', 'count=5,bytes=100');
  driver.create('/zookeeper/quota/q/zookeeper_stats', 'count=0,bytes=0');
  const usage = '/zookeeper/quota/q/zookeeper_stats';
  assert.equal(driver.data(usage), 'count=2,bytes=4');
  driver.create('/q/two', '12345');
  assert.equal(driver.data(usage), 'count=3,bytes=9');
  driver.set('/q', 'a', 1);
  driver.delete('/q/two');
  assert.equal(driver.data(usage), 'count=2,bytes=2');
  assert.equal(driver.tree.quotaPrefix('/q/one'), '/q');
  assert.equal(driver.tree.quotaPrefix('/other'), undefined);
});
