import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ErrorCode } from '../protocol/errors.ts';
import { AcknowledgeType } from './slot.ts';
import { DeliveryWorld, LOCK_MS } from './testkit/delivery-world.ts';
import { NaiveModel } from './testkit/naive-model.ts';

const range = (firstOffset: number, lastOffset: number, deliveryCount = 1) => ({
  firstOffset,
  lastOffset,
  deliveryCount,
});

test('a record that is not acknowledged in time comes again, with its count', () => {
  const world = new DeliveryWorld([3, 3]);
  assert.deepEqual(world.fetch('a'), [range(0, 5)]);
  assert.deepEqual(world.fetch('b'), [], 'a holds all');
  world.run(LOCK_MS - 10);
  assert.deepEqual(world.fetch('b'), []);
  const before = world.progressCount;
  world.run(20);
  assert.ok(world.progressCount > before, 'who waits is told');
  assert.deepEqual(world.fetch('b'), [range(0, 5, 2)]);
});

test('a renewed record stays with its member', () => {
  const world = new DeliveryWorld([4]);
  world.fetch('a');
  world.run(LOCK_MS / 2);
  assert.equal(world.acknowledge('a', 1, 2, [AcknowledgeType.renew]).error, undefined);
  world.run(LOCK_MS / 2 + 10);
  assert.deepEqual(world.fetch('b'), [range(0, 0, 2), range(3, 3, 2)]);
  world.run(LOCK_MS / 2);
  assert.deepEqual(world.fetch('b'), [range(1, 2, 2)]);
});

test('where the group allows none, nothing is renewed', () => {
  const world = new DeliveryWorld([4], { isRenewEnabled: false });
  world.fetch('a');
  const { error } = world.acknowledge('a', 0, 3, [AcknowledgeType.renew]);
  assert.equal(error?.code, ErrorCode.INVALID_RECORD_STATE);
});

test('one refused acknowledgement leaves the others of its request undone', () => {
  const world = new DeliveryWorld([2, 2]);
  world.fetch('a', { maxRecords: 2 });
  let refusal: number | undefined;
  world.share.acknowledge(
    'a',
    [
      { firstOffset: 0, lastOffset: 0, acknowledgeTypes: [AcknowledgeType.accept] },
      { firstOffset: 1, lastOffset: 2, acknowledgeTypes: [AcknowledgeType.accept] },
    ],
    (error) => {
      refusal = error?.code;
    },
  );
  assert.equal(refusal, ErrorCode.INVALID_REQUEST);
  assert.equal(world.acknowledge('a', 0, 1, [AcknowledgeType.accept]).error, undefined);
});

test('at most so many records are in flight', () => {
  const world = new DeliveryWorld([5, 5, 5], { inFlightMax: 8 });
  assert.deepEqual(world.fetch('a', { maxRecords: 5 }), [range(0, 4)]);
  assert.deepEqual(world.fetch('a', { maxRecords: 100 }), [range(5, 9)], 'a batch comes whole');
  assert.deepEqual(world.fetch('a'), []);
  world.acknowledge('a', 5, 9, [AcknowledgeType.accept]);
  assert.deepEqual(world.fetch('a'), [], 'what the start offset cannot pass is in flight too');
  world.acknowledge('a', 0, 4, [AcknowledgeType.accept]);
  assert.deepEqual(world.fetch('a'), [range(10, 14)]);
});

test('exactly so many records, and the rest of the batch to the next', () => {
  const world = new DeliveryWorld([5]);
  assert.deepEqual(world.fetch('a', { maxRecords: 3, isStrict: true }), [range(0, 2)]);
  assert.deepEqual(world.fetch('b', { maxRecords: 3, isStrict: true }), [range(3, 4)]);
});

test('records that failed often come in smaller parts, and at last alone', () => {
  const world = new DeliveryWorld([8], { deliveryCountMax: 5 });
  const counts: number[][] = [];
  for (let attempt = 0; attempt < 5; attempt += 1) {
    counts.push(world.fetch('a').flatMap(({ firstOffset, lastOffset }) => [firstOffset, lastOffset]));
    world.run(LOCK_MS + 10);
  }
  assert.deepEqual(counts, [
    [0, 7],
    [0, 7],
    [0, 7],
    [0, 3],
    [0, 0],
  ]);
});

