import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Completion, DiskError, type File } from '../disk.ts';
import type { SimMachine } from './sim-machine.ts';
import { Simulation } from './simulation.ts';

function world(seed: number): { sim: Simulation; machine: SimMachine } {
  const sim = new Simulation({ seed });
  const machine = sim.machine('alpha');
  machine.runtime.disk.makeDirectory('/data');
  return { sim, machine };
}

function done(sim: Simulation, act: (done: Completion) => void): Promise<DiskError | undefined> {
  return sim.complete(new Promise((resolve) => act(resolve)));
}

/** A file whose name is on the platters. */
async function durableFile(sim: Simulation, machine: SimMachine, path = '/data/file'): Promise<File> {
  const { disk } = machine.runtime;
  const file = disk.open(path, { create: true });
  for (const directory of ['/', '/data'])
    assert.equal(await done(sim, (then) => disk.syncDirectory(directory, then)), undefined);
  return file;
}

const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('append' as const), size: fc.integer({ min: 0, max: 6000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('append' as const), size: fc.integer({ min: 60_000, max: 90_000 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('sync' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 4 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('preallocate' as const), size: fc.integer({ min: 0, max: 20_000 }) }),
  },
);
const history = fc.record({ seed: fc.nat(1e6), operations: fc.array(operation, { maxLength: 40 }) });

/** Appends of a byte pattern that tells each position, with the sizes that each crash must keep. */
async function run(
  sim: Simulation,
  file: File,
  operations: readonly (typeof operation extends fc.Arbitrary<infer T> ? T : never)[],
) {
  const kept = { written: 0, synced: 0, asked: 0 };
  for (const each of operations) {
    if (each.kind === 'append') {
      const from = kept.asked;
      kept.asked += each.size;
      file.append([pattern(from, each.size)], () => {
        kept.written = from + each.size;
      });
    } else if (each.kind === 'sync') {
      const covered = kept.written;
      file.sync((error) => {
        assert.equal(error, undefined);
        kept.synced = Math.max(kept.synced, covered);
      });
    } else if (each.kind === 'pass') {
      await sim.runFor(each.ms);
    } else if (file.pendingAppends === 0 && file.size === file.end) {
      file.truncate(file.size + each.size);
    }
  }
  return kept;
}

function pattern(from: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let index = 0; index < size; index += 1) bytes[index] = 1 + ((from + index) % 255);
  return bytes;
}

function assertWrittenOrZero(found: Uint8Array): void {
  for (const [index, byte] of found.entries()) assert.ok(byte === 0 || byte === 1 + (index % 255), `byte ${index}`);
}

test('a process crash keeps every byte that was written', async () => {
  let partial = 0;
  await fc.assert(
    fc.asyncProperty(history, async ({ seed, operations }) => {
      const { sim, machine } = world(seed);
      const { written, asked } = await run(sim, await durableFile(sim, machine), operations);
      machine.crash('process');
      machine.restart();
      const found = machine.runtime.disk.readFile('/data/file');
      assert.ok(Buffer.from(found.subarray(0, written)).equals(pattern(0, written)));
      // Of an append in flight a part may be there, but nothing that nobody wrote.
      assertWrittenOrZero(found.subarray(0, asked));
      if (found.length > written && found.length < asked) partial += 1;
    }),
    { numRuns: 150 },
  );
  assert.ok(partial > 5, `${partial} with a part of an append`);
});

test('a power failure keeps every byte that a finished sync covered, and of the rest nothing that was not written', async () => {
  let [lost, torn] = [0, 0];
  await fc.assert(
    fc.asyncProperty(history, async ({ seed, operations }) => {
      const { sim, machine } = world(seed);
      const { synced, written, asked } = await run(sim, await durableFile(sim, machine), operations);
      machine.crash('power');
      machine.restart();
      const found = machine.runtime.disk.readFile('/data/file');
      assert.ok(Buffer.from(found.subarray(0, synced)).equals(pattern(0, synced)), `synced ${synced} of ${written}`);
      assertWrittenOrZero(found.subarray(0, asked));
      if (written > synced && found.length < written) lost += 1;
      if (found.subarray(synced, written).includes(0)) torn += 1;
    }),
    { numRuns: 300 },
  );
  // The crash must be able to hurt, or the property says nothing.
  assert.ok(lost > 20 && torn > 20, `${lost} shortened, ${torn} with holes`);
});

