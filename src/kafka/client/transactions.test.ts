import assert from 'node:assert/strict';
import test from 'node:test';
import { type SimulatedCluster, simulateCluster } from '../../testing/simulated-cluster.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { createAdmin } from './admin.ts';
import { ClientUsageError, TransactionAbortedError, TransactionFailedError } from './client-errors.ts';
import { createConsumer } from './consumer.ts';
import type { ConsumerOptions } from './consumer-options.ts';
import { createProducer, type Producer, type ProducerOptions } from './producer.ts';

const TIMEOUT_MS = 5_000;

async function world(seed: number): Promise<SimulatedCluster> {
  const cluster = simulateCluster({
    seed,
    kafka: {
      'zookeeper.session.timeout.ms': 6000,
      'transaction.state.log.num.partitions': 2,
      'transaction.abort.timed.out.transaction.cleanup.interval.ms': 500,
      'offsets.topic.num.partitions': 1,
    },
  });
  await cluster.start();
  const admin = createAdmin(cluster.client.runtime, { bootstrapServers: cluster.bootstrap });
  await cluster.sim.complete(admin.createTopics([{ name: 't', partitions: 2, replicationFactor: 1 }]));
  admin.close();
  return cluster;
}

function transactional(cluster: SimulatedCluster, options: Partial<ProducerOptions> = {}): Producer {
  return createProducer(cluster.client.runtime, {
    bootstrapServers: cluster.bootstrap,
    transactionalId: 'x',
    transactionTimeoutMs: TIMEOUT_MS,
    requestTimeoutMs: 2_000,
    ...options,
  });
}

async function read(cluster: SimulatedCluster, options: Partial<ConsumerOptions> = {}): Promise<string[]> {
  const { sim, client, bootstrap } = cluster;
  const consumer = createConsumer(client.runtime, {
    bootstrapServers: bootstrap,
    autoOffsetReset: 'earliest',
    isolation: 'read_committed',
    ...options,
  });
  consumer.assign([0, 1].map((partition) => ({ topic: 't', partition })));
  const values: string[] = [];
  for (let idle = 0; idle < 2; ) {
    const records = await sim.complete(consumer.poll({ timeoutMs: 1_000 }));
    values.push(...records.map(({ value }) => Buffer.from(value!).toString()));
    idle = records.length === 0 ? idle + 1 : 0;
  }
  await sim.complete(consumer.close());
  return values.sort();
}

const failedBy = (code: number) => (error: unknown) =>
  error instanceof TransactionFailedError && codeIs(code)(error.cause);
const codeIs = (code: number) => (error: unknown) => error instanceof KafkaError && error.code === code;
const both = (producer: Producer, value: string): Promise<unknown>[] =>
  [0, 1].map((partition) => producer.send({ topic: 't', partition, value }));

test('what is committed is read, what is aborted or open is not', async () => {
  const cluster = await world(1);
  const { sim } = cluster;
  const producer = transactional(cluster);
  await sim.complete(producer.initTransactions());
  producer.beginTransaction();
  const sent = both(producer, 'a');
  await sim.complete(producer.commitTransaction());
  assert.equal((await sim.complete(Promise.all(sent))).length, 2);
  producer.beginTransaction();
  await sim.complete(Promise.all(both(producer, 'b')));
  await sim.complete(producer.abortTransaction());
  producer.beginTransaction();
  await sim.complete(Promise.all(both(producer, 'c')));
  assert.deepEqual(await read(cluster), ['a', 'a']);
  assert.deepEqual(await read(cluster, { isolation: 'read_uncommitted' }), ['a', 'a', 'b', 'b', 'c', 'c']);
  await sim.complete(producer.commitTransaction());
  assert.deepEqual(await read(cluster), ['a', 'a', 'c', 'c']);
  await sim.complete(producer.close());
});

