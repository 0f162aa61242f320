import assert from 'node:assert/strict';
import test from 'node:test';
import type { SimRandom } from '../../runtime/sim/sim-random.ts';
import { connectZookeeper, type ZookeeperClient } from '../client/client.ts';
import { CreateMode } from '../jute/create-mode.ts';
import { ErrorCode, KeeperError } from '../jute/errors.ts';
import { ServerWorld } from './testkit/server-world.ts';

const CLIENTS = 4;

/** What one writer knows of its register. */
interface Register {
  attempted: number;
  acknowledged: number;
}

interface Chaos {
  readonly world: ServerWorld;
  readonly registers: Register[];
  operations: number;
  over: boolean;
}

/**
 * A client that writes its own register and reads everybody's, through whatever happens. What it may see: never less than it saw
 * before, never less than its own acknowledged writes, never more than was attempted.
 */
async function live(chaos: Chaos, index: number, random: SimRandom): Promise<void> {
  const { world, registers } = chaos;
  const seen = registers.map(() => -1);
  const mine = registers[index] as Register;
  let client = open(chaos);
  while (!chaos.over) {
    try {
      if (random.chance(1 / 2)) {
        const value = mine.attempted + 1;
        mine.attempted = value;
        await client.setData(`/r${index}`, String(value));
        mine.acknowledged = Math.max(mine.acknowledged, value);
        seen[index] = Math.max(seen[index] ?? -1, value);
      } else {
        const other = random.below(CLIENTS);
        const { data } = await client.getData(`/r${other}`);
        const value = Number(data?.toString());
        const register = registers[other] as Register;
        assert.ok(value >= (seen[other] ?? -1), `client ${index} saw /r${other} go from ${seen[other]} to ${value}`);
        assert.ok(value <= register.attempted, `client ${index} saw ${value} in /r${other}, which nobody wrote`);
        seen[other] = value;
      }
      chaos.operations += 1;
    } catch (error) {
      if (!(error instanceof KeeperError)) throw error;
      if (error.code === ErrorCode.SESSIONEXPIRED) {
        // A new session promises nothing about the old one's reads, but what was acknowledged stays.
        client = open(chaos);
        seen.fill(-1);
        seen[index] = mine.acknowledged;
      }
    }
    await new Promise<void>((resolve) => {
      world.clients.runtime.clock.after(random.between(0, 40), resolve);
    });
  }
  await client.close();
}

function open({ world }: Chaos): ZookeeperClient {
  return connectZookeeper(world.clients.runtime, {
    connect: `${world.machine.host}:2181`,
    sessionTimeoutMs: 4000,
    failFast: true,
  });
}

async function disturb(world: ServerWorld, random: SimRandom): Promise<void> {
  const { sim, machine, clients } = world;
  switch (random.below(5)) {
    case 0:
      return world.crash('process');
    case 1:
      return world.crash('power');
    case 2:
      machine.stall(random.between(10, 8000));
      return;
    case 3:
      sim.network.partition(machine, clients);
      await sim.runFor(random.between(100, 8000));
      sim.network.heal();
      return;
    default:
      machine.clockJump(random.between(-100_000, 100_000));
  }
}

async function run(seed: number): Promise<{ readonly hash: string; readonly operations: number }> {
  const world = await ServerWorld.start({ seed, config: { snapCount: 30, preAllocSize: seed % 2 === 0 ? 0 : 64 } });
  const random = world.sim.random.fork('chaos');
  const registers = Array.from({ length: CLIENTS }, () => ({ attempted: 0, acknowledged: 0 }));
  const chaos: Chaos = { world, registers, operations: 0, over: false };
  const first = world.client();
  for (let index = 0; index < CLIENTS; index += 1) await world.complete(first.create(`/r${index}`, '0'));
  await world.complete(first.create('/live', 'x', { mode: CreateMode.EPHEMERAL }));
  await world.complete(first.close());
  const failures: unknown[] = [];
  const lives = registers.map((_, index) =>
    live(chaos, index, world.sim.random.fork(`client ${index}`)).catch((error) => failures.push(error)),
  );
  for (let round = 0; round < 8; round += 1) {
    await world.sim.runFor(random.between(200, 3000));
    await disturb(world, random);
    assert.deepEqual(failures, [], `seed ${seed}`);
  }
  // Faults are over: everybody gets through again, and nothing acknowledged is missing.
  await world.sim.runFor(20_000);
  const before = chaos.operations;
  await world.sim.runFor(5000);
  assert.ok(chaos.operations > before, `seed ${seed}: no progress after the faults`);
  chaos.over = true;
  await world.complete(Promise.all(lives));
  assert.deepEqual(failures, [], `seed ${seed}`);
  await world.crash('power');
  const reader = world.client();
  for (const [index, { attempted, acknowledged }] of registers.entries()) {
    const value = Number((await world.complete(reader.getData(`/r${index}`))).data?.toString());
    assert.ok(value >= acknowledged && value <= attempted, `seed ${seed}: ${acknowledged} ≤ ${value} ≤ ${attempted}`);
  }
  assert.equal(world.server.view.tree.ephemeralsCount, 0);
  assert.equal(world.logged.filter((line) => line.includes('Digests are not matching')).length, 0);
  assert.deepEqual(world.fatal, []);
  return { hash: world.sim.historyHash, operations: chaos.operations };
}

for (let seed = 1; seed <= 10; seed += 1) {
  test(`clients see a history without holes through crashes, stalls and partitions, seed ${seed}`, async () => {
    const { operations } = await run(seed);
    assert.ok(operations > 100, `only ${operations} operations`);
  });
}

test('the same seed gives the same history', async () => {
  const [first, second] = [await run(3), await run(3)];
  assert.equal(first.hash, second.hash);
  assert.notEqual(first.hash, (await run(4)).hash);
});
