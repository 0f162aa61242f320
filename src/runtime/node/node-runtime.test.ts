import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DiskError } from '../disk.ts';
import { LoopDelay } from './loop-delay.ts';
import { NodeClock } from './node-clock.ts';
import { NodeDisk } from './node-disk.ts';
import { holderInLockTable } from './node-lock.ts';
import { NodeLog } from './node-log.ts';
import { nodeRuntime } from './node-runtime.ts';
import { systemCalls } from './system-calls.ts';

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'odradek-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

test('short writes are continued, small and large, until every byte is in its place', async (t) => {
  let calls = 0;
  const few = (buffers: readonly Uint8Array[]): Uint8Array[] => {
    calls += 1;
    return [buffers[0]!.subarray(0, Math.ceil(buffers[0]!.length / 3))];
  };
  const disk = new NodeDisk({
    ...systemCalls,
    writeSync: (fd, bytes, offset, _length, position) => {
      calls += 1;
      return systemCalls.writeSync(fd, bytes, offset, Math.ceil(bytes.length / 3), position);
    },
    writevSync: (fd, buffers, position) => systemCalls.writevSync(fd, few(buffers), position),
    writev: (fd, buffers, position, done) => systemCalls.writev(fd, few(buffers), position, done),
  });
  const path = join(temporaryDirectory(t), 'file');
  const file = disk.open(path, { create: true });
  const parts = [1, 2, 3, 20_000, 10_000, 200_000, 5, 70_000].map((size, index) => Buffer.alloc(size, index + 1));
  file.append(parts.slice(0, 3), (error) => assert.equal(error, undefined));
  file.append(parts.slice(3, 5), (error) => assert.equal(error, undefined));
  await new Promise<void>((resolve) => {
    file.append(parts.slice(5, 7), () => undefined);
    file.append(parts.slice(7), () => resolve());
  });
  await new Promise<void>((resolve) => disk.replaceFile(`${path}2`, parts[7]!, () => resolve()));
  file.close();
  assert.ok(Buffer.concat(parts).equals(disk.readFile(path)));
  assert.ok(parts[7]!.equals(disk.readFile(`${path}2`)));
  assert.ok(calls > 40, `${calls} calls`);
});

test('appends that wait are written together', async (t) => {
  const batches: number[] = [];
  const disk = new NodeDisk({
    ...systemCalls,
    writev: (fd, buffers, position, done) => {
      batches.push(buffers.length);
      systemCalls.writev(fd, buffers, position, done);
    },
  });
  const file = disk.open(join(temporaryDirectory(t), 'file'), { create: true });
  await new Promise<void>((resolve) => {
    file.append([Buffer.alloc(100_000)], () => undefined);
    for (let count = 0; count < 2500; count += 1)
      file.append([Buffer.alloc(10)], count === 2499 ? () => resolve() : () => undefined);
  });
  assert.deepEqual(batches, [1, 1024, 1024, 452]);
  assert.equal(file.size, 125_000);
  file.close();
});

test('a full device is ENOSPC, at once and later', { skip: process.platform !== 'linux' }, async () => {
  const file = new NodeDisk().open('/dev/full');
  for (const size of [100, 100_000]) {
    const error = await new Promise<DiskError | undefined>((resolve) => file.append([Buffer.alloc(size)], resolve));
    assert.ok(error instanceof DiskError && error.code === 'ENOSPC');
    assert.deepEqual([file.end, file.pendingAppends], [0, 0]);
  }
  file.close();
});

test('a file that another process writes is read as far as it has grown', (t) => {
  const path = join(temporaryDirectory(t), 'file');
  writeFileSync(path, 'one');
  const file = new NodeDisk().open(path, { readOnly: true });
  writeFileSync(path, ' two', { flag: 'a' });
  assert.equal(Buffer.from(file.readAt(0, 100)).toString(), 'one two');
  assert.equal(file.size, 7);
  file.close();
});

test('a lock excludes another process, and is free when that one is killed', async (t) => {
  const directory = temporaryDirectory(t);
  const program = `
    const { NodeDisk } = await import(${JSON.stringify(new URL('node-disk.ts', import.meta.url).href)});
    new NodeDisk().lock(${JSON.stringify(directory)});
    console.log('locked');
    setInterval(() => undefined, 1000);`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => holder.kill('SIGKILL'));
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  assert.throws(
    () => new NodeDisk().lock(directory),
    (error) => error instanceof DiskError && error.code === 'EBUSY' && error.message.includes(`process ${holder.pid}`),
  );
  const gone = new Promise((resolve) => holder.once('exit', resolve));
  holder.kill('SIGKILL');
  await gone;
  new NodeDisk().lock(directory).release();
});

test('a lock that a program holds does not keep the program alive', (t) => {
  const directory = temporaryDirectory(t);
  const program = `
    const { NodeDisk } = await import(${JSON.stringify(new URL('node-disk.ts', import.meta.url).href)});
    new NodeDisk().lock(${JSON.stringify(directory)});`;
  execFileSync(process.execPath, ['--input-type=module', '-e', program], { timeout: 120_000 });
});

test('the lock table of the kernel tells who holds a POSIX lock', (t) => {
  const table = [
    '1: POSIX  ADVISORY  WRITE 24910 fe:00:10002618 0 EOF',
    '1: -> POSIX  ADVISORY  WRITE 24911 fe:00:10002618 0 EOF',
    '2: FLOCK  ADVISORY  WRITE 24855 fe:00:3284995 0 EOF',
    '3: POSIX  ADVISORY  READ 777 103:0b:42 0 EOF',
  ].join('\n');
  assert.equal(holderInLockTable(table, 65_024n, 10_002_618n), 24_910);
  assert.equal(holderInLockTable(table, 65_024n, 3_284_995n), undefined);
  assert.equal(holderInLockTable(table, 65_025n, 10_002_618n), undefined);
  assert.equal(holderInLockTable(table, (0x103n << 8n) | 0x0bn, 42n), 777);
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, '.lock'), '');
  assert.ok(statSync(join(directory, '.lock')).ino > 0);
  new NodeDisk().lock(directory).release(); // nobody holds it
});

