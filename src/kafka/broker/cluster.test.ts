import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../protocol/errors.ts';
import { MetadataRequest, MetadataResponse } from '../protocol/messages/03-metadata.ts';
import { DeleteTopicsRequest, DeleteTopicsResponse } from '../protocol/messages/20-delete-topics.ts';
import { CreatePartitionsRequest, CreatePartitionsResponse } from '../protocol/messages/37-create-partitions.ts';
import { BrokerIdInUseError } from '../zk/broker-registration.ts';
import { ClusterWorld, refused } from './testkit/cluster-world.ts';
import { ZookeeperUnavailableError } from './zookeeper-session.ts';

const deleteTopic = (world: ClusterWorld, at: number, name: string, timeoutMs = 5000) =>
  world.ask(at, (client) =>
    client.ask(DeleteTopicsRequest, DeleteTopicsResponse, 3, { topicNames: [name], timeoutMs }),
  );

test('a topic that a 2.1 tool wrote gets an id, leaders, and its configuration without a notification', async () => {
  const world = await new ClusterWorld().start();
  const config = '{"version":1,"config":{"max.message.bytes":"100"}}';
  await world.run(world.zk.create('/config/topics/old', config));
  await world.run(world.zk.create('/brokers/topics/old', '{"version":1,"partitions":{"0":[0],"1":[0]}}'));
  await world.until('the topic is led', async () => (await world.leaderOf(0, 'old', 1)) === 0);
  const topic = await world.json('/brokers/topics/old');
  assert.match(String(topic.topic_id), /^[\w-]{22}$/);
  assert.deepEqual(topic.partitions, { 0: [0], 1: [0] });
  const state = await world.json('/brokers/topics/old/partitions/1/state');
  assert.deepEqual(state, { controller_epoch: 1, leader: 0, version: 1, leader_epoch: 0, isr: [0] });
  await assert.rejects(world.produce(0, 'old', 'x'.repeat(200)), refused(ErrorCode.MESSAGE_TOO_LARGE));
  assert.equal(await world.produce(0, 'old', 'x'), 0);
});

test('partitions are added by request and by znode, and those that were keep their records', async () => {
  const world = await new ClusterWorld().start();
  await world.createTopic('t', [[0]]);
  await world.produce(0, 't', 'kept');
  const answer = await world.ask(0, (client) =>
    client.ask(CreatePartitionsRequest, CreatePartitionsResponse, 1, {
      topics: [{ name: 't', count: 3, assignments: null }],
      timeoutMs: 5000,
      validateOnly: false,
    }),
  );
  assert.equal(answer.results[0]?.errorCode, ErrorCode.NONE);
  assert.equal(await world.produce(0, 't', 'new', 2), 0);
  const topic = await world.json('/brokers/topics/t');
  const partitions = { ...(topic.partitions as object), 3: [0] };
  await world.run(world.zk.setData('/brokers/topics/t', JSON.stringify({ ...topic, partitions })));
  await world.until('the fourth is led', async () => (await world.leaderOf(0, 't', 3)) === 0);
  assert.equal(await world.produce(0, 't', 'by znode', 3), 0);
  assert.equal(await world.count(0, 't'), 1);
});

test('a deleted topic is gone from ZooKeeper, from the metadata and from the disk; its name may be used again', async () => {
  const world = await new ClusterWorld({ kafka: { 'log.segment.delete.delay.ms': 0 } }).start();
  await world.createTopic('t', [[0]]);
  await world.produce(0, 't', 'gone');
  assert.equal((await deleteTopic(world, 0, 't')).responses[0]?.errorCode, ErrorCode.NONE);
  await world.sim.runFor(1000);
  for (const path of ['/brokers/topics/t', '/config/topics/t', '/admin/delete_topics/t']) {
    assert.equal(await world.exists(path), false, path);
  }
  assert.equal((await world.metadata(0)).topics.length, 0);
  await world.createTopic('t', [[0]]);
  assert.equal(await world.count(0, 't'), 0);
});

test('names that cannot be deleted are removed from the list of deletions', async () => {
  const world = await new ClusterWorld({ kafka: { 'delete.topic.enable': false } }).start();
  await world.createTopic('t', [[0]]);
  for (const name of ['t', 'never-was']) await world.run(world.zk.create(`/admin/delete_topics/${name}`, null));
  await world.until(
    'the list is empty',
    async () => (await world.run(world.zk.getChildren('/admin/delete_topics'))).length === 0,
  );
  assert.equal(await world.produce(0, 't', 'still there'), 0);
});

/** Events of the world until a new topic has come to rest. */
async function costOf(world: ClusterWorld, topic: string): Promise<number> {
  await world.sim.runFor(400);
  const before = world.sim.eventCount;
  await world.createTopic(topic, [[0]], await world.controller());
  await world.sim.runFor(400);
  return world.sim.eventCount - before;
}

