/**
 * Locks, leases and leaders while machines, cables and clocks misbehave. Where no process is stopped, two holders never believe at
 * the same time; where one is, it may for a moment, and only what a guard or a fencing token protects is safe.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Actor, RecipeWorld } from '../testkit/recipe-world.ts';
import { DoubleBarrier } from './double-barrier.ts';
import type { Held } from './held.ts';
import { LeaderLatch } from './leader-latch.ts';
import { type LockOptions, Mutex } from './mutex.ts';
import { ensurePath } from './nodes.ts';
import { ReadWriteLock } from './read-write-lock.ts';
import { Semaphore } from './semaphore.ts';
import type { SessionKeeper } from './sessions.ts';

const SEEDS = 5;
const FAULTS = 12;
const WAIT = { timeoutMs: 15_000 };

/** Who believes to hold something. */
class Believers {
  readonly believing = new Map<string, number>();
  count = 0;

  add(held: Pick<Held, 'signal' | 'path'>): () => void {
    if (held.signal.aborted) return () => undefined;
    const kind = held.path.slice(held.path.indexOf('_c_') + 40).replace(/\d+$/, '');
    const change = (by: 1 | -1): void => void this.believing.set(kind, this.of(kind) + by);
    change(1);
    this.count += 1;
    let ended = false;
    const end = (): void => {
      if (!ended) change(-1);
      ended = true;
    };
    held.signal.addEventListener('abort', end);
    return end;
  }

  of(kind: string): number {
    return this.believing.get(kind) ?? 0;
  }
}

/** Stores what comes with the highest token so far. */
class FencedStore {
  readonly tokens: bigint[] = [];

  accepts(token: bigint): boolean {
    if (token < (this.tokens.at(-1) ?? 0n)) return false;
    this.tokens.push(token);
    return true;
  }
}

test('the same seed gives the same history', async () => {
  const run = async (): Promise<string> => {
    const world = await RecipeWorld.start(1);
    const actors = ['a', 'b'].map(
      (name) => new Actor(world, name, (client) => new Mutex(client, '/lock').run(async () => undefined, WAIT)),
    );
    await world.misbehave({ count: 4 });
    await settle(world, actors);
    return world.sim.historyHash;
  };
  assert.equal(await run(), await run());
});

async function settle(world: RecipeWorld, actors: readonly Actor[]): Promise<void> {
  await world.sim.runFor(12_000); // whoever was cut off is back, or has a new session
  const turns = actors.map((actor) => actor.turns);
  await world.sim.runFor(20_000);
  actors.forEach((actor, index) => {
    assert.ok(actor.turns > turns[index]!, `${actor.machine.name} goes on after the faults`);
  });
  await world.sim.complete(Promise.all(actors.map((actor) => actor.stop())));
  await world.sim.runFor(2000);
}

