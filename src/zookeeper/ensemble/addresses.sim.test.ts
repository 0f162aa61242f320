import assert from 'node:assert/strict';
import test from 'node:test';
import type { ConfigKeys } from '../../testing/test-keys.ts';
import { EnsembleWorld } from './testkit/ensemble.ts';

const ids = [1, 2, 3];
const noKeys: ConfigKeys = {};

/** Where the member has its second network card. */
function second(id: number): string {
  return `10.1.0.${id}`;
}

/** Three members with two addresses each: each address in a network of its own. */
class TwoWays {
  readonly world: EnsembleWorld;

  constructor(keys: ConfigKeys = {}) {
    this.world = new EnsembleWorld({
      config: { 'multiAddress.enabled': true, ...keys },
      configOf: () => Object.fromEntries(ids.map((id) => [`server.${id}`, this.#line(id)])),
    });
    for (const id of ids) this.world.sim.network.alias(this.world.member(id).machine, second(id));
  }

  /** Everywhere. */
  cut(way: 'first' | 'second'): void {
    const { network } = this.world.sim;
    const ends = ids.map((id) => {
      const { machine } = this.world.member(id);
      return way === 'first' ? machine : network.alias(machine, second(id));
    });
    for (const [index, end] of ends.entries()) for (const other of ends.slice(index + 1)) network.partition(end, other);
  }

  #line(id: number): string {
    return `${this.world.member(id).machine.host}:2888:3888|${second(id)}:2889:3889`;
  }
}

for (const way of ['first', 'second'] as const) {
  test(`members elect and follow while the ${way} address of each is cut off`, async () => {
    const ways = new TwoWays();
    const { world } = ways;
    ways.cut(way);
    await world.start();
    assert.equal((await world.serving()).self, 3);
    await world.sim.complete(world.client([1]).create('/a'));
    assert.deepEqual(world.fatal, []);
  });

  test(`connections made at the ${way} address are given up when it is cut off later`, async () => {
    const ways = new TwoWays();
    const { world } = ways;
    await world.start();
    await world.serving();
    // whoever leads is lost, and the two that are left have talked on whatever way answered first
    ways.cut(way);
    world.member(3).crash('process');
    await world.sim.runUntil(() => world.leader()?.self === 2, 30_000);
    await world.serving();
    await world.sim.complete(world.client([1]).create('/a'));
    assert.deepEqual(world.fatal, []);
  });
}

test('without the check of ways a connection that is cut holds an election up', async () => {
  const led: boolean[] = [];
  for (const way of ['first', 'second'] as const) {
    const ways = new TwoWays({ 'multiAddress.reachabilityCheckEnabled': false });
    const { world } = ways;
    await world.start();
    await world.serving();
    ways.cut(way);
    world.member(3).crash('process');
    await world.sim.runFor(30_000);
    led.push(world.leader() !== undefined);
  }
  assert.ok(led.includes(false), String(led));
});

for (const quorumListenOnAllIPs of [true, false]) {
  test(`a member is reached at an address that it does not know of${quorumListenOnAllIPs ? '' : ', no more without the key'}`, async () => {
    const world: EnsembleWorld = new EnsembleWorld({
      config: { quorumListenOnAllIPs },
      configOf: (id) => (id === 3 ? noKeys : { 'server.3': `${second(3)}:2888:3888` }),
    });
    world.sim.network.alias(world.member(3).machine, second(3));
    await world.start();
    await world.sim.runFor(30_000);
    assert.equal(world.leader()?.self, quorumListenOnAllIPs ? 3 : 2);
    assert.deepEqual(world.fatal, []);
  });
}
