/** Log directories: Apache's tools and brokers read ours, and we go on where they stopped. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AppendInfo } from '../../src/kafka/log/append.ts';
import { numberBatches } from '../../src/kafka/log/append.ts';
import type { PartitionLog } from '../../src/kafka/log/log.ts';
import { defaultLogConfig, type LogConfig } from '../../src/kafka/log/log-config.ts';
import { LogManager } from '../../src/kafka/log/log-manager.ts';
import type { AppendOrigin } from '../../src/kafka/log/producer-state.ts';
import type { CodecName } from '../../src/kafka/records/batch.ts';
import { type BatchOptions, buildBatch, type NewRecord } from '../../src/kafka/records/builder.ts';
import { buildEndTxnMarker } from '../../src/kafka/records/control.ts';
import { silent } from '../../src/runtime/log.ts';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { startApacheKafka } from './peers/apache-kafka.ts';
import { startApacheZookeeper } from './peers/apache-zookeeper.ts';
import { kafkaTool } from './peers/kafka-tools.ts';
import { until } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';
import { kcat } from './peers/tools.ts';

const CONFIG: LogConfig = {
  ...defaultLogConfig,
  segmentBytes: 4000,
  indexIntervalBytes: 300,
  segmentMs: 9e14,
  retentionMs: -1,
};
const PARTITION = { topic: 'ours', partition: 0 };
const CODECS: readonly CodecName[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
const START_MS = 1_700_000_000_000;

function openLogs(logDir: string): Promise<LogManager> {
  return LogManager.open({
    runtime: nodeRuntime({ log: silent }),
    logDirs: [logDir],
    configOf: (topic) => (topic === PARTITION.topic ? CONFIG : defaultLogConfig),
  });
}

/** Everything a partition can hold: idempotent and plain batches of every codec, transactions that end both ways, one that stays open. */
async function fill(log: PartitionLog, round: number): Promise<string[]> {
  const committed: string[] = [];
  let sequence = 0;
  let transactionSequence = 0;
  const append = (batch: BatchOptions & { records: readonly NewRecord[] }): Promise<AppendInfo> =>
    appendTo(log, buildBatch(batch), 'client');
  const texts = (label: string): NewRecord[] =>
    [0, 1, 2].map((index) => ({
      timestamp: START_MS + log.nextOffset * 1000 + index,
      key: Buffer.from(`key ${index}`),
      value: Buffer.from(`${label} ${index} round ${round} ${'.'.repeat(60)}`),
    }));
  const keep = (records: readonly NewRecord[]): void => {
    for (const { value } of records) committed.push(Buffer.from(value!).toString());
  };
  for (let index = 0; index < 30; index += 1) {
    const records = texts(`batch ${index}`);
    const codec = CODECS[index % CODECS.length]!;
    await append({ records, codec, producerId: 7000 + round, producerEpoch: 0, baseSequence: sequence });
    sequence += records.length;
    keep(records);
    if (index % 5 !== 0) continue;
    const inTransaction = texts(`transaction ${index}`);
    const transactional = { producerId: 8000 + round, producerEpoch: 1, isTransactional: true };
    await append({ records: inTransaction, baseSequence: transactionSequence, ...transactional });
    transactionSequence += inTransaction.length;
    const isCommit = index % 10 === 0;
    if (isCommit) keep(inTransaction);
    const marker = buildEndTxnMarker({
      committed: isCommit,
      coordinatorEpoch: 3,
      producerId: 8000 + round,
      producerEpoch: 1,
      timestampMs: START_MS + log.nextOffset * 1000,
    });
    await appendTo(log, marker, 'coordinator');
  }
  return committed;
}

function appendTo(log: PartitionLog, batch: ReturnType<typeof buildBatch>, origin: AppendOrigin): Promise<AppendInfo> {
  return new Promise((resolve, reject) => {
    log.appendAsLeader(numberBatches(batch, log.nextOffset, 0), origin, (error, info) =>
      error === undefined ? resolve(info!) : reject(error),
    );
  });
}

function filesOf(directory: string, kind: RegExp): string {
  return readdirSync(directory)
    .filter((name) => kind.test(name))
    .map((name) => join(directory, name))
    .join(',');
}

async function dump(files: string, ...flags: string[]): Promise<string> {
  const { code, stdout, stderr } = await kafkaTool('kafka-dump-log', '3.9.1', ['--files', files, ...flags]);
  assert.equal(code, 0, stderr);
  return stdout;
}

