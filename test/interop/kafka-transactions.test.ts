/** Transactions of Apache's clients, and Apache's tool for transactions, with our broker. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chosen } from './breadth.ts';
import { CoordinatorStory, type Initiated } from './differential/coordinator-story.ts';
import { ask } from './differential/raw-client.ts';
import { type Odradek, startOdradek } from './odradek.ts';
import { kafkaTool } from './peers/kafka-tools.ts';
import type { Outcome } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';
import { javaProgram, python } from './peers/tools.ts';

const program = join(import.meta.dirname, 'clients', 'Transactions.java');
const dir = tempDir();
let odradek: Odradek;
/** With KIP-890's protocol. */
let newer: Odradek;

before(async () => {
  const kafka = {
    'offsets.topic.num.partitions': '3',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.num.partitions': '3',
    'transaction.state.log.replication.factor': '1',
    'group.initial.rebalance.delay.ms': '0',
  };
  [odradek, newer] = await Promise.all([
    startOdradek({ dir, kafka }),
    startOdradek({ dir: tempDir(), kafka: { ...kafka, 'transaction.version': '2' } }),
  ]);
  const topics = ['java-3.9.1', 'java-4.4.0', 'python', 'perf', 'hanging'].map((name) => ({
    name,
    numPartitions: 2,
    replicationFactor: 1,
    assignments: [],
    configs: [],
  }));
  for (const { kafkaPort } of [odradek, newer]) await ask(kafkaPort, 19, 4, { topics, timeoutMs: 60_000 });
});

after(async () => {
  await odradek?.kill();
  await newer?.kill();
});

function succeeded({ code, stdout, stderr }: Outcome): string {
  assert.equal(code, 0, `${stderr}\n${stdout}`);
  return stdout;
}

const EXPECTED = [
  'offset 3',
  'committed c0a c0b c1a c1b c2a c2b c3a c3b c4a c4b second with offsets',
  'first ProducerFencedException',
].join('\n');

const producers = [
  { version: '3.9.1', newest: false },
  { version: '4.4.0', newest: false },
  { version: '4.4.0', newest: true },
] as const;

for (const { version, newest } of chosen(producers, (one) => one.newest || one.version === '3.9.1')) {
  test(`Java’s producer ${version} lives its transactions${newest ? ', in the protocol of KIP-890' : ''}`, async () => {
    const { bootstrap, kafkaPort } = newest ? newer : odradek;
    const outcome = await javaProgram(`kafka-${version}`, program, [bootstrap, `java-${version}`, `tx-${version}`]);
    assert.equal(succeeded(outcome).trim(), EXPECTED);
    const story = new CoordinatorStory({ port: kafkaPort, id: `tx-${version}`, topic: '' });
    const { producerEpoch } = await story.waitFor('CompleteCommit');
    // An epoch for each producer, and one that fenced the first; or one for each of 14 transactions as well.
    assert.equal(producerEpoch, newest ? 15 : 2);
  });
}

for (const version of chosen(['3.9.1', '4.4.0'] as const, () => false)) {
  test(`kafka-producer-perf-test ${version} commits as it goes`, async () => {
    const id = `perf-${version}`;
    const outcome = await kafkaTool('kafka-producer-perf-test', version, [
      ...['--topic', 'perf', '--num-records', '2000', '--record-size', '100', '--throughput', '-1'],
      ...['--transactional-id', id, '--transaction-duration-ms', '100'],
      ...['--producer-props', `bootstrap.servers=${odradek.bootstrap}`],
    ]);
    assert.match(succeeded(outcome), /2000 records sent/);
    await new CoordinatorStory({ port: odradek.kafkaPort, id, topic: 'perf' }).waitFor('CompleteCommit');
  });
}

/** Five starts of Java on a busy machine take less, so nobody but the tool ends the transaction. */
const HANGING_MS = 600_000;

