import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode, type KafkaError } from '../protocol/errors.ts';
import { defaultLogConfig } from './log-config.ts';
import { LogManager, type LogManagerOptions } from './log-manager.ts';
import { append, everyAppendIsATurn, LOG_DIR, LogWorld, PARTITION, recordsIn, values } from './testkit/log-world.ts';

const DIRS = ['/disk1/logs', '/disk2/logs'];

async function opened(world: LogWorld, options: Partial<LogManagerOptions> = {}): Promise<LogManager> {
  const { runtime } = world;
  return world.sim.complete(
    LogManager.open({
      runtime,
      logDirs: DIRS,
      configOf: () => defaultLogConfig,
      turnEnd: everyAppendIsATurn(),
      ...options,
    }),
  );
}

const text = (world: LogWorld, path: string): string => Buffer.from(world.machine.disk.peek(path)).toString();

test('a new partition goes where fewest are', async () => {
  const world = new LogWorld(1);
  const manager = await opened(world);
  for (let partition = 0; partition < 5; partition += 1) {
    await world.sim.complete(manager.getOrCreate({ topic: 'a', partition }, true));
  }
  assert.deepEqual(
    manager.directories.map(({ logs }) => logs.size),
    [3, 2],
  );
  const same = await Promise.all([1, 2].map(() => manager.getOrCreate({ topic: 'a', partition: 3 }, true)));
  assert.equal(same[0], same[1]);
});

test('partitions that are made at the same time are spread too', async () => {
  const world = new LogWorld(1);
  const manager = await opened(world);
  const made = [0, 1, 2, 3].map((partition) => manager.getOrCreate({ topic: 'a', partition }, true));
  await world.sim.complete(Promise.all(made));
  assert.deepEqual(
    manager.directories.map(({ logs }) => logs.size),
    [2, 2],
  );
});

test('checkpoints are written in their intervals and at the stop, and read at the start', async () => {
  const world = new LogWorld(2);
  await world.open();
  append(world.log, { records: values('a', 'b', 'c') });
  world.log.updateHighWatermark(2);
  await world.sim.runFor(5_100);
  assert.equal(text(world, `${LOG_DIR}/replication-offset-checkpoint`), '0\n1\ndemo 0 2\n');
  world.log.flush();
  world.log.deleteRecords(1);
  await world.sim.runFor(60_000);
  assert.equal(text(world, `${LOG_DIR}/recovery-point-offset-checkpoint`), '0\n1\ndemo 0 3\n');
  assert.equal(text(world, `${LOG_DIR}/log-start-offset-checkpoint`), '0\n1\ndemo 0 1\n');
  await world.crash('power');
  assert.deepEqual([world.log.logStartOffset, world.log.highWatermark, world.log.logEndOffset], [1, 2, 3]);
  await world.sim.complete(world.manager.close());
  assert.equal(text(world, `${LOG_DIR}/.kafka_cleanshutdown`), '{"version":0,"brokerEpoch":-1}');
  await world.open();
  assert.equal(world.machine.disk.tree.find(`${LOG_DIR}/.kafka_cleanshutdown`), undefined, 'it vouches for one start');
});

test('of a partition that is found in two directories the log that reaches further stays, whichever it is', async () => {
  const cases = [
    { epochs: [0, 0], counts: [2, 5], stays: 1 },
    { epochs: [0, 0], counts: [5, 2], stays: 0 },
    { epochs: [1, 0], counts: [2, 5], stays: 0 },
    { epochs: [0, 1], counts: [5, 2], stays: 1 },
  ] as const;
  for (const { epochs, counts, stays } of cases) {
    const world = new LogWorld(8);
    for (const [at, dir] of DIRS.entries()) {
      const manager = await opened(world, { logDirs: [dir] });
      const log = await world.sim.complete(manager.getOrCreate(PARTITION, true));
      const texts = Array.from({ length: counts[at] ?? 0 }, () => 'x');
      append(log, { records: values(...texts), epoch: epochs[at] ?? 0 });
      await world.sim.complete(manager.close());
    }
    const manager = await opened(world);
    const log = manager.get(PARTITION);
    assert.deepEqual([log?.directory, log?.logEndOffset], [`${DIRS[stays]}/demo-0`, counts[stays]]);
    const left = world.runtime.disk.list(DIRS[1 - stays] ?? '').map(({ name }) => name);
    assert.ok(left.some((name) => name.endsWith('-delete')) && !left.includes('demo-0'));
    await world.sim.complete(manager.close());
  }
});

