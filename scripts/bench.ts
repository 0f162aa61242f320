/**
 * Us and Apache (ZooKeeper 3.9.4, Kafka 3.9.1) in the same minutes on the same machine: `npm run bench`.
 *
 *   --quick        short runs, to see that all works; figures are rough
 *   --only TEXT    rows whose name contains TEXT (may be repeated); `zookeeper:`, `kafka:` and `ensemble:` stand before all names
 *   --profile DIR  CPU profiles of our process, one for each measured run
 *
 * Every row alternates between the two, several times; its ratio is the median of the ratios. What is written counts only if
 * our process is then killed and Apache's readers find everything it had acknowledged.
 */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { PeerError } from '../test/interop/peers/process.ts';
import { tempDir } from '../test/interop/peers/temp-dir.ts';
import { cleanLogRestart, manyPartitionsRestart } from './bench/clean-restart.ts';
import { compaction } from './bench/compaction.ts';
import { ensembleRowNames, ensembleRows } from './bench/ensemble-rows.ts';
import type { LoadResult } from './bench/generator.ts';
import { createOffsetsTopic, createTopic, deleteTopic, fillTopic } from './bench/kafka-admin.ts';
import { ceiling, type Duration, generate } from './bench/load.ts';
import { compare, type LoadRow, rateOf, typical } from './bench/load-row.ts';
import { manyConnections } from './bench/many-connections.ts';
import { millionNodes } from './bench/million-nodes.ts';
import { alternate, medianOf } from './bench/rounds.ts';
import { loadRows } from './bench/rows.ts';
import {
  type LoopHeld,
  type Servers,
  type Started,
  type StartOptions,
  startApache,
  startOurs,
} from './bench/servers.ts';
import { judgeSlowReader, produceBesideSlowReaders, type SlowReaderResult } from './bench/slow-reader.ts';
import { amount, type Line, median, render } from './bench/table.ts';
import { transactions } from './bench/transactions.ts';
import { warmMemory } from './bench/warm-memory.ts';
import { watchedPaths } from './bench/watched-paths.ts';

const { values: args } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    profile: { type: 'string' },
  },
});
const duration: Duration = args.quick ? { seconds: 1, warmupSeconds: 0.5 } : { seconds: 3, warmupSeconds: 1 };
const rounds = args.quick ? 3 : 5;
const KNOWN_TOPIC = 'known';
const dir = tempDir();
const oursDir = join(dir, 'ours');
const apacheDir = join(dir, 'apache');
for (const each of [oursDir, apacheDir]) mkdirSync(each, { recursive: true });
if (args.profile !== undefined) mkdirSync(args.profile, { recursive: true });

const wanted = (name: string): boolean => args.only.length === 0 || args.only.some((text) => name.includes(text));
const progress = (text: string): void => void process.stderr.write(`${text}\n`);
const MIB = 1_048_576;
/** Of a quick run. */
const SMALL_LOG_BYTES = 256 * MIB;
const SETTLING_ROUNDS_MAX = args.quick ? 4 : 6;

const longest = (held: readonly (LoopHeld | undefined)[]): string => {
  const most = (which: 'longestMs' | 'longestCpuMs'): string =>
    Math.max(0, ...held.map((each) => each?.[which] ?? 0)).toFixed(0);
  return `${most('longestMs')} (${most('longestCpuMs')})`;
};

const emptyCells = { p50p99: '', apacheP50p99: '', cpu: '', loopMs: '', ceiling: '', verified: '' };

/** Second starts on directories that hold a topic and `__consumer_offsets`, stopped cleanly before. */
async function startRows(): Promise<Line[]> {
  const known: Omit<StartOptions, 'dir'> = { knownTopic: KNOWN_TOPIC, withProbe: false };
  for (const start of [startOurs, startApache]) {
    const servers = await start({ dir: start === startOurs ? oursDir : apacheDir, withProbe: false });
    await createTopic(servers.kafkaPort, KNOWN_TOPIC);
    await createOffsetsTopic(servers.kafkaPort);
    await servers.stop();
  }
  const measure = async (start: typeof startOurs, at: string): Promise<{ started: Started; rss: number }> => {
    const servers = await start({ dir: at, ...known });
    await pause(args.quick ? 1_000 : 3_000);
    const rss = servers.residentBytes();
    await servers.stop();
    return { started: servers.started, rss };
  };
  const { ours, apache } = await alternate(
    rounds,
    () => measure(startOurs, oursDir),
    () => measure(startApache, apacheDir),
  );
  const cpuOf = (starts: readonly { started: Started }[]): string =>
    medianOf(starts, ({ started }) => started.cpu).toFixed(0);
  const seconds = (which: 'zookeeper' | 'both', name: string, goalMs: number | undefined): Line => {
    const mine = medianOf(ours, ({ started }) => started[which]);
    const theirs = medianOf(apache, ({ started }) => started[which]);
    return {
      ...emptyCells,
      row: name,
      ours: amount(mine, 'ms'),
      apache: amount(theirs, 'ms'),
      ratio: theirs / mine,
      cpu: which === 'both' ? `${cpuOf(ours)} / ${cpuOf(apache)} ms` : '',
      goal: goalMs === undefined ? '' : `< ${goalMs} ms`,
      met: goalMs === undefined || mine < goalMs,
    };
  };
  const mine = medianOf(ours, ({ rss }) => rss) / MIB;
  const theirs = medianOf(apache, ({ rss }) => rss) / MIB;
  return [
    seconds('zookeeper', 'start: ZooKeeper ready', undefined),
    seconds('both', 'start: Kafka ready too', 300),
    {
      ...emptyCells,
      row: 'memory when idle',
      ours: amount(mine, 'MiB'),
      apache: amount(theirs, 'MiB'),
      ratio: theirs / mine,
      goal: '< 120 MiB',
      met: mine < 120,
    },
  ];
}

