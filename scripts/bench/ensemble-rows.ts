/** Rows for three servers on one machine. */
import { join } from 'node:path';
import { PeerError } from '../../test/interop/peers/process.ts';
import { tempDir } from '../../test/interop/peers/temp-dir.ts';
import type { LoadResult } from './generator.ts';
import { ceiling, type Duration, generate, type Load } from './load.ts';
import { alternate, medianOf } from './rounds.ts';
import { amount, type Line, median } from './table.ts';
import { type ThreeServers, threeServers } from './three-servers.ts';
import { sumOfStats } from './verify.ts';
import { connectFrame, createNode, getFrame, REPLY_ERROR_AT, setFrame } from './zookeeper-frames.ts';

const NODES = 64;
const DATA = Buffer.alloc(100, 'x');
const nodePaths = Array.from({ length: NODES }, (_, index) => `/bench-${index}`);
/** Three on each server. */
const CONNECTIONS = 9;
const IN_FLIGHT = 100;

const START = 'ensemble: serving after start';
const ELECTION = 'ensemble: serving after kill -9 of the leader';
const LOADS = [
  {
    row: 'ensemble: set 9x100 over three, synced',
    goal: 2,
    answerBytes: 88,
    frame: (path: string) => setFrame(path, DATA),
  },
  { row: 'ensemble: get 9x100 over three', goal: 3, answerBytes: 192, frame: getFrame },
] as const;
export const ensembleRowNames: readonly string[] = [START, ELECTION, ...LOADS.map(({ row }) => row)];

export interface Plan {
  readonly wanted: (row: string) => boolean;
  readonly rounds: number;
  readonly duration: Duration;
  readonly profile: string | undefined;
}

const emptyCells = { p50p99: '', apacheP50p99: '', cpu: '', loopMs: '', ceiling: '', verified: '' };

export async function* ensembleRows(plan: Plan): AsyncGenerator<Line> {
  const dir = tempDir();
  let made = 0;
  const make = (name: 'ours' | 'Apache'): Promise<ThreeServers> => {
    made += 1;
    return threeServers(name, join(dir, `${made}`), plan.profile && join(plan.profile, `ensemble-${made}`));
  };
  if (plan.wanted(START)) {
    const start = async (name: 'ours' | 'Apache'): Promise<number> => {
      const servers = await make(name);
      const servingMs = await servers.start();
      await servers.kill();
      return servingMs;
    };
    yield times(
      START,
      await alternate(
        plan.rounds,
        () => start('ours'),
        () => start('Apache'),
      ),
    );
  }
  if (!ensembleRowNames.slice(1).some(plan.wanted)) return;
  const [ours, apache] = [await make('ours'), await make('Apache')];
  await ours.start();
  await apache.start();
  if (plan.wanted(ELECTION)) {
    yield times(
      ELECTION,
      await alternate(
        plan.rounds,
        () => ours.loseLeader(),
        () => apache.loseLeader(),
      ),
    );
  }
  for (const { ports } of [ours, apache]) for (const path of nodePaths) await createNode(ports[0] ?? 0, path, DATA);
  for (const load of LOADS) if (plan.wanted(load.row)) yield await loadLine(load, ours, apache, plan);
  await ours.kill();
  await apache.kill();
}

function times(row: string, { ours, apache }: { readonly ours: number[]; readonly apache: number[] }): Line {
  const ratio = median(ours.map((mine, round) => (apache[round] ?? Number.NaN) / mine));
  return {
    ...emptyCells,
    row,
    ours: amount(median(ours), 'ms'),
    apache: amount(median(apache), 'ms'),
    ratio,
    goal: '1x',
    met: ratio >= 1,
  };
}

async function loadLine(
  { row, goal, answerBytes, frame }: (typeof LOADS)[number],
  ours: ThreeServers,
  apache: ThreeServers,
  { rounds, duration }: Plan,
): Promise<Line> {
  const frames = nodePaths.map((path) => frame(path).toString('hex'));
  const load: Load = {
    connections: CONNECTIONS,
    inFlight: IN_FLIGHT,
    frames,
    hello: connectFrame.toString('hex'),
    errorAt: REPLY_ERROR_AT,
    errorSize: 4,
  };
  let acknowledged = 0;
  const measure = async (servers: ThreeServers) => {
    await servers.loopDelay();
    const cpuBefore = servers.cpuMs();
    const result = await generate(load, servers.ports, duration);
    if (result.errors > 0) throw new PeerError(`${servers.name}: ${row}: error ${result.firstError}`);
    if (servers === ours) acknowledged += result.acknowledged;
    const cpuUs = ((servers.cpuMs() - cpuBefore) * 1000) / result.acknowledged;
    return { ...result, cpuUs, loop: await servers.loopDelay() };
  };
  for (const servers of [ours, apache]) for (let warm = 0; warm < 2; warm += 1) await measure(servers);
  const measured = await alternate(
    rounds,
    () => measure(ours),
    () => measure(apache),
  );
  const bare = await ceiling(load, answerBytes, duration);
  const verified = frame === getFrame ? '' : await verify(ours, acknowledged);
  const ratio = median(measured.ours.map((mine, round) => mine.perSecond / (measured.apache[round]?.perSecond ?? 0)));
  const rate = (side: readonly LoadResult[]): string =>
    amount(
      medianOf(side, ({ perSecond }) => perSecond),
      'ops/s',
    );
  const quantiles = (side: readonly LoadResult[]): string =>
    `${medianOf(side, ({ p50Ms }) => p50Ms).toFixed(2)}/${medianOf(side, ({ p99Ms }) => p99Ms).toFixed(1)}`;
  const cpuOf = (side: readonly { cpuUs: number }[]): string => medianOf(side, ({ cpuUs }) => cpuUs).toFixed(1);
  const longest = (which: 'longestMs' | 'longestCpuMs'): string =>
    Math.max(...measured.ours.map(({ loop }) => loop?.[which] ?? 0)).toFixed(0);
  return {
    row,
    ours: rate(measured.ours),
    apache: rate(measured.apache),
    ratio,
    goal: `${goal}x`,
    met: ratio >= goal && !verified.includes('LOST'),
    p50p99: quantiles(measured.ours),
    apacheP50p99: quantiles(measured.apache),
    cpu: `${cpuOf(measured.ours)} / ${cpuOf(measured.apache)}`,
    loopMs: `${longest('longestMs')} (${longest('longestCpuMs')})`,
    ceiling: amount(bare.perSecond, 'ops/s'),
    verified,
  };
}

/** Kills our three and lets Apache count in each directory: two of three must have all, so that any two that meet again do. */
async function verify(ours: ThreeServers, acknowledged: number): Promise<string> {
  await ours.kill();
  const sums: number[] = [];
  for (const dataDir of ours.dataDirs) sums.push(await sumOfStats(dataDir, nodePaths, 'version'));
  await ours.start();
  const [, second = 0] = sums.sort((a, b) => b - a);
  return second < acknowledged
    ? `LOST ${acknowledged - second} of ${acknowledged}`
    : `all ${acknowledged.toLocaleString('en')}`;
}
