import assert from 'node:assert/strict';
import test from 'node:test';
import { ZERO_UUID } from '../../wire/schema.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { CreatePartitionsRequest, CreatePartitionsResponse } from '../protocol/messages/37-create-partitions.ts';
import {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from '../protocol/messages/45-alter-partition-reassignments.ts';
import {
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponse,
} from '../protocol/messages/46-list-partition-reassignments.ts';
import { AlterPartitionRequest, AlterPartitionResponse } from '../protocol/messages/56-alter-partition.ts';
import { ClusterWorld } from './testkit/cluster-world.ts';

/** Answers the error code. */
async function move(world: ClusterWorld, at: number, replicas: number[] | null, keepFactor = false): Promise<number> {
  const answer = await world.ask(at, (client) =>
    client.ask(AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse, 1, {
      allowReplicationFactorChange: !keepFactor,
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, replicas }] }],
    }),
  );
  return answer.errorCode === ErrorCode.NONE ? (answer.responses[0]?.partitions[0]?.errorCode ?? -1) : answer.errorCode;
}

async function moving(world: ClusterWorld, at: number): Promise<unknown> {
  const answer = await world.ask(at, (client) =>
    client.ask(ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse, 0, { topics: null }),
  );
  return answer.topics.flatMap(({ name, partitions }) => partitions.map((partition) => ({ name, ...partition })));
}

/** What a leader asks when its followers have caught up. Answers the partition's error code. */
async function alterIsr(world: ClusterWorld, leader: number, isr: number[]): Promise<number> {
  const state = await world.json('/brokers/topics/t/partitions/0/state');
  const { stat } = await world.run(world.zk.getData('/brokers/topics/t/partitions/0/state'));
  const registered = await world.run(world.zk.getData(`/brokers/ids/${leader}`));
  const answer = await world.ask(await world.controller(), (client) =>
    client.ask(AlterPartitionRequest, AlterPartitionResponse, 1, {
      brokerId: leader,
      brokerEpoch: Number(registered.stat.czxid),
      topics: [
        {
          topicName: 't',
          topicId: ZERO_UUID,
          partitions: [
            {
              partitionIndex: 0,
              leaderEpoch: Number(state.leader_epoch),
              newIsr: isr,
              newIsrWithEpochs: [],
              leaderRecoveryState: 0,
              partitionEpoch: stat.version,
            },
          ],
        },
      ],
    }),
  );
  return answer.errorCode === ErrorCode.NONE ? (answer.topics[0]?.partitions[0]?.errorCode ?? -1) : answer.errorCode;
}

const assignment = async (world: ClusterWorld): Promise<unknown[]> => {
  const { partitions, adding_replicas, removing_replicas } = await world.json('/brokers/topics/t');
  return [partitions, adding_replicas, removing_replicas];
};

async function worldOfThree(): Promise<ClusterWorld> {
  const world = await new ClusterWorld({ brokers: 3 }).start();
  await world.createTopic('t', [[0]], await world.controller());
  await world.produce(0, 't', 'kept');
  return world;
}

test('a partition that must be copied stays on its way, visible to all, until its leader says that it is copied', async () => {
  const world = await worldOfThree();
  const controller = await world.controller();
  assert.equal(await move(world, controller, [1]), ErrorCode.NONE);
  assert.deepEqual(await assignment(world), [{ 0: [1, 0] }, { 0: [1] }, { 0: [0] }]);
  assert.deepEqual(await moving(world, controller), [
    { name: 't', partitionIndex: 0, replicas: [1, 0], addingReplicas: [1], removingReplicas: [0] },
  ]);
  await world.sim.runFor(5000);
  assert.equal(await world.leaderOf(2, 't'), 0);
  assert.equal(await world.produce(0, 't', 'meanwhile'), 1);
  assert.equal(await alterIsr(world, 0, [0, 1]), ErrorCode.NONE);
  await world.until('the partition has moved', async () => (await world.leaderOf(2, 't')) === 1);
  assert.deepEqual(await assignment(world), [{ 0: [1] }, {}, {}]);
  const state = await world.json('/brokers/topics/t/partitions/0/state');
  assert.deepEqual([state.leader, state.isr], [1, [1]]);
  assert.deepEqual(await moving(world, controller), []);
  await world.until('the old replica is gone', async () => !(await holds(world, 0)));
});

/** Whether a broker has a log of the partition. */
async function holds(world: ClusterWorld, broker: number): Promise<boolean> {
  const { disk } = world.broker(broker).machine.runtime;
  return disk.list('/kafka').some(({ name }) => name === 't-0');
}

