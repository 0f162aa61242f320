/** What each recipe does on our server when nothing goes wrong, or one thing. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { READ_ACL_UNSAFE } from '../acl.ts';
import { RecipeWorld, SESSION_TIMEOUT_MS } from '../testkit/recipe-world.ts';
import { AtomicLong } from './atomic-long.ts';
import { Barrier } from './barrier.ts';
import { DoubleBarrier } from './double-barrier.ts';
import { CorruptValueError, LostError, RecipeClosedError, WaitTimeoutError } from './errors.ts';
import { GroupMember } from './group-member.ts';
import { LeaderLatch } from './leader-latch.ts';
import { LeaderSelector } from './leader-selector.ts';
import { Mutex } from './mutex.ts';
import { PersistentNode } from './persistent-node.ts';
import { Queue } from './queue.ts';
import { ReadWriteLock } from './read-write-lock.ts';
import { Semaphore } from './semaphore.ts';
import { SharedCount } from './shared-count.ts';
import { TreeCache } from './tree-cache.ts';

const normal = (names: readonly string[]): string[] => names.map((name) => name.replace(/_c_[0-9a-f-]{36}-/, ''));

test('contenders get a lock in the order in which they asked, and it is empty afterwards', async () => {
  const world = await RecipeWorld.start(1);
  const { sim } = world;
  const clients = ['a', 'b', 'c'].map((name) => world.client(name));
  const order: number[] = [];
  const first = await sim.complete(new Mutex(clients[0]!, '/app/lock').acquire());
  const others = clients.map(async (client, index) => {
    const held = await new Mutex(client, '/app/lock', { data: `client ${index}` }).acquire();
    order.push(index);
    assert.equal(held.signal.aborted, false);
    await held.release();
    return held.fencingToken;
  });
  await sim.runFor(1000);
  assert.deepEqual(order, []);
  const contenders = await sim.complete(new Mutex(clients[0]!, '/app/lock').contenders());
  assert.equal(contenders[0], first.path);
  assert.match(first.path, /^\/app\/lock\/_c_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-lock-0000000000$/);
  await sim.complete(first.release());
  const tokens = await sim.complete(Promise.all(others));
  const asked = contenders.slice(1).map((path) => path.slice(-1));
  assert.deepEqual(asked, ['1', '2', '3']);
  assert.equal(new Set(tokens).size, 3);
  assert.ok(order.every((client, turn) => turn === 0 || tokens[client]! > tokens[order[turn - 1]!]!));
  assert.ok(tokens.every((token) => token > first.fencingToken));
  assert.deepEqual(await world.tree('/app'), ['/app/lock']);
  await sim.runFor(150_000);
  assert.deepEqual(await world.tree('/'), ['/zookeeper', '/zookeeper/config', '/zookeeper/quota']);
});

test('a lock that is handed back wakes the next contender alone', async () => {
  const world = await RecipeWorld.start(20);
  const { sim } = world;
  const held = await sim.complete(new Mutex(world.client('holder'), '/lock').acquire());
  let looks = 0;
  const acquired = ['a', 'b', 'c', 'd', 'e'].map((name) => {
    const client = world.client(name);
    const getChildren = client.getChildren.bind(client);
    client.getChildren = (...args) => {
      looks += 1;
      return getChildren(...args);
    };
    return new Mutex(client, '/lock').acquire();
  });
  await sim.runFor(1000);
  assert.equal(looks, 5);
  await sim.complete(held.release());
  const next = await sim.complete(Promise.race(acquired));
  await sim.runFor(1000);
  assert.equal(looks, 6);
  await sim.complete(next.release());
  await sim.runFor(1000);
  assert.equal(looks, 7);
});

test('who does not get a lock in time leaves the line', async () => {
  const world = await RecipeWorld.start(2);
  const { sim } = world;
  const [one, other] = [world.client('one'), world.client('other')];
  const mutex = new Mutex(other, '/lock');
  const held = await sim.complete(new Mutex(one, '/lock').acquire());
  assert.equal(await sim.complete(mutex.tryAcquire()), undefined);
  await assert.rejects(sim.complete(mutex.acquire({ timeoutMs: 500 })), WaitTimeoutError);
  const controller = new AbortController();
  const aborted = mutex.acquire({ signal: controller.signal });
  await sim.runFor(500);
  controller.abort(new RangeError('enough'));
  await assert.rejects(aborted, /enough/);
  await assert.rejects(mutex.acquire({ signal: AbortSignal.abort(new RangeError('before')) }), /before/);
  await sim.runFor(1000);
  assert.deepEqual(await world.tree('/lock'), [held.path]);
  await sim.complete(held.release());
  const again = await sim.complete(mutex.tryAcquire());
  assert.ok(again !== undefined);
  await sim.complete(again[Symbol.asyncDispose]());
  await sim.complete(again.release());
});

test('run holds the lock, and lets it go when the work fails', async () => {
  const world = await RecipeWorld.start(3);
  const mutex = new Mutex(world.client('one'), '/lock');
  assert.equal(await world.sim.complete(mutex.run(async (held) => held.path.length)), 61);
  await assert.rejects(world.sim.complete(mutex.run(() => Promise.reject(new RangeError('failed')))), /failed/);
  assert.deepEqual(await world.tree('/lock'), []);
});

test('a holder is told at once that the connection is lost, or when the session may be over, as it asked', async () => {
  const world = await RecipeWorld.start(4);
  const { sim } = world;
  const client = world.client('one');
  const careful = await sim.complete(new Mutex(client, '/careful').acquire());
  const patient = await sim.complete(new Mutex(client, '/patient', { lostWhen: 'expired' }).acquire());
  sim.network.resetBetween(world.machines[0]!, world.server);
  await sim.runFor(3000);
  assert.equal((careful.signal.reason as LostError).why, 'suspended');
  assert.equal(patient.signal.aborted, false, 'the session lived on');
  sim.network.partition(world.machines[0]!, world.server);
  const lost = new Promise((resolve) => patient.signal.addEventListener('abort', resolve));
  await sim.complete(lost, SESSION_TIMEOUT_MS + 500);
  assert.equal((patient.signal.reason as LostError).why, 'expired');
  await sim.runFor(3000);
  sim.network.heal();
  await sim.runFor(10_000);
  assert.equal(client.state, 'expired');
  await sim.complete(Promise.all([careful.release(), patient.release()]));
});

for (const lostWhen of ['suspended', 'expired'] as const) {
  test(`a holder that is cut off is told that it is ${lostWhen} before another gets the lock`, async () => {
    const world = await RecipeWorld.start(18);
    const { sim } = world;
    const [one, other] = [world.client('one'), world.client('other')];
    for (let turn = 0; turn < 10; turn += 1) {
      const client = turn === 0 ? one : world.open(world.machines[0]!);
      const held = await sim.complete(new Mutex(client, '/lock', { lostWhen }).acquire());
      await sim.runFor(turn * 300);
      assert.equal(held.signal.aborted, false);
      sim.network.partition(world.machines[0]!, world.server);
      const next = await sim.complete(new Mutex(other, '/lock').acquire());
      assert.equal((held.signal.reason as LostError | undefined)?.why, lostWhen);
      sim.network.heal();
      await sim.runFor(5000);
      await sim.complete(next.release());
    }
  });
}

test('a lost answer leaves one node of a contender in the line, not two', async () => {
  for (let step = 0; step < 30; step += 1) {
    const world = await RecipeWorld.start(19);
    const { sim } = world;
    const client = world.client('one');
    await sim.complete(new Mutex(client, '/lock').run(async () => undefined));
    const acquired = new Mutex(client, '/lock').acquire();
    await sim.runFor(step / 10);
    sim.network.partition(world.server, world.machines[0]!, { oneWay: true });
    await sim.runFor(50);
    sim.network.resetBetween(world.machines[0]!, world.server);
    sim.network.heal();
    const held = await sim.complete(acquired);
    assert.deepEqual(await world.tree('/lock'), [held.path]);
  }
});

test('who gives up while its node is being created leaves none, even if the answer is lost', async () => {
  for (let step = 0; step < 30; step += 1) {
    const world = await RecipeWorld.start(23);
    const { sim } = world;
    const client = world.client('one');
    const holder = await sim.complete(new Mutex(client, '/lock').acquire());
    const controller = new AbortController();
    const acquired = new Mutex(client, '/lock').acquire({ signal: controller.signal });
    const refused = assert.rejects(acquired, /enough/);
    await sim.runFor(step / 10);
    controller.abort(new RangeError('enough'));
    await refused;
    if (step % 2 === 0) sim.network.resetBetween(world.machines[0]!, world.server);
    await sim.runFor(3000);
    assert.deepEqual(await world.tree('/lock'), [holder.path]);
  }
});

test('a holder whose node somebody deletes is told', async () => {
  const world = await RecipeWorld.start(5);
  const [one, other] = [world.client('one'), world.client('other')];
  const held = await world.sim.complete(new Mutex(one, '/lock').acquire());
  await world.sim.complete(other.setData(held.path, 'look'));
  await world.sim.runFor(100);
  await world.sim.complete(other.delete(held.path));
  await world.sim.runFor(100);
  assert.ok(held.signal.reason instanceof LostError && held.signal.reason.why === 'deleted');
  const guarded = one.multi([held.check(), { kind: 'create', path: '/guarded' }]);
  await assert.rejects(world.sim.complete(guarded), /NoNode/);
  await world.sim.complete(held.release());
});

test('readers share, a writer waits for them, and later readers wait for the writer', async () => {
  const world = await RecipeWorld.start(6);
  const { sim } = world;
  const locks = ['a', 'b', 'c', 'd'].map((name) => new ReadWriteLock(world.client(name), '/rw'));
  const one = await sim.complete(locks[0]!.read.acquire());
  const two = await sim.complete(locks[1]!.read.acquire());
  const events: string[] = [];
  const writing = locks[2]!.write.acquire();
  writing.then(() => events.push('write'));
  await sim.runFor(100);
  const reading = locks[3]!.read.acquire();
  reading.then(() => events.push('read'));
  await sim.runFor(100);
  assert.equal(await sim.complete(locks[0]!.read.tryAcquire()), undefined);
  assert.deepEqual(
    normal(await world.tree('/rw'))
      .map((name) => name.slice(4))
      .sort(),
    ['__READ__0000000000', '__READ__0000000001', '__READ__0000000003', '__WRIT__0000000002'],
  );
  assert.equal((await sim.complete(locks[0]!.read.contenders())).length, 3);
  await sim.complete(one.release());
  await sim.runFor(100);
  assert.deepEqual(events, []);
  await sim.complete(two.release());
  const written = await sim.complete(writing);
  await sim.runFor(100);
  assert.deepEqual(events, ['write']);
  await sim.complete(written.release());
  await sim.complete((await sim.complete(reading)).release());
  assert.deepEqual(await world.tree('/rw'), []);
});

test('a semaphore gives out as many leases as there are', async () => {
  const world = await RecipeWorld.start(7);
  const { sim } = world;
  const [one, other] = ['one', 'other'].map((name) => new Semaphore(world.client(name), '/s', { leases: 2 }));
  const first = await sim.complete(one!.acquire());
  const second = await sim.complete(other!.acquire());
  const third = other!.acquire();
  await assert.rejects(sim.complete(one!.acquire({ timeoutMs: 500 })), WaitTimeoutError);
  assert.equal((await sim.complete(one!.holders())).length, 3, 'the next one has put its lease there');
  await sim.complete(first.release());
  await sim.complete((await sim.complete(third)).release());
  await sim.complete(second.release());
  await sim.runFor(100);
  assert.deepEqual(await world.tree('/s'), ['/s/leases', '/s/locks']);
  assert.throws(() => new Semaphore(world.client('third'), '/s', { leases: 0 }), RangeError);
});

test('leadership goes on when the leader leaves, and comes back with the connection', async () => {
  const world = await RecipeWorld.start(8);
  const { sim } = world;
  const one = new LeaderLatch(world.client('one'), '/latch', { id: 'one' });
  const leading = await sim.complete(one.whenLeading());
  const other = new LeaderLatch(world.client('other'), '/latch', { id: 'other' });
  const states: string[] = [];
  one.onState((state) => states.push(state));
  await sim.runFor(100);
  assert.deepEqual(await sim.complete(other.participants()), [
    { id: 'one', isLeader: true },
    { id: 'other', isLeader: false },
  ]);
  sim.network.resetBetween(world.machines[0]!, world.server);
  await sim.runFor(3000);
  assert.deepEqual(states, ['waiting', 'leading']);
  assert.ok(leading.signal.aborted && one.leadership?.signal.aborted === false);
  await assert.rejects(sim.complete(other.whenLeading({ timeoutMs: 100 })), WaitTimeoutError);
  await sim.complete(one.close());
  const next = await sim.complete(other.whenLeading());
  assert.ok(next.fencingToken > leading.fencingToken);
  await assert.rejects(one.whenLeading(), RecipeClosedError);
  await sim.complete(other.close());
  assert.ok(next.signal.reason instanceof RecipeClosedError);
  assert.deepEqual(await world.tree('/latch'), []);
});

test('a latch takes part again when its node is deleted, and in the next session of a keeper', async () => {
  const world = await RecipeWorld.start(9);
  const { sim } = world;
  const keeper = world.keeper('one');
  const latch = new LeaderLatch(keeper, '/latch');
  const first = await sim.complete(latch.whenLeading());
  await sim.complete(world.client('other').delete(first.path));
  await sim.runFor(100);
  const second = await sim.complete(latch.whenLeading());
  assert.ok(second.path !== first.path && (first.signal.reason as LostError).why === 'deleted');
  sim.network.partition(world.machines[0]!, world.server);
  await sim.runFor(8000);
  sim.network.heal();
  await sim.runFor(3000);
  const third = await sim.complete(latch.whenLeading());
  assert.ok(third.fencingToken > second.fencingToken && !third.signal.aborted);
  await sim.complete(keeper.close());
  await sim.runFor(100);
  assert.equal(latch.state, 'failed');
  await assert.rejects(latch.whenLeading(), /Session expired/);
});

test('without a keeper, what outlives sessions ends with the session', async () => {
  const world = await RecipeWorld.start(21);
  const { sim } = world;
  const client = world.client('one');
  const latch = new LeaderLatch(client, '/latch');
  const node = new PersistentNode(client, '/node');
  const cache = new TreeCache(client, '/tree');
  await sim.complete(Promise.all([latch.whenLeading(), node.whenThere(), cache.whenCurrent()]));
  sim.network.partition(world.machines[0]!, world.server);
  await sim.runFor(8000);
  sim.network.heal();
  await sim.runFor(2000);
  assert.deepEqual([client.state, latch.state, node.state, cache.state], ['expired', 'failed', 'failed', 'failed']);
  for (const waiting of [latch.whenLeading(), node.whenThere(), cache.whenCurrent()]) {
    await assert.rejects(waiting, /Session expired/);
  }
  await assert.rejects(new Mutex(client, '/lock').acquire(), /Session expired/);
  await assert.rejects(new AtomicLong(client, '/counter').increment(), /Session expired/);
  await sim.complete(Promise.all([latch.close(), node.close()]));
});

test('what the server refuses ends a recipe, and a node that may not be read is left out of a cache', async () => {
  const world = await RecipeWorld.start(22);
  const { sim } = world;
  const [one, other] = [world.client('one'), world.client('other')];
  await sim.complete(other.create('/closed'));
  await sim.complete(other.create('/closed/secret'));
  await sim.complete(other.setACL('/closed/secret', [{ perms: 4, id: { scheme: 'world', id: 'anyone' } }]));
  const cache = new TreeCache(one, '/closed');
  await sim.complete(cache.whenCurrent());
  assert.deepEqual(
    [...cache.nodes()].map(({ path }) => path),
    ['/closed'],
  );
  await sim.complete(other.setACL('/closed', READ_ACL_UNSAFE));
  const latch = new LeaderLatch(one, '/closed');
  await assert.rejects(sim.complete(latch.whenLeading()), /NoAuth/);
  const node = new PersistentNode(one, '/closed/node');
  await assert.rejects(sim.complete(node.whenThere()), /NoAuth/);
  await assert.rejects(sim.complete(new Mutex(one, '/closed').acquire()), /NoAuth/);
  const selector = new LeaderSelector(one, '/closed', async () => undefined, { requeue: true });
  await sim.runFor(1000);
  await sim.complete(Promise.all([selector.close(), latch.close(), node.close()]));
});

test('selectors lead in turn, each until its function ends', async () => {
  const world = await RecipeWorld.start(10);
  const { sim } = world;
  const turns: string[] = [];
  const selectors = ['a', 'b'].map((id) => {
    const client = world.client(id);
    const lead = async (): Promise<void> => {
      turns.push(id);
      await new Promise<void>((resolve) => void client.runtime.clock.after(100, resolve));
      turns.push(`${id} ends`);
    };
    return new LeaderSelector(client, '/selector', lead, { id, requeue: true });
  });
  await sim.runUntil(() => turns.length >= 8, 10_000);
  for (let turn = 0; turn < 8; turn += 2) assert.equal(turns[turn + 1], `${turns[turn]} ends`);
  assert.deepEqual([turns[0], turns[2]].sort(), ['a', 'b']);
  await sim.runFor(50);
  assert.deepEqual((await sim.complete(selectors[0]!.participants())).map(({ id }) => id).sort(), ['a', 'b']);
  await sim.complete(Promise.all(selectors.map((selector) => selector.close())));
  await sim.runFor(100);
  assert.deepEqual(await world.tree('/selector'), []);
});

test('all wait while a barrier stands', async () => {
  const world = await RecipeWorld.start(11);
  const { sim } = world;
  const [one, other] = ['one', 'other'].map((name) => new Barrier(world.client(name), '/b/barrier'));
  await sim.complete(one!.wait());
  await sim.complete(one!.set());
  await sim.complete(one!.set());
  await assert.rejects(sim.complete(other!.wait({ timeoutMs: 200 })), WaitTimeoutError);
  const waiting = other!.wait();
  await sim.runFor(100);
  await sim.complete(one!.remove());
  await sim.complete(waiting);
  await sim.complete(one!.remove());
});

test('members of a double barrier begin together and end together', async () => {
  const world = await RecipeWorld.start(12);
  const { sim } = world;
  const events: string[] = [];
  const members = ['a', 'b', 'c'].map(async (name, index) => {
    const client = world.client(name);
    const pause = (ms: number): Promise<void> => new Promise((resolve) => void client.runtime.clock.after(ms, resolve));
    const barrier = new DoubleBarrier(client, '/double', 3);
    await pause(index * 500);
    await barrier.enter();
    assert.ok(sim.nowMs >= 1000, 'the last one has entered');
    await pause(index * 500);
    events.push('leaves');
    await barrier.leave();
    events.push('out');
  });
  await sim.complete(Promise.all(members));
  assert.deepEqual(events, ['leaves', 'leaves', 'leaves', 'out', 'out', 'out']);
  await sim.runFor(100);
  assert.deepEqual(await world.tree('/double'), []);
  const alone = new DoubleBarrier(world.client('d'), '/double', 2);
  await assert.rejects(sim.complete(alone.enter({ timeoutMs: 300 })), WaitTimeoutError);
  await sim.runFor(100);
  assert.deepEqual(await world.tree('/double'), []);
});

test('a counter counts, wraps at 64 bits, and refuses what it did not write', async () => {
  const world = await RecipeWorld.start(13);
  const { sim } = world;
  const client = world.client('one');
  const counter = new AtomicLong(client, '/app/counter');
  assert.equal(await sim.complete(counter.get()), 0n);
  assert.equal(await sim.complete(counter.add(5)), 5n);
  assert.equal(await sim.complete(counter.decrement()), 4n);
  assert.deepEqual((await sim.complete(client.getData('/app/counter'))).data, Buffer.from('0000000000000004', 'hex'));
  assert.equal(await sim.complete(counter.compareAndSet(3, 9)), false);
  assert.equal(await sim.complete(counter.compareAndSet(4, -1)), true);
  await sim.complete(counter.set(2n ** 63n - 1n));
  assert.equal(await sim.complete(counter.increment()), -(2n ** 63n));
  await sim.complete(client.setData('/app/counter', 'no'));
  await assert.rejects(sim.complete(counter.get()), CorruptValueError);
  await sim.complete(client.close());
  await sim.runFor(150_000);
  assert.deepEqual(await world.tree('/app'), ['/app/counter'], 'the ledger is gone');
});

test('a shared count is seen by all, and set only from what was seen', async () => {
  const world = await RecipeWorld.start(14);
  const { sim } = world;
  const [one, other] = ['one', 'other'].map((name) => new SharedCount(world.client(name), '/c/count', 7));
  const seen: number[] = [];
  other!.onChange(({ count }) => seen.push(count));
  const { version } = await sim.complete(one!.start());
  assert.equal((await sim.complete(other!.start())).count, 7);
  assert.equal(await sim.complete(one!.trySet({ count: 7, version }, 8)), true);
  await sim.runFor(100);
  assert.equal(await sim.complete(other!.trySet({ count: 7, version }, 9)), false);
  assert.equal(other!.value.count, 8);
  await sim.complete(other!.set(-1));
  await sim.runFor(100);
  assert.equal(one!.value.count, -1);
  assert.deepEqual(seen, [7, 8, -1]);
  one!.close();
  await sim.complete(other!.set(3));
  await sim.runFor(100);
  assert.equal(one!.value.count, -1);
});

test('a queue gives items in their order, one to one consumer, and waits for the next', async () => {
  const world = await RecipeWorld.start(15);
  const { sim } = world;
  const [one, other] = ['one', 'other'].map((name) => new Queue(world.client(name), '/q/queue'));
  assert.equal(await sim.complete(one!.poll()), undefined);
  for (const item of ['a', 'b', 'c']) await sim.complete(one!.offer(item));
  assert.equal(String(await sim.complete(other!.peek())), 'a');
  const taken = await sim.complete(Promise.all([one!.poll(), other!.poll(), one!.take()]));
  assert.deepEqual(taken.map(String).sort(), ['a', 'b', 'c']);
  const waiting = other!.take();
  await assert.rejects(sim.complete(one!.take({ timeoutMs: 100 })), WaitTimeoutError);
  await sim.complete(one!.offer(null));
  assert.equal(await sim.complete(waiting), null);
});

test('a cache follows a tree, and tells what changed while it had no connection', async () => {
  const world = await RecipeWorld.start(16);
  const { sim } = world;
  const other = world.client('other');
  const cache = new TreeCache(world.client('one'), '/t');
  await sim.complete(cache.whenCurrent());
  assert.equal(cache.size, 0, 'the root may be missing');
  const events: string[] = [];
  cache.onEvent((event) => {
    const path = 'node' in event ? event.node.path : 'previous' in event ? event.previous.path : '';
    events.push(`${event.kind} ${path}`.trim());
  });
  for (const path of ['/t', '/t/a', '/t/a/b']) await sim.complete(other.create(path, 'x'));
  await sim.complete(other.setData('/t/a', 'y'));
  await sim.complete(other.delete('/t/a/b'));
  await sim.runFor(100);
  assert.deepEqual(events, ['created /t', 'created /t/a', 'created /t/a/b', 'changed /t/a', 'deleted /t/a/b']);
  assert.equal(String(cache.get('/t/a')?.data), 'y');
  events.length = 0;
  sim.network.partition(world.machines[1]!, world.server);
  await sim.runFor(3000);
  await sim.complete(other.delete('/t/a'));
  await sim.complete(other.create('/t/c', 'new'));
  sim.network.heal();
  await sim.runFor(3000);
  assert.deepEqual(events, ['stale', 'deleted /t/a', 'created /t/c', 'current']);
  assert.deepEqual(cache.children('/t'), ['c']);
  cache.close();
  await sim.complete(other.create('/t/d'));
  await sim.runFor(100);
  assert.deepEqual([cache.size, cache.state, events.at(-1)], [2, 'closed', 'ended']);
  await assert.rejects(cache.whenCurrent(), RecipeClosedError);
});

test('a persistent node comes back, and group members see each other', async () => {
  const world = await RecipeWorld.start(17);
  const { sim } = world;
  const [keeper, other] = [world.keeper('one'), world.client('other')];
  const node = new PersistentNode(keeper, '/p/node', { data: 'x' });
  await sim.complete(node.whenThere());
  await sim.complete(other.delete('/p/node'));
  await sim.runFor(100);
  assert.equal(String((await sim.complete(other.getData('/p/node'))).data), 'x');
  await sim.complete(node.setData('y'));

  const one = new GroupMember(keeper, '/group', 'one', { data: '1' });
  const two = new GroupMember(other, '/group', 'two');
  await sim.complete(Promise.all([one.joined(), two.joined()]));
  const changes: string[] = [];
  two.onChange(() => changes.push([...two.members().keys()].sort().join()));
  await sim.complete(one.setData('new'));
  await sim.runFor(100);
  assert.equal(String(two.members().get('one')), 'new');
  sim.network.partition(world.machines[0]!, world.server);
  await sim.runFor(8000);
  assert.deepEqual([...two.members().keys()], ['two']);
  sim.network.heal();
  await sim.runFor(5000);
  assert.deepEqual([...two.members().keys()].sort(), ['one', 'two']);
  assert.deepEqual([...one.members().keys()].sort(), ['one', 'two']);
  assert.equal(String((await sim.complete(other.getData('/p/node'))).data), 'y');
  await sim.complete(Promise.all([node.close(), one.close()]));
  await sim.runFor(100);
  assert.deepEqual(await world.tree('/group'), ['/group/two']);
  assert.deepEqual(await world.tree('/p'), []);
  assert.deepEqual(changes.slice(-4), ['one,two', 'two', 'one,two', 'two']);
});
