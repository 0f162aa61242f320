import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../../protocol/errors.ts';
import { encodeRecord, type GroupRecord } from './group-records.ts';
import { GROUP, GroupWorld, SESSION_MS, text } from './testkit/group-world.ts';

const { NONE, COORDINATOR_NOT_AVAILABLE, COORDINATOR_LOAD_IN_PROGRESS } = ErrorCode;

const offset = (partition: number, value: number | null, group = GROUP): GroupRecord => ({
  kind: 'offset',
  group,
  topic: 't',
  partition,
  value:
    value === null
      ? null
      : { offset: value, leaderEpoch: 3, metadata: '', commitTimestampMs: 1, expireTimestampMs: -1 },
});

test('a restarted coordinator knows offsets, members, assignments and the generation', () => {
  const world = new GroupWorld();
  const { ids, generation, leader } = world.stable(2);
  world.commit(7, { memberId: ids[0]!, generationIdOrMemberEpoch: generation });
  world.restart();
  assert.equal(world.offset(), 7);
  const { groupState, protocolData, members } = world.describe();
  assert.deepEqual([groupState, protocolData], ['Stable', 'range']);
  assert.deepEqual(members.map(({ memberId }) => memberId).sort(), [...ids].sort());
  for (const [index, id] of ids.entries()) {
    assert.equal(world.heartbeat(id, generation), NONE);
    assert.equal(text(world.sync(id, generation).answer?.assignment), `part ${index}`);
  }
  const follower = ids.find((id) => id !== leader)!;
  assert.equal(world.join({ memberId: follower }).answer?.leader, leader);
});

test('loaded members that are not heard of lose their sessions', () => {
  const world = new GroupWorld();
  world.stable();
  world.restart();
  world.run(SESSION_MS + 100);
  assert.equal(world.state, 'Empty');
});

test('generations go on counting after a restart, also those of an empty group', () => {
  const world = new GroupWorld();
  const { ids, generation } = world.stable();
  world.leave({ memberId: ids[0]! });
  world.restart();
  assert.equal(world.state, 'Empty');
  assert.equal(world.stable().generation, generation + 2);
});

test('a loaded group that has become too large rebalances', () => {
  const world = new GroupWorld();
  world.stable(3);
  const small = new GroupWorld({ groupSizeMax: 2 });
  small.topic.put(0, world.topic.records(0));
  small.restart();
  assert.equal(small.state, 'PreparingRebalance');
});

test('a tombstone forgets, a later record counts, and offsets alone make a group', () => {
  const world = new GroupWorld();
  world.topic.put(0, [offset(0, 1), offset(1, 1), offset(2, 1)]);
  world.topic.put(0, [offset(1, null), offset(2, 2)]);
  world.topic.put(0, [offset(0, 9, 'h'), offset(0, null, 'h')]);
  world.restart();
  assert.deepEqual(
    [0, 1, 2].map((partition) => world.offset('t', partition)),
    [1, -1, 2],
  );
  assert.equal(world.state, 'Empty');
  assert.equal(world.describe('h').groupState, 'Dead');
});

test('records of group protocols that this broker does not know are passed over', () => {
  const world = new GroupWorld();
  world.topic.putRaw(0, [
    { key: Buffer.from('0063000167', 'hex'), value: Buffer.from('000000000001', 'hex') },
    { key: Buffer.from('003000', 'hex'), value: null },
  ]);
  world.topic.put(0, [offset(0, 4)]);
  world.restart();
  assert.equal(world.offset(), 4);
});

test('offsets of the oldest key and value versions are read', () => {
  const world = new GroupWorld();
  const value = Buffer.concat([
    Buffer.from('0000', 'hex'),
    Buffer.from('0000000000000011', 'hex'),
    Buffer.from('00016d', 'hex'),
    Buffer.from('0000000000000005', 'hex'),
  ]);
  world.topic.putRaw(0, [{ key: Buffer.from('0000000167000174' + '00000000', 'hex'), value }]);
  world.restart();
  assert.equal(world.offset(), 0x11);
});

test('a value that cannot be understood leaves the partition without a coordinator, rather than with half a state', () => {
  for (const value of ['0063', '0003', '']) {
    const world = new GroupWorld();
    world.topic.put(0, [offset(0, 4)]);
    const { key } = encodeRecord(offset(1, 1));
    world.topic.putRaw(0, [{ key, value: Buffer.from(value, 'hex') }]);
    world.restart();
    assert.equal(world.fetch().errorCode, COORDINATOR_NOT_AVAILABLE);
    assert.equal(world.join().answer?.errorCode, COORDINATOR_NOT_AVAILABLE);
  }
});

test('a read that fails does, too; the next election tries again', () => {
  const world = new GroupWorld();
  world.commit(4);
  world.topic.readError = ErrorCode.KAFKA_STORAGE_ERROR;
  world.restart();
  assert.equal(world.fetch().errorCode, COORDINATOR_NOT_AVAILABLE);
  world.topic.readError = NONE;
  world.electAll();
  assert.equal(world.offset(), 4);
});

test('a partition that this broker does not lead is not loaded', () => {
  const world = new GroupWorld();
  world.topic.resign(0);
  world.restart();
  assert.equal(world.fetch().errorCode, ErrorCode.NOT_COORDINATOR);
});