test('a controller that was replaced knows it', async () => {
  const world = await new ClusterWorld({ brokers: 2 }).start();
  await world.until('the other one reigns', async () => {
    if ((await world.exists('/controller')) && (await world.controller()) === 1) return true;
    await world.run(world.zk.delete('/controller').catch(() => undefined));
    return false;
  });
  await world.sim.runFor(1000);
  assert.equal((await world.metadata(0)).controllerId, 1);
  assert.equal((await deleteTopic(world, 0, 'none')).responses[0]?.errorCode, ErrorCode.NOT_CONTROLLER);
});

test('an operator deletes /controller: somebody is elected again, and everything is still served', async () => {
  const world = await new ClusterWorld({ brokers: 2 }).start();
  await world.createTopic('t', [[0], [1]]);
  const first = await costOf(world, 'earlier');
  const elections: number[] = [];
  for (let epoch = 2; epoch <= 40; epoch += 1) {
    const before = world.sim.eventCount;
    await world.run(world.zk.delete('/controller'));
    await world.until('there is a controller', () => world.exists('/controller'));
    await world.sim.runFor(400);
    elections.push(world.sim.eventCount - before);
    assert.equal(String((await world.run(world.zk.getData('/controller_epoch'))).data), String(epoch));
  }
  const [early = 0, late = 0] = [elections.slice(0, 5), elections.slice(-5)].map((some) => Math.max(...some));
  assert.ok(late < 1.5 * early, `watches multiply with elections: ${elections}`);
  const again = await costOf(world, 'later');
  assert.ok(again < 2 * first, `watches multiply with elections: ${first} events, then ${again}`);
  const controller = await world.controller();
  await world.createTopic('after', [[0], [1]], controller);
  for (const topic of ['t', 'after']) {
    for (const id of [0, 1]) assert.equal(await world.produce(id, topic, 'x', id), 0);
  }
});

test('a broker that was cut off comes back with a new epoch and the same data', async () => {
  const world = await new ClusterWorld().start();
  await world.createTopic('t', [[0]]);
  await world.produce(0, 't', 'one');
  const first = (await world.run(world.zk.exists('/brokers/ids/0')))?.czxid ?? 0n;
  world.sim.network.partition(world.broker(0).machine, world.zookeeper.machine);
  await world.sim.runFor(20_000);
  assert.equal(await world.exists('/brokers/ids/0'), false);
  assert.equal(await world.count(0, 't'), 1, 'what it leads it serves without ZooKeeper');
  world.sim.network.heal();
  await world.until('it is registered', () => world.exists('/brokers/ids/0'));
  assert.ok(((await world.run(world.zk.exists('/brokers/ids/0')))?.czxid ?? 0n) > first);
  await world.until('there is a controller', () => world.exists('/controller'));
  assert.equal(await world.produce(0, 't', 'two'), 1);
  assert.equal(await world.count(0, 't'), 2);
  assert.deepEqual(world.failures, []);
});

test('sessions that expire one after the other, ZooKeeper restarts and resets do not end a broker', async () => {
  const world = await new ClusterWorld({ brokers: 2 }).start();
  await world.createTopic('t', [[0], [1]]);
  for (let round = 0; round < 6; round += 1) {
    const hit = world.broker(round % 2).machine;
    world.sim.network.partition(hit, world.zookeeper.machine);
    await world.sim.runFor(6500 + 400 * round);
    world.sim.network.heal();
    await world.sim.runFor(137 * round);
    world.sim.network.resetBetween(hit, world.zookeeper.machine);
    if (round % 3 === 2) {
      world.zookeeper.crash('process');
      await world.sim.runFor(1000);
      await world.zookeeper.start();
    }
  }
  for (const id of [0, 1]) await world.until(`broker ${id} is registered`, () => world.exists(`/brokers/ids/${id}`));
  await world.until('there is a controller', () => world.exists('/controller'));
  const controller = await world.controller();
  await world.until('both are known', async () => (await world.metadata(controller)).brokers.length === 2);
  await world.createTopic('after', [[0], [1]], controller);
  for (const topic of ['t', 'after']) {
    for (const id of [0, 1]) {
      await world.until(`${topic}-${id} is led`, async () => (await world.leaderOf(id, topic, id)) === id);
      assert.equal(await world.produce(id, topic, 'x', id), 0);
    }
  }
  assert.deepEqual(world.failures, []);
});