let ours: Servers;
let apache: Servers;
let profiles = 0;

async function bringUpOurs(): Promise<void> {
  profiles += 1;
  const prefix = args.profile === undefined ? {} : { profile: join(resolve(args.profile), `run-${profiles}`) };
  ours = await startOurs({ dir: oursDir, ...prefix });
}

interface Measured {
  readonly result: LoadResult;
  readonly loop: LoopHeld | undefined;
  /** Of the server, a request; the warm-up too. */
  readonly cpuUs: number;
}

/** Neither side is measured cold: it runs until it gets no faster, for which a JVM takes several rounds. Answers its best. */
async function settle(roundsMax: number, measure: () => Promise<number>): Promise<number> {
  let best = 0;
  for (let round = 0; round < roundsMax; round += 1) {
    const now = await measure();
    if (now < best * 1.05) return Math.max(now, best);
    best = now;
  }
  return best;
}

async function loadLine(row: LoadRow): Promise<Line> {
  const [oursLoad, apacheLoad] = [await row.prepare(ours), await row.prepare(apache)];
  const port = (servers: Servers): number => (row.system === 'kafka' ? servers.kafkaPort : servers.zookeeperPort);
  let acknowledged = 0;
  let offered: { readonly rate?: number } = {};
  const measure = async (servers: Servers): Promise<Measured> => {
    if (row.found !== undefined) warmMemory();
    await servers.loopDelay();
    const cpuBefore = servers.cpuMs();
    const load = { ...(servers === ours ? oursLoad : apacheLoad), ...offered };
    const result = await generate(load, [port(servers)], duration);
    const cpuUs = ((servers.cpuMs() - cpuBefore) * 1000) / result.acknowledged;
    const loop = await servers.loopDelay();
    if (result.errors > 0) throw new PeerError(`${servers.name}: ${row.name}: error ${result.firstError}`);
    if (servers === ours) acknowledged += result.acknowledged;
    return { result, loop, cpuUs };
  };
  let most = 0;
  // Rows that compare latencies send what the rows before them have sent.
  const settlingRounds = row.compares === undefined ? SETTLING_ROUNDS_MAX : 2;
  for (const servers of [ours, apache]) {
    most = await settle(settlingRounds, async () => rateOf(row, (await measure(servers)).result));
  }
  if (row.compares === 'p99 at half load') offered = { rate: Math.round(most / row.perRequest / 2) };
  const echoes: LoadResult[] = [];
  const echo = async (): Promise<void> => {
    const file = row.isSynced === true && offered.rate !== undefined ? join(dir, 'echo.log') : undefined;
    echoes.push(await ceiling({ ...oursLoad, ...offered }, row.answerBytes, duration, file));
  };
  const measured = await alternate(
    rounds,
    () => measure(ours),
    () => measure(apache),
    // Of latencies the machine's own part changes as much as theirs.
    row.compares === undefined ? undefined : echo,
  );
  if (row.compares === undefined) await echo();
  const bare = typical(echoes);
  const results = (side: readonly Measured[]): LoadResult[] => side.map(({ result }) => result);
  const compared = compare(row, results(measured.ours), results(measured.apache), bare);
  const verified = row.found === undefined ? '' : await verify(row, row.found, acknowledged * row.perRequest);
  if (row.topic !== undefined) {
    await deleteTopic(ours.kafkaPort, row.topic);
    await deleteTopic(apache.kafkaPort, row.topic);
  }
  const quantiles = (side: readonly Measured[]): string =>
    `${medianOf(side, ({ result }) => result.p50Ms).toFixed(2)}/${medianOf(side, ({ result }) => result.p99Ms).toFixed(1)}`;
  const cpuOf = (side: readonly Measured[]): string => medianOf(side, ({ cpuUs }) => cpuUs).toFixed(1);
  const busy = medianOf(measured.ours, ({ result }) => result.cpuShare);
  return {
    row: offered.rate === undefined ? row.name : `${row.name}, ${offered.rate.toLocaleString('en')} ops/s`,
    ...compared,
    goal: `${row.goal}x`,
    met: compared.ratio >= row.goal && !verified.includes('LOST'),
    p50p99: quantiles(measured.ours),
    apacheP50p99: quantiles(measured.apache),
    cpu: `${cpuOf(measured.ours)} / ${cpuOf(measured.apache)}`,
    loopMs: longest(measured.ours.map(({ loop }) => loop)),
    ceiling: `${amount(rateOf(row, bare), row.unit)} ${bare.p50Ms.toFixed(2)}/${bare.p99Ms.toFixed(1)} ms (${Math.round(busy * 100)} % busy)`,
    verified,
  };
}

