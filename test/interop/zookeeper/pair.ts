/** Apache's server and ours, alike, with nothing in them. */
import { zooCfg } from '../../../src/config/zoo-cfg.ts';
import { nodeRuntime } from '../../../src/runtime/node/node-runtime.ts';
import { startZookeeper } from '../../../src/zookeeper/ensemble/start-zookeeper.ts';
import { type MemberSpec, startEnsemble } from '../ensemble.ts';
import { startApacheZookeeper } from '../peers/apache-zookeeper.ts';
import { tempDir } from '../peers/temp-dir.ts';
import { Player, type PlayStep } from './player.ts';
import { described, drawSteps, SESSIONS } from './steps.ts';
import { shown } from './transcript.ts';

const runtime = nodeRuntime({ logLevel: 'off' });
const shared = {
  enforceQuota: 'true',
  extendedTypesEnabled: 'true',
  tickTime: 2000,
  maxSessionTimeout: 1_000_000,
  maxClientCnxns: 0,
  'DigestAuthenticationProvider.superDigest': 'super:D/InIHSb7yEEbrWz8b9l71RjZJU=',
} as const;
/** Containers stay: their end would come at any time. */
export const lasting = { 'znode.container.checkIntervalMs': '3600000' };

export interface Pair {
  readonly apache: Player;
  readonly ours: Player;
  close(): Promise<void>;
}

export async function startPair(
  systemProperties: Readonly<Record<string, string>> = lasting,
  keys: Readonly<Record<string, string>> = {},
): Promise<Pair> {
  const apache = await startApacheZookeeper({
    version: '3.9.4',
    dataDir: tempDir(),
    config: { ...shared, ...keys },
    properties: systemProperties,
  });
  const config = { dataDir: tempDir(), clientPort: 0, clientPortAddress: '127.0.0.1', ...shared, ...keys };
  const ours = await startZookeeper(runtime, zooCfg(config, systemProperties));
  const players = { apache: new Player(runtime, apache.port), ours: new Player(runtime, ours.clientAddress.port) };
  return {
    ...players,
    async close() {
      for (const player of Object.values(players)) player.close();
      await ours.close();
      await apache.stop();
    },
  };
}

/** Plays the steps of a seed to both; answers the first that was heard otherwise, or undefined. */
export async function firstDifference(seed: number, count: number): Promise<string | undefined> {
  const pair = await startPair();
  try {
    const steps = drawSteps(seed, count);
    const theirs = await pair.apache.play(SESSIONS, steps);
    return differenceOf(steps, theirs, await pair.ours.play(SESSIONS, steps), seed);
  } finally {
    await pair.close();
  }
}

/** The same, with the sessions at the leader, at two followers and at an observer. */
export async function firstDifferenceInEnsembles(
  t: { after(done: () => unknown): void },
  seed: number,
  count: number,
): Promise<string | undefined> {
  const steps = drawSteps(seed, count);
  const heard: unknown[][] = [];
  for (const kind of ['apache-3.9.4', 'odradek'] as const) {
    const members: MemberSpec[] = [1, 2, 3].map((id) => ({ id, kind }));
    members.push({ id: 4, kind, role: 'observer' });
    const ensemble = await startEnsemble(t, { members, config: shared, properties: lasting });
    const ports = [3, 1, 2, 4].map((id) => Number(ensemble.member(id).connect.split(':').at(-1)));
    const player = new Player(runtime, ...ports);
    heard.push(await player.play(SESSIONS, steps));
    player.close();
    await ensemble.kill();
  }
  return differenceOf(steps, heard[0]!, heard[1]!, seed);
}

function differenceOf(
  steps: readonly PlayStep[],
  theirs: readonly unknown[],
  mine: readonly unknown[],
  seed: number,
): string | undefined {
  const index = steps.findIndex((_, at) => shown(mine[at]) !== shown(theirs[at]));
  if (index < 0) return undefined;
  const step = described(steps[index]!);
  return `step ${index} of seed ${seed}: ${step}\n  Apache: ${shown(theirs[index])}\n  ours:   ${shown(mine[index])}`;
}
