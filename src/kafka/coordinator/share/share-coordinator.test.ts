import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ErrorCode } from '../../protocol/errors.ts';
import type { Outcome } from './share-coordinator.ts';
import { coordinatorKeyOf, parseCoordinatorKey } from './share-key.ts';
import type { StateBatch } from './state-batches.ts';
import { KEY, ShareWorld, TOPIC_ID } from './testkit/share-world.ts';

const batch = (firstOffset: number, lastOffset: number, deliveryState: number, deliveryCount: number): StateBatch => ({
  firstOffset,
  lastOffset,
  deliveryState,
  deliveryCount,
});

test('coordinator keys name a group, a topic and a partition', () => {
  assert.deepEqual(parseCoordinatorKey(coordinatorKeyOf(KEY)), KEY);
  for (const text of ['bad', `g:${TOPIC_ID}`, 'g:xx:0', `g:${TOPIC_ID}:x`, `:${TOPIC_ID}:0`, `g:${TOPIC_ID}:0:1`]) {
    assert.equal(parseCoordinatorKey(text), undefined, text);
  }
});

test('a share partition is read and written only once it is initialized', () => {
  const world = new ShareWorld();
  assert.equal(world.read()?.errorMessage, 'Read operation on uninitialized share partition not allowed.');
  assert.equal(world.write()?.errorCode, ErrorCode.INVALID_REQUEST);
  assert.equal(world.summary()?.startOffset, -1, 'a summary tells that there is none');
  assert.equal(world.initialize({ startOffset: 5, stateEpoch: 3 })?.errorCode, ErrorCode.NONE);
  assert.deepEqual(world.summary(), {
    errorCode: 0,
    errorMessage: null,
    stateEpoch: 3,
    leaderEpoch: 0,
    startOffset: 5,
    deliveryCompleteCount: 0,
  });
  assert.equal(world.delete()?.errorCode, ErrorCode.NONE);
  assert.equal(world.read()?.errorCode, ErrorCode.INVALID_REQUEST);
});

