import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CorruptionError, type DiskError } from '../../runtime/disk.ts';
import type { SimMachine } from '../../runtime/sim/sim-machine.ts';
import { Simulation } from '../../runtime/sim/simulation.ts';
import type { Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import { FileSnapLog } from './file-snap-log.ts';
import { type Recovered, recoverInSlices } from './recovery.ts';
import { SLICE_BYTES_MAX } from './slice.ts';
import { BATCH_BYTES_MAX } from './txn-log-format.ts';
import { TxnLogReader } from './txn-log-reader.ts';

const directories = { snapshotDirectory: '/data/version-2', logDirectory: '/data/version-2' };
/** The window of a log or a snapshot is read whole, and at the end of a log as much as one write may have left there. */
const READ_AHEAD_BYTES = (1 << 20) + BATCH_BYTES_MAX;

/** A server's directory with so many nodes in its log. */
async function loaded(nodeCount: number, dataBytes: number) {
  const sim = new Simulation({ seed: 7 });
  const machine = sim.machine('zk');
  const storage = new FileSnapLog(machine.runtime, { dataDir: '/data' });
  const { tree, sessions } = await sim.complete(storage.recover());
  const data = Buffer.alloc(dataBytes, 'x');
  for (let index = 1; index <= nodeCount; index += 1) {
    const header = { clientId: 1n, cxid: 0, zxid: BigInt(index) as Zxid, time: 1, type: OpCode.create };
    const txn = { type: OpCode.create, path: `/n-${index}`, data, acl: null, ephemeral: false, parentCVersion: index };
    tree.apply(header, txn);
    storage.log.append({ header, txn, digest: { version: 2, treeDigest: tree.treeDigest } });
    if (index % 500 === 0) await flush(sim, storage);
  }
  await flush(sim, storage);
  return { sim, machine, storage, subject: { tree, sessions } };
}

function flush(sim: Simulation, storage: FileSnapLog): Promise<DiskError | undefined> {
  return sim.complete(new Promise((resolve) => storage.log.flush(resolve)));
}

/** Recovers, and says what the slice that read most has read. */
function recoverCounted({ runtime }: SimMachine): { recovered: Recovered; slices: number; mostBytes: number } {
  let bytes = 0;
  const disk = new Proxy(runtime.disk, {
    get: (target, name) => {
      if (name !== 'open') return Reflect.get(target, name).bind(target);
      return (...args: Parameters<typeof target.open>) => {
        const file = target.open(...args);
        const { readAt } = file;
        file.readAt = (position, length, memory) => {
          const read = readAt.call(file, position, length, memory);
          bytes += read.length;
          return read;
        };
        return file;
      };
    },
  });
  const slices = recoverInSlices({ ...runtime, disk }, directories);
  let mostBytes = 0;
  for (let count = 1; ; count += 1) {
    bytes = 0;
    const slice = slices.next();
    mostBytes = Math.max(mostBytes, bytes);
    if (slice.done === true) return { recovered: slice.value, slices: count, mostBytes };
  }
}

for (const [what, nodeCount, dataBytes] of [
  ['many small', 20_000, 10],
  ['some large', 40, 500_000],
] as const) {
  test(`no slice of a recovery of ${what} nodes does more than its part, from log or snapshot`, async () => {
    const { sim, machine, storage, subject } = await loaded(nodeCount, dataBytes);
    const boundBytes = SLICE_BYTES_MAX + READ_AHEAD_BYTES + dataBytes;
    const slicesMin = Math.max(nodeCount / 1000, (nodeCount * dataBytes) / boundBytes);
    const fromLog = recoverCounted(machine);
    assert.equal(fromLog.recovered.replayedCount, nodeCount);
    await sim.complete(storage.takeSnapshot(subject));
    const fromSnapshot = recoverCounted(machine);
    assert.equal(fromSnapshot.recovered.replayedCount, 0);
    for (const { recovered, slices, mostBytes } of [fromLog, fromSnapshot]) {
      assert.equal(recovered.tree.treeDigest, subject.tree.treeDigest);
      assert.ok(mostBytes <= boundBytes, `${mostBytes} bytes in one slice`);
      assert.ok(slices >= slicesMin, `${slices} slices`);
    }
  });
}

test('entries that a snapshot covers are passed over one by one, and still checked', async () => {
  const { machine } = await loaded(50, 10);
  const { disk } = machine.runtime;
  const path = '/data/version-2/log.1';
  const reader = new TxnLogReader(disk.open(path, { readOnly: true }));
  const seen: (bigint | 'earlier')[] = [];
  const places: number[] = [];
  for (let place = reader.position; ; place = reader.position) {
    const entry = reader.nextAfter(47n as Zxid);
    if (entry === undefined) break;
    seen.push(entry === 'earlier' ? entry : entry.header.zxid);
    places.push(place);
  }
  assert.deepEqual(seen, [...new Array(47).fill('earlier'), 48n, 49n, 50n]);
  const damaged = Buffer.from(disk.readFile(path));
  damaged[(places[20] as number) + 40]! ^= 1;
  disk.writeFile('/data/damaged', damaged);
  const second = new TxnLogReader(disk.open('/data/damaged', { readOnly: true }));
  assert.throws(
    () => {
      while (second.nextAfter(47n as Zxid) !== undefined);
    },
    (error) => error instanceof CorruptionError && error.position === places[20],
  );
});

test('the newest transactions are remembered as the log holds them', async () => {
  const { machine } = await loaded(3_000, 1_000);
  const { proposals } = recoverCounted(machine).recovered;
  assert.equal(proposals.length, 500);
  const reader = new TxnLogReader(machine.runtime.disk.open('/data/version-2/log.1', { readOnly: true }));
  let index = 0;
  for (let entry = reader.next(); entry !== undefined; entry = reader.next()) {
    if (entry.header.zxid !== proposals[index]?.zxid) continue;
    assert.deepEqual(Buffer.from(entry.bytes), Buffer.from(proposals[index]?.bytes ?? []));
    index += 1;
  }
  assert.equal(index, 500);
});
