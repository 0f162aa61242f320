import assert from 'node:assert/strict';
import test from 'node:test';
import { slicesOf } from '../../base/slices.ts';
import { ErrorCode, type KafkaError } from '../protocol/errors.ts';
import { buildBatch } from '../records/builder.ts';
import { numberBatches } from './append.ts';
import type { LogConfig } from './log-config.ts';
import { append, LogWorld, recordsIn, values } from './testkit/log-world.ts';

async function opened(config: Partial<LogConfig>, seed = 1): Promise<LogWorld> {
  const world = new LogWorld(seed, config);
  await world.open();
  return world;
}
const bases = (world: LogWorld): number[] => world.log.segments.map(({ baseOffset }) => baseOffset);
const retain = (world: LogWorld): Promise<number> =>
  world.sim.complete(new Promise((resolve) => world.log.deleteOldSegments((_, count) => resolve(count))));
/** One record that takes 100 bytes with its batch. */
const hundred = (timestamp: number) => ({ records: [{ timestamp, value: Buffer.alloc(32) }] });

test('a segment takes what just fits, and the next append begins another', async () => {
  const world = await opened({ segmentBytes: 300 });
  for (let index = 0; index < 4; index += 1) assert.equal(append(world.log, hundred(1))?.sizeInBytes, 100);
  assert.deepEqual(bases(world), [0, 3]);
});

test('a segment closes when its records span segment.ms, counted from the first', async () => {
  const world = await opened({ segmentMs: 1000 });
  for (const timestamp of [5000, 6000, 6001, 5500, 7002]) append(world.log, hundred(timestamp));
  assert.deepEqual(bases(world), [0, 2, 4]);
});

test('without timestamps segment.ms counts from the making of the segment', async () => {
  const world = await opened({ segmentMs: 1000 });
  append(world.log, hundred(-1));
  // It was made a little before it was opened.
  await world.sim.runFor(900);
  append(world.log, hundred(-1));
  assert.deepEqual(bases(world), [0]);
  await world.sim.runFor(101);
  append(world.log, hundred(-1));
  assert.deepEqual(bases(world), [0, 2]);
});

test('segment.jitter.ms closes segments earlier, each by its own draw', async () => {
  const world = await opened({ segmentMs: 1000, segmentJitterMs: 900 });
  for (let timestamp = 0; timestamp < 20_000; timestamp += 10) append(world.log, hundred(timestamp));
  const spans = bases(world)
    .slice(1)
    .map((base, index) => base - bases(world)[index]!);
  assert.ok(spans.every((span) => span > 10 && span <= 101));
  assert.ok(new Set(spans).size > 5);
});

test('a segment closes when an index is full', async () => {
  // Four time entries less the one that a roll needs; every second append makes an entry.
  const world = await opened({ segmentIndexBytes: 48, indexIntervalBytes: 0 });
  for (let index = 0; index < 12; index += 1) append(world.log, hundred(index + 1));
  assert.deepEqual(bases(world), [0, 4, 8]);
});

test('a segment closes before offsets get too far from its base', async () => {
  const world = await opened({});
  const follow = (baseOffset: number) =>
    world.log.appendAsFollower(buildBatch({ baseOffset, records: values('a') }), (error) =>
      assert.equal(error, undefined),
    );
  follow(0);
  follow(2_147_483_647);
  follow(2_147_483_648);
  assert.deepEqual(bases(world), [0, 2_147_483_648]);
  await world.crash('process');
  assert.equal(world.log.logEndOffset, 2_147_483_649);
});

test('retention by size takes the oldest while at least retention.bytes are left', async () => {
  const world = await opened({ segmentBytes: 200, retentionBytes: 500, retentionMs: -1 });
  for (let index = 0; index < 9; index += 1) append(world.log, hundred(1));
  assert.equal(await retain(world), 0, 'nothing above the high watermark goes');
  world.log.updateHighWatermark(9);
  assert.equal(await retain(world), 2);
  assert.equal(world.log.logStartOffset, 4);
  assert.equal(world.log.sizeInBytes, 500);
});

test('retention by time goes by the largest timestamp, and rolls when all is old', async () => {
  const world = await opened({ segmentBytes: 200, retentionMs: 10_000 });
  const nowMs = world.runtime.clock.wallMs();
  for (const age of [30_000, 30_000, 5_000, 30_000, 20_000]) append(world.log, hundred(nowMs - age));
  world.log.updateHighWatermark(5);
  assert.equal(await retain(world), 1, 'the second segment holds a young record');
  assert.equal(world.log.logStartOffset, 2);
  await world.sim.runFor(6_000);
  assert.equal(await retain(world), 2);
  assert.deepEqual(bases(world), [5]);
  assert.equal(world.log.logStartOffset, 5);
  await world.crash('process');
  assert.equal(world.log.logEndOffset, 5, 'no offset is given out twice');
});

