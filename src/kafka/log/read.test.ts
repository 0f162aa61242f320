import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { copyOf, flatten, type Slices, slicesOf } from '../../base/slices.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { batchesOf } from '../records/batch.ts';
import { buildBatch } from '../records/builder.ts';
import { buildEndTxnMarker } from '../records/control.ts';
import { numberBatches } from './append.ts';
import type { LogRead, ReadOptions } from './read.ts';
import { append, LogWorld, recordsIn, values } from './testkit/log-world.ts';

async function bytesOf(world: LogWorld, read: LogRead): Promise<Slices> {
  if (read.kind === 'memory') return read.records;
  const loaded = new Promise<Slices>((resolve, reject) => {
    read.load(new Uint8Array(read.sizeInBytes), (error, records) =>
      error === undefined ? resolve(records) : reject(error),
    );
  });
  return world.sim.complete(loaded);
}

/** The same log with and without memory: what a reader gets must not depend on it. */
const caches = [
  { name: 'from memory', recentBatchesBytes: 1_000_000 },
  { name: 'partly from memory', recentBatchesBytes: 20_000 },
  { name: 'from the file', recentBatchesBytes: 0 },
];
for (const { name, recentBatchesBytes } of caches) {
  test(`${name}: any read is the longest run of whole batches that fits, below its limit`, async () => {
    const world = new LogWorld(1, { segmentBytes: 20_000, indexIntervalBytes: 600 });
    await world.open({ recentBatchesBytes });
    const batches: { baseOffset: number; lastOffset: number; bytes: Buffer }[] = [];
    for (let index = 0; index < 80; index += 1) {
      const records = Array.from({ length: 1 + (index % 4) }, () => ({
        value: Buffer.alloc((index * 37) % 700, index),
      }));
      const numbered = numberBatches(buildBatch({ records }), world.log.nextOffset, 0);
      const { baseOffset, lastOffset } = numbered.batches[0]!;
      batches.push({ baseOffset, lastOffset, bytes: Buffer.from(copyOf(numbered.slices)) });
      world.log.appendAsLeader(numbered, 'client', () => undefined);
    }
    await world.drain();
    const end = world.log.logEndOffset;
    assert.ok(world.log.segments.length > 1);
    const property = fc.asyncProperty(
      fc.nat(end - 1),
      fc.integer({ min: 0, max: 3000 }),
      fc.boolean(),
      fc.nat(end),
      async (offset, maxBytes, minOneMessage, upTo) => {
        const options: ReadOptions = { maxBytes, minOneMessage, upTo };
        const read = world.log.read(offset, options);
        const got = Buffer.from(flatten(await bytesOf(world, read)));
        const visible = offset >= upTo ? [] : batches.filter((b) => b.lastOffset >= offset && b.lastOffset < upTo);
        const first = visible[0];
        if (first === undefined) assert.equal(got.length, 0);
        else if (first.bytes.length > maxBytes) {
          assert.deepEqual(got, minOneMessage ? first.bytes : first.bytes.subarray(0, maxBytes));
          assert.equal(read.firstEntryIncomplete, !minOneMessage);
        } else {
          const count = [...batchesOf(got)].length;
          assert.deepEqual(got, Buffer.concat(visible.slice(0, count).map((batch) => batch.bytes)));
          const next = visible[count];
          // A log is read segment by segment.
          const borders = new Set(world.log.segments.map((segment) => segment.baseOffset));
          const isEnd = next === undefined || got.length + next.bytes.length > maxBytes || borders.has(next.baseOffset);
          assert.ok(isEnd, 'as much as fits');
          assert.ok(got.length <= read.sizeInBytes);
          const isCut = next !== undefined && !borders.has(next.baseOffset);
          assert.equal(read.takenBytes, isCut ? maxBytes : got.length, 'what the limit lost');
        }
      },
    );
    await fc.assert(property, { numRuns: 150 });
    const negative = { maxBytes: -1, minOneMessage: true, upTo: end };
    assert.throws(() => world.log.read(0, negative), { code: ErrorCode.UNKNOWN_SERVER_ERROR });
    assert.equal(world.log.read(end, negative).sizeInBytes, 0);
  });
}

