import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CorruptionError, type Disk, type DiskError } from '../../runtime/disk.ts';
import { Simulation } from '../../runtime/sim/simulation.ts';
import type { SessionId, Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import type { TxnRecord } from '../jute/txn.ts';
import { OPEN_ACL_UNSAFE } from '../tree/acl.ts';
import { DataTree } from '../tree/data-tree.ts';
import { describeTree, drawFrom, RandomTxns } from '../tree/random-txns.fixture.ts';
import { listLogs } from './file-names.ts';
import { FileSnapLog, type FileSnapLogOptions } from './file-snap-log.ts';
import { finished, recover } from './recovery.ts';
import type { LoadedSnapshot } from './snapshot-body.ts';
import { loadSnapshot, type SnapshotSource } from './snapshot-reader.ts';
import { openSnapshot } from './snapshot-source.ts';
import { SnapshotWriter } from './snapshot-writer.ts';
import { TxnLog } from './txn-log.ts';
import { TxnLogReader } from './txn-log-reader.ts';

const directories = { snapshotDirectory: '/data/version-2', logDirectory: '/data/version-2' };
const treeOptions = { extendedTypes: true };
const options = { dataDir: '/data', tree: treeOptions, log: { preAllocBytes: 65_536 } };

const memorySource = (bytes: Uint8Array): SnapshotSource => ({
  path: 'memory',
  size: bytes.length,
  read: (position, length) => bytes.slice(position, position + length),
});

function snapshotOf(tree: DataTree, step: number, between: () => void = () => undefined): Uint8Array {
  const writer = new SnapshotWriter({ tree, sessions: new Map([[5n, 4000]]) });
  const parts: Uint8Array[] = [];
  while (!writer.isDone) {
    parts.push(writer.step(step));
    between();
  }
  return Buffer.concat(parts);
}

const load = (bytes: Uint8Array, zxid: Zxid): LoadedSnapshot =>
  finished(loadSnapshot(memorySource(bytes), zxid, treeOptions));

test('a snapshot brings back the tree', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(300), fc.integer({ min: 1, max: 20 }), (seed, count, step) => {
      const txns = new RandomTxns(DataTree.create(treeOptions), drawFrom(seed));
      for (let index = 0; index < count; index += 1) txns.next();
      const { tree } = txns;
      const loaded = load(snapshotOf(tree, step), tree.lastProcessedZxid);
      assert.deepEqual(describeTree(loaded.tree), describeTree(tree));
      assert.equal(loaded.tree.treeDigest, tree.treeDigest);
      assert.equal(loaded.lastProcessedZxid, tree.lastProcessedZxid);
      assert.deepEqual([...loaded.sessions], [[5n, 4000]]);
      assert.equal(loaded.tree.digestLog.isFuzzy, false);
    }),
    { numRuns: 60 },
  );
});

test('a snapshot taken while transactions run is made whole by replay', () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.nat(100),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 9 }),
      (seed, before, step, rate) => {
        const txns = new RandomTxns(DataTree.create(treeOptions), drawFrom(seed));
        for (let index = 0; index < before; index += 1) txns.next();
        const start = txns.tree.lastProcessedZxid;
        const meanwhile: TxnRecord[] = [];
        const bytes = snapshotOf(txns.tree, step, () => {
          for (let index = 0; index < rate; index += 1) meanwhile.push(txns.next());
        });
        const { tree } = load(bytes, start);
        for (const { header, txn, digest } of meanwhile) {
          tree.apply(header, txn);
          assert.equal(tree.matchesDigest(digest), true, `digest after ${header.zxid}`);
        }
        assert.equal(tree.digestLog.isFuzzy, false);
        assert.notEqual(tree.digestLog.snapshotMatches, false);
        assert.equal(tree.treeDigest, txns.tree.treeDigest);
        assert.deepEqual(describeTree(tree), describeTree(txns.tree));
      },
    ),
    { numRuns: 200 },
  );
});