test('a move is cancelled: the partition is where it was, and those who were added give it up', async () => {
  const world = await worldOfThree();
  const controller = await world.controller();
  await move(world, controller, [1, 2]);
  await world.until('the new replicas are there', async () => (await holds(world, 1)) && (await holds(world, 2)));
  assert.equal(await move(world, controller, [2]), ErrorCode.NONE);
  assert.deepEqual(await assignment(world), [{ 0: [2, 0] }, { 0: [2] }, { 0: [0] }]);
  await world.until('the first target is given up', async () => !(await holds(world, 1)));
  assert.equal(await move(world, controller, null), ErrorCode.NONE);
  assert.deepEqual(await assignment(world), [{ 0: [0] }, {}, {}]);
  await world.until('the second target is given up', async () => !(await holds(world, 2)));
  assert.equal(await world.count(0, 't'), 1);
  assert.equal(await move(world, controller, null), ErrorCode.NO_REASSIGNMENT_IN_PROGRESS);
});

test('the next controller goes on with a move', async () => {
  const world = await worldOfThree();
  const controller = await world.controller();
  const target = controller === 1 ? 2 : 1;
  await move(world, controller, [0, target]);
  // The target comes in sync while no controller hears of it.
  const path = '/brokers/topics/t/partitions/0/state';
  await world.run(world.zk.setData(path, JSON.stringify({ ...(await world.json(path)), isr: [0, target] })));
  assert.deepEqual(await assignment(world), [{ 0: [0, target] }, { 0: [target] }, {}]);
  await world.run(world.zk.delete('/controller'));
  await world.until('the move is complete', async () => {
    const { adding_replicas } = await world.json('/brokers/topics/t');
    return Object.keys(adding_replicas as object).length === 0;
  });
  assert.deepEqual(await assignment(world), [{ 0: [0, target] }, {}, {}]);
});

test('while a topic moves it cannot grow, and its number of replicas changes only for those who allow it', async () => {
  const world = await worldOfThree();
  const controller = await world.controller();
  assert.equal(await move(world, controller, [0, 1], true), ErrorCode.INVALID_REPLICATION_FACTOR);
  assert.equal(await move(world, controller, [0, 1]), ErrorCode.NONE);
  assert.equal(await move(world, controller, [2], true), ErrorCode.NONE);
  const grown = await world.ask(controller, (client) =>
    client.ask(CreatePartitionsRequest, CreatePartitionsResponse, 1, {
      topics: [{ name: 't', count: 3, assignments: null }],
      timeoutMs: 5000,
    }),
  );
  assert.equal(grown.results[0]?.errorCode, ErrorCode.REASSIGNMENT_IN_PROGRESS);
});

test('who is not the controller moves nothing', async () => {
  const world = await worldOfThree();
  const other = ((await world.controller()) + 1) % 3;
  assert.equal(await move(world, other, [1]), ErrorCode.NOT_CONTROLLER);
});

test('a tool of 2.1 asks below /admin: what is done goes from its node, what cannot be done too', async () => {
  const world = await worldOfThree();
  const asked = [
    { topic: 't', partition: 0, replicas: [1] },
    { topic: 'missing', partition: 0, replicas: [1] },
  ];
  await world.run(world.zk.create('/admin/reassign_partitions', JSON.stringify({ version: 1, partitions: asked })));
  await world.until('the partition is on its way', async () => await holds(world, 1));
  assert.deepEqual((await world.json('/admin/reassign_partitions')).partitions, asked.slice(0, 1));
  await world.sim.runFor(2000);
  // The controller hears of what it wrote itself, and begins nothing anew.
  assert.equal((await world.json('/brokers/topics/t/partitions/0/state')).leader_epoch, 1);
  assert.equal(await alterIsr(world, 0, [0, 1]), ErrorCode.NONE);
  await world.until('the node is gone', async () => !(await world.exists('/admin/reassign_partitions')));
  const again = [{ topic: 't', partition: 0, replicas: [1, 2] }];
  await world.run(world.zk.create('/admin/reassign_partitions', JSON.stringify({ version: 1, partitions: again })));
  await world.until('the next request is seen', () => holds(world, 2));
});

test('a partition that nobody had may be given to a broker that lives', async () => {
  const world = await new ClusterWorld().start();
  await world.run(world.zk.create('/brokers/topics/t', '{"version":1,"partitions":{"0":[9]}}'));
  await world.sim.runFor(1000);
  assert.equal(await move(world, 0, [0]), ErrorCode.NONE);
  await world.until('it is led', async () => (await world.leaderOf(0, 't')) === 0);
  assert.deepEqual(await assignment(world), [{ 0: [0] }, {}, {}]);
});

test('only the leader changes its in-sync replicas, in its own epoch, and to brokers that live', async () => {
  const world = await worldOfThree();
  await move(world, await world.controller(), [0, 1]);
  assert.equal(await alterIsr(world, 1, [0, 1]), ErrorCode.INVALID_REQUEST);
  assert.equal(await alterIsr(world, 0, [0, 9]), ErrorCode.OPERATION_NOT_ATTEMPTED);
  assert.equal(await alterIsr(world, 0, [0]), ErrorCode.NONE);
  assert.equal(await alterIsr(world, 0, [0, 1]), ErrorCode.NONE);
  assert.deepEqual((await world.json('/brokers/topics/t/partitions/0/state')).isr, [0, 1]);
  assert.equal((await world.metadata(2)).topics[0]?.partitions[0]?.isrNodes.length, 2);
});
