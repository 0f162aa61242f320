/**
 * Starts on what a broker stopped cleanly has left: many gigabytes of log in few partitions, and ten thousand partitions with
 * next to nothing in them. From the first process until Metadata names a leader.
 */
import { copyFileSync, linkSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { numberBatches } from '../../src/kafka/log/append.ts';
import { defaultLogConfig } from '../../src/kafka/log/log-config.ts';
import { LogManager } from '../../src/kafka/log/log-manager.ts';
import { buildBatch } from '../../src/kafka/records/builder.ts';
import { silent } from '../../src/runtime/log.ts';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { tempDir } from '../../test/interop/peers/temp-dir.ts';
import { createTopic, createTopics, endOffset } from './kafka-admin.ts';
import { alternate, medianOf } from './rounds.ts';
import { type Servers, startApache, startOurs } from './servers.ts';
import { amount, type Line, median } from './table.ts';

const GIB = 1_073_741_824;
const TOPIC = 'gigabytes';
const PARTITIONS = 10;
const SEGMENT_BYTES = 104_857_600;
const BATCH_RECORDS = 900;

interface Start {
  readonly ms: number;
  readonly cpuMs: number;
  readonly residentBytes: number;
}

/** @param wantedBytes of log; a fifth where the disk has no room for it and as much again */
export async function cleanLogRestart(rounds: number, wantedBytes = 10 * GIB): Promise<Line[]> {
  const dirs = { ours: tempDir(), apache: tempDir() };
  const { bavail, bsize } = statfsSync(dirs.ours);
  const bytes = bavail * bsize > 2 * wantedBytes ? wantedBytes : wantedBytes / 5;
  const logDirs: string[] = [];
  for (const [start, dir] of [
    [startOurs, dirs.ours],
    [startApache, dirs.apache],
  ] as const) {
    const servers = await start({ dir, withProbe: false });
    await createTopic(servers.kafkaPort, TOPIC, PARTITIONS, { 'segment.bytes': String(SEGMENT_BYTES) });
    await servers.stop();
    logDirs.push(servers.logDir);
  }
  const [oursLogs = '', apacheLogs = ''] = logDirs;
  const records = await fill(oursLogs, bytes);
  for (let index = 0; index < PARTITIONS; index += 1)
    share(join(oursLogs, `${TOPIC}-${index}`), join(apacheLogs, `${TOPIC}-${index}`));
  copyFileSync(
    join(oursLogs, 'recovery-point-offset-checkpoint'),
    join(apacheLogs, 'recovery-point-offset-checkpoint'),
  );
  const starts = await timeStarts(rounds, dirs, TOPIC, async (servers) => {
    const end = await endOffset(servers.kafkaPort, TOPIC);
    if (end !== records) throw new RangeError(`${servers.name}: ${TOPIC} ends at ${end} instead of ${records}`);
  });
  return [lineOf(`restart, ${bytes / GIB} GiB of clean log`, starts, (ratio) => ratio >= 2, '2x')];
}

/** @param names of topics of ten partitions; the first start makes them and stops cleanly */
export async function manyPartitionsRestart(rounds: number, topicCount = 1_000): Promise<Line[]> {
  const dirs = { ours: tempDir(), apache: tempDir() };
  const names = Array.from({ length: topicCount }, (_, index) => `topic-${index}`);
  const last = names.at(-1) ?? '';
  for (const [start, dir] of [
    [startOurs, dirs.ours],
    [startApache, dirs.apache],
  ] as const) {
    const servers = await start({ dir, withProbe: false });
    await createTopics(servers.kafkaPort, names, PARTITIONS);
    await servers.stop();
  }
  const starts = await timeStarts(rounds, dirs, last, async (servers) => {
    const end = await endOffset(servers.kafkaPort, last);
    if (end !== 0) throw new RangeError(`${servers.name}: ${last} ends at ${end}`);
  });
  const line = lineOf(
    `start with ${topicCount.toLocaleString('en')} topics x ${PARTITIONS} partitions`,
    starts,
    (_, ms) => ms < 3_000,
    '< 3,000 ms',
  );
  return [line, memoryLine(`memory with ${topicCount * PARTITIONS} partitions`, starts)];
}

type Starts = { readonly ours: readonly Start[]; readonly apache: readonly Start[] };

function timeStarts(
  rounds: number,
  dirs: { readonly ours: string; readonly apache: string },
  knownTopic: string,
  verify: (servers: Servers) => Promise<void>,
): Promise<Starts> {
  const measure = async (start: typeof startOurs, dir: string): Promise<Start> => {
    const servers = await start({ dir, knownTopic, withProbe: false });
    const { both: ms, cpu: cpuMs } = servers.started;
    await verify(servers);
    const residentBytes = servers.residentBytes();
    await servers.stop();
    return { ms, cpuMs, residentBytes };
  };
  return alternate(
    rounds,
    () => measure(startOurs, dirs.ours),
    () => measure(startApache, dirs.apache),
  );
}

/** Batches of 900 records of 1,000 bytes on every partition; answers how many records each has. */
async function fill(logDir: string, bytes: number): Promise<number> {
  const manager = await LogManager.open({
    runtime: nodeRuntime({ log: silent }),
    logDirs: [logDir],
    configOf: () => ({ ...defaultLogConfig, segmentBytes: SEGMENT_BYTES }),
    recentBatchesBytes: 1_048_576,
    cleaner: { enabled: false },
  });
  const value = Buffer.alloc(1_000, 'v');
  const records = Array.from({ length: BATCH_RECORDS }, () => ({ timestamp: Date.now(), value }));
  const batch = Buffer.concat(buildBatch({ records }).chunks as Uint8Array[]);
  const perPartition = Math.ceil(bytes / PARTITIONS / batch.length);
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    const log = manager.get({ topic: TOPIC, partition });
    if (log === undefined) throw new RangeError(`${TOPIC}-${partition} is not there`);
    for (let count = 0; count < perPartition; count += 1) {
      const own = Buffer.from(batch);
      await new Promise<void>((resolve, reject) => {
        const numbered = numberBatches({ chunks: [own], size: own.length }, log.nextOffset, 0);
        log.appendAsLeader(numbered, 'client', (error) => (error === undefined ? resolve() : reject(error)));
      });
    }
    log.updateHighWatermark(log.logEndOffset);
  }
  await manager.close();
  return perPartition * BATCH_RECORDS;
}