test('two brokers know each other; the partitions of one that dies are offline until it is back', async () => {
  const world = await new ClusterWorld({ brokers: 2 }).start();
  await world.createTopic('t', [[0], [1]]);
  assert.deepEqual((await world.metadata(1)).brokers.map(({ nodeId }) => nodeId).sort(), [0, 1]);
  for (const id of [0, 1]) assert.equal(await world.produce(id, 't', 'kept', id), 0);
  await assert.rejects(world.produce(0, 't', 'x', 1), refused(ErrorCode.NOT_LEADER_OR_FOLLOWER));
  world.broker(1).crash('process');
  await world.until('nobody leads', async () => (await world.leaderOf(0, 't', 1)) === -1);
  const offline = await world.json('/brokers/topics/t/partitions/1/state');
  assert.deepEqual([offline.leader, offline.isr, offline.leader_epoch], [-1, [1], 1]);
  assert.equal(await world.produce(0, 't', 'meanwhile', 0), 1);
  await world.broker(1).start();
  await world.until('it leads again', async () => (await world.leaderOf(1, 't', 1)) === 1);
  assert.equal(await world.count(1, 't', 1), 1);
  assert.equal(await world.produce(1, 't', 'more', 1), 1);
});

test('when the controller dies another broker takes over, and works', async () => {
  const world = await new ClusterWorld({ brokers: 2 }).start();
  await world.createTopic('t', [[0], [1]]);
  assert.equal(await world.controller(), 0);
  world.broker(0).crash('power');
  await world.until(
    'the other one reigns',
    async () => (await world.exists('/controller')) && (await world.controller()) === 1,
  );
  await world.createTopic('after', [[1]], 1);
  assert.equal(await world.leaderOf(1, 't', 0), -1);
  await world.broker(0).start();
  await world.until('its partition is led', async () => (await world.leaderOf(1, 't', 0)) === 0);
  assert.equal(await world.controller(), 1);
});

test('a deletion waits for a dead broker, others meanwhile go on, and it ends when the broker is back', async () => {
  const world = await new ClusterWorld({ brokers: 2 }).start();
  await world.createTopic('doomed', [[0], [1]]);
  await world.createTopic('other', [[0]]);
  world.broker(1).crash('process');
  await world.sim.runFor(10_000);
  await deleteTopic(world, 0, 'doomed', 1000);
  await deleteTopic(world, 0, 'other');
  await world.createTopic('next', [[0]]);
  assert.equal(await world.exists('/brokers/topics/doomed'), true);
  assert.equal(await world.exists('/brokers/topics/other'), false);
  await world.broker(1).start();
  await world.until('the topic is gone', async () => !(await world.exists('/brokers/topics/doomed')));
});

test('a broker that dies while its replicas are deleted does not stop the controller', async () => {
  const world = await new ClusterWorld({ brokers: 2 }).start();
  await world.createTopic('doomed', [[0], [1]]);
  // The broker hears nothing any more, but its session lives a while.
  world.sim.network.partition(world.broker(0).machine, world.broker(1).machine);
  await deleteTopic(world, 0, 'doomed', 1000);
  await world.createTopic('meanwhile', [[0]]);
  world.broker(1).crash('process');
  await world.sim.runFor(10_000);
  await world.createTopic('later', [[0]]);
  assert.equal(await world.exists('/brokers/topics/doomed'), true, 'a dead replica is not a deleted one');
  world.sim.network.heal();
  await world.broker(1).start();
  await world.until('the topic is gone', async () => !(await world.exists('/brokers/topics/doomed')));
});

test('a topic whose replicas could not be deleted keeps its znodes until they are', async () => {
  const world = await new ClusterWorld({ kafka: { 'log.dirs': '/one,/two' } }).start();
  for (const name of ['doomed', 'other']) await world.createTopic(name, [[0]]);
  world.broker(0).machine.disk.failNext({ operation: 'rename', path: 'doomed-0', code: 'EIO' });
  await deleteTopic(world, 0, 'doomed', 1000);
  await world.sim.runFor(5000);
  assert.equal(await world.exists('/brokers/topics/doomed'), true);
  world.broker(0).machine.disk.repair();
  world.broker(0).crash('process');
  await world.broker(0).start();
  await world.until('the topic is gone', async () => !(await world.exists('/brokers/topics/doomed')));
});

test('sessions that expire again and again are replaced again and again', async () => {
  const world = await new ClusterWorld().start();
  const { machine } = world.broker(0);
  world.sim.network.partition(machine, world.zookeeper.machine);
  await world.sim.runFor(15_000);
  const renewals = () => world.logLines.filter((line) => line.includes('opening another')).length;
  for (let gapMs = 0; gapMs < 8; gapMs += 0.5) {
    const before = renewals();
    world.sim.network.heal();
    // Cut again soon after the loss is known; where none was lost yet, a while later.
    await world.sim.runUntil(() => renewals() > before, 20_000).catch(() => undefined);
    await world.sim.runFor(gapMs);
    world.sim.network.partition(machine, world.zookeeper.machine);
    await world.sim.runFor(15_000);
  }
  world.sim.network.heal();
  await world.until('it is registered', () => world.exists('/brokers/ids/0'));
  await world.until('it reigns', () => world.exists('/controller'));
  await world.createTopic('after', [[0]]);
  assert.deepEqual(world.failures, []);
});

