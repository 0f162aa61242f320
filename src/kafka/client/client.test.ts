import assert from 'node:assert/strict';
import test from 'node:test';
import { type SimulatedCluster, simulateCluster } from '../../testing/simulated-cluster.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { createAdmin } from './admin.ts';
import { type Consumer, createConsumer } from './consumer.ts';
import type { ConsumerRecord } from './fetched-records.ts';
import { createProducer } from './producer.ts';

/** Client and broker in one simulated world, with a topic of three partitions. */
async function world(seed: number, keys: Readonly<Record<string, number>> = {}): Promise<SimulatedCluster> {
  const cluster = simulateCluster({
    seed,
    kafka: { 'zookeeper.session.timeout.ms': 6000, 'auto.create.topics.enable': false, ...keys },
  });
  await cluster.start();
  const admin = createAdmin(cluster.client.runtime, { bootstrapServers: cluster.bootstrap });
  await cluster.sim.complete(admin.createTopics([{ name: 't', partitions: 3, replicationFactor: 1 }]));
  admin.close();
  return cluster;
}

const codeIs = (code: number) => (error: unknown) => error instanceof KafkaError && error.code === code;
const numbers = (records: readonly ConsumerRecord[], partition: number): number[] =>
  records.filter((record) => record.partition === partition).map(({ value }) => Number(Buffer.from(value!).toString()));

/** Reads until nothing comes for a while. */
async function drain(cluster: SimulatedCluster, consumer: Consumer): Promise<ConsumerRecord[]> {
  const records: ConsumerRecord[] = [];
  for (let idle = 0; idle < 2; ) {
    const polled = await cluster.sim.complete(consumer.poll({ timeoutMs: 3_000 }), 600_000);
    records.push(...polled);
    idle = polled.length === 0 ? idle + 1 : 0;
  }
  return records;
}

for (const seed of [1, 2, 3, 4, 5, 6]) {
  test(`connections that break lose no record, repeat none and keep the order (seed ${seed})`, async () => {
    const cluster = await world(seed);
    const { sim, client, broker, bootstrap } = cluster;
    const random = sim.random.fork('faults');
    const producer = createProducer(client.runtime, {
      bootstrapServers: bootstrap,
      requestTimeoutMs: 2_000,
      batchSize: 200,
      lingerMs: 1,
    });
    const sent: Promise<unknown>[] = [];
    for (let index = 0; index < 900; index += 1) {
      sent.push(producer.send({ topic: 't', partition: index % 3, value: `${index}` }));
      if (index % 30 === 0) await sim.runFor(random.between(1, 200));
      if (random.chance(0.02)) sim.network.resetBetween(client, broker.machine);
      if (random.chance(0.005)) {
        sim.network.partition(client, broker.machine);
        await sim.runFor(random.between(100, 6_000));
        sim.network.heal();
      }
    }
    await sim.complete(Promise.all(sent), 600_000);
    await sim.complete(producer.close());
    const consumer = createConsumer(client.runtime, { bootstrapServers: bootstrap, autoOffsetReset: 'earliest' });
    consumer.assign([0, 1, 2].map((partition) => ({ topic: 't', partition })));
    const records = await drain(cluster, consumer);
    for (const partition of [0, 1, 2]) {
      assert.deepEqual(
        numbers(records, partition),
        Array.from({ length: 300 }, (_, index) => index * 3 + partition),
      );
    }
    await sim.complete(consumer.close());
  });
}

test('a broker that is killed in the middle loses nothing that was acknowledged', async () => {
  const cluster = await world(7);
  const { sim, client, broker, bootstrap } = cluster;
  const producer = createProducer(client.runtime, { bootstrapServers: bootstrap, requestTimeoutMs: 2_000 });
  const sent = Array.from({ length: 300 }, (_, index) =>
    producer.send({ topic: 't', partition: 0, value: `${index}` }),
  );
  await sim.runFor(20);
  broker.crash('process');
  await sim.runFor(10_000);
  await broker.start();
  const metadata = await sim.complete(Promise.all(sent), 600_000);
  assert.deepEqual(
    metadata.map(({ offset }) => offset),
    metadata.map((_, index) => index),
  );
  await sim.complete(producer.close());
});

test('a broker that has forgotten the producer with its last records takes the next ones under a higher epoch', async () => {
  const { sim, client, broker, bootstrap } = await world(16, { 'log.flush.interval.messages': 2 });
  const producer = createProducer(client.runtime, { bootstrapServers: bootstrap, requestTimeoutMs: 2_000 });
  const send = (value: string) => sim.complete(producer.send({ topic: 't', partition: 0, value }), 200_000);
  for (const value of ['0', '1', '2']) await send(value);
  broker.crash('power'); // a lone replica loses what was not synced
  await sim.runFor(10_000);
  await broker.start();
  const first = await send('3');
  assert.equal(first.offset, 2, 'one record was lost');
  assert.equal((await send('4')).offset, first.offset + 1);
  await sim.complete(producer.close());
});