test('records that were not sent when the transaction is aborted fail, and closing aborts', async () => {
  const cluster = await world(2);
  const { sim } = cluster;
  const producer = transactional(cluster, { lingerMs: 10_000 });
  await sim.complete(producer.initTransactions());
  producer.beginTransaction();
  const unsent = both(producer, 'a').map((each) => assert.rejects(each, TransactionAbortedError));
  await sim.runFor(500);
  await sim.complete(producer.abortTransaction());
  await sim.complete(Promise.all(unsent));
  producer.beginTransaction();
  const last = both(producer, 'b');
  await sim.complete(producer.flush());
  await sim.complete(Promise.all(last));
  await sim.complete(producer.close());
  const next = transactional(cluster, { transactionalId: 'y' });
  await sim.complete(next.initTransactions());
  next.beginTransaction();
  both(next, 'c');
  await sim.complete(next.commitTransaction());
  assert.deepEqual(await read(cluster), ['c', 'c'], 'nobody waits for the transaction that was closed');
});

test('calls that do not fit the state are refused', async () => {
  const cluster = await world(3);
  const { sim } = cluster;
  const producer = transactional(cluster);
  await assert.rejects(producer.send({ topic: 't', value: 'a' }), ClientUsageError);
  assert.throws(() => producer.beginTransaction(), ClientUsageError);
  await sim.complete(producer.initTransactions());
  await assert.rejects(producer.initTransactions(), ClientUsageError);
  await assert.rejects(producer.commitTransaction(), ClientUsageError);
  producer.beginTransaction();
  assert.throws(() => producer.beginTransaction(), ClientUsageError);
  await sim.complete(producer.commitTransaction());
  const plain = createProducer(cluster.client.runtime, { bootstrapServers: cluster.bootstrap });
  await assert.rejects(plain.initTransactions(), ClientUsageError);
  assert.throws(() => transactional(cluster, { enableIdempotence: false }), ClientUsageError);
});

test('a new life of the transactional id fences the old one, and ends what it left', async () => {
  const cluster = await world(4);
  const { sim } = cluster;
  const zombie = transactional(cluster);
  await sim.complete(zombie.initTransactions());
  zombie.beginTransaction();
  await sim.complete(Promise.all(both(zombie, 'old')));
  const next = transactional(cluster);
  await sim.complete(next.initTransactions());
  const late = both(zombie, 'late').map((each) => assert.rejects(each, codeIs(ErrorCode.INVALID_PRODUCER_EPOCH)));
  await sim.complete(Promise.all(late));
  await assert.rejects(sim.complete(zombie.commitTransaction()), failedBy(ErrorCode.INVALID_PRODUCER_EPOCH));
  await assert.rejects(sim.complete(zombie.abortTransaction()), codeIs(ErrorCode.PRODUCER_FENCED));
  assert.throws(() => zombie.beginTransaction(), codeIs(ErrorCode.PRODUCER_FENCED));
  next.beginTransaction();
  both(next, 'new');
  await sim.complete(next.commitTransaction());
  assert.deepEqual(await read(cluster), ['new', 'new']);
});

test('a record that fails leaves the transaction to be aborted, and the next one goes on under a higher epoch', async () => {
  const cluster = await world(5);
  const { sim, client, broker } = cluster;
  const producer = transactional(cluster, { deliveryTimeoutMs: 3_000, transactionTimeoutMs: 60_000 });
  await sim.complete(producer.initTransactions());
  producer.beginTransaction();
  await sim.complete(Promise.all(both(producer, 'a')));
  sim.network.partition(client, broker.machine);
  const lost = both(producer, 'b').map((each) => assert.rejects(each, KafkaError));
  await sim.complete(Promise.all(lost));
  await assert.rejects(producer.send({ topic: 't', partition: 0, value: 'c' }), failedBy(ErrorCode.REQUEST_TIMED_OUT));
  await assert.rejects(sim.complete(producer.commitTransaction()), failedBy(ErrorCode.REQUEST_TIMED_OUT));
  sim.network.heal();
  await sim.complete(producer.abortTransaction());
  producer.beginTransaction();
  both(producer, 'd');
  await sim.complete(producer.commitTransaction());
  assert.deepEqual(await read(cluster), ['d', 'd']);
});

