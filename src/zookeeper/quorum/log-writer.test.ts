import assert from 'node:assert/strict';
import test from 'node:test';
import { Simulation } from '../../runtime/sim/simulation.ts';
import type { Zxid } from '../jute/ids.ts';
import { LogWriter } from './log-writer.ts';

const bytes = new Uint8Array(1);

function writer() {
  const sim = new Simulation({ seed: 1 });
  const { clock } = sim.machine('zk').runtime;
  const log: string[] = [];
  const flush = (done: () => void): void => clock.soon(done);
  const made = new LogWriter({
    clock,
    log: { append: (zxid) => log.push(`append ${zxid}`), flush },
    flushDelayMs: 0,
    maxBatchSize: 1000,
    durable: (zxid) => log.push(`durable ${zxid}`),
    failed: (error) => assert.ifError(error),
  });
  const append = (zxid: number): void => made.append(BigInt(zxid) as Zxid, bytes);
  return { sim, log, made, append };
}

test('what is held comes into the log after what it waits for, in its order', async () => {
  const { sim, log, made, append } = writer();
  append(1);
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  made.holdUntil(first.promise);
  append(2);
  made.holdUntil(second.promise);
  append(3);
  await sim.runFor(10);
  second.resolve();
  await sim.runFor(10);
  assert.deepEqual(log, ['append 1', 'durable 1']);
  first.resolve();
  await sim.runFor(10);
  assert.deepEqual(log.slice(2), ['append 2', 'append 3', 'durable 3']);
  append(4);
  await sim.runFor(10);
  assert.deepEqual(log.slice(5), ['append 4', 'durable 4']);
});

test('an end waits for what is held: it is in the log then', async () => {
  const { sim, log, made, append } = writer();
  const first = Promise.withResolvers<void>();
  made.holdUntil(first.promise);
  append(1);
  let isClosed = false;
  const closing = made.close().then(() => {
    isClosed = true;
  });
  await sim.runFor(10);
  assert.equal(isClosed, false);
  first.resolve();
  await sim.complete(closing);
  assert.deepEqual(log, ['append 1']);
});
