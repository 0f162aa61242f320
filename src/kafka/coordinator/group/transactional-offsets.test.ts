import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../../protocol/errors.ts';
import type { Entry } from '../../replication/transaction-gate.ts';
import { GROUP, GroupWorld } from './testkit/group-world.ts';

test('offsets within a transaction count once it is committed, and until then nobody is told that the old ones are stable', () => {
  const world = new GroupWorld();
  assert.equal(world.commit(1).answer, ErrorCode.NONE);
  assert.equal(world.commitWithin(5).answer, ErrorCode.NONE);
  assert.equal(world.offset(), 1);
  assert.equal(world.stableOffset(), 'UNSTABLE_OFFSET_COMMIT');
  assert.equal(world.endTransaction(true).answer, ErrorCode.NONE);
  assert.equal(world.offset(), 5);
  assert.equal(world.stableOffset(), 5);
});

test('offsets within an aborted transaction never count', () => {
  const world = new GroupWorld();
  world.commit(1);
  world.commitWithin(5);
  world.endTransaction(false);
  assert.equal(world.stableOffset(), 1);
  world.endTransaction(true);
  assert.equal(world.stableOffset(), 1, 'nothing is left for the next one');
});

test('the end of another producer’s transaction changes nothing', () => {
  const world = new GroupWorld();
  world.commitWithin(5);
  world.endTransaction(true, 10);
  assert.equal(world.stableOffset(), 'UNSTABLE_OFFSET_COMMIT');
});

test('the later of two commits in the log counts, however late the transaction of the earlier one ends', () => {
  const world = new GroupWorld();
  world.commitWithin(5);
  world.commitWithin(6, { producerId: 10 });
  world.commit(7);
  world.endTransaction(true, 10);
  world.endTransaction(true);
  assert.equal(world.stableOffset(), 7);
});

for (const committed of [true, false]) {
  test(`a restart in the middle of a transaction that is ${committed ? 'committed' : 'aborted'} later forgets nothing`, () => {
    const world = new GroupWorld();
    world.commit(1);
    world.commitWithin(5);
    world.restart();
    assert.equal(world.stableOffset(), 'UNSTABLE_OFFSET_COMMIT');
    world.endTransaction(committed);
    const want = committed ? 5 : 1;
    assert.equal(world.stableOffset(), want);
    world.restart();
    assert.equal(world.stableOffset(), want);
  });
}

test('nothing is visible before the marker is on every replica, and nothing if it never gets there', () => {
  const world = new GroupWorld();
  world.topic.isHeld = true;
  const commit = world.commitWithin(5);
  assert.equal(world.stableOffset(), 'UNSTABLE_OFFSET_COMMIT', 'the commit is on its way');
  const end = world.endTransaction(true);
  world.topic.commit(1);
  assert.equal(commit.answer, ErrorCode.NONE);
  assert.equal(end.answer, undefined);
  assert.equal(world.stableOffset(), 'UNSTABLE_OFFSET_COMMIT');
  world.topic.commit();
  assert.equal(end.answer, ErrorCode.NONE);
  assert.equal(world.stableOffset(), 5);
  world.topic.isHeld = false;
  world.commitWithin(6);
  world.topic.failures.push({ errorCode: ErrorCode.NOT_ENOUGH_REPLICAS, isWritten: false });
  assert.equal(world.endTransaction(true).answer, ErrorCode.NOT_ENOUGH_REPLICAS);
  assert.equal(world.offset(), 5);
  assert.equal(world.stableOffset(), 'UNSTABLE_OFFSET_COMMIT');
});

test('a commit that could not be appended changes nothing of what is pending', () => {
  const world = new GroupWorld();
  world.commitWithin(5);
  world.topic.failures.push({ errorCode: ErrorCode.NOT_ENOUGH_REPLICAS, isWritten: false });
  assert.equal(world.commitWithin(6).answer, ErrorCode.COORDINATOR_NOT_AVAILABLE);
  world.endTransaction(true);
  assert.equal(world.stableOffset(), 5, 'what was acknowledged counts');
});

for (const isWritten of [true, false]) {
  test(`a marker in doubt that is ${isWritten ? '' : 'not '}in the log: only reading it again tells`, () => {
    const world = new GroupWorld();
    world.commitWithin(5);
    world.topic.failures.push({ errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, isWritten });
    assert.equal(world.endTransaction(true).answer, ErrorCode.UNKNOWN_SERVER_ERROR);
    assert.equal(world.endTransaction(true).answer, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, 'while it is read');
    world.run(100);
    assert.equal(world.stableOffset(), isWritten ? 5 : 'UNSTABLE_OFFSET_COMMIT');
  });
}