test('no flipped bit of a snapshot goes unnoticed', () => {
  const txns = new RandomTxns(DataTree.create(treeOptions), drawFrom(7));
  for (let index = 0; index < 60; index += 1) txns.next();
  const bytes = Buffer.from(snapshotOf(txns.tree, 10));
  // The version and database id of the header are not looked at, but they are summed.
  fc.assert(
    fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
      const damaged = Buffer.from(bytes);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      assert.throws(() => load(damaged, txns.tree.lastProcessedZxid), CorruptionError);
    }),
    { numRuns: 300 },
  );
  for (let end = 0; end < bytes.length - 54; end += 11) {
    assert.throws(() => load(bytes.subarray(0, end), 1n as Zxid), CorruptionError);
  }
});

/** A log of some transactions in the simulated disk, flushed once for each group. */
async function logOf(seed: number, groups: readonly number[]) {
  const sim = new Simulation({ seed });
  const machine = sim.machine('zk');
  const storage = new FileSnapLog(machine.runtime, options);
  await sim.complete(storage.recover());
  const txns = new RandomTxns(DataTree.create(treeOptions), drawFrom(seed));
  const records: TxnRecord[] = [];
  for (const count of groups) {
    for (let index = 0; index < count; index += 1) {
      const record = txns.next();
      records.push(record);
      storage.log.append(record);
    }
    await sim.complete(new Promise<DiskError | undefined>((resolve) => storage.log.flush(resolve)));
  }
  return { sim, machine, storage, records, tree: txns.tree };
}

test('a log holds what was appended, and grows by whole blocks', async () => {
  const { machine, records } = await logOf(3, [1, 5, 100, 300]);
  const { disk } = machine.runtime;
  const file = disk.open('/data/version-2/log.1', { readOnly: true });
  assert.equal((file.size - 16) % 65_536, 0);
  const reader = new TxnLogReader(file);
  for (const record of records) {
    const entry = reader.next();
    assert.deepEqual(entry?.header, record.header);
    assert.deepEqual(entry?.digest, record.digest);
  }
  assert.equal(reader.next(), undefined);
  assert.equal(reader.end, 'clean');
});

test('a log that ends at any byte gives the transactions before it', async () => {
  const { machine, records } = await logOf(4, [4, 4]);
  const { disk } = machine.runtime;
  const path = '/data/version-2/log.1';
  const reader = new TxnLogReader(disk.open(path, { readOnly: true }));
  const ends: number[] = [];
  while (reader.next() !== undefined) ends.push(reader.position);
  const bytes = disk.readFile(path).slice(0, ends.at(-1));
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    for (const padding of [0, 5000]) {
      disk.writeFile('/data/cut', Buffer.concat([bytes.subarray(0, cut), Buffer.alloc(padding)]));
      const cutReader = new TxnLogReader(disk.open('/data/cut', { readOnly: true }));
      let count = 0;
      while (cutReader.next() !== undefined) count += 1;
      assert.equal(count, ends.filter((end) => end <= cut).length, `cut at ${cut}, padding ${padding}`);
      // Four bytes of the header and zeros look like a header.
      if (cut >= 16) assert.equal(cutReader.position, ends.filter((end) => end <= cut).at(-1) ?? 16);
    }
  }
  assert.equal(records.length, ends.length);
});

test('a flipped bit in the middle of a log is refused with its place', async () => {
  const { machine } = await logOf(5, [20, 20]);
  const { disk } = machine.runtime;
  const path = '/data/version-2/log.1';
  const reader = new TxnLogReader(disk.open(path, { readOnly: true }));
  const entries: { from: number; to: number }[] = [];
  for (let from = reader.position; reader.next() !== undefined; from = reader.position) {
    entries.push({ from, to: reader.position });
  }
  const bytes = disk.readFile(path);
  const middle = entries[10]!;
  for (let position = middle.from; position < middle.to; position += 1) {
    const damaged = Buffer.from(bytes);
    damaged[position]! ^= 0x10;
    disk.writeFile('/data/damaged', damaged);
    const damagedReader = new TxnLogReader(disk.open('/data/damaged', { readOnly: true }));
    assert.throws(
      () => {
        while (damagedReader.next() !== undefined);
      },
      (error) => error instanceof CorruptionError && error.position === middle.from,
      `flipped at ${position - middle.from} of the entry`,
    );
  }
});

test('after any crash, recovery gives a prefix that holds everything acknowledged', async () => {
  for (let seed = 1; seed <= 40; seed += 1) await crashAndRecover(seed);
});

