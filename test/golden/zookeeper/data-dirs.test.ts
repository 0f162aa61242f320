/** Data directories that Apache's servers left, see scripts/golden/zookeeper-data-dirs.ts. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Runtime } from '../../../src/runtime/runtime.ts';
import { Simulation } from '../../../src/runtime/sim/simulation.ts';
import { Reader } from '../../../src/wire/reader.ts';
import { OpCode } from '../../../src/zookeeper/jute/op-codes.ts';
import { readTxnRecord, type TxnRecord } from '../../../src/zookeeper/jute/txn.ts';
import { EntryBatch } from '../../../src/zookeeper/persistence/entry-batch.ts';
import { compressionOf, listSnapshots } from '../../../src/zookeeper/persistence/file-names.ts';
import { finished, recover } from '../../../src/zookeeper/persistence/recovery.ts';
import { loadSnapshotFile } from '../../../src/zookeeper/persistence/snapshot-file.ts';
import { loadSnapshot, type SnapshotSource } from '../../../src/zookeeper/persistence/snapshot-reader.ts';
import { openSnapshot } from '../../../src/zookeeper/persistence/snapshot-source.ts';
import { SnapshotWriter } from '../../../src/zookeeper/persistence/snapshot-writer.ts';
import { DataTree } from '../../../src/zookeeper/tree/data-tree.ts';

interface Recorded {
  readonly logs: Record<string, readonly string[]>;
  readonly snapshots: Record<string, string>;
}

const directory = '/data/version-2';
const directories = { snapshotDirectory: directory, logDirectory: directory };
const treeOptions = { extendedTypes: true };

for (const version of ['3.4.8', '3.9.4'] as const) {
  const recorded = readRecorded(version);
  const entries = Object.values(recorded.logs).flatMap(([, ...lines]) => lines.map((line) => Buffer.from(line, 'hex')));
  const records = entries.map((entry) => readTxnRecord(new Reader(entry.subarray(12, -1))));
  const lastZxid = records.map(({ header }) => header.zxid).reduce((a, b) => (a > b ? a : b));

  test(`every transaction in the log of ${version} is written again byte for byte`, () => {
    for (const [index, entry] of entries.entries()) {
      const { header, txn, digest } = records[index] as TxnRecord;
      const batch = new EntryBatch(256);
      assert.equal(batch.add({ header, txn, digest }), entry.length);
      const written = Buffer.from(batch.finish());
      assert.equal(written.toString('hex'), entry.toString('hex'));
    }
  });

  test(`a directory of ${version} is recovered from each of its snapshots`, () => {
    const { runtime } = machineWith(recorded);
    const newest = recover(runtime, { ...directories, tree: treeOptions });
    assert.equal(newest.lastZxid, lastZxid);
    assert.equal([...newest.tree.ephemerals.values()].flatMap((paths) => [...paths]).join(), '/stays');
    const snapshots = listSnapshots(runtime.disk, directory).reverse();
    assert.ok(snapshots.length >= 2);
    for (const snapshot of snapshots) {
      const older = recover(runtime, { ...directories, tree: treeOptions });
      assert.equal(older.snapshot?.name, snapshot.name);
      assert.equal(older.digestMismatches, 0);
      assert.equal(older.replayedCount, records.filter(({ header }) => header.zxid > snapshot.zxid).length);
      assert.equal(older.tree.treeDigest, newest.tree.treeDigest);
      assert.deepEqual([...older.sessions].sort(), [...newest.sessions].sort());
      runtime.disk.remove(snapshot.path);
    }
    const trusting = recover(runtime, { ...directories, tree: treeOptions, trustEmptySnapshot: true });
    assert.equal(trusting.replayedCount, records.length);
    assert.equal(trusting.tree.treeDigest, newest.tree.treeDigest);
  });

  test(`a snapshot of ${version} that we write again has the same nodes, ACLs, sessions and seals`, () => {
    const { runtime } = machineWith(recorded);
    const files = listSnapshots(runtime.disk, directory);
    assert.ok(files.length >= 2);
    for (const file of files) {
      const { tree, sessions } = finished(loadSnapshotFile(runtime, file, treeOptions));
      const writer = new SnapshotWriter({ tree, sessions });
      const written: Uint8Array[] = [];
      while (!writer.isDone) written.push(writer.step(3));
      const ours = Buffer.concat(written);
      const theirs = uncompressed(runtime, file.path);
      // Nodes come in the order in which they were loaded. 3.4 has one seal, 3.9 a digest and a zxid behind it.
      const nodesEnd = theirs.length - (version === '3.4.8' ? 13 : 13 + 33 + 21);
      assert.equal(withoutUsage(ours, nodesEnd), withoutUsage(theirs, nodesEnd));
      assert.equal(ours.length, nodesEnd + 13 + 33 + 21);
      const reloaded = finished(loadSnapshot(memorySource(ours), file.zxid, treeOptions));
      assert.equal(reloaded.tree.treeDigest, tree.treeDigest);
    }
  });
}

function uncompressed({ disk }: Runtime, path: string): Buffer {
  const { source, close } = openSnapshot(disk, path);
  const bytes = Buffer.from(source.read(0, source.size));
  close();
  return bytes;
}

/** The usage of a quota is measured when a tree is loaded; while Apache wrote, it may have been another. */
function withoutUsage(snapshot: Buffer, end: number): string {
  return snapshot
    .subarray(0, end)
    .toString('latin1')
    .replace(/count=\d,bytes=\d/, '');
}