test('a compacted log loses only what DeleteRecords took', async () => {
  const world = await opened({ segmentBytes: 200, retentionMs: 1, retentionBytes: 1, delete: false, compact: true });
  for (let index = 0; index < 6; index += 1) append(world.log, hundred(1));
  world.log.updateHighWatermark(6);
  assert.equal(await retain(world), 0);
  world.log.deleteRecords(5);
  assert.equal(await retain(world), 2);
  assert.deepEqual(bases(world), [4]);
  assert.equal(world.log.logStartOffset, 5);
});

test('files of removed segments stay until file.delete.delay.ms is over', async () => {
  const world = await opened({ segmentBytes: 200, retentionBytes: 0, fileDeleteDelayMs: 60_000 });
  for (let index = 0; index < 5; index += 1) append(world.log, hundred(1));
  world.log.updateHighWatermark(5);
  await retain(world);
  const names = () => world.runtime.disk.list(world.log.directory).map(({ name }) => name);
  assert.ok(names().includes('00000000000000000000.log.deleted'));
  await world.sim.runFor(59_000);
  assert.ok(names().includes('00000000000000000000.index.deleted'));
  await world.sim.runFor(1_001);
  assert.deepEqual(
    names().filter((name) => name.endsWith('.deleted')),
    [],
  );
});

test('with flush.messages=1 an append is answered when it is on stable storage', async () => {
  const world = await opened({ flushMessages: 1 });
  let answered = 0;
  for (let index = 0; index < 3; index += 1) {
    append(world.log, { records: values(`${index}`), done: () => (answered += 1) });
  }
  assert.equal(answered, 0);
  await world.sim.runUntil(() => answered >= 1, 1_000);
  const survive = answered;
  await world.crash('power');
  assert.ok(world.log.logEndOffset >= survive);
  assert.ok((await recordsIn(world)).length >= survive);
});

test('flush.ms is looked at by the flush task', async () => {
  const world = new LogWorld(1, { flushMs: 1_000 });
  await world.open({ intervals: { flushCheckMs: 500 } });
  append(world.log, { records: values('a') });
  await world.sim.runFor(700);
  assert.equal(world.log.recoveryPoint, 0);
  await world.sim.runFor(900);
  assert.equal(world.log.recoveryPoint, 1);
});

test('a producer that repeats a batch gets its first offsets, even while that one is being written', async () => {
  const world = await opened({});
  const answers: (number | undefined)[] = [];
  const batch = { producerId: 5, producerEpoch: 0, baseSequence: 0, records: [{ value: Buffer.alloc(90_000) }] };
  const send = () => append(world.log, { ...batch, done: (_, info) => answers.push(info?.firstOffset) });
  assert.equal(send()?.isDuplicate, false);
  assert.deepEqual(answers, []);
  assert.equal(send()?.isDuplicate, true);
  assert.deepEqual(answers, [], 'it is not answered before the first one is in the file');
  await world.drain();
  assert.deepEqual(answers, [0, 0]);
  assert.equal(world.log.logEndOffset, 1);
  await world.crash('process');
  assert.equal(append(world.log, batch)?.isDuplicate, true);
});

for (const fault of [
  { name: 'the disk is full', code: 'ENOSPC' },
  { name: 'a write fails', code: 'EIO' },
]) {
  test(`when ${fault.name} nothing more is acknowledged, what was is still read, and no offset comes twice`, async () => {
    const world = await opened({});
    const answers: (string | number)[] = [];
    const send = (size: number) =>
      append(world.log, {
        records: [{ value: Buffer.alloc(size, 1) }],
        done: (error, info) => answers.push(error?.name ?? info!.firstOffset),
      });
    send(100);
    world.machine.disk.failNext({ operation: 'append', code: fault.code });
    send(80_000);
    send(50);
    send(50);
    await world.drain();
    send(50);
    assert.deepEqual(answers, [0, ...Array(4).fill('KAFKA_STORAGE_ERROR')]);
    assert.ok(world.log.isOffline);
    assert.deepEqual(
      (await recordsIn(world)).map(({ offset }) => offset),
      [0],
    );
    world.machine.disk.repair();
    await world.restartCleanly();
    assert.equal(world.log.logEndOffset >= 1, true);
    assert.equal((await recordsIn(world))[0]?.offset, 0);
    assert.equal(world.log.isOffline, false);
  });
}

