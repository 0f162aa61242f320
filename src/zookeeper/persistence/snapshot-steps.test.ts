import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import { DataTree } from '../tree/data-tree.ts';
import { NODES_PER_STEP, STEP_BYTES } from './snapshot-file.ts';
import { SnapshotWriter } from './snapshot-writer.ts';

function treeOf(nodeCount: number, dataBytes: number): DataTree {
  const tree = DataTree.create();
  const data = Buffer.alloc(dataBytes, 'x');
  for (let index = 1; index <= nodeCount; index += 1) {
    const header = { clientId: 1n, cxid: 0, zxid: BigInt(index) as Zxid, time: 1, type: OpCode.create };
    const txn = { type: OpCode.create, path: `/n-${index}`, data, acl: null, ephemeral: false, parentCVersion: index };
    tree.apply(header, txn);
  }
  return tree;
}

for (const [what, nodeCount, dataBytes] of [
  ['many small', 20_000, 10],
  ['a few large', 200, 10_000],
] as const) {
  test(`no step of a snapshot of ${what} nodes does more than its part`, () => {
    const writer = new SnapshotWriter({ tree: treeOf(nodeCount, dataBytes), sessions: new Map() });
    let steps = 0;
    let longest = 0;
    for (; !writer.isDone; steps += 1) longest = Math.max(longest, writer.step(NODES_PER_STEP, STEP_BYTES).length);
    assert.ok(longest <= STEP_BYTES + dataBytes + 200, `${longest} bytes in one step`);
    assert.ok(steps >= nodeCount / NODES_PER_STEP, `${steps} steps`);
    assert.ok(STEP_BYTES <= 65_536 && NODES_PER_STEP <= 500, 'a step is a fraction of a millisecond');
  });
}