test('producers are forgotten after the time that counts now', async () => {
  const world = new LogWorld(7);
  let expirationMs = 86_400_000;
  await world.open({ producerIdExpirationMs: () => expirationMs });
  const records = [{ value: Buffer.from('a'), timestamp: world.runtime.clock.wallMs() }];
  append(world.log, { records, producerId: 5, producerEpoch: 0, baseSequence: 0 });
  await world.sim.runFor(601_000);
  assert.equal(world.log.producers.size, 1);
  expirationMs = 1000;
  await world.sim.runFor(601_000);
  assert.equal(world.log.producers.size, 0);
});

test('a deleted partition is gone at once, its files after the delay, and its name is free', async () => {
  const world = new LogWorld(3);
  await world.open();
  append(world.log, { records: values('old') });
  const old = world.log;
  await world.sim.complete(world.manager.delete(PARTITION));
  assert.equal(world.manager.get(PARTITION), undefined);
  let refused: KafkaError | undefined;
  append(old, { records: values('late'), done: (error) => (refused = error) });
  assert.equal(refused?.code, ErrorCode.KAFKA_STORAGE_ERROR);
  const names = () =>
    world.runtime.disk
      .list(LOG_DIR)
      .map(({ name }) => name)
      .filter((name) => name.startsWith('demo'));
  assert.match(names()[0]!, /^demo-0\.[0-9a-f]{32}-delete$/);
  const again = await world.sim.complete(world.manager.getOrCreate(PARTITION, true));
  assert.equal(again.logEndOffset, 0);
  await world.sim.runFor(60_100);
  assert.deepEqual(names(), ['demo-0']);
});

/** A partition with checkpoints of its own: records below 3 are deleted, 5 are flushed. */
async function withCheckpoints(seed: number): Promise<LogWorld> {
  const world = new LogWorld(seed);
  await world.open();
  append(world.log, { records: values('a', 'b', 'c', 'd', 'e') });
  world.log.updateHighWatermark(5);
  world.log.deleteRecords(3);
  world.log.flush();
  await world.sim.runFor(60_100);
  assert.equal(text(world, `${LOG_DIR}/log-start-offset-checkpoint`), '0\n1\ndemo 0 3\n');
  return world;
}

test('a partition that takes the name of a deleted one begins anew, and after a crash too', async () => {
  const world = await withCheckpoints(12);
  await world.sim.complete(world.manager.delete(PARTITION));
  world.log = await world.sim.complete(world.manager.getOrCreate(PARTITION, true));
  append(world.log, { records: values('new') });
  await world.crash('process');
  assert.deepEqual(await recordsIn(world), [{ offset: 0, value: 'new' }]);
});

test('what checkpoints say of a partition that is gone counts for none that takes its name later', async () => {
  const world = await withCheckpoints(13);
  const deletion = world.manager.delete(PARTITION);
  await world.sim.runUntil(() => world.manager.get(PARTITION) === undefined, 1000);
  world.machine.crash('process');
  world.machine.restart();
  await world.open();
  append(world.log, { records: values('new') });
  await world.crash('process');
  assert.deepEqual(await recordsIn(world), [{ offset: 0, value: 'new' }]);
  void deletion;
});

test('a deleted partition does not come back when the power fails', async () => {
  for (let seed = 20; seed < 30; seed += 1) {
    const world = await withCheckpoints(seed);
    await world.sim.complete(world.manager.delete(PARTITION));
    world.machine.crash('power');
    world.machine.restart();
    const manager = await opened(world, { logDirs: [LOG_DIR] });
    assert.equal(manager.get(PARTITION), undefined, `seed ${seed}`);
  }
});

test('a directory that was on its way out when the broker stopped goes after the next start', async () => {
  const world = new LogWorld(4);
  await world.open();
  await world.sim.complete(world.manager.delete(PARTITION));
  world.machine.crash('process');
  world.machine.restart();
  await world.open();
  assert.equal(world.runtime.disk.list(LOG_DIR).filter(({ name }) => name.endsWith('-delete')).length, 1);
  await world.sim.runFor(60_100);
  assert.equal(world.runtime.disk.list(LOG_DIR).filter(({ name }) => name.endsWith('-delete')).length, 0);
});

