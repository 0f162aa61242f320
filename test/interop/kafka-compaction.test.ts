/** Compaction: Apache's cleaner and ours leave the same of the same log, and take turns on one directory. */
import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { flatten, type Slices } from '../../src/base/slices.ts';
import { type AppendInfo, numberBatches } from '../../src/kafka/log/append.ts';
import { defaultCleanerConfig } from '../../src/kafka/log/cleaner/cleaner-config.ts';
import { LogCleaner } from '../../src/kafka/log/cleaner/log-cleaner.ts';
import type { PartitionLog } from '../../src/kafka/log/log.ts';
import { defaultLogConfig, type LogConfig } from '../../src/kafka/log/log-config.ts';
import { LogManager } from '../../src/kafka/log/log-manager.ts';
import { batchesOf, codecNames } from '../../src/kafka/records/batch.ts';
import { type BatchOptions, buildBatch, type NewRecord } from '../../src/kafka/records/builder.ts';
import { buildEndTxnMarker } from '../../src/kafka/records/control.ts';
import { recordsOf } from '../../src/kafka/records/iterate.ts';
import { silent } from '../../src/runtime/log.ts';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { type ApacheKafka, startApacheKafka } from './peers/apache-kafka.ts';
import { startApacheZookeeper } from './peers/apache-zookeeper.ts';
import { kafkaTool } from './peers/kafka-tools.ts';
import { until } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';
import { kcat } from './peers/tools.ts';

const PARTITION = { topic: 'ours', partition: 0 };
const CHECKPOINT = 'cleaner-offset-checkpoint';
const topicConfig = {
  'cleanup.policy': 'compact',
  'segment.bytes': '6000',
  'index.interval.bytes': '300',
  'min.cleanable.dirty.ratio': '0.01',
};
const CONFIG: LogConfig = {
  ...defaultLogConfig,
  compact: true,
  delete: false,
  segmentBytes: 6_000,
  indexIntervalBytes: 300,
  minCleanableDirtyRatio: 0.01,
};
const runtime = nodeRuntime({ log: silent });

function openLogs(logDir: string): Promise<LogManager> {
  return LogManager.open({
    runtime,
    logDirs: [logDir],
    configOf: (topic) => (topic === PARTITION.topic ? CONFIG : defaultLogConfig),
    cleaner: { enabled: false },
  });
}

/** Everything compaction treats differently: codecs, tombstones, idempotent producers, transactions that end both ways. */
async function fill(log: PartitionLog, round: number): Promise<void> {
  const startMs = Date.now() - 60_000;
  const append = (batch: Slices, origin: 'client' | 'coordinator' = 'client'): Promise<AppendInfo> =>
    new Promise((resolve, reject) => {
      log.appendAsLeader(numberBatches(batch, log.nextOffset, 0), origin, (error, info) =>
        error === undefined ? resolve(info!) : reject(error),
      );
    });
  const sequences = new Map<number, number>();
  const produce = async (records: readonly NewRecord[], batch: BatchOptions = {}): Promise<void> => {
    const { producerId } = batch;
    const baseSequence = sequences.get(producerId ?? -1) ?? 0;
    if (producerId !== undefined) sequences.set(producerId, baseSequence + records.length);
    await append(
      buildBatch({ records, ...batch, ...(producerId === undefined ? {} : { producerEpoch: 0, baseSequence }) }),
    );
  };
  const records = (index: number): NewRecord[] =>
    [0, 1, 2, 3].map((each) => ({
      timestamp: startMs + log.nextOffset * 10 + each * ((index % 3) - 1),
      key: Buffer.from(`key ${(index * 5 + each * 3) % 23}${each === 2 ? ` of ${round}.${index}` : ''}`),
      value: (index + each) % 7 === 3 ? null : Buffer.from(`value ${round}.${index}.${each} ${'.'.repeat(40)}`),
      ...(each === 1 ? { headers: [{ key: 'h', value: Buffer.from(`${index}`) }] } : {}),
    }));
  for (let index = 0; index < 80; index += 1) {
    const codec = codecNames[index % codecNames.length]!;
    await produce(records(index), { codec, ...(index % 2 === 0 ? {} : { producerId: 100 * round + (index % 6) }) });
    if (index % 8 !== 5) continue;
    const producerId = 100 * round + 50 + (index % 16);
    await produce(records(index + 1), { codec, producerId, isTransactional: true });
    if (index % 3 === 0) await produce(records(index + 2), { producerId, isTransactional: true });
    const committed = index % 16 === 5;
    const timestampMs = startMs + log.nextOffset * 10;
    await append(
      buildEndTxnMarker({ committed, coordinatorEpoch: 1, producerId, producerEpoch: 0, timestampMs }),
      'coordinator',
    );
  }
  // So that nothing that compaction may touch is last.
  await produce([{ key: Buffer.from('end'), value: Buffer.from(`of ${round}`), timestamp: startMs }]);
}

