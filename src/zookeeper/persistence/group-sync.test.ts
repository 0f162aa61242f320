import assert from 'node:assert/strict';
import test from 'node:test';
import { DiskError } from '../../runtime/disk.ts';
import { Simulation } from '../../runtime/sim/simulation.ts';
import { GroupSync } from './group-sync.ts';

/** Syncs that take 10 ms and tell their groups, or fail from the `failsFrom`-th on. */
function grouped({ flushDelayMs = 0, maxBatchSize = 3, failsFrom = Infinity } = {}) {
  const sim = new Simulation({ seed: 1 });
  const { clock } = sim.machine('zk').runtime;
  const seen: string[] = [];
  const startMs = clock.monotonicMs();
  const say = (what: string): void => void seen.push(`${Math.floor(clock.monotonicMs() - startMs)} ${what}`);
  let syncs = 0;
  const sync = new GroupSync({
    clock,
    flush(done) {
      syncs += 1;
      const error = syncs >= failsFrom ? new DiskError('EIO', 'log.1', 'sync') : undefined;
      clock.after(10, () => done(error));
    },
    flushDelayMs,
    maxBatchSize,
    began: (txnCount) => say(`began ${txnCount}`),
    ended: (tookMs, error) => say(`${error === undefined ? 'ended' : 'failed'} after ${Math.floor(tookMs)}`),
  });
  const joined = (...all: readonly ('txn' | 'mark')[]): void => {
    for (const what of all) sync.joined(what);
  };
  return { sim, sync, joined, seen };
}

test('one sync is in flight, what arrives meanwhile is the next group', async () => {
  const { sim, joined, seen } = grouped({ maxBatchSize: 100 });
  joined('txn', 'txn');
  await sim.runFor(5);
  joined('txn', 'mark', 'mark');
  await sim.runFor(100);
  assert.deepEqual(seen, ['0 began 2', '10 ended after 10', '10 began 1', '20 ended after 10']);
});

test('a mark behind what was takes a sync of its own where nothing else does', async () => {
  const { sim, joined, seen } = grouped();
  joined('mark');
  await sim.runFor(100);
  assert.deepEqual(seen, ['0 began 0', '10 ended after 10']);
});

test('transactions gather for flushDelay, unless there are maxBatchSize of them; marks do not count', async () => {
  const { sim, joined, seen } = grouped({ flushDelayMs: 50 });
  joined('txn', 'txn', 'mark');
  await sim.runFor(30);
  assert.deepEqual(seen, []);
  joined('txn');
  assert.deepEqual(seen, ['30 began 3']);
  joined('txn');
  await sim.runFor(100);
  assert.deepEqual(seen.slice(1), ['40 ended after 10', '50 began 1', '60 ended after 10']);
});

test('after a sync that failed there is none, not even one that was to come', async () => {
  const { sim, joined, seen } = grouped({ failsFrom: 1, flushDelayMs: 50 });
  joined('txn');
  await sim.runFor(20);
  joined('txn', 'txn', 'txn');
  await sim.runFor(100);
  joined('txn', 'txn', 'txn');
  await sim.runFor(100);
  assert.deepEqual(seen, ['20 began 3', '30 failed after 10']);
});

test('a group in flight ends after the end, and no other begins', async () => {
  const { sim, sync, joined, seen } = grouped();
  joined('txn', 'txn', 'txn', 'txn');
  sync.close();
  joined('txn', 'txn', 'txn');
  await sim.runFor(100);
  assert.deepEqual(seen, ['0 began 3', '10 ended after 10']);
});
