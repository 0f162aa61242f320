import assert from 'node:assert/strict';
import test from 'node:test';
import { crc32c } from '../../base/crc32c.ts';
import { ZERO_UUID } from '../../wire/schema.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { ProduceRequest, ProduceResponse } from '../protocol/messages/00-produce.ts';
import { FetchRequest, FetchResponse } from '../protocol/messages/01-fetch.ts';
import { ListOffsetsRequest, ListOffsetsResponse } from '../protocol/messages/02-list-offsets.ts';
import { MetadataRequest, MetadataResponse } from '../protocol/messages/03-metadata.ts';
import { OffsetCommitRequest } from '../protocol/messages/08-offset-commit.ts';
import { ApiVersionsRequest, ApiVersionsResponse } from '../protocol/messages/18-api-versions.ts';
import { CreateTopicsRequest, CreateTopicsResponse } from '../protocol/messages/19-create-topics.ts';
import { InitProducerIdRequest, InitProducerIdResponse } from '../protocol/messages/22-init-producer-id.ts';
import { ClusterWorld, refused } from './testkit/cluster-world.ts';
import { encodeRequest, type RawClient } from './testkit/raw-client.ts';
import { batchOf, type FetchOptions, fetchRequest, produceRequest } from './testkit/requests.ts';

async function world(kafka: Record<string, string | number> = {}) {
  const cluster = await new ClusterWorld({ kafka }).start();
  await cluster.createTopic('t', [[0]]);
  return cluster;
}
const produce = (client: RawClient, bytes: Uint8Array, acks = -1, topic = 't') =>
  client.ask(ProduceRequest, ProduceResponse, 8, produceRequest(topic, bytes, acks));
const fetch = (client: RawClient, offset: number, options: FetchOptions = {}) =>
  client.ask(FetchRequest, FetchResponse, 11, { ...fetchRequest('t', offset, options), sessionEpoch: -1 });
const sizeOf = (answer: FetchResponse): number => answer.responses[0]?.partitions[0]?.records?.size ?? 0;

test('acks of 1 and -1 are answered with the offset, acks of 0 with nothing', async () => {
  const cluster = await world();
  const client = cluster.connectTo(0);
  client.write(encodeRequest(ProduceRequest, 8, produceRequest('t', batchOf(['silent']), 0)));
  for (const [acks, offset] of [
    [1, 1],
    [-1, 2],
  ] as const) {
    const answer = await cluster.run(produce(client, batchOf(['said']), acks));
    assert.equal(answer.responses[0]?.partitionResponses[0]?.baseOffset, offset);
  }
  assert.equal(await cluster.count(0, 't'), 3);
});

test('acks of 0 that cannot be followed close the connection: there is no other way to say so', async () => {
  const cluster = await world();
  const client = cluster.connectTo(0);
  client.write(encodeRequest(ProduceRequest, 8, produceRequest('nowhere', batchOf(['x']), 0)));
  await cluster.run(client.closed);
});

test('other acks are refused', async () => {
  const cluster = await world();
  await assert.rejects(cluster.produce(0, 't', 'x', 0, 2), refused(ErrorCode.INVALID_REQUIRED_ACKS));
});

test('unknown topics and partitions are told from those that are led elsewhere', async () => {
  const cluster = await new ClusterWorld({ brokers: 2 }).start();
  await cluster.createTopic('t', [[1]]);
  await assert.rejects(cluster.produce(0, 'none', 'x'), refused(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION));
  await assert.rejects(cluster.produce(0, 't', 'x', 9), refused(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION));
  await assert.rejects(cluster.produce(0, 't', 'x'), refused(ErrorCode.NOT_LEADER_OR_FOLLOWER));
  await assert.rejects(cluster.count(0, 't'), refused(ErrorCode.NOT_LEADER_OR_FOLLOWER));
});

test('a batch that an idempotent producer repeats is answered with its first offset and stored once', async () => {
  const cluster = await world();
  const client = cluster.connectTo(0);
  const { producerId, producerEpoch } = await cluster.run(
    client.ask(InitProducerIdRequest, InitProducerIdResponse, 4, { transactionalId: null, transactionTimeoutMs: 1000 }),
  );
  const batch = (baseSequence: number) => batchOf(['a', 'b'], { producerId, producerEpoch, baseSequence });
  const send = async (bytes: Uint8Array) =>
    (await cluster.run(produce(client, bytes))).responses[0]?.partitionResponses[0];
  assert.equal((await send(batch(0)))?.baseOffset, 0);
  assert.equal((await send(batch(2)))?.baseOffset, 2);
  const again = await send(batch(0));
  assert.deepEqual([again?.errorCode, again?.baseOffset], [ErrorCode.NONE, 0]);
  assert.equal((await send(batch(6)))?.errorCode, ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER);
  assert.equal(await cluster.count(0, 't'), 4);
});

