import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../protocol/errors.ts';
import { DescribeLogDirsRequest, DescribeLogDirsResponse } from '../protocol/messages/35-describe-log-dirs.ts';
import { DescribeProducersRequest, DescribeProducersResponse } from '../protocol/messages/61-describe-producers.ts';
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

/** After a clean stop nothing of the topic is in memory. */
async function quietWorld(): Promise<ClusterWorld> {
  const world = await new ClusterWorld({ kafka: { 'log.dirs': '/one,/two' } }).start();
  for (const topic of ['t', 'u']) {
    await world.createTopic(topic, [[0]]);
    await world.produce(0, topic, 'a');
  }
  await world.broker(0).stop();
  await world.broker(0).start();
  await world.until('it leads', async () => (await world.leaderOf(0, 't')) === 0);
  return world;
}

async function producersOf(world: ClusterWorld, topic: string): Promise<number | undefined> {
  const topics = [{ name: topic, partitionIndexes: [0] }];
  const answer = await world.ask(0, (client) =>
    client.ask(DescribeProducersRequest, DescribeProducersResponse, 0, { topics }),
  );
  return answer.topics[0]?.partitions[0]?.errorCode;
}

test('what is known of producers and cannot be read takes its log dir with it, and the client is told so', async () => {
  for (const asks of ['fetch', 'describe'] as const) {
    const world = await quietWorld();
    world.broker(0).machine.disk.failNext({ operation: 'readFile', path: 't-0/', code: 'EIO' });
    if (asks === 'describe') assert.equal(await producersOf(world, 't'), ErrorCode.KAFKA_STORAGE_ERROR);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await assert.rejects(world.count(0, 't'), refused(ErrorCode.KAFKA_STORAGE_ERROR));
    }
    assert.equal(await producersOf(world, 't'), ErrorCode.KAFKA_STORAGE_ERROR);
    assert.equal(await world.count(0, 'u'), 1);
    assert.equal(await producersOf(world, 'u'), ErrorCode.NONE);
  }
});

test('a log dir whose files cannot be looked at is described with an error of its own', async () => {
  const world = await quietWorld();
  const describe = () =>
    world.ask(0, (client) => client.ask(DescribeLogDirsRequest, DescribeLogDirsResponse, 4, { topics: null }));
  world.broker(0).machine.disk.failNext({ operation: 'stat', path: 't-0/', code: 'EIO' });
  const codes = (await describe()).results.map(({ errorCode }) => errorCode);
  assert.deepEqual([...codes].sort(), [ErrorCode.NONE, ErrorCode.KAFKA_STORAGE_ERROR]);
  assert.ok((await describe()).results.every(({ errorCode }) => errorCode === ErrorCode.NONE));
});

test('a full disk ends a broker that has no other; nothing is acknowledged that is not written, and a restart with room goes on', async () => {
  const world = await new ClusterWorld().start();
  await world.createTopic('t', [[0]]);
  let acknowledged = 0;
  world.broker(0).machine.disk.fill(64 << 10);
  await assert.rejects(async () => {
    for (; acknowledged < 100; acknowledged += 1) await world.produce(0, 't', 'x'.repeat(10_000));
  });
  assert.ok(acknowledged > 0);
  await world.sim.runFor(1_000);
  assert.match(String(world.failures), /Shutdown broker because all log dirs in \/kafka have failed/);
  world.broker(0).machine.disk.repair();
  world.broker(0).crash('process');
  await world.broker(0).start();
  await world.until('it is led', async () => (await world.leaderOf(0, 't')) === 0);
  assert.equal(await world.count(0, 't'), acknowledged);
  assert.equal(await world.produce(0, 't', 'room'), acknowledged);
});

test('partitions of a failed log dir get another leader, or none, and everybody is told so', async () => {
  const world = await new ClusterWorld({ brokers: 2, kafka: { 'log.dirs': '/one,/two' } }).start();
  await world.createTopic('alone', [[0]]);
  await world.createTopic('other', [[0]]);
  await world.createTopic('shared', [[0, 1]]);
  const dirs = world.broker(0).machine.runtime.disk;
  const inOne = (topic: string): boolean => dirs.stat(`/one/${topic}-0`) !== undefined;
  assert.deepEqual(['alone', 'other', 'shared'].map(inOne), [true, false, true]);
  await world.produce(0, 'alone', 'x');
  world.broker(0).machine.disk.failNext({ operation: 'append', path: '/one/alone-0', code: 'EIO' });
  await assert.rejects(world.produce(0, 'alone', 'lost'), refused(ErrorCode.KAFKA_STORAGE_ERROR));
  const told = async (topic: string) => {
    const found = (await world.metadata(1)).topics.find(({ name }) => name === topic)?.partitions[0];
    return [found?.leaderId, found?.offlineReplicas, found?.errorCode];
  };
  await world.until('the other broker leads', async () => (await told('shared'))[0] === 1);
  assert.deepEqual(await told('shared'), [1, [0], ErrorCode.NONE]);
  assert.deepEqual(await told('alone'), [-1, [0], ErrorCode.LEADER_NOT_AVAILABLE]);
  assert.deepEqual(await told('other'), [0, [], ErrorCode.NONE]);
  const state = await world.json('/brokers/topics/alone/partitions/0/state');
  assert.deepEqual([state.leader, state.isr], [-1, [0]]);
  assert.deepEqual(await world.run(world.zk.getChildren('/log_dir_event_notification')), []);
  await assert.rejects(world.produce(0, 'alone', 'still'), refused(ErrorCode.KAFKA_STORAGE_ERROR));
  await assert.rejects(world.produce(0, 'shared', 'still'), refused(ErrorCode.KAFKA_STORAGE_ERROR));
  world.broker(0).machine.disk.repair();
  world.broker(0).crash('process');
  await world.broker(0).start();
  await world.until('it is led again', async () => (await told('alone'))[0] === 0);
  assert.deepEqual(await told('alone'), [0, [], ErrorCode.NONE]);
  assert.equal(await world.count(0, 'alone'), 1);
});

test('a log dir that cannot be read at the start takes the replicas that may be in it with it', async () => {
  const world = await new ClusterWorld({ kafka: { 'log.dirs': '/one,/two' } }).start();
  for (const topic of topicNames) {
    await world.createTopic(topic, [[0]]);
    await world.produce(0, topic, 'x');
  }
  world.broker(0).crash('process');
  world
    .broker(0)
    .machine.disk.failNext({ operation: 'list', path: '/one', code: 'EIO', count: Number.POSITIVE_INFINITY });
  await world.broker(0).start();
  const { runtime } = world.broker(0).machine;
  for (const topic of topicNames) {
    const isInTwo = runtime.disk.stat(`/two/${topic}-0`) !== undefined;
    await world.until(`${topic} is led, or not`, async () => (await world.leaderOf(0, topic)) === (isInTwo ? 0 : -1));
    if (isInTwo) assert.equal(await world.count(0, topic), 1);
    else await assert.rejects(world.count(0, topic), refused(ErrorCode.KAFKA_STORAGE_ERROR));
    assert.equal(runtime.disk.stat(`/two/${topic}-0`) !== undefined, isInTwo, 'no second log is made');
  }
});

test('a broker does not start on the directories of another cluster', async () => {
  const world = await new ClusterWorld().start();
  await world.broker(0).stop();
  await world.run(world.zk.setData('/cluster/id', '{"version":"1","id":"somebodyElsesClusterId"}'));
  await assert.rejects(world.broker(0).start(), /doesn't match stored clusterId/);
});
