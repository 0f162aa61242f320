/** Draws a sequence, plays it, and where an answer differs makes the sequence short and tells of it. */
import { until } from '../../peers/process.ts';
import { type Answer, ask } from '../raw-client.ts';
import type { VersionRanges } from './kind.ts';
import { drawSteps, type Ports, play } from './play.ts';
import { report } from './report.ts';
import { shrink } from './shrink.ts';

/** Undefined when all answers are the same, else what to print. */
export async function runSeed(
  ports: Ports,
  versions: VersionRanges,
  seed: number,
  count: number,
): Promise<string | undefined> {
  const steps = drawSteps(seed, count, versions);
  const difference = await play(ports, steps);
  if (difference === undefined) return undefined;
  return report(seed, count, await shrink(ports, steps, difference));
}

/** What both advertise, once both can serve it: the first group and the first producer id take a moment. */
export async function sharedVersions({ apache, ours }: Ports): Promise<VersionRanges> {
  const [theirs, own] = await Promise.all([apache, ours].map((port) => versionsOf(port)));
  const shared = new Map<number, readonly [number, number]>();
  for (const [key, [first, last]] of own ?? []) {
    const other = theirs?.get(key);
    if (other === undefined) continue;
    const range = [Math.max(first, other[0]), Math.min(last, other[1])] as const;
    if (range[0] <= range[1]) shared.set(key, range);
  }
  return shared;
}

async function versionsOf(port: number): Promise<Map<number, readonly [number, number]>> {
  for (const [apiKey, version, fields] of [
    [10, 1, { key: 'any', keyType: 0 }],
    [10, 1, { key: 'any', keyType: 1 }],
    [16, 0, {}],
    [66, 0, {}],
    [22, 0, { transactionalId: null, transactionTimeoutMs: 60_000 }],
  ] as const) {
    await until(`an answer without error to request ${apiKey}`, async () => {
      const answer = (await ask(port, apiKey, version, fields)) as Answer;
      return answer.errorCode === 0 ? answer : undefined;
    });
  }
  const { apiKeys } = (await ask(port, 18, 0, {})) as {
    apiKeys: { apiKey: number; minVersion: number; maxVersion: number }[];
  };
  return new Map(apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion]]));
}
