/**
 * Records partition directories as Apache's brokers leave them, after a clean stop and after kill -9, with what the broker
 * answers for them: `node scripts/golden/kafka-logs.ts`.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ApacheKafka, startApacheKafka } from '../../test/interop/peers/apache-kafka.ts';
import { startApacheZookeeper } from '../../test/interop/peers/apache-zookeeper.ts';
import { tempDir } from '../../test/interop/peers/temp-dir.ts';
import { python } from '../../test/interop/peers/tools.ts';
import { root } from '../../test/source-files.ts';

const TOPIC = 'golden';
const FIRST_TIMESTAMP = 1_700_000_000_000;

/** Small segments, an index entry for nearly every batch, and index files that are no larger than they must be. */
const TOPIC_CONFIG = { 'segment.bytes': '1000', 'index.interval.bytes': '150', 'segment.index.bytes': '480' };

const PRODUCE = `
import sys, json
from confluent_kafka import Producer, TopicPartition, Consumer
from confluent_kafka.admin import AdminClient, NewTopic
bootstrap, topic, stage, config, start = sys.argv[1], sys.argv[2], sys.argv[3], json.loads(sys.argv[4]), int(sys.argv[5])
clock = [start]
def send(p, values, codec=None):
  for value in values:
    clock[0] += 1000
    # every fourth record is a little older than the one before
    p.produce(topic, value=value, key=b'k', partition=0, timestamp=clock[0] - (2500 if clock[0] % 4000 == 0 else 0))
  p.flush()
def producer(**more):
  return Producer({'bootstrap.servers': bootstrap, 'linger.ms': 50, **more})
if stage == 'first':
  admin = AdminClient({'bootstrap.servers': bootstrap})
  for f in admin.create_topics([NewTopic(topic, 1, 1, config=config)]).values(): f.result()
  a = producer(**{'enable.idempotence': True})
  for i in range(6): send(a, [b'idempotent %d %d' % (i, j) + b'.' * 40 for j in range(2)])
  z = producer(**{'compression.type': 'gzip'})
  send(z, [b'compressed ' + b'z' * 200 for _ in range(3)])
  t = producer(**{'transactional.id': 'golden-tx'})
  t.init_transactions()
  for end in ['commit', 'abort', 'abort']:
    t.begin_transaction()
    send(t, [b'to ' + end.encode() + b'-' * 60, b'second'])
    send(a, [b'between'])
    t.commit_transaction() if end == 'commit' else t.abort_transaction()
  t.begin_transaction()
  send(t, [b'left open'])
  send(a, [b'after the open transaction'])
else:
  clock[0] += 1000000
  a = producer(**{'enable.idempotence': True})
  for i in range(5): send(a, [b'after the restart %d' % i + b'.' * 50])
consumer = Consumer({'bootstrap.servers': bootstrap, 'group.id': 'none', 'enable.auto.commit': False})
times = list(range(start, clock[0] + 2000, 500))
found = [consumer.offsets_for_times([TopicPartition(topic, 0, time)], timeout=10)[0].offset for time in times]
low, high = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)
print(json.dumps({'low': low, 'high': high, 'times': [[t, o] for t, o in zip(times, found)]}))
sys.stdout.flush()
import os
os._exit(0)
`;

interface Left {
  /** What the broker answers; an offset of -1 where no record is that new. */
  readonly answers: { low: number; high: number; times: [number, number][] };
  readonly checkpoints: Record<string, string>;
  readonly files: Record<string, string>;
}

async function record(version: '2.1.0' | '3.9.1'): Promise<void> {
  const dir = tempDir();
  const zookeeper = await startApacheZookeeper({
    version: version === '2.1.0' ? '3.4.8' : '3.9.4',
    dataDir: join(dir, 'zookeeper'),
  });
  const logDir = join(dir, 'kafka');
  const start = (): Promise<ApacheKafka> =>
    startApacheKafka({
      version,
      logDir,
      zookeeperConnect: zookeeper.connect,
      overrides: { 'log.roll.ms': '900000000000' },
    });
  const first = await start();
  const firstAnswers = await produce(first, 'first', FIRST_TIMESTAMP);
  await first.stop();
  const clean = copy(logDir, firstAnswers);
  const second = await start();
  const secondAnswers = await produce(second, 'second', FIRST_TIMESTAMP);
  await second.kill();
  const killed = copy(logDir, secondAnswers);
  await zookeeper.stop();
  const folder = join(root, 'test/golden/log');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `apache-${version}.json`), `${JSON.stringify({ clean, killed }, null, 1)}\n`);
}

async function produce(broker: ApacheKafka, stage: string, startMs: number): Promise<Left['answers']> {
  const { code, stdout, stderr } = await python('-c', [
    PRODUCE,
    broker.bootstrap,
    TOPIC,
    stage,
    JSON.stringify(TOPIC_CONFIG),
    String(startMs),
  ]);
  if (code !== 0) throw new TypeError(`the producer failed: ${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Left['answers'];
}

function copy(logDir: string, answers: Left['answers']): Left {
  const partition = join(logDir, `${TOPIC}-0`);
  const texts = readdirSync(logDir).filter((name) => /checkpoint|cleanshutdown$/.test(name));
  const checkpoints = texts.map((name) => [name, readFileSync(join(logDir, name), 'utf8')]);
  const files = readdirSync(partition)
    .sort()
    .map((name) => [name, readFileSync(join(partition, name)).toString('hex')]);
  return { answers, checkpoints: Object.fromEntries(checkpoints), files: Object.fromEntries(files) };
}

for (const version of ['3.9.1', '2.1.0'] as const) await record(version);
