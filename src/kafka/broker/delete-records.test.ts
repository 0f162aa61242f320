import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../protocol/errors.ts';
import { DeleteRecordsRequest, DeleteRecordsResponse } from '../protocol/messages/21-delete-records.ts';
import {
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
} from '../protocol/messages/23-offset-for-leader-epoch.ts';
import {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from '../protocol/messages/45-alter-partition-reassignments.ts';
import { ClusterWorld } from './testkit/cluster-world.ts';

/** Answers error code and low watermark. */
async function deleteRecords(world: ClusterWorld, offset: number, timeoutMs = 5000): Promise<[number, number]> {
  const answer = await world.ask(0, (client) =>
    client.ask(DeleteRecordsRequest, DeleteRecordsResponse, 2, {
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, offset }] }],
      timeoutMs,
    }),
  );
  const result = answer.topics[0]?.partitions[0];
  return [result?.errorCode ?? -1, result?.lowWatermark ?? -1];
}

async function worldWithRecords(): Promise<ClusterWorld> {
  const world = await new ClusterWorld().start();
  await world.createTopic('t', [[0]]);
  for (const value of ['a', 'b', 'c']) await world.produce(0, 't', value);
  return world;
}

test('records below an offset are gone, also after a restart; what is gone does not come back', async () => {
  const world = await worldWithRecords();
  assert.deepEqual(await deleteRecords(world, 2), [ErrorCode.NONE, 2]);
  assert.deepEqual(await deleteRecords(world, 1), [ErrorCode.NONE, 2]);
  await assert.rejects(world.count(0, 't'), { code: ErrorCode.OFFSET_OUT_OF_RANGE });
  await world.broker(0).stop();
  await world.broker(0).start();
  assert.deepEqual(await deleteRecords(world, 0), [ErrorCode.NONE, 2]);
  assert.deepEqual(await deleteRecords(world, -1), [ErrorCode.NONE, 3]);
  assert.equal(await world.produce(0, 't', 'd'), 3);
});

test('offsets above the high watermark and below nothing are out of range', async () => {
  const world = await worldWithRecords();
  assert.deepEqual(await deleteRecords(world, 4), [ErrorCode.OFFSET_OUT_OF_RANGE, -1]);
  assert.deepEqual(await deleteRecords(world, -2), [ErrorCode.OFFSET_OUT_OF_RANGE, -1]);
  assert.equal(await world.count(0, 't'), 3);
});

test('while another live replica is not known to have deleted, the answer waits until its time is up', async () => {
  const world = await new ClusterWorld({ brokers: 2 }).start();
  await world.createTopic('t', [[0, 1]]);
  await world.produce(0, 't', 'a', 0, 1);
  const startedMs = world.sim.nowMs;
  assert.deepEqual(await deleteRecords(world, 0, 3000), [ErrorCode.REQUEST_TIMED_OUT, -1]);
  assert.ok(world.sim.nowMs - startedMs >= 3000);
  world.broker(1).crash('process');
  await world.until('broker 1 is gone', async () => (await world.metadata(0)).brokers.length === 1);
  assert.deepEqual(await deleteRecords(world, 0, 3000), [ErrorCode.NONE, 0]);
});

test('each leader epoch ends where the next begins, the last at the end of the log', async () => {
  const world = await worldWithRecords();
  // To move where it is gives a partition another leader epoch.
  await world.ask(0, (client) =>
    client.ask(AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse, 0, {
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, replicas: [0] }] }],
    }),
  );
  const current = 1;
  await world.produce(0, 't', 'd');
  const ends = async (leaderEpoch: number, currentLeaderEpoch = -1): Promise<number[]> => {
    const answer = await world.ask(0, (client) =>
      client.ask(OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse, 4, {
        replicaId: -1,
        topics: [{ topic: 't', partitions: [{ partition: 0, currentLeaderEpoch, leaderEpoch }] }],
      }),
    );
    const found = answer.topics[0]?.partitions[0];
    assert.ok(found);
    return [found.errorCode, found.leaderEpoch, found.endOffset];
  };
  assert.deepEqual(await ends(0), [ErrorCode.NONE, 0, 3]);
  assert.deepEqual(await ends(current), [ErrorCode.NONE, current, 4]);
  assert.deepEqual(await ends(current + 1), [ErrorCode.NONE, -1, -1]);
  assert.deepEqual(await ends(0, current - 1), [ErrorCode.FENCED_LEADER_EPOCH, -1, -1]);
  assert.deepEqual(await ends(0, -2), [ErrorCode.FENCED_LEADER_EPOCH, -1, -1]);
  assert.deepEqual(await ends(0, current + 1), [ErrorCode.UNKNOWN_LEADER_EPOCH, -1, -1]);
});
