import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../../../protocol/errors.ts';
import type { ConsumerGroupHeartbeatResponse } from '../../../protocol/messages/68-consumer-group-heartbeat.ts';
import type { TopicFilter } from '../join.ts';
import { ConsumerWorld } from '../testkit/consumer-world.ts';
import { GROUP, REBALANCE_MS, subscription } from '../testkit/group-world.ts';
import { consumerDefaults } from '../testkit/topics-in-memory.ts';

const SESSION_MS = 45_000;
const ALL = { t: [0, 1, 2, 3] };

/** Two members with two partitions each, both in epoch 3. */
function shared(world = new ConsumerWorld()): ConsumerWorld {
  world.beat('one');
  world.beat('two');
  world.beat('one', { memberEpoch: 2 });
  world.beat('one', { memberEpoch: 2, owned: { t: [0, 1] } });
  world.beat('two', { memberEpoch: 3 });
  return world;
}

const memberIds = (world: ConsumerWorld): string[] =>
  world
    .describeConsumers()
    .members.map(({ memberId }) => memberId)
    .sort();

test('a member is assigned as it joins, and what it has to give up goes to the next once it says so', () => {
  const world = new ConsumerWorld();
  assert.deepEqual(world.told(world.beat('one')), [2, ALL]);
  assert.deepEqual(world.told(world.beat('two')), [3, {}]);
  assert.deepEqual(world.told(world.beat('one', { memberEpoch: 2 })), [2, { t: [0, 1] }]);
  assert.deepEqual(world.told(world.beat('two', { memberEpoch: 3 })), [3]);
  assert.deepEqual(world.told(world.beat('one', { memberEpoch: 2, owned: { t: [0, 1] } })), [3]);
  assert.deepEqual(world.told(world.beat('two', { memberEpoch: 3 })), [3, { t: [2, 3] }]);
  assert.equal(world.describeConsumers().groupState, 'Stable');
});

test('a member that is not heard of for its session is out, also after another coordinator has taken over', () => {
  const world = shared();
  world.run(SESSION_MS - 1000);
  world.beat('two', { memberEpoch: 3 });
  world.run(2000);
  assert.deepEqual(memberIds(world), ['two']);
  world.restart();
  world.run(SESSION_MS - 1000);
  assert.deepEqual(memberIds(world), ['two']);
  world.run(2000);
  assert.equal(world.describeConsumers().groupState, 'Empty');
});

test('a member that gives nothing up within its rebalance timeout is out, although it is heard of', () => {
  const world = new ConsumerWorld();
  world.beat('one', { rebalanceTimeoutMs: 20_000 });
  world.beat('two');
  world.beat('one', { memberEpoch: 2 });
  world.run(15_000);
  world.beat('one', { memberEpoch: 2 });
  world.restart();
  world.run(15_000);
  assert.deepEqual(memberIds(world), ['one', 'two']);
  world.run(6000);
  assert.deepEqual(memberIds(world), ['two']);
  assert.equal(world.told(world.beat('one', { memberEpoch: 2 })), ErrorCode.UNKNOWN_MEMBER_ID);
});

test('a member that is thrown out although the log cannot take it is thrown out a little later', () => {
  const world = new ConsumerWorld();
  world.beat('one');
  world.topic.failures.push({ errorCode: ErrorCode.NOT_ENOUGH_REPLICAS, isWritten: false });
  world.run(SESSION_MS + 100);
  assert.deepEqual(memberIds(world), ['one']);
  world.run(500);
  assert.deepEqual(memberIds(world), []);
});

test('a static member that leaves for a while keeps its partitions until its session ends', () => {
  const world = shared();
  world.beat('static', { instanceId: 'i', subscribedTopicNames: ['u'] });
  world.image.set('u', 2);
  world.beat('static', { memberEpoch: 4, instanceId: 'i' });
  world.beat('static', { memberEpoch: -2, instanceId: 'i', owned: null });
  const away = world.describeConsumers().members.find(({ memberId }) => memberId === 'static');
  assert.equal(away?.memberEpoch, -2);
  assert.deepEqual(world.named(away?.assignment.topicPartitions ?? []), { u: [0, 1] });
  assert.deepEqual(world.told(world.beat('back', { instanceId: 'i', subscribedTopicNames: ['u'] })), [
    5,
    { u: [0, 1] },
  ]);
  world.beat('back', { memberEpoch: -2, instanceId: 'i', owned: null });
  world.run(SESSION_MS + 100);
  assert.equal(memberIds(world).includes('back'), false);
});

