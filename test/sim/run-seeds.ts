/** `run-seeds.ts WORLD FIRST-LAST|SEED…`: one line of JSON for each run, until one fails. For a process with a planted bug. */
import { isWorldName, runWorld } from './worlds.ts';

const [world = '', ...given] = process.argv.slice(2);
if (!isWorldName(world)) throw new Error(`no such world: ${world}`);
for (const text of given) {
  const [first = 0, last = first] = text.split('-').map(Number);
  for (let seed = first; seed <= last; seed += 1) {
    const outcome = await runWorld(world, seed);
    process.stdout.write(`${JSON.stringify(outcome)}\n`);
    if (outcome.failure !== undefined) process.exit(0);
  }
}
