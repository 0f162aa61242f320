import assert from 'node:assert/strict';
import test from 'node:test';
import { buildBatch } from '../../records/builder.ts';
import type { PartitionLog } from '../log.ts';
import {
  appendMarker,
  cleanerOf,
  committed,
  compact,
  compactedWorld,
  keyed,
  NOW_MS,
  survivors,
} from '../testkit/compaction.ts';
import { append, batchesInFile, LOG_DIR, type LogWorld, readAll } from '../testkit/log-world.ts';
import { defaultCleanerConfig } from './cleaner-config.ts';

const bases = (world: LogWorld): number[] => world.log.segments.map(({ baseOffset }) => baseOffset);
const read = async (world: LogWorld): Promise<string[]> =>
  (await survivors(world)).map(({ offset, key, value }) => `${offset} ${key}=${value}`);
const names = (world: LogWorld): string[] => world.runtime.disk.list(world.log.directory).map(({ name }) => name);
const checkpoint = (world: LogWorld): string =>
  Buffer.from(world.machine.disk.peek(`${LOG_DIR}/cleaner-offset-checkpoint`)).toString();
const headers = (world: LogWorld, base = 0) =>
  batchesInFile(world.machine.disk.peek(`${world.log.directory}/${String(base).padStart(20, '0')}.log`)).map(
    ({ header }) => header,
  );

test('the last value of each key stays, at its offset, and the checkpoint says up to where', async () => {
  const world = await compactedWorld();
  append(world.log, { records: keyed(['a', '1'], ['b', '1'], ['a', '2']) });
  append(world.log, { records: keyed(['b', '2'], ['c', '1']) });
  append(world.log, { records: keyed(['a', '3']) });
  assert.equal(await compact(world), true);
  append(world.log, { records: keyed(['b', '3']) });
  assert.deepEqual(await read(world), ['3 b=2', '4 c=1', '5 a=3', '6 b=3']);
  assert.equal(checkpoint(world), '0\n1\ndemo 0 6\n');
  assert.equal(
    await world.sim.complete(cleanerOf(world).cleanFilthiest()),
    false,
    'nothing is dirty below the active segment',
  );
  await world.restartCleanly();
  assert.equal(world.log.firstDirtyOffset, 6);
});

test('what stays whole keeps its bytes, what loses records is written anew in its codec', async () => {
  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
    const world = await compactedWorld();
    append(world.log, { codec, records: keyed(['a', '1'], ['b', '1']) });
    append(world.log, { codec, records: keyed(['a', '2'], ['c', '1']) });
    const before = batchesInFile(Buffer.concat((await readAll(world)).flatMap(({ chunks }) => chunks)));
    await compact(world);
    const after = batchesInFile(world.machine.disk.peek(`${world.log.directory}/00000000000000000000.log`));
    assert.deepEqual(after[1]!.bytes, before[1]!.bytes);
    const { header } = after[0]!;
    assert.deepEqual([header.codec, header.baseOffset, header.lastOffset, header.recordCount], [codec, 0, 1, 1]);
    append(world.log, { records: keyed(['x', '1']) });
    assert.deepEqual(await read(world), ['1 b=1', '2 a=2', '3 c=1', '4 x=1']);
  }
});

test('a tombstone stays for delete.retention.ms after the pass that first kept it, and its time survives', async () => {
  const world = await compactedWorld({ deleteRetentionMs: 60_000 });
  append(world.log, { records: keyed(['a', '1'], ['b', '1']) });
  append(world.log, { records: keyed(['a', null], ['c', '1']) });
  await compact(world);
  const [, second] = headers(world);
  assert.equal(second?.hasDeleteHorizon, true);
  const expected = second!.baseTimestamp;
  assert.ok(expected >= world.runtime.clock.wallMs() + 59_000);
  append(world.log, { records: keyed(['x', '1']) });
  assert.deepEqual(
    (await survivors(world)).map(({ offset, timestamp }) => [offset, timestamp]),
    [1, 2, 3, 4].map((offset) => [offset, NOW_MS]),
  );
  await world.sim.runFor(59_000);
  await compact(world);
  append(world.log, { records: keyed(['x', '2']) });
  assert.deepEqual(await read(world), ['1 b=1', '2 a=null', '3 c=1', '4 x=1', '5 x=2']);
  assert.equal(headers(world)[1]!.baseTimestamp, expected, 'the horizon is set once');
  await world.sim.runFor(2_000);
  await compact(world);
  append(world.log, { records: keyed(['y', '1']) });
  assert.deepEqual(await read(world), ['1 b=1', '3 c=1', '5 x=2', '6 y=1']);
});

