import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../../protocol/errors.ts';
import { type Producer, TransactionWorld } from './testkit/transaction-world.ts';

const {
  NONE,
  CONCURRENT_TRANSACTIONS,
  PRODUCER_FENCED,
  INVALID_TXN_STATE,
  INVALID_PRODUCER_ID_MAPPING,
  INVALID_REQUEST,
  INVALID_TRANSACTION_TIMEOUT,
  NOT_COORDINATOR,
  COORDINATOR_NOT_AVAILABLE,
  COORDINATOR_LOAD_IN_PROGRESS,
  TRANSACTION_ABORTABLE,
  TRANSACTIONAL_ID_NOT_FOUND,
  NOT_ENOUGH_REPLICAS,
  NOT_ENOUGH_REPLICAS_AFTER_APPEND,
  NOT_LEADER_OR_FOLLOWER,
  KAFKA_STORAGE_ERROR,
  UNKNOWN_SERVER_ERROR,
} = ErrorCode;

const LAST_EPOCH = 32_766;

/** A producer of the id with an epoch, without the way there. */
async function withEpoch(
  world: TransactionWorld,
  epoch: number,
  state: 'Empty' | 'Ongoing' = 'Empty',
): Promise<Producer> {
  const { producerId } = await world.init();
  const [record] = world.topic.records(0).slice(-1);
  const metadata = { ...record!.metadata!, producerEpoch: epoch, state };
  world.topic.put(0, [{ id: 'tx', metadata }]);
  await world.restart();
  return { errorCode: NONE, producerId, producerEpoch: epoch };
}

async function withRecords(): Promise<TransactionWorld> {
  const world = await TransactionWorld.ready();
  await world.init({ id: 'stored' });
  return world;
}

test('a transaction is in the log before anybody hears of it, and in its partitions afterwards', async () => {
  const world = await TransactionWorld.ready();
  const producer = await world.init();
  assert.deepEqual([producer.errorCode, producer.producerEpoch], [NONE, 0]);
  assert.equal(world.add(producer, { partitions: [0, 1] }).answer, NONE);
  world.leaders.isHeld = true;
  world.topic.isHeld = true;
  const ended = world.end(producer, true);
  assert.equal(ended.count, 0);
  assert.equal(world.leaders.requests.length, 0, 'no marker tells of what may be lost');
  world.topic.commit();
  assert.equal(ended.answer?.errorCode, NONE);
  assert.equal(world.state, 'PrepareCommit');
  world.topic.isHeld = false;
  world.leaders.release();
  await world.run(10);
  assert.equal(world.state, 'CompleteCommit');
  assert.deepEqual(world.states(), ['Empty', 'Ongoing', 'PrepareCommit', 'CompleteCommit']);
  assert.deepEqual(
    world.leaders.marked.map(({ partition, committed, producerEpoch }) => [partition, committed, producerEpoch]),
    [
      [0, true, 0],
      [1, true, 0],
    ],
  );
});

test('while one change is under way, nothing else changes', async () => {
  const world = await TransactionWorld.ready();
  const producer = await world.init();
  world.topic.isHeld = true;
  const added = world.add(producer);
  assert.equal(world.add(producer, { partitions: [1] }).answer, CONCURRENT_TRANSACTIONS);
  assert.equal(world.end(producer, true).answer?.errorCode, CONCURRENT_TRANSACTIONS);
  assert.equal((await world.init()).errorCode, CONCURRENT_TRANSACTIONS);
  assert.equal(world.verify(producer), TRANSACTION_ABORTABLE);
  world.topic.commit();
  assert.equal(added.answer, NONE);
  assert.equal(world.verify(producer), NONE);
  assert.equal(added.count, 1);
});

test('until every partition has its marker the next transaction has to wait', async () => {
  const world = await TransactionWorld.ready();
  const producer = await world.init();
  world.add(producer, { partitions: [0, 1] });
  world.leaders.failures.set('t-1', [NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR]);
  world.end(producer, true);
  await world.run(10);
  assert.deepEqual(world.describe().topics, [{ topic: 't', partitions: [1] }], 'one partition lacks its marker');
  assert.equal(world.verify(producer), CONCURRENT_TRANSACTIONS);
  assert.equal(world.end(producer, true).answer?.errorCode, CONCURRENT_TRANSACTIONS);
  assert.equal(world.end(producer, false).answer?.errorCode, CONCURRENT_TRANSACTIONS);
  const next = world.add(producer);
  await world.run(99);
  assert.equal(next.count, 0, 'the broker waits for a while');
  await world.run(1);
  assert.equal(next.answer, CONCURRENT_TRANSACTIONS, 'then the producer does');
  await world.run(300);
  assert.equal(next.count, 1);
  assert.equal(world.state, 'CompleteCommit');
  assert.equal(world.add(producer).answer, NONE);
});