/** What an older broker left: entries of magic 0 and 1, plain and wrapped. */
async function fillLegacy(log: PartitionLog): Promise<void> {
  for (let index = 0; index < 24; index += 1) {
    const baseOffset = log.nextOffset;
    const magic = index % 2 === 0 ? 1 : 0;
    const codec = (['none', 'gzip', 'snappy', 'lz4'] as const)[(index >> 1) % 4]!;
    const timestamp = magic === 0 ? -1 : Date.now() - 120_000 + index;
    const record = (each: number): NewRecord => ({
      timestamp,
      key: Buffer.from(`old ${(index + each) % 9}`),
      value: index % 5 === 4 ? null : Buffer.from(`value ${index}.${each} ${'.'.repeat(30)}`),
    });
    const records = codec === 'none' ? [record(0)] : [record(0), record(1), record(2)];
    const batch = buildBatch({ magic, codec, baseOffset, records });
    await new Promise<void>((resolve, reject) =>
      log.appendAsFollower(batch, (error) => (error === undefined ? resolve() : reject(error))),
    );
  }
}

async function clean(manager: LogManager): Promise<void> {
  const log = manager.get(PARTITION)!;
  log.updateHighWatermark(log.logEndOffset);
  const cleaner = new LogCleaner({ runtime, config: defaultCleanerConfig, logs: () => manager.logs() });
  while (await cleaner.cleanFilthiest());
  assert.equal(cleaner.isUncleanable(log), false);
}

function checkpointIn(logDir: string): number | undefined {
  const found = /^ours 0 (\d+)$/m.exec(readFileSync(join(logDir, CHECKPOINT), 'utf8'));
  return found === null ? undefined : Number(found[1]);
}

/** Segments by base offset, batches with all that their headers say, records with all that they hold. */
function contentOf(logDir: string): unknown[] {
  const directory = join(logDir, 'ours-0');
  const names = readdirSync(directory).filter((name) => /\.(log|txnindex)$/.test(name));
  return names.map((name) => {
    const bytes = readFileSync(join(directory, name));
    if (name.endsWith('.txnindex')) return { name, entries: bytes.toString('hex') };
    const batches = [...batchesOf(bytes)].map((batch) => {
      const { crc, baseTimestamp, sizeInBytes, ...header } = batch.header;
      // Compressors differ, and horizons count from when each of us began.
      const isSame = header.codec === 'none' && !header.hasDeleteHorizon;
      return {
        ...header,
        bytes: isSame ? Buffer.from(flatten(batch.bytes)).toString('hex') : undefined,
        records: [...recordsOf(batch)].map(({ offset, timestamp, key, value, headers }) =>
          [offset, timestamp, key, value, ...headers.flatMap((each) => [each.key, each.value])]
            .map((field) => (field instanceof Uint8Array ? Buffer.from(field).toString() : field))
            .join('|'),
        ),
      };
    });
    return { name, batches };
  });
}

async function dump(logDir: string, kind: RegExp, ...flags: string[]): Promise<string> {
  const directory = join(logDir, 'ours-0');
  const files = readdirSync(directory).filter((name) => kind.test(name));
  const list = files.map((name) => join(directory, name)).join(',');
  const { code, stdout, stderr } = await kafkaTool('kafka-dump-log', '3.9.1', ['--files', list, ...flags]);
  assert.equal(code, 0, stderr);
  return stdout;
}

/** Key and value of what a READ_COMMITTED consumer sees, in order. */
function consume(bootstrap: string): Promise<string[]> {
  return until('answer of the topic', async () => {
    const { code, stdout } = await kcat([
      ...['-b', bootstrap, '-t', 'ours', '-C', '-e', '-q', '-Z', '-K', '=', '-o', 'beginning'],
      ...['-X', 'isolation.level=read_committed', '-X', 'check.crcs=true'],
    ]);
    return code === 0 ? stdout.trimEnd().split('\n') : undefined;
  });
}

const lastOfEach = (lines: readonly string[]): Record<string, string> => {
  const last = new Map<string, string>();
  for (const line of lines) last.set(line.slice(0, line.indexOf('=')), line);
  return Object.fromEntries([...last].filter(([, line]) => !line.endsWith('=NULL')));
};

