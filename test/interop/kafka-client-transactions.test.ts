/** Transactions between our client and Apache's broker and clients. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createAdmin } from '../../src/kafka/client/admin.ts';
import { TransactionFailedError } from '../../src/kafka/client/client-errors.ts';
import { type Consumer, createConsumer } from '../../src/kafka/client/consumer.ts';
import { createProducer, type Producer } from '../../src/kafka/client/producer.ts';
import { ErrorCode, KafkaError } from '../../src/kafka/protocol/errors.ts';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { chosen } from './breadth.ts';
import { startOdradek } from './odradek.ts';
import { startApacheKafka } from './peers/apache-kafka.ts';
import { startApacheZookeeper } from './peers/apache-zookeeper.ts';
import { kafkaTool } from './peers/kafka-tools.ts';
import { until } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';
import { javaProgram } from './peers/tools.ts';

const runtime = nodeRuntime({ logLevel: 'off' });
const program = join(import.meta.dirname, 'clients', 'Transactions.java');
const internalTopics = {
  'offsets.topic.num.partitions': '1',
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.num.partitions': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
};

async function start(t: TestContext, version: '3.9.1' | '2.1.0' | 'odradek'): Promise<string> {
  const dir = tempDir();
  if (version === 'odradek') {
    const odradek = await startOdradek({ dir, kafka: internalTopics });
    t.after(() => odradek.kill());
    return odradek.bootstrap;
  }
  const zookeeper = await startApacheZookeeper({ version: '3.9.4', dataDir: join(dir, 'zookeeper') });
  t.after(() => zookeeper.kill());
  const zookeeperConnect = zookeeper.connect;
  const kafka = await startApacheKafka({
    version,
    zookeeperConnect,
    logDir: join(dir, 'kafka'),
    overrides: internalTopics,
  });
  t.after(() => kafka.kill());
  return kafka.bootstrap;
}

const codeIs = (code: number) => (error: unknown) => error instanceof KafkaError && error.code === code;

for (const version of chosen(['3.9.1', '2.1.0', 'odradek'] as const, (one) => one === '3.9.1')) {
  test(`our producer’s transactions at ${version}, read by Apache’s consumer, and the reverse`, async (t) => {
    const bootstrapServers = await start(t, version);
    const admin = createAdmin(runtime, { bootstrapServers });
    t.after(() => admin.close());
    await admin.createTopics([
      { name: 'ours', partitions: 1, replicationFactor: 1 },
      { name: 'theirs', partitions: 2, replicationFactor: 1 },
    ]);
    const producerOf = (): Producer => {
      const producer = createProducer(runtime, { bootstrapServers, transactionalId: 'ours' });
      t.after(() => producer.close({ timeoutMs: 0 }));
      return producer;
    };
    const consumerOf = (): Consumer => {
      const consumer = createConsumer(runtime, {
        ...{ bootstrapServers, groupId: 'g', enableAutoCommit: false },
        ...{ autoOffsetReset: 'earliest', isolation: 'read_committed' },
      });
      t.after(() => consumer.close({ timeoutMs: 2_000 }));
      return consumer;
    };
    const first = producerOf();
    await first.initTransactions();
    for (const [number, commit] of [true, false, true, false].entries()) {
      first.beginTransaction();
      const sent = ['a', 'b'].map((letter) => first.send({ topic: 'ours', value: `${letter}${number}` }));
      await (commit ? first.commitTransaction() : Promise.all(sent).then(() => first.abortTransaction()));
    }
    const group = consumerOf();
    const place = { topic: 'theirs', partition: 0 };
    for (const [offset, commit] of [
      [2, true],
      [5, false],
    ] as const) {
      first.beginTransaction();
      await first.sendOffsetsToTransaction([{ ...place, offset }], group.groupMetadata);
      await (commit ? first.commitTransaction() : first.abortTransaction());
      await until(
        'the end of the transaction',
        async () => (await group.committed([place]))[0]?.offset === 2 || undefined,
      );
    }
    first.beginTransaction();
    await first.send({ topic: 'ours', value: 'fenced' });
    const second = producerOf();
    await second.initTransactions();
    await assert.rejects(first.send({ topic: 'ours', value: 'late' }));
    await assert.rejects(first.commitTransaction(), TransactionFailedError);
    await assert.rejects(first.abortTransaction(), codeIs(ErrorCode.PRODUCER_FENCED));
    second.beginTransaction();
    void second.send({ topic: 'ours', value: 'last' });
    await second.commitTransaction();
    const tools = version === '2.1.0' ? '2.1.0' : '3.9.1';
    const [consumed, java] = await Promise.all([
      kafkaTool('kafka-console-consumer', tools, [
        ...['--bootstrap-server', bootstrapServers, '--topic', 'ours', '--from-beginning'],
        ...['--isolation-level', 'read_committed', '--max-messages', '5'],
      ]),
      javaProgram('kafka-3.9.1', program, [bootstrapServers, 'theirs', 'theirs']),
    ]);
    assert.deepEqual(consumed.stdout.trim().split('\n'), ['a0', 'b0', 'a2', 'b2', 'last'], consumed.stderr);
    assert.equal(java.code, 0, `${java.stderr}\n${java.stdout}`);
    const [, committed = ''] = /^committed (.*)$/m.exec(java.stdout) ?? [];
    const reader = consumerOf();
    const places = [0, 1].map((partition) => ({ topic: 'theirs', partition }));
    reader.assign(places);
    for (const each of places) reader.seek(each, 0);
    const values: string[] = [];
    for (let idle = 0; idle < 2; ) {
      const records = await reader.poll({ timeoutMs: 500 });
      values.push(...records.map(({ value }) => Buffer.from(value!).toString()));
      idle = records.length === 0 ? idle + 1 : 0;
    }
    assert.equal(values.sort().join(' '), committed);
  });
}