test('a partition that is not led here takes no markers', () => {
  const world = new GroupWorld({}, 2);
  world.coordinator.onResigned(1);
  assert.equal(world.endTransaction(true, 9, 1).answer, ErrorCode.NOT_COORDINATOR);
});

test('who commits within a transaction must be in the group, if it says that it is', () => {
  const world = new GroupWorld();
  assert.equal(world.commitWithin(1, { groupId: '' }).answer, ErrorCode.INVALID_GROUP_ID);
  assert.equal(
    world.commitWithin(1, { generationIdOrMemberEpoch: 1, memberId: 'x' }).answer,
    ErrorCode.UNKNOWN_MEMBER_ID,
  );
  const { ids, generation } = world.stable(1);
  const memberId = ids[0]!;
  assert.equal(world.commitWithin(1).answer, ErrorCode.NONE, 'producers from before 2.5 say nothing');
  assert.equal(world.commitWithin(1, { memberId: 'x' }).answer, ErrorCode.UNKNOWN_MEMBER_ID);
  assert.equal(
    world.commitWithin(1, { memberId, generationIdOrMemberEpoch: generation + 1 }).answer,
    ErrorCode.ILLEGAL_GENERATION,
  );
  assert.equal(world.commitWithin(1, { memberId, generationIdOrMemberEpoch: generation }).answer, ErrorCode.NONE);
});

test('a commit waits for the coordinator of its transaction, and finds the group as it is then', () => {
  const world = new GroupWorld();
  const { ids, generation } = world.stable(1);
  let enter: (entry: Entry) => void = () => undefined;
  world.entrance = (_partition, _writer, _operation, done) => {
    enter = done;
  };
  const commit = world.commitWithin(5, { memberId: ids[0]!, generationIdOrMemberEpoch: generation });
  assert.equal(commit.answer, undefined);
  world.leave({ memberId: ids[0]! });
  enter({ errorCode: ErrorCode.NONE, verification: undefined });
  assert.equal(commit.answer, ErrorCode.UNKNOWN_MEMBER_ID);
  const late = world.commitWithin(5);
  world.coordinator.onResigned(0);
  enter({ errorCode: ErrorCode.NONE, verification: undefined });
  assert.equal(late.answer, ErrorCode.NOT_COORDINATOR);
});

/** Errors of the gate, and what producers are told. */
const refusals: readonly (readonly [number, number])[] = [
  [ErrorCode.NETWORK_EXCEPTION, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS],
  [ErrorCode.INVALID_TXN_STATE, ErrorCode.INVALID_TXN_STATE],
  [ErrorCode.INVALID_PRODUCER_EPOCH, ErrorCode.INVALID_PRODUCER_EPOCH],
  [ErrorCode.COORDINATOR_NOT_AVAILABLE, ErrorCode.COORDINATOR_NOT_AVAILABLE],
  [ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.NOT_COORDINATOR],
];
for (const [errorCode, want] of refusals) {
  test(`a transaction that may not write (${errorCode}) commits nothing, and its producer is told ${want}`, () => {
    const world = new GroupWorld();
    world.entrance = (_partition, _writer, _operation, done) => done({ errorCode, verification: undefined });
    assert.equal(world.commitWithin(5).answer, want);
    assert.equal(world.stableOffset(), -1);
    assert.equal(world.state, 'Empty', 'but there is a group of the name');
  });
}

test('an offset that a transaction is about to change does not expire, nor does its group', () => {
  const world = new GroupWorld({ offsetsRetentionMs: 1000, retentionCheckIntervalMs: 1000 });
  world.coordinator.start();
  world.commit(1);
  world.commitWithin(5);
  world.run(10_000);
  assert.equal(world.offset(), 1);
  world.endTransaction(false);
  world.run(10_000);
  assert.equal(world.offset(), -1);
  assert.equal(world.describe().groupState, 'Dead');
});

test('a group that is deleted takes what is pending with it, also after a restart', () => {
  const world = new GroupWorld();
  world.commit(1);
  world.commitWithin(5);
  assert.equal(world.deleteGroup().answer, ErrorCode.NONE);
  world.endTransaction(true);
  assert.equal(world.offset(), -1);
  world.restart();
  assert.equal(world.offset(), -1);
  assert.deepEqual(
    world.list().groups.map(({ groupId }) => groupId),
    [],
    GROUP,
  );
});
