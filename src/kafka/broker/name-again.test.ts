import assert from 'node:assert/strict';
import test from 'node:test';
import { ProduceRequest } from '../protocol/messages/00-produce.ts';
import { CreateTopicsRequest } from '../protocol/messages/19-create-topics.ts';
import { DeleteTopicsRequest } from '../protocol/messages/20-delete-topics.ts';
import { DeleteRecordsRequest, DeleteRecordsResponse } from '../protocol/messages/21-delete-records.ts';
import { ClusterWorld } from './testkit/cluster-world.ts';
import { encodeRequest } from './testkit/raw-client.ts';
import { batchOf, produceRequest } from './testkit/requests.ts';

const TOPIC = 't';
const SENT = 5;
const DELETED = 3;
const kafka = {
  'log.flush.interval.messages': 1,
  'log.flush.offset.checkpoint.interval.ms': 1000,
  'log.flush.start.offset.checkpoint.interval.ms': 1000,
  'replica.high.watermark.checkpoint.interval.ms': 1000,
};

/** A topic of which some records are deleted, which its log dir’s checkpoints say. */
async function started(seed: number): Promise<ClusterWorld> {
  const world = await new ClusterWorld({ seed, kafka }).start();
  await world.createTopic(TOPIC, [[0]]);
  for (let sent = 0; sent < SENT; sent += 1) await world.produce(0, TOPIC, 'old');
  const topics = [{ name: TOPIC, partitions: [{ partitionIndex: 0, offset: DELETED }] }];
  await world.ask(0, (client) =>
    client.ask(DeleteRecordsRequest, DeleteRecordsResponse, 1, { topics, timeoutMs: 5000 }),
  );
  await world.sim.runFor(1500);
  return world;
}

/** The topic goes, another of its name comes and gets a record, and nobody waits for an answer: the broker may die of any of it. */
async function makeAnew(world: ClusterWorld): Promise<void> {
  const client = world.connectTo(0);
  client.write(encodeRequest(DeleteTopicsRequest, 4, { topicNames: [TOPIC], timeoutMs: 5000 }));
  await world.sim.runFor(1000);
  const assignments = [{ partitionIndex: 0, brokerIds: [0] }];
  const topic = { name: TOPIC, numPartitions: -1, replicationFactor: -1, assignments, configs: [] };
  client.write(encodeRequest(CreateTopicsRequest, 4, { topics: [topic], timeoutMs: 5000 }));
  await world.sim.runFor(1000);
  client.write(encodeRequest(ProduceRequest, 8, produceRequest(TOPIC, batchOf(['new']), -1)));
  await world.sim.runFor(1000);
}

async function topicId(world: ClusterWorld): Promise<unknown> {
  const path = `/brokers/topics/${TOPIC}`;
  return (await world.exists(path)) ? (await world.json(path)).topic_id : undefined;
}

async function restart(world: ClusterWorld): Promise<void> {
  await world.broker(0).start();
  await world.until('nothing waits to be deleted', async () => !(await world.exists(`/admin/delete_topics/${TOPIC}`)));
}

const leads = (world: ClusterWorld) => async () => (await world.leaderOf(0, TOPIC)) === 0;

/** Every so many of the changes to its disk that a broker makes meanwhile. */
const STRIDE = 5;

test('a topic under the name of a deleted one has its own records, whenever a crash came', async () => {
  for (const kind of ['process', 'power'] as const) {
    let isThroughout = false;
    for (let at = 1; !isThroughout; at += STRIDE) {
      const world = await started(at);
      const oldId = await topicId(world);
      const { disk } = world.broker(0).machine;
      disk.setTrap({ at, changesOnly: true, act: () => world.broker(0).crash(kind) });
      await makeAnew(world);
      isThroughout = disk.faults.isTrapSet;
      if (isThroughout) disk.faults.clear();
      else await restart(world);
      const id = await topicId(world);
      assert.notEqual(id, oldId, 'a deletion that was accepted ends');
      if (id === undefined) await world.createTopic(TOPIC, [[0]]);
      await world.until('it leads', leads(world));
      const first = await world.produce(0, TOPIC, 'x');
      assert.ok(first <= 1, `${kind} at ${at}: ${first}`);
      world.broker(0).crash('process');
      await restart(world);
      await world.until('it leads', leads(world));
      assert.equal(await world.produce(0, TOPIC, 'y'), first + 1, `${kind} at ${at}`);
      assert.equal(await world.count(0, TOPIC), first + 2, `${kind} at ${at}`);
    }
  }
});
