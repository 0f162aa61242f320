import assert from 'node:assert/strict';
import { DiskError, type File } from '../disk.ts';
import { type ContractCase, type ContractWorld, outcome, turn } from './contract.ts';

export const diskCases: readonly ContractCase[] = [
  {
    name: 'a small append to an idle file is done before the call returns',
    run: async (world) => {
      const file = create(world);
      let done = false;
      file.append([bytes('ab'), bytes('c')], (error) => {
        done = error === undefined;
      });
      assert.equal(done, true);
      assert.deepEqual([file.size, file.end, file.pendingAppends], [3, 3, 0]);
      assert.equal(text(file.readAt(0, 10)), 'abc');
      file.close();
    },
  },
  { name: 'appends are written in the order of the calls, small behind large', run: appendsKeepTheirOrder },
  {
    name: 'an append of thousands of buffers is written whole',
    run: async (world) => {
      const file = create(world);
      const buffers = Array.from({ length: 3000 }, (_, index) => Buffer.alloc(50, index % 251));
      assert.equal(await world.complete(outcome((done) => file.append(buffers, done))), undefined);
      assert.ok(Buffer.from(file.readAt(0, 150_000)).equals(Buffer.concat(buffers)));
      file.close();
    },
  },
  { name: 'a failed append does not count, whether small or large, nor do those behind it', run: failedAppend },
  {
    name: 'a failed sync is an error, and the next one is its own',
    run: async (world) => {
      const file = create(world);
      file.append([bytes('abc')], () => undefined);
      world.failNext('sync', 'EIO');
      const error = await world.complete(outcome((done) => file.sync(done)));
      assert.deepEqual([error?.code, error?.path], ['EIO', file.path]);
      assert.equal(await world.complete(outcome((done) => file.sync(done))), undefined);
      file.close();
    },
  },
  {
    name: 'seek sets where the next append goes, and the size stays',
    run: async (world) => {
      const file = create(world);
      file.truncate(10);
      assert.deepEqual([file.size, file.end], [10, 0]);
      file.append([bytes('abc')], () => undefined);
      assert.deepEqual([file.size, file.end], [10, 3]);
      file.seek(8);
      file.append([bytes('defg')], () => undefined);
      assert.deepEqual([file.size, file.end], [12, 12]);
      assert.equal(text(file.readAt(0, 20)), 'abc\0\0\0\0\0defg');
      file.close();
      assert.equal(world.runtime.disk.open(file.path).end, 12);
    },
  },
  {
    name: 'truncate cuts, and what is extended again reads as zeros',
    run: async (world) => {
      const file = create(world);
      file.append([bytes('abcdef')], () => undefined);
      file.truncate(2);
      assert.deepEqual([file.size, file.end], [2, 2]);
      file.truncate(4);
      assert.deepEqual([file.size, file.end], [4, 2]);
      assert.equal(text(file.readAt(0, 10)), 'ab\0\0');
      file.close();
    },
  },
  {
    name: 'writeAt does not move the end; reads stop at the end of the file',
    run: async (world) => {
      const file = create(world);
      file.append([bytes('abcdef')], () => undefined);
      file.writeAt(1, bytes('XY'));
      file.writeAt(8, bytes('!'));
      assert.deepEqual([file.size, file.end], [9, 6]);
      assert.equal(text(file.readAt(0, 100)), 'aXYdef\0\0!');
      assert.equal(file.readAt(9, 5).length, 0);
      assert.equal(file.readAt(50, 5).length, 0);
      const memory = Buffer.alloc(6, '-');
      const read = file.readAt(2, 4, memory);
      assert.deepEqual([text(read), text(memory), read.buffer === memory.buffer], ['Ydef', 'Ydef--', true]);
      assert.deepEqual([text(file.readAt(7, 6, memory)), text(memory)], ['\0!', '\0!ef--']);
      file.close();
    },
  },
  {
    name: 'read fills the memory it is given, or less at the end of the file, and leaves the rest alone',
    run: async (world) => {
      const file = create(world);
      file.append([bytes('abcdef')], () => undefined);
      for (const { position, size, want } of [
        { position: 1, size: 4, want: 'bcde' },
        { position: 4, size: 5, want: 'ef---' },
        { position: 6, size: 3, want: '---' },
        { position: 9, size: 2, want: '--' },
        { position: 2, size: 0, want: '' },
      ]) {
        const memory = Buffer.alloc(size + 2, '-');
        const into = memory.subarray(1, size + 1);
        const count = await world.complete(readInto(file, position, into));
        assert.equal(count, want.replaceAll('-', '').length);
        assert.equal(text(memory), `-${want}-`);
      }
      file.close();
    },
  },
  {
    name: 'reads that were asked for together fill each its own memory, also of a file that is closed meanwhile',
    run: async (world) => {
      const file = create(world);
      const content = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
      assert.equal(await world.complete(outcome((done) => file.append([content], done))), undefined);
      const memory = Buffer.alloc(300_000);
      const counts = [0, 1, 2].map((part) =>
        readInto(file, part * 100_000, memory.subarray(part * 100_000, (part + 1) * 100_000)),
      );
      file.close();
      assert.deepEqual(await world.complete(Promise.all(counts)), [100_000, 100_000, 100_000]);
      assert.ok(memory.equals(content));
    },
  },
  {
    name: 'what was read does not change when the file does',
    run: async (world) => {
      const file = create(world);
      file.append([bytes('before')], () => undefined);
      const read = file.readAt(0, 6);
      file.writeAt(0, bytes('after!'));
      assert.equal(text(read), 'before');
      file.close();
    },
  },
  { name: 'replaceFile leaves the newest content and no temporary file', run: replaceFile },
  {
    name: 'replaceFile into a directory that is not there fails with ENOENT',
    run: async (world) => {
      const path = `${world.directory}/none/file`;
      const error = await world.complete(outcome((done) => world.runtime.disk.replaceFile(path, bytes('x'), done)));
      assert.equal(error?.code, 'ENOENT');
    },
  },
  {
    name: 'names: directories are made with their parents, listed in order, renamed over others, removed with all in them',
    run: async (world) => {
      const { disk } = world.runtime;
      const at = (name: string): string => `${world.directory}/${name}`;
      disk.makeDirectory(at('b/c'));
      disk.makeDirectory(at('b/c'));
      disk.writeFile(at('b/file'), bytes('1'));
      disk.writeFile(at('a'), bytes('22'));
      disk.writeFile(at('B'), bytes('333'));
      assert.deepEqual(disk.list(world.directory), [
        { name: 'B', kind: 'file' },
        { name: 'a', kind: 'file' },
        { name: 'b', kind: 'directory' },
      ]);
      disk.rename(at('a'), at('b/file'));
      assert.equal(text(disk.readFile(at('b/file'))), '22');
      assert.equal(disk.stat(at('a')), undefined);
      assert.deepEqual([disk.stat(at('b/file'))?.kind, disk.stat(at('b/file'))?.size], ['file', 2]);
      assert.equal(disk.stat(at('b'))?.kind, 'directory');
      disk.rename(at('b'), at('d'));
      assert.deepEqual(
        disk.list(at('d')).map(({ name }) => name),
        ['c', 'file'],
      );
      assert.equal(await world.complete(outcome((done) => disk.syncDirectory(at('d'), done))), undefined);
      disk.remove(at('d'));
      disk.remove(at('d'));
      assert.deepEqual(disk.list(world.directory), [{ name: 'B', kind: 'file' }]);
    },
  },
  {
    name: 'what is missing is ENOENT, with its path',
    run: async (world) => {
      const { disk } = world.runtime;
      const path = `${world.directory}/missing`;
      for (const act of [
        () => disk.list(path),
        () => disk.readFile(path),
        () => disk.open(path),
        () => disk.lock(path),
        () => disk.open(`${path}/file`, { create: true }),
        () => disk.writeFile(`${path}/file`, bytes('x')),
        () => disk.rename(path, `${world.directory}/other`),
      ]) {
        assert.throws(
          act,
          (error) => error instanceof DiskError && error.code === 'ENOENT' && error.path.startsWith(path),
        );
      }
      const failed = await world.complete(outcome((done) => disk.syncDirectory(path, done)));
      assert.equal(failed?.code, 'ENOENT');
    },
  },
  {
    name: 'setModified sets the time of modification, which a rename keeps',
    run: async (world) => {
      const { disk } = world.runtime;
      const path = `${world.directory}/dated`;
      disk.writeFile(path, bytes('x'));
      disk.setModified(path, 1_600_000_000_123);
      disk.rename(path, `${path}.swap`);
      assert.equal(disk.stat(`${path}.swap`)?.modifiedMs, 1_600_000_000_123);
      assert.throws(() => disk.setModified(path, 1), { code: 'ENOENT' });
    },
  },
  {
    name: 'writeFile replaces; a file opened again has its bytes and ends there',
    run: async (world) => {
      const { disk } = world.runtime;
      const path = `${world.directory}/file`;
      disk.writeFile(path, bytes('a longer content'));
      disk.writeFile(path, bytes('short'));
      const file = disk.open(path, { create: true });
      assert.deepEqual([file.size, file.end], [5, 5]);
      file.append([bytes('er')], () => undefined);
      file.close();
      const reader = disk.open(path, { readOnly: true });
      assert.equal(text(reader.readAt(0, 100)), 'shorter');
      reader.close();
      reader.close();
    },
  },
  {
    name: 'a lock excludes until it is released',
    run: async (world) => {
      const { disk } = world.runtime;
      const lock = disk.lock(world.directory);
      assert.throws(
        () => disk.lock(world.directory),
        (error) => error instanceof DiskError && error.code === 'EBUSY' && /held by/.test(error.message),
      );
      lock.release();
      disk.lock(world.directory).release();
    },
  },
  {
    name: 'a file that is closed while it is appended to still gets all of it',
    run: async (world) => {
      const file = create(world);
      const large = Buffer.alloc(200_000, 1);
      const first = outcome((done) => file.append([large], done));
      const second = outcome((done) => file.append([large], done));
      file.close();
      assert.deepEqual(await world.complete(Promise.all([first, second])), [undefined, undefined]);
      assert.equal(world.runtime.disk.stat(file.path)?.size, 400_000);
    },
  },
  {
    name: 'the disk tells how much is free, and of how much',
    run: async (world) => {
      const free = world.runtime.disk.freeBytes(world.directory);
      assert.ok(free > 0 && free <= world.runtime.disk.totalBytes(world.directory));
    },
  },
];