test('new partitions are assigned with the next heartbeat, whoever sends it', () => {
  const world = shared();
  world.image.set('t', 6);
  assert.deepEqual(world.told(world.beat('two', { memberEpoch: 3 })), [4, { t: [2, 3, 5] }]);
  assert.deepEqual(world.told(world.beat('one', { memberEpoch: 3 })), [4, { t: [0, 1, 4] }]);
});

test('new partitions are assigned although the first try could not be stored', () => {
  const world = new ConsumerWorld();
  world.beat('one');
  world.image.set('t', 5);
  world.topic.failures.push({ errorCode: ErrorCode.NOT_ENOUGH_REPLICAS, isWritten: false });
  assert.equal(world.told(world.beat('one', { memberEpoch: 2 })), ErrorCode.COORDINATOR_NOT_AVAILABLE);
  assert.deepEqual(world.told(world.beat('one', { memberEpoch: 2 })), [3, { t: [0, 1, 2, 3, 4] }]);
});

test('a regular expression matches what the member may describe that has it resolved', () => {
  const world = new ConsumerWorld();
  for (const topic of ['t1', 't2', 'u']) world.image.set(topic, 1);
  const asked: string[][] = [];
  const describable: TopicFilter = (topics) => {
    asked.push([...topics].sort());
    return new Set(['t2', 'u']);
  };
  const beat = (memberId: string, memberEpoch: number, subscribedTopicRegex: string | null, may = describable) =>
    world.told(
      world.beat(memberId, { memberEpoch, subscribedTopicNames: null, subscribedTopicRegex, describable: may }),
    );
  beat('one', 0, 't.');
  world.run(100);
  assert.deepEqual(asked, [['t1', 't2']]);
  assert.deepEqual(beat('one', 1, null), [2, { t2: [0] }]);
  world.run(11_000);
  beat('two', 0, '.*', () => new Set(['t', 't1']));
  world.run(100);
  assert.deepEqual(beat('one', 2, null), [2, {}], 'all are resolved by the rights of the one that called for it');
});

test('while a decision is on its way into the log the next of its group waits, and sees it', () => {
  const world = new ConsumerWorld();
  world.topic.isHeld = true;
  const one = world.beat('one');
  const two = world.beat('two');
  const other = world.beat('three', { groupId: 'other' });
  assert.deepEqual([one.count, two.count, other.count], [0, 0, 0]);
  assert.equal(world.topic.heldCount, 2, 'the other group does not wait');
  world.topic.isHeld = false;
  world.topic.commit();
  assert.deepEqual(
    [world.told(one), world.told(two), world.told(other)],
    [
      [2, ALL],
      [3, {}],
      [2, ALL],
    ],
  );
});

test('whoever waits when the coordinator resigns is sent away', () => {
  const world = new ConsumerWorld();
  world.topic.isHeld = true;
  world.beat('one');
  const waiting = world.beat('two');
  world.coordinator.onResigned(0);
  world.topic.commit();
  assert.equal(world.told(waiting), ErrorCode.NOT_COORDINATOR);
});

test('targets are not computed more often than the assignment interval says', () => {
  const times = { sessionTimeoutMs: SESSION_MS, heartbeatIntervalMs: 5000, assignmentIntervalMs: 1000 };
  const world = new ConsumerWorld({}, 1, { ...consumerDefaults, times: () => times });
  world.beat('one');
  assert.deepEqual(world.told(world.beat('two')), [2, {}]);
  assert.equal(world.describeConsumers().groupState, 'Assigning');
  world.run(1000);
  assert.deepEqual(world.told(world.beat('two', { memberEpoch: 2 })), [3]);
});

test('a group that is full lets nobody else in', () => {
  const world = new ConsumerWorld({}, 1, { groupSizeMax: 1 });
  world.beat('one');
  assert.equal(world.told(world.beat('two')), ErrorCode.GROUP_MAX_SIZE_REACHED);
  assert.deepEqual(world.told(world.beat('one')), [2, ALL]);
});