test('a deadline in a stall is judged after the bytes that came in it', async (t) => {
  const { network, clock } = nodeRuntime({ logLevel: 'off' });
  const heard: string[] = [];
  let judged: () => void = () => undefined;
  const isJudged = new Promise<void>((resolve) => {
    judged = resolve;
  });
  const listener = await network.listen({ host: '127.0.0.1', port: 0 }, () => ({
    data: () => heard.push('data'),
    closed: () => undefined,
  }));
  t.after(() => listener.close());
  const connection = network.connect(listener.address, {
    connected: () => {
      // In one callback of a poll phase: the bytes go to the kernel, and the deadline that they beat is found to have passed.
      connection.write([Buffer.from('ping')]);
      clock.afterPoll(() => {
        heard.push('judged');
        judged();
      });
    },
    data: () => undefined,
    closed: () => undefined,
  });
  t.after(() => connection.destroy());
  await isJudged;
  assert.deepEqual(heard, ['data', 'judged']);
});

test('a loop that may stay awake does not sleep after input that comes at once, and another one does', async (t) => {
  assert.ok((await idleAfterRequests(t, 0)) > 0);
  assert.equal(await idleAfterRequests(t, 1000), 0);
});

/** Milliseconds that the loop slept in the 50 after forty requests of a client that waits for each answer. */
async function idleAfterRequests(t: TestContext, idlePollMs: number): Promise<number> {
  const { network, clock } = nodeRuntime({ logLevel: 'off', idlePollMs });
  const listener = await network.listen({ host: '127.0.0.1', port: 0 }, (connection) => ({
    data: (chunk) => void connection.write([chunk]),
    closed: () => undefined,
  }));
  t.after(() => listener.close());
  let left = 40;
  await new Promise<void>((done) => {
    const ask = (): void => void connection.write([Buffer.from('ping')]);
    const connection = network.connect(listener.address, {
      connected: ask,
      data: () => {
        left -= 1;
        if (left > 0) ask();
        else done();
      },
      closed: () => undefined,
    });
    t.after(() => connection.destroy());
  });
  const { idle } = performance.eventLoopUtilization();
  await new Promise<void>((done) => void clock.after(50, done));
  return performance.eventLoopUtilization().idle - idle;
}

test('a timer is never early, although the loop counts whole milliseconds', async () => {
  const clock = new NodeClock();
  for (let index = 0; index < 40; index += 1) {
    // Asked at any fraction of the loop's millisecond, the timer of a millisecond would else be early by that fraction.
    const untilMs = clock.monotonicMs() + index / 40;
    while (clock.monotonicMs() < untilMs);
    const askedMs = clock.monotonicMs();
    const firedMs = await new Promise<number>((resolve) => void clock.after(1, () => resolve(clock.monotonicMs())));
    assert.ok(firedMs - askedMs >= 1, `${firedMs - askedMs} ms`);
  }
});

test('local time is that of the machine', () => {
  const program = `
    const { NodeClock } = await import(${JSON.stringify(new URL('node-clock.ts', import.meta.url).href)});
    console.log(new NodeClock().localTime(1_700_000_000_007));`;
  const print = (TZ: string): string =>
    execFileSync(process.execPath, ['--input-type=module', '-e', program], { env: { ...process.env, TZ } }).toString();
  assert.equal(print('Asia/Tokyo'), '2023-11-15 07:13:20,007\n');
  assert.equal(print('America/New_York'), '2023-11-14 17:13:20,007\n');
});

test('a log line has time, level, fields and component; an error is followed by its stack; levels below are silent', () => {
  const lines: string[] = [];
  const stream = {
    write: (line: string) => {
      lines.push(line);
      return true;
    },
  };
  const log = new NodeLog({ clock: new NodeClock(), stream, level: 'info' });
  log.debug('not seen');
  log
    .named('kafka.controller')
    .info('new leader', { topic: 'a b', partition: 3, isr: [1, 2], id: 7n, none: undefined });
  log.error('failed', { cause: new RangeError('too far') });
  new NodeLog({ clock: new NodeClock(), stream, level: 'off' }).error('not seen');
  assert.equal(lines.length, 2);
  assert.match(
    lines[0]!,
    /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\] INFO new leader topic="a b" partition=3 isr="\[ 1, 2 \]" id=7 none=undefined \(kafka\.controller\)\n$/,
  );
  assert.match(lines[1]!, /^\[.*\] ERROR failed cause="too far"\nRangeError: too far\n {4}at /);
});

test('the delay of the loop is measured', async (t) => {
  const delay = new LoopDelay();
  t.after(() => delay.close());
  const { clock } = nodeRuntime({ logLevel: 'off' });
  delay.reset();
  await new Promise<void>((resolve) => void clock.after(30, resolve));
  const untilMs = clock.monotonicMs() + 60;
  while (clock.monotonicMs() < untilMs);
  await new Promise<void>((resolve) => void clock.after(30, resolve));
  assert.ok(delay.longestMs >= 45 && delay.longestMs < 2000, `${delay.longestMs} ms`);
  delay.reset();
  assert.equal(delay.longestMs, 0);
});
