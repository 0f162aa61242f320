/** Moments between two steps of a recipe: somebody else acts there, an answer is lost, or the wait is given up. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../../jute/errors.ts';
import type { ReadOptions, ZookeeperClient } from '../index.ts';
import { failsWith } from '../testkit/client-world.ts';
import { RecipeWorld } from '../testkit/recipe-world.ts';
import { Barrier } from './barrier.ts';
import { DoubleBarrier } from './double-barrier.ts';
import { CorruptValueError, type LostError, RecipeClosedError, WaitTimeoutError } from './errors.ts';
import { Mutex } from './mutex.ts';
import { PersistentNode } from './persistent-node.ts';
import { Queue } from './queue.ts';
import { Semaphore } from './semaphore.ts';
import { SharedCount } from './shared-count.ts';
import { TreeCache } from './tree-cache.ts';

test('a holder hears that its node was deleted, also right after it was written', async () => {
  const world = await RecipeWorld.start(1);
  const { sim } = world;
  const [one, other] = [world.client('one'), world.client('other')];
  const held = await sim.complete(new Mutex(one, '/lock').acquire());
  const { path } = held;
  await sim.complete(
    other.multi([
      { kind: 'setData', path, data: 'x' },
      { kind: 'delete', path },
    ]),
  );
  await sim.runFor(1000);
  assert.equal((held.signal.reason as LostError | undefined)?.why, 'deleted');
});

test('a holder goes on watching its node though the answer that renews its watch is lost', async () => {
  const world = await RecipeWorld.start(2);
  const { sim } = world;
  const [one, other] = [world.client('one'), world.client('other')];
  const held = await sim.complete(new Mutex(one, '/lock', { lostWhen: 'expired' }).acquire());
  afterCall(one, 'getData', () => sim.network.resetBetween(world.machines[0]!, world.server));
  await sim.complete(other.setData(held.path, 'x'));
  await sim.runFor(3000);
  assert.equal(one.state, 'connected');
  assert.equal(held.signal.aborted, false);
  await sim.complete(other.delete(held.path));
  await sim.runFor(1000);
  assert.equal((held.signal.reason as LostError | undefined)?.why, 'deleted');
});

test('nobody holds a lease that was deleted before it was granted', async () => {
  const world = await RecipeWorld.start(3);
  const { sim } = world;
  const [one, other] = [world.client('one'), world.client('other')];
  const getChildren = one.getChildren.bind(one);
  let deleted: string | undefined;
  one.getChildren = async (path: string, options?: ReadOptions) => {
    if (path === '/s/leases' && deleted === undefined) {
      const [name] = await other.getChildren(path);
      deleted = `${path}/${name}`;
      await other.delete(deleted);
    }
    return getChildren(path, options);
  };
  const held = await sim.complete(new Semaphore(one, '/s', { leases: 1 }).acquire());
  assert.notEqual(deleted, undefined);
  assert.notEqual(held.path, deleted);
  assert.deepEqual(await world.tree('/s/leases'), [held.path]);
});

test('who gives up entering a double barrier is no member, whatever was lost at that moment', async () => {
  const world = await RecipeWorld.start(4);
  const { sim } = world;
  const client = world.client('one');
  await sim.complete(client.connected());
  for (let round = 0; round < 60; round += 1) {
    const controller = new AbortController();
    const barrier = new DoubleBarrier(client, `/double/${round}`, 2);
    const entering = barrier.enter({ signal: controller.signal }).catch((error: Error) => error.message);
    await sim.runFor(round % 9);
    if (round % 3 > 0) sim.network.resetBetween(world.machines[0]!, world.server);
    await sim.runFor(round * 20);
    controller.abort(new RangeError('enough'));
    assert.equal(await entering, 'enough');
    await sim.runFor(2500);
    assert.deepEqual(await world.tree(`/double/${round}`), [], `round ${round}`);
  }
});

test('waits that are given up leave no watcher behind', async () => {
  const world = await RecipeWorld.start(5);
  const { sim } = world;
  const client = world.client('one');
  await sim.complete(new Barrier(client, '/barrier').set());
  await sim.complete(new Mutex(client, '/lock').acquire());
  const watchers: { path: string; watcher: NonNullable<ReadOptions['watch']> }[] = [];
  for (const method of ['getData', 'getChildren', 'exists'] as const) {
    const call = client[method].bind(client) as (path: string, options?: ReadOptions) => Promise<never>;
    client[method] = (path: string, options?: ReadOptions) => {
      if (options?.watch !== undefined) watchers.push({ path, watcher: options.watch });
      return call(path, options);
    };
  }
  const wait = { timeoutMs: 300 };
  for (const begin of [
    () => new Queue(client, '/queue').take(wait),
    () => new Barrier(client, '/barrier').wait(wait),
    () => new DoubleBarrier(client, '/double', 2).enter(wait),
    () => new Mutex(client, '/lock').acquire(wait),
  ]) {
    await assert.rejects(sim.complete<unknown>(begin()), WaitTimeoutError);
  }
  await sim.runFor(1000);
  assert.ok(watchers.length >= 4, `${watchers.length} watchers`);
  for (const { path, watcher } of watchers) {
    const removed = client.removeWatches(path, 'Any', { watcher, local: true });
    await assert.rejects(sim.complete(removed), failsWith(ErrorCode.NOWATCHER), path);
  }
});

test('a lock that is not free is said to be so in time, though the connection is lost', async () => {
  const world = await RecipeWorld.start(6);
  const { sim } = world;
  const [one, other] = [world.client('one'), world.client('other')];
  await sim.complete(new Mutex(one, '/lock').acquire());
  await sim.complete(other.connected());
  const getChildren = other.getChildren.bind(other);
  other.getChildren = async (path: string, options?: ReadOptions) => {
    const names = await getChildren(path, options);
    sim.network.partition(world.machines[1]!, world.server);
    return names;
  };
  const startMs = sim.nowMs;
  await assert.rejects(sim.complete(new Mutex(other, '/lock').tryAcquire({ timeoutMs: 500 })), WaitTimeoutError);
  assert.ok(sim.nowMs - startMs < 600, `${sim.nowMs - startMs} ms`);
});

test('a cache that is closed at once leaves no watch', async () => {
  const world = await RecipeWorld.start(7);
  const { sim } = world;
  const client = world.client('one');
  for (const isConnected of [false, true]) {
    new TreeCache(client, '/').close();
    await sim.runFor(1000);
    const none = client.removeWatches('/', 'PersistentRecursive', { local: true });
    await assert.rejects(sim.complete(none), failsWith(ErrorCode.NOWATCHER), `connected before: ${isConnected}`);
  }
});

test('a node that comes back has the data that were given last, whatever answers are lost', async () => {
  const world = await RecipeWorld.start(8);
  const { sim } = world;
  const client = world.client('one');
  const node = new PersistentNode(client, '/me', { data: 'first' });
  await sim.complete(node.whenThere());
  for (let round = 0; round < 30; round += 1) {
    const writes = ['a', 'b', 'c'].map((letter) => node.setData(`${round}${letter}`));
    sim.network.resetBetween(world.machines[0]!, world.server);
    await sim.complete(Promise.all(writes));
    const { data } = await sim.complete(client.getData('/me'));
    assert.equal(data?.toString(), `${round}c`);
  }
});

test('who waits for a count is told that none will come', async () => {
  const world = await RecipeWorld.start(9);
  const { sim } = world;
  const client = world.client('one');
  const count = new SharedCount(client, '/count', 1);
  const started = count.start();
  count.close();
  await assert.rejects(sim.complete(started), RecipeClosedError);
  await assert.rejects(sim.complete(count.start()), RecipeClosedError);
  await sim.complete(client.create('/text', 'no count'));
  await assert.rejects(sim.complete(new SharedCount(client, '/text', 1).start()), CorruptValueError);
});

/** Acts once, when a request of this kind was made. */
function afterCall(client: ZookeeperClient, method: 'getData', act: () => void): void {
  const call = client[method].bind(client);
  client[method] = (...args) => {
    client[method] = call;
    const answer = call(...args);
    queueMicrotask(act); // when it is on its way
    return answer;
  };
}
