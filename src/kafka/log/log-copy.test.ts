import assert from 'node:assert/strict';
import test from 'node:test';
import type { PartitionLog } from './log.ts';
import { defaultLogConfig } from './log-config.ts';
import { LogCopy } from './log-copy.ts';
import { LogManager } from './log-manager.ts';
import { append, everyAppendIsATurn, LogWorld, PARTITION, values } from './testkit/log-world.ts';

async function world(seed: number) {
  const log = new LogWorld(seed);
  const config = { ...defaultLogConfig, segmentBytes: 4000 };
  const manager = await log.sim.complete(
    LogManager.open({
      runtime: log.runtime,
      logDirs: ['/one', '/two'],
      configOf: () => config,
      turnEnd: everyAppendIsATurn(),
    }),
  );
  const from = await log.sim.complete(manager.getOrCreate(PARTITION, true));
  const target = manager.directories[1];
  assert.ok(target);
  const to = await log.sim.complete(manager.createFuture(PARTITION, target));
  const copyAll = async (): Promise<void> => {
    const copy = new LogCopy(from, to);
    while ((await log.sim.complete(copy.next())) > 0);
  };
  return { log, from, to, copyAll };
}

function put(log: PartitionLog, epoch: number, count: number): void {
  for (let index = 0; index < count; index += 1) {
    append(log, { epoch, records: values(`${epoch}.${index} ${'.'.repeat(300)}`, 'second') });
  }
  log.updateHighWatermark(log.logEndOffset);
}

/** File by file, segments may begin elsewhere: what is compared is every byte of every batch, and what is known of them. */
async function assertSame({ log, from, to }: Awaited<ReturnType<typeof world>>): Promise<void> {
  const bytes = (one: PartitionLog): string => {
    const { disk } = log.runtime;
    const names = disk.list(one.directory).map(({ name }) => name);
    return names
      .filter((name) => name.endsWith('.log'))
      .map((name) => Buffer.from(disk.readFile(`${one.directory}/${name}`)).toString('hex'))
      .join('');
  };
  assert.equal(bytes(to), bytes(from));
  assert.deepEqual(to.epochEntries, from.epochEntries);
  assert.deepEqual(
    [to.logEndOffset, to.highWatermark, to.logStartOffset],
    [from.logEndOffset, from.highWatermark, from.logStartOffset],
  );
}

test('a copy is the other log, batch by batch, with its epochs, and follows it', async () => {
  const both = await world(1);
  put(both.from, 0, 20);
  put(both.from, 3, 20);
  await both.copyAll();
  await assertSame(both);
  put(both.from, 4, 1);
  await both.copyAll();
  await assertSame(both);
});

test('a copy forgets what the other log no longer has, also where others stand in its place', async () => {
  const both = await world(2);
  put(both.from, 0, 10);
  put(both.from, 1, 10);
  await both.copyAll();
  const truncate = (log: PartitionLog, offset: number) =>
    both.log.sim.complete(new Promise<void>((resolve) => log.truncateTo(offset, () => resolve())));
  await truncate(both.from, 24);
  put(both.from, 2, 30);
  await both.copyAll();
  await assertSame(both);
  await truncate(both.from, 10);
  await both.copyAll();
  assert.equal(both.to.logEndOffset, 10);
  put(both.from, 5, 3);
  await both.copyAll();
  await assertSame(both);
});

test('a log that begins in the middle of a batch is copied from the beginning of that batch', async () => {
  const both = await world(3);
  put(both.from, 0, 10);
  both.from.deleteRecords(5);
  await both.copyAll();
  assert.deepEqual([both.to.logStartOffset, both.to.logEndOffset], [5, 20]);
  assert.equal(both.to.segments[0]?.baseOffset, 4);
});

test('a copy that the other log left behind begins anew where that begins now', async () => {
  const both = await world(4);
  put(both.from, 0, 4);
  await both.copyAll();
  put(both.from, 0, 40);
  both.from.deleteRecords(60);
  await both.copyAll();
  assert.deepEqual([both.to.logStartOffset, both.to.logEndOffset], [60, 88]);
});
