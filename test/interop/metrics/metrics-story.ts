/** A short life of a broker, told by raw requests, each in a version that nothing else is asked in. */
import { flatten, type Slices, slicesOf } from '../../../src/base/slices.ts';
import { type BatchOptions, buildBatch } from '../../../src/kafka/records/builder.ts';
import { ZERO_UUID } from '../../../src/wire/schema.ts';
import { PARTITION_FIELDS } from '../differential/fetch-fields.ts';
import { groupsReady } from '../differential/groups-ready.ts';
import { type Answer, ask } from '../differential/raw-client.ts';
import { until } from '../peers/process.ts';

const topics = {
  plain: { partitions: 2, configs: { 'max.message.bytes': '2000' } },
  compacted: { partitions: 1, configs: { 'cleanup.policy': 'compact' } },
  gone: { partitions: 1, configs: {} },
} as const;

export async function tellMetricsStory(port: number): Promise<void> {
  await createTopics(port);
  await produce(port, 'plain', 0, batch(['one', 'two', 'three']));
  await produce(port, 'plain', 1, batch(['x']));
  await produce(port, 'plain', 0, batch(['x'.repeat(3000)]));
  const damaged = Buffer.from(flatten(batch(['damaged'])));
  damaged[damaged.length - 1]! ^= 1;
  await produce(port, 'plain', 0, slicesOf(damaged));
  await produce(port, 'plain', 0, batch(['x'], { producerId: 7, producerEpoch: 0, baseSequence: -2 }));
  await produce(port, 'compacted', 0, batch(['a', 'b']));
  await produce(port, 'nowhere', 0, batch(['x']));
  await produce(port, 'nowhere', 0, batch(['x']), 0);
  await produce(port, 'gone', 0, batch(['x']));
  for (const offset of [0, 99]) await fetchFrom(port, offset);
  await commit(port);
  await transact(port);
  await ask(port, 20, 3, { topicNames: ['gone'], timeoutMs: 60_000 });
  await ask(port, 10, 2, { key: 'group', keyType: 0 });
  await ask(port, 18, 3, { clientSoftwareName: 'story', clientSoftwareVersion: '1' });
}

async function createTopics(port: number): Promise<void> {
  const all = Object.entries(topics).map(([name, { partitions, configs }]) => ({
    name,
    numPartitions: partitions,
    replicationFactor: 1,
    assignments: [],
    configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
  }));
  await ask(port, 19, 4, { topics: all, timeoutMs: 60_000 });
  for (const [name, { partitions }] of Object.entries(topics)) {
    for (let index = 0; index < partitions; index += 1) await until(`${name} is led`, () => isLed(port, name, index));
  }
  await groupsReady(port);
}

async function isLed(port: number, name: string, partitionIndex: number): Promise<true | undefined> {
  const partition = { partitionIndex, timestamp: -1 };
  const answer = (await ask(port, 2, 1, { replicaId: -1, topics: [{ name, partitions: [partition] }] })) as {
    topics: { partitions: { errorCode: number }[] }[];
  };
  return answer.topics[0]?.partitions[0]?.errorCode === 0 ? true : undefined;
}

function batch(values: readonly string[], options: BatchOptions = {}): Slices {
  const timestamp = 1_700_000_000_000;
  const records = values.map((value) => ({ timestamp, key: null, value: Buffer.from(value) }));
  return slicesOf(Buffer.from(flatten(buildBatch({ ...options, records }))));
}

function produce(
  port: number,
  name: string,
  index: number,
  records: Slices,
  acks = 1,
  transactionalId: string | null = null,
): Promise<Answer | 'closed'> {
  const topicData = [{ name, topicId: ZERO_UUID, partitionData: [{ index, records }] }];
  return ask(port, 0, 8, { transactionalId, acks, timeoutMs: 10_000, topicData });
}

async function fetchFrom(port: number, fetchOffset: number): Promise<void> {
  const partition = { ...PARTITION_FIELDS, partition: 0, fetchOffset, partitionMaxBytes: 1 << 20 };
  const asked = { topic: 'plain', topicId: ZERO_UUID, partitions: [partition] };
  const limits = { maxWaitMs: 0, minBytes: 0, maxBytes: 1 << 20, sessionId: 0, sessionEpoch: -1 };
  await ask(port, 1, 10, { replicaId: -1, ...limits, topics: [asked] });
}

/** Without membership: the group is there for its offsets. */
async function commit(port: number): Promise<void> {
  const partition = { partitionIndex: 0, committedOffset: 2, committedMetadata: '' };
  await ask(port, 8, 5, {
    groupId: 'group',
    generationIdOrMemberEpoch: -1,
    memberId: '',
    topics: [{ name: 'plain', topicId: ZERO_UUID, partitions: [partition] }],
  });
}

async function transact(port: number): Promise<void> {
  const transactionalId = 'transaction';
  await until('the coordinator of transactions', async () => {
    const found = (await ask(port, 10, 1, { key: transactionalId, keyType: 1 })) as Answer;
    if (found.errorCode !== 0) return undefined;
    const begun = (await ask(port, 22, 0, { transactionalId: 'other', transactionTimeoutMs: 60_000 })) as Answer;
    return begun.errorCode === 0 ? true : undefined;
  });
  const begun = (await ask(port, 22, 1, { transactionalId, transactionTimeoutMs: 60_000 })) as Answer;
  const producer = { producerId: begun.producerId as number, producerEpoch: begun.producerEpoch as number };
  await ask(port, 24, 1, {
    v3AndBelowTransactionalId: transactionalId,
    v3AndBelowProducerId: producer.producerId,
    v3AndBelowProducerEpoch: producer.producerEpoch,
    v3AndBelowTopics: [{ name: 'plain', partitions: [1] }],
  });
  const records = batch(['in a transaction'], { ...producer, baseSequence: 0, isTransactional: true });
  await produce(port, 'plain', 1, records, -1, transactionalId);
  await ask(port, 26, 1, { transactionalId, ...producer, committed: true });
}