test('what the log has no more is not delivered', () => {
  const world = new DeliveryWorld([5, 5]);
  world.fetch('a', { maxRecords: 5 });
  world.share.records.logStartMoved(3);
  assert.equal(world.acknowledge('a', 0, 4, [AcknowledgeType.release]).error, undefined);
  assert.deepEqual(world.fetch('a'), [range(3, 4, 2), range(5, 9)]);
});

test('what cannot be stored is with its member again', () => {
  const world = new DeliveryWorld([4]);
  world.fetch('a');
  world.shares.topic.failures.push({ errorCode: ErrorCode.NOT_ENOUGH_REPLICAS, isWritten: false });
  const failing = world.acknowledge('a', 0, 3, [AcknowledgeType.accept]);
  assert.equal(failing.error?.code, ErrorCode.COORDINATOR_NOT_AVAILABLE);
  world.run(10);
  assert.deepEqual(world.fetch('b'), []);
  assert.equal(world.acknowledge('a', 0, 3, [AcknowledgeType.accept]).error, undefined);
});

test('what could not be stored comes again when its time was over meanwhile', () => {
  const world = new DeliveryWorld([4]);
  world.fetch('a');
  world.shares.topic.isHeld = true;
  world.shares.topic.failures.push({ errorCode: ErrorCode.NOT_ENOUGH_REPLICAS, isWritten: false });
  const failing = world.acknowledge('a', 0, 3, [AcknowledgeType.accept]);
  world.run(LOCK_MS + 10);
  assert.ok(!failing.isAnswered);
  world.shares.topic.isHeld = false;
  world.shares.topic.commit();
  world.run(10);
  assert.ok(failing.error);
  assert.deepEqual(world.fetch('b'), [range(0, 3, 2)]);
});

test('what is not stored yet holds the start offset, whatever ends meanwhile', () => {
  const world = new DeliveryWorld([2, 2]);
  world.fetch('a');
  world.shares.topic.isHeld = true;
  world.shares.topic.failures.push({ errorCode: ErrorCode.NOT_ENOUGH_REPLICAS, isWritten: false });
  world.acknowledge('a', 0, 1, [AcknowledgeType.accept]);
  world.run(LOCK_MS + 10);
  assert.equal(world.share.records.startOffset, 0);
  world.shares.topic.isHeld = false;
  world.shares.topic.commit();
  world.run(10);
  assert.deepEqual(world.fetch('b'), [range(0, 3, 2)]);
});

test('the rest of a batch that begins below the start offset is not taken for new', () => {
  const world = new DeliveryWorld([3]);
  world.fetch('a');
  world.acknowledge('a', 0, 0, [AcknowledgeType.accept]);
  world.share.release('a', () => undefined);
  world.crash();
  world.run(1);
  assert.deepEqual(world.fetch('b'), [range(1, 2, 2)]);
  world.acknowledge('b', 1, 1, [AcknowledgeType.accept]);
  world.run(LOCK_MS + 10);
  assert.deepEqual(world.fetch('b'), [range(2, 2, 3)]);
});

test('an acknowledged record counts only when it is stored', () => {
  const world = new DeliveryWorld([4]);
  world.fetch('a');
  world.shares.topic.isHeld = true;
  const waiting = world.acknowledge('a', 0, 3, [AcknowledgeType.accept]);
  assert.equal(world.share.records.startOffset, 0);
  assert.ok(!waiting.isAnswered);
  world.shares.topic.commit();
  assert.ok(waiting.isAnswered);
  assert.equal(world.share.records.startOffset, 4);
});

test('a leader that another has replaced can store nothing', () => {
  const world = new DeliveryWorld([4]);
  const old = world.share;
  world.fetch('a');
  world.shares.read(9);
  const late = world.acknowledge('a', 0, 3, [AcknowledgeType.accept]);
  assert.equal(late.error?.code, ErrorCode.NOT_LEADER_OR_FOLLOWER);
  assert.ok(old.isFenced);
});