test('the next transaction begins as soon as every partition has its marker', async () => {
  const world = await TransactionWorld.ready();
  const producer = await world.init();
  world.add(producer, { partitions: [0, 1] });
  world.topic.isHeld = true;
  world.leaders.isHeld = true;
  world.end(producer, true);
  const next = world.add(producer, { partitions: [2] });
  world.topic.commit();
  assert.equal(world.state, 'PrepareCommit');
  await world.run(50);
  assert.equal(next.count, 0);
  world.leaders.release();
  world.topic.isHeld = false;
  await world.run(0);
  assert.deepEqual([next.answer, world.state], [NONE, 'Ongoing']);
  assert.deepEqual(world.describe().topics, [{ topic: 't', partitions: [2] }]);
  await world.run(200);
  assert.equal(next.count, 1);
});

test('who waits for the end of a transaction that another broker coordinates by then is told so', async () => {
  const world = await TransactionWorld.ready();
  const producer = await world.init();
  world.add(producer);
  world.leaders.isHeld = true;
  world.end(producer, true);
  const next = world.add(producer);
  world.coordinator.onResigned(0);
  await world.run(100);
  assert.equal(next.answer, NOT_COORDINATOR);
});

test('what cannot be is refused', async () => {
  const world = await TransactionWorld.ready();
  const producer = await world.init();
  assert.equal(world.end(producer, true).answer?.errorCode, INVALID_TXN_STATE);
  assert.equal(world.end(producer, false).answer?.errorCode, INVALID_TXN_STATE);
  assert.equal(world.add({ ...producer, producerId: 1 }).answer, INVALID_PRODUCER_ID_MAPPING);
  assert.equal(world.add({ ...producer, producerEpoch: 1 }).answer, PRODUCER_FENCED);
  assert.equal(world.add(producer, { id: '' }).answer, INVALID_REQUEST);
  assert.equal(world.add(producer, { id: 'other' }).answer, INVALID_PRODUCER_ID_MAPPING);
  assert.equal(world.end(producer, true, { id: '' }).answer?.errorCode, INVALID_REQUEST);
  assert.equal((await world.init({ id: '' })).errorCode, INVALID_REQUEST);
  for (const timeoutMs of [0, -5, 900_001]) {
    assert.equal((await world.init({ timeoutMs })).errorCode, INVALID_TRANSACTION_TIMEOUT);
  }
  world.add(producer);
  world.end(producer, true);
  await world.run(10);
  assert.equal(world.end(producer, true).answer?.errorCode, NONE, 'the same end again');
  assert.equal(world.end(producer, false).answer?.errorCode, INVALID_TXN_STATE, 'the other end');
});

test('another producer fences the first: its transaction is aborted, and it commits nothing any more', async () => {
  const world = await TransactionWorld.ready();
  const first = await world.init();
  world.add(first);
  assert.equal((await world.init()).errorCode, CONCURRENT_TRANSACTIONS);
  const second = await world.init();
  assert.deepEqual([second.errorCode, second.producerEpoch], [NONE, 2], 'the epoch between fences and is nobody’s');
  assert.equal(world.end(first, true).answer?.errorCode, PRODUCER_FENCED);
  assert.equal(world.verify(first), PRODUCER_FENCED);
  assert.deepEqual(world.states(), ['Empty', 'Ongoing', 'PrepareAbort', 'CompleteAbort', 'Empty']);
  assert.deepEqual(
    world.leaders.marked.map(({ committed, producerEpoch }) => [committed, producerEpoch]),
    [[false, 1]],
  );
});

