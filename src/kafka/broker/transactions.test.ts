/** Transactions as a broker's clients and its coordinators meet them: the coordinator is the test. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { ZERO_UUID } from '../../wire/schema.ts';
import { partitionFor } from '../coordinator/partition-for.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { ProduceRequest, ProduceResponse } from '../protocol/messages/00-produce.ts';
import { FetchRequest, FetchResponse } from '../protocol/messages/01-fetch.ts';
import { ListOffsetsRequest, ListOffsetsResponse } from '../protocol/messages/02-list-offsets.ts';
import { OffsetFetchRequest, OffsetFetchResponse } from '../protocol/messages/09-offset-fetch.ts';
import { FindCoordinatorRequest, FindCoordinatorResponse } from '../protocol/messages/10-find-coordinator.ts';
import { WriteTxnMarkersRequest, WriteTxnMarkersResponse } from '../protocol/messages/27-write-txn-markers.ts';
import { TxnOffsetCommitRequest, TxnOffsetCommitResponse } from '../protocol/messages/28-txn-offset-commit.ts';
import { DescribeProducersRequest, DescribeProducersResponse } from '../protocol/messages/61-describe-producers.ts';
import { batchesOf } from '../records/batch.ts';
import { allRecordsOf } from '../records/iterate.ts';
import { ClusterWorld } from './testkit/cluster-world.ts';
import { batchOf, fetchRequest, produceRequest } from './testkit/requests.ts';

const GROUP = 'g';
const OFFSETS_PARTITIONS = 4;

class World {
  readonly cluster: ClusterWorld;

  constructor(cluster: ClusterWorld) {
    this.cluster = cluster;
  }

  static async start(verification = false): Promise<World> {
    const kafka = { 'transaction.partition.verification.enable': String(verification) };
    const world = new World(await new ClusterWorld({ kafka }).start());
    await world.cluster.createTopic('t', [[0], [0]]);
    await world.cluster.until('groups are coordinated', async () => {
      const key = { key: GROUP, keyType: 0 };
      const found = await world.#ask((client) => client.ask(FindCoordinatorRequest, FindCoordinatorResponse, 1, key));
      return found.errorCode === ErrorCode.NONE && (await world.offset()) === -1;
    });
    return world;
  }

  #ask<T>(request: Parameters<typeof this.cluster.ask<T>>[1]): Promise<T> {
    return this.cluster.ask(0, request);
  }

  /** Within a transaction of producer 9; the error code. */
  async write(value: string, sequence: number, epoch = 0): Promise<{ errorCode: number; errorMessage: string | null }> {
    const records = batchOf([value], {
      producerId: 9,
      producerEpoch: epoch,
      baseSequence: sequence,
      isTransactional: true,
    });
    const request = { ...produceRequest('t', records), transactionalId: 'x' };
    const answer = await this.#ask((client) => client.ask(ProduceRequest, ProduceResponse, 9, request));
    const { errorCode, errorMessage } = answer.responses[0]!.partitionResponses[0]!;
    return { errorCode, errorMessage };
  }

  async mark(
    committed: boolean,
    given: { topic?: string; partition?: number; epoch?: number; coordinatorEpoch?: number; version?: number } = {},
  ): Promise<number | undefined> {
    const { topic = 't', partition = 0, epoch = 0, coordinatorEpoch = 0, version = 0 } = given;
    const topics = [{ name: topic, partitionIndexes: [partition] }];
    const marker = { producerId: 9, producerEpoch: epoch, transactionResult: committed, coordinatorEpoch, topics };
    const markers = [{ ...marker, transactionVersion: version }];
    const answer = await this.#ask((client) =>
      client.ask(WriteTxnMarkersRequest, WriteTxnMarkersResponse, 2, { markers }),
    );
    return answer.markers[0]?.topics[0]?.partitions[0]?.errorCode;
  }

  markOffsets(committed: boolean): Promise<number | undefined> {
    const partition = partitionFor(GROUP, OFFSETS_PARTITIONS);
    return this.mark(committed, { topic: '__consumer_offsets', partition });
  }

  /** What a READ_COMMITTED consumer delivers of partition 0. */
  async read(): Promise<string[]> {
    const request = { ...fetchRequest('t', 0), isolationLevel: 1, sessionEpoch: -1 };
    const answer = await this.#ask((client) => client.ask(FetchRequest, FetchResponse, 11, request));
    const { records, abortedTransactions } = answer.responses[0]!.partitions[0]!;
    const aborted = abortedTransactions ?? [];
    const values: string[] = [];
    if (records === null) return values;
    for (const batch of batchesOf(records)) {
      const { header } = batch;
      if (header.isControl) continue;
      const isAborted = aborted.some(
        ({ producerId, firstOffset }) => producerId === header.producerId && firstOffset <= header.baseOffset,
      );
      if (isAborted) continue;
      for (const { value } of allRecordsOf(batch.bytes)) values.push(Buffer.from(value ?? []).toString());
    }
    return values;
  }

  async ends(timestamp: number, isolationLevel: number): Promise<number | undefined> {
    const partitions = [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp, maxNumOffsets: 1 }];
    const request = { replicaId: -1, isolationLevel, topics: [{ name: 't', partitions }] };
    const answer = await this.#ask((client) => client.ask(ListOffsetsRequest, ListOffsetsResponse, 7, request));
    return answer.topics[0]?.partitions[0]?.offset;
  }

  async commit(offset: number): Promise<number | undefined> {
    const partition = {
      partitionIndex: 0,
      committedOffset: offset,
      committedLeaderEpoch: -1,
      committedMetadata: '',
    };
    const topics = [{ name: 't', topicId: ZERO_UUID, partitions: [partition] }];
    const answer = await this.#ask((client) =>
      client.ask(TxnOffsetCommitRequest, TxnOffsetCommitResponse, 3, {
        transactionalId: 'x',
        groupId: GROUP,
        producerId: 9,
        topics,
      }),
    );
    return answer.topics[0]?.partitions[0]?.errorCode;
  }

  /** That of the group in partition 0; NaN when it may still change. */
  async offset(): Promise<number> {
    const topics = [{ name: 't', topicId: ZERO_UUID, partitionIndexes: [0] }];
    const groups = [{ groupId: GROUP, memberId: null, memberEpoch: -1, topics }];
    const answer = await this.#ask((client) =>
      client.ask(OffsetFetchRequest, OffsetFetchResponse, 8, { groups, requireStable: true }),
    );
    const found = answer.groups[0]?.topics[0]?.partitions[0];
    return found?.errorCode === ErrorCode.NONE ? found.committedOffset : Number.NaN;
  }

  async producers() {
    const topics = [{ name: 't', partitionIndexes: [0] }];
    const answer = await this.#ask((client) =>
      client.ask(DescribeProducersRequest, DescribeProducersResponse, 0, { topics }),
    );
    return answer.topics[0]!.partitions[0]!;
  }

  async crash(kind: 'process' | 'power'): Promise<void> {
    this.cluster.broker(0).crash(kind);
    await this.cluster.broker(0).start();
    await this.cluster.until('it leads', async () => {
      const leads = (await this.cluster.leaderOf(0, 't')) === 0;
      const partition = partitionFor(GROUP, OFFSETS_PARTITIONS);
      return leads && (await this.cluster.leaderOf(0, '__consumer_offsets', partition)) === 0;
    });
    await this.cluster.sim.runFor(1000);
  }
}

