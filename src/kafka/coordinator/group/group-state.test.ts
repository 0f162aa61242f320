import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../../protocol/errors.ts';
import { GroupWorld, REBALANCE_MS, SESSION_MS, subscription, text } from './testkit/group-world.ts';

/** A group in each of its states: one member `id` that is known, in generation `generation`. */
interface InState {
  readonly world: GroupWorld;
  readonly id: string;
  readonly generation: number;
}

const inState: { readonly [state: string]: () => InState } = {
  Empty: () => {
    const world = new GroupWorld();
    const { ids, generation } = world.stable();
    world.leave({ memberId: ids[0]! });
    return { world, id: ids[0]!, generation: generation + 1 };
  },
  PreparingRebalance: () => {
    const world = new GroupWorld();
    const { ids, generation } = world.stable();
    world.enter();
    return { world, id: ids[0]!, generation };
  },
  CompletingRebalance: () => {
    const world = new GroupWorld();
    const { id, joined } = world.enter();
    world.run(10);
    return { world, id, generation: joined.answer!.generationId };
  },
  Stable: () => {
    const world = new GroupWorld();
    const { ids, generation } = world.stable();
    return { world, id: ids[0]!, generation };
  },
};

for (const [state, make] of Object.entries(inState)) {
  test(`the test's own group is ${state}`, () => assert.equal(make().world.state, state));
}

const { NONE, UNKNOWN_MEMBER_ID, REBALANCE_IN_PROGRESS, ILLEGAL_GENERATION } = ErrorCode;
type Codes = { readonly [state: string]: number | undefined };

/** The table of the reference: what each request is told in each state; undefined: it waits. */
const cells: readonly { name: string; ask: (given: InState) => number | undefined; want: Codes }[] = [
  {
    name: 'a heartbeat',
    ask: ({ world, id, generation }) => world.heartbeat(id, generation),
    want: {
      Empty: UNKNOWN_MEMBER_ID,
      PreparingRebalance: REBALANCE_IN_PROGRESS,
      CompletingRebalance: NONE,
      Stable: NONE,
    },
  },
  {
    name: 'a heartbeat of an old generation',
    ask: ({ world, id, generation }) => world.heartbeat(id, generation - 1),
    want: {
      Empty: UNKNOWN_MEMBER_ID,
      PreparingRebalance: ILLEGAL_GENERATION,
      CompletingRebalance: ILLEGAL_GENERATION,
      Stable: ILLEGAL_GENERATION,
    },
  },
  {
    name: 'a sync',
    ask: ({ world, id, generation }) => world.sync(id, generation).answer?.errorCode,
    want: {
      Empty: UNKNOWN_MEMBER_ID,
      PreparingRebalance: REBALANCE_IN_PROGRESS,
      CompletingRebalance: NONE, // the only member leads, and its assignment is stored at once
      Stable: NONE,
    },
  },
  {
    name: 'a sync of an old generation',
    ask: ({ world, id, generation }) => world.sync(id, generation - 1).answer?.errorCode,
    want: {
      Empty: UNKNOWN_MEMBER_ID,
      PreparingRebalance: ILLEGAL_GENERATION,
      CompletingRebalance: ILLEGAL_GENERATION,
      Stable: ILLEGAL_GENERATION,
    },
  },
  {
    name: 'a commit without member and generation',
    ask: ({ world }) => world.commit(7).answer,
    want: {
      Empty: NONE,
      PreparingRebalance: UNKNOWN_MEMBER_ID,
      CompletingRebalance: UNKNOWN_MEMBER_ID,
      Stable: UNKNOWN_MEMBER_ID,
    },
  },
  {
    name: 'a commit of a member',
    ask: ({ world, id, generation }) => world.commit(7, { memberId: id, generationIdOrMemberEpoch: generation }).answer,
    want: {
      Empty: UNKNOWN_MEMBER_ID,
      PreparingRebalance: NONE,
      CompletingRebalance: REBALANCE_IN_PROGRESS,
      Stable: NONE,
    },
  },
  {
    name: 'a commit of an old generation',
    ask: ({ world, id, generation }) =>
      world.commit(7, { memberId: id, generationIdOrMemberEpoch: generation - 1 }).answer,
    want: {
      Empty: UNKNOWN_MEMBER_ID,
      PreparingRebalance: ILLEGAL_GENERATION,
      CompletingRebalance: ILLEGAL_GENERATION,
      Stable: ILLEGAL_GENERATION,
    },
  },
  {
    name: 'a join of a new member that has no id',
    ask: ({ world }) => world.join().answer?.errorCode,
    want: {
      Empty: ErrorCode.MEMBER_ID_REQUIRED,
      PreparingRebalance: ErrorCode.MEMBER_ID_REQUIRED,
      CompletingRebalance: ErrorCode.MEMBER_ID_REQUIRED,
      Stable: ErrorCode.MEMBER_ID_REQUIRED,
    },
  },
  {
    name: 'a join of a new member before ids were required',
    ask: ({ world }) => world.join({ version: 3 }).answer?.errorCode,
    want: { Empty: undefined, PreparingRebalance: undefined, CompletingRebalance: undefined, Stable: undefined },
  },
  {
    name: 'a join of the leader with the same metadata',
    ask: ({ world, id }) => world.join({ memberId: id }).answer?.errorCode,
    want: { Empty: UNKNOWN_MEMBER_ID, PreparingRebalance: NONE, CompletingRebalance: NONE, Stable: NONE },
  },
  {
    name: 'a join with an id that nobody has',
    ask: ({ world }) => world.join({ memberId: 'stranger' }).answer?.errorCode,
    want: {
      Empty: UNKNOWN_MEMBER_ID,
      PreparingRebalance: UNKNOWN_MEMBER_ID,
      CompletingRebalance: UNKNOWN_MEMBER_ID,
      Stable: UNKNOWN_MEMBER_ID,
    },
  },
  {
    name: 'a leave',
    ask: ({ world, id }) => world.leave({ memberId: id }).members[0]?.errorCode,
    want: { Empty: UNKNOWN_MEMBER_ID, PreparingRebalance: NONE, CompletingRebalance: NONE, Stable: NONE },
  },
  {
    name: 'a deletion of the group',
    ask: ({ world }) => world.deleteGroup().answer,
    want: {
      Empty: NONE,
      PreparingRebalance: ErrorCode.NON_EMPTY_GROUP,
      CompletingRebalance: ErrorCode.NON_EMPTY_GROUP,
      Stable: ErrorCode.NON_EMPTY_GROUP,
    },
  },
];