test('a fence whose epoch did not reach the log fences all the same, and uses the epoch again', async () => {
  const world = await TransactionWorld.ready();
  const first = await world.init();
  world.add(first);
  world.topic.failures.push({ errorCode: NOT_ENOUGH_REPLICAS, isWritten: false });
  assert.equal((await world.init()).errorCode, COORDINATOR_NOT_AVAILABLE);
  assert.equal(world.end(first, true).answer?.errorCode, PRODUCER_FENCED);
  assert.equal((await world.init()).errorCode, CONCURRENT_TRANSACTIONS);
  assert.equal((await world.init()).producerEpoch, 2);
});

test('a producer that names itself goes on with the next epoch, and may ask twice (KIP-360)', async () => {
  const world = await TransactionWorld.ready();
  const first = await world.init({ as: { producerId: 99, producerEpoch: 7 } });
  assert.equal(first.producerEpoch, 0, 'a new id gives whoever asks a new identity');
  const second = await world.init({ as: first });
  assert.equal(second.producerEpoch, 1);
  assert.equal((await world.init({ as: first })).producerEpoch, 1, 'the answer was lost');
  assert.equal((await world.init({ as: second })).producerEpoch, 2);
  assert.equal((await world.init({ as: first })).errorCode, PRODUCER_FENCED);
  const other = await world.init();
  assert.equal(other.producerEpoch, 3);
  assert.equal((await world.init({ as: { ...other, producerEpoch: 2 } })).errorCode, PRODUCER_FENCED);
  assert.equal((await world.init({ as: { producerId: 99, producerEpoch: 0 } })).errorCode, PRODUCER_FENCED);
});

test('used-up epochs bring a new producer id, also for a client that asks twice', async () => {
  const world = await TransactionWorld.ready();
  const last = await withEpoch(world, LAST_EPOCH - 1);
  const exhausted = await world.init({ as: last });
  assert.deepEqual([exhausted.producerId, exhausted.producerEpoch], [last.producerId, LAST_EPOCH]);
  const renewed = await world.init({ as: exhausted });
  assert.notEqual(renewed.producerId, last.producerId);
  assert.equal(renewed.producerEpoch, 0);
  const again = await world.init({ as: exhausted });
  assert.deepEqual([again.producerId, again.producerEpoch], [renewed.producerId, 0], 'the answer was lost');
  assert.equal(world.add(exhausted).answer, INVALID_PRODUCER_ID_MAPPING);
});

test('a producer of the last epoch can still be fenced', async () => {
  const world = await TransactionWorld.ready();
  const last = await withEpoch(world, LAST_EPOCH, 'Ongoing');
  assert.equal((await world.init()).errorCode, CONCURRENT_TRANSACTIONS);
  assert.equal(world.describe().producerEpoch, LAST_EPOCH + 1);
  const next = await world.init();
  assert.notEqual(next.producerId, last.producerId);
  assert.equal(next.producerEpoch, 0);
});

test('without a producer id to give, a client is told to ask again', async () => {
  const world = await TransactionWorld.ready();
  world.hasNoIds = true;
  assert.equal((await world.init()).errorCode, COORDINATOR_LOAD_IN_PROGRESS);
  world.hasNoIds = false;
  assert.equal((await world.init()).errorCode, NONE);
});

test('two producers that ask at once for a new id get one identity after the other', async () => {
  const world = await TransactionWorld.ready();
  const pending = [world.initLater(), world.initLater()];
  await world.run(10);
  assert.deepEqual(
    pending.map(({ answer }) => answer?.producerEpoch),
    [0, 1],
  );
  assert.equal(pending[0]?.answer?.producerId, pending[1]?.answer?.producerId);
});

// ---- time

test('a transaction that is open for too long is aborted and its producer fenced', async () => {
  const world = await TransactionWorld.ready({ abortIntervalMs: 1000 });
  const producer = await world.init({ timeoutMs: 5000 });
  world.add(producer);
  await world.run(4000);
  assert.equal(world.state, 'Ongoing');
  world.add(producer, { partitions: [1] });
  await world.run(3000);
  assert.equal(world.state, 'CompleteAbort', 'a second partition does not buy time');
  assert.equal(world.describe().producerEpoch, 1);
  assert.equal(world.end(producer, true).answer?.errorCode, PRODUCER_FENCED);
});