const ok = { errorCode: ErrorCode.NONE, errorMessage: null };

test('where an answer has no room for records it tells of the aborted transactions among them', async () => {
  const world = await World.start();
  await world.cluster.createTopic('s', [[0]]);
  await world.cluster.produce(0, 's', 'first');
  assert.deepEqual(await world.write('a', 0), ok);
  assert.equal(await world.mark(false), ErrorCode.NONE);
  const topics = ['s', 't'].flatMap((topic) => fetchRequest(topic, 0).topics ?? []);
  const request = { ...fetchRequest('s', 0), topics, maxBytes: 1, isolationLevel: 1, sessionEpoch: -1 };
  const { responses } = await world.cluster.ask(0, (client) => client.ask(FetchRequest, FetchResponse, 11, request));
  const found = responses.map(({ partitions }) => partitions[0]!);
  assert.ok((found[0]?.records?.size ?? 0) > 0);
  assert.equal(found[1]?.records?.size, 0);
  assert.deepEqual(found[1]?.abortedTransactions, [{ producerId: 9, firstOffset: 0 }]);
});

test('a transaction’s records are read once it is committed, and never if it is aborted, over kills in between', async () => {
  const world = await World.start();
  assert.deepEqual(await world.write('a', 0), ok);
  assert.deepEqual(await world.read(), []);
  await world.crash('process');
  assert.deepEqual(await world.read(), [], 'still open');
  assert.equal((await world.producers()).activeProducers[0]?.currentTxnStartOffset, 0);
  assert.deepEqual(await world.write('b', 1), ok);
  assert.equal(await world.mark(true), ErrorCode.NONE);
  assert.deepEqual(await world.read(), ['a', 'b']);
  assert.deepEqual(await world.write('c', 2), ok);
  assert.equal(await world.mark(false), ErrorCode.NONE);
  await world.crash('process');
  assert.deepEqual(await world.read(), ['a', 'b'], 'the index of aborted transactions was made again');
  assert.equal(await world.ends(-1, 1), 5);
  assert.equal((await world.producers()).activeProducers[0]?.currentTxnStartOffset, -1);
  assert.deepEqual(world.cluster.failures, []);
});

