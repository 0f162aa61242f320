import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../protocol/errors.ts';
import { OffsetCommitRequest, OffsetCommitResponse } from '../protocol/messages/08-offset-commit.ts';
import { OffsetFetchRequest, OffsetFetchResponse } from '../protocol/messages/09-offset-fetch.ts';
import { FindCoordinatorRequest, FindCoordinatorResponse } from '../protocol/messages/10-find-coordinator.ts';
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../protocol/messages/44-incremental-alter-configs.ts';
import { AlterOperation, ResourceType } from './config/config-change.ts';
import { ClusterWorld } from './testkit/cluster-world.ts';

const OFFSETS = '/kafka/__consumer_offsets-0';

async function world(keys: Record<string, string | number>): Promise<ClusterWorld> {
  const kafka = { 'offsets.topic.num.partitions': 1, 'offsets.topic.segment.bytes': 4_000, ...keys };
  const cluster = await new ClusterWorld({ kafka }).start();
  await cluster.createTopic('t', [[0]]);
  await cluster.until('a coordinator', async () => {
    const found = await cluster.ask(0, (client) =>
      client.ask(FindCoordinatorRequest, FindCoordinatorResponse, 2, { key: 'g', keyType: 0 }),
    );
    return found.errorCode === ErrorCode.NONE;
  });
  return cluster;
}

async function commit(cluster: ClusterWorld, committedOffset: number): Promise<void> {
  await cluster.until('a commit', async () => {
    const { topics } = await cluster.ask(0, (client) =>
      client.ask(OffsetCommitRequest, OffsetCommitResponse, 6, {
        groupId: 'g',
        generationIdOrMemberEpoch: -1,
        memberId: '',
        topics: [
          { name: 't', topicId: '', partitions: [{ partitionIndex: 0, committedOffset, committedMetadata: '' }] },
        ],
      } as never),
    );
    return topics[0]?.partitions[0]?.errorCode === ErrorCode.NONE;
  });
}

async function committed(cluster: ClusterWorld): Promise<number> {
  const answer = await cluster.ask(0, (client) =>
    client.ask(OffsetFetchRequest, OffsetFetchResponse, 5, {
      groupId: 'g',
      topics: [{ name: 't', partitionIndexes: [0] }],
    } as never),
  );
  return answer.topics[0]?.partitions[0]?.committedOffset ?? -1;
}

function bytesOf(cluster: ClusterWorld): number {
  const { disk } = cluster.broker(0).machine.runtime;
  const logs = disk.list(OFFSETS).filter(({ name }) => name.endsWith('.log'));
  return logs.reduce((sum, { name }) => sum + (disk.stat(`${OFFSETS}/${name}`)?.size ?? 0), 0);
}

test('__consumer_offsets is compacted, and a restart finds what was committed last', async () => {
  const cluster = await world({ 'log.cleaner.backoff.ms': 2_000 });
  for (let offset = 1; offset <= 120; offset += 1) await commit(cluster, offset);
  const before = bytesOf(cluster);
  await cluster.sim.runFor(5_000);
  assert.ok(bytesOf(cluster) < before / 2, `${before} bytes became ${bytesOf(cluster)}`);
  cluster.broker(0).crash('process');
  await cluster.broker(0).restart();
  await cluster.until('the group is loaded', async () => (await committed(cluster)) === 120);
});

test('with log.cleaner.enable=false nothing is compacted', async () => {
  const cluster = await world({ 'log.cleaner.backoff.ms': 2_000, 'log.cleaner.enable': 'false' });
  for (let offset = 1; offset <= 60; offset += 1) await commit(cluster, offset);
  const before = bytesOf(cluster);
  await cluster.sim.runFor(10_000);
  assert.equal(bytesOf(cluster), before);
});

async function configure(cluster: ClusterWorld, name: string, value: string): Promise<void> {
  const configs = [{ name, configOperation: AlterOperation.set, value }];
  const resources = [{ resourceType: ResourceType.broker, resourceName: '', configs }];
  const answer = await cluster.ask(0, (client) =>
    client.ask(IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse, 1, { resources }),
  );
  assert.equal(answer.responses[0]?.errorCode, ErrorCode.NONE, answer.responses[0]?.errorMessage ?? '');
}

test('log.cleaner.* that change while the broker runs reach the cleaner, and what it cannot work with does not', async () => {
  const cluster = await world({ 'log.cleaner.backoff.ms': 86_400_000 });
  for (let offset = 1; offset <= 120; offset += 1) await commit(cluster, offset);
  const before = bytesOf(cluster);
  await cluster.sim.runFor(60_000);
  assert.equal(bytesOf(cluster), before, 'it still waits');
  await configure(cluster, 'log.cleaner.io.buffer.load.factor', '0');
  await configure(cluster, 'log.cleaner.backoff.ms', '2000');
  await cluster.sim.runFor(5000);
  assert.equal(bytesOf(cluster), before, 'an offset map that nothing fits into');
  await configure(cluster, 'log.cleaner.io.buffer.load.factor', '0.5');
  await cluster.sim.runFor(5000);
  assert.ok(bytesOf(cluster) < before / 2, `${before} bytes became ${bytesOf(cluster)}`);
});