test('data of an aborted transaction goes at once, its marker when the horizon that the next pass sets is over', async () => {
  const world = await compactedWorld({ deleteRetentionMs: 60_000 });
  const transactional = { isTransactional: true, producerId: 7, producerEpoch: 0 };
  append(world.log, { records: keyed(['a', '1'], ['b', '1']) });
  append(world.log, { ...transactional, baseSequence: 0, records: keyed(['a', 'aborted']) });
  appendMarker(world, 7, { committed: false });
  append(world.log, { ...transactional, baseSequence: 1, records: keyed(['b', '2']) });
  appendMarker(world, 7, { committed: true });
  await compact(world);
  append(world.log, { records: keyed(['x', '1']) });
  const expected = ['0 a=1', '4 b=2', '6 x=1'];
  assert.deepEqual(await read(world), expected);
  assert.deepEqual(
    (await committed(world)).map(({ offset }) => offset),
    [0, 4, 6],
  );
  assert.deepEqual(
    headers(world).map(({ baseOffset, isControl }) => [baseOffset, isControl]),
    [
      [0, false],
      [3, true],
      [4, false],
      [5, true],
    ],
  );
  assert.deepEqual(
    world.log.abortedBetween(0, 100).map(({ firstOffset, lastOffset }) => [firstOffset, lastOffset]),
    [[2, 3]],
  );
  await compact(world);
  append(world.log, { records: keyed(['x', '2']) });
  const marker = headers(world).find(({ baseOffset }) => baseOffset === 3);
  assert.equal(marker?.hasDeleteHorizon, true);
  assert.deepEqual(world.log.abortedBetween(0, 100), []);
  await world.sim.runFor(61_000);
  await compact(world);
  append(world.log, { records: keyed(['y', '1']) });
  assert.deepEqual(await read(world), ['0 a=1', '4 b=2', '7 x=2', '8 y=1']);
  const left = headers(world).map(({ baseOffset }) => baseOffset);
  assert.equal(left.includes(3), false);
  assert.equal(left.includes(5), true, 'the committed transaction still has data');
});

test('the last batch of an active producer stays, without records, so that its sequence goes on after a restart', async () => {
  const world = await compactedWorld();
  const producer = { producerId: 9, producerEpoch: 3 };
  append(world.log, { ...producer, baseSequence: 0, records: keyed(['a', '1'], ['b', '1']) });
  append(world.log, { records: keyed(['a', '2'], ['b', '2']) });
  await compact(world);
  append(world.log, { records: keyed(['x', '1']) });
  assert.deepEqual(await read(world), ['2 a=2', '3 b=2', '4 x=1']);
  const [empty] = headers(world);
  assert.deepEqual([empty?.recordCount, empty?.sizeInBytes, empty?.lastOffset, empty?.producerId], [0, 61, 1, 9]);
  for (const name of names(world).filter((each) => each.endsWith('.snapshot'))) {
    world.runtime.disk.remove(`${world.log.directory}/${name}`);
  }
  await world.crash('process');
  assert.equal(append(world.log, { ...producer, baseSequence: 2, records: keyed(['c', '1']) })?.firstOffset, 5);
});

test('nothing from the last stable offset on is compacted', async () => {
  const world = await compactedWorld();
  append(world.log, { records: keyed(['a', '1'], ['a', '2']) });
  world.log.roll();
  append(world.log, {
    isTransactional: true,
    producerId: 1,
    producerEpoch: 0,
    baseSequence: 0,
    records: keyed(['a', '3']),
  });
  append(world.log, { records: keyed(['a', '4']) });
  await compact(world);
  append(world.log, { records: keyed(['a', '5']) });
  assert.deepEqual(await read(world), ['1 a=2', '2 a=3', '3 a=4', '4 a=5']);
});

test('nothing above the high watermark is compacted', async () => {
  const world = await compactedWorld();
  append(world.log, { records: keyed(['a', '1'], ['a', '2']) });
  world.log.roll();
  append(world.log, { records: keyed(['a', '3']) });
  world.log.updateHighWatermark(1);
  assert.equal(await world.sim.complete(cleanerOf(world).cleanFilthiest()), false);
});

