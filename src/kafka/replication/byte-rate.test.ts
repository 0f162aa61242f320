import assert from 'node:assert/strict';
import test from 'node:test';
import { Simulation } from '../../runtime/sim/simulation.ts';
import { ByteRate } from './byte-rate.ts';

test('bytes are paid for in time, at the rate that counts now', async () => {
  const sim = new Simulation({ seed: 1 });
  let bytesPerSecond = 1000;
  const rate = new ByteRate(sim.machine('m').runtime.clock, () => bytesPerSecond);
  assert.equal(rate.waitMs, 0);
  rate.take(500);
  assert.equal(rate.waitMs, 500);
  await sim.runFor(200);
  assert.equal(rate.waitMs, 300);
  rate.take(10_000);
  assert.equal(rate.waitMs, 1000, 'whoever waits looks again in a second');
  bytesPerSecond = 100_000;
  assert.equal(rate.waitMs, 103);
  bytesPerSecond = Infinity;
  assert.equal(rate.waitMs, 0);
  rate.take(1e9);
  assert.equal(rate.waitMs, 0);
});
