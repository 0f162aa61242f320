import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MalformedError } from '../../wire/errors.ts';
import type { SessionId, Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import { DataTree } from '../tree/data-tree.ts';
import { describeTree, drawFrom, RandomTxns } from '../tree/random-txns.fixture.ts';
import { SnapshotStreamReader, streamSignature } from './snapshot-stream.ts';
import { SnapshotWriter } from './snapshot-writer.ts';

const treeOptions = { extendedTypes: true };
const sessions = new Map([
  [5n as SessionId, 4000],
  [-7n as SessionId, 40_000],
]);

function streamOf(tree: DataTree): Buffer {
  const writer = new SnapshotWriter({ tree, sessions, form: 'stream' });
  const parts: Uint8Array[] = [];
  while (!writer.isDone) parts.push(writer.step(100));
  return Buffer.concat([...parts, streamSignature()]);
}

/** Pushes a stream in pieces; answers what the last push answered. */
function pushed(reader: SnapshotStreamReader, bytes: Buffer, sizes: () => number): Uint8Array | undefined {
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + sizes());
    const rest = reader.push(bytes.subarray(at, end));
    if (rest !== undefined) return Buffer.concat([rest, bytes.subarray(end)]);
    assert.equal(reader.loaded, undefined);
    at = end;
  }
  return undefined;
}

function treeOf(seed: number, count: number): DataTree {
  const txns = new RandomTxns(DataTree.create(treeOptions), drawFrom(seed));
  for (let index = 0; index < count; index += 1) txns.next();
  return txns.tree;
}

function assertLoaded(reader: SnapshotStreamReader, tree: DataTree): void {
  const { loaded } = reader;
  assert.ok(loaded !== undefined);
  assert.deepEqual(describeTree(loaded.tree), describeTree(tree));
  assert.equal(loaded.tree.treeDigest, tree.treeDigest);
  assert.equal(loaded.tree.lastProcessedZxid, tree.lastProcessedZxid);
  assert.deepEqual([...loaded.sessions], [...sessions]);
}

test('a snapshot stream brings back the tree, wherever it is cut, and leaves what follows it', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(200), fc.nat(3), fc.nat(40), (seed, count, scale, tail) => {
      const tree = treeOf(seed, count);
      const follows = Buffer.alloc(tail, 7);
      const draw = drawFrom(seed);
      const reader = new SnapshotStreamReader(tree.lastProcessedZxid, treeOptions);
      const rest = pushed(reader, Buffer.concat([streamOf(tree), follows]), () => draw(10 ** (scale + 1)));
      assert.deepEqual(Buffer.from(rest ?? []), follows);
      assertLoaded(reader, tree);
    }),
    { numRuns: 150 },
  );
});

test('each byte alone is as good as all at once', () => {
  const tree = treeOf(3, 60);
  const bytes = streamOf(tree);
  for (const size of [1, bytes.length]) {
    const reader = new SnapshotStreamReader(tree.lastProcessedZxid, treeOptions);
    assert.equal(pushed(reader, bytes, () => size)?.length, 0);
    assertLoaded(reader, tree);
  }
});

/** Thousands of small nodes, and some so large that a slice ends with each; the last of all is one. */
function largeTree(): DataTree {
  const tree = DataTree.create(treeOptions);
  const large = Buffer.alloc(1_100_000, 'l');
  const small = Buffer.from('small');
  for (let index = 1; index <= 3_000; index += 1) {
    const header = { clientId: 1n, cxid: 0, zxid: BigInt(index) as Zxid, time: 1, type: OpCode.create };
    const data = index % 300 === 0 ? large : small;
    const txn = { type: OpCode.create, path: `/n-${index}`, data, acl: null, ephemeral: false, parentCVersion: index };
    tree.apply(header, txn);
  }
  return tree;
}

test('large nodes in small chunks are joined once, and one chunk of all of it is read to its end', () => {
  const tree = largeTree();
  const bytes = streamOf(tree);
  for (const size of [1000, 65_536, bytes.length]) {
    const reader = new SnapshotStreamReader(tree.lastProcessedZxid, treeOptions);
    let copied = 0;
    const { set } = Buffer.prototype;
    Buffer.prototype.set = function (this: Buffer, from: ArrayLike<number>, offset?: number) {
      copied += from.length;
      return set.call(this, from, offset);
    };
    try {
      assert.equal(pushed(reader, bytes, () => size)?.length, 0);
    } finally {
      Buffer.prototype.set = set;
    }
    assertLoaded(reader, tree);
    // Into the window, and from there into the tree.
    assert.ok(copied <= 3 * bytes.length, `${copied} bytes copied of ${bytes.length} in chunks of ${size}`);
  }
});

const int = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const empty = Buffer.concat([int(0), int(0)]);
const noStat = Buffer.alloc(68);
const nonsense: { name: string; bytes: Buffer }[] = [
  { name: 'fewer than no sessions', bytes: int(-1) },
  { name: 'fewer than no ACL lists', bytes: Buffer.concat([int(0), int(-1)]) },
  { name: 'a path of no length', bytes: Buffer.concat([empty, int(-1)]) },
  { name: 'a path of negative length', bytes: Buffer.concat([empty, int(-2)]) },
  { name: 'a path longer than any', bytes: Buffer.concat([empty, int(0x20_0000)]) },
  { name: 'data longer than any', bytes: Buffer.concat([empty, int(0), int(0x20_0000)]) },
  { name: 'no root', bytes: Buffer.concat([empty, int(1), Buffer.from('/')]) },
  { name: 'the root twice', bytes: Buffer.concat([empty, int(0), int(-1), noStat, int(0), int(-1), noStat]) },
  {
    name: 'another signature',
    bytes: Buffer.concat([streamOf(treeOf(1, 5)).subarray(0, -10), Buffer.from('BenWasThat')]),
  },
  {
    name: 'a shorter signature',
    bytes: Buffer.concat([streamOf(treeOf(1, 5)).subarray(0, -14), int(9), Buffer.alloc(10)]),
  },
];

for (const { name, bytes } of nonsense) {
  test(`a snapshot stream with ${name} is refused`, () => {
    for (const size of [1, bytes.length]) {
      const reader = new SnapshotStreamReader(5n as Zxid, treeOptions);
      assert.throws(() => pushed(reader, bytes, () => size), MalformedError);
      assert.equal(reader.loaded, undefined);
    }
  });
}
