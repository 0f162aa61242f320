/** Our Kafka client against Apache's brokers, and in groups and topics together with other clients. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { type Admin, createAdmin } from '../../src/kafka/client/admin.ts';
import { partitionKey, type TopicPartition } from '../../src/kafka/client/cluster-metadata.ts';
import { type Consumer, createConsumer } from '../../src/kafka/client/consumer.ts';
import type { ConsumerOptions } from '../../src/kafka/client/consumer-options.ts';
import type { ConsumerRecord } from '../../src/kafka/client/fetched-records.ts';
import { MAX_TIMESTAMP } from '../../src/kafka/client/offsets.ts';
import { createProducer, type Producer, type ProducerOptions } from '../../src/kafka/client/producer.ts';
import { ErrorCode, KafkaError } from '../../src/kafka/protocol/errors.ts';
import { codecNames } from '../../src/kafka/records/batch.ts';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { connectZookeeper } from '../../src/zookeeper/client/client.ts';
import { chosen } from './breadth.ts';
import { startOdradek } from './odradek.ts';
import { startApacheKafka } from './peers/apache-kafka.ts';
import { startApacheZookeeper } from './peers/apache-zookeeper.ts';
import { freePort } from './peers/free-port.ts';
import { installKcat, installPython } from './peers/install.ts';
import { kafkaTool } from './peers/kafka-tools.ts';
import { startService, until } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';
import { kcat } from './peers/tools.ts';

const runtime = nodeRuntime({ logLevel: 'off' });
/** Apache's releases, and our own broker, which must be no different. */
const versions = ['3.9.1', '2.1.0', 'odradek'] as const;
type Version = (typeof versions)[number];

/** Of kcat, which is killed: its group waits so long for it. */
const PATIENCE = ['-X', 'session.timeout.ms=6000', '-X', 'heartbeat.interval.ms=1000'] as const;

interface Peer {
  readonly bootstrap: string;
  readonly admin: Admin;
  /** Of Apache's tools. */
  readonly tools: '3.9.1' | '2.1.0';
  /** SIGKILL, then a new life on the same port and data. */
  killAndRestart(meanwhile: () => void): Promise<void>;
}

const settings = {
  'zookeeper.session.timeout.ms': '4000',
  // Records of the first test are of 1970.
  'log.retention.ms': '-1',
};

/** Whoever ends what is started for it. */
type Owner = Pick<TestContext, 'after'>;

async function startPeer(t: Owner, version: Version): Promise<Peer> {
  const broker = version === 'odradek' ? await startOurs(t) : await startApache(t, version);
  const admin = createAdmin(runtime, { bootstrapServers: broker.bootstrap });
  t.after(() => admin.close());
  return { ...broker, admin };
}

async function startApache(t: Owner, version: '3.9.1' | '2.1.0'): Promise<Omit<Peer, 'admin'>> {
  const dir = tempDir();
  const zookeeper = await startApacheZookeeper({ version: '3.9.4', dataDir: join(dir, 'zookeeper') });
  t.after(() => zookeeper.kill());
  const options = {
    version,
    zookeeperConnect: zookeeper.connect,
    logDir: join(dir, 'kafka'),
    port: await freePort(),
    overrides: settings,
  };
  const broker = await startApacheKafka(options);
  t.after(() => broker.kill());
  return {
    bootstrap: broker.bootstrap,
    tools: version,
    async killAndRestart(meanwhile) {
      const killed = broker.kill();
      meanwhile();
      await killed;
      await registrationGone(t, zookeeper.connect);
      const again = await startApacheKafka(options);
      t.after(() => again.kill());
    },
  };
}

async function startOurs(t: Owner): Promise<Omit<Peer, 'admin'>> {
  const dir = tempDir();
  const zookeeper = await startApacheZookeeper({ version: '3.9.4', dataDir: join(dir, 'zookeeper') });
  t.after(() => zookeeper.kill());
  const kafka = { 'offsets.topic.num.partitions': '5', 'group.initial.rebalance.delay.ms': '0', ...settings };
  const spec = { dir, zookeeperConnect: zookeeper.connect, kafka, kafkaPort: await freePort() };
  const broker = await startOdradek(spec);
  t.after(() => broker.kill());
  return {
    bootstrap: broker.bootstrap,
    tools: '3.9.1',
    async killAndRestart(meanwhile) {
      const killed = broker.kill();
      meanwhile();
      await killed;
      await registrationGone(t, zookeeper.connect);
      const again = await startOdradek(spec);
      t.after(() => again.kill());
    },
  };
}