test('Apache 3.9.1 and we leave the same of one log, read each other’s checkpoint, and clean after each other', async (t) => {
  const dir = tempDir();
  const zookeeper = await startApacheZookeeper({ version: '3.9.4', dataDir: join(dir, 'zookeeper') });
  const logDir = join(dir, 'kafka');
  const oursDir = join(dir, 'ours');
  const start = (overrides: Record<string, string | number>): Promise<ApacheKafka> =>
    startApacheKafka({ version: '3.9.1', logDir, zookeeperConnect: zookeeper.connect, overrides });
  const cleaning = { 'log.cleaner.backoff.ms': 100 };
  let apache = await start({ 'log.cleaner.enable': 'false' });
  t.after(() => apache.kill());
  const created = await kafkaTool('kafka-topics', '3.9.1', [
    ...['--bootstrap-server', apache.bootstrap, '--create', '--topic', 'ours', '--partitions', '1'],
    ...Object.entries(topicConfig).flatMap(([key, value]) => ['--config', `${key}=${value}`]),
  ]);
  assert.equal(created.code, 0, created.stderr);
  await apache.stop();

  let manager = await openLogs(logDir);
  await fillLegacy(manager.get(PARTITION)!);
  await fill(manager.get(PARTITION)!, 1);
  await manager.close();
  cpSync(logDir, oursDir, { recursive: true, preserveTimestamps: true });

  manager = await openLogs(oursDir);
  await clean(manager);
  const upTo = manager.get(PARTITION)!.firstDirtyOffset!;
  await manager.close();
  apache = await start(cleaning);
  await until('Apache has cleaned', () => (checkpointIn(logDir) === upTo ? true : undefined));
  const seen = await consume(apache.bootstrap);
  await apache.stop();
  for (const each of [logDir, oursDir]) removeDeleted(each);
  assert.equal(checkpointIn(oursDir), upTo);
  assert.deepEqual(contentOf(oursDir), contentOf(logDir));

  // On what Apache compacted.
  manager = await openLogs(logDir);
  assert.equal(manager.get(PARTITION)!.firstDirtyOffset, upTo);
  await fill(manager.get(PARTITION)!, 2);
  await clean(manager);
  const ourUpTo = manager.get(PARTITION)!.firstDirtyOffset!;
  assert.ok(ourUpTo > upTo);
  await manager.close();
  removeDeleted(logDir);
  const report = await dump(logDir, /\.log$/, '--deep-iteration', '--print-data-log');
  assert.doesNotMatch(report, /isvalid: false|Found|WARN|ERROR/i);
  assert.match(report, /deleteHorizonMs: OptionalLong\[\d+\]/);
  for (const flag of ['--index-sanity-check', '--deep-iteration']) {
    assert.doesNotMatch(
      await dump(logDir, /index$/, flag),
      /mismatch|out of order|larger|Mismatches|Found|error/i,
      flag,
    );
  }

  // On what we compacted: it is clean to Apache, until a producer of its own adds to it.
  const before = readFileSync(apache.logFile).length;
  apache = await start(cleaning);
  const afterUs = await consume(apache.bootstrap);
  const produced = await kcat(
    [
      '-b',
      apache.bootstrap,
      '-t',
      'ours',
      '-P',
      '-K',
      '=',
      '-X',
      'enable.idempotence=true',
      '-X',
      'batch.num.messages=5',
    ],
    {
      stdin: Array.from({ length: 300 }, (_, index) => `key ${index % 23}=new ${index} ${'.'.repeat(60)}\n`).join(''),
    },
  );
  assert.equal(produced.code, 0, produced.stderr);
  await until('Apache has cleaned behind us', () => ((checkpointIn(logDir) ?? 0) > ourUpTo ? true : undefined));
  const afterBoth = await consume(apache.bootstrap);
  await apache.stop();
  const logged = readFileSync(apache.logFile).subarray(before).toString();
  assert.doesNotMatch(logged, /\b(WARN|ERROR)\b.*(ours-0|corrupt|index)/i);
  assert.match(logged, new RegExp(`cleaned log ours-0 \\(dirty section = \\[${ourUpTo}, `));
  assert.equal(Object.keys(lastOfEach(seen)).length > 20, true);
  assert.ok(afterUs.length > seen.length && afterUs.some((line) => line.includes('of 2')));
  for (const [key, line] of Object.entries(lastOfEach(seen))) {
    if (!afterUs.some((each) => each.startsWith(`${key}=`))) assert.fail(`${key} is gone: ${line}`);
  }
  const last = lastOfEach(afterBoth);
  for (let index = 277; index < 300; index += 1) assert.match(last[`key ${index % 23}`]!, new RegExp(`=new ${index} `));
});

/** Each of us has files that wait for file.delete.delay.ms. */
function removeDeleted(logDir: string): void {
  const directory = join(logDir, 'ours-0');
  for (const name of readdirSync(directory)) if (name.endsWith('.deleted')) rmSync(join(directory, name));
}