/** Some lives of a server, each ended by a crash at an arbitrary moment of writing. */
async function crashAndRecover(seed: number): Promise<void> {
  const sim = new Simulation({ seed });
  const machine = sim.machine('zk');
  const draw = drawFrom(seed);
  let records: TxnRecord[] = [];
  let acknowledged = 0n as Zxid;
  for (let life = 0; life < 4; life += 1) {
    const storage = new FileSnapLog(machine.runtime, {
      ...options,
      log: { preAllocBytes: draw(2) === 0 ? 65_536 : 8192 },
      trigger: { snapCount: 60 },
    });
    const recovered = await sim.complete(storage.recover());
    const survived = records.filter(({ header }) => header.zxid <= recovered.lastZxid);
    assert.ok(recovered.lastZxid >= acknowledged, `seed ${seed}: ${recovered.lastZxid} < ${acknowledged}`);
    assert.equal(recovered.digestMismatches, 0, `seed ${seed} life ${life}`);
    const txns = new RandomTxns(replayed(survived), drawFrom(seed * 10 + life));
    assert.deepEqual(describeTree(recovered.tree), describeTree(txns.tree), `seed ${seed} life ${life}`);
    records = survived;
    for (const log of listLogs(machine.runtime.disk, directories.logDirectory))
      assertWhole(machine.runtime.disk, log.path);
    for (const [session, timeout] of recovered.sessions) txns.sessions.set(session, timeout);

    for (let group = draw(30); group >= 0; group -= 1) {
      const proposed: TxnRecord[] = [];
      for (let count = 1 + draw(40); count > 0; count -= 1) {
        const record = txns.next();
        records.push(record);
        proposed.push(record);
        if (storage.append(record)) storage.startSnapshot(recovered);
      }
      storage.log.flush((error) => {
        if (error !== undefined) return;
        for (const { header, txn } of proposed) {
          recovered.tree.apply(header, txn);
          if (txn.type === OpCode.createSession) recovered.sessions.set(header.clientId, txn.timeOut);
          if (txn.type === OpCode.closeSession) recovered.sessions.delete(header.clientId);
        }
        acknowledged = recovered.tree.lastProcessedZxid;
      });
      await sim.runFor(draw(4) === 0 ? 5 : draw(100) / 100);
      if (draw(8) === 0) storage.purge(3);
    }
    machine.crash(draw(2) === 0 ? 'process' : 'power');
    machine.restart();
  }
}

/** As every later reader finds it, Apache's too: entries, then zeros or nothing. */
function assertWhole(disk: Disk, path: string): void {
  const reader = new TxnLogReader(disk.open(path, { readOnly: true }));
  while (reader.next() !== undefined);
  assert.equal(reader.end, 'clean', path);
}

function replayed(records: readonly TxnRecord[]): DataTree {
  const tree = DataTree.create(treeOptions);
  for (const { header, txn } of records) tree.apply(header, txn);
  return tree;
}

test('what a killed process wrote but never synced outlives a power failure, once more was acknowledged after it', async () => {
  // What a power failure takes is drawn.
  for (let seed = 100; seed < 110; seed += 1) {
    const { sim, machine, records } = await logOf(seed, [5]);
    const txns = new RandomTxns(replayed(records), drawFrom(4));
    // Killed between write and sync.
    const log = new TxnLog(machine.runtime, directories.logDirectory, { preAllocBytes: 65_536, forceSync: false });
    for (let index = 0; index < 5; index += 1) log.append(txns.next());
    await sim.complete(new Promise((resolve) => log.flush(resolve)));
    machine.crash('process');
    const next = new FileSnapLog(machine.restart(), options);
    const { tree } = await sim.complete(next.recover());
    assert.equal(tree.lastProcessedZxid, 10n);
    next.log.append(new RandomTxns(tree, drawFrom(5)).next());
    await sim.complete(new Promise((resolve) => next.log.flush(resolve)));
    machine.crash('power');
    assert.equal(recover(machine.restart(), { ...directories, tree: treeOptions }).replayedCount, 11);
  }
});