test('an offset outside the log is refused, the end itself is empty', async () => {
  const world = new LogWorld(2);
  await world.open();
  append(world.log, { records: values('a', 'b') });
  world.log.updateHighWatermark(2);
  world.log.deleteRecords(1);
  const options = { maxBytes: 100, minOneMessage: true, upTo: 2 };
  assert.throws(() => world.log.read(0, options), { code: ErrorCode.OFFSET_OUT_OF_RANGE });
  assert.throws(() => world.log.read(3, options), { code: ErrorCode.OFFSET_OUT_OF_RANGE });
  assert.equal(world.log.read(2, options).sizeInBytes, 0);
  assert.throws(() => world.log.deleteRecords(3), { code: ErrorCode.OFFSET_OUT_OF_RANGE });
});

test('nobody reads what is still on its way to the file', async () => {
  const world = new LogWorld(3);
  await world.open();
  append(world.log, { records: [{ value: Buffer.alloc(100_000) }] });
  assert.equal(world.log.nextOffset, 1);
  assert.equal(world.log.read(0, { maxBytes: 1e6, minOneMessage: true, upTo: Infinity }).sizeInBytes, 0);
  await world.drain();
  assert.ok(world.log.read(0, { maxBytes: 1e6, minOneMessage: true, upTo: Infinity }).sizeInBytes > 100_000);
});

test('a READ_COMMITTED reader learns which transactions were aborted, also in later segments and after a restart', async () => {
  const world = new LogWorld(4, { segmentBytes: 400 });
  await world.open();
  const transactional = { producerId: 9, producerEpoch: 0, isTransactional: true };
  append(world.log, { records: values('first'), baseSequence: 0, ...transactional });
  for (let index = 0; index < 5; index += 1)
    append(world.log, { records: values(`between ${index} ${'.'.repeat(60)}`) });
  world.log.updateHighWatermark(world.log.logEndOffset);
  assert.equal(world.log.lastStableOffset, 0);
  const marker = buildEndTxnMarker({
    committed: false,
    coordinatorEpoch: 1,
    producerId: 9,
    producerEpoch: 0,
    timestampMs: 5,
  });
  world.log.appendAsLeader(numberBatches(marker, world.log.nextOffset, 0), 'coordinator', () => undefined);
  assert.equal(world.log.lastStableOffset, 0, 'the marker is not replicated yet');
  world.log.updateHighWatermark(world.log.logEndOffset);
  assert.equal(world.log.lastStableOffset, 7);
  const want = [{ producerId: 9, firstOffset: 0, lastOffset: 6, aborted: true, lastStableOffset: 7 }];
  const abortedIn = (fetchOffset: number, endOffset: number) =>
    world.log.abortedTransactions({ fetchOffset, endOffset, sizeInBytes: 0, maxBytes: 0, upTo: endOffset });
  assert.deepEqual(abortedIn(0, 7), want);
  for (const kind of ['process', 'power'] as const) {
    await world.sim.complete(new Promise<void>((resolve) => world.log.flush(() => resolve())));
    await world.crash(kind);
    const { aborted: _, ...stored } = want[0]!;
    assert.deepEqual(
      abortedIn(0, 7).map(({ producerId, firstOffset, lastOffset, lastStableOffset }) => ({
        producerId,
        firstOffset,
        lastOffset,
        lastStableOffset,
      })),
      [stored],
    );
    assert.deepEqual(abortedIn(7, 8), []);
  }
});

