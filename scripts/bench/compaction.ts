/**
 * Compaction of the same half a gigabyte, keys of 10 bytes and values of 1 kB, a tenth of which stays: from the request that sets
 * cleanup.policy=compact until the cleaner's checkpoint says that it is done.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { numberBatches } from '../../src/kafka/log/append.ts';
import type { PartitionLog } from '../../src/kafka/log/log.ts';
import { defaultLogConfig } from '../../src/kafka/log/log-config.ts';
import { LogManager } from '../../src/kafka/log/log-manager.ts';
import { buildBatch, type NewRecord } from '../../src/kafka/records/builder.ts';
import { silent } from '../../src/runtime/log.ts';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { PeerError } from '../../test/interop/peers/process.ts';
import { tempDir } from '../../test/interop/peers/temp-dir.ts';
import { createTopic, setTopicConfig } from './kafka-admin.ts';
import { alternate, medianOf } from './rounds.ts';
import { type LoopHeld, type Servers, startApache, startOurs } from './servers.ts';
import { amount, type Line, median } from './table.ts';
import { countRecords } from './verify.ts';

const RECORDS = 500_000;
const KEYS = 50_000;
const RECORDS_PER_BATCH = 15;
const VALUE_BYTES = 1_000;
const SEGMENT_BYTES = 104_857_600;
/** The first on each side warms up, and is not counted. */
const ROUNDS = 4;
const TIMEOUT_MS = 120_000;
/** So that nobody's figure is how long the cleaner slept. */
const brokerConfig = { 'log.cleaner.backoff.ms': '20' };

interface Measured {
  readonly ms: number;
  readonly cpuMs: number;
  readonly loop: LoopHeld | undefined;
}

const topicOf = (round: number): string => `compaction-${round}`;

export async function compaction(profileDir?: string): Promise<Line[]> {
  const sides: Servers[] = [];
  for (const start of [startOurs, startApache]) {
    const dir = tempDir();
    const first = await start({ dir, withProbe: false });
    for (let round = 0; round < ROUNDS; round += 1) {
      await createTopic(first.kafkaPort, topicOf(round), 1, { 'segment.bytes': String(SEGMENT_BYTES) });
    }
    await first.stop();
    await fill(first.logDir);
    const profile = profileDir === undefined ? {} : { profile: join(profileDir, 'compaction') };
    sides.push(await start({ dir, knownTopic: topicOf(0), brokerConfig, ...(start === startOurs ? profile : {}) }));
  }
  const [ours, apache] = sides as [Servers, Servers];
  const measured = await alternate(
    ROUNDS,
    (round) => measure(ours, topicOf(round)),
    (round) => measure(apache, topicOf(round)),
  );
  for (const servers of sides) await servers.stop();
  const left = await countRecords(ours.logDir, topicOf(ROUNDS - 1));
  const expected = await countRecords(apache.logDir, topicOf(ROUNDS - 1));
  const [mine, theirs] = [measured.ours.slice(1), measured.apache.slice(1)];
  const ratio = median(mine.map(({ ms }, round) => (theirs[round]?.ms ?? Number.NaN) / ms));
  const megabytes = (RECORDS * VALUE_BYTES) / 1e6;
  const rate = (side: readonly Measured[]): string =>
    amount(megabytes / (medianOf(side, ({ ms }) => ms) / 1000), 'MB/s');
  const cpu = (side: readonly Measured[]): string => medianOf(side, ({ cpuMs }) => cpuMs).toFixed(0);
  const longestMs = Math.max(...mine.map(({ loop }) => loop?.longestMs ?? 0)).toFixed(0);
  const longestCpuMs = Math.max(...mine.map(({ loop }) => loop?.longestCpuMs ?? 0)).toFixed(0);
  return [
    {
      row: 'compaction',
      ours: rate(mine),
      apache: rate(theirs),
      ratio,
      goal: '1x',
      met: ratio >= 1 && left === expected,
      p50p99: '',
      apacheP50p99: '',
      cpu: `${cpu(mine)} / ${cpu(theirs)} ms`,
      loopMs: `${longestMs} (${longestCpuMs})`,
      ceiling: '',
      verified: left === expected ? `the same ${left.toLocaleString('en')} left` : `${left} left, Apache ${expected}`,
    },
  ];
}

async function measure(servers: Servers, topic: string): Promise<Measured> {
  await servers.loopDelay();
  const cpuBefore = servers.cpuMs();
  const begun = performance.now();
  await setTopicConfig(servers.kafkaPort, topic, 'cleanup.policy', 'compact');
  while (!isCompacted(servers.logDir, topic)) {
    if (performance.now() - begun > TIMEOUT_MS) throw new PeerError(`${servers.name} does not compact ${topic}`);
    await pause(10);
  }
  const ms = performance.now() - begun;
  return { ms, cpuMs: servers.cpuMs() - cpuBefore, loop: await servers.loopDelay() };
}

/** All but the one record of the active segment. */
function isCompacted(logDir: string, topic: string): boolean {
  const path = join(logDir, 'cleaner-offset-checkpoint');
  try {
    return readFileSync(path, 'utf8').includes(`${topic} 0 ${RECORDS}\n`);
  } catch {
    return false; // not written yet
  }
}

/** The same bytes on both sides, as the broker that made the topics left its directory. */
async function fill(logDir: string): Promise<void> {
  const manager = await LogManager.open({
    runtime: nodeRuntime({ log: silent }),
    logDirs: [logDir],
    configOf: () => ({ ...defaultLogConfig, segmentBytes: SEGMENT_BYTES }),
    recentBatchesBytes: 1_048_576,
    cleaner: { enabled: false },
  });
  for (let round = 0; round < ROUNDS; round += 1) {
    const log = manager.get({ topic: topicOf(round), partition: 0 })!;
    for (let count = 0; count < RECORDS; count += RECORDS_PER_BATCH) {
      const records = Array.from({ length: Math.min(RECORDS_PER_BATCH, RECORDS - count) }, (_, index) =>
        recordOf(count + index),
      );
      await append(log, records);
    }
    await new Promise<void>((resolve) => log.roll(() => resolve()));
    await append(log, [recordOf(RECORDS)]);
    // What follows is measured against a quiet disk.
    await new Promise<void>((resolve) => log.flush(() => resolve()));
  }
  await manager.close();
}

const value = Buffer.alloc(VALUE_BYTES, 'v');

/** A prime step visits every key before any of them again, in no order of its own. */
function recordOf(index: number): NewRecord {
  const key = (index * 7_919) % KEYS;
  return { key: Buffer.from(String(key).padStart(10, '0')), value, timestamp: Date.now() };
}

function append(log: PartitionLog, records: readonly NewRecord[]): Promise<void> {
  return new Promise((resolve, reject) => {
    log.appendAsLeader(numberBatches(buildBatch({ records }), log.nextOffset, 0), 'client', (error) =>
      error === undefined ? resolve() : reject(error),
    );
  });
}
