import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import test from 'node:test';
import { Simulation } from '../runtime/sim/simulation.ts';
import { stopSignal } from './stop-signal.ts';

test('one Ctrl-C that is heard twice stops in order, another one ends at once', async () => {
  const sim = new Simulation({ seed: 1 });
  const process = new EventEmitter();
  let exits = 0;
  let isStopping = false;
  stopSignal(process, sim.machine('broker').runtime.clock, () => {
    exits += 1;
  }).then(() => {
    isStopping = true;
  });
  await sim.runFor(1_000);
  assert.equal(isStopping, false);
  process.emit('SIGINT');
  process.emit('SIGINT');
  await sim.runFor(100);
  process.emit('SIGTERM');
  assert.deepEqual([isStopping, exits], [true, 0]);
  await sim.runFor(1_000);
  process.emit('SIGINT');
  assert.equal(exits, 1);
});