test('min.compaction.lag.ms spares young segments, max.compaction.lag.ms overrules the ratio', async () => {
  const young = await compactedWorld({ minCompactionLagMs: 10_000 });
  const stamped = (value: string, timestamp: number) => ({
    records: [{ key: Buffer.from('a'), value: Buffer.from(value), timestamp }],
  });
  append(young.log, stamped('1', NOW_MS - 30_000));
  append(young.log, stamped('2', NOW_MS - 20_000));
  young.log.roll();
  append(young.log, stamped('3', NOW_MS - 1_000));
  await compact(young);
  append(young.log, stamped('4', NOW_MS));
  assert.deepEqual(await read(young), ['1 a=2', '2 a=3', '3 a=4']);

  const late = await compactedWorld({ minCleanableDirtyRatio: 1, maxCompactionLagMs: 10_000 });
  append(late.log, stamped('1', late.runtime.clock.wallMs()));
  append(late.log, stamped('2', late.runtime.clock.wallMs()));
  assert.equal(await compact(late), false);
  await late.sim.runFor(11_000);
  assert.equal(await late.sim.complete(cleanerOf(late).cleanFilthiest()), true);
});

test('a compacted log closes its active segment in time for max.compaction.lag.ms', async () => {
  const world = await compactedWorld({ maxCompactionLagMs: 1_000 });
  for (const timestamp of [5_000, 6_000, 6_001]) append(world.log, { records: [{ key: Buffer.from('a'), timestamp }] });
  assert.deepEqual(bases(world), [0, 2]);
});

test('of several logs the one with the largest dirty share is first, and only those above their ratio', async () => {
  const world = await compactedWorld({ minCleanableDirtyRatio: 0.5 });
  const other = await world.sim.complete(world.manager.getOrCreate({ topic: 'other', partition: 0 }, true));
  for (const log of [world.log, other]) {
    append(log, { records: keyed(['a', '1'], ['a', '2']) });
    log.roll();
    log.updateHighWatermark(2);
  }
  await world.drain();
  const cleaner = cleanerOf(world);
  assert.equal(await world.sim.complete(cleaner.cleanFilthiest()), true);
  assert.equal(await world.sim.complete(cleaner.cleanFilthiest()), true);
  assert.equal(await world.sim.complete(cleaner.cleanFilthiest()), false);
  const big = Array.from({ length: 9 }, (_, index) => [`k${index}`, 'x'.repeat(60)] as const);
  append(world.log, { records: keyed(...big) });
  append(other, { records: keyed(['b', '']) });
  for (const log of [world.log, other]) {
    log.roll();
    log.updateHighWatermark(log.logEndOffset);
  }
  await world.drain();
  assert.equal(await world.sim.complete(cleaner.cleanFilthiest()), true);
  assert.equal(world.log.firstDirtyOffset, 11);
  assert.equal(await world.sim.complete(cleaner.cleanFilthiest()), false, 'half of the other is clean');
});

test('each thread takes a log of its own', async () => {
  const world = await compactedWorld({ segmentBytes: 60_000 });
  const other = await world.sim.complete(world.manager.getOrCreate({ topic: 'other', partition: 0 }, true));
  for (const log of [world.log, other]) {
    for (let index = 0; index < 30; index += 1) append(log, { records: keyed([`k${index % 5}`, '.'.repeat(5_000)]) });
    log.roll();
    log.updateHighWatermark(log.logEndOffset);
  }
  await world.drain();
  const cleaner = cleanerOf(world, { threads: 2 });
  cleaner.start();
  const inWork = (log: PartitionLog): boolean =>
    world.runtime.disk.list(log.directory).some(({ name }) => name.endsWith('.cleaned'));
  await world.sim.runUntil(() => inWork(world.log) && inWork(other), 10_000);
  await world.sim.runUntil(() => world.log.firstDirtyOffset === 30 && other.firstDirtyOffset === 30, 10_000);
  await world.sim.complete(cleaner.close());
});

