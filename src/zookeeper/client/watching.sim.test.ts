/** Our client’s watches on our server, both simulated, while machines, cables and clocks misbehave. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { zooCfg } from '../../config/zoo-cfg.ts';
import { below } from '../../runtime/random.ts';
import type { SimMachine } from '../../runtime/sim/sim-machine.ts';
import { Simulation } from '../../runtime/sim/simulation.ts';
import { startZookeeper } from '../ensemble/start-zookeeper.ts';
import { connectZookeeper, type ZookeeperClient } from './client.ts';
import { AbortError, isKeeperError } from './client-errors.ts';

const config = zooCfg({
  dataDir: '/data',
  clientPort: 2181,
  tickTime: 500,
  preAllocSize: 64,
  'admin.enableServer': false,
});
const NODES = ['/data/a', '/data/b', '/data/c'];
const open = (machine: SimMachine): ZookeeperClient =>
  connectZookeeper(machine.runtime, { connect: 'zk', sessionTimeoutMs: 4000, requestTimeoutMs: 3000 });

/** Counts how often every request ends. */
class Ends {
  asked = 0;
  ended = 0;

  async watch<T>(request: Promise<T>): Promise<T> {
    this.asked += 1;
    try {
      return await request;
    } finally {
      this.ended += 1;
    }
  }
}

/** Sets nodes to growing numbers, deletes and creates them, sometimes aborts. */
class Writer {
  stopped = false;
  #client: ZookeeperClient;
  readonly #machine: SimMachine;
  readonly #ends: Ends;
  #count = 0;

  constructor(machine: SimMachine, ends: Ends) {
    this.#machine = machine;
    this.#ends = ends;
    this.#client = open(machine);
  }

  async run(): Promise<void> {
    while (!this.stopped) {
      try {
        await this.#ends.watch(this.#write());
      } catch (error) {
        if (error instanceof AbortError || isKeeperError(error, 'NONODE', 'NODEEXISTS')) continue;
        assert.ok(isKeeperError(error), String(error));
        if (isKeeperError(error, 'SESSIONEXPIRED')) this.#client = open(this.#machine);
      }
    }
  }

  #write(): Promise<unknown> {
    const { random, clock } = this.#machine.runtime;
    const path = NODES[below(random, NODES.length)] as string;
    this.#count += 1;
    const abort = new AbortController();
    const { signal } = abort;
    if (below(random, 5) === 0) clock.after(below(random, 3), () => abort.abort());
    if (below(random, 6) === 0) return this.#client.delete(path, -1, { signal });
    if (below(random, 3) === 0) return this.#client.create(path, String(this.#count), { signal });
    return this.#client.setData(path, String(this.#count), -1, { signal });
  }
}

/** Follows one node over sessions; nothing goes back, and the last value comes. */
class Follower {
  last: string | undefined = 'nothing yet';
  client: ZookeeperClient;
  readonly #machine: SimMachine;
  readonly #path: string;
  #mzxid = 0n;

  constructor(machine: SimMachine, path: string) {
    this.#machine = machine;
    this.#path = path;
    this.client = open(machine);
  }