/** Kills our process, lets Apache count, brings ours up again. */
async function verify(row: LoadRow, found: NonNullable<LoadRow['found']>, acknowledged: number): Promise<string> {
  await ours.kill();
  const there = await found(ours);
  await bringUpOurs();
  if (there < acknowledged) return `LOST ${acknowledged - there} of ${acknowledged}`;
  progress(`  ${row.name}: ${acknowledged} acknowledged, Apache finds ${there}`);
  return `all ${acknowledged.toLocaleString('en')}`;
}

const SLOW_READER = 'slow readers beside produce 8x5';

async function slowReaderLine(row: LoadRow): Promise<Line> {
  const loads = new Map([
    [ours, await row.prepare(ours)],
    [apache, await row.prepare(apache)],
  ]);
  for (const { kafkaPort } of [ours, apache]) await fillTopic(kafkaPort, 'fetch', 64 * MIB);
  const measure = async (servers: Servers): Promise<SlowReaderResult> => {
    const load = loads.get(servers);
    if (load === undefined) throw new PeerError('no load for a server');
    return produceBesideSlowReaders(servers, load, duration);
  };
  const results = await alternate(
    rounds,
    () => measure(ours),
    () => measure(apache),
  );
  const complaint = results.ours.map(judgeSlowReader).find((words) => words !== undefined);
  const ratio = median(
    results.ours.map(({ perSecond }, round) => perSecond / (results.apache[round]?.perSecond ?? Number.NaN)),
  );
  return {
    ...emptyCells,
    row: SLOW_READER,
    ours: amount(
      medianOf(results.ours, ({ perSecond }) => perSecond),
      row.unit,
    ),
    apache: amount(
      medianOf(results.apache, ({ perSecond }) => perSecond),
      row.unit,
    ),
    ratio,
    goal: 'bounded',
    met: complaint === undefined,
    loopMs: longest(results.ours.map(({ loop }) => loop)),
    verified:
      complaint ?? `grew ${Math.max(...results.ours.map(({ grewBytes }) => grewBytes / 1e6)).toFixed(0)} MB at most`,
  };
}

const lines: Line[] = [];
const add = (...more: readonly Line[]): void => {
  for (const line of more) {
    lines.push(line);
    progress(
      `${line.row}: ${line.ours}, Apache ${line.apache}, ${line.ratio?.toFixed(2)}x ${line.met ? '' : 'MISSED'}`,
    );
  }
};

if (wanted('start') || wanted('memory')) add(...(await startRows()));
const rows = loadRows.filter(({ name, system }) => wanted(`${system}: ${name}`));
if (rows.length > 0 || wanted(`kafka: ${SLOW_READER}`)) {
  await bringUpOurs();
  apache = await startApache({ dir: apacheDir });
  for (const row of rows) add(await loadLine(row));
  const besides = loadRows.find(({ name }) => name === 'produce 8x5, 1 record');
  if (wanted(`kafka: ${SLOW_READER}`) && besides !== undefined) add(await slowReaderLine(besides));
  await ours!.kill();
  await apache.kill();
}

for (const [name, measure] of [
  ['kafka: compaction', compaction],
  ['kafka: transactions', (profile) => transactions(rounds, duration, profile)],
  [
    'kafka: restart with gigabytes of clean log',
    () => cleanLogRestart(rounds, args.quick ? SMALL_LOG_BYTES : undefined),
  ],
  ['kafka: start with ten thousand partitions', () => manyPartitionsRestart(rounds, args.quick ? 100 : undefined)],
  ['kafka: a thousand connections', manyConnections],
  ['zookeeper: a million znodes', millionNodes],
  ['zookeeper: watches for 100,000 paths', watchedPaths],
] as const satisfies readonly (readonly [string, (profile?: string) => Promise<Line[]>])[]) {
  if (wanted(name)) add(...(await measure(args.profile)));
}

if (ensembleRowNames.some(wanted)) {
  for await (const line of ensembleRows({ wanted, rounds, duration, profile: args.profile })) add(line);
}

const when = new Date().toISOString().slice(0, 16).replace('T', ' ');
process.stdout.write(
  `\n${when} UTC, node ${process.version}, ${rounds} rounds of ${duration.seconds} s a side, medians\n\n`,
);
process.stdout.write(`${render(lines)}\n`);
const missed = lines.filter(({ met }) => !met);
if (missed.length > 0) process.stdout.write(`\nmissed: ${missed.map(({ row }) => row).join('; ')}\n`);
process.exitCode = missed.length > 0 ? 1 : 0;