/** The same files on both sides; segments that nobody writes any more are linked, and take their room once. */
function share(from: string, to: string): void {
  const names = readdirSync(from);
  const active = names
    .filter((name) => name.endsWith('.log'))
    .sort()
    .at(-1);
  for (const name of names) {
    // Each has its own topic id.
    if (name === 'partition.metadata') continue;
    rmSync(join(to, name), { force: true });
    if (name.endsWith('.log') && name !== active) linkSync(join(from, name), join(to, name));
    else copyFileSync(join(from, name), join(to, name));
  }
}

const emptyCells = { p50p99: '', apacheP50p99: '', loopMs: '', ceiling: '', verified: '' };

function lineOf(row: string, starts: Starts, isMet: (ratio: number, oursMs: number) => boolean, goal: string): Line {
  const ms = (side: readonly Start[]): number => medianOf(side, (start) => start.ms);
  const cpu = (side: readonly Start[]): string => medianOf(side, (start) => start.cpuMs).toFixed(0);
  const ratio = median(starts.ours.map((start, round) => (starts.apache[round]?.ms ?? Number.NaN) / start.ms));
  return {
    ...emptyCells,
    row,
    ours: amount(ms(starts.ours), 'ms'),
    apache: amount(ms(starts.apache), 'ms'),
    ratio,
    goal,
    met: isMet(ratio, ms(starts.ours)),
    cpu: `${cpu(starts.ours)} / ${cpu(starts.apache)} ms`,
  };
}

const MIB = 1_048_576;
const RESIDENT_MIB_MAX = 512;

function memoryLine(row: string, starts: Starts): Line {
  const mib = (side: readonly Start[]): number => medianOf(side, ({ residentBytes }) => residentBytes) / MIB;
  return {
    ...emptyCells,
    row,
    ours: amount(mib(starts.ours), 'MiB'),
    apache: amount(mib(starts.apache), 'MiB'),
    ratio: mib(starts.apache) / mib(starts.ours),
    goal: `< ${RESIDENT_MIB_MAX} MiB`,
    met: mib(starts.ours) < RESIDENT_MIB_MAX,
    cpu: '',
  };
}