test('offsets count with the transaction, and a member of an old generation is refused', async () => {
  const cluster = await world(6);
  const { sim, client, bootstrap } = cluster;
  const producer = transactional(cluster);
  const consumer = createConsumer(client.runtime, {
    bootstrapServers: bootstrap,
    groupId: 'g',
    enableAutoCommit: false,
  });
  const place = { topic: 't', partition: 0 };
  await sim.complete(producer.initTransactions());
  for (const [offset, commit] of [
    [3, true],
    [5, false],
  ] as const) {
    producer.beginTransaction();
    await sim.complete(producer.sendOffsetsToTransaction([{ ...place, offset }], consumer.groupMetadata));
    await sim.complete(commit ? producer.commitTransaction() : producer.abortTransaction());
    const [found] = await sim.complete(consumer.committed([place]));
    assert.equal(found?.offset, 3);
  }
  producer.beginTransaction();
  const stranger = { ...consumer.groupMetadata, generation: 7, memberId: 'nobody' };
  const refused = failedBy(ErrorCode.UNKNOWN_MEMBER_ID);
  await assert.rejects(sim.complete(producer.sendOffsetsToTransaction([{ ...place, offset: 9 }], stranger)), refused);
  await assert.rejects(sim.complete(producer.commitTransaction()), refused);
  await sim.complete(producer.abortTransaction());
  assert.equal((await sim.complete(consumer.committed([place])))[0]?.offset, 3);
});

test('a broker that is killed in the middle of transactions loses none and shows none twice', async () => {
  const cluster = await world(7);
  const { sim, broker } = cluster;
  const random = sim.random.fork('kills');
  const producer = transactional(cluster, { transactionTimeoutMs: 60_000 });
  await sim.complete(producer.initTransactions());
  const committed: string[] = [];
  for (let number = 0; number < 20; number += 1) {
    producer.beginTransaction();
    both(producer, `${number}`);
    const done = producer.commitTransaction();
    if (random.chance(0.4)) {
      await sim.runFor(random.between(0, 20));
      broker.crash('process');
      await broker.restart();
    }
    await sim.complete(done, 120_000);
    committed.push(`${number}`, `${number}`);
  }
  assert.deepEqual(await read(cluster), committed.sort());
});

test('a transaction that takes too long is aborted by its coordinator, and its producer told', async () => {
  const cluster = await world(8);
  const { sim } = cluster;
  const producer = transactional(cluster);
  await sim.complete(producer.initTransactions());
  producer.beginTransaction();
  await sim.complete(Promise.all(both(producer, 'a')));
  await sim.runFor(TIMEOUT_MS + 2_000);
  await assert.rejects(sim.complete(producer.commitTransaction()), codeIs(ErrorCode.PRODUCER_FENCED));
  assert.deepEqual(await read(cluster), []);
});

test('what is not under way fails at once with the record that failed, and an abort waits for no further attempt', async () => {
  const cluster = await world(9);
  const { sim, client, broker } = cluster;
  const producer = transactional(cluster, {
    lingerMs: 60_000,
    maxRequestSize: 3_000_000,
    transactionTimeoutMs: 60_000,
  });
  await sim.complete(producer.initTransactions());
  producer.beginTransaction();
  const small = assert.rejects(
    producer.send({ topic: 't', partition: 1, value: 'small' }),
    codeIs(ErrorCode.MESSAGE_TOO_LARGE),
  );
  const large = producer.send({ topic: 't', partition: 0, value: 'x'.repeat(2_000_000) });
  await sim.complete(assert.rejects(large, codeIs(ErrorCode.MESSAGE_TOO_LARGE)), 5_000);
  await sim.complete(small, 1_000);
  await sim.complete(producer.abortTransaction());

  producer.beginTransaction();
  await sim.complete(Promise.all([...both(producer, 'a'), producer.flush()]));
  sim.network.partition(client, broker.machine);
  const lost = both(producer, 'b').map((each) => assert.rejects(each, KafkaError));
  void producer.flush();
  await sim.runFor(100);
  const aborted = producer.abortTransaction();
  await sim.complete(Promise.all(lost), 3_000);
  sim.network.heal();
  await sim.complete(aborted, 10_000);
  assert.deepEqual(await read(cluster), []);
});
