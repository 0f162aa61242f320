/** Counters, queues, caches and groups while machines, cables and clocks misbehave. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { below } from '../../../runtime/random.ts';
import type { ZookeeperClient } from '../client.ts';
import { Actor, RecipeWorld } from '../testkit/recipe-world.ts';
import { AtomicLong } from './atomic-long.ts';
import { OutcomeUnknownError } from './errors.ts';
import { GroupMember } from './group-member.ts';
import { listSubtree } from './nodes.ts';
import { Queue } from './queue.ts';
import { TreeCache } from './tree-cache.ts';

const SEEDS = 5;
const FAULTS = 12;

/** One recipe object for each session. */
function perSession<T>(make: (client: ZookeeperClient) => T): (client: ZookeeperClient) => T {
  const made = new WeakMap<ZookeeperClient, { readonly recipe: T }>();
  return (client) => {
    const found = made.get(client) ?? { recipe: make(client) };
    made.set(client, found);
    return found.recipe;
  };
}

/** What became of a change. */
class Outcomes {
  done = 0;
  unknown = 0;

  async of<T>(change: Promise<T>): Promise<T> {
    try {
      const answer = await change;
      this.done += 1;
      return answer;
    } catch (error) {
      if (error instanceof OutcomeUnknownError) this.unknown += 1;
      throw error;
    }
  }
}

for (let seed = 1; seed <= SEEDS; seed += 1) {
  test(`seed ${seed}: a counter is the number of increments that succeeded`, async () => {
    const world = await RecipeWorld.start(seed);
    const { sim } = world;
    const outcomes = new Outcomes();
    const actors = ['a', 'b', 'c'].map((name) => {
      const counterOf = perSession((client) => new AtomicLong(client, '/app/counter'));
      return new Actor(world, name, async (client) => {
        await outcomes.of(counterOf(client).increment());
      });
    });
    await world.misbehave({ count: FAULTS });
    await sim.runFor(12_000);
    await sim.complete(Promise.all(actors.map((actor) => actor.stop())));
    const counter = new AtomicLong(world.open(sim.machine('check')), '/app/counter');
    const value = Number(await sim.complete(counter.get()));
    const { done, unknown } = outcomes;
    assert.ok(done > 100 && unknown < 10, `${done} done, ${unknown} unknown`);
    assert.ok(value >= done && value <= done + unknown, `${done} done, ${unknown} unknown, ${value} found`);
    if (unknown === 0) assert.equal(value, done);
  });

  test(`seed ${seed}: each item of a queue comes to one consumer, once`, async () => {
    const world = await RecipeWorld.start(seed);
    const { sim } = world;
    const offered = new Set<string>();
    const doubtful = new Set<string>();
    const taken: string[] = [];
    const takes = new Outcomes();
    const producers = ['p', 'q'].map((name) => {
      const queueOf = perSession((client) => new Queue(client, '/queue'));
      let count = 0;
      return new Actor(world, name, async (client) => {
        count += 1;
        const item = `${name}${count}`;
        doubtful.add(item);
        await queueOf(client).offer(item);
        doubtful.delete(item);
        offered.add(item);
      });
    });
    const consumers = ['c', 'd', 'e'].map((name) => {
      const queueOf = perSession((client) => new Queue(client, '/queue'));
      return new Actor(world, name, async (client) => {
        taken.push(String(await takes.of(queueOf(client).take({ timeoutMs: 2000 }))));
      });
    });
    await world.misbehave({ count: FAULTS });
    await sim.runFor(12_000);
    await sim.complete(Promise.all(producers.map((actor) => actor.stop())));
    await sim.runFor(20_000);
    await sim.complete(Promise.all(consumers.map((actor) => actor.stop())));
    assert.ok(taken.length > 100, `${taken.length} taken`);
    assert.equal(new Set(taken).size, taken.length, 'nothing twice');
    for (const item of taken) assert.ok(offered.has(item) || doubtful.has(item), `${item} was offered`);
    const lost = [...offered].filter((item) => !taken.includes(item));
    assert.ok(lost.length <= takes.unknown, `${lost} lost, ${takes.unknown} takes of unknown outcome`);
    for (const name of ['p', 'q']) {
      const order = taken.filter((item) => item.startsWith(name)).map((item) => Number(item.slice(1)));
      assert.ok(order.length > 10);
    }
    assert.deepEqual(await world.tree('/queue'), []);
  });

  for (const oneShotWatches of [false, true]) {
    const how = oneShotWatches ? 'one-shot watches' : 'a recursive watch';
    test(`seed ${seed}: a cache by ${how} is the tree once the faults end, and its events add up to it`, async () => {
      const world = await RecipeWorld.start(seed);
      const { sim } = world;
      const keepers = ['a', 'b'].map((name) => world.keeper(name));
      const caches = keepers.map((keeper) => new TreeCache(keeper, '/t', { oneShotWatches }));
      const folded = caches.map((cache) => {
        const paths = new Map<string, bigint>();
        cache.onEvent((event) => {
          if (event.kind === 'created') assert.ok(!paths.has(event.node.path));
          if (event.kind === 'created' || event.kind === 'changed') paths.set(event.node.path, event.node.stat.mzxid);
          if (event.kind === 'deleted') assert.ok(paths.delete(event.previous.path));
        });
        return paths;
      });
      const writers = ['w', 'x'].map((name) => new Actor(world, name, (client, actor) => change(client, actor)));
      await world.misbehave({ count: FAULTS });
      await sim.runFor(12_000);
      await sim.complete(Promise.all(writers.map((actor) => actor.stop())));
      await sim.runFor(12_000);
      const check = world.open(sim.machine('check'));
      const tree = (await sim.complete(listSubtree(check, '/t'))).sort();
      assert.ok(tree.length > 5, `${tree.length} nodes`);
      for (const [index, cache] of caches.entries()) {
        assert.equal(cache.state, 'current');
        assert.deepEqual([...cache.nodes()].map(({ path }) => path).sort(), tree);
        for (const path of tree) {
          const { data, stat } = await sim.complete(check.getData(path));
          assert.deepEqual(cache.get(path)?.data, data);
          assert.equal(cache.get(path)?.stat.mzxid, stat.mzxid);
          assert.equal(folded[index]!.get(path), stat.mzxid);
        }
        assert.equal(folded[index]!.size, tree.length);
      }
    });
  }

  test(`seed ${seed}: all members of a group are there once the faults end, and gone when they leave`, async () => {
    const world = await RecipeWorld.start(seed);
    const { sim } = world;
    const ids = ['a', 'b', 'c'];
    const keepers = ids.map((name) => world.keeper(name));
    const members = keepers.map((keeper, index) => new GroupMember(keeper, '/group', ids[index]!));
    await world.misbehave({ count: FAULTS });
    await sim.runFor(15_000);
    for (const member of members) assert.deepEqual([...member.members().keys()].sort(), ids);
    const [first, ...others] = members;
    await sim.complete(first!.close());
    await sim.runFor(1000);
    for (const member of others) assert.deepEqual([...member.members().keys()].sort(), ['b', 'c']);
    await sim.complete(Promise.all(others.map((member) => member.close())));
    assert.deepEqual(await world.tree('/group'), []);
  });
}

