/** A streams group in a cluster: the broker makes what its topology lacks, and says why where it cannot. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { build } from '../../wire/schema.ts';
import { counting } from '../coordinator/group/testkit/streams-world.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { FindCoordinatorRequest, FindCoordinatorResponse } from '../protocol/messages/10-find-coordinator.ts';
import {
  StreamsGroupHeartbeatRequest,
  StreamsGroupHeartbeatResponse,
} from '../protocol/messages/88-streams-group-heartbeat.ts';
import { ClusterWorld } from './testkit/cluster-world.ts';

type Topology = ReturnType<typeof counting>;

async function world(): Promise<ClusterWorld> {
  const cluster = await new ClusterWorld({
    kafka: {
      'offsets.topic.num.partitions': '1',
      'offsets.topic.replication.factor': '1',
      'group.streams.initial.rebalance.delay.ms': '0',
      'group.streams.assignment.interval.ms': '0',
    },
  }).start();
  await cluster.createTopic('t', [[0], [0], [0]]);
  await cluster.until('the coordinator', async () => {
    const asked = build(FindCoordinatorRequest, { key: 'g', keyType: 0 });
    const found = await cluster.ask(0, (client) =>
      client.ask(FindCoordinatorRequest, FindCoordinatorResponse, 1, asked),
    );
    return found.errorCode === ErrorCode.NONE;
  });
  return cluster;
}

function beat(cluster: ClusterWorld, memberEpoch: number, topology: Topology): Promise<StreamsGroupHeartbeatResponse> {
  const isJoin = memberEpoch === 0;
  const request = build(StreamsGroupHeartbeatRequest, {
    groupId: 'g',
    memberId: 'm',
    memberEpoch,
    rebalanceTimeoutMs: isJoin ? 1000 : -1,
    topology: isJoin ? topology : null,
    activeTasks: isJoin ? [] : null,
    standbyTasks: isJoin ? [] : null,
    warmupTasks: isJoin ? [] : null,
    processId: 'p',
  });
  return cluster.ask(0, (client) =>
    client.ask(StreamsGroupHeartbeatRequest, StreamsGroupHeartbeatResponse, 1, request),
  );
}

/** Joins once the coordinator has loaded. */
async function joined(cluster: ClusterWorld, topology: Topology): Promise<StreamsGroupHeartbeatResponse> {
  let answer: StreamsGroupHeartbeatResponse | undefined;
  await cluster.until('the member is in', async () => {
    answer = await beat(cluster, 0, topology);
    return answer.errorCode === ErrorCode.NONE;
  });
  return answer!;
}

test('a changelog comes into being with as many partitions as there are tasks', async () => {
  const cluster = await world();
  const first = await joined(cluster, counting());
  assert.deepEqual(first.activeTasks, []);
  await cluster.until('tasks', async () => {
    const { activeTasks } = await beat(cluster, 0, counting());
    return activeTasks?.[0]?.partitions.length === 3;
  });
});

test('a topic that cannot be created is told of, with the reason', async () => {
  const cluster = await world();
  const topology = counting();
  topology.subtopologies[0]!.stateChangelogTopics[0]!.topicConfigs = [{ key: 'no.such.key', value: '1' }];
  await joined(cluster, topology);
  await cluster.until('the reason', async () => {
    const { status } = await beat(cluster, 0, topology);
    const expected =
      'Internal topics are missing: counts; Creation failed: counts (Unknown topic config name: no.such.key).';
    return status?.[0]?.statusDetail === expected;
  });
});

test('topics of brokers, and names that no topic can have, belong to no topology', async () => {
  const cluster = await world();
  for (const name of ['__consumer_offsets', 'a b']) {
    const topology = counting(name);
    assert.equal((await beat(cluster, 0, topology)).errorCode, ErrorCode.STREAMS_INVALID_TOPOLOGY);
  }
});