const aborted = { producerId: 1, firstOffset: 0, lastOffset: 1, lastStableOffset: 2 };

test('a failed sync takes the log offline, and the next start checks it', async () => {
  const world = await opened({ flushMessages: 1 });
  world.machine.disk.failNext({ operation: 'sync', code: 'EIO' });
  let refused: KafkaError | undefined;
  append(world.log, { records: values('a'), done: (error) => (refused = error) });
  await world.drain();
  assert.equal(refused?.code, ErrorCode.KAFKA_STORAGE_ERROR);
  assert.ok(world.log.isOffline);
});

test('a file that cannot be opened for its sync takes the log offline, and whatever waits is told', async () => {
  for (const suffix of ['.index', '.timeindex', '.txnindex', '.log']) {
    for (const what of ['roll', 'flush'] as const) {
      const world = await opened({ segmentBytes: 350 });
      for (let index = 0; index < 2; index += 1) append(world.log, hundred(index));
      await world.drain();
      for (const segment of world.log.segments) segment.transactionIndex.append(aborted);
      for (const segment of world.log.segments) segment.close();
      world.machine.disk.failNext({ operation: 'open', path: suffix, code: 'EMFILE' });
      if (what === 'flush') world.log.flush((error) => assert.equal(error?.code, 'EMFILE', suffix));
      else for (let index = 0; index < 4; index += 1) append(world.log, hundred(index));
      await world.drain();
      await world.sim.runFor(100);
      assert.ok(world.log.isOffline, `${what} ${suffix}`);
      let refused: KafkaError | undefined;
      append(world.log, { ...hundred(5), done: (error) => (refused = error) });
      assert.equal(refused?.code, ErrorCode.KAFKA_STORAGE_ERROR);
      await world.sim.complete(world.manager.close());
    }
  }
});

test('a bit that rots in an unflushed segment ends the log before its batch', async () => {
  const world = await opened({ segmentBytes: 350 });
  for (let index = 0; index < 10; index += 1) append(world.log, hundred(index));
  world.machine.disk.corrupt(`${world.log.directory}/00000000000000000003.log`, 170);
  await world.crash('process');
  assert.equal(world.log.logEndOffset, 4);
  assert.deepEqual(bases(world), [0, 3]);
  assert.equal(append(world.log, hundred(1))?.firstOffset, 4);
});

test('an index that an operator deleted, or that is damaged, is made again after a clean stop', async () => {
  for (const harm of ['deleted', 'torn'] as const) {
    const world = await opened({ segmentBytes: 800, indexIntervalBytes: 100 });
    for (let index = 0; index < 20; index += 1) append(world.log, hundred(index));
    await world.restartCleanly();
    const path = `${world.log.directory}/00000000000000000000.index`;
    const before = world.machine.disk.peek(path);
    await world.sim.complete(world.manager.close());
    if (harm === 'deleted') world.runtime.disk.remove(path);
    else world.runtime.disk.writeFile(path, before.subarray(0, before.length - 3));
    await world.open();
    assert.equal((await recordsIn(world)).length, 20);
    assert.deepEqual(world.machine.disk.peek(path), before);
  }
});

test('a compaction that was interrupted is finished or undone', async () => {
  const world = await opened({ segmentBytes: 350 });
  for (let index = 0; index < 9; index += 1) append(world.log, { records: values(`old ${index} ${'.'.repeat(20)}`) });
  await world.restartCleanly();
  await world.sim.complete(world.manager.close());
  const { disk } = world.runtime;
  const directory = world.log.directory;
  const file = (base: number, suffix: string) => `${directory}/${String(base).padStart(20, '0')}.log${suffix}`;
  const replacement = numberBatches(buildBatch({ records: values('compacted'), lastOffset: 5 }), 0, 0).slices;
  disk.writeFile(file(0, '.swap'), Buffer.concat(slicesOf(...replacement.chunks).chunks));
  disk.writeFile(file(6, '.swap'), Buffer.from('half'));
  disk.writeFile(file(6, '.cleaned'), Buffer.from('half'));
  disk.writeFile(file(3, '.deleted'), Buffer.from('gone'));
  world.machine.crash('process');
  world.machine.restart();
  await world.open();
  assert.deepEqual(
    (await recordsIn(world)).map(({ offset, value }) => `${offset} ${value.slice(0, 9)}`),
    ['0 compacted', '6 old 6 ...', '7 old 7 ...', '8 old 8 ...'].map((text) => text.slice(0, 11)),
  );
  const names = world.runtime.disk.list(directory).map(({ name }) => name);
  assert.deepEqual(
    names.filter((name) => /swap|cleaned|deleted/.test(name)),
    [],
  );
});

