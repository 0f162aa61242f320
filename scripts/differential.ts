/**
 * Sequences of requests to Apache's broker and to ours: `npm run test:differential -- --seed 7 --steps 2000`. Without a seed one
 * after another is drawn, for `--minutes M`. With `--zookeeper` to Apache's ZooKeeper and to ours.
 */
import { parseArgs } from 'node:util';
import { runSeed, sharedVersions } from '../test/interop/differential/generated/run.ts';
import { startPair } from '../test/interop/differential/pair.ts';
import { firstDifference } from '../test/interop/zookeeper/pair.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    steps: { type: 'string', default: '1000' },
    minutes: { type: 'string', default: '5' },
    zookeeper: { type: 'boolean', default: false },
  },
});
const steps = Number(values.steps);

/** Answers what the servers told differently. */
type Play = (seed: number) => Promise<string | undefined>;

async function playAll(play: Play, isAlive: () => boolean): Promise<void> {
  const untilMs = Date.now() + Number(values.minutes) * 60_000;
  let played = 0;
  let failed = 0;
  do {
    const seed = values.seed === undefined ? Math.floor(Math.random() * 1_000_000_000) : Number(values.seed);
    const told = await play(seed);
    played += 1;
    if (told !== undefined) failed += 1;
    process.stdout.write(told === undefined ? `✔ seed ${seed}: ${steps} steps\n` : `✖ ${told}\n`);
  } while (values.seed === undefined && Date.now() < untilMs && isAlive());
  process.stdout.write(`ℹ pass ${played - failed}\nℹ fail ${failed}\n`);
  process.exitCode = failed > 0 ? 1 : 0;
}

async function playBrokers(): Promise<void> {
  const pair = await startPair();
  try {
    const ports = { apache: pair.apache.port, ours: pair.odradek.kafkaPort };
    const versions = await sharedVersions(ports);
    const isAlive = (): boolean => pair.odradek.alive() && pair.apache.alive();
    await playAll((seed) => runSeed(ports, versions, seed, steps), isAlive);
  } finally {
    await pair.stop();
  }
}

await (values.zookeeper
  ? playAll(
      (seed) => firstDifference(seed, steps),
      () => true,
    )
  : playBrokers());