test('kafka-transactions finds a hanging transaction, describes it and aborts it', async () => {
  const story = new CoordinatorStory({ port: odradek.kafkaPort, id: 'hangs', topic: 'hanging' });
  const producer: Initiated = await story.initWhenReady({ timeoutMs: HANGING_MS });
  assert.equal(producer.errorCode, 0);
  await story.add(producer);
  await story.write(producer, 0);
  const tool = async (...args: string[]): Promise<string> =>
    succeeded(await kafkaTool('kafka-transactions', '3.9.1', ['--bootstrap-server', odradek.bootstrap, ...args]));
  const partition = ['--topic', 'hanging', '--partition', '0'];
  const [listed, described, producers, hanging] = await Promise.all([
    tool('list'),
    tool('describe', '--transactional-id', 'hangs'),
    tool('describe-producers', ...partition),
    tool('find-hanging', '--broker-id', '0'),
  ]);
  assert.match(listed, /^hangs\s+0\s+\d+\s+Ongoing\s*$/m);
  assert.match(described, /^CoordinatorId\s+TransactionalId\s+ProducerId\s+ProducerEpoch\s+TransactionState/m);
  assert.match(
    described,
    new RegExp(`^0\\s+hangs\\s+\\d+\\s+0\\s+Ongoing\\s+${HANGING_MS}\\s+\\d+\\s+\\d+\\s+hanging-0\\s*$`, 'm'),
  );
  assert.match(producers, new RegExp(`^${producer.producerId}\\s+0\\s+-1\\s+0\\s+\\d+\\s+0\\s*$`, 'm'));
  assert.match(hanging, /^Topic\s+Partition\s+ProducerId/);
  await tool('abort', ...partition, '--start-offset', '0');
  const afterwards = await tool('describe-producers', ...partition);
  assert.match(afterwards, new RegExp(`^${producer.producerId}\\s+0\\s+-?\\d+\\s+0\\s+\\d+\\s+None\\s*$`, 'm'));
});

test('kafka-dump-log reads what the coordinator has written', async () => {
  const partitions = [0, 1, 2].map((index) =>
    join(dir, 'kafka', `__transaction_state-${index}`, `${'0'.repeat(20)}.log`),
  );
  const dumped = succeeded(
    await kafkaTool('kafka-dump-log', '3.9.1', ['--transaction-log-decoder', '--files', partitions.join(',')]),
  );
  assert.match(
    dumped,
    /key: transaction_metadata::transactionalId=tx-3.9.1 payload: producerId:\d+,producerEpoch:0,state=Ongoing,partitions=\[java-/,
  );
  for (const state of ['Empty', 'PrepareCommit', 'CompleteCommit', 'PrepareAbort', 'CompleteAbort']) {
    assert.match(dumped, new RegExp(`transactionalId=tx-3.9.1 payload: .*state=${state},`));
  }
  assert.doesNotMatch(dumped, /isvalid: false/);
});

const LIBRDKAFKA = `
import sys
from confluent_kafka import Producer, Consumer, TopicPartition
bootstrap = sys.argv[1]
producer = Producer({'bootstrap.servers': bootstrap, 'transactional.id': 'rd'})
producer.init_transactions(60)
for number in range(3):
    producer.begin_transaction()
    producer.produce('python', value='kept%d' % number, partition=0)
    producer.commit_transaction(60)
    producer.begin_transaction()
    producer.produce('python', value='lost%d' % number, partition=0)
    producer.abort_transaction(60)
consumer = Consumer({'bootstrap.servers': bootstrap, 'group.id': 'rd', 'isolation.level': 'read_committed', 'auto.offset.reset': 'earliest', 'enable.partition.eof': True})
consumer.assign([TopicPartition('python', 0, 0)])
seen = []
while True:
    message = consumer.poll(60)
    if message is None or message.error():
        break
    seen.append(message.value().decode())
consumer.close()
print(' '.join(seen))
`;

test('librdkafka lives its transactions', async () => {
  const outcome = await python('-c', [LIBRDKAFKA, odradek.bootstrap]);
  assert.equal(succeeded(outcome).trim(), 'kept0 kept1 kept2');
});
