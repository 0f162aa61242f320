/** Our recipes and Curator's on the same znodes at the same time, on our server and on Apache's. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  AtomicLong,
  Barrier,
  CreateMode,
  connectZookeeper,
  DoubleBarrier,
  ensurePath,
  GroupMember,
  LeaderLatch,
  LeaderSelector,
  Mutex,
  Queue,
  ReadWriteLock,
  Semaphore,
  SharedCount,
  TreeCache,
  type ZookeeperClient,
} from '../../src/zookeeper/client/index.ts';
import { chosen } from './breadth.ts';
import { startOurs } from './our-server.ts';
import { startApacheZookeeper } from './peers/apache-zookeeper.ts';
import type { Service } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';
import { javaProgram } from './peers/tools.ts';

const contender = join(import.meta.dirname, 'clients', 'CuratorContender.java');
const TURNS = 40;

type Server = Service & { readonly connect: string };
const servers: readonly { readonly name: string; start(): Promise<Server> }[] = [
  { name: 'our server', start: () => startOurs(tempDir()) },
  { name: 'Apache 3.9.4', start: () => startApacheZookeeper({ version: '3.9.4', dataDir: tempDir() }) },
];

/** Our part in each recipe, with two clients; answers what the other side should have printed. */
type Part = (one: ZookeeperClient, other: ZookeeperClient) => Promise<void>;

const parts: { readonly [recipe: string]: Part } = {
  lock: async (...clients) => {
    await repeated(clients, async (client) => {
      await using held = await new Mutex(client, '/lock').acquire();
      assert.ok(!held.signal.aborted);
      await alone(client, '/in/lock');
    });
    assert.deepEqual(await left(clients[0], '/lock'), []);
  },
  rw: async (...clients) => {
    await repeated(clients, async (client, turn) => {
      const lock = new ReadWriteLock(client, '/rw');
      if (turn % 3 === 0) {
        await using _held = await lock.write.acquire();
        await client.create('/in/writer', null, { mode: CreateMode.EPHEMERAL });
        assert.deepEqual(await client.getChildren('/in/readers'), [], 'no reader beside a writer');
        await client.delete('/in/writer');
      } else {
        await using _held = await lock.read.acquire();
        const reader = await client.create('/in/readers/r-', null, { mode: CreateMode.EPHEMERAL_SEQUENTIAL });
        assert.equal(await client.exists('/in/writer'), undefined, 'no writer beside a reader');
        await client.delete(reader);
      }
    });
  },
  semaphore: async (...clients) => {
    await repeated(clients, async (client) => {
      await using _lease = await new Semaphore(client, '/semaphore', { leases: 2 }).acquire();
      const inside = await client.create('/in/leases/l-', null, { mode: CreateMode.EPHEMERAL_SEQUENTIAL });
      assert.ok((await client.getChildren('/in/leases')).length <= 2, 'two leases');
      await client.delete(inside);
    });
  },
  latch: async (...clients) => {
    await repeated(clients, async (client) => {
      await using latch = new LeaderLatch(client, '/latch', { id: 'ours' });
      await latch.whenLeading({ timeoutMs: 60_000 });
      await alone(client, '/in/latch');
      const [leader] = await latch.participants();
      assert.deepEqual(leader, { id: 'ours', isLeader: true });
    });
  },
  selector: async (one) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let turns = 0;
    const lead = async (): Promise<void> => {
      await alone(one, '/in/selector');
      turns += 1;
      if (turns === 5) resolve();
    };
    await using _selector = new LeaderSelector(one, '/selector', lead, { id: 'ours', requeue: true });
    await promise;
  },
  double: async (...clients) => {
    const member = async (client: ZookeeperClient): Promise<void> => {
      const barrier = new DoubleBarrier(client, '/double', 4);
      await barrier.enter({ timeoutMs: 60_000 });
      await client.create('/in/double/d-', null, { mode: CreateMode.EPHEMERAL_SEQUENTIAL });
      await barrier.leave({ timeoutMs: 60_000 });
    };
    await Promise.all(clients.map(member));
    assert.equal((await clients[0].getChildren('/in/double')).length, 4, 'nobody left before all were inside');
  },
  barrier: async (one, other) => {
    const waiting = new Barrier(other, '/barrier').wait();
    await new Barrier(one, '/barrier').remove();
    await waiting;
  },
  counter: async (...clients) => {
    await Promise.all(
      clients.map(async (client) => {
        const counter = new AtomicLong(client, '/counter');
        for (let turn = 0; turn < TURNS; turn += 1) await counter.increment();
      }),
    );
  },
  count: async (one) => {
    using count = new SharedCount(one, '/count', 7);
    const { version, count: found } = await count.start();
    assert.equal(found, 1, 'Curator was there first');
    const { promise, resolve } = Promise.withResolvers<void>();
    count.onChange((value) => {
      if (value.count === 43) resolve();
    });
    assert.equal(await count.trySet({ count: found, version }, 42), true);
    await promise;
  },
  queue: async (...clients) => {
    const work = async (client: ZookeeperClient, index: number): Promise<void> => {
      const queue = new Queue(client, '/queue');
      for (let turn = 0; turn < TURNS; turn += 1) await queue.offer(`ours${index}-${turn}`);
      for (let turn = 0; turn < TURNS / 2; turn += 1) taken.push(String(await queue.take({ timeoutMs: 60_000 })));
    };
    await Promise.all(clients.map(work));
  },
  group: async (one, other) => {
    using cache = new TreeCache(other, '/cached');
    await cache.whenCurrent();
    assert.equal(String(cache.get('/cached/curator')?.data), 'node');
    await using member = new GroupMember(one, '/group', 'ours', { data: 'from us' });
    await member.joined();
    assert.deepEqual([...member.members().keys()].sort(), ['curator', 'ours']);
    assert.equal(String(member.members().get('curator')), 'from curator');
    await new Barrier(other, '/in/unseen').wait({ timeoutMs: 60_000 }); // until Curator's cache has seen us
  },
};
let taken: string[] = [];

