/** Apache's server on a data directory that ours wrote. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { snappyChunks, snappyHeader } from '../../src/base/snappy.ts';
import { silent } from '../../src/runtime/log.ts';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { compressionOf, listSnapshots, snapshotName } from '../../src/zookeeper/persistence/file-names.ts';
import { FileSnapLog } from '../../src/zookeeper/persistence/file-snap-log.ts';
import { finished } from '../../src/zookeeper/persistence/recovery.ts';
import { loadSnapshotFile } from '../../src/zookeeper/persistence/snapshot-file.ts';
import { SnapshotWriter } from '../../src/zookeeper/persistence/snapshot-writer.ts';
import { describeTree, drawFrom, RandomTxns } from '../../src/zookeeper/tree/random-txns.fixture.ts';
import { startApacheZookeeper } from './peers/apache-zookeeper.ts';
import { tempDir } from './peers/temp-dir.ts';

const runtime = nodeRuntime({ log: silent });
const treeOptions = { extendedTypes: true };

const pack = {
  none: (bytes: Uint8Array) => bytes,
  gz: (bytes: Uint8Array) => gzipSync(bytes),
  snappy: (bytes: Uint8Array) => snappyChunks(bytes),
};

for (const compression of ['none', 'gz', 'snappy'] as const) {
  test(`Apache 3.9.4 loads a fuzzy snapshot (${compression}) and the logs after it, and agrees with every digest`, async (t) => {
    const dataDir = tempDir();
    const storage = new FileSnapLog(runtime, { dataDir, tree: treeOptions });
    const recovered = await storage.recover();
    const txns = new RandomTxns(recovered.tree, drawFrom(42));
    const flushed = (): Promise<void> =>
      new Promise((resolve, reject) => storage.log.flush((error) => (error === undefined ? resolve() : reject(error))));
    for (let index = 0; index < 3000; index += 1) storage.log.append(txns.next());
    await flushed();
    // Nodes come and go while it is written.
    const writer = new SnapshotWriter({ tree: txns.tree, sessions: new Map(txns.sessions) });
    const written: Uint8Array[] = compression === 'snappy' ? [snappyHeader] : [];
    while (!writer.isDone) {
      const bytes = writer.step(3);
      written.push(pack[compression](bytes));
      storage.log.append(txns.next());
    }
    await flushed();
    runtime.disk.writeFile(join(dataDir, 'version-2', snapshotName(writer.zxid, compression)), Buffer.concat(written));
    storage.log.roll();
    for (let index = 0; index < 500; index += 1) storage.log.append(txns.next());
    await new Promise((resolve) => storage.log.close(resolve));
    const directory = join(dataDir, 'version-2');
    const [empty, fuzzy] = listSnapshots(runtime.disk, directory);
    assert.ok(empty !== undefined && fuzzy !== undefined && written.length > 20);
    runtime.disk.remove(empty.path);

    const server = await startApacheZookeeper({
      version: '3.9.4',
      dataDir,
      // What it writes itself is packed alike.
      config: {
        extendedTypesEnabled: 'true',
        'znode.container.checkIntervalMs': 3_600_000,
        ...(compression === 'none' ? {} : { 'snapshot.compression.method': compression }),
      },
    });
    t.after(() => server.kill());
    const metrics = await server.ask('mntr');
    assert.match(metrics, new RegExp(`zk_znode_count\t${txns.tree.nodeCount}\n`));
    assert.match(metrics, /zk_digest_mismatches_count\t0\n/);
    assert.match(metrics, new RegExp(`zk_ephemerals_count\t${txns.tree.ephemeralsCount}\n`));
    await server.kill();

    // It took a snapshot when it had loaded ours.
    const theirs = listSnapshots(runtime.disk, directory).at(-1);
    assert.equal(theirs?.zxid, txns.tree.lastProcessedZxid);
    assert.ok(theirs !== undefined && compressionOf(theirs.name) === compression);
    const loaded = finished(loadSnapshotFile(runtime, theirs, treeOptions));
    assert.equal(loaded.tree.treeDigest, txns.tree.treeDigest);
    assert.deepEqual(describeTree(loaded.tree), describeTree(txns.tree));
    assert.deepEqual(new Map([...loaded.sessions].sort()), new Map([...txns.sessions].sort()));
  });
}