test('after a second power failure what the first one left is still there', async () => {
  for (let seed = 0; seed < 50; seed += 1) {
    const { sim, machine } = world(seed);
    const file = await durableFile(sim, machine);
    file.append([pattern(0, 9000)], () => undefined);
    machine.crash('power');
    machine.restart();
    const left = machine.disk.peek('/data/file');
    machine.crash('power');
    machine.restart();
    assert.deepEqual(machine.disk.peek('/data/file'), left);
  }
});

test('an unsynced truncation is there after a power failure or is not, and the synced bytes before it are', async () => {
  const sizes = new Set<number>();
  for (let seed = 0; seed < 60; seed += 1) {
    const { sim, machine } = world(seed);
    const file = await durableFile(sim, machine);
    file.append([pattern(0, 10_000)], () => undefined);
    await done(sim, (then) => file.sync(then));
    file.truncate(5000);
    machine.crash('power');
    machine.restart();
    const found = machine.disk.peek('/data/file');
    sizes.add(found.length);
    assert.deepEqual(found, Buffer.from(pattern(0, found.length)));
  }
  assert.deepEqual([...sizes].sort(), [10_000, 5000]);
});

test('bytes synced after a truncation survive, whatever was truncated later', async () => {
  for (let seed = 0; seed < 60; seed += 1) {
    const { sim, machine } = world(seed);
    const file = await durableFile(sim, machine);
    file.append([pattern(0, 9000)], () => undefined);
    file.truncate(5000);
    file.append([pattern(5000, 3000)], () => undefined);
    const synced = done(sim, (then) => file.sync(then));
    file.truncate(7000);
    await synced;
    machine.crash('power');
    machine.restart();
    const found = machine.disk.peek('/data/file');
    assert.deepEqual(found.subarray(0, 7000), Buffer.from(pattern(0, 7000)));
  }
});

test('after a failed sync a later one succeeds without having written the bytes, as Linux marks them clean', async () => {
  let gone = 0;
  for (let seed = 0; seed < 40; seed += 1) {
    const { sim, machine } = world(seed);
    const file = await durableFile(sim, machine);
    file.append([pattern(0, 6000)], () => undefined);
    machine.disk.failNext({ operation: 'sync', code: 'EIO' });
    assert.equal((await done(sim, (then) => file.sync(then)))?.code, 'EIO');
    assert.equal(await done(sim, (then) => file.sync(then)), undefined);
    machine.crash('power');
    machine.restart();
    if (!Buffer.from(pattern(0, 6000)).equals(machine.disk.peek('/data/file'))) gone += 1;
  }
  assert.ok(gone > 10, `${gone} of 40`);
});

test('a sync covers what an earlier one, still in flight, is writing', async () => {
  let overtaken = 0;
  for (let seed = 0; seed < 200; seed += 1) {
    const { sim, machine } = world(seed);
    const file = await durableFile(sim, machine);
    const other = machine.runtime.disk.open('/data/file');
    const finished: string[] = [];
    file.append([pattern(0, 6000)], () => undefined);
    file.sync(() => finished.push('first'));
    other.sync(() => finished.push('second'));
    await sim.runUntil(() => finished.length === 1, 1000);
    machine.crash('power');
    machine.restart();
    if (finished[0] !== 'second') continue;
    overtaken += 1;
    assert.deepEqual(machine.disk.peek('/data/file'), Buffer.from(pattern(0, 6000)));
  }
  assert.ok(overtaken > 50, `${overtaken} of 200`);
});