async function repeated(
  clients: readonly ZookeeperClient[],
  turn: (client: ZookeeperClient, turn: number) => Promise<void>,
): Promise<void> {
  await Promise.all(
    clients.map(async (client) => {
      for (let count = 0; count < TURNS; count += 1) await turn(client, count);
    }),
  );
}

/** Fails if another is inside. */
async function alone(client: ZookeeperClient, path: string): Promise<void> {
  await client.create(path, null, { mode: CreateMode.EPHEMERAL });
  await client.delete(path);
}

/** What stands below a path, without those of the contender that is still at work. */
async function left(client: ZookeeperClient, path: string): Promise<string[]> {
  const paths = (await client.getChildren(path)).map((name) => `${path}/${name}`);
  const stats = await Promise.all(paths.map((each) => client.exists(each)));
  return paths.filter((_, index) => stats[index]?.ephemeralOwner === client.sessionId);
}

/** Until the other program is ready for a recipe. */
async function ready(client: ZookeeperClient, recipe: string): Promise<void> {
  for (;;) {
    const { promise, resolve } = Promise.withResolvers<void>();
    if ((await client.exists(`/go/${recipe}`, { watch: () => resolve() })) !== undefined) return;
    await promise;
  }
}

for (const { name, start } of chosen(servers, ({ name }) => name === 'our server')) {
  test(`our recipes and Curator's contend for the same znodes on ${name}`, async (t) => {
    const server = await start();
    t.after(() => server.stop());
    const [one, other] = [0, 1].map(() => connectZookeeper({ connect: server.connect, sessionTimeoutMs: 10_000 }));
    assert.ok(one && other);
    t.after(() => Promise.all([one.close(), other.close()]));
    for (const path of ['/in/readers', '/in/leases', '/in/double']) await ensurePath(one, path);
    taken = [];

    const running = javaProgram('curator-5.9.0', contender, [server.connect, `${TURNS}`], { timeoutMs: 180_000 });
    const failed = running.then(({ code, stdout, stderr }) => assert.equal(code, 0, stdout + stderr));
    for (const [recipe, part] of Object.entries(parts)) {
      await Promise.race([ready(one, recipe), failed]);
      await Promise.race([part(one, other), failed.then(() => new Promise(() => undefined))]);
    }
    const { stdout } = await running;
    await failed;

    assert.equal(await new AtomicLong(one, '/counter').get(), BigInt(TURNS * 4));
    const theirs = (/^queue(.*)$/m.exec(stdout)?.[1] ?? '').trim().split(' ');
    const offered = Array.from({ length: TURNS }, (_, turn) => [`curator${turn}`, `ours0-${turn}`, `ours1-${turn}`]);
    assert.equal(theirs.length, TURNS * 2);
    assert.deepEqual([...taken, ...theirs].sort(), offered.flat().sort());
    for (const line of ['lock 40', 'rw 40', 'semaphore 40', 'latch 40', 'selector', 'double', 'barrier', 'count 43']) {
      assert.match(stdout, new RegExp(`^${line}$`, 'm'));
    }
    assert.match(stdout, /^group \[curator, ours\] from us\ngroup \[curator\]\ndone$/m);
    for (const path of ['/lock', '/rw', '/latch', '/selector', '/double']) {
      assert.deepEqual(await one.getChildren(path), [], `${path} is empty`);
    }
  });
}