/** What a READ_COMMITTED consumer sees; the broker first has to hear from its controller that it leads the partition. */
function consume(bootstrap: string): Promise<string> {
  return until('answer of the topic', async () => {
    const { code, stdout } = await kcat([
      ...['-b', bootstrap, '-t', 'ours', '-C', '-e', '-q', '-o', 'beginning'],
      ...['-X', 'isolation.level=read_committed', '-X', 'check.crcs=true'],
    ]);
    return code === 0 ? stdout.trimEnd() : undefined;
  });
}

test('DumpLogSegments of 3.9.1 finds every file of ours as it should be', async () => {
  const logDir = join(tempDir(), 'logs');
  const manager = await openLogs(logDir);
  const log = await manager.getOrCreate(PARTITION, true);
  const values = await fill(log, 1);
  const endOffset = log.logEndOffset;
  const segmentCount = log.segments.length;
  await manager.close();
  const directory = join(logDir, 'ours-0');

  const records = await dump(filesOf(directory, /\.log$/), '--deep-iteration', '--print-data-log');
  assert.ok(segmentCount > 2);
  assert.doesNotMatch(records, /isvalid: false|Found|WARN|ERROR/i);
  assert.equal(records.match(/\| offset: /g)?.length, endOffset);
  for (const value of values) assert.ok(records.includes(value), value);

  const indexes = filesOf(directory, /index$/);
  for (const flag of ['--index-sanity-check', '--verify-index-only', '--deep-iteration']) {
    const report = await dump(indexes, flag);
    assert.doesNotMatch(report, /mismatch|out of order|larger|Mismatches|Found|error/i, `${flag}: ${report}`);
    if (flag === '--index-sanity-check') assert.match(report, /passed sanity check/);
  }
  const producers = await dump(filesOf(directory, new RegExp(`${endOffset}\\.snapshot$`)));
  assert.match(producers, /producerId: 7001 producerEpoch: 0 coordinatorEpoch: -1 .*lastSequence: 89 /);
  assert.match(
    producers,
    /producerId: 8001 producerEpoch: 1 coordinatorEpoch: 3 currentTxnFirstOffset: OptionalLong.empty/,
  );
});

test('Apache 3.9.1 and we take turns on one log directory, stopped cleanly and killed', async (t) => {
  const dir = tempDir();
  const zookeeper = await startApacheZookeeper({ version: '3.9.4', dataDir: join(dir, 'zookeeper') });
  const logDir = join(dir, 'kafka');
  const start = () => startApacheKafka({ version: '3.9.1', logDir, zookeeperConnect: zookeeper.connect });
  let apache = await start();
  const created = await kafkaTool('kafka-topics', '3.9.1', [
    ...['--bootstrap-server', apache.bootstrap, '--create', '--topic', 'ours', '--partitions', '1'],
    ...['--config', 'segment.bytes=4000', '--config', 'index.interval.bytes=300', '--config', 'retention.ms=-1'],
  ]);
  assert.equal(created.code, 0, created.stderr);
  await apache.stop();
  t.after(() => apache.kill());

  const want: string[] = [];
  for (const round of [1, 2]) {
    const manager = await openLogs(logDir);
    t.after(() => manager.close());
    const log = manager.get(PARTITION)!;
    assert.ok(log.topicId !== undefined, 'the topic id that Apache gave');
    assert.equal(log.logEndOffset > 0, round > 1);
    want.push(...(await fill(log, round)));
    // The second time we "die": Apache finds no marker, indexes that lag, and recovers.
    if (round === 1) await manager.close();
    const before = readFileSync(apache.logFile).length;
    apache = await start();
    const consumed = await consume(apache.bootstrap);
    assert.deepEqual(consumed.split('\n'), want);
    const logged = readFileSync(apache.logFile).subarray(before).toString();
    assert.doesNotMatch(logged, /\b(WARN|ERROR)\b.*(ours-0|corrupt|index)/i);
    if (round === 1) assert.doesNotMatch(logged, /Recovering unflushed segment/);
    const produced = await kcat(['-b', apache.bootstrap, '-t', 'ours', '-P', '-X', 'enable.idempotence=true'], {
      stdin: `from Apache ${round}\n`,
    });
    assert.equal(produced.code, 0, produced.stderr);
    want.push(`from Apache ${round}`);
    if (round === 1) await apache.stop();
    else await apache.kill();
  }
});
