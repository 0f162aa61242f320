import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Completion, File } from '../../runtime/disk.ts';
import { Simulation } from '../../runtime/sim/simulation.ts';
import type { SessionId, Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import { DataTree } from '../tree/data-tree.ts';
import { NODES_PER_STEP, STEP_BYTES, writeSnapshotFile } from './snapshot-file.ts';
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

test('a long snapshot is put on stable storage as it grows, so that the log never waits behind all of it', async () => {
  const sim = new Simulation({ seed: 1 });
  const { runtime } = sim.machine('zk');
  runtime.disk.makeDirectory('/data');
  const unsynced: number[] = [];
  const disk = new Proxy(runtime.disk, {
    get(target, name) {
      if (name === 'open') return (path: string, options: object) => watched(target.open(path, options), unsynced);
      const member = Reflect.get(target, name);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  const tree = treeOf(500, 10_000);
  await sim.complete(
    new Promise<void>((resolve, reject) => {
      const options = { directory: '/data', tree, sessions: new Map<SessionId, number>() };
      writeSnapshotFile({ ...runtime, disk }, options, (error) => (error === undefined ? resolve() : reject(error)));
    }),
  );
  const most = Math.max(...unsynced);
  assert.ok(unsynced.length >= 4, `${unsynced.length} syncs of five megabytes`);
  assert.ok(most <= 1_200_000, `${most} bytes in one sync`);
});

/** Notes how much each sync puts on stable storage. */
function watched(file: File, unsynced: number[]): File {
  let size = 0;
  return new Proxy(file, {
    get(target, name) {
      if (name === 'append') {
        return (buffers: readonly Uint8Array[], done: Completion) => {
          for (const { length } of buffers) size += length;
          target.append(buffers, done);
        };
      }
      if (name === 'sync') {
        return (done: Completion) => {
          unsynced.push(size);
          size = 0;
          target.sync(done);
        };
      }
      const member = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
