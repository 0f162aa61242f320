import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DiskError } from '../../runtime/disk.ts';
import { Simulation } from '../../runtime/sim/simulation.ts';
import { epochOf, makeZxid, type Zxid } from '../jute/ids.ts';
import { DataTree } from '../tree/data-tree.ts';
import { drawFrom, RandomTxns } from '../tree/random-txns.fixture.ts';
import { FileSnapLog, type FileSnapLogOptions } from './file-snap-log.ts';
import { loggedFrom } from './logged-proposals.ts';
import { TxnLogReader } from './txn-log-reader.ts';

const options: FileSnapLogOptions = { dataDir: '/data', log: { preAllocBytes: 65_536 } };

async function start(more: Partial<FileSnapLogOptions> = {}) {
  const sim = new Simulation({ seed: 1 });
  const machine = sim.machine('zk');
  const storage = new FileSnapLog(machine.runtime, { ...options, ...more });
  await sim.complete(storage.recover());
  const txns = new RandomTxns(DataTree.create(), drawFrom(4));
  const zxids: Zxid[] = [];
  const append = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index += 1) {
      const record = txns.next();
      zxids.push(record.header.zxid);
      storage.log.append(record);
    }
    const flushed = await sim.complete(new Promise<DiskError | undefined>((resolve) => storage.log.flush(resolve)));
    assert.equal(flushed, undefined);
  };
  const newEpoch = (): void => {
    txns.tree.lastProcessedZxid = makeZxid(epochOf(txns.tree.lastProcessedZxid) + 1, 0);
  };
  const logged = (zxid: bigint, limit = 0): Zxid[] =>
    [...loggedFrom(machine.runtime, storage, zxid as Zxid, limit)].map((proposal) => proposal.zxid);
  return { sim, machine, storage, txns, zxids, append, newEpoch, logged };
}

/** Three files, two epochs. */
async function history() {
  const world = await start();
  await world.append(7);
  world.storage.log.roll();
  await world.append(5);
  world.newEpoch();
  await world.append(4);
  world.storage.log.roll();
  await world.append(6);
  return world;
}

test('the log is read from the last transaction at or before a zxid on', async () => {
  const { zxids, logged } = await history();
  const epoch2 = makeZxid(1, 0);
  for (const from of [1n, 4n, 7n, 8n, 12n, 13n, epoch2, epoch2 + 1n, epoch2 + 5n, epoch2 + 10n, epoch2 + 99n]) {
    const first = zxids.findLastIndex((zxid) => zxid <= from);
    assert.deepEqual(logged(from), zxids.slice(first), `from ${from}`);
  }
  assert.deepEqual(logged(0n), [], 'the log does not tell what was before its first');
});

test('a proposal has the bytes of the log', async () => {
  const { machine, storage } = await history();
  const bytes: Buffer[] = [];
  for (const { name } of machine.runtime.disk.list(storage.logDirectory)) {
    if (!name.startsWith('log.')) continue;
    const reader = new TxnLogReader(machine.runtime.disk.open(`${storage.logDirectory}/${name}`, { readOnly: true }));
    for (let entry = reader.next(); entry !== undefined; entry = reader.next()) bytes.push(Buffer.from(entry.bytes));
  }
  // By names log.1, log.100000005, log.8.
  const sorted = [...bytes.slice(0, 7), ...bytes.slice(13), ...bytes.slice(7, 13)];
  const found = [...loggedFrom(machine.runtime, storage, 1n as Zxid, 0)].map((proposal) => Buffer.from(proposal.bytes));
  assert.deepEqual(found, sorted);
});

test('more bytes than the limit are not sent, and a negative one turns it off', async () => {
  const { machine, storage, zxids, logged } = await history();
  const sizes = [...loggedFrom(machine.runtime, storage, 1n as Zxid, 0)].map(({ bytes }) => bytes.length);
  const rest = sizes.slice(1).reduce((sum, size) => sum + size, 0);
  assert.deepEqual(logged(1n, rest), zxids, 'the transaction that the learner has does not count');
  assert.ok(logged(1n, rest - 1).length < zxids.length);
  assert.deepEqual(logged(1n, -1), []);
});

test('the limit is a part of the newest snapshot', async () => {
  for (const factor of [undefined, 0.1, 1, 0, -1]) {
    const { sim, machine, storage, txns, zxids, append } = await start(
      factor === undefined ? {} : { snapshotSizeFactor: factor },
    );
    await append(300);
    await sim.complete(storage.takeSnapshot(txns));
    await append(1);
    const snapshotBytes = machine.runtime.disk.stat('/data/version-2/snapshot.12c')?.size ?? 0;
    const limit = factor === 0 ? Number.POSITIVE_INFINITY : snapshotBytes * (factor ?? 0.33);
    const proposals = [...loggedFrom(machine.runtime, storage, 1n as Zxid, 0)];
    let sent = 0;
    for (let lacked = 0; lacked < zxids.length - 1; lacked += 1) {
      if (lacked > 0) sent += proposals.at(-lacked)?.bytes.length ?? 0;
      const newest = [...storage.loggedFrom(zxids.at(-1 - lacked) as Zxid)].at(-1)?.zxid;
      assert.equal(newest === zxids.at(-1), limit >= 0 && sent <= limit, `factor ${factor}: ${sent} bytes lacked`);
    }
  }
});

test('the iteration ends where transactions are missing, so that no learner gets a history with a hole', async () => {
  const { machine, storage, zxids, logged } = await history();
  machine.runtime.disk.remove(`${storage.logDirectory}/log.8`);
  assert.deepEqual(logged(3n), zxids.slice(2, 7));
});

test('nothing is read from before a snapshot of a leader, though no gap of zxids shows it', async () => {
  const { sim, storage, txns, zxids, append, newEpoch, logged } = await start();
  await append(5);
  newEpoch();
  await sim.complete(storage.installSnapshot(txns));
  await append(3);
  assert.deepEqual(logged(3n), []);
  assert.deepEqual(logged(zxids.at(-2) as Zxid), zxids.slice(-2));
});

test('a damaged log ends the iteration, and is reported', async () => {
  const { machine, zxids, logged } = await history();
  machine.disk.corrupt('/data/version-2/log.8', 60);
  assert.deepEqual(logged(3n), zxids.slice(2, 7));
});

test('who leaves the iteration early leaves no file open, and holds one window of it', async () => {
  const { machine, storage, append } = await start();
  await append(2000);
  const { disk } = machine.runtime;
  let open = 0;
  let readBytes = 0;
  const counting = new Proxy(disk, {
    get: (target, name) => {
      if (name !== 'open') return Reflect.get(target, name).bind(target);
      return (...args: Parameters<typeof disk.open>) => {
        const file = target.open(...args);
        open += 1;
        const { close, readAt } = file;
        file.close = () => {
          open -= 1;
          close.call(file);
        };
        file.readAt = (position, length) => {
          const bytes = readAt.call(file, position, length);
          readBytes += bytes.length;
          return bytes;
        };
        return file;
      };
    },
  });
  for (const proposal of loggedFrom({ ...machine.runtime, disk: counting }, storage, 5n as Zxid, 0)) {
    assert.equal(open, 1);
    if (proposal.zxid === 9n) break;
  }
  assert.equal(open, 0);
  const size = disk.stat('/data/version-2/log.1')?.size ?? 0;
  assert.ok(readBytes < size / 2, `${readBytes} of ${size} bytes read`);
});