for (const { name, ask, want } of cells) {
  for (const [state, code] of Object.entries(want)) {
    test(`${name} to a group that is ${state} gets ${code ?? 'no answer yet'}`, () => {
      assert.equal(ask(inState[state]!()), code);
    });
  }
}

/** Where a request leads a group. */
const transitions: readonly { name: string; from: string; cause: (given: InState) => void; to: string }[] = [
  { name: 'a new member', from: 'Empty', cause: ({ world }) => world.enter(), to: 'PreparingRebalance' },
  { name: 'a new member', from: 'CompletingRebalance', cause: ({ world }) => world.enter(), to: 'PreparingRebalance' },
  { name: 'a new member', from: 'Stable', cause: ({ world }) => world.enter(), to: 'PreparingRebalance' },
  {
    name: 'the leader’s repeated join',
    from: 'CompletingRebalance',
    cause: ({ world, id }) => world.join({ memberId: id }),
    to: 'CompletingRebalance',
  },
  {
    name: 'changed metadata of the only member',
    from: 'CompletingRebalance',
    cause: ({ world, id }) => world.join({ memberId: id, protocols: { range: subscription('u') } }),
    to: 'CompletingRebalance', // of the next generation
  },
  {
    name: 'the leader’s sync',
    from: 'CompletingRebalance',
    cause: ({ world, id, generation }) => world.sync(id, generation),
    to: 'Stable',
  },
  {
    name: 'the last member’s leave',
    from: 'CompletingRebalance',
    cause: ({ world, id }) => world.leave({ memberId: id }),
    to: 'Empty',
  },
  {
    name: 'the last member’s leave',
    from: 'Stable',
    cause: ({ world, id }) => world.leave({ memberId: id }),
    to: 'Empty',
  },
  { name: 'the last session’s end', from: 'Stable', cause: ({ world }) => world.run(SESSION_MS + 10), to: 'Empty' },
  { name: 'the deletion', from: 'Empty', cause: ({ world }) => world.deleteGroup(), to: 'Dead' },
];