test('an id that nobody uses is forgotten, unless something is under way', async () => {
  const world = await TransactionWorld.ready({ idExpirationMs: 100_000, expiryIntervalMs: 10_000 });
  const idle = await world.init({ id: 'idle' });
  const open = await world.init({ id: 'open', timeoutMs: 900_000 });
  world.add(open, { id: 'open' });
  await world.init({ id: 'late' });
  await world.run(60_000);
  await world.init({ id: 'late' });
  await world.run(60_000);
  assert.equal(world.describe('idle').errorCode, TRANSACTIONAL_ID_NOT_FOUND);
  assert.equal(world.describe('open').transactionState, 'Ongoing');
  assert.equal(world.describe('late').transactionState, 'Empty');
  assert.deepEqual(world.states('idle'), ['Empty', null]);
  assert.equal(world.add(idle, { id: 'idle' }).answer, INVALID_PRODUCER_ID_MAPPING);
  await world.restart();
  assert.equal(world.describe('idle').errorCode, TRANSACTIONAL_ID_NOT_FOUND);
});

test('a tombstone that fails leaves the id as it was', async () => {
  const world = await TransactionWorld.ready({ idExpirationMs: 10_000, expiryIntervalMs: 10_000 });
  const producer = await world.init();
  world.topic.failures.push({ errorCode: NOT_ENOUGH_REPLICAS, isWritten: false });
  await world.run(21_000);
  assert.equal(world.topic.failures.length, 0);
  assert.equal(world.state, 'Empty');
  assert.equal(world.add(producer).answer, NONE);
});

test('many ids are forgotten in batches that any topic takes', async () => {
  const world = await TransactionWorld.ready({ idExpirationMs: 10_000, expiryIntervalMs: 10_000 });
  for (let index = 0; index < 40; index += 1) await world.init({ id: `${index}`.padEnd(1000, 'x') });
  const before = world.topic.batchCount(0);
  await world.run(30_000);
  assert.deepEqual(world.list().transactionStates, []);
  assert.equal(world.topic.batchCount(0) - before, 3);
});

// ---- loading, leadership, failures of the log

test('after a restart a committed transaction is committed everywhere, by the later epoch', async () => {
  const world = await TransactionWorld.ready();
  const producer = await world.init();
  world.add(producer, { partitions: [0, 1] });
  world.leaders.isHeld = true;
  world.end(producer, true);
  await world.run(10);
  world.kill();
  world.leaders.isHeld = false;
  await world.restart();
  await world.run(10);
  assert.equal(world.state, 'CompleteCommit');
  assert.deepEqual(
    world.leaders.marked.map(({ partition, committed, coordinatorEpoch }) => [partition, committed, coordinatorEpoch]),
    [
      [0, true, 1],
      [1, true, 1],
    ],
  );
});

test('an open transaction is open after a restart, and its time goes on', async () => {
  const world = await TransactionWorld.ready({ abortIntervalMs: 1000 });
  const producer = await world.init({ timeoutMs: 5000 });
  world.add(producer);
  await world.run(3000);
  await world.restart();
  assert.equal(world.state, 'Ongoing');
  assert.equal(world.verify(producer), NONE);
  await world.run(3500);
  assert.equal(world.state, 'CompleteAbort');
});

test('whoever does not lead the partition, or is still reading it, says so', async () => {
  const world = new TransactionWorld();
  assert.equal((await world.init()).errorCode, NOT_COORDINATOR);
  assert.equal(world.describe().errorCode, NOT_COORDINATOR);
  const [stored] = (await withRecords()).topic.records(0);
  world.topic.put(0, [stored!]);
  world.coordinator.onElected(0, 3);
  const loading = world.initLater();
  assert.equal(loading.answer?.errorCode, COORDINATOR_LOAD_IN_PROGRESS);
  assert.equal(world.list().errorCode, COORDINATOR_LOAD_IN_PROGRESS);
  await world.run(10);
  const producer = await world.init();
  assert.equal(producer.errorCode, NONE);
  world.coordinator.onResigned(0);
  assert.equal(world.add(producer).answer, NOT_COORDINATOR);
  assert.deepEqual(world.list(), { ...world.list(), errorCode: NONE, transactionStates: [] });
  world.kill();
  assert.equal(world.list().errorCode, COORDINATOR_NOT_AVAILABLE);
  assert.equal(world.describe().errorCode, COORDINATOR_NOT_AVAILABLE);
});

