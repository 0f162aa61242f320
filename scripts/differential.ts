/**
 * Sequences of requests to Apache's broker and to ours: `npm run test:differential -- --seed 7 --steps 2000`. Without a seed one
 * after another is drawn, for `--minutes M`.
 */
import { parseArgs } from 'node:util';
import { runSeed, sharedVersions } from '../test/interop/differential/generated/run.ts';
import { startPair } from '../test/interop/differential/pair.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    steps: { type: 'string', default: '1000' },
    minutes: { type: 'string', default: '5' },
  },
});

const pair = await startPair();
try {
  const ports = { apache: pair.apache.port, ours: pair.odradek.kafkaPort };
  const versions = await sharedVersions(ports);
  const untilMs = Date.now() + Number(values.minutes) * 60_000;
  let played = 0;
  let failed = 0;
  do {
    const seed = values.seed === undefined ? Math.floor(Math.random() * 1_000_000_000) : Number(values.seed);
    const told = await runSeed(ports, versions, seed, Number(values.steps));
    played += 1;
    if (told !== undefined) failed += 1;
    process.stdout.write(told === undefined ? `✔ seed ${seed}: ${values.steps} steps\n` : `✖ ${told}\n`);
  } while (values.seed === undefined && Date.now() < untilMs && pair.odradek.alive() && pair.apache.alive());
  process.stdout.write(`ℹ pass ${played - failed}\nℹ fail ${failed}\n`);
  process.exitCode = failed > 0 ? 1 : 0;
} finally {
  await pair.stop();
}
