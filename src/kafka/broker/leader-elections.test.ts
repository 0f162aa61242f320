import assert from 'node:assert/strict';
import test from 'node:test';
import type { ConfigKeys } from '../../testing/index.ts';
import { CreateMode } from '../../zookeeper/jute/create-mode.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { ElectLeadersRequest, ElectLeadersResponse } from '../protocol/messages/43-elect-leaders.ts';
import { ClusterWorld } from './testkit/cluster-world.ts';

const PREFERRED = 0;
const UNCLEAN = 1;

async function elect(
  world: ClusterWorld,
  electionType: number,
  topicPartitions: { topic: string; partitions: number[] }[] | null = [{ topic: 't', partitions: [0] }],
): Promise<number[]> {
  const answer = await world.ask(await world.controller(), (client) =>
    client.ask(ElectLeadersRequest, ElectLeadersResponse, 2, { electionType, topicPartitions, timeoutMs: 5000 }),
  );
  return answer.replicaElectionResults.flatMap(({ partitionResult }) => partitionResult.map((one) => one.errorCode));
}

/** Broker 0 is the controller; the partition's first replica, broker 1, has died, and broker 2 leads. */
async function worldWithoutPreferred(kafka: ConfigKeys = {}): Promise<ClusterWorld> {
  const world = await new ClusterWorld({ brokers: 3, kafka }).start();
  assert.equal(await world.controller(), 0);
  await world.createTopic('t', [[1, 2]]);
  world.broker(1).crash('process');
  await world.until('broker 2 leads', async () => (await world.leaderOf(0, 't')) === 2);
  return world;
}

test('the preferred leader comes back only when it is in sync, and then on request', async () => {
  const world = await worldWithoutPreferred();
  assert.deepEqual(await elect(world, PREFERRED), [ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE]);
  await world.broker(1).start();
  assert.deepEqual(await elect(world, PREFERRED), [ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE]);
  await becomeInSync(world);
  assert.deepEqual(await elect(world, PREFERRED), [ErrorCode.NONE]);
  assert.equal(await world.leaderOf(0, 't'), 1);
  assert.deepEqual(await elect(world, PREFERRED), [ErrorCode.ELECTION_NOT_NEEDED]);
  assert.deepEqual(await elect(world, PREFERRED, null), []);
});

/** As when broker 1 came back and caught up. */
async function becomeInSync(world: ClusterWorld): Promise<void> {
  if (world.broker(1).server === undefined) await world.broker(1).start();
  const path = '/brokers/topics/t/partitions/0/state';
  await world.run(world.zk.setData(path, JSON.stringify({ ...(await world.json(path)), isr: [2, 1] })));
  await world.run(
    world.zk.create('/isr_change_notification/isr_change_', '{}', { mode: CreateMode.PERSISTENT_SEQUENTIAL }),
  );
  await world.sim.runFor(1000);
}

test('a leadership goes back to the preferred replica at the next look', async () => {
  const world = await worldWithoutPreferred({ 'leader.imbalance.check.interval.seconds': 60 });
  await becomeInSync(world);
  assert.equal(await world.leaderOf(0, 't'), 2);
  await world.sim.runFor(61_000);
  assert.equal(await world.leaderOf(0, 't'), 1);
});

test('the first look comes five seconds after a controller has begun to reign', async () => {
  const world = await worldWithoutPreferred();
  await becomeInSync(world);
  world.broker(0).crash('process');
  await world.broker(0).start();
  await world.until('another controller reigns', async () => (await world.json('/controller')).brokerid !== undefined);
  await world.sim.runFor(12_000);
  assert.equal(await world.leaderOf(0, 't'), 1);
});

for (const [name, kafka] of [
  ['is not wanted', { 'auto.leader.rebalance.enable': 'false' }],
  ['does not reach the percentage', { 'leader.imbalance.per.broker.percentage': 100 }],
] as const) {
  test(`no leadership goes back where that ${name}`, async () => {
    const world = await worldWithoutPreferred({ ...kafka, 'leader.imbalance.check.interval.seconds': 60 });
    await becomeInSync(world);
    await world.sim.runFor(200_000);
    assert.equal(await world.leaderOf(0, 't'), 2);
  });
}

test('an unclean election puts whoever lives in the place of a leader that is gone, and only of such', async () => {
  const world = await worldWithoutPreferred();
  assert.deepEqual(await elect(world, UNCLEAN), [ErrorCode.ELECTION_NOT_NEEDED]);
  world.broker(2).crash('process');
  await world.until('nobody leads', async () => (await world.leaderOf(0, 't')) === -1);
  assert.deepEqual(await elect(world, UNCLEAN), [ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE]);
  await world.broker(1).start();
  assert.equal(await world.leaderOf(0, 't'), -1);
  const state = () => world.json('/brokers/topics/t/partitions/0/state');
  assert.equal((await state()).leader_recovery_state, undefined);
  assert.deepEqual(await elect(world, UNCLEAN), [ErrorCode.NONE]);
  assert.equal(await world.leaderOf(0, 't'), 1);
  assert.equal((await state()).leader_recovery_state, 1);
});

test('a tool of 2.1 asks below /admin, and its node goes when the elections were tried', async () => {
  const world = await worldWithoutPreferred();
  await world.broker(1).start();
  const path = '/brokers/topics/t/partitions/0/state';
  await world.run(world.zk.setData(path, JSON.stringify({ ...(await world.json(path)), isr: [2, 1] })));
  const asked = [
    { topic: 't', partition: 0 },
    { topic: 'missing', partition: 0 },
  ];
  const ask = () =>
    world.run(world.zk.create('/admin/preferred_replica_election', JSON.stringify({ version: 1, partitions: asked })));
  const answered = () =>
    world.until('the request is gone', async () => !(await world.exists('/admin/preferred_replica_election')));
  await ask();
  await answered();
  assert.equal(await world.leaderOf(0, 't'), 2); // the controller had not heard that broker 1 is in sync
  await world.run(
    world.zk.create('/isr_change_notification/isr_change_', '{}', { mode: CreateMode.PERSISTENT_SEQUENTIAL }),
  );
  await world.sim.runFor(1000);
  await ask();
  await answered();
  assert.equal(await world.leaderOf(0, 't'), 1);
});

test('who is not the controller says so for each partition', async () => {
  const world = await new ClusterWorld({ brokers: 2 }).start();
  await world.createTopic('t', [[0], [1]]);
  const answer = await world.ask(1, (client) =>
    client.ask(ElectLeadersRequest, ElectLeadersResponse, 0, { topicPartitions: null }),
  );
  const [topic] = answer.replicaElectionResults;
  const codes = topic?.partitionResult.map(({ errorCode }) => errorCode);
  assert.deepEqual(codes, [ErrorCode.NOT_CONTROLLER, ErrorCode.NOT_CONTROLLER]);
});
