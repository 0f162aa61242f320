import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../protocol/errors.ts';
import { OffsetCommitRequest, OffsetCommitResponse } from '../protocol/messages/08-offset-commit.ts';
import { OffsetFetchRequest, OffsetFetchResponse } from '../protocol/messages/09-offset-fetch.ts';
import { FindCoordinatorRequest, FindCoordinatorResponse } from '../protocol/messages/10-find-coordinator.ts';
import { ListGroupsRequest, ListGroupsResponse } from '../protocol/messages/16-list-groups.ts';
import { DeleteTopicsRequest, DeleteTopicsResponse } from '../protocol/messages/20-delete-topics.ts';
import { ClusterWorld } from './testkit/cluster-world.ts';

const kafka = { 'offsets.topic.num.partitions': 3, 'offsets.topic.replication.factor': 1 };
const partition = { partitionIndex: 0, committedOffset: 7, committedLeaderEpoch: -1, committedMetadata: '' };

test('a topic takes the offsets that were committed of it along, and groups that have nothing else', async () => {
  const cluster = await new ClusterWorld({ kafka }).start();
  for (const name of ['kept', 'gone']) await cluster.createTopic(name, [[0]]);
  const commit = (groupId: string, topic: string) =>
    cluster.ask(0, (client) =>
      client.ask(OffsetCommitRequest, OffsetCommitResponse, 8, {
        groupId,
        topics: [{ name: topic, topicId: '', partitions: [{ ...partition, commitTimestamp: -1 }] }],
      }),
    );
  await cluster.ask(0, (client) => client.ask(FindCoordinatorRequest, FindCoordinatorResponse, 0, { key: 'both' }));
  await cluster.until('offsets are committed', async () => {
    const { topics } = await commit('both', 'kept');
    return topics[0]?.partitions[0]?.errorCode === ErrorCode.NONE;
  });
  await commit('both', 'gone');
  await commit('only', 'gone');
  const deleted = await cluster.ask(0, (client) =>
    client.ask(DeleteTopicsRequest, DeleteTopicsResponse, 4, { topicNames: ['gone'], timeoutMs: 5000 }),
  );
  assert.equal(deleted.responses[0]?.errorCode, ErrorCode.NONE);
  const offsets = await cluster.ask(0, (client) =>
    client.ask(OffsetFetchRequest, OffsetFetchResponse, 5, { groupId: 'both', topics: null }),
  );
  assert.deepEqual(
    offsets.topics.map(({ name }) => name),
    ['kept'],
  );
  const listed = await cluster.ask(0, (client) => client.ask(ListGroupsRequest, ListGroupsResponse, 3, {}));
  assert.deepEqual(
    listed.groups.map(({ groupId }) => groupId),
    ['both'],
  );
});
