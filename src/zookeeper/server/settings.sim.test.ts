/** Keys of zoo.cfg that have no test of their own elsewhere: each changes what the server does. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { CreateMode } from '../jute/create-mode.ts';
import { OpCode } from '../jute/op-codes.ts';
import { listLogs, listSnapshots } from '../persistence/file-names.ts';
import { type TxnLogEntry, TxnLogReader } from '../persistence/txn-log-reader.ts';
import { ServerWorld } from './testkit/server-world.ts';

const directory = '/data/version-2';

/** A world and a client that has written some nodes. */
async function written(config: Record<string, string | number | boolean>, count = 0): Promise<ServerWorld> {
  const world = await ServerWorld.start({ config: { preAllocSize: 0, ...config } });
  if (count === 0) return world;
  const client = world.client();
  for (let index = 0; index < count; index += 1) await world.complete(client.create(`/n${index}`, 'x'.repeat(100)));
  return world;
}

function entriesOf({ machine }: ServerWorld): TxnLogEntry[] {
  const { disk } = machine.runtime;
  return listLogs(disk, directory).flatMap(({ path }) => {
    const reader = new TxnLogReader(disk.open(path, { readOnly: true }));
    const entries: TxnLogEntry[] = [];
    for (let entry = reader.next(); entry !== undefined; entry = reader.next()) entries.push(entry);
    return entries;
  });
}

const logCount = ({ machine }: ServerWorld): number => listLogs(machine.runtime.disk, directory).length;
const snapshotCount = ({ machine }: ServerWorld): number => listSnapshots(machine.runtime.disk, directory).length;

test('autopurge.snapRetainCount says how many snapshots stay', async () => {
  const world = await written({ 'autopurge.purgeInterval': 1, 'autopurge.snapRetainCount': 5, snapCount: 20 }, 300);
  await world.until(() => snapshotCount(world) > 7);
  await world.sim.runFor(3_700_000);
  assert.equal(snapshotCount(world), 5);
});

test('snapCount and snapSizeLimitInKb say when a snapshot is due', async () => {
  assert.equal(snapshotCount(await written({}, 100)), 1);
  assert.ok(snapshotCount(await written({ snapCount: 20 }, 100)) > 2);
  assert.ok(snapshotCount(await written({ snapSizeLimitInKb: 4 }, 100)) > 2);
});

test('txnLogSizeLimitInKb bounds a log file, and the snapshots stay as they are', async () => {
  assert.equal(logCount(await written({}, 100)), 1);
  const world = await written({ txnLogSizeLimitInKb: 4 }, 100);
  assert.ok(logCount(world) > 3);
  assert.equal(snapshotCount(world), 1);
});

test('preAllocSize is what a log file grows by, in KiB', async () => {
  const world = await written({ preAllocSize: 64 }, 1);
  const [log] = listLogs(world.machine.runtime.disk, directory);
  assert.equal(world.machine.runtime.disk.stat(log?.path ?? '')?.size, 65_536 + 16);
});

test('fsync.warningthresholdms says which syncs are called slow', async () => {
  const slow = ({ logged }: ServerWorld): number =>
    logged.filter((line) => /fsync-ing the write ahead log/.test(line)).length;
  assert.equal(slow(await written({}, 3)), 0);
  assert.ok(slow(await written({ 'fsync.warningthresholdms': 0 }, 10)) > 1);
});

test('closeSessionTxn.enabled: whether the end of a session lists its ephemerals', async () => {
  for (const enabled of [true, false]) {
    const world = await written({ 'closeSessionTxn.enabled': enabled });
    const client = world.client();
    await world.complete(client.create('/e', null, { mode: CreateMode.EPHEMERAL }));
    await world.complete(client.close());
    const closed = entriesOf(world).find(({ txn }) => txn.type === OpCode.closeSession)?.txn;
    assert.deepEqual(closed, { type: OpCode.closeSession, paths2Delete: enabled ? ['/e'] : null });
    await world.crash('power');
    assert.equal(await world.complete(world.client().exists('/e')), undefined);
  }
});