function producerOf(t: TestContext, peer: Peer, options: Partial<ProducerOptions> = {}): Producer {
  const producer = createProducer(runtime, { bootstrapServers: peer.bootstrap, ...options });
  t.after(() => producer.close({ timeoutMs: 0 }));
  return producer;
}

function consumerOf(t: TestContext, peer: Peer, options: Partial<ConsumerOptions> = {}): Consumer {
  const consumer = createConsumer(runtime, {
    bootstrapServers: peer.bootstrap,
    autoOffsetReset: 'earliest',
    heartbeatIntervalMs: 200,
    ...options,
  });
  t.after(() => consumer.close({ timeoutMs: 2_000 }));
  return consumer;
}

const text = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString());

async function take(consumer: Consumer, count: number): Promise<ConsumerRecord[]> {
  const records: ConsumerRecord[] = [];
  await until(
    `${count} records`,
    async () => {
      records.push(...(await consumer.poll({ timeoutMs: 500, max: count - records.length })));
      return records.length >= count || undefined;
    },
    { everyMs: 0 },
  );
  return records;
}

for (const version of chosen(versions, (one) => one === '3.9.1')) {
  // One for all, in the order below: the first looks at all topics and groups there are, the last kills it.
  let peer: Peer;
  const done: (() => unknown)[] = [];
  before(async () => {
    peer = await startPeer({ after: (end) => done.unshift(end as () => unknown) }, version);
  });
  after(async () => {
    for (const end of done) await end();
  });

  test(`an administrator's requests to ${version}`, async (t) => {
    const { admin } = peer;
    await admin.createTopics([
      { name: 'one', partitions: 2, replicationFactor: 1, configs: new Map([['retention.ms', '1000000']]) },
      { name: 'two', assignment: [[0], [0], [0]] },
    ]);
    const codeIs = (code: number) => (error: unknown) => error instanceof KafkaError && error.code === code;
    await assert.rejects(
      admin.createTopics([{ name: 'one', partitions: 1, replicationFactor: 1 }]),
      (error) => codeIs(ErrorCode.TOPIC_ALREADY_EXISTS)(error) && /Topic 'one' already exists/.test(String(error)),
    );
    assert.deepEqual(await admin.listTopics(), ['one', 'two']);
    await admin.createPartitions([{ name: 'one', count: 4 }]);
    await until('four partitions', async () => {
      const [one] = await admin.describeTopics(['one']);
      return one?.partitions.length === 4 && one.partitions.every(({ leader }) => leader === 0) ? true : undefined;
    });
    await assert.rejects(admin.describeTopics(['none']), codeIs(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION));
    const one = { type: 'topic', name: 'one' } as const;
    await admin.alterConfigs(one, [
      { name: 'max.message.bytes', operation: 'set', value: '2000' },
      { name: 'retention.ms', operation: 'delete' },
    ]);
    const own = (await admin.describeConfigs([one]))
      .get('one')!
      .filter(({ source }) => source === 'DYNAMIC_TOPIC_CONFIG');
    assert.deepEqual(
      own.map(({ name, value }) => [name, value]),
      [['max.message.bytes', '2000']],
    );

    const producer = producerOf(t, peer);
    for (const [index, timestamp] of [1_000, 3_000, 2_000].entries()) {
      await producer.send({ topic: 'two', partition: 1, value: `${index}`, timestamp });
    }
    const at = async (timestamp: number) => (await admin.listOffsets([{ topic: 'two', partition: 1, timestamp }]))[0]!;
    assert.equal((await at(-2)).offset, 0);
    assert.equal((await at(-1)).offset, 3);
    assert.equal((await at(1_500)).offset, 1);
    assert.equal((await at(9_999)).offset, -1);
    if (peer.tools === '3.9.1') assert.equal((await at(MAX_TIMESTAMP)).offset, 1);

    const consumer = consumerOf(t, peer, { groupId: 'g' });
    consumer.subscribe(['two']);
    await take(consumer, 3);
    await consumer.commit();
    const described = await admin.groups.describe('g');
    assert.deepEqual([described.state, described.protocol, described.members.length], ['Stable', 'range', 1]);
    assert.deepEqual(
      described.members[0]!.assignment.map(({ partition }) => partition),
      [0, 1, 2],
    );
    await assert.rejects(admin.groups.delete('g'), codeIs(ErrorCode.NON_EMPTY_GROUP));
    await consumer.close();
    const offsets = await admin.groups.committed('g');
    assert.equal(offsets.find(({ partition }) => partition === 1)?.offset, 3);
    await admin.groups.setOffsets('g', [{ topic: 'two', partition: 1, offset: 1 }]);
    assert.deepEqual(
      (await admin.groups.list()).map(({ groupId }) => groupId),
      ['g'],
    );
    await admin.groups.delete('g');
    await assert.rejects(admin.groups.delete('g'), codeIs(ErrorCode.GROUP_ID_NOT_FOUND));
    await admin.deleteTopics(['one']);
    await until('the deletion', async () => ((await admin.listTopics()).includes('one') ? undefined : true));
  });

  test(`what we produce in every codec, a consumer beside ${version} and kcat read, and the reverse`, async (t) => {
    await peer.admin.createTopics([{ name: 'ours', partitions: 1, replicationFactor: 1 }]);
    const expected: string[] = [];
    for (const compression of codecNames) {
      const producer = producerOf(t, peer, { compression, lingerMs: 20 });
      const sent = Array.from({ length: 50 }, (_, index) => {
        const value = `${compression} ${index} ${'x'.repeat(index * 7)}`;
        expected.push(`h:v\tk${index}\t${value}`);
        return producer.send({
          topic: 'ours',
          key: `k${index}`,
          value,
          headers: [{ key: 'h', value: Buffer.from('v') }],
        });
      });
      const metadata = await Promise.all(sent);
      assert.deepEqual(
        metadata.map(({ offset }) => offset),
        metadata.map((_, index) => expected.length - 50 + index),
      );
      await producer.close();
    }
    const consumed = await kafkaTool('kafka-console-consumer', peer.tools, [
      ...['--bootstrap-server', peer.bootstrap, '--topic', 'ours', '--from-beginning'],
      ...['--max-messages', String(expected.length), '--property', 'print.key=true'],
    ]);
    const withoutHeaders = expected.map((line) => line.slice(line.indexOf('\t') + 1));
    assert.equal(consumed.stdout, `${withoutHeaders.join('\n')}\n`, consumed.stderr);
    const catted = await kcat([
      ...['-C', '-b', peer.bootstrap, '-t', 'ours', '-o', 'beginning', '-e', '-q'],
      ...['-f', '%h\t%k\t%s\n'],
    ]);
    assert.equal(catted.stdout.replaceAll('h=v', 'h:v'), `${expected.join('\n')}\n`, catted.stderr);

    await peer.admin.createTopics([{ name: 'theirs', partitions: 1, replicationFactor: 1 }]);
    const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
    for (const codec of codecs) {
      const flag = peer.tools === '2.1.0' ? '--broker-list' : '--bootstrap-server';
      const produced = await kafkaTool(
        'kafka-console-producer',
        peer.tools,
        [flag, peer.bootstrap, '--topic', 'theirs', '--compression-codec', codec],
        { stdin: `apache ${codec} ${'y'.repeat(2_000)}\n`.repeat(3) },
      );
      assert.equal(produced.code, 0, produced.stderr);
      const cat = await kcat(['-P', '-b', peer.bootstrap, '-t', 'theirs', '-z', codec, '-H', 'a=b'], {
        stdin: `kcat ${codec} ${'z'.repeat(2_000)}\n`.repeat(3),
      });
      assert.equal(cat.code, 0, cat.stderr);
    }
    const consumer = consumerOf(t, peer, { groupId: 'readers' });
    consumer.subscribe(['theirs']);
    const records = await take(consumer, codecs.length * 6);
    const wanted = codecs.flatMap((codec) => [
      ...Array<string>(3).fill(`apache ${codec} ${'y'.repeat(2_000)}`),
      ...Array<string>(3).fill(`kcat ${codec} ${'z'.repeat(2_000)}`),
    ]);
    assert.deepEqual(
      records.map(({ value }) => text(value)),
      wanted,
    );
    assert.deepEqual(
      records.map(({ offset }) => offset),
      wanted.map((_, index) => index),
    );
    assert.deepEqual(
      records.slice(3, 6).map(({ headers }) => headers.map(({ key, value }) => `${key}=${text(value)}`)),
      [['a=b'], ['a=b'], ['a=b']],
    );
  });

  test(`members of a group at ${version}: two of ours, kcat and kafka-python`, async (t) => {
    await peer.admin.createTopics([{ name: 'shared', partitions: 4, replicationFactor: 1 }]);
    const all = (counts: readonly number[]): boolean => counts.reduce((sum, count) => sum + count, 0) === 4;
    const members = [0, 1].map((index) => {
      const consumer = consumerOf(t, peer, { groupId: 'mixed', clientId: `ours-${index}` });
      consumer.subscribe(['shared']);
      return consumer;
    }) as [Consumer, Consumer];
    const pollBoth = (): Promise<unknown> => Promise.all(members.map((consumer) => consumer.poll({ timeoutMs: 100 })));
    await until('two partitions each', async () => {
      await pollBoth();
      return members.every(({ assignment }) => assignment.length === 2) ? true : undefined;
    });
    assert.equal(new Set(members.flatMap(({ assignment }) => assignment.map(partitionText))).size, 4);

    const log = join(tempDir(), 'kcat.log');
    const cat = startService(
      await installKcat(),
      ['-b', peer.bootstrap, '-G', 'mixed', '-X', 'partition.assignment.strategy=range', ...PATIENCE, 'shared'],
      { logFile: log },
    );
    t.after(() => cat.kill());
    await until('kcat in the group', async () => {
      await pollBoth();
      const counts = members.map(({ assignment }) => assignment.length);
      return !all(counts) && counts.every((count) => count > 0) ? true : undefined;
    });
    const script = join(tempDir(), 'member.py');
    writeFileSync(
      script,
      'import sys, kafka\n' +
        "c = kafka.KafkaConsumer('shared', bootstrap_servers=sys.argv[1], group_id='mixed',\n" +
        '  session_timeout_ms=6000, heartbeat_interval_ms=1000)\n' +
        'for m in c: print(m.value.decode(), flush=True)\n',
    );
    const python = startService(await installPython(), [script, peer.bootstrap], {
      logFile: join(tempDir(), 'python.log'),
    });
    t.after(() => python.kill());
    await until('one partition each', async () => {
      await pollBoth();
      const { members: described, state } = await peer.admin.groups.describe('mixed');
      return state === 'Stable' &&
        described.length === 4 &&
        described.every(({ assignment }) => assignment.length === 1)
        ? true
        : undefined;
    });
    await Promise.all([cat.kill(), python.kill()]);
    await members[1].close();
    // ours alone leaves at once, the others by the end of their sessions: until then the group waits for nobody
    await until('all four for the one who is left', async () => {
      await members[0].poll({ timeoutMs: 200 });
      return members[0].assignment.length === 4 ? true : undefined;
    });
  });

  test(`${version} restarts in the middle: nothing is lost, nothing comes twice, the order holds`, async (t) => {
    await peer.admin.createTopics([{ name: 'log', partitions: 3, replicationFactor: 1 }]);
    const producer = producerOf(t, peer, { lingerMs: 2, requestTimeoutMs: 5_000 });
    const consumer = consumerOf(t, peer, { groupId: 'tail', sessionTimeoutMs: 10_000 });
    consumer.subscribe(['log']);
    const total = 3_000;
    const acknowledged: Promise<unknown>[] = [];
    const send = (from: number, to: number): void => {
      for (let index = from; index < to; index += 1) {
        acknowledged.push(producer.send({ topic: 'log', partition: index % 3, value: `${index}` }));
      }
    };
    send(0, 1_000);
    const seen = await take(consumer, 500);
    await peer.killAndRestart(() => send(1_000, 2_000));
    send(2_000, total);
    await Promise.all(acknowledged);
    seen.push(...(await take(consumer, total - seen.length)));
    for (const partition of [0, 1, 2]) {
      const values = seen.filter((record) => record.partition === partition).map(({ value }) => Number(text(value)));
      assert.deepEqual(
        values,
        Array.from({ length: total / 3 }, (_, index) => index * 3 + partition),
      );
    }
  });
}

/** A broker that was killed is refused while its old session lives. */
async function registrationGone(t: Owner, connect: string): Promise<void> {
  const client = connectZookeeper(runtime, { connect });
  t.after(() => client.close());
  await until('end of the session', async () =>
    (await client.exists('/brokers/ids/0')) === undefined ? true : undefined,
  );
}

function partitionText({ topic, partition }: TopicPartition): string {
  return partitionKey(topic, partition);
}