test('a failed sync ends the log: nothing after it is acknowledged', async () => {
  const { sim, machine, storage } = await logOf(6, [3]);
  machine.disk.failNext({ operation: 'sync', code: 'EIO', path: 'log.' });
  const txns = new RandomTxns(replayed([]), drawFrom(1));
  const outcomes: (string | undefined)[] = [];
  for (let index = 0; index < 3; index += 1) {
    storage.log.append(txns.next());
    storage.log.flush((error) => outcomes.push(error?.code));
  }
  await sim.runFor(1000);
  assert.deepEqual(outcomes, ['EIO', 'EIO', 'EIO']);
  storage.log.append(txns.next());
  storage.log.flush((error) => assert.equal(error?.code, 'EIO'));
});

test('logs without a snapshot are refused, unless they are trusted', async () => {
  const { machine, records } = await logOf(8, [10]);
  const { disk } = machine.runtime;
  disk.remove('/data/version-2/snapshot.0');
  assert.throws(() => recover(machine.runtime, directories), /No snapshot found, but there are log entries/);
  const trusted = recover(machine.runtime, { ...directories, trustEmptySnapshot: true, tree: treeOptions });
  assert.equal(trusted.replayedCount, records.length);
});

test('a damaged newest snapshot falls back to the one before and its logs', async () => {
  const { sim, machine, storage, tree } = await logOf(9, [50]);
  await sim.complete(storage.takeSnapshot({ tree, sessions: new Map() }));
  const path = `/data/version-2/snapshot.${tree.lastProcessedZxid.toString(16)}`;
  machine.disk.corrupt(path, 100);
  const recovered = recover(machine.runtime, { ...directories, tree: treeOptions });
  assert.equal(recovered.snapshot?.name, 'snapshot.0');
  assert.deepEqual(describeTree(recovered.tree), describeTree(tree));
});

test('a damaged newest snapshot whose logs are gone is not papered over', async () => {
  const { sim, machine, storage, tree } = await logOf(10, [50]);
  await sim.complete(storage.takeSnapshot({ tree, sessions: new Map() }));
  storage.log.roll();
  const txns = new RandomTxns(tree, drawFrom(2));
  const snapshot = `/data/version-2/snapshot.${tree.lastProcessedZxid.toString(16)}`;
  storage.log.append(txns.next());
  await sim.complete(new Promise((resolve) => storage.log.flush(resolve)));
  machine.runtime.disk.remove('/data/version-2/log.1');
  machine.disk.corrupt(snapshot, 100);
  assert.throws(() => recover(machine.runtime, { ...directories, tree: treeOptions }), CorruptionError);
});

for (const compression of ['gz', 'snappy'] as const) {
  test(`${compression} snapshots are written and read`, async () => {
    const { sim, machine, storage } = storageWith({ compression });
    const txns = new RandomTxns(DataTree.create(treeOptions), drawFrom(11));
    for (let index = 0; index < 200; index += 1) txns.next();
    await sim.complete(storage.takeSnapshot({ tree: txns.tree, sessions: txns.sessions }));
    const recovered = recover(machine.runtime, { ...directories, tree: treeOptions });
    assert.equal(recovered.snapshot?.name, `snapshot.c8.${compression}`);
    assert.deepEqual(describeTree(recovered.tree), describeTree(txns.tree));
  });

  test(`a damaged ${compression} snapshot gives way to the one before it`, async () => {
    const { sim, machine, storage } = storageWith({ compression });
    const txns = new RandomTxns(DataTree.create(treeOptions), drawFrom(12));
    for (let index = 0; index < 50; index += 1) txns.next();
    await sim.complete(storage.takeSnapshot({ tree: txns.tree, sessions: txns.sessions }));
    const older = describeTree(txns.tree);
    for (let index = 0; index < 50; index += 1) txns.next();
    await sim.complete(storage.takeSnapshot({ tree: txns.tree, sessions: txns.sessions }));
    const path = `/data/version-2/snapshot.64.${compression}`;
    // Several: a copy from elsewhere in a run of equal bytes is no damage.
    const size = machine.runtime.disk.stat(path)?.size ?? 0;
    for (let at = 100; at < size; at += 37) machine.disk.corrupt(path, at);
    const recovered = recover(machine.runtime, { ...directories, tree: treeOptions });
    assert.equal(recovered.snapshot?.name, `snapshot.32.${compression}`);
    assert.deepEqual(describeTree(recovered.tree), older);
  });
}

function storageWith(more: Partial<FileSnapLogOptions>) {
  const sim = new Simulation({ seed: 11 });
  const machine = sim.machine('zk');
  return { sim, machine, storage: new FileSnapLog(machine.runtime, { ...options, ...more }) };
}

