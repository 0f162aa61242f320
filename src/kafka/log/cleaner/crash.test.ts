import assert from 'node:assert/strict';
import test from 'node:test';
import {
  appendMarker,
  cleanerOf,
  committed,
  compactedWorld,
  keyed,
  type Survivor,
  survivors,
} from '../testkit/compaction.ts';
import { append, type LogWorld } from '../testkit/log-world.ts';

/** Segments with values, tombstones, an aborted and a committed transaction, and an idempotent producer. */
async function filled(seed: string): Promise<LogWorld> {
  const world = await compactedWorld({ segmentBytes: 700 }, seed);
  const { log } = world;
  for (let index = 0; index < 24; index += 1) {
    const key = `k${index % 7}`;
    const producer = { producerId: index % 3, producerEpoch: 0, baseSequence: 2 * Math.floor(index / 3) };
    const pairs = [[key, `${index}`] as const, [`k${index % 5}`, index % 4 === 0 ? null : `${index}!`] as const];
    append(log, { ...producer, isTransactional: index % 3 === 2, records: keyed(...pairs) });
    if (index % 3 === 2) appendMarker(world, 2, { committed: index % 2 === 0 });
    // Where a segment ends nothing is left of it, so that the next one does not begin where this one ends.
    if (index % 6 === 5) {
      append(log, { records: keyed(['last', `${index}`]) });
      log.roll();
    }
  }
  log.roll();
  append(log, { records: keyed(['behind', '1']) });
  await world.drain();
  log.updateHighWatermark(log.logEndOffset);
  return world;
}

const visible = (records: readonly Survivor[]): string[] =>
  records.map(({ offset, key, value, timestamp }) => `${offset} ${key} ${value} ${timestamp}`);

const flushed = (world: LogWorld): Promise<void> =>
  world.sim.complete(new Promise((resolve) => world.log.flush(() => resolve())));

function sequencesOf(world: LogWorld): string[] {
  return [...world.log.producers.entries()]
    .map(({ producerId, epoch, batches }) => `${producerId} ${epoch} ${batches.at(-1)?.lastSequence}`)
    .sort();
}

/** What holds of the log before, and after a pass that nothing interrupted. */
async function outcomes() {
  const world = await filled('uninterrupted');
  const before = { all: visible(await survivors(world)), committed: visible(await committed(world)) };
  const sequences = sequencesOf(world);
  const startCount = world.machine.disk.faults.changeCount;
  assert.equal(await world.sim.complete(cleanerOf(world).cleanFilthiest()), true);
  const changes = world.machine.disk.faults.changeCount - startCount;
  const after = { all: visible(await survivors(world)), committed: visible(await committed(world)) };
  return { before, after, sequences, changes };
}

const within = (found: readonly string[], least: readonly string[], most: readonly string[], what: string): void => {
  assert.deepEqual(
    least.filter((each) => !found.includes(each)),
    [],
    `${what}: nothing that compaction keeps is lost`,
  );
  const order = found.map((each) => most.indexOf(each));
  assert.ok(
    order.every((place, index) => place >= 0 && (index === 0 || place > order[index - 1]!)),
    `${what}: in order`,
  );
};

for (const kind of ['process', 'power'] as const) {
  test(`whichever operation of a pass is the last before the ${kind} ends, what was readable stays readable`, async () => {
    const { before, after, sequences, changes } = await outcomes();
    assert.ok(changes > 40, `${changes}`);
    let interrupted = 0;
    for (let at = 1; at <= changes + 2; at += 1) {
      const world = await filled(`${kind} ${at}`);
      // A power failure may take what was not synced: only compaction is on trial here.
      if (kind === 'power') await flushed(world);
      const { machine, sim } = world;
      machine.disk.setTrap({ at, changesOnly: true, act: () => machine.crash(kind) });
      let isOver = false;
      void cleanerOf(world)
        .cleanFilthiest()
        .then(() => (isOver = true));
      await sim.runUntil(() => isOver || !machine.disk.faults.isTrapSet, 10_000);
      await sim.runFor(1);
      if (!machine.disk.faults.isTrapSet) interrupted += 1;
      machine.disk.repair();
      if (isOver) machine.crash(kind);
      machine.restart();
      await world.open();
      world.log.updateHighWatermark(world.log.logEndOffset);
      const where = `operation ${at}`;
      within(visible(await survivors(world)), after.all, before.all, where);
      within(visible(await committed(world)), after.committed, before.committed, where);
      assert.deepEqual(sequencesOf(world), sequences, where);
      const names = world.runtime.disk.list(world.log.directory).map(({ name }) => name);
      assert.deepEqual(
        names.filter((name) => /\.(cleaned|swap|deleted)$/.test(name)),
        [],
        where,
      );
      assert.ok(append(world.log, { producerId: 0, producerEpoch: 0, baseSequence: 16, records: keyed(['k', 'v']) }));
      world.log.updateHighWatermark(world.log.logEndOffset);
      await world.sim.complete(cleanerOf(world).cleanFilthiest());
      assert.deepEqual(visible(await survivors(world)).slice(0, -1), after.all, `${where}: the next pass ends it`);
    }
    assert.ok(interrupted > 40, `${interrupted}`);
  });
}