test('batches of magic 0 and 1 that an old broker left are read, found by time and indexed', async () => {
  const world = new LogWorld(5);
  await world.open();
  const legacy = [
    buildBatch({ magic: 0, baseOffset: 0, records: values('zero') }),
    buildBatch({ magic: 1, baseOffset: 1, records: [{ timestamp: 5000, value: Buffer.from('one') }] }),
    buildBatch({
      magic: 1,
      baseOffset: 2,
      codec: 'gzip',
      records: [
        { timestamp: 6000, value: Buffer.from('two') },
        { timestamp: 6100, value: Buffer.from('three') },
      ],
    }),
    buildBatch({ magic: 2, baseOffset: 4, records: [{ timestamp: 7000, value: Buffer.from('four') }] }),
  ];
  for (const batch of legacy) world.log.appendAsFollower(batch, (error) => assert.equal(error, undefined));
  const want = ['zero', 'one', 'two', 'three', 'four'].map((value, offset) => ({ offset, value }));
  assert.deepEqual(await recordsIn(world), want);
  await world.crash('process');
  assert.deepEqual(await recordsIn(world), want);
  const found = await world.sim.complete(
    new Promise((resolve) => world.log.offsetForTimestamp(6050, (_, answer) => resolve(answer))),
  );
  assert.deepEqual(found, { timestamp: 6100, offset: 3, leaderEpoch: -1 });
});

test('a follower refuses what does not follow or is damaged, and leaves out a cut batch', async () => {
  const world = new LogWorld(6);
  await world.open();
  const errors: (number | undefined)[] = [];
  const follow = (slices: Slices) => world.log.appendAsFollower(slices, (error) => errors.push(error?.code));
  const first = Buffer.from(flatten(buildBatch({ baseOffset: 10, records: values('a') })));
  const second = Buffer.from(flatten(buildBatch({ baseOffset: 11, records: values('b') })));
  follow(slicesOf(Buffer.concat([first, second.subarray(0, 40)])));
  assert.equal(world.log.logEndOffset, 11);
  follow(slicesOf(first));
  const damaged = Buffer.from(second);
  damaged[damaged.length - 1]! ^= 1;
  follow(slicesOf(damaged));
  follow(slicesOf(second.subarray(0, 20)));
  assert.deepEqual(errors, [undefined, ErrorCode.OFFSET_OUT_OF_RANGE, ErrorCode.CORRUPT_MESSAGE, undefined]);
  assert.equal(world.log.logEndOffset, 11);
});

test('offsets by time: first at or after, latest, earliest, and the one with the largest timestamp', async () => {
  const world = new LogWorld(7, { segmentBytes: 300, indexIntervalBytes: 100 });
  await world.open();
  const timestamps = [1000, 3000, 2000, 9000, 4000, 5000, 8000];
  for (const timestamp of timestamps)
    append(world.log, { records: [{ timestamp, value: Buffer.alloc(20) }], epoch: 3 });
  const offsetFor = (timestamp: number) =>
    world.sim.complete(
      new Promise((resolve, reject) =>
        world.log.offsetForTimestamp(timestamp, (error, found) =>
          error === undefined ? resolve(found?.offset) : reject(error),
        ),
      ),
    );
  for (const [timestamp, want] of [
    [0, 0],
    [1001, 1],
    [3001, 3],
    [9000, 3],
    [9001, undefined],
    [-1, 7],
    [-2, 0],
    [-3, 3],
    [-4, 0],
  ]) {
    assert.equal(await offsetFor(timestamp!), want, `for ${timestamp}`);
  }
});

test('a search by timestamp in a batch that becomes large lets others have their turns', async () => {
  const world = new LogWorld(8);
  await world.open();
  const records = Array.from({ length: 3000 }, (_, timestamp) => ({ timestamp, value: Buffer.alloc(1000) }));
  append(world.log, { records, codec: 'gzip' });
  await world.drain();
  let found: number | undefined;
  world.log.offsetForTimestamp(2500, (_, at) => {
    found = at?.offset;
  });
  assert.equal(found, undefined, 'not in one piece');
  await world.sim.runUntil(() => found !== undefined, 1000);
  assert.equal(found, 2500);
});