function readInto(file: File, position: number, into: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) =>
    file.read(position, into, (error, count) => (error === undefined ? resolve(count) : reject(error))),
  );
}

async function appendsKeepTheirOrder(world: ContractWorld): Promise<void> {
  const file = create(world);
  const order: string[] = [];
  const all = new Promise<void>((resolve) => {
    file.append([Buffer.alloc(100_000, 'a')], () => {
      order.push('a');
      // Appended while owners are being told: its completion must not overtake b's.
      file.append([bytes('d')], () => {
        order.push('d');
        resolve();
      });
    });
    file.append([bytes('b')], () => order.push('b'));
    file.append([bytes('c'), Buffer.alloc(100_000, 'c')], () => order.push('c'));
  });
  assert.equal(file.pendingAppends, 3);
  assert.deepEqual([file.size, file.end], [0, 200_002]);
  await world.complete(all);
  assert.deepEqual(order, ['a', 'b', 'c', 'd']);
  assert.deepEqual([file.size, file.end, file.pendingAppends], [200_003, 200_003, 0]);
  assert.equal(text(file.readAt(99_999, 4)), 'abcc');
  assert.equal(text(file.readAt(200_001, 4)), 'cd');
  file.close();
}

async function failedAppend(world: ContractWorld): Promise<void> {
  const file = create(world);
  file.append([bytes('good')], () => undefined);
  world.failNext('append', 'ENOSPC');
  const small = await world.complete(outcome((done) => file.append([bytes('bad'), bytes('bad')], done)));
  assert.deepEqual([small?.code, file.end, file.pendingAppends], ['ENOSPC', 4, 0]);
  world.failNext('append', 'EIO');
  const codes: (string | undefined)[] = [];
  const ends: number[] = [];
  await world.complete(
    new Promise<void>((resolve) => {
      for (const content of [Buffer.alloc(100_000, 'x'), bytes('y')]) {
        file.append([content], (error) => {
          codes.push(error?.code);
          ends.push(file.end);
          if (codes.length === 2) resolve();
        });
      }
    }),
  );
  assert.deepEqual(
    [codes, ends],
    [
      ['EIO', 'EIO'],
      [4, 4],
    ],
  );
  await turn(world);
  file.truncate(4);
  file.append([bytes(' again')], () => undefined);
  assert.equal(text(file.readAt(0, 100)), 'good again');
  file.close();
}

async function replaceFile(world: ContractWorld): Promise<void> {
  const { disk } = world.runtime;
  const path = `${world.directory}/checkpoint`;
  const contents = ['first', 'second', 'the third'];
  const all = contents.map((content) => outcome((done) => disk.replaceFile(path, bytes(content), done)));
  assert.deepEqual(await world.complete(Promise.all(all)), [undefined, undefined, undefined]);
  assert.equal(text(disk.readFile(path)), 'the third');
  assert.equal(await world.complete(outcome((done) => disk.replaceFile(path, new Uint8Array(0), done))), undefined);
  assert.equal(disk.readFile(path).length, 0);
  assert.deepEqual(disk.list(world.directory), [{ name: 'checkpoint', kind: 'file' }]);
}

function create(world: ContractWorld): File {
  return world.runtime.disk.open(`${world.directory}/file`, { create: true });
}

function bytes(content: string): Uint8Array {
  return Buffer.from(content);
}

function text(content: Uint8Array): string {
  return Buffer.from(content).toString();
}