test('an end that is in the log when the partition is lost is not told, but another coordinator finishes it', async () => {
  const world = await TransactionWorld.ready();
  const producer = await world.init();
  world.add(producer);
  world.topic.isHeld = true;
  const ended = world.end(producer, true);
  world.coordinator.onResigned(0);
  world.topic.isHeld = false;
  world.topic.commit();
  assert.equal(ended.answer?.errorCode, NOT_COORDINATOR);
  assert.equal(world.leaders.requests.length, 0);
  world.coordinator.onElected(0, world.nextEpoch());
  await world.run(10);
  assert.equal(world.state, 'CompleteCommit');
  assert.equal(world.leaders.marked[0]?.coordinatorEpoch, 1);
});

test('markers of an election of the past are not sent any more', async () => {
  const world = await TransactionWorld.ready();
  const producer = await world.init();
  world.add(producer);
  world.leaders.leaders.set('t-0', { kind: 'none' });
  world.end(producer, true);
  await world.run(10);
  world.coordinator.onElected(0, world.nextEpoch());
  world.leaders.leaders.clear();
  await world.run(500);
  assert.deepEqual(
    world.leaders.marked.map(({ coordinatorEpoch }) => coordinatorEpoch),
    [1],
  );
  assert.equal(world.state, 'CompleteCommit');
});

for (const { errorCode, isWritten, told } of [
  { errorCode: NOT_ENOUGH_REPLICAS, isWritten: false, told: COORDINATOR_NOT_AVAILABLE },
  { errorCode: NOT_ENOUGH_REPLICAS_AFTER_APPEND, isWritten: true, told: COORDINATOR_NOT_AVAILABLE },
  { errorCode: ErrorCode.REQUEST_TIMED_OUT, isWritten: true, told: COORDINATOR_NOT_AVAILABLE },
  { errorCode: NOT_LEADER_OR_FOLLOWER, isWritten: false, told: NOT_COORDINATOR },
  { errorCode: ErrorCode.RECORD_LIST_TOO_LARGE, isWritten: false, told: UNKNOWN_SERVER_ERROR },
]) {
  test(`an end whose append fails with ${errorCode} is no end yet`, async () => {
    const world = await TransactionWorld.ready();
    const producer = await world.init();
    world.add(producer);
    world.topic.failures.push({ errorCode, isWritten });
    assert.equal(world.end(producer, true).answer?.errorCode, told);
    await world.run(1000);
    assert.equal(world.state, 'Ongoing');
    assert.equal(world.leaders.requests.length, 0);
    assert.equal(world.end(producer, true).answer?.errorCode, NONE);
    await world.run(10);
    assert.equal(world.state, 'CompleteCommit');
  });
}

for (const isWritten of [false, true]) {
  test(`an append in doubt is looked up in the log: ${isWritten ? 'it is there' : 'it is not'}`, async () => {
    const world = await TransactionWorld.ready();
    const producer = await world.init();
    world.add(producer);
    world.topic.failures.push({ errorCode: UNKNOWN_SERVER_ERROR, isWritten });
    assert.equal(world.end(producer, true).answer?.errorCode, UNKNOWN_SERVER_ERROR);
    await world.run(10);
    assert.equal(world.state, isWritten ? 'CompleteCommit' : 'Ongoing');
  });
}

test('the last record of a transaction is written until it is there', async () => {
  const world = await TransactionWorld.ready();
  const producer = await world.init();
  world.add(producer);
  const refused = { errorCode: NOT_ENOUGH_REPLICAS, isWritten: false };
  world.topic.failures.push({ errorCode: NONE, isWritten: true }, refused, refused);
  assert.equal(world.end(producer, true).answer?.errorCode, NONE);
  await world.run(150);
  assert.equal(world.state, 'PrepareCommit');
  const next = world.add(producer);
  await world.run(100);
  assert.equal(world.state, 'Ongoing');
  assert.equal(next.answer, NONE);
});

test('a new identity that does not reach the log is nobody’s', async () => {
  const world = await TransactionWorld.ready();
  world.topic.failures.push({ errorCode: NOT_ENOUGH_REPLICAS, isWritten: false });
  assert.equal((await world.init()).errorCode, COORDINATOR_NOT_AVAILABLE);
  assert.equal((await world.init()).producerEpoch, 0);
});