test('truncating fully starts anew at any offset', async () => {
  const world = await opened({ segmentBytes: 300 });
  for (let index = 0; index < 7; index += 1) append(world.log, hundred(index));
  await world.sim.complete(
    new Promise<void>((resolve, reject) =>
      world.log.truncateFullyAndStartAt(100, (error) => (error === undefined ? resolve() : reject(error))),
    ),
  );
  assert.deepEqual([world.log.logStartOffset, world.log.logEndOffset, world.log.highWatermark], [100, 100, 100]);
  assert.equal(append(world.log, hundred(1))?.firstOffset, 100);
  await world.crash('power');
  assert.deepEqual(bases(world), [100]);
});

test('a preallocated segment has its full size while it grows, and its own when it is done', async () => {
  const world = await opened({ segmentBytes: 500, preallocate: true });
  await world.sim.complete(new Promise<void>((resolve) => world.log.truncateFullyAndStartAt(0, () => resolve())));
  for (let index = 0; index < 6; index += 1) append(world.log, hundred(index));
  const size = (base: number) =>
    world.machine.disk.peek(`${world.log.directory}/${String(base).padStart(20, '0')}.log`).length;
  assert.deepEqual([size(0), size(5)], [500, 500]);
  assert.equal(world.log.sizeInBytes, 600);
  await world.crash('process');
  assert.equal(world.log.logEndOffset, 6);
  await world.restartCleanly();
  assert.equal(size(5), 100);
  assert.equal((await recordsIn(world)).length, 6);
});

test('what was flushed after a roll survives a power failure with its file’s name', async () => {
  for (let seed = 0; seed < 10; seed += 1) {
    const world = await opened({}, seed);
    append(world.log, hundred(1));
    await world.sim.runFor(1_000);
    world.log.roll();
    append(world.log, hundred(2));
    await world.sim.complete(new Promise<void>((resolve) => world.log.flush(() => resolve())));
    await world.crash('power');
    assert.equal(world.log.logEndOffset, 2);
  }
});

test('a segment that a power failure kept while the one before lost its end is removed', async () => {
  let gaps = 0;
  for (let seed = 0; seed < 40; seed += 1) {
    const world = await opened({}, seed);
    for (let index = 0; index < 3; index += 1) append(world.log, hundred(index));
    await world.sim.complete(new Promise<void>((resolve) => world.log.flush(() => resolve())));
    for (let index = 0; index < 3; index += 1) append(world.log, hundred(index));
    world.log.roll();
    append(world.log, hundred(7));
    world.machine.crash('power');
    const sizes = ['0', '6'].map((base) => {
      const inode = world.machine.disk.tree.find(`${world.log.directory}/${base.padStart(20, '0')}.log`);
      return inode?.kind === 'file' ? inode.size : 0;
    });
    if (sizes[0] === 300 && sizes[1]! > 0) gaps += 1;
    world.machine.restart();
    await world.open();
    const offsets = (await recordsIn(world)).map(({ offset }) => offset);
    assert.deepEqual(
      offsets,
      Array.from({ length: world.log.logEndOffset }, (_, index) => index),
    );
  }
  assert.ok(gaps > 0, 'the case occurred');
});

test('a search by timestamp begins anew when retention takes the segment under it', async () => {
  const world = await opened({
    segmentBytes: 1 << 30,
    indexIntervalBytes: 1 << 30,
    fileDeleteDelayMs: 0,
    retentionMs: -1,
  });
  // Without index entries the search reads so many headers that it has to pause.
  const batch = (timestamp: number) => buildBatch({ records: [{ timestamp }] });
  for (let count = 0; count < 34_000; count += 1) {
    world.log.appendAsLeader(numberBatches(batch(5), world.log.nextOffset, 0), 'client', () => undefined);
  }
  append(world.log, hundred(9));
  world.log.roll();
  append(world.log, hundred(9));
  await world.drain();
  world.log.updateHighWatermark(world.log.logEndOffset);
  const found = new Promise<number | undefined>((resolve, reject) =>
    world.log.offsetForTimestamp(9, (error, at) => (error === undefined ? resolve(at?.offset) : reject(error))),
  );
  world.log.deleteRecords(34_001);
  assert.equal(await retain(world), 1);
  assert.equal(await world.sim.complete(found), 34_001);
});