const member = fc.constantFrom('a', 'b', 'c');
const step = fc.oneof(
  fc.record({
    kind: fc.constant('fetch' as const),
    member,
    maxRecords: fc.integer({ min: 1, max: 20 }),
    batchSize: fc.integer({ min: 1, max: 10 }),
    isStrict: fc.boolean(),
    batches: fc.integer({ min: 1, max: 5 }),
  }),
  fc.record({
    kind: fc.constant('acknowledge' as const),
    member,
    /** Into what the member holds, so that most acknowledgements are good ones. */
    first: fc.nat(100),
    length: fc.nat(6),
    types: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 7, maxLength: 7 }),
    perOffset: fc.boolean(),
    stray: fc.nat(10),
  }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(LOCK_MS) }),
  fc.record({ kind: fc.constant('leave' as const), member }),
  fc.record({ kind: fc.constant('crash' as const) }),
);

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
const take = { kind: 'fetch', member: 'a', maxRecords: 2, batchSize: 1, isStrict: true, batches: 1 } as const;
const renewSecond = [0, AcknowledgeType.renew, 0, 0, 0, 0, 0];
const renewed = { kind: 'acknowledge', member: 'a', first: 0, length: 2, perOffset: true, stray: 0 } as const;
/** A crash just when the acquisition ends; and a renewal within an acknowledgement that is refused. */
const foundByChance: [number[], Step[]][] = [
  [[1], [take, { kind: 'wait', ms: LOCK_MS - 1 }, { kind: 'crash' }]],
  [[1], [take, { kind: 'wait', ms: LOCK_MS }, { kind: 'crash' }]],
  [
    [3],
    [take, { kind: 'wait', ms: 448 }, { ...renewed, types: renewSecond }, { kind: 'wait', ms: 560 }, { kind: 'crash' }],
  ],
];

test('whatever members, time and crashes do, the rules of delivery hold', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 12 }),
      fc.array(step, { maxLength: 60 }),
      (sizes, steps) => {
        const world = new DeliveryWorld(sizes);
        const model = new NaiveModel(world.endOffset);
        for (const one of steps) {
          switch (one.kind) {
            case 'fetch':
              model.acquired(one.member, world.fetch(one.member, one), world.nowMs);
              break;
            case 'acknowledge': {
              const held = [...model.records.keys()].filter((offset) =>
                model.mayAcknowledge(one.member, offset, offset),
              );
              const first = one.stray === 0 ? one.first % world.endOffset : held[one.first % Math.max(1, held.length)];
              if (first === undefined) break;
              const last = Math.min(first + one.length, world.endOffset - 1);
              const types = one.perOffset ? one.types.slice(0, last - first + 1) : one.types.slice(0, 1);
              const isAllowed = model.mayAcknowledge(one.member, first, last);
              const from = Math.max(first, world.share.records.startOffset);
              const { error } = world.acknowledge(one.member, first, last, types);
              // What the start offset has passed is done, and acknowledged again without an error.
              if (last >= from && error === undefined)
                assert.ok(model.mayAcknowledge(one.member, from, last), `${first}-${last}`);
              if (isAllowed) assert.equal(error, undefined, `${first}-${last} is held: ${error?.message}`);
              const typesFrom = types.length > 1 ? types.slice(from - first) : types;
              if (isAllowed) model.acknowledged(first, last, types, world.nowMs);
              else if (error === undefined && last >= from) model.acknowledged(from, last, typesFrom, world.nowMs);
              // Offsets that were never delivered are refused before anything else is looked at.
              else if (error !== undefined && !error.message.startsWith('Batch record not found')) {
                model.refused(one.member, from, last, typesFrom, world.nowMs);
              }
              break;
            }
            case 'wait':
              world.run(one.ms);
              model.timePassed(world.nowMs);
              break;
            case 'leave':
              world.share.release(one.member, () => undefined);
              model.memberLeft(one.member);
              break;
            default:
              // Time that passes while another takes over ends no acquisition: nobody remembers them.
              model.crashed();
              world.crash();
              world.run(1);
          }
        }
        // In the end one patient member gets all that is left.
        world.run(LOCK_MS + 10);
        model.timePassed(world.nowMs);
        for (let round = 0; round < 1000 && world.share.records.startOffset < world.endOffset; round += 1) {
          const got = world.fetch('patient');
          assert.ok(got.length > 0, `nothing comes at ${world.share.records.startOffset} of ${world.endOffset}`);
          model.acquired('patient', got, world.nowMs);
          for (const { firstOffset, lastOffset } of got) {
            assert.equal(
              world.acknowledge('patient', firstOffset, lastOffset, [AcknowledgeType.accept]).error,
              undefined,
            );
            model.acknowledged(firstOffset, lastOffset, [AcknowledgeType.accept], world.nowMs);
          }
        }
        assert.ok(
          model.records.every(({ state }) => state === 'done'),
          'every record was acknowledged, or delivered as often as it may be',
        );
      },
    ),
    { numRuns: 400, examples: foundByChance },
  );
});