for (const { name, from, cause, to } of transitions) {
  test(`${name} leads a group from ${from} to ${to}`, () => {
    const given = inState[from]!();
    cause(given);
    assert.equal(given.world.state, to);
  });
}

test('a rebalance completes when the last expected member leaves', () => {
  const { world, id, generation } = inState.PreparingRebalance!();
  const newcomer = world.describe().members.find(({ memberId }) => memberId !== id)!.memberId;
  world.leave({ memberId: id });
  assert.equal(world.state, 'CompletingRebalance');
  assert.equal(world.heartbeat(newcomer, generation + 1), NONE);
});

test('a changed follower and a new generation: everybody is told to join again and gets the same generation', () => {
  const world = new GroupWorld();
  const { ids, generation, leader } = world.stable(2);
  const follower = ids.find((id) => id !== leader)!;
  const changed = world.join({ memberId: follower, protocols: { range: subscription('t', 'u') } });
  assert.equal(changed.count, 0);
  assert.equal(world.heartbeat(leader, generation), REBALANCE_IN_PROGRESS);
  const again = world.join({ memberId: leader });
  assert.equal(again.answer?.generationId, generation + 1);
  assert.equal(changed.answer!.generationId, generation + 1);
  assert.equal(again.answer?.leader, leader, 'the leader keeps its part');
  assert.deepEqual(again.answer?.members.map(({ memberId }) => memberId).sort(), [...ids].sort());
  assert.deepEqual(changed.answer!.members, [], 'only the leader sees the others');
});

test('an unchanged follower of a stable group gets the current generation again', () => {
  const world = new GroupWorld();
  const { ids, generation, leader } = world.stable(2);
  const follower = ids.find((id) => id !== leader)!;
  const { answer } = world.join({ memberId: follower });
  assert.deepEqual([answer?.errorCode, answer?.generationId, answer?.leader], [NONE, generation, leader]);
  assert.equal(world.state, 'Stable');
});

test('followers wait for the leader’s assignment, and whom it forgot gets nothing', () => {
  const world = new GroupWorld({ initialRebalanceDelayMs: 3000 });
  const [one, two, three] = [world.enter(), world.enter(), world.enter()];
  world.run(6100);
  const { leader, generationId } = one!.joined.answer!;
  assert.equal(leader, one!.id);
  const waiting = [world.sync(two!.id, generationId), world.sync(three!.id, generationId)];
  assert.deepEqual(
    waiting.map(({ answer }) => answer),
    [undefined, undefined],
  );
  const led = world.sync(leader, generationId, { [leader]: 'mine', [two!.id]: 'yours' });
  assert.equal(text(led.answer?.assignment), 'mine');
  assert.deepEqual(
    waiting.map(({ answer }) => text(answer?.assignment)),
    ['yours', ''],
  );
  assert.equal(text(world.sync(two!.id, generationId).answer?.assignment), 'yours', 'asked again');
});

test('the assignment is answered only when it is in the log', () => {
  const { world, id, generation } = inState.CompletingRebalance!();
  world.topic.isHeld = true;
  const synced = world.sync(id, generation, { [id]: 'all' });
  assert.equal(synced.count, 0);
  assert.equal(world.state, 'CompletingRebalance');
  world.sync(id, generation, { [id]: 'something else' });
  assert.equal(synced.answer!.errorCode, REBALANCE_IN_PROGRESS, 'a second request takes the first one’s place');
  assert.equal(world.topic.heldCount, 1, 'the assignment of a generation is stored once');
  world.topic.commit();
  assert.equal(world.state, 'Stable');
  assert.equal(text(world.sync(id, generation).answer?.assignment), 'all');
});