test('names that were not synced may vanish in a power failure, the earlier ones first to stay', async () => {
  const outcomes = new Set<string>();
  for (let seed = 0; seed < 60; seed += 1) {
    const { sim, machine } = world(seed);
    await durableFile(sim, machine, '/data/synced');
    for (const name of ['a', 'b', 'c']) machine.runtime.disk.writeFile(`/data/${name}`, pattern(0, 10));
    machine.crash('power');
    const { disk } = machine.restart();
    outcomes.add(
      disk
        .list('/data')
        .map(({ name }) => name)
        .join(),
    );
  }
  assert.deepEqual([...outcomes].sort(), ['a,b,c,synced', 'a,b,synced', 'a,synced', 'synced']);
});

test('a rename is there wholly or not at all after a power failure', async () => {
  const outcomes = new Set<string>();
  for (let seed = 0; seed < 60; seed += 1) {
    const { sim, machine } = world(seed);
    const { disk } = machine.runtime;
    for (const directory of ['/data/from', '/data/to']) disk.makeDirectory(directory);
    const file = await durableFile(sim, machine, '/data/from/file');
    await done(sim, (then) => disk.syncDirectory('/data/from', then));
    file.close();
    disk.rename('/data/from/file', '/data/to/file');
    machine.crash('power');
    const after = machine.restart().disk;
    outcomes.add(`${after.stat('/data/from/file') ? 'from' : ''}${after.stat('/data/to/file') ? 'to' : ''}`);
  }
  assert.deepEqual([...outcomes].sort(), ['from', 'to']);
});

test('replaceFile is atomic at every instant, and durable once it is done', async () => {
  const outcomes = new Set<string>();
  for (let seed = 0; seed < 80; seed += 1) {
    const { sim, machine } = world(seed);
    const { disk } = machine.runtime;
    await durableFile(sim, machine);
    assert.equal(
      await done(sim, (then) => disk.replaceFile('/data/checkpoint', Buffer.from('old old'), then)),
      undefined,
    );
    let isDone = false;
    disk.replaceFile('/data/checkpoint', Buffer.from('new'), () => {
      isDone = true;
    });
    await sim.runFor(sim.random.between(0, 4));
    machine.crash(sim.random.pick(['process', 'power']));
    const found = Buffer.from(machine.restart().disk.readFile('/data/checkpoint')).toString();
    assert.ok(found === 'new' || (found === 'old old' && !isDone), found);
    outcomes.add(`${found} ${isDone}`);
  }
  assert.deepEqual([...outcomes].sort(), ['new false', 'new true', 'old old false']);
});

test('a full disk takes a part of an append and then fails, and goes on when there is room', async () => {
  const { machine } = world(1);
  const file = machine.runtime.disk.open('/data/file', { create: true });
  machine.disk.fill(8192);
  let code: string | undefined;
  file.append([pattern(0, 10_000)], (error) => {
    code = error?.code;
  });
  assert.deepEqual([code, file.end, file.size], ['ENOSPC', 0, 8192]);
  assert.equal(machine.runtime.disk.freeBytes('/data'), 0);
  assert.throws(() => machine.runtime.disk.writeFile('/data/other', pattern(0, 10)), /ENOSPC/);
  file.truncate(0);
  file.append([pattern(0, 8000)], (error) => {
    code = error?.code;
  });
  assert.deepEqual([code, file.end], [undefined, 8000]);
  machine.runtime.disk.remove('/data/file');
  assert.equal(machine.runtime.disk.freeBytes('/data'), 8192);
});

test('ordered failures hit the operation, the path and the count that were ordered', () => {
  const { machine } = world(1);
  const { disk } = machine.runtime;
  machine.disk.failNext({ operation: 'writeFile', code: 'EROFS', path: 'b', count: 2 });
  disk.writeFile('/data/a', pattern(0, 1));
  for (let count = 0; count < 2; count += 1) {
    assert.throws(
      () => disk.writeFile('/data/b', pattern(0, 1)),
      (error) => error instanceof DiskError && error.code === 'EROFS',
    );
  }
  disk.writeFile('/data/b', pattern(0, 1));
  machine.disk.failNext({ operation: 'open', code: 'EIO', count: Number.POSITIVE_INFINITY });
  assert.throws(() => disk.open('/data/a'), /EIO/);
  assert.throws(() => disk.open('/data/b'), /EIO/);
  machine.disk.repair();
  disk.open('/data/a');
});

