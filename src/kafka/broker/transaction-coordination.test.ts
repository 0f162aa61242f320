import assert from 'node:assert/strict';
import test from 'node:test';
import { build, ZERO_UUID } from '../../wire/schema.ts';
import type { ChannelTarget, OpenChannel } from '../channel/broker-channel.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { FindCoordinatorRequest, FindCoordinatorResponse } from '../protocol/messages/10-find-coordinator.ts';
import { DeleteTopicsRequest, DeleteTopicsResponse } from '../protocol/messages/20-delete-topics.ts';
import { InitProducerIdRequest, InitProducerIdResponse } from '../protocol/messages/22-init-producer-id.ts';
import {
  AddPartitionsToTxnRequest,
  AddPartitionsToTxnResponse,
} from '../protocol/messages/24-add-partitions-to-txn.ts';
import { EndTxnRequest, EndTxnResponse } from '../protocol/messages/26-end-txn.ts';
import { WriteTxnMarkersResponse } from '../protocol/messages/27-write-txn-markers.ts';
import {
  DescribeTransactionsRequest,
  DescribeTransactionsResponse,
} from '../protocol/messages/65-describe-transactions.ts';
import { MetadataCache } from '../replication/metadata-cache.ts';
import type { TopicAssignment } from '../zk/znodes.ts';
import { ClusterWorld } from './testkit/cluster-world.ts';
import { MarkerChannels } from './transaction-coordination.ts';

const TOPIC = 't';
const marker = (transactionVersion: number) => ({
  producerId: 1,
  producerEpoch: 0,
  transactionResult: true,
  topics: [{ name: TOPIC, partitionIndexes: [0] }],
  coordinatorEpoch: 0,
  transactionVersion,
});

/** Brokers 1 and 2 live, partition 0 led by 1, partition 1 by 3, which does not, partition 2 by nobody. */
function channelsWorld() {
  const metadata = new MetadataCache();
  const live = (port: number): void => {
    const endpoint = (host: string) => [{ listener: 'BROKERS', host, port }];
    metadata.update({
      controllerId: 1,
      brokers: [
        { id: 1, rack: null, endpoints: endpoint('one') },
        { id: 2, rack: null, endpoints: [{ listener: 'CLIENTS', host: 'two', port }] },
      ],
      topics: [{ name: TOPIC, id: ZERO_UUID, partitions: [1, 3, -1, 2].map(ledBy) }],
    });
  };
  const znodes = new Map<string, TopicAssignment>();
  const sent: { readonly target: ChannelTarget; readonly version: number }[] = [];
  const closed: ChannelTarget[] = [];
  const openChannel: OpenChannel = (target) => ({
    send: (_request, _response, version) => {
      sent.push({ target, version });
      return Promise.resolve(build(WriteTxnMarkersResponse, { markers: [] }) as never);
    },
    close: () => closed.push(target),
  });
  const channels = new MarkerChannels({
    config: { interBrokerListenerName: 'BROKERS' },
    zk: { topic: (name) => Promise.resolve(znodes.get(name)) },
    metadata,
    openChannel,
  });
  live(9092);
  return { channels, znodes, sent, closed, live };
}

function ledBy(leader: number, partition: number) {
  const none = { isr: [], replicas: [], offlineReplicas: [], controllerEpoch: 0, zkVersion: 0 };
  return { topic: TOPIC, partition, leader, leaderEpoch: 0, ...none };
}

const replica = { replicas: [1], addingReplicas: [], removingReplicas: [] };

test('a leader is who can be reached on the listener of brokers', () => {
  const { channels } = channelsWorld();
  assert.deepEqual(channels.leaderOf(TOPIC, 0), { kind: 'broker', id: 1 });
  for (const partition of [1, 2, 3]) assert.deepEqual(channels.leaderOf(TOPIC, partition), { kind: 'none' });
  assert.deepEqual(channels.leaderOf(TOPIC, 4), { kind: 'unknown' });
  assert.deepEqual(channels.leaderOf('other', 0), { kind: 'unknown' });
});