test('a member that joins while the assignment is being stored sends everybody back to joining', () => {
  const { world, id, generation } = inState.CompletingRebalance!();
  world.topic.isHeld = true;
  const synced = world.sync(id, generation, { [id]: 'all' });
  world.enter();
  assert.equal(synced.answer?.errorCode, REBALANCE_IN_PROGRESS);
  world.topic.commit();
  assert.equal(world.state, 'PreparingRebalance');
});

const storeErrors: readonly { error: number; told: number }[] = [
  { error: ErrorCode.NOT_ENOUGH_REPLICAS, told: ErrorCode.COORDINATOR_NOT_AVAILABLE },
  { error: ErrorCode.NOT_LEADER_OR_FOLLOWER, told: ErrorCode.NOT_COORDINATOR },
  { error: ErrorCode.REQUEST_TIMED_OUT, told: ErrorCode.REBALANCE_IN_PROGRESS },
  { error: ErrorCode.MESSAGE_TOO_LARGE, told: ErrorCode.UNKNOWN_SERVER_ERROR },
];
for (const { error, told } of storeErrors) {
  test(`an assignment that cannot be stored (${error}) is answered with ${told}, and the group rebalances`, () => {
    const { world, id, generation } = inState.CompletingRebalance!();
    world.topic.failures.push({ errorCode: error, isWritten: false });
    assert.equal(world.sync(id, generation, { [id]: 'all' }).answer?.errorCode, told);
    assert.equal(world.state, 'PreparingRebalance');
    assert.equal(world.join({ memberId: id }).answer?.generationId, generation + 1);
  });
}