// ---- the newer protocol (KIP-890)

test('with the newer protocol each transaction has an epoch of its own', async () => {
  const world = await TransactionWorld.ready({ version: 2 });
  const first = await world.init();
  world.add(first, { version: 2 });
  const second = world.end(first, true, { version: 2 }).answer!;
  assert.deepEqual([second.errorCode, second.producerEpoch], [NONE, 1]);
  await world.run(10);
  assert.equal(world.leaders.marked[0]?.producerEpoch, 1, 'the marker fences what comes late');
  assert.equal(world.end(first, true, { version: 2 }).answer?.producerEpoch, 1, 'the same end again');
  assert.equal(world.end(first, false, { version: 2 }).answer?.errorCode, INVALID_TXN_STATE);
  assert.equal(world.add(first, { version: 2 }).answer, PRODUCER_FENCED);
  assert.equal(world.end(second, true, { version: 2 }).answer?.errorCode, INVALID_TXN_STATE);
  assert.equal(world.end(second, false, { version: 2 }).answer?.producerEpoch, 2, 'an abort of nothing');
  await world.run(10);
  await world.restart();
  assert.equal(world.describe().producerEpoch, 2);
});

test('with the newer protocol used-up epochs bring a new producer id with the end of a transaction', async () => {
  const world = await TransactionWorld.ready({ version: 2 });
  const last = await withEpoch(world, LAST_EPOCH);
  world.add(last, { version: 2 });
  const pending = world.end(last, true, { version: 2 });
  await world.run(10);
  const renewed = pending.answer!;
  assert.notEqual(renewed.producerId, last.producerId);
  assert.equal(renewed.producerEpoch, 0);
  assert.deepEqual(
    world.leaders.marked.map(({ producerId, producerEpoch }) => [producerId, producerEpoch]),
    [[last.producerId, LAST_EPOCH + 1]],
  );
  const again = world.end(last, true, { version: 2 });
  assert.deepEqual(again.answer, { ...renewed, errorCode: NONE }, 'the same end again');
  assert.equal(world.add(renewed, { version: 2 }).answer, NONE);
});

test('a new producer id outlives a crash between the two halves of an end', async () => {
  const world = await TransactionWorld.ready({ version: 2 });
  const last = await withEpoch(world, LAST_EPOCH);
  world.add(last, { version: 2 });
  world.leaders.isCut = true;
  const pending = world.end(last, true, { version: 2 });
  await world.run(10);
  const renewed = pending.answer!;
  world.kill();
  world.leaders.isCut = false;
  await world.restart();
  await world.run(200);
  assert.deepEqual(
    [world.describe().producerId, world.describe().producerEpoch],
    [renewed.producerId, renewed.producerEpoch],
  );
  assert.equal(world.end(last, true, { version: 2 }).answer?.producerId, renewed.producerId);
});

// ---- administration

test('ids are listed by state, producer, age and pattern', async () => {
  const world = await TransactionWorld.ready();
  const open = await world.init({ id: 'pay-1' });
  world.add(open, { id: 'pay-1' });
  await world.run(5000);
  const idle = await world.init({ id: 'ship-1' });
  const ids = (filters: object): string[] =>
    world
      .list(filters)
      .transactionStates.map(({ transactionalId }) => transactionalId)
      .sort();
  assert.deepEqual(ids({}), ['pay-1', 'ship-1']);
  assert.deepEqual(ids({ stateFilters: ['Ongoing'] }), ['pay-1']);
  assert.deepEqual(ids({ stateFilters: ['ongoing'] }), []);
  assert.deepEqual(world.list({ stateFilters: ['ongoing', 'Empty'] }).unknownStateFilters, ['ongoing']);
  assert.deepEqual(ids({ producerIdFilters: [idle.producerId] }), ['ship-1']);
  assert.deepEqual(ids({ stateFilters: ['Ongoing'], durationFilter: 4000 }), ['pay-1']);
  assert.deepEqual(ids({ stateFilters: ['Ongoing'], durationFilter: 6000 }), []);
  assert.deepEqual(ids({ transactionalIdPattern: 'pay-.*' }), ['pay-1']);
  assert.equal(world.list({ transactionalIdPattern: '(' }).errorCode, ErrorCode.INVALID_REGULAR_EXPRESSION);
});