for (const oneShotWatches of [false, true]) {
  const how = oneShotWatches ? 'one-shot watches' : 'a recursive watch';
  test(`a cache by ${how} shows no node whose deletion came in one piece with what was read of it`, async () => {
    for (let step = 0; step < 40; step += 1) {
      const world = await RecipeWorld.start(1);
      const { sim } = world;
      const [client, other] = [world.client('one'), world.client('other')];
      const paths = ['/t/a', '/t/b', '/t/c'];
      await sim.complete(client.connected());
      await sim.complete(Promise.all(['/t', ...paths].map((path) => other.create(path))));
      const cache = new TreeCache(client, '/t', { oneShotWatches });
      await sim.runFor(step / 10);
      sim.network.partition(world.server, world.machines[0]!, { oneWay: true });
      await sim.runFor(2);
      await sim.complete(Promise.all(paths.map((path) => other.delete(path))));
      sim.network.heal();
      await sim.runFor(1000);
      assert.deepEqual(
        [...cache.nodes()].map(({ path }) => path),
        ['/t'],
      );
    }
  });
}

/** Creates, changes or deletes a node somewhere below /t; what is refused is refused. */
async function change(client: ZookeeperClient, { machine }: Actor): Promise<void> {
  const { random } = machine.runtime;
  const names = ['a', 'b', 'c'];
  let path = '/t';
  for (let depth = below(random, 4); depth > 0; depth -= 1) path += `/${names[below(random, names.length)]}`;
  const data = `${random.uint32()}`;
  const kind = below(random, 6);
  if (kind < 3) await client.create(path, data);
  else if (kind === 3) await client.setData(path, data);
  else await client.delete(path);
}