test('requests to a wrong or loading coordinator, and to groups that cannot be, are refused as Apache does', () => {
  const world = new GroupWorld();
  assert.equal(world.join({ group: '' }).answer?.errorCode, ErrorCode.INVALID_GROUP_ID);
  assert.equal(world.join({ sessionTimeoutMs: 5999 }).answer?.errorCode, ErrorCode.INVALID_SESSION_TIMEOUT);
  assert.equal(world.join({ sessionTimeoutMs: 1_800_001 }).answer?.errorCode, ErrorCode.INVALID_SESSION_TIMEOUT);
  assert.equal(world.join({ protocols: {} }).answer?.errorCode, ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
  assert.equal(world.join({ protocolType: '' }).answer?.errorCode, ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
  assert.equal(world.join({ memberId: 'x' }).answer?.errorCode, UNKNOWN_MEMBER_ID);
  assert.equal(world.heartbeat('x', 1), UNKNOWN_MEMBER_ID);
  assert.equal(world.sync('x', 1).answer?.errorCode, UNKNOWN_MEMBER_ID);
  assert.equal(
    world.commit(1, { generationIdOrMemberEpoch: 3, memberId: 'x', groupId: 'other' }).answer,
    ILLEGAL_GENERATION,
  );
  assert.equal(world.leave({ memberId: 'x' }).members[0]?.errorCode, UNKNOWN_MEMBER_ID);

  world.coordinator.onResigned(0);
  assert.equal(world.join().answer?.errorCode, ErrorCode.NOT_COORDINATOR);
  assert.equal(world.heartbeat('x', 1), ErrorCode.NOT_COORDINATOR);
  assert.equal(world.sync('x', 1).answer?.errorCode, ErrorCode.NOT_COORDINATOR);
  assert.equal(world.commit(1).answer, ErrorCode.NOT_COORDINATOR);
  assert.equal(world.fetch().errorCode, ErrorCode.NOT_COORDINATOR);
  assert.equal(world.leave({ memberId: 'x' }).errorCode, ErrorCode.NOT_COORDINATOR);
  assert.equal(world.describe().errorCode, ErrorCode.NOT_COORDINATOR);
  assert.equal(world.deleteGroup().answer, ErrorCode.NOT_COORDINATOR);

  world.commit(1);
  world.topic.put(0, [{ kind: 'metadata', group: 'x', value: null }]);
  world.coordinator.onElected(0, 1);
  assert.equal(world.join().answer?.errorCode, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
  assert.equal(world.heartbeat('x', 1), NONE);
  assert.equal(world.sync('x', 1).answer?.errorCode, REBALANCE_IN_PROGRESS);
  assert.equal(world.commit(1).answer, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
  assert.equal(world.fetch().errorCode, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
  assert.equal(world.list().errorCode, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
  world.run(10);
  assert.equal(world.list().errorCode, NONE);
});

test('a sync that means another protocol is refused', () => {
  const { world, id, generation } = inState.Stable!();
  const sync = (protocolType: string | null, protocolName: string | null): number | undefined =>
    world.sync(id, generation, {}, { protocolType, protocolName }).answer?.errorCode;
  assert.equal(sync('consumer', 'range'), NONE);
  assert.equal(sync('connect', 'range'), ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
  assert.equal(sync('consumer', 'sticky'), ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
});

test('members of other protocol types, or without a common protocol, are refused', () => {
  const { world } = inState.Stable!();
  const { INCONSISTENT_GROUP_PROTOCOL } = ErrorCode;
  assert.equal(world.join({ protocolType: 'connect' }).answer?.errorCode, INCONSISTENT_GROUP_PROTOCOL);
  assert.equal(world.join({ protocols: { sticky: subscription('t') } }).answer?.errorCode, INCONSISTENT_GROUP_PROTOCOL);
});

test('the protocol with the most votes among those that all support wins', () => {
  const world = new GroupWorld({ initialRebalanceDelayMs: 3000 });
  const of = (...names: string[]) => ({
    protocols: Object.fromEntries(names.map((name) => [name, subscription('t')])),
  });
  const entered = [
    world.enter(of('own', 'range', 'sticky')),
    world.enter(of('sticky', 'range')),
    world.enter(of('sticky', 'range')),
  ];
  world.run(7000);
  assert.deepEqual(
    entered.map(({ joined }) => joined.answer?.protocolName),
    ['sticky', 'sticky', 'sticky'],
  );
});

test('who does not come to a rebalance in time is out', () => {
  const world = new GroupWorld();
  const { ids, generation, leader } = world.stable(2, { sessionTimeoutMs: 60_000 });
  const follower = ids.find((id) => id !== leader)!;
  const joined = world.join({ memberId: leader });
  world.run(REBALANCE_MS - 100);
  assert.equal(joined.count, 0);
  world.run(200);
  assert.equal(joined.answer?.generationId, generation + 1);
  assert.equal(world.heartbeat(follower, generation), UNKNOWN_MEMBER_ID);
  assert.deepEqual(
    world.describe().members.map(({ memberId }) => memberId),
    [leader],
  );
});

test('who never asks for its assignment is out', () => {
  const world = new GroupWorld({ initialRebalanceDelayMs: 3000 });
  const [one, two] = [world.enter({ sessionTimeoutMs: 60_000 }), world.enter({ sessionTimeoutMs: 60_000 })];
  world.run(6100);
  const { leader, generationId } = one!.joined.answer!;
  world.sync(leader, generationId, {});
  assert.equal(world.state, 'Stable');
  world.run(REBALANCE_MS);
  assert.equal(world.state, 'PreparingRebalance');
  assert.equal(world.heartbeat(two!.id, generationId), UNKNOWN_MEMBER_ID);
  assert.equal(world.heartbeat(leader, generationId), REBALANCE_IN_PROGRESS);
});

test('in version 0 the session timeout limits the rebalance, too', () => {
  const world = new GroupWorld();
  const first = world.join({ version: 0, rebalanceTimeoutMs: -1 });
  world.run(10);
  const { memberId, generationId } = first.answer!;
  world.sync(memberId, generationId);
  const second = world.join({ version: 0, rebalanceTimeoutMs: -1 });
  const heartbeats = Math.floor(SESSION_MS / 1000) - 1;
  for (let count = 0; count < heartbeats; count += 1) {
    world.run(1000);
    assert.equal(world.heartbeat(memberId, generationId), REBALANCE_IN_PROGRESS);
  }
  assert.equal(second.count, 0);
  world.run(1100);
  assert.equal(second.answer?.generationId, generationId + 1);
});
