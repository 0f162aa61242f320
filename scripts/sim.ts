/**
 * Worlds under seeds. `npm run sim` draws one after another; `-- --seed 7 --world kafka` replays one; `--ci` runs a fixed set;
 * `--minutes M` goes on for so long; `--verbose` prints what the machines log.
 */
import { parseArgs } from 'node:util';
import type { Outcome } from '../test/sim/outcome.ts';
import { isWorldName, runWorld, type WorldName, worlds } from '../test/sim/worlds.ts';

/** So many of each world: ten seconds on two idle cores, most of a minute on busy ones. */
const CI_SEEDS = 12;
/** A run of this one takes several times as long as others. */
const CI_SEEDS_OF_TRANSACTIONS = 6;
/** Each is seven runs, with several starts each. */
const CI_SEEDS_OF_LOGS = 4;
/** Seeds that found something once: a commit that a healed partition brought behind later ones. */
const SEEDS_WITH_A_STORY: readonly { readonly world: WorldName; readonly seed: number }[] = [
  { world: 'kafka', seed: 175855322 },
  { world: 'ensemble', seed: 10032 },
];
const TRACE_LINES = 40;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    world: { type: 'string' },
    minutes: { type: 'string' },
    ci: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});
if (values.world !== undefined && !isWorldName(values.world)) {
  process.stderr.write(`no such world: ${values.world}; there are ${Object.keys(worlds).join(', ')}\n`);
  process.exit(2);
}
const names: readonly WorldName[] = values.world === undefined ? (Object.keys(worlds) as WorldName[]) : [values.world];

let passed = 0;
let failed = 0;
let simulatedMs = 0;
let events = 0;

async function play(name: WorldName, seed: number): Promise<void> {
  const onLog = values.verbose ? (line: string) => process.stdout.write(`${line}\n`) : undefined;
  const outcome = await runWorld(name, seed, { onLog, everyPoint: !values.ci });
  simulatedMs += outcome.simulatedMs;
  events += outcome.events;
  if (outcome.failure === undefined) passed += 1;
  else failed += 1;
  report(outcome);
}

function ciSeedsOf(name: WorldName): number {
  if (name === 'transactions') return CI_SEEDS_OF_TRANSACTIONS;
  return name === 'log-crash-points' ? CI_SEEDS_OF_LOGS : CI_SEEDS;
}

function report({ world, seed, failure, hash, drawn, simulatedMs: ms }: Outcome): void {
  const mark = failure === undefined ? '✔' : '✖';
  process.stdout.write(`${mark} ${world} seed ${seed}: ${Math.round(ms / 1000)} s, hash ${hash}; ${drawn}\n`);
  if (failure === undefined) return;
  process.stdout.write(`${failure.split('\n').slice(0, TRACE_LINES).join('\n')}\n`);
  process.stdout.write(`replay: npm run sim -- --world ${world} --seed ${seed}\n`);
}

const startMs = Date.now();
if (values.seed !== undefined) {
  for (const name of names) await play(name, Number(values.seed));
} else if (values.ci) {
  for (let seed = 1; seed <= CI_SEEDS; seed += 1) {
    for (const name of names) {
      if (seed <= ciSeedsOf(name)) await play(name, seed);
    }
  }
  for (const { world, seed } of SEEDS_WITH_A_STORY) if (names.includes(world)) await play(world, seed);
} else {
  const untilMs = startMs + Number(values.minutes ?? 1) * 60_000;
  while (Date.now() < untilMs) {
    const seed = Math.floor(Math.random() * 1_000_000_000);
    for (const name of names) await play(name, seed);
  }
}
const seconds = (Date.now() - startMs) / 1000;
process.stdout.write(
  `${(simulatedMs / 3_600_000).toFixed(2)} simulated hours and ${events} events in ${seconds.toFixed(1)} s\n`,
);
process.stdout.write(`ℹ pass ${passed}\nℹ fail ${failed}\n`);
process.exitCode = failed > 0 ? 1 : 0;