  async run(): Promise<void> {
    for (;;) {
      try {
        for await (const value of this.client.follow(this.#path)) {
          const mzxid = value?.stat.mzxid;
          if (mzxid !== undefined) {
            assert.ok(mzxid >= this.#mzxid, `${this.#path} goes back from ${this.#mzxid} to ${mzxid}`);
            this.#mzxid = mzxid;
          }
          this.last = value?.data?.toString();
        }
        return;
      } catch (error) {
        if (!isKeeperError(error, 'SESSIONEXPIRED')) throw error;
        this.client = open(this.#machine);
      }
    }
  }
}

/** A reply that shows a change comes after the change's event, on every connection. */
class OrderCheck {
  readonly #seen: () => void;
  readonly #client: ZookeeperClient;
  #isWatching = false;
  #eventZxid = 0n;
  /** What was committed later than this must have been told; unknown until the connection's first reply. */
  #sinceZxid: bigint | undefined;

  /** `seen` counts the changes that were read when their events had come. */
  constructor(client: ZookeeperClient, seen: () => void) {
    this.#client = client;
    this.#seen = seen;
    client.onState(() => {
      this.#sinceZxid = undefined;
    });
    void this.#watch();
  }

  async #watch(): Promise<void> {
    const watcher = ({ zxid }: { zxid: bigint }): void => {
      this.#eventZxid = zxid;
    };
    try {
      await this.#client.addWatch('/data', watcher, { recursive: true });
      this.#isWatching = true;
    } catch (error) {
      if (isKeeperError(error, 'CONNECTIONLOSS', 'REQUESTTIMEOUT', 'SESSIONMOVED')) void this.#watch();
    }
  }

  /** Right after a reply. */
  check(mzxid: bigint): void {
    if (!this.#isWatching) return;
    if (this.#sinceZxid === undefined) this.#sinceZxid = this.#client.lastZxid;
    else if (mzxid > this.#sinceZxid) {
      assert.ok(mzxid <= this.#eventZxid, `a reply shows ${mzxid}, and the last event was of ${this.#eventZxid}`);
      this.#seen();
    }
  }
}

/** Keeps a copy of the subtree by events, and reads it again after every gap. */
class Mirror {
  readonly nodes = new Map<string, string>();
  client: ZookeeperClient;
  events = 0;
  /** Replies that showed a change after its event. */
  ordered = 0;
  #order: OrderCheck;
  readonly #machine: SimMachine;
  #zxid = 0n;

  constructor(machine: SimMachine) {
    this.#machine = machine;
    this.client = open(machine);
    this.#order = this.#checkOrder();
  }

  #checkOrder(): OrderCheck {
    return new OrderCheck(this.client, () => {
      this.ordered += 1;
    });
  }

  async run(): Promise<void> {
    for (;;) {
      try {
        await this.#mirror();
        return;
      } catch (error) {
        if (isKeeperError(error, 'SESSIONEXPIRED')) {
          this.client = open(this.#machine);
          this.#order = this.#checkOrder();
        } else if (!isKeeperError(error, 'CONNECTIONLOSS', 'REQUESTTIMEOUT', 'SESSIONMOVED')) throw error;
      }
    }
  }

  async #mirror(): Promise<void> {
    await using events = this.client.watch('/data', { mode: 'recursive', queueMax: 4 });
    await this.#readAll();
    this.#zxid = 0n;
    for await (const event of events) {
      this.events += 1;
      if (event.type === 'None') {
        this.#zxid = 0n;
        if (event.state === 'connected') await this.#readAll();
      } else if (event.type === 'Missed') await this.#readAll();
      else {
        assert.ok(event.zxid > this.#zxid, `an event of ${event.zxid} after one of ${this.#zxid}`);
        this.#zxid = event.zxid;
        await this.#read(event.path);
      }
    }
  }

  async #readAll(): Promise<void> {
    await Promise.all(NODES.map((path) => this.#read(path)));
  }

  async #read(path: string): Promise<void> {
    try {
      const { data, stat } = await this.client.getData(path);
      assert.ok(stat.mzxid <= this.client.lastZxid);
      this.#order.check(stat.mzxid);
      this.nodes.set(path, String(data));
    } catch (error) {
      if (!isKeeperError(error, 'NONODE')) throw error;
      this.nodes.delete(path);
    }
  }
}

/** More events than the mirror’s queue holds; the last of each node is among those that find no room. */
async function burst(client: ZookeeperClient): Promise<void> {
  for (const path of NODES) await client.create(path).catch(() => undefined);
  const [first, ...others] = NODES as [string, ...string[]];
  const order = [...Array.from({ length: 12 }, () => first), ...others];
  await Promise.all(order.map((path, index) => client.setData(path, `burst ${index}`)));
}

/** Changes that the mirror’s watch does not tell: its connection is lost meanwhile. */
async function changeUnseen(sim: Simulation, client: ZookeeperClient, mirror: SimMachine, server: SimMachine) {
  await sim.runFor(500); // the mirror is idle: no read of its own fails
  sim.network.partition(mirror, server);
  sim.network.resetBetween(mirror, server);
  await sim.complete(burst(client));
  sim.network.heal();
}

async function misbehave(sim: Simulation, server: SimMachine, machines: readonly SimMachine[]): Promise<void> {
  const random = sim.random.fork('faults');
  for (let fault = 0; fault < 14; fault += 1) {
    await sim.runFor(below(random, 2000));
    const machine = machines[below(random, machines.length)] as SimMachine;
    const forMs = 10 + below(random, fault % 4 === 0 ? 9000 : 2500);
    switch (below(random, 6)) {
      case 0:
        server.crash(below(random, 2) === 0 ? 'process' : 'power');
        await sim.runFor(forMs);
        await start(sim, server);
        break;
      case 1:
        sim.network.partition(machine, server, { oneWay: below(random, 2) === 0 });
        await sim.runFor(forMs);
        sim.network.heal();
        break;
      case 2:
      case 3:
        sim.network.resetBetween(machine, server);
        break;
      case 4:
        machine.stall(forMs);
        break;
      default:
        machine.clockJump(below(random, 100_000) - 50_000);
    }
  }
}

async function start(sim: Simulation, server: SimMachine): Promise<void> {
  const runtime = server.alive ? server.runtime : server.restart();
  await sim.complete(startZookeeper(runtime, config));
}

for (let seed = 1; seed <= 6; seed += 1) {
  test(`seed ${seed}: followers and mirrors end with what the nodes hold, and every request ends once`, async () => {
    const sim = new Simulation({ seed });
    const server = sim.machine('zk');
    await start(sim, server);
    const setup = open(sim.machine('setup'));
    await sim.complete(setup.create('/data'));
    await sim.complete(setup.close());

    const machines = ['w1', 'w2', 'f', 'm'].map((name) => sim.machine(name)) as [
      SimMachine,
      SimMachine,
      SimMachine,
      SimMachine,
    ];
    const ends = new Ends();
    const writers = [new Writer(machines[0], ends), new Writer(machines[1], ends)];
    const followers = NODES.map((path) => new Follower(machines[2], path));
    const mirror = new Mirror(machines[3]);
    const writing = Promise.all(writers.map((writer) => writer.run()));
    const watching = Promise.all([...followers.map((follower) => follower.run()), mirror.run()]);
    watching.catch(() => undefined);
    await misbehave(sim, server, machines);

    sim.network.heal();
    await sim.runFor(12_000); // whoever was cut off is back, or has a new session
    for (const writer of writers) writer.stopped = true;
    await sim.complete(writing);
    const reader = open(sim.machine('reader'));
    if (seed % 2 === 0) await sim.complete(burst(reader));
    else await changeUnseen(sim, reader, machines[3], server);
    await sim.runFor(3000);

    const held = new Map<string, string>();
    for (const path of NODES) {
      const value = await sim.complete(reader.getData(path).catch(() => undefined));
      if (value !== undefined) held.set(path, String(value.data));
    }
    for (const [index, follower] of followers.entries()) assert.equal(follower.last, held.get(NODES[index] as string));
    assert.deepEqual([...mirror.nodes].sort(), [...held].sort());
    assert.equal(ends.ended, ends.asked);
    assert.ok(ends.asked > 300, `${ends.asked} requests`);
    assert.ok(mirror.ordered > 20, `${mirror.ordered} replies after their events`);
    assert.ok(mirror.events > 100, `${mirror.events} events`);
    const clients = [...followers, mirror].map(({ client }) => client.close());
    await sim.complete(Promise.all([...clients, watching]));
  });
}