test('a partition is gone when ZooKeeper does not know it either', async () => {
  const { channels, znodes } = channelsWorld();
  znodes.set('other', { topicId: ZERO_UUID, partitions: new Map([[0, replica]]) });
  assert.equal(await channels.isGone('other', 0), false);
  assert.equal(await channels.isGone('other', 1), true);
  assert.equal(await channels.isGone('never', 0), true);
});

test('markers go in the version that every broker of the cluster knows', async () => {
  const { channels, sent } = channelsWorld();
  await channels.write(1, [marker(0)]);
  await channels.write(1, [marker(0), marker(2)]);
  assert.deepEqual(
    sent.map(({ version }) => version),
    [1, 2],
  );
  await assert.rejects(channels.write(3, [marker(0)]));
});

test('a broker that has come back elsewhere is found there', async () => {
  const { channels, sent, closed, live } = channelsWorld();
  await channels.write(1, [marker(0)]);
  await channels.write(1, [marker(0)]);
  live(9093);
  await channels.write(1, [marker(0)]);
  assert.deepEqual(
    sent.map(({ target }) => target.port),
    [9092, 9092, 9093],
  );
  channels.close();
  assert.deepEqual(
    closed.map(({ port }) => port),
    [9092, 9093],
  );
});

test('a transaction of a topic that is deleted meanwhile comes to its end', async () => {
  const world = await new ClusterWorld({ kafka: { 'transaction.state.log.replication.factor': 1 } }).start();
  for (const name of [TOPIC, 'kept']) await world.createTopic(name, [[0]]);
  const init = { transactionalId: 'x', transactionTimeoutMs: 60_000 };
  const ask = <T>(request: Parameters<typeof world.ask<T>>[1]): Promise<T> => world.ask(0, request);
  await world.until('transactions are coordinated', async () => {
    const found = await ask((client) =>
      client.ask(FindCoordinatorRequest, FindCoordinatorResponse, 1, { key: 'x', keyType: 1 }),
    );
    return found.errorCode === ErrorCode.NONE;
  });
  const { producerId, producerEpoch, errorCode } = await ask((client) =>
    client.ask(InitProducerIdRequest, InitProducerIdResponse, 4, init),
  );
  assert.equal(errorCode, ErrorCode.NONE);
  await ask((client) =>
    client.ask(AddPartitionsToTxnRequest, AddPartitionsToTxnResponse, 3, {
      v3AndBelowTransactionalId: 'x',
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: producerEpoch,
      v3AndBelowTopics: [TOPIC, 'kept'].map((name) => ({ name, partitions: [0] })),
    }),
  );
  await ask((client) =>
    client.ask(DeleteTopicsRequest, DeleteTopicsResponse, 3, { topicNames: [TOPIC], timeoutMs: 5000 }),
  );
  const end = { transactionalId: 'x', producerId, producerEpoch, committed: true };
  assert.equal((await ask((client) => client.ask(EndTxnRequest, EndTxnResponse, 3, end))).errorCode, ErrorCode.NONE);
  await world.until('the transaction is complete', async () => {
    const described = await ask((client) =>
      client.ask(DescribeTransactionsRequest, DescribeTransactionsResponse, 0, { transactionalIds: ['x'] }),
    );
    return described.transactionStates[0]?.transactionState === 'CompleteCommit';
  });
});

test('a partition that is named again is told of once where its outcome is its own', async () => {
  const world = await new ClusterWorld().start();
  await world.createTopic(TOPIC, [[0]]);
  const { resultsByTopicV3AndBelow: results } = await world.ask(0, (client) =>
    client.ask(AddPartitionsToTxnRequest, AddPartitionsToTxnResponse, 3, {
      v3AndBelowTransactionalId: 'x',
      v3AndBelowTopics: [[0, 0, 7], [7]].map((partitions) => ({ name: TOPIC, partitions })),
    }),
  );
  assert.deepEqual(
    results.map(({ name, resultsByPartition }) => [
      name,
      resultsByPartition.map(({ partitionIndex, partitionErrorCode }) => [partitionIndex, partitionErrorCode]),
    ]),
    [
      [
        TOPIC,
        [
          [0, ErrorCode.OPERATION_NOT_ATTEMPTED],
          [7, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
        ],
      ],
    ],
  );
});
