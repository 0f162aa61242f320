import assert from 'node:assert/strict';
import { type Slices, slicesOf } from '../../base/slices.ts';
import { type Compute, ComputeError, type Lent } from '../compute.ts';
import { task } from './compute-tasks.ts';
import { type ContractCase, type ContractWorld, pass } from './contract.ts';

const plain = { xor: 0, fails: false, steps: 0, isOwn: false };

type Result = Lent<{ readonly sum: number }>;

function asked(compute: Compute, order: Partial<typeof plain>, bytes: Slices): Promise<Result> {
  return new Promise((resolve, reject) => {
    compute.run(task, { ...plain, ...order }, bytes, (error, result) => {
      if (result === undefined) reject(error);
      else resolve(result);
    });
  });
}

/** A compute of the world, closed afterwards. */
function withCompute(run: (world: ContractWorld, compute: Compute) => Promise<void>): ContractCase['run'] {
  return async (world) => {
    const compute = world.runtime.openCompute();
    try {
      await run(world, compute);
    } finally {
      await compute.close();
    }
  };
}

export const computeCases: readonly ContractCase[] = [
  {
    name: 'a task answers what it makes of its input, in the memory that it was given or its own',
    run: withCompute(async (world, compute) => {
      for (const isOwn of [false, true, false]) {
        const { output, bytes } = await world.complete(
          asked(compute, { xor: 1, steps: 3, isOwn }, slicesOf(Uint8Array.of(1, 2), Uint8Array.of(3))),
        );
        assert.deepEqual(output, { sum: 33 });
        assert.deepEqual([...bytes], [0, 3, 2]);
      }
      const empty = await world.complete(asked(compute, {}, slicesOf()));
      assert.equal(empty.bytes.length, 0);
    }),
  },
  {
    name: 'tasks that run together are not mistaken for each other, whatever the order of their answers',
    run: withCompute(async (world, compute) => {
      const orders = Array.from({ length: 40 }, (_, index) => index);
      await world.complete(
        Promise.all(
          orders.map(async (xor) => {
            const steps = xor % 3 === 0 ? 300_000 : 10;
            const { bytes, giveBack } = await asked(compute, { xor, steps, isOwn: xor % 2 === 0 }, sized(1000 + xor));
            assert.equal(bytes.length, 1000 + xor);
            assert.ok(bytes.every((byte) => byte === (7 ^ xor)));
            giveBack();
          }),
        ),
      );
    }),
  },
  {
    name: 'the bytes of a task are the caller’s again when it was asked',
    run: withCompute(async (world, compute) => {
      const mine = new Uint8Array(100).fill(7);
      const answer = asked(compute, {}, slicesOf(mine));
      mine.fill(9);
      const { bytes } = await world.complete(answer);
      assert.ok(bytes.every((byte) => byte === 7));
      assert.equal(mine.length, 100);
    }),
  },
  {
    name: 'what is not given back stays as it is, whatever else is computed',
    run: withCompute(async (world, compute) => {
      const kept = await world.complete(asked(compute, { xor: 5 }, sized(5000)));
      for (let round = 0; round < 8; round += 1) {
        const { giveBack } = await world.complete(asked(compute, { xor: round }, sized(5000)));
        giveBack();
      }
      assert.ok(kept.bytes.every((byte) => byte === (7 ^ 5)));
    }),
  },
  {
    name: 'a task that throws is an error of the one who asked, and the next one runs',
    run: withCompute(async (world, compute) => {
      const failed = asked(compute, { xor: 13, fails: true }, sized(10));
      const other = asked(compute, { xor: 1 }, sized(10));
      await assert.rejects(
        world.complete(failed),
        (error) => error instanceof ComputeError && /no result for 13/.test(error.message),
      );
      assert.equal((await world.complete(other)).bytes[0], 6);
    }),
  },
  {
    name: 'a task answers later, never before run returns',
    run: withCompute(async (world, compute) => {
      let hasReturned = false;
      const answered = new Promise<boolean>((resolve) => {
        compute.run(task, plain, sized(1), () => resolve(hasReturned));
      });
      hasReturned = true;
      assert.equal(await world.complete(answered), true);
    }),
  },
  {
    name: 'closed while busy it answers nothing, and takes nothing either',
    run: async (world) => {
      const compute = world.runtime.openCompute();
      await world.complete(asked(compute, {}, sized(10)));
      let count = 0;
      const run = (): void => compute.run(task, { ...plain, steps: 100_000 }, sized(10), () => (count += 1));
      run();
      run();
      await compute.close();
      run();
      await compute.close();
      await pass(world, 20);
      assert.equal(count, 0);
    },
  },
];

function sized(count: number): Slices {
  return slicesOf(new Uint8Array(count).fill(7));
}