test('a broker that leaves asks the controller first, also when that is another broker', async () => {
  const world = await new ClusterWorld({ brokers: 2 }).start();
  await world.createTopic('t', [[1]]);
  await world.broker(1).stop();
  const said = world.logLines.filter((line) => line.includes('Controlled shutdown request returned successfully'));
  assert.equal(said.length, 1);
  assert.equal(await world.exists('/brokers/ids/1'), false, 'the session is closed, not left to expire');
});

test('acks=all is never given for records that an in-sync replica has not confirmed', async () => {
  const world = await new ClusterWorld({ brokers: 2 }).start();
  await world.createTopic('t', [[0, 1]]);
  assert.deepEqual((await world.json('/brokers/topics/t/partitions/0/state')).isr, [0, 1]);
  await assert.rejects(world.produce(0, 't', 'x'), refused(ErrorCode.NOT_ENOUGH_REPLICAS));
  await world.broker(1).stop();
  await world.until(
    'it is alone',
    async () => `${(await world.json('/brokers/topics/t/partitions/0/state')).isr}` === '0',
  );
  await world.until('it knows', async () => (await world.metadata(0)).topics[0]?.partitions[0]?.isrNodes.length === 1);
  assert.equal(await world.produce(0, 't', 'x'), 0);
});

test('leaderships move to the broker that stays when one leaves', async () => {
  const world = await new ClusterWorld({ brokers: 2 }).start();
  await world.createTopic('t', [[1, 0]]);
  await world.broker(1).stop();
  const state = await world.json('/brokers/topics/t/partitions/0/state');
  assert.deepEqual([state.leader, state.isr], [0, [0]]);
  assert.equal(await world.produce(0, 't', 'x'), 0);
});

test('a broker stops in bounded time although ZooKeeper is gone', async () => {
  const world = await new ClusterWorld().start();
  await world.createTopic('t', [[0]]);
  world.zookeeper.crash('power');
  await world.sim.runFor(100);
  const begun = world.sim.nowMs;
  await world.broker(0).stop();
  assert.ok(world.sim.nowMs - begun < 60_000);
});

test('nothing of a stopped broker goes on', async () => {
  const world = await new ClusterWorld({ brokers: 2 }).start();
  await world.createTopic('t', [[0], [1]]);
  const server = world.broker(0).server;
  assert.ok(server);
  await world.run(server.close());
  await world.sim.runFor(1000);
  const { machine } = world.broker(0);
  const before = world.logLines.length;
  await world.sim.runFor(600_000);
  const own = world.logLines.slice(before).filter((line) => line.includes(machine.name));
  assert.deepEqual(own, []);
});

test('topics come into being because somebody asked for them, unless that is turned off', async () => {
  const world = await new ClusterWorld().start();
  const ask = (name: string, allowAutoTopicCreation = true) =>
    world.ask(0, (client) =>
      client.ask(MetadataRequest, MetadataResponse, 7, {
        topics: [{ name, topicId: '' }] as never,
        allowAutoTopicCreation,
      }),
    );
  assert.equal((await ask('wish')).topics[0]?.errorCode, ErrorCode.LEADER_NOT_AVAILABLE);
  await world.until('it is led', async () => (await world.leaderOf(0, 'wish')) === 0);
  assert.equal((await ask('wish')).topics[0]?.errorCode, ErrorCode.NONE);
  assert.equal((await ask('no/name')).topics[0]?.errorCode, ErrorCode.INVALID_TOPIC_EXCEPTION);
  assert.equal((await ask('unwanted', false)).topics[0]?.errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  await world.sim.runFor(1000);
  assert.equal(await world.exists('/brokers/topics/unwanted'), false);
});

test('a broker without ZooKeeper does not start, says so in time, and leaves nothing running', async () => {
  const world = new ClusterWorld();
  await assert.rejects(world.run(world.broker(0).launch()), ZookeeperUnavailableError);
  const before = world.sim.eventCount;
  await world.sim.runFor(600_000);
  assert.ok(world.sim.eventCount - before < 10);
});

test('a second broker of one id does not start while the first one lives', async () => {
  const world = await new ClusterWorld({ brokers: 2, kafka: { 'broker.id': 7 } }).start().then(
    () => assert.fail('two brokers of one id'),
    (error: unknown) => error,
  );
  assert.ok(world instanceof BrokerIdInUseError);
});
