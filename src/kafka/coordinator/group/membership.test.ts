import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../../protocol/errors.ts';
import { GroupWorld, REBALANCE_MS, SESSION_MS, subscription, text } from './testkit/group-world.ts';

const {
  NONE,
  COORDINATOR_NOT_AVAILABLE,
  UNKNOWN_MEMBER_ID,
  FENCED_INSTANCE_ID,
  REBALANCE_IN_PROGRESS,
  GROUP_MAX_SIZE_REACHED,
} = ErrorCode;

// ---- ids in two steps (KIP-394)

test('a first join gets an id made of the client’s id and a UUID', () => {
  const { answer } = new GroupWorld().join({ clientId: 'my-app' });
  assert.equal(answer?.errorCode, ErrorCode.MEMBER_ID_REQUIRED);
  assert.match(answer!.memberId, /^my-app-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(answer?.generationId, -1);
});

test('a rebalance waits for ids that were given out, until they join, leave or time out', () => {
  for (const end of ['joins', 'leaves', 'times out'] as const) {
    const world = new GroupWorld();
    const { ids, generation } = world.stable(1, { sessionTimeoutMs: 60_000 });
    const pending = world.join().answer!.memberId;
    const joined = world.join({ memberId: ids[0]! });
    assert.equal(joined.count, 0, end);
    if (end === 'joins') world.join({ memberId: pending });
    if (end === 'leaves') assert.equal(world.leave({ memberId: pending }).members[0]?.errorCode, NONE);
    if (end === 'times out') world.run(SESSION_MS + 10);
    assert.equal(joined.answer!.generationId, generation + 1, end);
    assert.equal(world.describe().members.length, end === 'joins' ? 2 : 1);
  }
});

test('an id that was given out is forgotten after a session’s time', () => {
  const world = new GroupWorld();
  world.stable(1, { sessionTimeoutMs: 60_000 });
  const { memberId } = world.join().answer!;
  world.run(SESSION_MS + 10);
  assert.equal(world.join({ memberId }).answer?.errorCode, UNKNOWN_MEMBER_ID);
});

test('an id that was given out is not a static member’s', () => {
  const world = new GroupWorld();
  const { memberId } = world.join().answer!;
  assert.equal(world.join({ memberId, instanceId: 'i' }).answer?.errorCode, UNKNOWN_MEMBER_ID);
});

// ---- the first rebalance (KIP-134)

test('an empty group waits for more members before its first generation', () => {
  const world = new GroupWorld({ initialRebalanceDelayMs: 3000 });
  const first = world.enter();
  world.run(2990);
  assert.equal(first.joined.count, 0);
  world.run(20);
  assert.equal(first.joined.answer?.generationId, 1);
});

test('each newcomer extends the delay, up to the rebalance timeout', () => {
  const world = new GroupWorld({ initialRebalanceDelayMs: 3000 });
  const first = world.enter({ rebalanceTimeoutMs: 10_000 });
  for (let newcomer = 0; newcomer < 3; newcomer += 1) {
    world.run(2900);
    world.enter({ rebalanceTimeoutMs: 10_000 });
    assert.equal(first.joined.count, 0, `newcomer ${newcomer}`);
  }
  world.run(10_000 - 3 * 2900 - 20);
  assert.equal(first.joined.count, 0);
  world.run(40);
  assert.equal(first.joined.answer?.generationId, 1);
  assert.equal(first.joined.answer?.members.length, 4);
});

test('without newcomers the delay is not extended, and a group that had a generation extends it for nobody', () => {
  const world = new GroupWorld({ initialRebalanceDelayMs: 3000 });
  const { id, joined } = world.enter();
  world.run(3010);
  assert.equal(joined.answer?.generationId, 1);
  world.leave({ memberId: id });
  assert.equal(world.state, 'Empty');
  const back = world.enter();
  world.run(2900);
  world.enter();
  assert.equal(back.joined.count, 0);
  world.run(110);
  assert.equal(back.joined.answer?.generationId, 3);
});

// ---- sessions

test('heartbeats keep a member, silence loses it', () => {
  const world = new GroupWorld();
  const { ids, generation } = world.stable();
  for (let beat = 0; beat < 5; beat += 1) {
    world.run(SESSION_MS - 10);
    assert.equal(world.heartbeat(ids[0]!, generation), NONE);
  }
  world.run(SESSION_MS - 10);
  assert.equal(world.state, 'Stable');
  world.run(20);
  assert.equal(world.heartbeat(ids[0]!, generation), UNKNOWN_MEMBER_ID);
  assert.equal(world.state, 'Empty');
});

test('a member that joins and falls silent loses its session, however long the rebalance may take', () => {
  const world = new GroupWorld();
  const { joined } = world.enter();
  world.run(10);
  assert.equal(joined.answer?.generationId, 1);
  world.run(SESSION_MS - 100);
  assert.equal(world.state, 'CompletingRebalance');
  world.run(200);
  assert.equal(world.state, 'Empty');
});

test('a commit is a sign of life, too', () => {
  const world = new GroupWorld();
  const { ids, generation } = world.stable();
  world.run(SESSION_MS - 10);
  world.commit(1, { memberId: ids[0]!, generationIdOrMemberEpoch: generation });
  world.run(SESSION_MS - 10);
  assert.equal(world.heartbeat(ids[0]!, generation), NONE);
});

test('a stall of ours does not kill a member whose heartbeat waits in the socket', () => {
  const world = new GroupWorld();
  const { ids, generation } = world.stable();
  world.stall(SESSION_MS * 3, () => assert.equal(world.heartbeat(ids[0]!, generation), NONE));
  world.run(SESSION_MS - 20);
  assert.equal(world.heartbeat(ids[0]!, generation), NONE);
});

test('a member that waits for a rebalance need not send heartbeats', () => {
  const world = new GroupWorld();
  const { ids, leader, generation } = world.stable(2, { sessionTimeoutMs: 6000, rebalanceTimeoutMs: 60_000 });
  const follower = ids.find((id) => id !== leader)!;
  const joined = world.join({ memberId: leader, sessionTimeoutMs: 6000, rebalanceTimeoutMs: 60_000 });
  for (let beat = 0; beat < 8; beat += 1) {
    world.run(5000);
    assert.equal(world.heartbeat(follower, generation), REBALANCE_IN_PROGRESS);
  }
  world.join({ memberId: follower, sessionTimeoutMs: 6000, rebalanceTimeoutMs: 60_000 });
  assert.equal(joined.answer?.generationId, generation + 1);
  // With the answer its session begins anew.
  world.run(5900);
  assert.equal(world.heartbeat(leader, generation + 1), NONE);
});

test('a new member that waits for ever is answered and forgotten after five minutes', () => {
  const world = new GroupWorld();
  const { ids, generation } = world.stable(1, { rebalanceTimeoutMs: 1_200_000, sessionTimeoutMs: 1_800_000 });
  const { joined } = world.enter({ rebalanceTimeoutMs: 1_200_000 });
  world.run(5 * 60_000 - 1000);
  assert.equal(joined.count, 0);
  world.run(1100);
  assert.equal(joined.answer!.errorCode, UNKNOWN_MEMBER_ID);
  assert.equal(world.heartbeat(ids[0]!, generation), REBALANCE_IN_PROGRESS);
});

// ---- size

test('a full group refuses newcomers, not its own members', () => {
  const world = new GroupWorld({ groupSizeMax: 2 });
  const { ids, leader } = world.stable(2);
  assert.equal(world.join().answer?.errorCode, GROUP_MAX_SIZE_REACHED);
  assert.equal(world.join({ version: 3 }).answer?.errorCode, GROUP_MAX_SIZE_REACHED);
  assert.equal(world.join({ memberId: ids.find((id) => id !== leader)! }).answer?.errorCode, NONE);
});

test('while a rebalance is prepared, the last to come is too many', () => {
  const world = new GroupWorld({ groupSizeMax: 2, initialRebalanceDelayMs: 3000 });
  const given = [world.join(), world.join(), world.join()].map(({ answer }) => answer!.memberId);
  const joined = given.map((memberId) => world.join({ memberId }));
  assert.equal(joined[2]!.answer!.errorCode, GROUP_MAX_SIZE_REACHED);
  world.run(7000);
  assert.deepEqual(
    joined.slice(0, 2).map(({ answer }) => answer?.generationId),
    [1, 1],
  );
});

// ---- static members (KIP-345)

function staticGroup(config: ConstructorParameters<typeof GroupWorld>[0] = {}) {
  const world = new GroupWorld({ initialRebalanceDelayMs: 3000, ...config });
  const one = world.join({ instanceId: 'one' });
  const two = world.join({ instanceId: 'two' });
  world.run(6100);
  const { leader, generationId } = one.answer!;
  const ids = { one: one.answer!.memberId, two: two.answer!.memberId };
  world.sync(leader, generationId, { [ids.one]: 'part 1', [ids.two]: 'part 2' });
  world.sync(ids.two, generationId);
  assert.equal(world.state, 'Stable');
  assert.equal(leader, ids.one);
  return { world, ids, generation: generationId };
}

test('a static member joins in one step, under an id made of its instance id', () => {
  const { ids } = staticGroup();
  assert.match(ids.two, /^two-[0-9a-f-]{36}$/);
});

test('a static follower that comes back gets its part without a rebalance, and its former life is fenced', () => {
  const { world, ids, generation } = staticGroup();
  const { answer } = world.join({ instanceId: 'two' });
  assert.deepEqual([answer?.errorCode, answer?.generationId, answer?.leader], [NONE, generation, ids.one]);
  assert.notEqual(answer!.memberId, ids.two);
  assert.equal(world.state, 'Stable');
  assert.equal(
    text(world.sync(answer!.memberId, generation, {}, { groupInstanceId: 'two' }).answer?.assignment),
    'part 2',
  );
  assert.equal(world.heartbeat(ids.two, generation, 'two'), FENCED_INSTANCE_ID);
  assert.equal(world.heartbeat(ids.two, generation), UNKNOWN_MEMBER_ID);
  const former = { memberId: ids.two, groupInstanceId: 'two', generationIdOrMemberEpoch: generation };
  assert.equal(world.commit(1, former).answer, FENCED_INSTANCE_ID);
  assert.equal(world.sync(ids.two, generation, {}, { groupInstanceId: 'two' }).answer?.errorCode, FENCED_INSTANCE_ID);
  assert.equal(world.join({ memberId: ids.two, instanceId: 'two' }).answer?.errorCode, FENCED_INSTANCE_ID);
  assert.equal(world.leave({ memberId: ids.two, groupInstanceId: 'two' }).members[0]?.errorCode, FENCED_INSTANCE_ID);
  assert.equal(world.heartbeat('x', generation, 'three'), UNKNOWN_MEMBER_ID);
});

test('a static leader that comes back skips the assignment, and before version 9 takes itself for a follower', () => {
  const { world, ids, generation } = staticGroup();
  const skipping = world.join({ instanceId: 'one' }).answer!;
  assert.deepEqual([skipping.skipAssignment, skipping.leader, skipping.members.length], [true, skipping.memberId, 2]);
  const older = world.join({ instanceId: 'one', version: 8 }).answer!;
  assert.deepEqual([older.skipAssignment, older.leader, older.members.length], [false, skipping.memberId, 0]);
  assert.notEqual(older.memberId, skipping.memberId);
  assert.equal(older.generationId, generation);
  const next = world.join({ instanceId: 'two' }).answer!;
  assert.equal(next.leader, older.memberId, 'it leads under its new id all the same');
  assert.notEqual(next.leader, ids.one);
});

test('a static member’s new id is in the log before it is told', () => {
  const { world, ids, generation } = staticGroup();
  world.topic.isHeld = true;
  const joined = world.join({ instanceId: 'two' });
  assert.equal(joined.count, 0);
  world.topic.commit();
  const { memberId } = joined.answer!;
  world.topic.isHeld = false;
  world.restart();
  assert.equal(world.heartbeat(memberId, generation, 'two'), NONE);
  assert.equal(world.heartbeat(ids.two, generation, 'two'), FENCED_INSTANCE_ID);
});

test('where the new id cannot be stored the former life goes on', () => {
  const { world, ids, generation } = staticGroup();
  world.topic.failures.push({ errorCode: ErrorCode.NOT_ENOUGH_REPLICAS, isWritten: false });
  const { answer } = world.join({ instanceId: 'two' });
  assert.deepEqual([answer?.errorCode, answer?.memberId], [ErrorCode.COORDINATOR_NOT_AVAILABLE, '']);
  assert.equal(world.heartbeat(ids.two, generation, 'two'), NONE);
  assert.equal(world.state, 'Stable');
});

test('a rebalance that began while the new id was being stored keeps the new life, whatever became of the append', () => {
  for (const errorCode of [NONE, ErrorCode.NOT_ENOUGH_REPLICAS]) {
    const { world, ids, generation } = staticGroup();
    world.topic.isHeld = true;
    world.topic.failures.push({ errorCode, isWritten: false });
    const first = world.join({ instanceId: 'two' });
    world.join({ memberId: ids.one, instanceId: 'one' });
    assert.equal(first.answer!.generationId, generation + 1, 'both have joined');
    world.topic.commit();
    const { memberId } = first.answer!;
    assert.equal(world.heartbeat(memberId, generation + 1, 'two'), NONE);
    assert.equal(first.count, 1);
  }
});

test('a static member whose return changes the protocol of the group makes it rebalance', () => {
  const { world } = staticGroup();
  const both = { range: subscription('t'), sticky: subscription('t') };
  world.join({ instanceId: 'two', protocols: both });
  assert.equal(world.state, 'Stable', 'range has two votes');
  const world2 = new GroupWorld();
  const first = world2.join({ instanceId: 'one', protocols: both });
  world2.run(10);
  world2.sync(first.answer!.memberId, 1);
  world2.join({ instanceId: 'one', protocols: { sticky: subscription('t'), range: subscription('t') } });
  assert.equal(world2.describe().groupState, 'CompletingRebalance');
});

test('a static member that comes back in the course of a rebalance takes part under its new id', () => {
  const { world, ids, generation } = staticGroup();
  const leaderJoins = world.join({ memberId: ids.one, instanceId: 'one' });
  const { answer } = world.join({ instanceId: 'two' });
  assert.equal(answer?.generationId, generation + 1);
  assert.equal(leaderJoins.answer?.generationId, generation + 1);
  const again = world.join({ instanceId: 'two' });
  assert.equal(world.state, 'PreparingRebalance', 'the leader may have the former id');
  assert.equal(again.count, 0);
});

test('who waits under a former id is told that it is fenced', () => {
  const { world, ids, generation } = staticGroup();
  world.enter();
  const joined = world.join({ memberId: ids.two, instanceId: 'two' });
  assert.equal(joined.count, 0);
  world.join({ instanceId: 'two' });
  assert.deepEqual([joined.answer!.errorCode, joined.answer!.memberId], [FENCED_INSTANCE_ID, ids.two]);
  assert.equal(world.heartbeat(ids.one, generation, 'one'), REBALANCE_IN_PROGRESS);
});

test('static members that do not join in time stay until their sessions expire', () => {
  const { world, ids, generation } = staticGroup();
  const options = { sessionTimeoutMs: 600_000 };
  const two = world.join({ memberId: ids.two, instanceId: 'two', protocols: { range: subscription('u') }, ...options });
  for (let beat = 0; beat < 5; beat += 1) {
    world.run(7000);
    world.heartbeat(ids.one, two.answer === undefined ? generation : generation + 1, 'one');
  }
  assert.equal(two.answer!.generationId, generation + 1);
  assert.deepEqual(two.answer!.members.map(({ groupInstanceId }) => groupInstanceId).sort(), ['one', 'two']);
  assert.equal(two.answer!.leader, ids.two, 'who takes part leads');
  const first = world.join({ memberId: ids.one, instanceId: 'one', protocols: { range: subscription('v') } });
  world.join({ memberId: ids.two, instanceId: 'two' });
  assert.deepEqual(
    [first.answer?.generationId, first.answer?.leader],
    [generation + 2, ids.two],
    'and goes on to lead',
  );
});

test('a new id that cannot be stored in the course of a rebalance does not take back what others joined by', () => {
  const { world, ids } = staticGroup();
  const own = { own: subscription('t') };
  const both = { protocols: { range: subscription('t'), ...own }, sessionTimeoutMs: 60_000 };
  world.join({ memberId: ids.one, instanceId: 'one', ...both });
  const again = world.join({ memberId: ids.two, instanceId: 'two', sessionTimeoutMs: 60_000 });
  const generation = again.answer!.generationId;
  world.sync(ids.one, generation);
  world.sync(ids.two, generation);
  assert.equal(world.state, 'Stable');
  world.topic.isHeld = true;
  world.topic.failures.push({ errorCode: ErrorCode.NOT_ENOUGH_REPLICAS, isWritten: false });
  const joined = world.join({ instanceId: 'two', ...both });
  const newcomer = world.join({ version: 3, protocols: own });
  world.topic.commit();
  world.topic.isHeld = false;
  assert.equal(joined.answer?.errorCode, COORDINATOR_NOT_AVAILABLE);
  world.join({ memberId: ids.one, instanceId: 'one', ...both });
  world.run(REBALANCE_MS + 10);
  assert.deepEqual([newcomer.answer?.errorCode, newcomer.answer?.protocolName], [NONE, 'own']);
});

test('a rebalance to which only absent static members belong waits for one of them', () => {
  const { world, ids, generation } = staticGroup();
  const dynamic = world.enter();
  world.leave({ memberId: dynamic.id });
  for (let beat = 0; beat < 8; beat += 1) {
    world.run(5000);
    world.heartbeat(ids.one, generation, 'one');
    world.heartbeat(ids.two, generation, 'two');
  }
  assert.equal(world.state, 'PreparingRebalance');
  const joined = world.join({ memberId: ids.one, instanceId: 'one' });
  world.heartbeat(ids.two, generation, 'two');
  world.join({ memberId: ids.two, instanceId: 'two' });
  assert.equal(joined.answer?.generationId, generation + 1);
});

test('an administrator removes a static member by its instance id', () => {
  const { world } = staticGroup();
  const { members } = world.leave({ groupInstanceId: 'two' }, { groupInstanceId: 'nobody' }, {});
  assert.deepEqual(
    members.map(({ errorCode }) => errorCode),
    [NONE, UNKNOWN_MEMBER_ID, UNKNOWN_MEMBER_ID],
  );
  assert.equal(world.state, 'PreparingRebalance');
});

test('members that leave together are answered one by one', () => {
  const world = new GroupWorld();
  const { ids } = world.stable(2);
  const { errorCode, members } = world.leave({ memberId: ids[0]! }, { memberId: 'x' }, { memberId: ids[1]! });
  assert.equal(errorCode, NONE);
  assert.deepEqual(
    members.map((member) => member.errorCode),
    [NONE, UNKNOWN_MEMBER_ID, NONE],
  );
  assert.equal(world.state, 'Empty');
});

test('a rebalance ends although nobody is left in it but ids that were given out', () => {
  const world = new GroupWorld();
  const { ids } = world.stable();
  world.join();
  world.leave({ memberId: ids[0]! });
  world.run(REBALANCE_MS);
  assert.equal(world.state, 'Empty');
});