for (let seed = 1; seed <= SEEDS; seed += 1) {
  for (const stalls of [false, true]) {
    const what = stalls ? 'a guarded write never interleaves, also of one who was stopped' : 'one holder at a time';
    test(`seed ${seed}: a lock has ${what}, in order, and leaves nothing`, async () => {
      const world = await RecipeWorld.start(seed);
      const { sim } = world;
      const setup = world.open(sim.machine('setup'));
      await sim.complete(ensurePath(setup, '/value'));
      await sim.complete(setup.setData('/value', '0'));
      await sim.complete(setup.close());
      const options: LockOptions = { lostWhen: seed % 2 === 0 ? 'suspended' : 'expired' };
      const believers = new Believers();
      const store = new FencedStore();
      if (!stalls) sim.invariant('one holder', () => assert.ok(believers.of('lock-') <= 1));
      let done = 0;
      let unknown = 0;
      const actors = ['a', 'b', 'c', 'd'].map(
        (name) =>
          new Actor(world, name, async (client, actor) => {
            const held = await new Mutex(client, '/lock', options).acquire(WAIT);
            const end = believers.add(held);
            try {
              const { data } = await client.getData('/value');
              const longest = done % 8 === 0 ? 3000 : 100; // long enough to miss that the session is over
              for (let step = 0; step < 3; step += 1) {
                await actor.pause(longest);
                if (held.signal.aborted) return;
                assert.ok(store.accepts(held.fencingToken) || stalls, 'a holder that believes is not refused');
              }
              const op = { path: '/value', data: String(Number(data) + 1) };
              unknown += 1;
              await client.multi([held.check(), { kind: 'setData', ...op }]);
              unknown -= 1;
              done += 1;
            } finally {
              end();
              await held.release();
            }
          }),
      );
      await world.misbehave({ count: FAULTS, stalls });
      await settle(world, actors);
      assert.ok(done > 50, `${done} turns`);
      const check = world.open(sim.machine('check'));
      const { data } = await sim.complete(check.getData('/value'));
      const value = Number(data);
      assert.ok(value >= done && value <= done + unknown, `${done} done, ${unknown} unknown, ${value} found`);
      assert.deepEqual(await world.tree('/lock'), []);
    });
  }

  test(`seed ${seed}: a writer is alone, readers are with readers`, async () => {
    const world = await RecipeWorld.start(seed);
    const believers = new Believers();
    let together = 0;
    world.sim.invariant('a writer is alone', () => {
      const [readers, writers] = [believers.of('__READ__'), believers.of('__WRIT__')];
      assert.ok(writers === 0 || (writers === 1 && readers === 0), `${readers} readers, ${writers} writers`);
      together = Math.max(together, readers);
    });
    const actors = ['a', 'b', 'c', 'd', 'e'].map(
      (name, index) =>
        new Actor(world, name, async (client, actor) => {
          const lock = new ReadWriteLock(client, '/rw');
          const held = await (index < 2 ? lock.write : lock.read).acquire(WAIT);
          const end = believers.add(held);
          await actor.pause(150);
          end();
          await held.release();
        }),
    );
    await world.misbehave({ count: FAULTS, stalls: false });
    await settle(world, actors);
    assert.ok(together > 1 && believers.count > 100, `${together} readers together, ${believers.count} turns`);
    assert.deepEqual(await world.tree('/rw'), []);
  });

  test(`seed ${seed}: a semaphore never has more holders than leases, and leaves nothing`, async () => {
    const world = await RecipeWorld.start(seed);
    const believers = new Believers();
    let most = 0;
    world.sim.invariant('two leases', () => {
      most = Math.max(most, believers.of('lease-'));
      assert.ok(most <= 2, `${most} holders`);
    });
    const actors = ['a', 'b', 'c', 'd', 'e'].map(
      (name) =>
        new Actor(world, name, async (client, actor) => {
          const held = await new Semaphore(client, '/s', { leases: 2 }).acquire(WAIT);
          const end = believers.add(held);
          await actor.pause(200);
          end();
          await held.release();
        }),
    );
    await world.misbehave({ count: FAULTS, stalls: false });
    await settle(world, actors);
    assert.ok(most === 2 && believers.count > 50, `${believers.count} leases`);
    assert.deepEqual(
      (await world.tree('/s')).filter((path) => path.includes('_c_')),
      [],
    );
  });

  test(`seed ${seed}: members of a double barrier keep in step through resets`, async () => {
    const world = await RecipeWorld.start(seed);
    const { sim } = world;
    const rounds = [0, 0, 0];
    let inside = 0;
    const members = rounds.map(async (_, member) => {
      const client = world.client(`m${member}`);
      for (let round = 0; round < 10; round += 1) {
        const barrier = new DoubleBarrier(client, `/double/${round}`, rounds.length);
        await barrier.enter();
        inside += 1;
        rounds[member] = round + 1;
        assert.ok(Math.min(...rounds) >= round, 'nobody is a round behind');
        await new Promise<void>((resolve) => void client.runtime.clock.after(member * 300, resolve));
        inside -= 1;
        await barrier.leave();
        assert.ok(
          rounds.every((each) => each > round),
          'nobody leaves before all have entered',
        );
      }
    });
    const done = Promise.all(members);
    let over = false;
    done.finally(() => {
      over = true;
    });
    const random = sim.random.fork('resets');
    while (!over) {
      await sim.runFor(random.below(700));
      sim.network.resetBetween(world.machines[random.below(3)]!, world.server);
    }
    await done;
    assert.equal(inside, 0);
    await sim.runFor(1000);
    assert.deepEqual(
      (await world.tree('/double')).filter((path) => path.split('/').length > 3),
      [],
    );
  });

  test(`seed ${seed}: a latch has one leader at a time, and one in the end`, async () => {
    const world = await RecipeWorld.start(seed);
    const { sim } = world;
    const believers = new Believers();
    const tokens: bigint[] = [];
    sim.invariant('one leader', () => assert.ok(believers.of('latch-') <= 1));
    const keepers = ['a', 'b', 'c'].map((name) => world.keeper(name));
    const latches = keepers.map((keeper, index) => {
      const latch = new LeaderLatch(keeper, '/latch', { id: `${index}` });
      latch.onState(() => {
        if (latch.leadership === undefined) return;
        believers.add(latch.leadership);
        tokens.push(latch.leadership.fencingToken);
      });
      return latch;
    });
    await world.misbehave({ count: FAULTS, stalls: false });
    await sim.runFor(20_000);
    assert.deepEqual(
      tokens,
      tokens.toSorted((a, b) => Number(a - b)),
      'each generation has a higher token',
    );
    assert.equal(latches.filter(({ state }) => state === 'leading').length, 1);
    assert.equal((await world.tree('/latch')).length, 3);
    for (let left = 2; left >= 0; left -= 1) {
      const leader = latches.find(({ state }) => state === 'leading');
      await sim.complete(leader!.close());
      await sim.runFor(2000);
      assert.equal(latches.filter(({ state }) => state === 'leading').length, Math.min(left, 1));
    }
    assert.deepEqual(await world.tree('/latch'), []);
    await sim.complete(Promise.all(keepers.map((keeper: SessionKeeper) => keeper.close())));
  });
}