test('a Snappy snapshot of many chunks is read from any place', async () => {
  const { sim, machine, storage } = storageWith({ compression: 'snappy' });
  const tree = DataTree.create(treeOptions);
  const header = { clientId: 1n as SessionId, cxid: 0, time: 0, type: OpCode.create };
  for (let index = 1; index <= 40; index += 1) {
    const data = Buffer.alloc(20_000, `${index} and `);
    const txn = {
      type: OpCode.create,
      path: `/n${index}`,
      data,
      acl: [...OPEN_ACL_UNSAFE],
      ephemeral: false,
      parentCVersion: index,
    };
    tree.apply({ ...header, zxid: BigInt(index) as Zxid }, txn);
  }
  await sim.complete(storage.takeSnapshot({ tree, sessions: new Map() }));
  const path = '/data/version-2/snapshot.28.snappy';
  const { source, close } = openSnapshot(machine.runtime.disk, path);
  const whole = Buffer.from(source.read(0, source.size));
  assert.ok(whole.length === source.size && source.size > 800_000);
  assert.ok((machine.runtime.disk.stat(path)?.size ?? 0) < source.size / 4);
  for (const at of [source.size - 5, 300_000, 32_768, 32_767, 0]) {
    assert.ok(whole.subarray(at, at + 70_000).equals(source.read(at, 70_000)), `at ${at}`);
  }
  close();
  machine.runtime.disk.writeFile(path, machine.runtime.disk.readFile(path).subarray(0, -1));
  assert.throws(() => openSnapshot(machine.runtime.disk, path), /truncated Snappy stream/);
});

test('purging keeps the newest snapshots and the logs they need', async () => {
  const { sim, machine, storage, tree } = await logOf(12, [1]);
  const txns = new RandomTxns(tree, drawFrom(3));
  for (let round = 0; round < 5; round += 1) {
    for (let index = 0; index < 16; index += 1) storage.log.append(txns.next());
    await sim.complete(new Promise((resolve) => storage.log.flush(resolve)));
    storage.log.roll();
    await sim.complete(storage.takeSnapshot({ tree, sessions: new Map() }));
  }
  const names = (): string[] => machine.runtime.disk.list('/data/version-2').map(({ name }) => name);
  assert.deepEqual(names(), [
    'log.1',
    'log.12',
    'log.22',
    'log.32',
    'log.42',
    'snapshot.0',
    'snapshot.11',
    'snapshot.21',
    'snapshot.31',
    'snapshot.41',
    'snapshot.51',
  ]);
  storage.purge(3);
  assert.deepEqual(names(), ['log.22', 'log.32', 'log.42', 'snapshot.31', 'snapshot.41', 'snapshot.51']);
});

test('a transaction, or a snapshot, with another digest than the tree has is counted and logged at recovery, and the rest is served', async () => {
  for (const spoils of ['a transaction', 'a snapshot'] as const) {
    const logged: string[] = [];
    const sim = new Simulation({ seed: 3, onLog: (line) => logged.push(line) });
    const machine = sim.machine('zk');
    const storage = new FileSnapLog(machine.runtime, options);
    const recovered = await sim.complete(storage.recover());
    const txns = new RandomTxns(recovered.tree, drawFrom(5));
    for (let count = 40; count > 0; count -= 1) {
      const record = txns.next();
      const isSpoilt = spoils === 'a transaction' && count === 20;
      storage.append(isSpoilt ? { ...record, digest: { version: 2, treeDigest: 12_345n } } : record);
    }
    assert.equal(await sim.complete(new Promise((resolve) => storage.log.flush(resolve))), undefined);
    if (spoils === 'a snapshot') {
      Object.defineProperty(recovered.tree, 'treeDigest', { value: 12_345n });
      await sim.complete(storage.takeSnapshot(recovered));
    }
    machine.crash('process');
    machine.restart();
    const again = await sim.complete(new FileSnapLog(machine.runtime, options).recover());
    assert.equal(again.digestMismatches, 1, spoils);
    assert.equal(again.lastZxid, txns.tree.lastProcessedZxid);
    const lines = logged.filter((line) => line.includes('Digests are not matching. Value is Zxid.'));
    assert.equal(lines.length, 1, spoils);
  }
});
