import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../protocol/errors.ts';
import { LeaderAndIsrRequest, LeaderAndIsrResponse } from '../protocol/messages/04-leader-and-isr.ts';
import { StopReplicaRequest, StopReplicaResponse } from '../protocol/messages/05-stop-replica.ts';
import { UpdateMetadataRequest, UpdateMetadataResponse } from '../protocol/messages/06-update-metadata.ts';
import { ControlledShutdownRequest, ControlledShutdownResponse } from '../protocol/messages/07-controlled-shutdown.ts';
import { ClusterWorld } from './testkit/cluster-world.ts';

const order = (leaderEpoch: number, replicas: number[] = [0]) => ({
  topicName: 't',
  partitionIndex: 0,
  controllerEpoch: 1,
  leader: 0,
  leaderEpoch,
  isr: replicas,
  partitionEpoch: 0,
  replicas,
  addingReplicas: [],
  removingReplicas: [],
  isNew: false,
  leaderRecoveryState: 0,
});

async function world() {
  const cluster = await new ClusterWorld().start();
  await cluster.createTopic('t', [[0]]);
  await cluster.produce(0, 't', 'kept');
  const topicId = String((await cluster.json('/brokers/topics/t')).topic_id);
  const brokerEpoch = Number((await cluster.run(cluster.zk.exists('/brokers/ids/0')))?.czxid);
  const header = { controllerId: 0, controllerEpoch: 1, brokerEpoch };
  const lead = async (more: Partial<LeaderAndIsrRequest>, leaderEpoch: number, id = topicId, replicas = [0]) => {
    const topicStates = [{ topicName: 't', topicId: id, partitionStates: [order(leaderEpoch, replicas)] }];
    const answer = await cluster.ask(0, (client) =>
      client.ask(LeaderAndIsrRequest, LeaderAndIsrResponse, 7, { ...header, topicStates, ...more }),
    );
    return answer.errorCode !== ErrorCode.NONE ? answer.errorCode : answer.topics[0]?.partitionErrors[0]?.errorCode;
  };
  const stop = async (leaderEpoch: number, deletePartition: boolean, more: Partial<StopReplicaRequest> = {}) => {
    const partitionStates = [{ partitionIndex: 0, leaderEpoch, deletePartition }];
    const answer = await cluster.ask(0, (client) =>
      client.ask(StopReplicaRequest, StopReplicaResponse, 4, {
        ...header,
        topicStates: [{ topicName: 't', partitionStates }],
        ...more,
      }),
    );
    return answer.errorCode !== ErrorCode.NONE ? answer.errorCode : answer.partitionErrors[0]?.errorCode;
  };
  return { cluster, header, topicId, lead, stop };
}

test('orders of an older controller, and orders to an earlier life of the broker, are refused', async () => {
  const { cluster, header, lead, stop } = await world();
  assert.equal(await lead({ controllerEpoch: 0 }, 9), ErrorCode.STALE_CONTROLLER_EPOCH);
  assert.equal(await lead({ brokerEpoch: header.brokerEpoch - 1 }, 9), ErrorCode.STALE_BROKER_EPOCH);
  assert.equal(await stop(9, true, { controllerEpoch: 0 }), ErrorCode.STALE_CONTROLLER_EPOCH);
  const update = await cluster.ask(0, (client) =>
    client.ask(UpdateMetadataRequest, UpdateMetadataResponse, 8, { ...header, controllerEpoch: 0, liveBrokers: [] }),
  );
  assert.equal(update.errorCode, ErrorCode.STALE_CONTROLLER_EPOCH);
  assert.equal((await cluster.metadata(0)).brokers.length, 1);
  assert.equal(await cluster.produce(0, 't', 'x'), 1);
  assert.equal(await lead({ controllerEpoch: 5 }, 1), ErrorCode.NONE);
  assert.equal(await lead({ controllerEpoch: 4 }, 2), ErrorCode.STALE_CONTROLLER_EPOCH, 'the newest counts');
});

test('only a newer leader epoch moves a partition, only its own topic id, only to a broker that has a replica', async () => {
  const { cluster, lead } = await world();
  assert.equal(await lead({}, 0), ErrorCode.STALE_CONTROLLER_EPOCH);
  assert.equal(await lead({}, 1, 'AAAAAAAAAAAAAAAAAAAAAQ'), ErrorCode.INCONSISTENT_TOPIC_ID);
  assert.equal(await lead({}, 1, undefined, [4, 5]), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  assert.equal(await lead({}, 1), ErrorCode.NONE);
  assert.equal(await cluster.produce(0, 't', 'x'), 1);
});

test('a replica stops when it is told so at its epoch; what is deleted is gone, what is stopped comes back', async () => {
  const { cluster, lead, stop } = await world();
  assert.equal(await lead({}, 3), ErrorCode.NONE);
  assert.equal(await stop(2, false), ErrorCode.FENCED_LEADER_EPOCH);
  assert.equal(await stop(3, false), ErrorCode.NONE);
  assert.equal(await lead({}, 4), ErrorCode.NONE);
  assert.equal(await cluster.count(0, 't'), 1);
  assert.equal(await stop(-2, true), ErrorCode.NONE);
  assert.equal(await stop(-2, true), ErrorCode.NONE, 'nothing is stopped easily');
  assert.equal(await lead({}, 5), ErrorCode.NONE);
  assert.equal(await cluster.count(0, 't'), 0);
});

test('a log is not made again while it is being deleted', async () => {
  const { cluster, lead, header, topicId } = await world();
  // Two connections, as of two controllers.
  const [one, other] = [cluster.connectTo(0), cluster.connectTo(0)];
  const partitionStates = [{ partitionIndex: 0, leaderEpoch: -2, deletePartition: true }];
  const deleted = one.ask(StopReplicaRequest, StopReplicaResponse, 4, {
    ...header,
    topicStates: [{ topicName: 't', partitionStates }],
  });
  const made = other.ask(LeaderAndIsrRequest, LeaderAndIsrResponse, 7, {
    ...header,
    topicStates: [{ topicName: 't', topicId, partitionStates: [order(6)] }],
  });
  await cluster.run(Promise.all([deleted, made]));
  await lead({}, 7);
  const before = await cluster.count(0, 't');
  assert.equal(await cluster.produce(0, 't', 'x'), before);
  await cluster.sim.runFor(120_000);
  cluster.broker(0).crash('process');
  await cluster.broker(0).start();
  await cluster.until('it leads', async () => (await cluster.leaderOf(0, 't')) === 0);
  assert.equal(await cluster.count(0, 't'), before + 1);
  assert.deepEqual(cluster.failures, []);
});

test('a broker that is not there cannot leave, nor can an earlier life of one that is', async () => {
  const { cluster, header } = await world();
  const leave = async (brokerId: number, brokerEpoch: number) =>
    (
      await cluster.ask(0, (client) =>
        client.ask(ControlledShutdownRequest, ControlledShutdownResponse, 3, { brokerId, brokerEpoch }),
      )
    ).errorCode;
  assert.equal(await leave(9, -1), ErrorCode.BROKER_NOT_AVAILABLE);
  assert.equal(await leave(9, header.brokerEpoch), ErrorCode.UNKNOWN_SERVER_ERROR);
  assert.equal(await leave(0, header.brokerEpoch - 1), ErrorCode.STALE_BROKER_EPOCH);
});
