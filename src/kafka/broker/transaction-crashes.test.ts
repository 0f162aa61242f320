/** Transactions over two brokers that are killed at any moment: nothing is ever half visible, and nobody waits for ever. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { noSlices } from '../../base/slices.ts';
import { below } from '../../runtime/random.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { FetchRequest, FetchResponse } from '../protocol/messages/01-fetch.ts';
import { FindCoordinatorRequest, FindCoordinatorResponse } from '../protocol/messages/10-find-coordinator.ts';
import { batchesOf } from '../records/batch.ts';
import { readControlRecord } from '../records/control.ts';
import { recordsOf } from '../records/iterate.ts';
import { ClusterWorld } from './testkit/cluster-world.ts';
import { fetchRequest } from './testkit/requests.ts';
import { type Told, TransactionalProducer } from './testkit/transactional-producer.ts';

const TOPIC = 't';
/** One partition on each broker. */
const LEADERS = [0, 1];
const CRASHES = 4;

interface Seen {
  readonly committed: readonly string[];
  readonly aborted: readonly string[];
  readonly lastStableOffset: number;
  readonly highWatermark: number;
}

/** Fetches from an offset on; at most one segment comes at a time. */
async function fetchFrom(world: ClusterWorld, partition: number, offset: number) {
  const request = fetchRequest(TOPIC, offset);
  for (const { partitions } of request.topics ?? []) for (const one of partitions) one.partition = partition;
  const answer = await world.ask(LEADERS[partition]!, (client) =>
    client.ask(FetchRequest, FetchResponse, 11, { ...request, isolationLevel: 0, sessionEpoch: -1 }),
  );
  const result = answer.responses[0]!.partitions[0]!;
  assert.equal(result.errorCode, ErrorCode.NONE);
  return result;
}

/** What a partition holds, read from its markers. */
async function contentsOf(world: ClusterWorld, partition: number): Promise<Seen> {
  const open = new Map<number, string[]>();
  const ended = { committed: [] as string[], aborted: [] as string[] };
  let offset = 0;
  for (;;) {
    const { records, highWatermark, lastStableOffset } = await fetchFrom(world, partition, offset);
    for (const batch of batchesOf(records ?? noSlices)) {
      const { producerId, isControl, lastOffset } = batch.header;
      const values = open.get(producerId) ?? [];
      offset = lastOffset + 1;
      if (!isControl) {
        open.set(producerId, [...values, ...[...recordsOf(batch)].map(({ value }) => Buffer.from(value!).toString())]);
        continue;
      }
      const control = readControlRecord(batch);
      if (control.kind === 'endTxn') ended[control.committed ? 'committed' : 'aborted'].push(...values);
      open.delete(producerId);
    }
    if (offset < highWatermark) continue;
    assert.deepEqual([...open.keys()], [], 'every transaction has an end');
    return { ...ended, lastStableOffset, highWatermark };
  }
}

async function start(seed: number, version: number): Promise<ClusterWorld> {
  const kafka = {
    'transaction.state.log.num.partitions': 2,
    'transaction.state.log.replication.factor': 1,
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': 1000,
    'transaction.version': version,
  };
  const world = await new ClusterWorld({ brokers: 2, seed, kafka }).start();
  await world.createTopic(
    TOPIC,
    LEADERS.map((broker) => [broker]),
  );
  await world.until('transactions are coordinated', async () => {
    const request = { coordinatorKeys: ['a', 'b'], keyType: 1 };
    const { coordinators } = await world.ask(0, (client) =>
      client.ask(FindCoordinatorRequest, FindCoordinatorResponse, 4, request),
    );
    return coordinators.every(({ errorCode }) => errorCode === ErrorCode.NONE);
  });
  return world;
}

/** One transaction after the other, until told to stop; answers what it was told of each. */
async function produce(world: ClusterWorld, producer: TransactionalProducer, name: string): Promise<Map<string, Told>> {
  const told = new Map<string, Told>();
  for (let number = 0; !producer.isStopped; number += 1) {
    const value = `${name}${number}`;
    told.set(value, await producer.transact(value, below(world.sim.random, 4) > 0));
    await producer.pause(below(world.sim.random, 100));
  }
  return told;
}

async function crashAtRandom(world: ClusterWorld): Promise<void> {
  const { random } = world.sim;
  for (let crash = 0; crash < CRASHES; crash += 1) {
    // Anywhere within the life of a transaction, which takes about as long.
    await world.sim.runFor(300 + below(random, 1000) + below(random, 100) / 100);
    const broker = world.broker(below(random, LEADERS.length));
    broker.crash('process');
    await world.sim.runFor(below(random, 3000));
    await broker.start();
  }
}

async function play(seed: number, version: number): Promise<number> {
  const world = await start(seed, version);
  const { runtime } = world.sim.machine('producers');
  const producers = ['a', 'b'].map(
    (transactionalId) =>
      new TransactionalProducer({
        runtime,
        transactionalId,
        topic: TOPIC,
        leaders: LEADERS,
        hostOf: (broker) => world.broker(broker).machine.host,
        version,
      }),
  );
  const working = producers.map((producer, index) => produce(world, producer, `${'ab'[index]}-`));
  await crashAtRandom(world);
  await world.sim.runFor(3000);
  for (const producer of producers) producer.isStopped = true;
  const told = await world.run(Promise.all(working));
  // Longer than a transaction may stay open.
  await world.sim.runFor(15_000);
  for (const producer of producers) producer.close();
  const [first, second] = [await contentsOf(world, 0), await contentsOf(world, 1)];
  for (const seen of [first, second])
    assert.equal(seen.lastStableOffset, seen.highWatermark, 'readers wait for nothing');
  assert.deepEqual([...first.committed].sort(), [...second.committed].sort(), 'half a transaction is visible');
  const committed = new Set(first.committed);
  assert.equal(committed.size, first.committed.length, 'a transaction is visible twice');
  for (const [value, outcome] of told.flatMap((one) => [...one])) {
    if (outcome === 'committed') assert.ok(committed.has(value), `${value} was committed`);
    if (outcome === 'aborted') assert.ok(!committed.has(value), `${value} was aborted`);
  }
  assert.deepEqual(world.failures, []);
  return committed.size;
}

for (const version of [0, 2]) {
  for (const seed of [1, 2, 3]) {
    test(`with transaction.version ${version} and seed ${seed} every transaction is whole after kills`, async () => {
      assert.ok((await play(seed, version)) > 10, 'transactions came through');
    });
  }
}