test('threads are added and let go while logs are compacted, and a new rate counts at once', async () => {
  const world = await compactedWorld({ segmentBytes: 60_000 });
  const other = await world.sim.complete(world.manager.getOrCreate({ topic: 'other', partition: 0 }, true));
  const fill = async (): Promise<void> => {
    for (const log of [world.log, other]) {
      for (let index = 0; index < 30; index += 1) append(log, { records: keyed([`k${index % 5}`, '.'.repeat(5_000)]) });
      log.roll();
      log.updateHighWatermark(log.logEndOffset);
    }
    await world.drain();
  };
  await fill();
  const slow = { ...defaultCleanerConfig, ioBytesPerSecondMax: 3_000, backoffMs: 1000 };
  const cleaner = cleanerOf(world, slow);
  cleaner.start();
  const inWork = (): number =>
    [world.log, other].filter((log) =>
      world.runtime.disk.list(log.directory).some(({ name }) => name.endsWith('.cleaned')),
    ).length;
  await world.sim.runUntil(() => inWork() === 1, 200_000);
  cleaner.configure({ ...slow, threads: 2 });
  await world.sim.runUntil(() => inWork() === 2, 200_000);
  cleaner.configure({ ...slow, ioBytesPerSecondMax: Infinity });
  // Each still waits for what it has read, no longer.
  await world.sim.runUntil(() => world.log.firstDirtyOffset === 30 && other.firstDirtyOffset === 30, 200_000);
  cleaner.configure({ ...slow, ioBytesPerSecondMax: 30_000 });
  const isClean = (): boolean => world.log.firstDirtyOffset === 60 && other.firstDirtyOffset === 60;
  await fill();
  for (let waitedMs = 0; waitedMs < 200_000 && !isClean(); waitedMs += 100) {
    await world.sim.runFor(100);
    assert.ok(inWork() < 2, 'one at a time');
  }
  assert.ok(isClean());
  await world.sim.complete(cleaner.close());
});

test('when the offset map is full the pass ends there, and the next one goes on', async () => {
  const world = await compactedWorld({ segmentBytes: 1_000 });
  for (let index = 0; index < 100; index += 1) append(world.log, { records: keyed([`k${index % 40}`, `${index}`]) });
  const config = { dedupeBufferBytes: 24 * 10, loadFactor: 0.9 };
  await compact(world, config);
  assert.equal(world.log.firstDirtyOffset, 9);
  const cleaner = cleanerOf(world, config);
  for (let passes = 0; await world.sim.complete(cleaner.cleanFilthiest()); passes += 1) assert.ok(passes < 20);
  append(world.log, { records: keyed(['x', '1']) });
  const found = await read(world);
  assert.deepEqual(
    found.slice(0, -1),
    Array.from({ length: 40 }, (_, index) => `${60 + index} k${(60 + index) % 40}=${60 + index}`),
  );
});

test('a tombstone beyond what a full map reaches stays, whatever its horizon says: an older value may still stand before it', async () => {
  const world = await compactedWorld({ deleteRetentionMs: 1_000 });
  const pairs = Array.from(
    { length: 26 },
    (_, index) => [`k${index}`, index === 25 ? null : 'v'] as [string, string | null],
  );
  pairs[25]![0] = 'k15';
  for (const pair of pairs) append(world.log, { records: keyed(pair) });
  const config = { dedupeBufferBytes: 24 * 10, loadFactor: 0.9 };
  await compact(world, config);
  await world.sim.runFor(5_000);
  const cleaner = cleanerOf(world, config);
  await world.sim.complete(cleaner.cleanFilthiest());
  append(world.log, { records: keyed(['x', '1']) });
  assert.equal(world.log.firstDirtyOffset, 18);
  assert.deepEqual(
    (await read(world)).filter((line) => line.includes('k15')),
    ['15 k15=v', '25 k15=null'],
  );
  await world.sim.complete(cleaner.cleanFilthiest());
  assert.deepEqual(
    (await read(world)).filter((line) => line.includes('k15')),
    [],
  );
});

test('large stretches are in the file before their memory is used again', async () => {
  const world = await compactedWorld();
  const values = Array.from({ length: 400 }, (_, index) => `${index} `.padEnd(2_000, `${index % 10}`));
  for (const [index, value] of values.entries()) append(world.log, { records: keyed([`k${index}`, value]) });
  await compact(world);
  assert.equal(world.log.firstDirtyOffset, 400);
  append(world.log, { records: keyed(['x', '1']) });
  assert.deepEqual(
    (await survivors(world)).slice(0, -1).map(({ value }) => value),
    values,
  );
});