test('what one write appended is a duplicate after the broker was killed, too', async () => {
  const cluster = await world();
  const bytes = batchOf(['a', 'b'], { producerId: 77, producerEpoch: 0, baseSequence: 0 });
  await cluster.ask(0, (client) => produce(client, bytes));
  cluster.broker(0).crash('process');
  await cluster.broker(0).start();
  const again = await cluster.ask(0, (client) => produce(client, bytes));
  assert.equal(again.responses[0]?.partitionResponses[0]?.baseOffset, 0);
  assert.equal(await cluster.count(0, 't'), 2);
});

test('a fetch that waits is woken by the append', async () => {
  const cluster = await world();
  const waiting = fetch(cluster.connectTo(0), 0, { maxWaitMs: 30_000 });
  await cluster.sim.runFor(1000);
  const begun = cluster.sim.nowMs;
  await cluster.produce(0, 't', 'x');
  assert.ok(sizeOf(await cluster.run(waiting)) > 0);
  assert.ok(cluster.sim.nowMs - begun < 1000);
});

test('a fetch that nothing wakes is answered empty when its time is up, not before', async () => {
  const cluster = await world();
  const begun = cluster.sim.nowMs;
  const answer = await cluster.run(fetch(cluster.connectTo(0), 0, { maxWaitMs: 3000 }));
  assert.equal(sizeOf(answer), 0);
  assert.ok(cluster.sim.nowMs - begun >= 3000 && cluster.sim.nowMs - begun < 3500);
});

test('a fetch waits for as many bytes as it asks for, and takes what there is when its time is up', async () => {
  const cluster = await world();
  const one = batchOf(['x']).length;
  const waiting = fetch(cluster.connectTo(0), 0, { maxWaitMs: 30_000, minBytes: 3 * one });
  let answered = false;
  void waiting.then(() => {
    answered = true;
  });
  for (let sent = 0; sent < 2; sent += 1) await cluster.produce(0, 't', 'x');
  await cluster.sim.runFor(1000);
  assert.equal(answered, false);
  await cluster.produce(0, 't', 'x');
  assert.equal(sizeOf(await cluster.run(waiting)), 3 * one);
  const late = await cluster.run(fetch(cluster.connectTo(0), 2, { maxWaitMs: 500, minBytes: 1 << 20 }));
  assert.equal(sizeOf(late), one);
});

test('a batch that does not fit beside others is left out', async () => {
  const cluster = await world();
  await cluster.createTopic('pair', [[0], [0]]);
  const client = cluster.connectTo(0);
  for (const index of [0, 1]) {
    const request = produceRequest('pair', batchOf(['x'.repeat(1000)]));
    for (const { partitionData } of request.topicData ?? []) for (const data of partitionData) data.index = index;
    await cluster.run(client.ask(ProduceRequest, ProduceResponse, 8, request));
  }
  const sizesIn = async (version: number, maxWaitMs: number): Promise<number[]> => {
    const request = fetchRequest('pair', 0, { maxWaitMs, minBytes: 1_500 });
    const [topic] = request.topics ?? [];
    const [first] = topic?.partitions ?? [];
    assert.ok(topic !== undefined && first !== undefined);
    first.partitionMaxBytes = 2_000;
    topic.partitions.push({ ...first, partition: 1, partitionMaxBytes: 600 });
    const answer = await cluster.run(client.ask(FetchRequest, FetchResponse, version, request));
    return answer.responses.flatMap(({ partitions }) => partitions.map(({ records }) => records?.size ?? 0));
  };
  const [whole = 0] = await sizesIn(12, 0);
  assert.ok(whole > 1_000);
  const before = cluster.sim.nowMs;
  assert.deepEqual(await sizesIn(12, 5_000), [whole, 0]);
  assert.ok(cluster.sim.nowMs - before < 1_000, 'what is there counts, though it does not fit');
  assert.deepEqual(await sizesIn(11, 0), [whole, 0]);
});

