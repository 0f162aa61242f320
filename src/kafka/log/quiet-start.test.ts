import assert from 'node:assert/strict';
import test from 'node:test';
import type { Disk } from '../../runtime/disk.ts';
import { append, LOG_DIR, LogWorld, PARTITION, values } from './testkit/log-world.ts';

const EPOCH_FILE = `${LOG_DIR}/demo-0/leader-epoch-checkpoint`;
const INDEX = `${LOG_DIR}/demo-0/00000000000000000000.index`;

const epochFile = (world: LogWorld): string => Buffer.from(world.machine.disk.peek(EPOCH_FILE)).toString();

/** Notes what is asked of the disk for one partition, by the name of the method. */
function noting(disk: Disk, into: string[]): Disk {
  return new Proxy(disk, {
    get(target, property, receiver) {
      const value: unknown = Reflect.get(target, property, receiver);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        if (typeof args[0] === 'string' && args[0].startsWith(`${LOG_DIR}/demo-0`)) into.push(String(property));
        return Reflect.apply(value, target, args) as unknown;
      };
    },
  });
}

/** Opens the log as a leader of one replica does, and tells what that asked of the disk for the partition. */
async function startLeading(world: LogWorld, epoch: number): Promise<string[]> {
  const asked: string[] = [];
  await world.open({ runtime: { ...world.runtime, disk: noting(world.runtime.disk, asked) } });
  assert.equal(world.log.topicId, 'aaaaaaaaaaaaaaaaaaaaaa');
  world.log.assignEpoch(epoch, world.log.nextOffset);
  world.log.updateHighWatermark(world.log.logEndOffset);
  await world.sim.runFor(1_000);
  return asked;
}

async function emptyPartition(world: LogWorld): Promise<void> {
  await world.open({});
  world.log.assignTopicId('aaaaaaaaaaaaaaaaaaaaaa');
  world.log.assignEpoch(0, 0);
  await world.sim.runFor(1_000);
}

async function stop(world: LogWorld, how: 'cleanly' | 'process' | 'power'): Promise<void> {
  if (how === 'cleanly') await world.sim.complete(world.manager.close());
  world.machine.crash(how === 'cleanly' ? 'process' : how);
  world.machine.restart();
}

test('an empty partition asks the disk for three things at a clean start, and for nothing at the stop', async () => {
  const world = new LogWorld(1);
  await emptyPartition(world);
  await stop(world, 'cleanly');
  const asked = await startLeading(world, 0);
  assert.deepEqual(asked, ['list', 'stat', 'readFile']);
  await world.sim.complete(world.manager.close());
  assert.equal(asked.length, 3);
});

test('after a crash an empty partition has its indexes looked at, and nothing is written or opened', async () => {
  const world = new LogWorld(2);
  await emptyPartition(world);
  await stop(world, 'process');
  const asked = await startLeading(world, 0);
  assert.deepEqual(asked.toSorted(), ['list', 'readFile', 'stat', 'stat', 'stat', 'stat']);
  await world.sim.complete(world.manager.close());
  assert.equal(asked.length, 6);
});

test('an index that a crash left before its log is emptied', async () => {
  const world = new LogWorld(3);
  await emptyPartition(world);
  await stop(world, 'process');
  world.runtime.disk.writeFile(INDEX, Buffer.alloc(4_096, 7));
  await startLeading(world, 0);
  assert.equal(world.runtime.disk.stat(INDEX)?.size, 0);
  append(world.log, { records: values('a', 'b') });
  assert.equal(world.log.logEndOffset, 2);
});

test('the file of the leader epochs gets an epoch with its first record', async () => {
  const world = new LogWorld(4);
  await emptyPartition(world);
  assert.equal(epochFile(world), '0\n1\n0 0\n', 'a new partition has the file at once');
  await stop(world, 'cleanly');
  await startLeading(world, 3);
  assert.equal(epochFile(world), '0\n1\n0 0\n');
  assert.deepEqual(world.log.epochEntries, [{ epoch: 3, startOffset: 0 }]);
  append(world.log, { records: values('a'), epoch: 3 });
  await world.sim.runFor(1_000);
  assert.equal(epochFile(world), '0\n1\n3 0\n');
  world.log.assignEpoch(4, 1);
  await world.sim.runFor(1_000);
  assert.equal(epochFile(world), '0\n1\n3 0\n', 'nothing was written in epoch 4 yet');
  append(world.log, { records: values('b'), epoch: 4 });
  await world.sim.runFor(1_000);
  assert.equal(epochFile(world), '0\n2\n3 0\n4 1\n');
});

for (const how of ['cleanly', 'process', 'power'] as const) {
  test(`an epoch without a record is forgotten, one with a flushed record is not (${how})`, async () => {
    const world = new LogWorld(`epochs ${how}`);
    await emptyPartition(world);
    await stop(world, how);
    await startLeading(world, 3);
    await stop(world, how);
    await world.open({});
    assert.deepEqual(world.log.epochEntries, []);
    world.log.assignEpoch(5, 0);
    append(world.log, { records: values('a', 'b'), epoch: 5 });
    await world.sim.complete(new Promise<void>((resolve) => world.log.flush(() => resolve())));
    world.log.assignEpoch(6, 2);
    await stop(world, how);
    await world.open({});
    assert.equal(world.log.logEndOffset, 2);
    assert.deepEqual(world.log.epochEntries, [{ epoch: 5, startOffset: 0 }]);
  });
}

test('what the file says of an empty log is never believed of offsets that the log reaches otherwise', async () => {
  const world = new LogWorld(5);
  await emptyPartition(world);
  await stop(world, 'cleanly');
  await world.open({});
  await world.sim.complete(new Promise<void>((resolve) => world.log.truncateFullyAndStartAt(100, () => resolve())));
  assert.equal(world.log.logEndOffset, 100);
  await world.sim.runFor(1_000);
  await stop(world, 'process');
  await world.open({});
  assert.deepEqual([world.log.logEndOffset, world.log.epochEntries], [100, []]);
  assert.deepEqual(world.log.topicPartition, PARTITION);
});

test('an epoch that contradicts one with records is in the file at once, and so is a later start of the log', async () => {
  const world = new LogWorld(6);
  await emptyPartition(world);
  append(world.log, { records: values('a', 'b'), epoch: 5 });
  append(world.log, { records: values('c'), epoch: 6 });
  await world.sim.runFor(1_000);
  assert.equal(epochFile(world), '0\n2\n5 0\n6 2\n');
  world.log.updateHighWatermark(3);
  world.log.deleteRecords(2);
  await world.sim.runFor(1_000);
  assert.equal(epochFile(world), '0\n1\n6 2\n');
  world.log.assignEpoch(4, 3);
  await world.sim.runFor(1_000);
  assert.equal(epochFile(world), '0\n1\n4 3\n');
});

test('an empty segment behind what compaction left of the one before is where the log ends', async () => {
  const world = new LogWorld(7);
  await emptyPartition(world);
  append(world.log, { records: values('a', 'b') });
  await stop(world, 'process');
  const { disk } = world.runtime;
  disk.writeFile(`${LOG_DIR}/demo-0/00000000000000000010.log`, Buffer.alloc(0));
  disk.writeFile(`${LOG_DIR}/cleaner-offset-checkpoint`, Buffer.from('0\n1\ndemo 0 10\n'));
  await world.open({});
  assert.deepEqual([world.log.logEndOffset, world.log.nextOffset], [10, 10]);
  append(world.log, { records: values('c') });
  assert.equal(world.log.logEndOffset, 11);
});