test('a disk that fails takes its directory offline and leaves the other', async () => {
  const world = new LogWorld(5);
  const offline: string[] = [];
  const manager = await opened(world, { directoryWentOffline: (path) => offline.push(path) });
  const logs = [];
  for (let partition = 0; partition < 4; partition += 1) {
    logs.push(await world.sim.complete(manager.getOrCreate({ topic: 'a', partition }, true)));
  }
  for (const log of logs) append(log, { records: values('kept') });
  world.machine.disk.failNext({ operation: 'append', code: 'EIO', path: '/disk1' });
  append(logs[0]!, { records: values('lost') });
  assert.deepEqual(offline, ['/disk1/logs']);
  assert.deepEqual(
    logs.map((log) => log.isOffline),
    [true, false, true, false],
  );
  let answer: number | undefined;
  append(logs[1]!, { records: values('fine'), done: (_, info) => (answer = info?.firstOffset) });
  assert.equal(answer, 1);
  const unknown = manager.getOrCreate({ topic: 'b', partition: 0 }, false);
  await assert.rejects(world.sim.complete(unknown), { code: ErrorCode.KAFKA_STORAGE_ERROR });
  const created = await world.sim.complete(manager.getOrCreate({ topic: 'b', partition: 0 }, true));
  assert.match(created.directory, /^\/disk2/);
  await world.sim.complete(manager.close());
  const marker = (dir: string) => world.machine.disk.tree.find(`${dir}/.kafka_cleanshutdown`) !== undefined;
  assert.deepEqual(DIRS.map(marker), [false, true]);
});

test('a directory whose checkpoint is damaged is offline from the start; without any the start fails', async () => {
  const world = new LogWorld(6);
  await world.sim.complete((await opened(world)).close());
  world.runtime.disk.writeFile('/disk1/logs/recovery-point-offset-checkpoint', Buffer.from('nonsense'));
  const manager = await opened(world);
  assert.deepEqual(
    manager.directories.map(({ isOnline }) => isOnline),
    [false, true],
  );
  await world.sim.complete(manager.close());
  world.runtime.disk.writeFile('/disk2/logs/not a partition', Buffer.from('a plain file is fine'));
  world.runtime.disk.makeDirectory('/disk2/logs/lost+found');
  await assert.rejects(opened(world), { code: ErrorCode.KAFKA_STORAGE_ERROR });
});

test('two brokers cannot have one directory', async () => {
  const world = new LogWorld(7);
  const manager = await opened(world);
  await assert.rejects(opened(world), { code: ErrorCode.KAFKA_STORAGE_ERROR });
  await world.sim.complete(manager.close());
  await world.sim.complete((await opened(world)).close());
});

test('a clean start opens no file of a quiet partition', async () => {
  const world = new LogWorld(8);
  await world.open();
  for (let partition = 1; partition < 20; partition += 1) {
    const log = await world.sim.complete(world.manager.getOrCreate({ topic: 'demo', partition }, true));
    append(log, { records: values('a', 'b') });
  }
  append(world.log, { records: values('a', 'b') });
  await world.restartCleanly();
  await world.sim.complete(world.manager.close());
  const opens: string[] = [];
  const { disk } = world.runtime;
  const runtime = {
    ...world.runtime,
    disk: new Proxy(disk, {
      get: (target, name) => {
        const member = Reflect.get(target, name);
        const method = typeof member === 'function' ? member.bind(target) : member;
        if (name !== 'open' && name !== 'readFile') return method;
        return (path: string, options: object) => {
          opens.push(path);
          return method(path, options);
        };
      },
    }),
  };
  const manager = await world.sim.complete(
    LogManager.open({ runtime, logDirs: [LOG_DIR], configOf: () => defaultLogConfig }),
  );
  assert.deepEqual(
    [...manager.logs()].map((log) => log.logEndOffset),
    Array(20).fill(2),
  );
  assert.deepEqual(
    opens.filter((path) => path.includes('demo-')),
    [],
  );
  world.manager = manager;
  world.log = manager.get(PARTITION)!;
  assert.equal((await recordsIn(world)).length, 2);
});

test('loading a large log after a crash lets others have their turn', async () => {
  const world = new LogWorld(9, { segmentBytes: 3_000_000 });
  await world.open();
  for (let index = 0; index < 60; index += 1)
    append(world.log, { records: [{ value: Buffer.alloc(1_000_000 / 4, index) }] });
  await world.drain();
  world.machine.crash('process');
  world.machine.restart();
  const loading = LogManager.open({
    runtime: world.runtime,
    logDirs: [LOG_DIR],
    configOf: () => ({ ...defaultLogConfig, segmentBytes: 3_000_000 }),
  });
  let turns = 0;
  let loaded = false;
  const tick = (): void => {
    turns += 1;
    if (!loaded) world.runtime.clock.soon(tick);
  };
  world.runtime.clock.soon(tick);
  await world.sim.complete(
    loading.then(() => {
      loaded = true;
    }),
  );
  assert.ok(turns > 5, `${turns} turns`);
});