test('a follower hears of what nobody knows in the order in which it asked, a consumer of unknown ids first', async () => {
  const cluster = await world();
  const { topics } = await cluster.ask(0, (client) =>
    client.ask(MetadataRequest, MetadataResponse, 12, { topics: [{ topicId: ZERO_UUID, name: 't' }] }),
  );
  const { topicId } = topics[0]!;
  const [asked] = fetchRequest('t', 0).topics ?? [];
  const of = (id: string, ...indexes: number[]) => ({
    topic: '',
    topicId: id,
    partitions: indexes.map((partition) => ({ ...asked!.partitions[0]!, partition })),
  });
  const unknown = 'n0tThereAtAll0n0tThere';
  const order = async (replicaId: number) => {
    const request = {
      ...fetchRequest('t', 0),
      topics: [of(topicId, 0, 1), of(unknown, 0)],
      sessionEpoch: -1,
      replicaId,
    };
    const { responses } = await cluster.ask(0, (client) => client.ask(FetchRequest, FetchResponse, 13, request));
    return responses.map((one) => [
      one.topicId === topicId ? 't' : 'unknown',
      one.partitions.map(({ partitionIndex }) => partitionIndex),
    ]);
  };
  assert.deepEqual(await order(3), [
    ['t', [0, 1]],
    ['unknown', [0]],
  ]);
  assert.deepEqual(await order(-1), [
    ['t', [0]],
    ['unknown', [0]],
    ['t', [1]],
  ]);
});

test('an error answers a fetch at once; a partition that goes away wakes it', async () => {
  const cluster = await world();
  const begun = cluster.sim.nowMs;
  const wrong = await cluster.run(fetch(cluster.connectTo(0), 9, { maxWaitMs: 30_000 }));
  assert.equal(wrong.responses[0]?.partitions[0]?.errorCode, ErrorCode.OFFSET_OUT_OF_RANGE);
  const waiting = fetch(cluster.connectTo(0), 0, { maxWaitMs: 30_000 });
  await cluster.sim.runFor(100);
  await cluster.run(cluster.zk.create('/admin/delete_topics/t', null));
  const gone = (await cluster.run(waiting)).responses[0]?.partitions[0]?.errorCode ?? 0;
  assert.ok([ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.NOT_LEADER_OR_FOLLOWER].includes(gone as never));
  assert.ok(cluster.sim.nowMs - begun < 10_000);
});

test('a consumer that goes while it waits costs nothing', async () => {
  const cluster = await world();
  const client = cluster.connectTo(0);
  void fetch(client, 0, { maxWaitMs: 30_000 }).catch(() => undefined);
  await cluster.sim.runFor(100);
  client.close();
  await cluster.sim.runFor(100);
  assert.equal(await cluster.produce(0, 't', 'x'), 0);
  await cluster.sim.runFor(100);
  const load = cluster.broker(0).server?.networkLoad;
  assert.deepEqual([load?.connectionCount, load?.requestBytes], [0, 0]);
});

test('requests of one connection are handled one after the other: a waiting fetch holds the next back', async () => {
  const cluster = await world();
  const client = cluster.connectTo(0);
  const order: string[] = [];
  const first = fetch(client, 0, { maxWaitMs: 2000 }).then(() => order.push('fetch'));
  const topic = { name: 'next', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] };
  const second = client
    .ask(CreateTopicsRequest, CreateTopicsResponse, 4, { topics: [topic], timeoutMs: 5000 })
    .then(() => order.push('creation'));
  await cluster.sim.runFor(1000);
  assert.equal(await cluster.exists('/brokers/topics/next'), false);
  await cluster.run(Promise.all([first, second]));
  assert.deepEqual(order, ['fetch', 'creation']);
});

test('appends of one connection overlap, and are answered in the order they were sent', async () => {
  const cluster = await world();
  const client = cluster.connectTo(0);
  const answers = Array.from({ length: 200 }, (_, index) => produce(client, batchOf([`${index}`]), 1));
  const offsets = (await cluster.run(Promise.all(answers))).map(
    ({ responses }) => responses[0]?.partitionResponses[0]?.baseOffset,
  );
  assert.deepEqual(offsets, [...offsets.keys()]);
});

test('requests beyond the limit of all connections wait until there is room, and all are answered', async () => {
  const cluster = await world({ 'queued.max.request.bytes': 50_000, 'socket.request.max.bytes': 50_000 });
  const chunkBytes = 65_536;
  const answers = Array.from({ length: 8 }, () => {
    const client = cluster.connectTo(0);
    // Whatever follows has to wait for this one.
    void fetch(client, 0, { maxWaitMs: 5000, minBytes: 1 << 30 });
    return Array.from({ length: 20 }, () => produce(client, batchOf(['x'.repeat(30_000)])));
  }).flat();
  let mostBytes = 0;
  cluster.sim.invariant('request bytes', () => {
    mostBytes = Math.max(mostBytes, cluster.broker(0).server?.networkLoad.requestBytes ?? 0);
  });
  const done = await cluster.run(Promise.all(answers));
  assert.ok(done.every(({ responses }) => responses[0]?.partitionResponses[0]?.errorCode === ErrorCode.NONE));
  assert.equal(cluster.broker(0).server?.networkLoad.requestBytes, 0);
  assert.ok(mostBytes < 50_000 + 8 * (chunkBytes + 31_000), `${mostBytes} bytes of 4,800,000`);
});

