/** Share groups over a whole broker: what a crash, a lost connection and a deleted topic leave. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { ZERO_UUID } from '../../../wire/schema.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { MetadataRequest, MetadataResponse } from '../../protocol/messages/03-metadata.ts';
import { FindCoordinatorRequest, FindCoordinatorResponse } from '../../protocol/messages/10-find-coordinator.ts';
import { DeleteTopicsRequest, DeleteTopicsResponse } from '../../protocol/messages/20-delete-topics.ts';
import { ShareFetchRequest, ShareFetchResponse } from '../../protocol/messages/78-share-fetch.ts';
import {
  InitializeShareGroupStateRequest,
  InitializeShareGroupStateResponse,
} from '../../protocol/messages/83-initialize-share-group-state.ts';
import {
  ReadShareGroupStateSummaryRequest,
  ReadShareGroupStateSummaryResponse,
} from '../../protocol/messages/87-read-share-group-state-summary.ts';
import { ClusterWorld } from '../testkit/cluster-world.ts';
import type { RawClient } from '../testkit/raw-client.ts';

const LOCK_MS = 15_000;

type Acks = readonly (readonly [number, number, number])[];

class ShareCluster {
  readonly world: ClusterWorld;
  topicId = ZERO_UUID;

  constructor(seed = 5) {
    const kafka = {
      'share.coordinator.state.topic.num.partitions': 2,
      'share.coordinator.state.topic.replication.factor': 1,
      'share.coordinator.state.topic.min.isr': 1,
      'group.share.record.lock.duration.ms': LOCK_MS,
    };
    this.world = new ClusterWorld({ seed, kafka });
  }

  async start(): Promise<this> {
    const { world } = this;
    await world.start();
    await world.createTopic('t', [[0]]);
    const found = await world.ask(0, (client) =>
      client.ask(MetadataRequest, MetadataResponse, 12, { topics: [{ topicId: ZERO_UUID, name: 't' }] }),
    );
    this.topicId = found.topics[0]!.topicId;
    await world.until('the share coordinator initializes', async () => {
      const coordinatorKeys = [`g:${this.topicId}:0`];
      await world.ask(0, (client) =>
        client.ask(FindCoordinatorRequest, FindCoordinatorResponse, 6, { keyType: 2, coordinatorKeys }),
      );
      const topics = [{ topicId: this.topicId, partitions: [{ partition: 0, stateEpoch: 0, startOffset: 0 }] }];
      const { results } = await world.ask(0, (client) =>
        client.ask(InitializeShareGroupStateRequest, InitializeShareGroupStateResponse, 0, { groupId: 'g', topics }),
      );
      return results[0]?.partitions[0]?.errorCode === ErrorCode.NONE;
    });
    for (const value of ['a', 'b', 'c', 'd']) await world.produce(0, 't', value);
    return this;
  }

  async fetch(client: RawClient, shareSessionEpoch: number, acks: Acks = [], maxWaitMs = 0) {
    const acknowledgementBatches = acks.map(([firstOffset, lastOffset, type]) => ({
      firstOffset,
      lastOffset,
      acknowledgeTypes: [type],
    }));
    const topics = [{ topicId: this.topicId, partitions: [{ partitionIndex: 0, acknowledgementBatches }] }];
    const limits = { maxWaitMs, minBytes: 1, maxBytes: 1 << 20, maxRecords: 2, batchSize: 10 };
    const request = { groupId: 'g', memberId: 'm', shareSessionEpoch, topics, ...limits };
    const answer = await this.world.run(client.ask(ShareFetchRequest, ShareFetchResponse, 2, request));
    const data = answer.responses[0]?.partitions[0];
    return {
      errorCode: answer.errorCode,
      acknowledgeErrorCode: data?.acknowledgeErrorCode,
      acquired: data?.acquiredRecords.map((one) => [one.firstOffset, one.lastOffset, one.deliveryCount]) ?? [],
    };
  }

  async summary(): Promise<number | undefined> {
    const topics = [{ topicId: this.topicId, partitions: [{ partition: 0, leaderEpoch: 0 }] }];
    const { results } = await this.world.ask(0, (client) =>
      client.ask(ReadShareGroupStateSummaryRequest, ReadShareGroupStateSummaryResponse, 1, { groupId: 'g', topics }),
    );
    return results[0]?.partitions[0]?.startOffset;
  }
}

test('after kill -9 what was acknowledged is not delivered again, and the rest is', async () => {
  for (const seed of [1, 2, 3]) {
    const cluster = await new ShareCluster(seed).start();
    const client = cluster.world.connectTo(0);
    assert.deepEqual((await cluster.fetch(client, 0)).acquired, [[0, 1, 1]]);
    const second = await cluster.fetch(client, 1, [[0, 0, 1]]);
    assert.equal(second.acknowledgeErrorCode, ErrorCode.NONE);
    assert.deepEqual(second.acquired, [[2, 3, 1]]);
    cluster.world.broker(0).crash('process');
    await cluster.world.broker(0).start();
    const next = cluster.world.connectTo(0);
    let got: number[][] = [];
    await cluster.world.until('the coordinator is loaded', async () => {
      got = (await cluster.fetch(next, 0)).acquired;
      return got.length > 0;
    });
    assert.deepEqual(got, [[1, 2, 1]], `seed ${seed}`);
  }
});

test('a fetch that waits is answered when a lock ends', async () => {
  const cluster = await new ShareCluster().start();
  const { world } = cluster;
  const holder = world.connectTo(0);
  for (const epoch of [0, 1]) await cluster.fetch(holder, epoch);
  const startedMs = world.sim.nowMs;
  const waiting = await cluster.fetch(holder, 2, [], 60_000);
  assert.deepEqual(waiting.acquired, [[0, 1, 2]]);
  const waitedMs = world.sim.nowMs - startedMs;
  assert.ok(waitedMs > LOCK_MS - 1000 && waitedMs < LOCK_MS + 1000, `${waitedMs} ms`);
});

test('what a lost connection held comes back at once', async () => {
  const cluster = await new ShareCluster().start();
  const lost = cluster.world.connectTo(0);
  await cluster.fetch(lost, 0);
  lost.close();
  await cluster.world.sim.runFor(100);
  const next = cluster.world.connectTo(0);
  assert.deepEqual((await cluster.fetch(next, 0)).acquired, [[0, 1, 2]]);
});

test('delivery state goes with its topic', async () => {
  const cluster = await new ShareCluster().start();
  assert.equal(await cluster.summary(), 0);
  await cluster.world.ask(0, (client) =>
    client.ask(DeleteTopicsRequest, DeleteTopicsResponse, 4, { topicNames: ['t'], timeoutMs: 5000 }),
  );
  await cluster.world.sim.runFor(2000);
  const client = cluster.world.connectTo(0);
  const answer = await cluster.fetch(client, 0);
  assert.deepEqual(answer.acquired, []);
  assert.deepEqual(cluster.world.failures, []);
});
