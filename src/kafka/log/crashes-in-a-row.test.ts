import assert from 'node:assert/strict';
import test from 'node:test';
import { append, LOG_DIR, LogWorld, recordsIn, values } from './testkit/log-world.ts';

const MARKER = `${LOG_DIR}/.kafka_cleanshutdown`;
const flushed = (world: LogWorld): Promise<void> =>
  world.sim.complete(new Promise((resolve) => world.log.flush(() => resolve())));

async function flushedAndNoted(world: LogWorld): Promise<void> {
  await flushed(world);
  const [directory] = world.manager.directories;
  await world.sim.complete(new Promise<void>((resolve) => directory!.checkpointRecoveryPoints(() => resolve())));
}

test('a closed segment keeps its largest timestamp when power fails, though the recovery point was at its end before', async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const world = new LogWorld(seed);
    await world.open();
    append(world.log, { records: [{ value: Buffer.from('a'), timestamp: 1_790_000_000_007 }] });
    await flushedAndNoted(world);
    world.log.roll();
    await world.crash('power');
    assert.equal(world.log.segments[0]!.maxTimestamp.timestamp, 1_790_000_000_007, `seed ${seed}`);
  }
});

test('the marker of a clean stop does not come back when the process that removed it died first', async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const world = new LogWorld(seed);
    await world.open();
    await world.sim.complete(world.manager.close());
    world.machine.crash('process');
    world.machine.restart();
    world.runtime.disk.remove(MARKER);
    await world.crash('process');
    world.machine.crash('power');
    assert.equal(world.machine.disk.tree.find(MARKER), undefined, `seed ${seed}`);
  }
});

test('a log dir that a process made before it died is there after a power failure', async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const world = new LogWorld(seed);
    world.runtime.disk.makeDirectory(LOG_DIR);
    await world.crash('process');
    append(world.log, { records: values('kept') });
    await flushed(world);
    await world.crash('power');
    assert.deepEqual(await recordsIn(world), [{ offset: 0, value: 'kept' }], `seed ${seed}`);
  }
});

test('what a process wrote before it died is durable once the next one has flushed', async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const world = new LogWorld(seed);
    await world.open();
    append(world.log, { records: values('first') });
    await flushedAndNoted(world);
    world.log.roll();
    append(world.log, { records: values('second') });
    await world.crash('process');
    await flushed(world);
    await world.crash('power');
    assert.equal(world.log.logEndOffset, 2, `seed ${seed}`);
    assert.deepEqual(world.log.epochEntries, [{ epoch: 0, startOffset: 0 }], `seed ${seed}`);
  }
});