test('an idle connection is closed, one that waits for an answer is not', async () => {
  const cluster = await world({ 'connections.max.idle.ms': 30_000 });
  const idle = cluster.connectTo(0);
  await cluster.run(idle.ask(ApiVersionsRequest, ApiVersionsResponse, 0, {}));
  const busy = cluster.connectTo(0);
  const waiting = fetch(busy, 0, { maxWaitMs: 60_000 });
  await cluster.run(idle.closed);
  assert.equal(busy.isClosed, false);
  assert.equal(sizeOf(await cluster.run(waiting, 90_000)), 0);
});

const listRequest = (timestamp: number): Partial<ListOffsetsRequest> => ({
  replicaId: -1,
  topics: [{ name: 't', partitions: [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp, maxNumOffsets: 1 }] }],
});

const commitRequest = (committedOffset: number): Partial<OffsetCommitRequest> => ({
  groupId: 'g',
  generationIdOrMemberEpoch: -1,
  retentionTimeMs: -1,
  topics: [
    {
      name: 't',
      topicId: ZERO_UUID,
      partitions: [
        { partitionIndex: 0, committedOffset, committedLeaderEpoch: -1, committedMetadata: '', commitTimestamp: -1 },
      ],
    },
  ],
});

test('numbers of 64 bits beyond those that JavaScript holds are refused or answered, and never end the broker', async () => {
  const cluster = await world();
  const most = Buffer.from('7fffffffffffffff', 'hex');
  const least = Buffer.from('8000000000000000', 'hex');
  const marker = Buffer.from('0000a1b2c3d4e5f6', 'hex');
  const asked = Number(marker.readBigInt64BE());
  await cluster.createTopic('__consumer_offsets', [[0], [0], [0], [0]]);
  for (const value of [most, least]) {
    for (const request of [
      encodeRequest(FetchRequest, 11, { ...fetchRequest('t', asked), sessionEpoch: -1 }),
      encodeRequest(ListOffsetsRequest, 5, listRequest(asked)),
      encodeRequest(OffsetCommitRequest, 2, commitRequest(asked)),
    ]) {
      const bytes = Buffer.from(request);
      const at = bytes.indexOf(marker);
      assert.ok(at > 0);
      value.copy(bytes, at);
      const client = cluster.connectTo(0);
      client.write(bytes);
      await cluster.run(client.nextFrame());
    }
  }
  assert.equal(await cluster.produce(0, 't', 'alive'), 0);
  assert.deepEqual(cluster.failures, []);
});

/** A batch with other 64-bit fields than our own writer can say: timestamps at 27 and 35, the producer id at 43. */
function extreme(value: bigint, places: readonly number[]): Buffer {
  const bytes = batchOf(['x'.repeat(600)], { producerId: 5, producerEpoch: 0, baseSequence: 0 });
  for (const place of places) bytes.writeBigInt64BE(value, place);
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17);
  return bytes;
}

for (const [name, places] of [
  ['timestamp', [27, 35]],
  ['producer id', [43]],
] as const) {
  test(`a batch with the largest ${name} is refused or kept, and harms no roll, lookup or restart`, async () => {
    const cluster = await world({ 'log.segment.bytes': 1000 });
    const answer = await cluster.ask(0, (client) => produce(client, extreme(2n ** 63n - 1n, places)));
    const isKept = answer.responses[0]?.partitionResponses[0]?.errorCode === ErrorCode.NONE;
    for (let more = 0; more < 3; more += 1) await cluster.produce(0, 't', 'x'.repeat(600));
    for (const timestamp of [-3, -2, -1, 1_700_000_000_000]) {
      await cluster.ask(0, (client) => client.ask(ListOffsetsRequest, ListOffsetsResponse, 7, listRequest(timestamp)));
    }
    await cluster.broker(0).stop();
    await cluster.broker(0).start();
    await cluster.until('it leads', async () => (await cluster.leaderOf(0, 't')) === 0);
    assert.equal(await cluster.count(0, 't'), isKept ? 4 : 3);
    assert.equal(await cluster.produce(0, 't', 'alive'), isKept ? 4 : 3);
    assert.deepEqual(cluster.failures, []);
  });
}
