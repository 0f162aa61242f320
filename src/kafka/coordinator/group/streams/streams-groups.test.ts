/** Streams groups (KIP-1071): topology and its topics, tasks, members that come, go and are lost, what a restart keeps. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../../../protocol/errors.ts';
import { counting, StreamsWorld } from '../testkit/streams-world.ts';
import { StatusCode } from './status.ts';

const all = [{ subtopologyId: '0', partitions: [0, 1, 2, 3] }];

/** One member that has every task. */
function running(settings: ConstructorParameters<typeof StreamsWorld>[0] = {}): StreamsWorld {
  const world = new StreamsWorld(settings);
  world.image.set('counts', 4);
  assert.deepEqual(world.beat('one').activeTasks, all);
  return world;
}

test('a group is not ready before its internal topics are there, and is told what they are to be', () => {
  const world = new StreamsWorld();
  const first = world.beat('one');
  assert.deepEqual(first.status, [
    { statusCode: StatusCode.MISSING_INTERNAL_TOPICS, statusDetail: 'Internal topics are missing: counts' },
  ]);
  assert.deepEqual(
    world.missing.map(({ name, partitionCount }) => [name, partitionCount]),
    [['counts', 4]],
  );
  assert.equal(world.described().groupState, 'NotReady');
  world.image.set('counts', 4);
  const second = world.beat('one', { memberEpoch: 2 });
  assert.deepEqual([second.memberEpoch, second.activeTasks, second.status], [3, all, []]);
  assert.equal(world.described().groupState, 'Stable');
});

test('a changelog with other partitions than tasks is refused, and tasks end when a source is deleted', () => {
  const world = new StreamsWorld();
  world.image.set('counts', 3);
  const [status] = world.beat('one').status ?? [];
  assert.equal(status?.statusCode, StatusCode.INCORRECTLY_PARTITIONED_TOPICS);
  world.image.set('counts', 4);
  assert.deepEqual(world.beat('one', { memberEpoch: 2 }).activeTasks, all);
  world.image.delete('t');
  const [missing] = world.beat('one', { memberEpoch: 3 }).status ?? [];
  assert.equal(missing?.statusCode, StatusCode.MISSING_SOURCE_TOPICS);
  assert.equal(world.described().groupState, 'NotReady');
});

test('a source that grows brings tasks', () => {
  const world = new StreamsWorld();
  const [counted] = counting().subtopologies;
  const topology = { epoch: 0, subtopologies: [{ ...counted!, stateChangelogTopics: [] }] };
  assert.deepEqual(world.beat('one', { topology }).activeTasks, all);
  world.image.set('t', 6);
  const grown = world.beat('one', { memberEpoch: 2 });
  assert.deepEqual([grown.memberEpoch, grown.activeTasks?.[0]?.partitions], [3, [0, 1, 2, 3, 4, 5]]);
});

test('no task runs twice: who joins waits until the other has given up what it is to have', () => {
  const world = running();
  const joined = world.beat('two');
  assert.deepEqual([joined.memberEpoch, joined.activeTasks], [3, []]);
  const asked = world.beat('one', { memberEpoch: 2 });
  assert.deepEqual([asked.memberEpoch, asked.activeTasks?.[0]?.partitions.length], [2, 2]);
  assert.deepEqual(world.beat('two', { memberEpoch: 3 }).activeTasks, null);
  const kept = asked.activeTasks![0]!.partitions;
  assert.equal(world.beat('one', { memberEpoch: 2, owned: { active: { 0: kept } } }).memberEpoch, 3);
  const given = world.beat('two', { memberEpoch: 3 }).activeTasks![0]!.partitions;
  assert.deepEqual([...kept, ...given].sort(), [0, 1, 2, 3]);
  assert.equal(world.described().groupState, 'Stable');
});

test('a member that is not heard of loses its tasks to the others', () => {
  const world = running();
  world.beat('two');
  world.run(40_000);
  world.beat('two', { memberEpoch: 3 });
  world.run(6000);
  assert.deepEqual(
    world.described().members.map(({ memberId }) => memberId),
    ['two'],
  );
  assert.deepEqual(world.beat('two', { memberEpoch: 3 }).activeTasks, all);
});

