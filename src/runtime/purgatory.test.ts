import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Purgatory } from './purgatory.ts';
import { Simulation } from './sim/simulation.ts';
import { TimerWheel } from './timer-wheel.ts';

function world() {
  const sim = new Simulation({ seed: 1 });
  const wheel = new TimerWheel(sim.machine('alpha').runtime.clock);
  return { sim, wheel, purgatory: new Purgatory<string>(wheel) };
}

/** Completes when it has been told that it can. */
class Probe {
  ready = false;
  readonly ends: string[] = [];

  tryComplete(): boolean {
    if (this.ready) this.ends.push('completed');
    return this.ready;
  }

  expire(): void {
    this.ends.push('expired');
  }
}

test('an operation that can complete at once never waits', () => {
  const { purgatory } = world();
  const probe = new Probe();
  probe.ready = true;
  assert.equal(purgatory.watch(probe, ['a'], 100), undefined);
  assert.deepEqual(probe.ends, ['completed']);
  assert.deepEqual([purgatory.operationCount, purgatory.watchCount], [0, 0]);
});

test('a check of any of its keys completes it once, and it leaves every list', async () => {
  const { sim, wheel, purgatory } = world();
  const probe = new Probe();
  purgatory.watch(probe, ['a', 'b', 'a'], 100);
  assert.deepEqual([purgatory.operationCount, purgatory.watchCount], [1, 2]);
  assert.equal(purgatory.check('a'), 0);
  probe.ready = true;
  assert.equal(purgatory.check('c'), 0);
  assert.equal(purgatory.check('b'), 1);
  assert.equal(purgatory.check('a'), 0);
  assert.deepEqual([purgatory.operationCount, purgatory.watchCount, wheel.size], [0, 0, 0]);
  await sim.runFor(1000);
  assert.deepEqual(probe.ends, ['completed']);
});

test('it expires when its time is up, and a later check finds nothing', async () => {
  const { sim, purgatory } = world();
  const probe = new Probe();
  purgatory.watch(probe, ['a'], 100);
  await sim.runFor(99);
  assert.deepEqual(probe.ends, []);
  await sim.runFor(2);
  probe.ready = true;
  assert.equal(purgatory.check('a'), 0);
  assert.deepEqual(probe.ends, ['expired']);
});

test('a cancelled operation neither completes nor expires', async () => {
  const { sim, purgatory } = world();
  const probe = new Probe();
  const watched = purgatory.watch(probe, ['a'], 100);
  watched?.cancel();
  watched?.cancel();
  probe.ready = true;
  assert.equal(purgatory.check('a'), 0);
  await sim.runFor(200);
  assert.deepEqual(probe.ends, []);
  assert.deepEqual([purgatory.operationCount, purgatory.watchCount], [0, 0]);
});

test('an attempt that checks its own key is repeated, not nested', () => {
  const { purgatory } = world();
  let [attempts, depth, deepest] = [0, 0, 0];
  const operation = {
    tryComplete: () => {
      attempts += 1;
      depth += 1;
      deepest = Math.max(deepest, depth);
      if (attempts === 2) purgatory.check('a');
      depth -= 1;
      return attempts === 3;
    },
    expire: () => assert.fail('expired'),
  };
  purgatory.watch(operation, ['a'], 100);
  purgatory.check('a');
  assert.deepEqual([attempts, deepest, purgatory.operationCount], [3, 1, 0]);
});

test('what an attempt of one operation completes is not attempted again by the same check', () => {
  const { purgatory } = world();
  const second = new Probe();
  purgatory.watch(
    {
      tryComplete: () => {
        second.ready = purgatory.operationCount === 2;
        return second.ready && purgatory.check('b') === 1;
      },
      expire: () => undefined,
    },
    ['a'],
    100,
  );
  purgatory.watch(second, ['a', 'b'], 100);
  assert.equal(purgatory.check('a'), 1);
  assert.deepEqual(second.ends, ['completed']);
});

test('an operation whose attempt throws is dropped', () => {
  const { wheel, purgatory } = world();
  const operation = {
    tryComplete: () => {
      throw new RangeError('broken');
    },
    expire: () => undefined,
  };
  assert.throws(() => purgatory.watch(operation, ['a'], 100), RangeError);
  assert.deepEqual([purgatory.operationCount, purgatory.watchCount, wheel.size], [0, 0, 0]);
});

test('close ends every wait silently', async () => {
  const { sim, wheel, purgatory } = world();
  const probes = [new Probe(), new Probe()];
  for (const probe of probes) purgatory.watch(probe, ['a', 'b'], 100);
  purgatory.close();
  assert.deepEqual([purgatory.operationCount, purgatory.watchCount, wheel.size], [0, 0, 0]);
  await sim.runFor(1000);
  assert.deepEqual(
    probes.flatMap((probe) => probe.ends),
    [],
  );
});

test('whatever happens in whatever order, each operation ends exactly once and the counts return to zero', async () => {
  const key = fc.constantFrom('a', 'b', 'c');
  const act = fc.oneof(
    fc.record({ kind: fc.constant('watch' as const), keys: fc.array(key), timeoutMs: fc.integer({ min: 0, max: 50 }) }),
    fc.record({ kind: fc.constant('check' as const), key }),
    fc.record({ kind: fc.constant('ready' as const), index: fc.nat(20) }),
    fc.record({ kind: fc.constant('cancel' as const), index: fc.nat(20) }),
    fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 30 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 60 }), async (acts) => {
      const { sim, wheel, purgatory } = world();
      const probes: { readonly probe: Probe; readonly cancel: () => void }[] = [];
      for (const each of acts) {
        if (each.kind === 'check') purgatory.check(each.key);
        else if (each.kind === 'pass') await sim.runFor(each.ms);
        else if (each.kind === 'watch') {
          const probe = new Probe();
          const watched = purgatory.watch(probe, each.keys, each.timeoutMs);
          const cancel = (): void => {
            if (probe.ends.length === 0) probe.ends.push('cancelled');
            watched?.cancel();
          };
          probes.push({ probe, cancel });
        } else if (each.index < probes.length) {
          if (each.kind === 'cancel') probes[each.index]!.cancel();
          else probes[each.index]!.probe.ready = true;
        }
        const waiting = probes.filter(({ probe }) => probe.ends.length === 0).length;
        assert.equal(purgatory.operationCount, waiting);
      }
      await sim.runFor(100);
      for (const { probe } of probes) assert.equal(probe.ends.length, 1, probe.ends.join());
      assert.deepEqual([purgatory.operationCount, purgatory.watchCount, wheel.size], [0, 0, 0]);
    }),
    { numRuns: 100 },
  );
});