test('corruption flips one bit, for the running process and after a power failure', async () => {
  const { sim, machine } = world(1);
  const file = await durableFile(sim, machine);
  file.append([pattern(0, 5000)], () => undefined);
  await done(sim, (then) => file.sync(then));
  machine.disk.corrupt('/data/file', 4500);
  const want = pattern(0, 5000);
  want[4500]! ^= 1;
  assert.deepEqual(file.readAt(0, 5000), Buffer.from(want));
  machine.crash('power');
  assert.deepEqual(machine.restart().disk.readFile('/data/file'), Buffer.from(want));
});

test('a dead process changes nothing any more, and its locks are free', async () => {
  const { sim, machine } = world(1);
  const before = machine.runtime.disk;
  const file = await durableFile(sim, machine);
  before.lock('/data');
  machine.crash('process');
  const after = machine.restart().disk;
  after.lock('/data');
  file.append([pattern(0, 10)], () => assert.fail('done'));
  file.sync(() => assert.fail('done'));
  before.replaceFile('/data/file', pattern(0, 10), () => assert.fail('done'));
  assert.throws(() => before.writeFile('/data/file', pattern(0, 10)), /crashed/);
  assert.throws(() => file.truncate(5), /crashed/);
  await sim.runFor(1000);
  assert.equal(after.stat('/data/file')?.size, 0);
});

test('a file of a preallocated size takes room only where it was written', () => {
  const { machine } = world(1);
  const { disk } = machine.runtime;
  const before = disk.freeBytes('/data');
  const file = disk.open('/data/log', { create: true });
  file.truncate(64 * 1024 * 1024);
  file.append([pattern(0, 10)], () => undefined);
  assert.equal(before - disk.freeBytes('/data'), 4096);
  assert.deepEqual(file.readAt(8, 4), Buffer.from([9, 10, 0, 0]));
});

test('a trap ends the process at the operation of its number, an append in part, and completions do not come', async () => {
  for (const at of [1, 2, 3, 4]) {
    const { sim, machine } = world(at);
    const file = await durableFile(sim, machine);
    const completed: string[] = [];
    machine.disk.setTrap({ at, changesOnly: true, act: () => machine.crash('process') });
    assert.equal(machine.runtime.disk.stat('/data/file')?.size, 0);
    file.append([new Uint8Array(1000).fill(1)], () => completed.push('append'));
    file.sync(() => completed.push('sync'));
    await sim.runFor(200);
    if (machine.alive) file.append([new Uint8Array(1000).fill(2)], () => completed.push('append'));
    if (machine.alive) file.sync(() => completed.push('sync'));
    await sim.runFor(200);
    assert.equal(machine.alive, false);
    assert.deepEqual(completed, ['append', 'sync', 'append'].slice(0, at - 1));
    const { length } = machine.disk.peek('/data/file');
    if (at === 1) assert.ok(length < 1000, `${length}`);
    if (at === 3) assert.ok(length >= 1000 && length < 2000, `${length}`);
  }
});

test('a trap with a code fails the one operation, whichever it is', async () => {
  const { sim, machine } = world(5);
  const { disk } = machine.runtime;
  const file = await durableFile(sim, machine);
  machine.disk.setTrap({ at: 2, act: 'EIO' });
  disk.stat('/data');
  assert.throws(() => disk.list('/data'), { code: 'EIO' });
  assert.equal(machine.disk.faults.isTrapSet, false);
  assert.equal(await done(sim, (then) => file.append([new Uint8Array(10)], then)), undefined);
});
