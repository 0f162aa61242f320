import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type PlantedBug, plantedBugs } from './bugs.ts';
import type { Outcome } from './outcome.ts';
import { runWorld } from './worlds.ts';

const run = promisify(execFile);
const plant = fileURLToPath(new URL('plant.ts', import.meta.url));
const runner = fileURLToPath(new URL('run-seeds.ts', import.meta.url));

/**
 * A seed finds a rare bug by the exact course of events, which any change of the servers may shift: then others are drawn. The
 * process ends with the first that finds it.
 */
const FURTHER_SEEDS = '1000-1150';

/** The bug's seed, and others if it has to be, in a process that has the bug. */
async function outcomesWith({ name, world, seed }: PlantedBug): Promise<Outcome[]> {
  const env = { ...process.env, PLANTED_BUG: name };
  const { stdout } = await run(process.execPath, ['--import', plant, runner, world, String(seed), FURTHER_SEEDS], {
    env,
  });
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Outcome);
}

/** Of the world as it is, by world and seed: several bugs have the same. */
const undisturbed = new Map<string, Promise<Outcome>>();

function outcomeWithout({ world }: PlantedBug, seed: number): Promise<Outcome> {
  const key = `${world} ${seed}`;
  const outcome = undisturbed.get(key) ?? runWorld(world, seed);
  undisturbed.set(key, outcome);
  return outcome;
}

test('each planted bug is found by a seed, which passes without it', { concurrency: 2 }, async (t) => {
  const tests = plantedBugs.map((bug) =>
    t.test(bug.name, async () => {
      const found = (await outcomesWith(bug)).at(-1);
      const failure = found?.failure ?? 'nothing was found';
      // Some servers notice by themselves that they are wrong.
      assert.ok(bug.symptom.test(failure) || failure.includes('a server is wrong'), failure);
      for (const seed of new Set([bug.seed, found?.seed ?? 0])) {
        assert.equal((await outcomeWithout(bug, seed)).failure, undefined, `seed ${seed}`);
      }
    }),
  );
  await Promise.all(tests);
});

test('a bug whose place is gone fails loudly', async () => {
  const env = { ...process.env, PLANTED_BUG: 'no such bug' };
  await assert.rejects(run(process.execPath, ['--import', plant, runner, 'zookeeper', '1'], { env }), /no such bug/);
  // The file of this one is never loaded by this process.
  const other = { ...process.env, PLANTED_BUG: plantedBugs.find(({ world }) => world === 'kafka')!.name };
  await assert.rejects(run(process.execPath, ['--import', plant, '-e', '0'], { env: other }), /was never loaded/);
});