test('a member that does not give up what it must is out after its rebalance timeout', () => {
  const world = running();
  world.beat('two');
  world.beat('one', { memberEpoch: 2 });
  for (let passed = 0; passed < 31_000; passed += 5000) {
    world.run(5000);
    world.asked('one', { memberEpoch: 2 });
    world.beat('two', { memberEpoch: 3 });
  }
  assert.deepEqual(
    world.described().members.map(({ memberId }) => memberId),
    ['two'],
  );
});

test('a restart keeps members, tasks and topology; how far state is, and endpoints’ epochs, begin anew', () => {
  const world = running({ standbyReplicas: 1 });
  world.beat('one', { memberEpoch: 2, taskOffsets: [{ subtopologyId: '0', partition: 1, offset: 5 }] });
  const before = world.described();
  assert.equal(before.members[0]?.taskOffsets.length, 1);
  world.restart();
  const after = world.described();
  assert.deepEqual(after.members, [{ ...before.members[0], taskOffsets: [] }]);
  assert.deepEqual([after.groupEpoch, after.assignmentEpoch, after.groupState], [2, 2, 'Stable']);
  assert.equal(world.beat('one', { memberEpoch: 2 }).memberEpoch, 2);
});

test('a copy of each task stands by in another process, and takes over when the task is free', () => {
  const world = running({ standbyReplicas: 1 });
  world.beat('two');
  const one = world.beat('one', { memberEpoch: 2 });
  const owned = { active: { 0: one.activeTasks![0]!.partitions } };
  world.beat('one', { memberEpoch: 2, owned });
  const two = world.beat('two', { memberEpoch: 3 });
  // Both halves of a change of role are told at once, so that the state stays open.
  assert.deepEqual(one.standbyTasks, two.activeTasks);
  assert.deepEqual(two.standbyTasks?.[0]?.partitions, one.activeTasks?.[0]?.partitions);
  world.beat('one', { memberEpoch: -1 });
  const alone = world.beat('two', { memberEpoch: 3 });
  assert.deepEqual([alone.activeTasks, alone.standbyTasks], [all, []]);
});

test('the first tasks wait for more members; the wait ends by itself', () => {
  const world = new StreamsWorld({ initialRebalanceDelayMs: 3000 });
  world.image.set('counts', 4);
  assert.equal(world.beat('one').status?.[0]?.statusCode, StatusCode.ASSIGNMENT_DELAYED);
  world.beat('two');
  assert.equal(world.described().groupState, 'Assigning');
  world.run(3100);
  assert.equal(world.described().assignmentEpoch, 3);
  assert.equal(world.beat('one', { memberEpoch: 1 }).activeTasks?.[0]?.partitions.length, 2);
});

test('offsets are committed by those who have the task, in their epoch or since', () => {
  const world = running();
  const commit = (memberId: string, generationIdOrMemberEpoch: number, topic = 't'): number | undefined => {
    const pending = world.commit(1, { memberId, generationIdOrMemberEpoch, topic });
    world.run(1);
    return pending.answer;
  };
  assert.equal(commit('one', 2), ErrorCode.NONE);
  assert.equal(commit('one', 3), ErrorCode.STALE_MEMBER_EPOCH);
  assert.equal(commit('nobody', 2), ErrorCode.UNKNOWN_MEMBER_ID);
  world.beat('one', { memberEpoch: 2, clientTags: [{ key: 'a', value: 'b' }] });
  assert.equal(commit('one', 2), ErrorCode.NONE);
  assert.equal(commit('one', 2, 'u'), ErrorCode.STALE_MEMBER_EPOCH);
  assert.equal(commit('one', 1), ErrorCode.STALE_MEMBER_EPOCH);
});

test('another topology is refused, an older one is told that it is', () => {
  const world = running();
  assert.equal(world.beat('two', { topology: counting('other') }).errorCode, ErrorCode.INVALID_REQUEST);
  assert.equal(world.beat('two', { topology: { ...counting(), epoch: 1 } }).errorCode, ErrorCode.INVALID_REQUEST);
});

test('where it is switched off, nothing of it is answered', () => {
  const world = new StreamsWorld();
  world.streams = { ...world.streams, isEnabled: false };
  world.restart();
  assert.equal(world.beat('one').errorCode, ErrorCode.UNSUPPORTED_VERSION);
  assert.equal(world.described().errorCode, ErrorCode.UNSUPPORTED_VERSION);
});
