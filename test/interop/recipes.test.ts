/** Our recipes on a server that knows neither containers nor recursive watches. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AtomicLong,
  connectZookeeper,
  GroupMember,
  LeaderLatch,
  Mutex,
  Queue,
  Semaphore,
  TreeCache,
} from '../../src/zookeeper/client/index.ts';
import { startApacheZookeeper } from './peers/apache-zookeeper.ts';
import { tempDir } from './peers/temp-dir.ts';

test('our recipes do without what Apache 3.4.8 does not know', async (t) => {
  const server = await startApacheZookeeper({ version: '3.4.8', dataDir: tempDir() });
  t.after(() => server.stop());
  const [one, other] = [0, 1].map(() => connectZookeeper({ connect: server.connect }));
  assert.ok(one && other);
  t.after(() => Promise.all([one.close(), other.close()]));

  const first = await new Mutex(one, '/app/lock').acquire();
  const next = new Mutex(other, '/app/lock').acquire();
  await first.release();
  const second = await next;
  assert.ok(second.fencingToken > first.fencingToken);
  await second.release();

  await using _lease = await new Semaphore(other, '/app/semaphore', { leases: 1 }).acquire();
  await using latch = new LeaderLatch(one, '/app/latch', { id: 'one' });
  await latch.whenLeading();

  const counter = new AtomicLong(one, '/app/counter');
  await Promise.all([1, 2, 3].map(() => counter.increment()));
  assert.equal(await new AtomicLong(other, '/app/counter').get(), 3n);

  const queue = new Queue(other, '/app/queue');
  await queue.offer('item');
  assert.equal(String(await new Queue(one, '/app/queue').take()), 'item');

  using cache = new TreeCache(one, '/tree');
  await cache.whenCurrent();
  const events: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  cache.onEvent((event) => {
    if (event.kind === 'created' || event.kind === 'changed') events.push(`${event.kind} ${event.node.path}`);
    if (event.kind === 'deleted') events.push(`deleted ${event.previous.path}`);
    if (events.at(-1) === 'deleted /tree/a') resolve();
  });
  for (const path of ['/tree', '/tree/a', '/tree/a/b']) await other.create(path);
  while (cache.get('/tree/a/b') === undefined) await one.exists('/'); // its watches stand
  await other.setData('/tree/a', 'x');
  while (String(cache.get('/tree/a')?.data) !== 'x') await one.exists('/');
  await other.delete('/tree/a/b');
  await other.delete('/tree/a');
  await promise;
  assert.deepEqual(events, [
    'created /tree',
    'created /tree/a',
    'created /tree/a/b',
    'changed /tree/a',
    'deleted /tree/a/b',
    'deleted /tree/a',
  ]);

  await using member = new GroupMember(one, '/group', 'one');
  await using another = new GroupMember(other, '/group', 'other');
  await Promise.all([member.joined(), another.joined()]);
  while (member.members().size < 2 || another.members().size < 2) await one.exists('/');
});
