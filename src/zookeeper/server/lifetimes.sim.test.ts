import assert from 'node:assert/strict';
import test from 'node:test';
import { CreateMode } from '../jute/create-mode.ts';
import { ErrorCode, KeeperError } from '../jute/errors.ts';
import { ServerWorld } from './testkit/server-world.ts';

test('a container goes with its last child, one that never had a child stays', async () => {
  const world = await ServerWorld.start({ properties: { 'znode.container.checkIntervalMs': '1000' } });
  const client = world.client();
  await world.complete(client.create('/c', null, { mode: CreateMode.CONTAINER }));
  await world.complete(client.create('/unused', null, { mode: CreateMode.CONTAINER }));
  await world.complete(client.create('/c/child', null));
  await world.sim.runFor(3000);
  assert.notEqual(await world.complete(client.exists('/c')), undefined);
  await world.complete(client.delete('/c/child'));
  await world.sim.runFor(3000);
  assert.equal(await world.complete(client.exists('/c')), undefined);
  assert.notEqual(await world.complete(client.exists('/unused')), undefined);
  assert.equal((await world.complete(client.exists('/unused')))?.ephemeralOwner, 0n);
});

test('a TTL node goes when nobody has changed it for its time', async () => {
  const world = await ServerWorld.start({
    config: { extendedTypesEnabled: true },
    properties: { 'znode.container.checkIntervalMs': '1000' },
  });
  const client = world.client();
  await world.complete(client.create('/t', null, { mode: CreateMode.PERSISTENT_WITH_TTL, ttlMs: 5000 }));
  await world.sim.runFor(4000);
  await world.complete(client.setData('/t', 'touched'));
  await world.sim.runFor(4000);
  assert.notEqual(await world.complete(client.exists('/t')), undefined);
  await world.sim.runFor(3000);
  assert.equal(await world.complete(client.exists('/t')), undefined);
});

const failsWith = (code: number) => (error: unknown) => error instanceof KeeperError && error.code === code;

test('a hard quota refuses what exceeds it, with zookeeper.enforceQuota', async () => {
  const world = await ServerWorld.start({ config: { enforceQuota: true } });
  const client = world.client();
  await world.complete(client.create('/q', null));
  for (const path of ['/zookeeper/quota/q']) await world.complete(client.create(path, null));
  const limits = 'count=-1,bytes=-1=;byteHardLimit=10;countHardLimit=3';
  await world.complete(client.create('/zookeeper/quota/q/zookeeper_limits', limits));
  await world.complete(client.create('/zookeeper/quota/q/zookeeper_stats', 'count=0,bytes=0'));
  await world.complete(client.create('/q/a', '12345'));
  await assert.rejects(world.complete(client.create('/q/b', '123456')), failsWith(ErrorCode.QUOTAEXCEEDED));
  await assert.rejects(world.complete(client.setData('/q/a', '12345678901')), failsWith(ErrorCode.QUOTAEXCEEDED));
  await world.complete(client.create('/q/b', null));
  await assert.rejects(world.complete(client.create('/q/c', null)), failsWith(ErrorCode.QUOTAEXCEEDED));
  await world.complete(client.delete('/q/b'));
  await world.complete(client.create('/q/c', null));
});

test('what shrinks a node is refused too while more than a hard quota is in use', async () => {
  const world = await ServerWorld.start({ config: { enforceQuota: true } });
  const client = world.client();
  await world.complete(client.create('/q', '0123456789'));
  await world.complete(client.create('/zookeeper/quota/q', null));
  await world.complete(client.create('/zookeeper/quota/q/zookeeper_limits', 'count=-1,bytes=-1=;byteHardLimit=5'));
  await world.complete(client.setData('/q', '012345678'));
  await world.complete(client.create('/zookeeper/quota/q/zookeeper_stats', 'count=0,bytes=0'));
  await assert.rejects(world.complete(client.setData('/q', '0123456')), failsWith(ErrorCode.QUOTAEXCEEDED));
  await world.complete(client.setData('/q', '876543210'));
  await world.complete(client.setData('/q', '01234'));
});