test('what no topic has is refused', () => {
  const world = new ShareWorld();
  world.initialize();
  assert.equal(world.initialize({}, { partition: 2 })?.errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  assert.equal(world.summary({ partition: 2 })?.errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  assert.equal(world.delete({ partition: -1 })?.errorMessage, 'The partition id cannot be a negative number.');
  assert.equal(world.write({ leaderEpoch: -1 })?.errorMessage, 'The leader epoch cannot be a negative number.');
  assert.equal(world.initialize({ stateEpoch: -1 })?.errorMessage, 'The state epoch cannot be a negative number.');
});

test('a leader that has read refuses the leader before it', () => {
  const world = new ShareWorld();
  world.initialize();
  assert.equal(world.read(2)?.errorCode, ErrorCode.NONE);
  assert.equal(world.write({ leaderEpoch: 1 })?.errorCode, ErrorCode.FENCED_LEADER_EPOCH);
  assert.equal(world.read(1)?.errorCode, ErrorCode.FENCED_LEADER_EPOCH);
  assert.equal(world.write({ leaderEpoch: 2 })?.errorCode, ErrorCode.NONE);
  world.initialize({ stateEpoch: 1 });
  assert.equal(world.write({ leaderEpoch: 1, stateEpoch: 1 })?.errorCode, ErrorCode.FENCED_LEADER_EPOCH);
  assert.equal(world.write({ leaderEpoch: 2, stateEpoch: 0 })?.errorCode, ErrorCode.FENCED_STATE_EPOCH);
  assert.equal(world.initialize({ stateEpoch: 0 })?.errorCode, ErrorCode.FENCED_STATE_EPOCH);
});

test('start offset and complete count never go back', () => {
  const world = new ShareWorld();
  world.initialize();
  world.write({ startOffset: 7, deliveryCompleteCount: 3, stateBatches: [batch(7, 9, 2, 1), batch(10, 12, 0, 1)] });
  world.write({ startOffset: 6, deliveryCompleteCount: 1, stateBatches: [batch(8, 8, 4, 3), batch(5, 6, 0, 1)] });
  const read = world.read();
  assert.equal(read?.startOffset, 7);
  assert.deepEqual(read?.stateBatches, [batch(7, 7, 2, 1), batch(8, 8, 4, 3), batch(9, 9, 2, 1), batch(10, 12, 0, 1)]);
  assert.equal(world.summary()?.deliveryCompleteCount, 3);
  world.write({ startOffset: 9, deliveryCompleteCount: -1 });
  assert.equal(world.summary()?.deliveryCompleteCount, -1, 'what the leader does not know is unknown');
});

test('after so many updates a snapshot says all at once', () => {
  const world = new ShareWorld({ updatesPerSnapshot: 2 });
  world.initialize();
  for (let offset = 0; offset < 5; offset += 1) world.write({ stateBatches: [batch(offset, offset, 2, 1)] });
  assert.deepEqual(
    world.topic.records().map(({ kind, value }) => `${kind} ${value?.snapshotEpoch}`),
    ['snapshot 0', 'update 0', 'update 0', 'snapshot 1', 'update 1', 'update 1'],
  );
  assert.deepEqual(world.topic.records()[3]?.value?.stateBatches, [batch(0, 2, 2, 1)]);
});

test('what is not in the log yet is not told', () => {
  const world = new ShareWorld();
  world.initialize();
  world.topic.isHeld = true;
  const writing: { outcome?: Outcome } = world.writing({ startOffset: 4 });
  assert.equal(world.summary(), undefined);
  assert.ok(!('outcome' in writing));
  world.topic.commit();
  assert.equal(writing.outcome?.errorCode, ErrorCode.NONE);
  assert.equal(world.summary()?.startOffset, 4);
});

test('a failed append takes back what was decided from it', () => {
  const world = new ShareWorld();
  world.initialize();
  world.topic.isHeld = true;
  world.topic.failures.push({ errorCode: ErrorCode.NOT_ENOUGH_REPLICAS, isWritten: false });
  const failing = world.writing({ startOffset: 4 });
  const following = world.writing({ startOffset: 2, stateBatches: [batch(2, 2, 0, 1)] });
  world.topic.isHeld = false;
  world.topic.commit();
  assert.equal(failing.outcome?.errorCode, ErrorCode.COORDINATOR_NOT_AVAILABLE);
  assert.equal(following.outcome?.errorCode, ErrorCode.NOT_COORDINATOR);
  assert.equal(world.summary()?.errorCode, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
  world.run(1);
  assert.deepEqual(world.read()?.startOffset, world.topic.records().at(-1)?.value?.startOffset);
});

test('the log forgets what nobody needs, and a restart finds the rest', () => {
  const world = new ShareWorld({ updatesPerSnapshot: 1, coldSnapshotIntervalMs: 3000 });
  world.initialize();
  world.initialize({}, { partition: 1 });
  for (let offset = 1; offset < 6; offset += 1) world.write({ startOffset: offset });
  world.run(1000);
  assert.equal(world.topic.startOffset, 1, 'the partition that nobody changes holds the log');
  world.run(7000);
  assert.ok(world.topic.startOffset > 1, 'until it has a snapshot anew');
  world.restart();
  assert.equal(world.read()?.startOffset, 5);
  assert.equal(world.read(0, { partition: 1 })?.errorCode, ErrorCode.NONE);
});

test('state of a deleted topic goes with it', () => {
  const world = new ShareWorld();
  world.initialize();
  world.coordinator.onTopicsDeleted(new Set([TOPIC_ID]));
  assert.equal(world.read()?.errorCode, ErrorCode.INVALID_REQUEST);
  assert.equal(world.topic.records().at(-1)?.value, null);
});

test('whoever does not lead is no coordinator', () => {
  const world = new ShareWorld();
  world.initialize();
  world.coordinator.onResigned(0);
  assert.equal(world.read()?.errorCode, ErrorCode.NOT_COORDINATOR);
  world.coordinator.onElected(0, 2);
  assert.equal(world.read()?.errorCode, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
  world.run(1);
  assert.equal(world.read()?.errorCode, ErrorCode.NONE);
});

test('after any writes, prunings and snapshots a restart reads what was there', () => {
  const write = fc.record({
    kind: fc.constant('write' as const),
    partition: fc.nat(1),
    startOffset: fc.nat(20),
    first: fc.nat(20),
    length: fc.nat(5),
    state: fc.constantFrom(0, 2, 4),
    count: fc.integer({ min: 1, max: 3 }),
  });
  const wait = fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(3000) });
  fc.assert(
    fc.property(fc.array(fc.oneof({ arbitrary: write, weight: 4 }, wait), { maxLength: 30 }), (steps) => {
      const world = new ShareWorld();
      world.initialize();
      world.initialize({}, { partition: 1 });
      for (const step of steps) {
        if (step.kind === 'wait') world.run(step.ms);
        else {
          const stateBatches = [batch(step.first, step.first + step.length, step.state, step.count)];
          world.write({ startOffset: step.startOffset, stateBatches }, { partition: step.partition });
        }
      }
      const all = (): unknown =>
        [0, 1].flatMap((partition) => [world.summary({ partition }), world.read(0, { partition })]);
      const before = all();
      world.restart();
      assert.deepEqual(all(), before);
    }),
    { numRuns: 60 },
  );
});