test('records without a leader to go to fail when their time is over', async () => {
  const { sim, client, broker, bootstrap } = await world(8);
  const producer = createProducer(client.runtime, {
    bootstrapServers: bootstrap,
    deliveryTimeoutMs: 10_000,
    requestTimeoutMs: 3_000,
  });
  await sim.complete(producer.send({ topic: 't', value: 'there' }));
  sim.network.isolate(broker.machine);
  const begunMs = sim.nowMs;
  await assert.rejects(
    sim.complete(producer.send({ topic: 't', value: 'late' })),
    (error) =>
      codeIs(ErrorCode.REQUEST_TIMED_OUT)(error) &&
      /^Expiring 1 record\(s\) for t-\d/.test(String((error as Error).message)),
  );
  assert.ok(sim.nowMs - begunMs >= 10_000 && sim.nowMs - begunMs < 14_000);
  await sim.complete(producer.close({ timeoutMs: 0 }));
});

test('a topic that does not exist is waited for, then given up; an illegal name fails at once', async () => {
  const { sim, client, bootstrap } = await world(9);
  const producer = createProducer(client.runtime, { bootstrapServers: bootstrap, maxBlockMs: 5_000 });
  await assert.rejects(sim.complete(producer.send({ topic: 'none', value: '' })), {
    message: 'Topic none not present in metadata after 5000 ms.',
  });
  const begunMs = sim.nowMs;
  await assert.rejects(
    sim.complete(producer.send({ topic: 'bad name', value: '' })),
    codeIs(ErrorCode.INVALID_TOPIC_EXCEPTION),
  );
  assert.ok(sim.nowMs - begunMs < 1_000);
  await sim.complete(producer.close());
});

test('records beyond the memory wait for room; beyond twice as much they are refused', async () => {
  const { sim, client, bootstrap } = await world(10);
  const producer = createProducer(client.runtime, { bootstrapServers: bootstrap, bufferMemory: 10_000 });
  const value = Buffer.alloc(1_000);
  const sent = Array.from({ length: 40 }, () => producer.send({ topic: 't', partition: 0, value }));
  const results = await sim.complete(Promise.allSettled(sent));
  const refused = results.filter(({ status }) => status === 'rejected');
  assert.ok(refused.length > 15 && refused.length < 35, `${refused.length}`);
  assert.equal(producer.bufferedBytes, 0);
  const after = await sim.complete(producer.send({ topic: 't', partition: 0, value }));
  assert.equal(after.offset, results.length - refused.length);
  await sim.complete(producer.close());
});

test('a batch that is too large for the broker goes in halves; a record that is, fails alone', async () => {
  const { sim, client, bootstrap } = await world(11);
  const admin = createAdmin(client.runtime, { bootstrapServers: bootstrap });
  await sim.complete(
    admin.createTopics([{ name: 'small', partitions: 1, configs: new Map([['max.message.bytes', '3000']]) }]),
  );
  admin.close();
  const producer = createProducer(client.runtime, { bootstrapServers: bootstrap, batchSize: 16_384, lingerMs: 10 });
  const sizes = [900, 900, 900, 5_000, 900, 900, 900];
  const sent = sizes.map((size) => producer.send({ topic: 'small', value: Buffer.alloc(size) }));
  const results = await sim.complete(Promise.allSettled(sent));
  assert.deepEqual(
    results.map((result) => (result.status === 'fulfilled' ? result.value.offset : 'too large')),
    [0, 1, 2, 'too large', 3, 4, 5],
  );
  await sim.complete(producer.close());
});

test('a group shares the partitions out, and goes on where it stopped', async () => {
  const cluster = await world(12);
  const { sim, client, bootstrap } = cluster;
  const producer = createProducer(client.runtime, { bootstrapServers: bootstrap });
  for (let index = 0; index < 30; index += 1)
    void producer.send({ topic: 't', partition: index % 3, value: `${index}` });
  await sim.complete(producer.flush());
  const events: string[] = [];
  const member = (name: string): Consumer => {
    const consumer = createConsumer(client.runtime, {
      bootstrapServers: bootstrap,
      groupId: 'g',
      autoOffsetReset: 'earliest',
    });
    const shown = (list: readonly { partition: number }[]) => list.map(({ partition }) => partition).join('');
    consumer.subscribe(['t'], {
      assigned: (list) => void events.push(`${name} gets ${shown(list)}`),
      revoked: (list) => void events.push(`${name} gives ${shown(list)}`),
      lost: (list) => void events.push(`${name} lost ${shown(list)}`),
    });
    return consumer;
  };
  const first = member('a');
  const records = await sim.complete(first.poll({ timeoutMs: 10_000, max: 10 }));
  const second = member('b');
  const pollBoth = () => Promise.all([first, second].map((consumer) => consumer.poll({ timeoutMs: 1_000, max: 100 })));
  for (let round = 0; round < 12; round += 1) records.push(...(await sim.complete(pollBoth())).flat());
  for (const partition of [0, 1, 2]) {
    assert.deepEqual(
      numbers(records, partition),
      Array.from({ length: 10 }, (_, index) => index * 3 + partition),
    );
  }
  const owned = [first, second].map(({ assignment }) => assignment.length).sort();
  assert.deepEqual(owned, [1, 2]);
  await sim.complete(second.close());
  for (let round = 0; round < 8; round += 1) await sim.complete(first.poll({ timeoutMs: 1_000 }));
  assert.equal(first.assignment.length, 3);
  assert.deepEqual(events.slice(0, 2), ['a gets 012', 'a gives 012']);
  assert.ok(!events.some((event) => event.includes('lost')));
  await sim.complete(first.close());
});

