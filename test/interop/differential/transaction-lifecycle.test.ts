/** Lives of transactions, told to Apache's broker 3.9.1 and to ours by raw requests: the same answers, and the same for readers. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Odradek, startOdradek } from '../odradek.ts';
import { type ApacheKafka, startApacheKafka } from '../peers/apache-kafka.ts';
import { type ApacheZookeeper, startApacheZookeeper } from '../peers/apache-zookeeper.ts';
import { tempDir } from '../peers/temp-dir.ts';
import { groupsReady } from './groups-ready.ts';
import { OFFSETS_PARTITIONS, TransactionStory } from './transaction-story.ts';

let zookeeper: ApacheZookeeper;
let apache: ApacheKafka;
let odradek: Odradek;
const startedMs = Date.now();

before(async () => {
  const dir = tempDir();
  zookeeper = await startApacheZookeeper({ version: '3.9.4', dataDir: join(dir, 'apache-zookeeper') });
  const settings = {
    'offsets.topic.num.partitions': String(OFFSETS_PARTITIONS),
    'offsets.topic.replication.factor': '1',
    // The stories are their own coordinator.
    'transaction.partition.verification.enable': 'false',
  };
  const zookeeperConnect = zookeeper.connect;
  [apache, odradek] = await Promise.all([
    startApacheKafka({ version: '3.9.1', zookeeperConnect, logDir: join(dir, 'apache'), overrides: settings }),
    startOdradek({ dir, kafka: settings }),
  ]);
  for (const port of [apache.port, odradek.kafkaPort]) {
    await groupsReady(port);
  }
});

after(async () => {
  await odradek?.kill();
  await apache?.kill();
  await zookeeper?.kill();
});

const MAX_SEQUENCE = 2_147_483_647;

const stories: readonly {
  readonly name: string;
  readonly tell: (story: TransactionStory) => Promise<void>;
  readonly hasRecords?: boolean;
  readonly configs?: Readonly<Record<string, string>>;
}[] = [
  {
    name: 'transactions that commit and abort beside each other',
    async tell(story) {
      await story.write({ count: 2 });
      await story.readAll();
      await story.producers();
      await story.write({ producerId: 2000 });
      await story.write({ producerId: 3000, transactional: false, transactionalId: null });
      await story.mark({ producerId: 2000, committed: false, version: 0 });
      await story.readAll();
      await story.write({ sequence: 2 });
      await story.mark();
      await story.readAll();
      await story.readAll(3);
      await story.write({ sequence: 3 });
      await story.write({ producerId: 2000, sequence: 1, count: 3 });
      await story.mark({ producerId: 2000, committed: false });
      await story.read(0);
      await story.read(0, { maxBytes: 1 });
      await story.read(6, { maxBytes: 1 });
      await story.mark({ committed: false });
      await story.readAll();
      await story.producers();
      for (let version = 0; version <= 16; version += 1) {
        await story.read(0, { version });
        await story.read(5, { version, isolation: 0 });
      }
    },
  },
  {
    name: 'sequences that follow, repeat, leave gaps, wrap, and begin anew with an epoch',
    async tell(story) {
      await story.write({ sequence: 7 });
      await story.write({ sequence: 9 });
      for (let sequence = 8; sequence < 14; sequence += 1) await story.write({ sequence });
      await story.write({ sequence: 7 });
      await story.write({ sequence: 9 });
      await story.write({ sequence: 13 });
      await story.write({ sequence: 13, count: 2 });
      await story.write({ epoch: 1, sequence: 14 });
      await story.write({ epoch: 1, sequence: 0 });
      await story.write({ epoch: 0, sequence: 14 });
      await story.mark({ epoch: 0 });
      await story.mark({ epoch: 1 });
      await story.write({ epoch: 1, sequence: 2 });
      await story.write({ epoch: 1, sequence: 1 });
      await story.mark({ epoch: 2, committed: false });
      await story.write({ epoch: 1, sequence: 2 });
      await story.write({ epoch: 2, sequence: 1 });
      await story.write({ epoch: 2, sequence: 0 });
      await story.write({ producerId: 4000, sequence: MAX_SEQUENCE, transactional: false, transactionalId: null });
      await story.write({ producerId: 4000, sequence: 0, transactional: false, transactionalId: null });
      await story.write({ producerId: 4000, sequence: MAX_SEQUENCE, transactional: false, transactionalId: null });
      await story.write({ producerId: 5000, sequence: MAX_SEQUENCE - 1, count: 4, transactional: false });
      await story.write({ producerId: 5000, sequence: MAX_SEQUENCE - 1, count: 4, transactional: false });
      await story.write({ producerId: 5000, sequence: 2, transactional: false });
      await story.producers();
      await story.readAll();
    },
  },
  {
    name: 'writes that are no part of the transaction, or of none',
    async tell(story) {
      await story.write();
      await story.write({ sequence: 1, transactional: false });
      await story.write({ sequence: 1, transactionalId: null });
      await story.write({ sequence: 1, transactionalId: 'another' });
      await story.write({ sequence: 2, version: 3 });
      await story.write({ sequence: 3, topic: 'missing' });
      await story.write({ sequence: 3, topic: '__consumer_offsets' });
      await story.write({ sequence: 3, acks: 5 });
      await story.write({ sequence: 3, acks: 1 });
      await story.write({ sequence: 4, acks: 1, version: 10 });
      await story.write({ sequence: 9, version: 11 });
      await story.mark();
      await story.write({ sequence: 5, transactional: false, transactionalId: null });
      await story.readAll();
    },
  },
  {
    name: 'markers of coordinators of the past, of strangers, twice, and where there is nothing to end',
    async tell(story) {
      await story.mark({ coordinatorEpoch: 3 });
      await story.producers();
      await story.write({ sequence: 1 });
      await story.write();
      await story.mark({ coordinatorEpoch: 2 });
      await story.mark({ coordinatorEpoch: 4, partitions: [0, 1, 7] });
      await story.mark({ coordinatorEpoch: 4, committed: false });
      await story.mark({ coordinatorEpoch: 4, topic: 'missing' });
      await story.mark({ coordinatorEpoch: 4, partitions: [] });
      await story.markAll([]);
      const topics = [{ name: story.topic, partitionIndexes: [1] }];
      const marker = { producerEpoch: 0, transactionResult: true, coordinatorEpoch: 9, transactionVersion: 0, topics };
      await story.markAll([
        { ...marker, producerId: 1 },
        { ...marker, producerId: 1, topics: [{ name: story.topic, partitionIndexes: [0] }] },
        { ...marker, producerId: 2, coordinatorEpoch: -1 },
      ]);
      await story.producers();
      await story.readAll();
    },
  },
  {
    name: 'offsets within transactions count when they are committed, and in the order of the log',
    hasRecords: true,
    async tell(story) {
      await story.offsets();
      await story.commit(5, { metadata: 'pending' });
      await story.offsets();
      await story.describeGroup();
      await story.endOffsetsAndWait({ committed: true });
      await story.offsets();
      await story.commit(6);
      await story.commit(7, { producerId: 2000, partition: 1 });
      await story.offsets();
      await story.endOffsetsAndWait({ committed: false });
      await story.offsets();
      await story.endOffsetsAndWait({ committed: true, producerId: 2000, partition: 1 });
      await story.offsets();
      await story.commit(8);
      await story.commitPlainly(9);
      await story.offsets();
      await story.endOffsetsAndWait({ committed: true });
      await story.offsets();
      await story.commit(10, { producerId: 2000 });
      await story.commit(11, { producerId: 1000 });
      await story.endOffsets({ committed: true });
      await story.endOffsetsAndWait({ committed: true, producerId: 2000 });
      await story.offsets();
      await story.commit(12, { again: [13, 14] });
      await story.commit(15, { again: [16, 17], partition: 9 });
      await story.endOffsetsAndWait({ committed: true });
      await story.offsets();
      await story.describeGroup();
    },
  },
  {
    name: 'offsets within transactions are refused',
    hasRecords: true,
    async tell(story) {
      for (let version = 0; version <= 4; version += 1) await story.commit(version, { version });
      await story.commit(1, { topic: 'missing' });
      await story.commit(1, { partition: 9 });
      await story.commit(1, { group: '' });
      await story.commit(1, { metadata: 'x'.repeat(5000) });
      await story.commit(1, { generationId: 3, memberId: 'nobody' });
      await story.commit(1, { memberId: 'nobody' });
      await story.commit(1, { generationId: 3, memberId: 'nobody', instanceId: 'i' });
      await story.commit(1, { epoch: 1, version: 4 });
      // Of the other partition: a refusal makes Apache forget in memory what was pending before it.
      await story.commit(2, { epoch: 0, version: 4, partition: 1 });
      await story.endOffsets({ committed: true, epoch: 0 });
      await story.commit(3, { producerId: -1 });
      await story.offsets();
    },
  },
  {
    name: 'offsets and groups are deleted while a transaction is open',
    async tell(story) {
      await story.commitPlainly(1);
      await story.commit(2);
      await story.deleteOffsets();
      await story.offsets();
      await story.endOffsetsAndWait({ committed: true });
      await story.offsets();
      await story.commitPlainly(3);
      await story.commit(4);
      await story.deleteGroup();
      await story.offsets();
      await story.endOffsets({ committed: true });
      await story.offsets();
      await story.describeGroup();
    },
  },
  {
    name: 'what a reader of little is told of aborted transactions follows the offset index',
    configs: { 'index.interval.bytes': '100' },
    async tell(story) {
      for (let round = 0; round < 6; round += 1) {
        await story.write({ sequence: round, producerId: 1000 + round, count: 2 });
        await story.write({
          sequence: 3 * round,
          producerId: 9000,
          transactional: false,
          transactionalId: null,
          count: 3,
        });
        await story.mark({ producerId: 1000 + round, committed: round % 3 === 0 });
      }
      for (let offset = 0; offset < 36; offset += 1) {
        await story.read(offset, { maxBytes: 1 });
        await story.read(offset, { maxBytes: 250 });
      }
    },
  },
  {
    name: 'producers of what is not there',
    async tell(story) {
      await story.producers('missing');
      await story.producers('bad name');
      await story.producers('');
      await story.producers(story.topic, 0, 9);
    },
  },
];

for (const [index, { name, tell, configs, hasRecords = false }] of stories.entries()) {
  test(name, async () => {
    const pair = [apache.port, odradek.kafkaPort].map((port) => new TransactionStory(port, `txn-${index}`, startedMs));
    await Promise.all(
      pair.map(async (story) => {
        await story.createTopic(configs);
        await tell(story);
      }),
    );
    const [theirs, ours] = pair as [TransactionStory, TransactionStory];
    for (const [step, entry] of ours.transcript.entries())
      assert.deepEqual(entry, theirs.transcript[step], `step ${step}`);
    if (hasRecords) assert.deepEqual(await ours.records(), await theirs.records());
  });
}
