/**
 * What brokers leave on their disks, Apache's 3.9.1 and ours, of the same records under each key that rules files: rolls, indexes,
 * preallocation, retention, DeleteRecords, limits of compaction. Names, sizes and bytes, after a clean stop. In the full run only.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { copyOf, slicesOf } from '../../../src/base/slices.ts';
import { buildBatch } from '../../../src/kafka/records/builder.ts';
import { ZERO_UUID } from '../../../src/wire/schema.ts';
import { chosen } from '../breadth.ts';
import { until } from '../peers/process.ts';
import { type Pair, startPair } from './pair.ts';
import { ask } from './raw-client.ts';

const SMALL = { 'segment.bytes': '14000' };
const compacted = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.01' };
const all: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['retention-bytes', { ...SMALL, 'retention.bytes': '30000' }],
  ['retention-ms', { ...SMALL, 'retention.ms': '5000' }],
  ['deleted-records', SMALL],
  ['preallocated', { preallocate: 'true', 'segment.bytes': '65536' }],
  ['preallocated-often', { preallocate: 'true', ...SMALL }],
  ['small-indexes', { 'segment.index.bytes': '120', 'index.interval.bytes': '100' }],
  ['segment-ms', { 'segment.ms': '1000' }],
  ['min-lag', { ...compacted, ...SMALL, 'min.compaction.lag.ms': '100000000000000' }],
  ['never-dirty', { ...compacted, ...SMALL, 'min.cleanable.dirty.ratio': '1' }],
];
const topics = chosen(all, () => false);
const BATCHES = 60;
const FIRST_MS = 1_700_000_000_000;
const DELETED_UP_TO = 50;

let pair: Pair;
let logDirs: readonly string[];

before(async () => {
  if (topics.length === 0) return;
  pair = await startPair({
    ...{ 'log.retention.check.interval.ms': '500', 'log.initial.task.delay.ms': '500' },
    ...{ 'log.cleaner.backoff.ms': '500', 'log.segment.delete.delay.ms': '500' },
  });
  const apaches = dirname(pair.apache.logFile);
  logDirs = [apaches, join(dirname(apaches), 'kafka')];
  await Promise.all([pair.apache.port, pair.odradek.kafkaPort].map(write));
  await until('old segments are gone', () => (logDirs.every(isTidy) ? true : undefined));
  await Promise.all([pair.apache.stop(), pair.odradek.stop()]);
});

after(() => pair?.stop());

/** What retention and DeleteRecords ask for is done. */
function isTidy(dir: string): boolean {
  const expired = names(dir, 'retention-ms').filter((name) => name.endsWith('.log'));
  const hasStart = ['retention-bytes', 'deleted-records'].some((topic) =>
    names(dir, topic)[0]?.startsWith('0'.repeat(20)),
  );
  const hasDeleted = topics.some(([topic]) => names(dir, topic).some((name) => name.endsWith('.deleted')));
  return expired.length === 1 && Number.parseInt(expired[0]!, 10) === 2 * BATCHES && !hasStart && !hasDeleted;
}

async function write(port: number): Promise<void> {
  await ask(port, 19, 4, {
    topics: topics.map(([name, keys]) => ({
      ...{ name, numPartitions: 1, replicationFactor: 1, assignments: [] },
      configs: Object.entries(keys).map(([key, value]) => ({ name: key, value })),
    })),
    timeoutMs: 10_000,
  });
  for (const [name] of topics) for (let index = 0; index < BATCHES; index += 1) await append(port, name, index);
  const partitions = [{ partitionIndex: 0, offset: DELETED_UP_TO }];
  await ask(port, 21, 2, { topics: [{ name: 'deleted-records', partitions }], timeoutMs: 5_000 });
}

/** A topic is created before its broker leads it: until then nothing is stored. */
async function append(port: number, name: string, index: number): Promise<void> {
  const timestamp = FIRST_MS + index;
  const bytes = copyOf(
    buildBatch({
      records: [
        { timestamp, key: Buffer.from(`k${index % 7}`), value: Buffer.alloc(1_000, `v${index}`) },
        { timestamp, key: Buffer.from(`x${index}`), value: Buffer.alloc(50) },
      ],
    }),
  );
  await until(`${name} has batch ${index}`, async () => {
    const partitionData = [{ index: 0, records: slicesOf(Uint8Array.from(bytes)) }];
    const topicData = [{ name, topicId: ZERO_UUID, partitionData }];
    const sent = (await ask(port, 0, 7, { acks: -1, timeoutMs: 5_000, topicData })) as unknown as {
      readonly responses: readonly { readonly partitionResponses: readonly { readonly errorCode: number }[] }[];
    };
    return sent.responses[0]?.partitionResponses[0]?.errorCode === 0 ? true : undefined;
  });
}

function names(dir: string, topic: string): string[] {
  return readdirSync(join(dir, `${topic}-0`)).toSorted();
}

/** The topic id is a broker's own. */
function filesOf(dir: string, topic: string): string[] {
  return names(dir, topic)
    .filter((name) => name !== 'partition.metadata')
    .map((name) => {
      const bytes = readFileSync(join(dir, `${topic}-0`, name));
      return `${name}: ${bytes.length} bytes, ${createHash('sha256').update(bytes).digest('hex')}`;
    });
}

for (const [topic, keys] of topics) {
  test(`the same files of ${topic}: ${JSON.stringify(keys)}`, () => {
    const [theirs, ours] = logDirs.map((dir) => filesOf(dir, topic));
    assert.deepEqual(ours, theirs);
  });
}

if (topics.length > 0) {
  for (const name of ['log-start-offset', 'recovery-point-offset', 'replication-offset']) {
    test(`the same ${name}-checkpoint`, () => {
      const [theirs, ours] = logDirs.map((dir) =>
        readFileSync(join(dir, `${name}-checkpoint`), 'utf8')
          .split('\n')
          .toSorted(),
      );
      assert.deepEqual(ours, theirs);
    });
  }
}