test('offsets of topics that nobody subscribes to expire by their commit, and an empty group with its last', () => {
  const world = new ConsumerWorld({ offsetsRetentionMs: 100_000, retentionCheckIntervalMs: 10_000 });
  world.coordinator.start();
  world.beat('one', { subscribedTopicNames: ['t'] });
  for (const topic of ['t', 'u']) {
    world.commit(5, { memberId: 'one', generationIdOrMemberEpoch: 2, topic });
  }
  for (let round = 0; round < 12; round += 1) {
    world.run(10_000);
    world.beat('one', { memberEpoch: 2 });
  }
  assert.deepEqual([world.offset('t'), world.offset('u')], [5, -1]);
  world.beat('one', { memberEpoch: -1, owned: null });
  world.run(10_000);
  assert.equal(world.offset('t'), -1);
  assert.equal(world.describeConsumers().errorCode, ErrorCode.GROUP_ID_NOT_FOUND);
  world.restart();
  assert.equal(world.describeConsumers().errorCode, ErrorCode.GROUP_ID_NOT_FOUND);
});

test('an empty group outlives its last offset when that is deleted, or its partition', () => {
  const world = new ConsumerWorld();
  world.beat('one');
  world.beat('one', { memberEpoch: -1, owned: null });
  for (const forget of [
    () => world.deleteOffsets({ topic: 't', partition: 0 }).errorCode,
    () => world.coordinator.onPartitionsDeleted([{ topic: 't', partition: 0 }]),
  ]) {
    assert.equal(world.commit(5).answer, ErrorCode.NONE);
    forget();
    assert.equal(world.offset('t'), -1);
    assert.equal(world.describeConsumers().groupState, 'Empty');
  }
});

test('offsets of partitions that are gone are forgotten', () => {
  const world = new ConsumerWorld();
  world.beat('one');
  world.commit(5, { memberId: 'one', generationIdOrMemberEpoch: 2 });
  world.coordinator.onPartitionsDeleted([{ topic: 't', partition: 0 }]);
  assert.equal(world.offset('t'), -1);
  assert.deepEqual(memberIds(world), ['one']);
});

// ---- from one protocol to the other

/** A stable classic group of one member that waits for nothing. */
function classic(world = new ConsumerWorld()): { world: ConsumerWorld; id: string; generation: number } {
  const { ids, generation } = world.stable(1, { protocols: { range: subscription('t') } });
  world.sync(ids[0]!, generation);
  return { world, id: ids[0]!, generation };
}

/** Its assignment is empty: the text that other tests assign with is no assignment. */
function empty(world: ConsumerWorld): { id: string; generation: number } {
  const { id, joined } = world.enter();
  world.run(100);
  const generation = joined.answer?.generationId ?? -1;
  world.sync(id, generation);
  return { id, generation };
}

test('a classic group that cannot be stored as another stays what it was', () => {
  const world = new ConsumerWorld();
  const { id, generation } = empty(world);
  world.topic.failures.push({ errorCode: ErrorCode.NOT_ENOUGH_REPLICAS, isWritten: false });
  assert.equal(world.told(world.beat('new')), ErrorCode.COORDINATOR_NOT_AVAILABLE);
  assert.equal(world.heartbeat(id, generation), ErrorCode.NONE);
  assert.equal(world.state, 'Stable');
  assert.deepEqual(world.told(world.beat('new')), [2, { t: [0, 1] }]);
  assert.equal(world.heartbeat(id, generation), ErrorCode.REBALANCE_IN_PROGRESS);
});

test('a classic group whose members assign what the broker cannot read stays what it was', () => {
  const { world } = classic();
  const refused = world.beat('new').answer as ConsumerGroupHeartbeatResponse;
  assert.equal(refused.errorCode, ErrorCode.GROUP_ID_NOT_FOUND);
  assert.match(refused.errorMessage ?? '', /embedded consumer protocol is malformed/);
  assert.equal(world.state, 'Stable');
});