const memorySource = (bytes: Uint8Array): SnapshotSource => ({
  path: 'memory',
  size: bytes.length,
  read: (position, length) => bytes.subarray(position, position + length),
});

test('the snapshots of 3.9.4 are plain, gzip and Snappy, and hold every kind of node', () => {
  const { runtime } = machineWith(readRecorded('3.9.4'));
  const files = listSnapshots(runtime.disk, directory);
  assert.deepEqual(
    files.map(({ name }) => compressionOf(name)),
    ['none', 'none', 'gz', 'snappy'],
  );
  for (const file of files.slice(2)) {
    const { tree, sessions } = finished(loadSnapshotFile(runtime, file, treeOptions));
    const nodes = [...tree.nodes()];
    const kinds = new Set(nodes.map((node) => tree.kind(node)));
    assert.deepEqual([...kinds].sort(), ['container', 'ephemeral', 'persistent', 'ttl']);
    assert.ok(
      nodes.some((node) => tree.viewData(node) === null),
      'null data',
    );
    assert.ok(
      nodes.some((node) => tree.viewData(node)?.length === 0),
      'empty data',
    );
    assert.ok(
      nodes.some((node) => /-\d{10}$/.test(tree.path(node))),
      'sequential',
    );
    assert.equal([...tree.aclLists()].length, 11);
    assert.deepEqual([...sessions.values()], [40_000]);
    assert.equal(tree.quotaPrefix('/plain/counted'), '/plain');
  }
});

test('closeSession without its paths is recovered, and written again byte for byte', () => {
  const recorded = readRecorded('3.9.4-short-close');
  const { runtime } = machineWith(recorded);
  const { tree, replayedCount, digestMismatches } = recover(runtime, { ...directories, tree: treeOptions });
  assert.equal(tree.has('/gone'), false);
  assert.deepEqual({ replayedCount, digestMismatches }, { replayedCount: 3, digestMismatches: 0 });
  const entry = Buffer.from(recorded.logs['log.1']?.at(-1) as string, 'hex');
  const record = readTxnRecord(new Reader(entry.subarray(12, -1)));
  assert.deepEqual(record.txn, { type: OpCode.closeSession, paths2Delete: null });
  assert.ok(record.digest !== null);
  const batch = new EntryBatch(256);
  batch.add(record);
  assert.equal(Buffer.from(batch.finish()).toString('hex'), entry.toString('hex'));
});

test('the log of 3.9.4 holds every kind of transaction, and our tree has its digest after each', () => {
  const recorded = readRecorded('3.9.4');
  const tree = DataTree.create(treeOptions);
  const kinds = new Set<number>();
  const digested: number[] = [];
  for (const [, ...lines] of Object.values(recorded.logs)) {
    for (const line of lines) {
      const { header, txn, digest } = readTxnRecord(new Reader(Buffer.from(line, 'hex').subarray(12, -1)));
      kinds.add(txn.type);
      if (txn.type === OpCode.multi) for (const operation of txn.txns) kinds.add(operation.type);
      tree.apply(header, txn);
      if (digest === null) continue;
      digested.push(header.type);
      assert.equal(digest.treeDigest, tree.treeDigest, `after ${header.zxid.toString(16)}, type ${header.type}`);
    }
  }
  const { create, create2, createContainer, createTTL, deleteContainer, setData, setACL, check, multi } = OpCode;
  const { createSession, closeSession, error, reconfig } = OpCode;
  const all = [
    create,
    create2,
    createContainer,
    createTTL,
    OpCode.delete,
    deleteContainer,
    setData,
    setACL,
    check,
    multi,
  ];
  for (const kind of [...all, createSession, closeSession, error, reconfig]) assert.ok(kinds.has(kind), `type ${kind}`);
  assert.ok(digested.length > 30);
});

function readRecorded(name: string): Recorded {
  return JSON.parse(readFileSync(new URL(`./apache-${name}.json`, import.meta.url), 'utf8')) as Recorded;
}

/** The recorded files on a disk, the logs with the zeros that Apache allocates (fewer of them). */
function machineWith(recorded: Recorded): { runtime: Runtime } {
  const { runtime } = new Simulation({ seed: 1 }).machine('zk');
  runtime.disk.makeDirectory(directory);
  for (const [name, parts] of Object.entries(recorded.logs)) {
    const bytes = Buffer.from(parts.join(''), 'hex');
    runtime.disk.writeFile(`${directory}/${name}`, Buffer.concat([bytes, Buffer.alloc(65_536)]));
  }
  for (const [name, bytes] of Object.entries(recorded.snapshots)) {
    runtime.disk.writeFile(`${directory}/${name}`, Buffer.from(bytes, 'hex'));
  }
  return { runtime };
}
