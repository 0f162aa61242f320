import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Timer } from './clock.ts';
import { Simulation, SimulationError } from './sim/simulation.ts';
import { TimerWheel } from './timer-wheel.ts';

function world() {
  const sim = new Simulation({ seed: 1 });
  const { clock } = sim.machine('alpha').runtime;
  return { sim, clock, wheel: new TimerWheel(clock) };
}

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

test('every deadline fires once, within the millisecond after it, on whichever level it waited', async () => {
  const delay = fc.oneof(
    fc.integer({ min: 0, max: 130 }),
    fc.integer({ min: 0, max: 10_000 }),
    fc.integer({ min: 0, max: 3 * dayMs }),
    fc.double({ min: 0, max: 500, noNaN: true }),
  );
  const step = fc.record({ pauseMs: fc.oneof(fc.constant(0), delay), delayMs: delay, isCancelled: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { sim, clock, wheel } = world();
      let [fired, cancelled] = [0, 0];
      const later: Timer[] = [];
      for (const { pauseMs, delayMs, isCancelled } of steps) {
        await sim.runFor(pauseMs);
        const deadlineMs = clock.monotonicMs() + delayMs;
        const timer = wheel.add(delayMs, () => {
          fired += 1;
          const lateMs = clock.monotonicMs() - deadlineMs;
          // A deadline on a tick that has been served (zero delay) waits for the next one.
          assert.ok(lateMs >= 0 && lateMs <= 1.001, `${lateMs} ms late`);
          assert.ok(!later.includes(timer), 'fired although cancelled');
        });
        if (!isCancelled) continue;
        later.push(timer);
        cancelled += 1;
        timer.cancel();
        timer.cancel();
      }
      await sim.runFor(4 * dayMs);
      assert.equal(fired, steps.length - cancelled);
      assert.equal(wheel.size, 0);
    }),
    { numRuns: 60 },
  );
});

test('an idle wheel lets time pass without an event', async () => {
  const { sim, wheel } = world();
  wheel.add(5, () => undefined);
  await sim.runFor(10);
  const before = sim.eventCount;
  await sim.runFor(30 * dayMs);
  assert.equal(sim.eventCount, before);
});

test('a distant deadline costs an event for each level, not one for each tick', async () => {
  const { sim, wheel } = world();
  let fired = 0;
  wheel.add(700 * dayMs, () => {
    fired += 1;
  });
  wheel.add(900 * dayMs, () => {
    fired += 1;
  });
  await sim.runFor(1000 * dayMs);
  assert.equal(fired, 2);
  assert.ok(sim.eventCount < 16, `${sim.eventCount} events`);
});

test('a callback may add, for now or later, and cancel what is due with it', async () => {
  const { sim, wheel } = world();
  const fired: string[] = [];
  let other: Timer;
  wheel.add(10, () => {
    fired.push('first');
    other.cancel();
    wheel.add(0, () => fired.push('at once'));
    wheel.add(100, () => fired.push('later'));
  });
  other = wheel.add(10, () => fired.push('cancelled'));
  await sim.runFor(11.5);
  assert.deepEqual(fired, ['first', 'at once']);
  await sim.runFor(200);
  assert.deepEqual(fired, ['first', 'at once', 'later']);
});

test('a callback that throws delays its neighbours by a tick and loses none', async () => {
  const { sim, wheel } = world();
  let fired = 0;
  wheel.add(10, () => {
    throw new RangeError('broken');
  });
  wheel.add(10, () => {
    fired += 1;
  });
  await assert.rejects(sim.runFor(20), SimulationError);
  assert.equal(fired, 0);
  assert.equal(wheel.size, 1);
});

test('close forgets everything', async () => {
  const { sim, wheel } = world();
  wheel.add(10, () => assert.fail('closed'));
  wheel.add(100_000, () => assert.fail('closed'));
  wheel.close();
  assert.equal(wheel.size, 0);
  const before = sim.eventCount;
  await sim.runFor(dayMs);
  assert.equal(sim.eventCount, before);
});

test('a stall longer than a turn of the wheel loses nothing', async () => {
  const sim = new Simulation({ seed: 1 });
  const machine = sim.machine('alpha');
  const wheel = new TimerWheel(machine.runtime.clock);
  let fired = 0;
  for (let delayMs = 1; delayMs < 20_000; delayMs += 77) {
    wheel.add(delayMs, () => {
      fired += 1;
    });
  }
  machine.stall(10_000);
  await sim.runFor(10_000);
  assert.equal(fired, Math.floor(9999 / 77) + 1);
  await sim.runFor(10_000);
  assert.equal(wheel.size, 0);
});