test('whoever waits for the rebalance of a classic group is told to join again when it becomes another', () => {
  const world = new ConsumerWorld();
  const { id } = empty(world);
  const { joined: waiting } = world.enter();
  world.join({ memberId: id, protocols: { range: subscription('t', 'u') } });
  world.run(100);
  const late = world.enter().joined;
  assert.equal(late.count, 0);
  world.beat('new');
  assert.equal(late.answer?.errorCode, ErrorCode.REBALANCE_IN_PROGRESS);
  assert.equal(waiting.count, 1);
});

for (const { policy, up, down } of [
  { policy: 'bidirectional', up: true, down: true },
  { policy: 'upgrade', up: true, down: false },
  { policy: 'downgrade', up: false, down: true },
  { policy: 'disabled', up: false, down: false },
] as const) {
  test(`a living group changes its protocol as the policy ${policy} says`, () => {
    const rising = new ConsumerWorld({}, 1, { migrationPolicy: policy });
    empty(rising);
    assert.equal(rising.beat('new').answer?.errorCode, up ? ErrorCode.NONE : ErrorCode.GROUP_ID_NOT_FOUND);

    const falling = new ConsumerWorld({}, 1, { migrationPolicy: policy });
    falling.beat('new');
    const { joined } = falling.enter();
    const error = joined.answer?.errorCode;
    assert.equal(error, policy === 'disabled' ? ErrorCode.INCONSISTENT_GROUP_PROTOCOL : ErrorCode.NONE);
    falling.beat('new', { memberEpoch: -1, owned: null });
    assert.equal(falling.describe().groupState, down ? 'PreparingRebalance' : 'Dead');
  });
}

test('a group that went back to the classic protocol is loaded as one', () => {
  const world = new ConsumerWorld();
  world.beat('new');
  const { id } = world.enter();
  world.beat('new', { memberEpoch: -1, owned: null });
  assert.equal(world.list([], ['classic']).groups.length, 1);
  world.restart();
  assert.equal(world.describe().groupState, 'Stable');
  assert.equal(world.heartbeat(id, 3), ErrorCode.NONE);
});

test('a classic member that is told to join again and does not is out, as is one that never asks for its assignment', () => {
  const times = { sessionTimeoutMs: 1_000_000, heartbeatIntervalMs: 5000, assignmentIntervalMs: 0 };
  const world = new ConsumerWorld({}, 1, { times: () => times });
  world.beat('new');
  const { id, joined } = world.enter({ sessionTimeoutMs: 1_000_000, rebalanceTimeoutMs: REBALANCE_MS });
  const generation = joined.answer?.generationId ?? -1;
  world.sync(id, generation);
  world.beat('newer');
  assert.equal(world.heartbeat(id, generation), ErrorCode.REBALANCE_IN_PROGRESS);
  world.run(20_000);
  assert.equal(world.heartbeat(id, generation), ErrorCode.REBALANCE_IN_PROGRESS);
  assert.equal(memberIds(world).includes(id), true);
  world.run(11_000);
  assert.equal(memberIds(world).includes(id), false);

  const silent = world.enter({ sessionTimeoutMs: 1_000_000 }).id;
  world.run(REBALANCE_MS - 1000);
  assert.equal(memberIds(world).includes(silent), true);
  world.run(2000);
  assert.equal(memberIds(world).includes(silent), false);
});

test('an empty group of the one protocol makes room for one of the other', () => {
  const world = new ConsumerWorld();
  world.beat('one');
  world.beat('one', { memberEpoch: -1, owned: null });
  const { id, joined } = world.enter();
  world.run(100);
  assert.equal(joined.answer?.errorCode, ErrorCode.NONE);
  world.leave({ memberId: id });
  assert.equal(world.state, 'Empty');
  assert.deepEqual(world.told(world.beat('one')), [2, ALL]);
  world.restart();
  assert.deepEqual(world.list().groups, [
    { groupId: GROUP, protocolType: 'consumer', groupState: 'Stable', groupType: 'consumer' },
  ]);
});

test('a broker that is told to speak the classic protocol alone refuses the other', () => {
  const world = new ConsumerWorld({}, 1, { isEnabled: false });
  assert.equal(world.told(world.beat('one')), ErrorCode.UNSUPPORTED_VERSION);
  assert.equal(world.describeConsumers().errorCode, ErrorCode.UNSUPPORTED_VERSION);
});