test('tombstones of magic 0 and 1 go by the age of their segment, which a compaction keeps', async () => {
  // Too small for two to be joined, which would make them as young as the last.
  const world = await compactedWorld({ deleteRetentionMs: 10_000, segmentBytes: 130 });
  const old = (key: string, value: string | null) => {
    const baseOffset = world.log.nextOffset;
    const batch = buildBatch({ magic: 1, baseOffset, records: keyed([key, value]) });
    world.log.appendAsFollower(batch, (error) => assert.equal(error, undefined));
  };
  const modified = () => world.runtime.disk.stat(`${world.log.directory}/00000000000000000000.log`)?.modifiedMs;
  old('a', '1');
  old('a', null);
  old('b', '1');
  const written = modified();
  await world.sim.runFor(1_000);
  await compact(world);
  assert.equal(modified(), written);
  await world.sim.runFor(8_000);
  append(world.log, { records: keyed(['c', '1']) });
  await compact(world);
  append(world.log, { records: keyed(['d', '1']) });
  assert.deepEqual(
    await read(world),
    ['1 a=null', '2 b=1', '3 c=1', '4 d=1'],
    'the last clean segment is as old as they',
  );
  await world.sim.runFor(11_000);
  for (const key of ['e', 'f', 'g']) {
    await compact(world);
    append(world.log, { records: keyed([key, '1']) });
  }
  assert.equal((await read(world)).includes('1 a=null'), false);
});

test('segments that shrink are joined, within segment.bytes, and their names and snapshots go', async () => {
  const world = await compactedWorld({ segmentBytes: 400 });
  for (let index = 0; index < 40; index += 1) {
    append(world.log, {
      producerId: 5,
      producerEpoch: 0,
      baseSequence: index,
      records: keyed([index % 4 === 0 ? `k${index}` : 'same', 'v']),
    });
  }
  const before = bases(world).length;
  await compact(world);
  await compact(world);
  append(world.log, { records: keyed(['x', '1']) });
  await compact(world);
  append(world.log, { records: keyed(['y', '1']) });
  assert.ok(before >= 8 && bases(world).length <= 4, `${before} ${bases(world)}`);
  for (const segment of world.log.segments) assert.ok(segment.size <= 400);
  const snapshots = names(world)
    .filter((name) => name.endsWith('.snapshot'))
    .map((name) => Number.parseInt(name, 10));
  assert.deepEqual(
    snapshots.filter((offset) => !bases(world).includes(offset)),
    [],
  );
  await world.sim.runFor(world.config.fileDeleteDelayMs + 1_000);
  assert.deepEqual(
    names(world).filter((name) => /deleted|cleaned|swap/.test(name)),
    [],
  );
  assert.deepEqual(
    (await read(world)).map((line) => line.split(' ')[1]),
    [...Array.from({ length: 10 }, (_, index) => `k${index * 4}=v`), 'same=v', 'x=1', 'y=1'],
  );
});

test('a reader goes on through a compaction: each offset comes at most once, and the last of each key comes', async () => {
  const world = await compactedWorld({ segmentBytes: 2_000, fileDeleteDelayMs: 0 });
  await world.restartCleanly();
  for (let index = 0; index < 200; index += 1) append(world.log, { records: keyed([`k${index % 30}`, `${index}`]) });
  await world.restartCleanly();
  const { log } = world;
  log.roll();
  await world.drain();
  log.updateHighWatermark(log.logEndOffset);
  const seen = new Map<string, string>();
  const pending = log.read(0, { maxBytes: 500, minOneMessage: true, upTo: log.logEndOffset });
  const done = world.sim.complete(cleanerOf(world).cleanFilthiest());
  assert.equal(await done, true);
  await world.sim.runFor(1_000);
  assert.equal(pending.kind, 'file');
  if (pending.kind === 'file') {
    const loaded = await world.sim.complete(
      new Promise<number>((resolve, reject) =>
        pending.load(new Uint8Array(pending.sizeInBytes), (error, records) =>
          error === undefined ? resolve(records.size) : reject(error),
        ),
      ),
    );
    assert.equal(loaded, 0, 'the file is gone, and the reader asks again');
  }
  append(log, { records: keyed(['x', '1']) });
  for (const { key, value } of await survivors(world)) seen.set(key!, value!);
  assert.equal(seen.size, 31);
  for (let index = 170; index < 200; index += 1) assert.equal(seen.get(`k${index % 30}`), `${index}`);
});

