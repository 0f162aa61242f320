import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../../protocol/errors.ts';
import { type Producer, TransactionWorld } from './testkit/transaction-world.ts';

const {
  UNKNOWN_TOPIC_OR_PARTITION,
  NOT_LEADER_OR_FOLLOWER,
  NOT_ENOUGH_REPLICAS_AFTER_APPEND,
  INVALID_PRODUCER_EPOCH,
  TRANSACTION_COORDINATOR_FENCED,
  UNSUPPORTED_FOR_MESSAGE_FORMAT,
  UNKNOWN_SERVER_ERROR,
} = ErrorCode;

/** A committed transaction over some partitions of topic `t`, whose markers are on their way. */
async function committing(
  world: TransactionWorld,
  { id = 'tx', partitions = [0] }: { id?: string; partitions?: number[] } = {},
): Promise<Producer> {
  const producer = await world.init({ id });
  world.add(producer, { id, partitions });
  world.end(producer, true, { id });
  await world.run(0);
  return producer;
}

const markedPartitions = (world: TransactionWorld): number[] => world.leaders.marked.map(({ partition }) => partition);

test('each leader gets one request for its partitions', async () => {
  const world = await TransactionWorld.ready();
  world.leaders.leaders.set('t-1', { kind: 'broker', id: 7 });
  await committing(world, { partitions: [0, 1, 2] });
  assert.deepEqual(
    world.leaders.requests.map(({ broker, markers }) => [broker, markers.map(({ topics }) => topics)]),
    [
      [0, [[{ name: 't', partitionIndexes: [0, 2] }]]],
      [7, [[{ name: 't', partitionIndexes: [1] }]]],
    ],
  );
  assert.equal(world.state, 'CompleteCommit');
});

test('what comes while a request is under way goes with the next, many transactions together', async () => {
  const world = await TransactionWorld.ready();
  world.leaders.isHeld = true;
  for (const id of ['a', 'b', 'c']) await committing(world, { id });
  assert.deepEqual(
    world.leaders.requests.map(({ markers }) => markers.length),
    [1],
  );
  world.leaders.release();
  await world.run(0);
  assert.deepEqual(
    world.leaders.requests.map(({ markers }) => markers.length),
    [1, 2],
  );
});

for (const errorCode of [UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, NOT_ENOUGH_REPLICAS_AFTER_APPEND]) {
  test(`a partition that answers ${errorCode} is asked again, where its leader is then`, async () => {
    const world = await TransactionWorld.ready();
    world.leaders.failures.set('t-0', [errorCode, errorCode]);
    await committing(world, { partitions: [0, 1] });
    assert.deepEqual(markedPartitions(world), [1]);
    assert.equal(world.state, 'PrepareCommit');
    world.leaders.leaders.set('t-0', { kind: 'broker', id: 3 });
    await world.run(300);
    assert.deepEqual(markedPartitions(world), [1, 0]);
    assert.equal(world.leaders.requests.at(-1)?.broker, 3);
    assert.equal(world.state, 'CompleteCommit');
  });
}

test('a refusal that nobody foresaw is no reason to give up', async () => {
  const world = await TransactionWorld.ready();
  world.leaders.failures.set('t-0', [UNKNOWN_SERVER_ERROR]);
  await committing(world);
  await world.run(200);
  assert.equal(world.state, 'CompleteCommit');
});

test('a broker that does not answer is asked until it does', async () => {
  const world = await TransactionWorld.ready();
  world.leaders.isCut = true;
  await committing(world);
  await world.run(5000);
  assert.equal(world.state, 'PrepareCommit');
  world.leaders.isCut = false;
  world.leaders.isDeaf = true;
  await world.run(200);
  assert.equal(world.state, 'PrepareCommit', 'the marker is there, but nobody knows');
  world.leaders.isDeaf = false;
  await world.run(200);
  assert.equal(world.state, 'CompleteCommit');
});

test('a partition without a leader is waited for', async () => {
  const world = await TransactionWorld.ready();
  world.leaders.leaders.set('t-0', { kind: 'none' });
  await committing(world);
  await world.run(5000);
  assert.deepEqual([world.state, world.leaders.requests.length], ['PrepareCommit', 0]);
  world.leaders.leaders.clear();
  await world.run(200);
  assert.equal(world.state, 'CompleteCommit');
});

test('a partition that this broker has not heard of yet is no deleted one', async () => {
  const world = await TransactionWorld.ready();
  world.leaders.leaders.set('t-0', { kind: 'unknown' });
  await committing(world);
  await world.run(1000);
  world.leaders.isCut = true;
  await world.run(1000);
  assert.equal(world.state, 'PrepareCommit', 'not even while ZooKeeper cannot be asked');
  world.leaders.isCut = false;
  world.leaders.leaders.clear();
  await world.run(200);
  assert.deepEqual(markedPartitions(world), [0]);
  assert.equal(world.state, 'CompleteCommit');
});

test('a deleted partition needs no marker', async () => {
  const world = await TransactionWorld.ready();
  world.leaders.leaders.set('t-0', { kind: 'unknown' });
  world.leaders.gone.add('t-0');
  await committing(world, { partitions: [0, 1] });
  await world.run(0);
  assert.deepEqual(markedPartitions(world), [1]);
  assert.equal(world.state, 'CompleteCommit');
});

test('a log that knows no transactions needs none either', async () => {
  const world = await TransactionWorld.ready();
  world.leaders.failures.set('t-0', [UNSUPPORTED_FOR_MESSAGE_FORMAT]);
  await committing(world);
  assert.equal(world.state, 'CompleteCommit');
});

for (const errorCode of [INVALID_PRODUCER_EPOCH, TRANSACTION_COORDINATOR_FENCED]) {
  test(`after ${errorCode} the end is another’s to tell`, async () => {
    const world = await TransactionWorld.ready();
    world.leaders.failures.set('t-0', [errorCode]);
    await committing(world);
    await world.run(5000);
    assert.deepEqual([world.state, world.leaders.requests.length], ['PrepareCommit', 1]);
  });
}

test('nothing is sent by a coordinator that has ended', async () => {
  const world = await TransactionWorld.ready();
  world.leaders.isCut = true;
  await committing(world);
  world.kill();
  await world.run(5000);
  assert.equal(world.leaders.requests.length, 1);
});
