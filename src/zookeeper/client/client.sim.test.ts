/** Our client on our server, both simulated, while machines, cables and clocks misbehave. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { zooCfg } from '../../config/zoo-cfg.ts';
import { below } from '../../runtime/random.ts';
import type { SimMachine } from '../../runtime/sim/sim-machine.ts';
import { Simulation } from '../../runtime/sim/simulation.ts';
import { startZookeeper } from '../ensemble/start-zookeeper.ts';
import { CreateMode } from '../jute/create-mode.ts';
import { ErrorCode, KeeperError } from '../jute/errors.ts';
import { connectZookeeper, type ZookeeperClient } from './client.ts';
import { ensurePath, isError } from './recipes/nodes.ts';

const config = zooCfg({
  dataDir: '/data',
  clientPort: 2181,
  tickTime: 500,
  preAllocSize: 64,
  'admin.enableServer': false,
});

/** Adds one again and again by compare-and-set, on whatever session there is. */
class Counter {
  /** Increments that the server acknowledged, and those whose fate is unknown. */
  acknowledged = 0;
  unknown = 0;
  client: ZookeeperClient;
  stopped = false;
  readonly #machine: SimMachine;

  constructor(machine: SimMachine) {
    this.#machine = machine;
    this.client = this.#open();
  }

  async run(): Promise<void> {
    while (!this.stopped) {
      try {
        await this.#increment();
      } catch (error) {
        if (!(error instanceof KeeperError)) throw error;
        if (error.code === ErrorCode.SESSIONEXPIRED) this.client = this.#open();
      }
    }
  }

  async #increment(): Promise<void> {
    const { data, stat } = await this.client.getData('/counter');
    try {
      const op = { path: '/counter', data: String(Number(data) + 1) };
      await this.client.multi([
        { kind: 'check', path: '/guard', version: 0 },
        { kind: 'setData', ...op, version: stat.version },
      ]);
      this.acknowledged += 1;
    } catch (error) {
      if (!isError(error, ErrorCode.BADVERSION)) this.unknown += 1;
      throw error;
    }
  }

  #open(): ZookeeperClient {
    const client = connectZookeeper(this.#machine.runtime, { connect: 'zk', sessionTimeoutMs: 4000 });
    client
      .create(`/live/${this.#machine.name}-`, null, { mode: CreateMode.EPHEMERAL_SEQUENTIAL })
      .catch(() => undefined);
    return client;
  }
}

/** Follows a node by one-shot watches. */
class Follower {
  readonly seen: number[] = [];
  client: ZookeeperClient;
  readonly #machine: SimMachine;

  constructor(machine: SimMachine) {
    this.#machine = machine;
    this.client = this.#open();
  }

  #open(): ZookeeperClient {
    const client = connectZookeeper(this.#machine.runtime, { connect: 'zk', sessionTimeoutMs: 4000 });
    client.onState((state) => {
      if (state === 'expired') this.client = this.#open();
    });
    void this.#read(client);
    return client;
  }

  /** Reads until it worked; then only an event makes it read again. */
  async #read(client: ZookeeperClient): Promise<void> {
    try {
      const { data } = await client.getData('/counter', { watch: () => void this.#read(client) });
      this.seen.push(Number(data));
    } catch (error) {
      if (isError(error, ErrorCode.CONNECTIONLOSS)) await this.#read(client);
    }
  }
}

async function misbehave(sim: Simulation, server: SimMachine, machines: readonly SimMachine[]): Promise<void> {
  const random = sim.random.fork('faults');
  for (let fault = 0; fault < 12; fault += 1) {
    await sim.runFor(below(random, 3000));
    const machine = machines[below(random, machines.length)] as SimMachine;
    const forMs = 10 + below(random, fault % 4 === 0 ? 9000 : 2500);
    switch (below(random, 6)) {
      case 0:
        server.crash('process');
        await sim.runFor(forMs);
        await start(sim, server);
        break;
      case 1:
        server.crash('power');
        await sim.runFor(forMs);
        await start(sim, server);
        break;
      case 2:
        sim.network.partition(machine, server, { oneWay: below(random, 2) === 0 });
        await sim.runFor(forMs);
        sim.network.heal();
        break;
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

/** As an operator would: again, while the address or the directory is not free yet. */
async function start(sim: Simulation, server: SimMachine): Promise<void> {
  const runtime = server.alive ? server.runtime : server.restart();
  await sim.complete(startZookeeper(runtime, config));
}

for (let seed = 1; seed <= 5; seed += 1) {
  test(`seed ${seed}: no acknowledged write is lost or done twice, no watch is missed`, async () => {
    const sim = new Simulation({ seed });
    const server = sim.machine('zk');
    await start(sim, server);
    const setup = connectZookeeper(sim.machine('setup').runtime, { connect: 'zk' });
    const ready = ensurePath(setup, '/live')
      .then(() => setup.create('/guard'))
      .then(() => setup.create('/counter', '0'));
    await sim.complete(ready);

    const counterMachines = [sim.machine('c1'), sim.machine('c2')];
    const followerMachine = sim.machine('f');
    const counters = counterMachines.map((machine) => new Counter(machine));
    const follower = new Follower(followerMachine);
    const running = Promise.all(counters.map((counter) => counter.run()));
    await misbehave(sim, server, [...counterMachines, followerMachine]);

    sim.network.heal();
    await sim.runFor(12_000); // whoever was cut off is back, or has a new session
    for (const counter of counters) counter.stopped = true;
    await sim.complete(running);
    await sim.runFor(2000);

    const { data } = await sim.complete(setup.getData('/counter').catch(() => reopened(sim).getData('/counter')));
    const final = Number(data);
    const acknowledged = counters.reduce((sum, counter) => sum + counter.acknowledged, 0);
    const unknown = counters.reduce((sum, counter) => sum + counter.unknown, 0);
    assert.ok(acknowledged > 100, `${acknowledged} acknowledged`);
    assert.ok(final >= acknowledged && final <= acknowledged + unknown, `${acknowledged} + ${unknown}, ${final} found`);
    assert.equal(follower.seen.at(-1), final);
    assert.deepEqual(
      follower.seen,
      [...follower.seen].sort((a, b) => a - b),
    );
    const live = await sim.complete(reopened(sim).getChildren('/live'));
    assert.deepEqual(live.map((name) => name.slice(0, 2)).sort(), ['c1', 'c2']);
  });
}

let reopenings = 0;
function reopened(sim: Simulation): ZookeeperClient {
  reopenings += 1;
  return connectZookeeper(sim.machine(`again${reopenings}`).runtime, { connect: 'zk' });
}