test('a truncation, a deletion or a stop ends a pass without a trace', async () => {
  for (const event of ['truncate', 'delete', 'close', 'retention'] as const) {
    const world = await compactedWorld({ segmentBytes: 60_000 });
    for (let index = 0; index < 60; index += 1)
      append(world.log, { records: keyed([`k${index % 5}`, '.'.repeat(5_000)]) });
    world.log.roll();
    await world.drain();
    world.log.updateHighWatermark(world.log.logEndOffset);
    const cleaner = cleanerOf(world, { ioBufferBytes: 16_384 });
    const pass = cleaner.cleanFilthiest();
    await world.sim.runUntil(() => names(world).some((name) => name.endsWith('.cleaned')), 10_000);
    if (event === 'truncate') await world.truncateTo(50);
    else if (event === 'delete') await world.sim.complete(world.manager.delete(world.log.topicPartition));
    else if (event === 'close') await world.sim.complete(cleaner.close());
    else {
      world.log.deleteRecords(30);
      world.log.deleteOldSegments(() => undefined);
    }
    assert.equal(await world.sim.complete(pass), false, event);
    assert.equal(world.log.isOffline, false);
    if (event === 'delete') continue;
    assert.deepEqual(
      names(world).filter((name) => /cleaned|swap/.test(name)),
      [],
    );
    assert.equal((await survivors(world)).length, { truncate: 50, close: 60, retention: 30 }[event]);
    assert.equal(cleaner.isUncleanable(world.log), false);
  }
});

test('a truncation below what was compacted makes that dirty again, durably', async () => {
  const world = await compactedWorld();
  append(world.log, { records: keyed(['a', '1'], ['b', '1']) });
  append(world.log, { records: keyed(['c', '1']) });
  await compact(world);
  append(world.log, { records: keyed(['d', '1']) });
  await world.truncateTo(2);
  assert.equal(world.log.firstDirtyOffset, 2);
  assert.equal(checkpoint(world), '0\n1\ndemo 0 2\n');
});

for (const magic of [1, 2] as const) {
  test(`batches of magic ${magic} are compacted as long as they do not become too much`, async () => {
    const world = await compactedWorld();
    append(world.log, { magic, codec: 'gzip', records: keyed(['a', '1'.repeat(10_000)], ['a', '2']) });
    assert.equal(await compact(world, { decompressedBytesMax: 10_000 }), false);
    assert.equal((await survivors(world)).length, 2);
    assert.equal(await compact(world, { decompressedBytesMax: 20_000 }), true);
    assert.deepEqual(
      (await survivors(world)).map(({ value }) => value),
      ['2'],
    );
  });
}

test('a corrupt batch makes the partition uncleanable, and others are compacted on', async () => {
  const world = await compactedWorld();
  const other = await world.sim.complete(world.manager.getOrCreate({ topic: 'other', partition: 0 }, true));
  for (const log of [world.log, other]) {
    append(log, { records: keyed(['a', '1'], ['a', '2']) });
    log.roll();
    log.updateHighWatermark(2);
  }
  await world.drain();
  // In a value, where nothing but the checksum tells.
  const path = `${world.log.directory}/00000000000000000000.log`;
  world.machine.disk.corrupt(path, Buffer.from(world.machine.disk.peek(path)).lastIndexOf('2'));
  const cleaner = cleanerOf(world);
  assert.equal(await world.sim.complete(cleaner.cleanFilthiest()), false);
  assert.equal(cleaner.isUncleanable(world.log), true);
  assert.equal(world.log.isOffline, false);
  assert.equal(await world.sim.complete(cleaner.cleanFilthiest()), true);
  assert.equal(other.firstDirtyOffset, 2);
  assert.equal(await world.sim.complete(cleaner.cleanFilthiest()), false);
});

test('a disk that fails under a compaction takes its directory offline, and what is readable stays so', async () => {
  for (const operation of ['append', 'sync', 'read', 'rename', 'open'] as const) {
    const world = await compactedWorld();
    append(world.log, { records: keyed(['a', '1'], ['a', '2']) });
    world.log.roll();
    await world.drain();
    world.log.updateHighWatermark(2);
    world.machine.disk.failNext({ operation, code: 'EIO', path: LOG_DIR });
    assert.equal(await world.sim.complete(cleanerOf(world).cleanFilthiest()), false, operation);
    await world.sim.runFor(1_000);
    assert.equal(world.log.isOffline, true, operation);
    world.machine.disk.repair();
    world.machine.crash('process');
    world.machine.restart();
    await world.open();
    append(world.log, { records: keyed(['b', '1']) });
    assert.equal((await read(world)).includes('1 a=2'), true, operation);
  }
});

