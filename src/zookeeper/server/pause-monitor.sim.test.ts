import assert from 'node:assert/strict';
import test from 'node:test';
import { ServerWorld } from './testkit/server-world.ts';

async function pauses(
  config: Record<string, string | number | boolean>,
): Promise<{ count: number; max: number; logged: string[] }> {
  const world = await ServerWorld.start({ config });
  await world.sim.runFor(2000);
  world.machine.stall(3000);
  await world.sim.runFor(5000);
  const { count, max } = world.server.view.metrics.jvmPauseTime;
  return { count, max, logged: world.logged.filter((line) => line.includes('Detected pause')) };
}

test('a process that stood still is noticed, and worth a line or a warning by its length', async () => {
  const seen = await pauses({ 'jvm.pause.monitor': true });
  assert.ok(seen.max > 2400 && seen.max <= 3000, `${seen.max}`);
  assert.equal(seen.logged.length, 1);
  const warned = await pauses({ 'jvm.pause.monitor': true, 'jvm.pause.warn-threshold.ms': 2000 });
  assert.match(warned.logged[0] ?? '', /warn/i);
  const quiet = await pauses({ 'jvm.pause.monitor': true, 'jvm.pause.info-threshold.ms': 5000 });
  assert.deepEqual(quiet.logged, []);
  const often = await pauses({ 'jvm.pause.monitor': true, 'jvm.pause.sleep.time.ms': 100 });
  assert.ok(often.count > 2 * seen.count);
});

test('without jvm.pause.monitor nobody looks', async () => {
  assert.equal((await pauses({})).count, 0);
});