test('a soft quota refuses nothing, and the log tells how often it was exceeded', async () => {
  const world = await ServerWorld.start({ config: { enforceQuota: true } });
  const client = world.client();
  await world.complete(client.create('/q', null));
  await world.complete(client.create('/zookeeper/quota/q', null));
  await world.complete(client.create('/zookeeper/quota/q/zookeeper_limits', 'count=1,bytes=4=;byteHardLimit=8'));
  await world.complete(client.create('/zookeeper/quota/q/zookeeper_stats', 'count=0,bytes=0'));
  for (const mode of [CreateMode.PERSISTENT, CreateMode.PERSISTENT_SEQUENTIAL])
    await world.complete(client.create('/q/a', null, { mode }));
  await world.complete(client.delete('/q/a'));
  for (let again = 0; again < 3; again += 1) {
    await world.complete(client.create('/q/a', null));
    await world.complete(client.delete('/q/a'));
  }
  await world.sim.runFor(100);
  await world.complete(client.create('/q/a', '123456'));
  await assert.rejects(world.complete(client.setData('/q/a', '123456789')), failsWith(ErrorCode.QUOTAEXCEEDED));
  const told = world.logged.flatMap((line) => /(?:\[\d+ times\] )?Quota exceeded.*\]/.exec(line) ?? []);
  assert.deepEqual(told, [
    'Quota exceeded: /q [current count=2, softCountLimit=1]',
    'Quota exceeded: /q [current count=3, softCountLimit=1]',
    '[4 times] Quota exceeded: /q [current count=3, softCountLimit=1]',
    'Quota exceeded: /q [current bytes=9, hardByteLimit=8]',
  ]);
});

test('old snapshots and the logs that only they need are purged', async () => {
  const world = await ServerWorld.start({
    config: { 'autopurge.purgeInterval': 1, snapCount: 20, preAllocSize: 0 },
  });
  const client = world.client();
  for (let index = 0; index < 300; index += 1) await world.complete(client.create(`/n${index}`, null));
  const { disk } = world.machine.runtime;
  const snapshots = () => disk.list('/data/version-2').filter(({ name }) => name.startsWith('snapshot.')).length;
  await world.until(() => snapshots() > 5);
  await world.sim.runFor(3_700_000);
  assert.equal(snapshots(), 3);
  await world.crash('power');
  assert.notEqual(world.server.view.tree.find('/n299'), -1);
});

test('a second server on the same directory is refused, and the first one goes on', async () => {
  const world = await ServerWorld.start();
  const first = world.server;
  await assert.rejects(world.startServer(), /EBUSY/);
  assert.equal(first.state, 'serving');
  await world.complete(first.close());
  await world.startServer();
});

test('after close every acknowledged write is on the disk, and the port is free', async () => {
  const world = await ServerWorld.start();
  const client = world.client();
  await world.complete(client.create('/a', 'x'));
  await world.complete(world.server.close());
  assert.equal(await world.connectRefused(), true);
  await world.startServer();
  assert.equal((await world.complete(client.getData('/a'))).data?.toString(), 'x');
});

for (const method of ['gz', 'snappy'] as const) {
  test(`snapshots are written with snapshot.compression.method=${method}, and started from`, async () => {
    const world = await ServerWorld.start({
      config: { 'snapshot.compression.method': method, snapCount: 20, preAllocSize: 0 },
    });
    const client = world.client();
    for (let index = 0; index < 60; index += 1) await world.complete(client.create(`/n${index}`, `data ${index}`));
    const { disk } = world.machine.runtime;
    const written = () =>
      disk
        .list('/data/version-2')
        .some(({ name }) => /^snapshot\.[1-9a-f].*/.test(name) && name.endsWith(`.${method}`));
    await world.until(written);
    await world.crash('power');
    assert.notEqual(world.server.view.tree.find('/n59'), -1);
  });
}
