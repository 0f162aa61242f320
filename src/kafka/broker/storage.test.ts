import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../protocol/errors.ts';
import { ClusterWorld, refused } from './testkit/cluster-world.ts';

const topicNames = ['a', 'b', 'c', 'd'];

test('what was acknowledged is there after the process was killed, again and again', async () => {
  const world = await new ClusterWorld().start();
  await world.createTopic('t', [[0], [0]]);
  let sent = 0;
  for (let life = 0; life < 4; life += 1) {
    for (let round = 0; round < 5; round += 1, sent += 1) {
      for (const partition of [0, 1]) {
        assert.equal(await world.produce(0, 't', `${sent}`, partition, round % 2 === 0 ? 1 : -1), sent);
      }
    }
    world.broker(0).crash('process');
    await world.broker(0).start();
    await world.until('it leads', async () => (await world.leaderOf(0, 't', 1)) === 0);
    for (const partition of [0, 1]) assert.equal(await world.count(0, 't', partition), sent);
  }
});

test('after a power failure a lone replica has a prefix of what it acknowledged, and all of it when flushed', async () => {
  for (const flushed of [false, true]) {
    const world = await new ClusterWorld({ kafka: flushed ? { 'log.flush.interval.messages': 1 } : {} }).start();
    await world.createTopic('t', [[0]]);
    for (let sent = 0; sent < 10; sent += 1) assert.equal(await world.produce(0, 't', `${sent}`), sent);
    world.broker(0).crash('power');
    await world.broker(0).start();
    await world.until('it leads', async () => (await world.leaderOf(0, 't')) === 0);
    const kept = await world.count(0, 't');
    assert.ok(flushed ? kept === 10 : kept <= 10, `${kept}`);
    assert.equal(await world.produce(0, 't', 'on it goes'), kept);
  }
});

test('a log dir that fails takes its partitions with it, the others go on, and a restart brings them back', async () => {
  const world = await new ClusterWorld({ kafka: { 'log.dirs': '/one,/two' } }).start();
  for (const name of topicNames) {
    await world.createTopic(name, [[0]]);
    await world.produce(0, name, 'before');
  }
  const { disk } = world.broker(0).machine;
  const { runtime } = world.broker(0).machine;
  const inOne = new Set(runtime.disk.list('/one').map(({ name }) => name.replace(/-0$/, '')));
  const failing = topicNames.filter((name) => inOne.has(name));
  const going = topicNames.filter((name) => !inOne.has(name));
  assert.ok(failing.length > 0 && going.length > 0);
  const [victim = ''] = failing;
  disk.failNext({ operation: 'append', path: `/one/${victim}-0`, code: 'EIO' });
  await assert.rejects(world.produce(0, victim, 'lost'), refused(ErrorCode.KAFKA_STORAGE_ERROR));
  for (const name of failing) {
    await assert.rejects(world.produce(0, name, 'x'), refused(ErrorCode.KAFKA_STORAGE_ERROR));
  }
  for (const name of going) assert.equal(await world.produce(0, name, 'after'), 1);
  assert.deepEqual(world.failures, []);
  await world.createTopic('new', [[0]]);
  assert.equal(await world.produce(0, 'new', 'in the other dir'), 0);
  disk.repair();
  world.broker(0).crash('process');
  await world.broker(0).start();
  for (const name of failing) {
    await world.until('it is led', async () => (await world.leaderOf(0, name)) === 0);
    assert.equal(await world.count(0, name), 1);
  }
  for (const name of going) assert.equal(await world.count(0, name), 2);
});

test('a full disk is no end: nothing is acknowledged that is not written, and a restart with room goes on', async () => {
  const world = await new ClusterWorld().start();
  await world.createTopic('t', [[0]]);
  let acknowledged = 0;
  world.broker(0).machine.disk.fill(64 << 10);
  await assert.rejects(async () => {
    for (; acknowledged < 100; acknowledged += 1) await world.produce(0, 't', 'x'.repeat(10_000));
  }, refused(ErrorCode.KAFKA_STORAGE_ERROR));
  assert.ok(acknowledged > 0);
  await world.sim.runFor(60_000);
  assert.deepEqual(world.failures, []);
  assert.equal((await world.metadata(0)).brokers.length, 1);
  world.broker(0).machine.disk.repair();
  world.broker(0).crash('process');
  await world.broker(0).start();
  await world.until('it is led', async () => (await world.leaderOf(0, 't')) === 0);
  assert.equal(await world.count(0, 't'), acknowledged);
  assert.equal(await world.produce(0, 't', 'room'), acknowledged);
});

test('a broker does not start on the directories of another cluster', async () => {
  const world = await new ClusterWorld().start();
  await world.broker(0).stop();
  await world.run(world.zk.setData('/cluster/id', '{"version":"1","id":"somebodyElsesClusterId"}'));
  await assert.rejects(world.broker(0).start(), /doesn't match stored clusterId/);
});