test('where nothing is decided yet there is no record of any time for who reads what is committed', async () => {
  const world = await World.start();
  await world.write('a', 0);
  assert.equal(await world.ends(1_700_000_000_000, 0), 0);
  assert.equal(await world.ends(1_700_000_000_000, 1), -1);
  assert.equal(await world.ends(-1, 0), 1);
  assert.equal(await world.ends(-1, 1), 0);
  assert.equal(await world.ends(-2, 1), 0);
});

test('a reader that waits for what is committed is woken by the marker', async () => {
  const world = await World.start();
  await world.write('a', 0);
  const { sim } = world.cluster;
  const client = world.cluster.connectTo(0);
  const request = { ...fetchRequest('t', 0, { maxWaitMs: 30_000 }), isolationLevel: 1, sessionEpoch: -1 };
  const fetching = client.ask(FetchRequest, FetchResponse, 11, request);
  const before = sim.nowMs;
  await world.mark(true);
  const answer = await world.cluster.run(fetching);
  client.close();
  assert.ok(sim.nowMs - before < 5000, `after ${sim.nowMs - before} ms`);
  assert.equal(answer.responses[0]?.partitions[0]?.lastStableOffset, 2);
});

test('committed offsets follow their transaction, over kills in between', async () => {
  const world = await World.start();
  assert.equal(await world.commit(5), ErrorCode.NONE);
  assert.equal(await world.offset(), Number.NaN);
  await world.crash('process');
  assert.equal(await world.offset(), Number.NaN, 'still open');
  assert.equal(await world.markOffsets(true), ErrorCode.NONE);
  assert.equal(await world.offset(), 5);
  assert.equal(await world.commit(6), ErrorCode.NONE);
  assert.equal(await world.markOffsets(false), ErrorCode.NONE);
  await world.crash('process');
  assert.equal(await world.offset(), 5);
});

test('markers of transactions of version 2 have an epoch above that of their records', async () => {
  const world = await World.start();
  await world.write('a', 0);
  assert.equal(await world.mark(true, { version: 2 }), ErrorCode.INVALID_PRODUCER_EPOCH, 'a late one');
  assert.deepEqual(await world.read(), []);
  assert.equal(await world.mark(true, { version: 2, epoch: 1 }), ErrorCode.NONE);
  assert.equal(await world.mark(true, { version: 2, epoch: 1 }), ErrorCode.NONE, 'once more');
  assert.deepEqual(await world.read(), ['a']);
  assert.equal((await world.write('b', 1)).errorCode, ErrorCode.INVALID_PRODUCER_EPOCH);
  assert.deepEqual(await world.write('b', 0, 1), ok);
});

test('markers for partitions that are not here, and of coordinators of the past, are refused one by one', async () => {
  const world = await World.start();
  assert.equal(await world.mark(true, { partition: 7 }), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  assert.equal(await world.mark(true, { topic: 'missing' }), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  assert.equal(await world.mark(true, { coordinatorEpoch: 3 }), ErrorCode.NONE);
  assert.equal(await world.mark(true, { coordinatorEpoch: 2 }), ErrorCode.TRANSACTION_COORDINATOR_FENCED);
});

test('without a coordinator that could be asked no transaction writes, nor commits offsets', async () => {
  const world = await World.start(true);
  assert.deepEqual(await world.write('a', 0), {
    errorCode: ErrorCode.NOT_ENOUGH_REPLICAS,
    errorMessage:
      'Unable to verify the partition has been added to the transaction. Underlying error: COORDINATOR_NOT_AVAILABLE',
  });
  assert.equal(await world.commit(1), ErrorCode.COORDINATOR_NOT_AVAILABLE);
  assert.equal(await world.ends(-1, 0), 0);
  assert.equal(await world.offset(), -1);
});