test('many batches are loaded in slices, with requests in between', () => {
  const world = new GroupWorld();
  for (let batch = 0; batch < 40; batch += 1) {
    world.topic.put(
      0,
      Array.from({ length: 300 }, (_, index) => offset(index, batch, `g${batch % 5}`)),
    );
  }
  world.coordinator.onResigned(0);
  world.coordinator.onElected(0, 1);
  let turns = 0;
  while (world.fetch(null, { group: 'g4' }).errorCode === COORDINATOR_LOAD_IN_PROGRESS) {
    world.run(1 / 64);
    turns += 1;
  }
  assert.ok(turns >= (40 * 300) / 500, `${turns} turns`);
  assert.equal(world.offset('t', 299, 'g4'), 39);
  assert.equal(world.list().groups.length, 5);
});

test('the end of the log may be a gap that compaction left', () => {
  const world = new GroupWorld();
  world.topic.put(0, [offset(0, 1)]);
  world.topic.put(0, [offset(0, 2)]);
  world.topic.put(0, [offset(1, 3)]);
  world.topic.drop(0, 1);
  world.restart();
  assert.deepEqual([world.offset('t', 0), world.offset('t', 1)], [1, 3]);
});

test('a resignation in the course of loading ends it, and the next election begins anew', () => {
  const world = new GroupWorld();
  world.topic.put(
    0,
    Array.from({ length: 3000 }, (_, index) => offset(index, index)),
  );
  world.coordinator.onResigned(0);
  world.coordinator.onElected(0, 1);
  world.run(1 / 32);
  world.coordinator.onResigned(0);
  world.run(100);
  assert.equal(world.fetch().errorCode, ErrorCode.NOT_COORDINATOR);
  world.coordinator.onElected(0, 2);
  world.run(100);
  assert.equal(world.offset('t', 2999), 2999);
});

test('another epoch of the same leader changes nothing', () => {
  const world = new GroupWorld();
  const { ids, generation } = world.stable();
  const loads = world.topic.loadCount;
  world.coordinator.onElected(0, 7);
  assert.equal(world.heartbeat(ids[0]!, generation), NONE);
  assert.equal(world.topic.loadCount, loads);
});

test('a resignation answers all who wait, once, and nothing happens afterwards', () => {
  const world = new GroupWorld({ initialRebalanceDelayMs: 3000 });
  const joining = world.enter();
  const second = world.enter();
  world.run(6100);
  const { generationId, leader } = joining.joined.answer!;
  const syncing = world.sync(second.id === leader ? joining.id : second.id, generationId);
  world.topic.isHeld = true;
  const committing = world.commit(1, { groupId: 'alone' });
  const third = world.join({ version: 3, group: 'other' });
  world.coordinator.onResigned(0);
  assert.equal(syncing.answer?.errorCode, ErrorCode.NOT_COORDINATOR);
  assert.equal(third.answer?.errorCode, ErrorCode.NOT_COORDINATOR);
  world.topic.commit();
  assert.equal(committing.answer, NONE, 'it is in the log');
  world.run(600_000);
  assert.deepEqual([syncing.count, third.count, committing.count], [1, 1, 1]);
});

test('a coordinator that closes answers all who wait', () => {
  const world = new GroupWorld();
  world.coordinator.start();
  world.stable();
  const { joined } = world.enter();
  world.coordinator.close();
  assert.equal(joined.answer?.errorCode, ErrorCode.NOT_COORDINATOR);
  assert.equal(world.list().errorCode, COORDINATOR_NOT_AVAILABLE);
  world.coordinator.onElected(0, 9);
  assert.equal(world.fetch().errorCode, ErrorCode.NOT_COORDINATOR);
});

// ---- transactions, as other brokers leave them in the log

const transactional = { producerId: 77, producerEpoch: 0, baseSequence: 0, isTransactional: true };

test('offsets within a transaction count when it is committed', () => {
  const world = new GroupWorld();
  world.topic.put(0, [offset(0, 1)]);
  world.topic.put(0, [offset(0, 5)], transactional);
  world.restart();
  assert.equal(world.offset(), 1);
  const stable = world.fetch([{ name: 't', partitionIndexes: [0, 1] }], { requireStable: true }).topics[0]!.partitions;
  assert.deepEqual(
    stable.map(({ errorCode }) => errorCode),
    [ErrorCode.UNSTABLE_OFFSET_COMMIT, NONE],
  );
  world.topic.endTransaction(0, 77, true);
  world.restart();
  assert.equal(world.offset(), 5);
});

test('those of an aborted transaction, and of one that another commit overtook, do not', () => {
  const world = new GroupWorld();
  world.topic.put(0, [offset(0, 5), offset(1, 5)], transactional);
  world.topic.put(0, [offset(1, 6)]);
  world.topic.endTransaction(0, 77, true);
  world.topic.put(0, [offset(0, 9)], { ...transactional, baseSequence: 2 });
  world.topic.endTransaction(0, 77, false);
  world.restart();
  assert.deepEqual([world.offset('t', 0), world.offset('t', 1)], [5, 6]);
});

test('an offset does not expire while a transaction on it is open', () => {
  const world = new GroupWorld({ offsetsRetentionMs: 1000 });
  world.topic.put(0, [offset(0, 1), offset(1, 1)]);
  world.topic.put(0, [offset(0, 5)], transactional);
  world.restart();
  world.coordinator.start();
  world.run(601_000);
  assert.deepEqual([world.offset('t', 0), world.offset('t', 1)], [1, -1]);
});

test('a group with nothing but an open transaction is one that exists', () => {
  const world = new GroupWorld({ offsetsRetentionMs: 1000 });
  world.topic.put(0, [offset(0, 5)], transactional);
  world.restart();
  world.coordinator.start();
  world.run(1_300_000);
  assert.equal(world.state, 'Empty');
  assert.equal(world.deleteGroup().answer, NONE);
  world.topic.endTransaction(0, 77, true);
  world.restart();
  assert.equal(world.offset(), -1, 'the deletion came after the commit');
});