test('log.cleaner.io.max.bytes.per.second bounds what is read and written', async () => {
  const world = await compactedWorld({ segmentBytes: 20_000 });
  for (let index = 0; index < 50; index += 1) append(world.log, { records: keyed([`k${index}`, '.'.repeat(1_000)]) });
  const startMs = world.runtime.clock.monotonicMs();
  await compact(world, { ioBytesPerSecondMax: 10_000 });
  // 50 kB are read twice and written once.
  const elapsedMs = world.runtime.clock.monotonicMs() - startMs;
  assert.ok(elapsedMs > 15_000 && elapsedMs < 18_500, `${elapsedMs}`);
});

test('with compact,delete what retention takes is neither compacted nor read', async () => {
  const world = await compactedWorld({ delete: true, retentionMs: 10_000, segmentBytes: 200 });
  const at = (timestamp: number, key: string) =>
    append(world.log, { records: [{ key: Buffer.from(key), timestamp, value: Buffer.alloc(80) }] });
  at(NOW_MS - 20_000, 'a');
  at(NOW_MS - 20_000, 'b');
  at(NOW_MS, 'c');
  at(NOW_MS, 'c');
  at(NOW_MS, 'c');
  world.log.updateHighWatermark(5);
  await world.sim.complete(new Promise<void>((resolve) => world.log.deleteOldSegments(() => resolve())));
  const start = world.log.logStartOffset;
  assert.ok(start >= 1);
  await compact(world);
  append(world.log, { records: keyed(['x', '1']) });
  assert.deepEqual(
    (await read(world)).map((line) => line.split(' ')[0]),
    ['4', '5'].filter((offset) => Number(offset) >= start),
  );
});

test('a checkpoint says nothing of a log that lost its end, or of another topic of that name', async () => {
  const world = await compactedWorld();
  append(world.log, { records: keyed(['a', '1'], ['a', '2']) });
  await compact(world);
  append(world.log, { records: keyed(['b', '1']) });
  await world.sim.complete(world.manager.close());
  const path = `${LOG_DIR}/cleaner-offset-checkpoint`;
  world.runtime.disk.writeFile(path, Buffer.from('0\n2\ndemo 0 9\nlater 0 7\n'));
  world.machine.crash('process');
  world.machine.restart();
  await world.open();
  assert.equal(world.log.firstDirtyOffset, 0);
  const later = await world.sim.complete(world.manager.getOrCreate({ topic: 'later', partition: 0 }, true));
  assert.equal(later.firstDirtyOffset, undefined);
});

test('the retention task leaves compacted logs to the cleaner', async () => {
  const world = await compactedWorld({ delete: true, retentionMs: 1_000, segmentBytes: 200 });
  for (let index = 0; index < 4; index += 1) append(world.log, { records: keyed(['a', '.'.repeat(100)]) });
  world.log.updateHighWatermark(4);
  await world.sim.runFor(5_000);
  world.manager.deleteOldSegments();
  await world.sim.runFor(100);
  assert.equal(world.log.segments[0]!.baseOffset, 0);
});

test('the broker’s cleaner waits log.cleaner.backoff.ms, compacts by itself, and takes over retention of its logs', async () => {
  const world = await compactedWorld({ segmentBytes: 300 });
  await world.restartCleanly();
  await world.sim.complete(world.manager.close());
  await world.open({ cleaner: { backoffMs: 5_000 } });
  for (let index = 0; index < 12; index += 1) append(world.log, { records: keyed(['a', `${index}`.padEnd(30)]) });
  world.log.updateHighWatermark(12);
  await world.sim.runFor(4_000);
  assert.equal((await survivors(world)).length, 12);
  await world.sim.runFor(2_000);
  assert.ok((await survivors(world)).length < 5);
  world.log.deleteRecords(11);
  await world.sim.runFor(5_100);
  assert.ok(world.log.segments[0]!.baseOffset > 0);
  await world.restartCleanly();
  assert.equal(world.log.logStartOffset, 11);
});