test('digest.enabled: whether log entries carry the digest of the tree', async () => {
  for (const enabled of [true, false]) {
    const world = await written({ 'digest.enabled': enabled }, 3);
    const digests = entriesOf(world).filter(({ digest }) => digest !== null).length;
    assert.equal(digests > 0, enabled);
    await world.crash('power');
    assert.notEqual(await world.complete(world.client().exists('/n2')), undefined);
  }
});

test('serializeLastProcessedZxid.enabled: whether a snapshot ends with its zxid', async () => {
  const size = async (enabled: boolean): Promise<number> => {
    const world = await written({ 'serializeLastProcessedZxid.enabled': enabled });
    const [snapshot] = listSnapshots(world.machine.runtime.disk, directory);
    return world.machine.disk.peek(snapshot?.path ?? '').length;
  };
  // the zxid and, once more, a checksum
  assert.equal((await size(true)) - (await size(false)), 8 + 13);
});

test('datadir.autocreate and db.autocreate keep a server from beginning anew where its data should be', async () => {
  await assert.rejects(
    written({ 'datadir.autocreate': false }),
    /Missing data directory \/data.*datadir\.autocreate=false/,
  );
  await assert.rejects(written({ 'db.autocreate': false }), /No database in \/data, and db\.autocreate=false/);
});

test('flushDelay gathers writes so long, unless maxBatchSize have gathered', async () => {
  const createMs = async (config: Record<string, number>): Promise<number> => {
    const world = await written(config);
    const client = world.client();
    await world.complete(client.connected());
    const before = world.sim.nowMs;
    await world.complete(client.create('/a', null));
    return world.sim.nowMs - before;
  };
  assert.ok((await createMs({})) < 300);
  assert.ok((await createMs({ flushDelay: 3000 })) >= 3000);
  assert.ok((await createMs({ flushDelay: 3000, maxBatchSize: 1 })) < 300);
});

test('maxCnxns bounds all connections, maxClientCnxns those of one address', async () => {
  for (const key of ['maxCnxns', 'maxClientCnxns']) {
    const world = await written({ [key]: 2 });
    const [first, second] = [await world.open(), await world.open()];
    const third = await world.connect();
    await world.until(() => third.isClosed);
    assert.deepEqual([first.isClosed, second.isClosed], [false, false]);
    first.connection.destroy();
    await world.until(() => world.server.view.connections.size === 1);
    assert.notEqual((await world.open()).session, undefined);
  }
});

test('nio.sessionlessCnxnTimeout: who asks for no session is not waited for', async () => {
  const world = await written({ 'nio.sessionlessCnxnTimeout': 1000 });
  const silent = await world.connect();
  await world.until(() => silent.isClosed, 2000);
  const usual = await written({});
  const patient = await usual.connect();
  await usual.sim.runFor(5000);
  assert.equal(patient.isClosed, false);
});

test('containers: maxPerMinute spaces the deletions, maxNeverUsedIntervalMs takes those without any child', async () => {
  const world = await ServerWorld.start({
    properties: {
      'znode.container.checkIntervalMs': '1000',
      'znode.container.maxPerMinute': '6',
      'znode.container.maxNeverUsedIntervalMs': '5000',
    },
  });
  const client = world.client();
  for (const name of ['a', 'b', 'c']) {
    await world.complete(client.create(`/${name}`, null, { mode: CreateMode.CONTAINER }));
  }
  const left = async (): Promise<number> => (await world.complete(client.getChildren('/'))).length - 1;
  await world.sim.runFor(4000);
  assert.equal(await left(), 3);
  await world.sim.runFor(4000);
  assert.equal(await left(), 2);
  await world.sim.runFor(25_000);
  assert.equal(await left(), 0);
});