test('a member that stops polling leaves its group, and is told so when it polls again', async () => {
  const { sim, client, bootstrap } = await world(13);
  const lost: number[] = [];
  const slow = createConsumer(client.runtime, { bootstrapServers: bootstrap, groupId: 'g', maxPollIntervalMs: 20_000 });
  slow.subscribe(['t'], { lost: (list) => void lost.push(list.length) });
  await sim.complete(slow.poll({ timeoutMs: 10_000 }));
  assert.equal(slow.assignment.length, 3);
  await sim.runFor(25_000);
  const other = createConsumer(client.runtime, { bootstrapServers: bootstrap, groupId: 'g' });
  other.subscribe(['t']);
  await sim.complete(other.poll({ timeoutMs: 10_000 }));
  assert.equal(other.assignment.length, 3, 'nobody waits for the one who left');
  const back = slow.poll({ timeoutMs: 30_000 });
  for (let round = 0; round < 10; round += 1) await sim.complete(other.poll({ timeoutMs: 1_000 }));
  await sim.complete(back);
  assert.deepEqual(lost, [3]);
  await sim.complete(Promise.all([slow.close(), other.close()]));
});

test('without an offset the policy decides; none is an error', async () => {
  const { sim, client, bootstrap } = await world(14);
  const producer = createProducer(client.runtime, { bootstrapServers: bootstrap });
  await sim.complete(producer.send({ topic: 't', partition: 0, value: '0' }));
  const partition = { topic: 't', partition: 0 };
  const open = (autoOffsetReset: 'earliest' | 'latest' | 'none'): Consumer => {
    const consumer = createConsumer(client.runtime, { bootstrapServers: bootstrap, autoOffsetReset });
    consumer.assign([partition]);
    return consumer;
  };
  const earliest = open('earliest');
  assert.equal((await sim.complete(earliest.poll({ timeoutMs: 5_000 }))).length, 1);
  const latest = open('latest');
  assert.equal((await sim.complete(latest.poll({ timeoutMs: 2_000 }))).length, 0);
  assert.equal(latest.position(partition), 1);
  const none = open('none');
  await assert.rejects(sim.complete(none.poll({ timeoutMs: 5_000 })), { name: 'NoOffsetForPartitionError' });
  earliest.seek(partition, 99);
  await sim.complete(earliest.poll({ timeoutMs: 5_000 }));
  assert.equal(earliest.position(partition), 1, 'out of range: back to the beginning, and through it');
  await sim.complete(Promise.all([earliest, latest, none, producer].map((each) => each.close())));
});

test('a topic that is made later, and partitions that are added, reach the group', async () => {
  const { sim, client, bootstrap } = await world(15);
  const admin = createAdmin(client.runtime, { bootstrapServers: bootstrap });
  const consumer = createConsumer(client.runtime, {
    ...{ bootstrapServers: bootstrap, groupId: 'g', metadataMaxAgeMs: 2_000, allowAutoTopicCreation: false },
  });
  consumer.subscribe(/later.*/);
  await sim.complete(consumer.poll({ timeoutMs: 3_000 }));
  assert.deepEqual(consumer.assignment, []);
  await sim.complete(admin.createTopics([{ name: 'later-1', partitions: 1 }]));
  for (let round = 0; round < 6; round += 1) await sim.complete(consumer.poll({ timeoutMs: 1_000 }));
  assert.deepEqual(consumer.assignment, [{ topic: 'later-1', partition: 0 }]);
  await sim.complete(admin.createPartitions([{ name: 'later-1', count: 3 }]));
  for (let round = 0; round < 6; round += 1) await sim.complete(consumer.poll({ timeoutMs: 1_000 }));
  assert.equal(consumer.assignment.length, 3);
  await sim.complete(consumer.close());
  admin.close();
});
