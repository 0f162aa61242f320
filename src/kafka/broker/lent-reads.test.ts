/**
 * Fetches from the file are answered out of memory that is used again. In the simulated world what is given back is spoilt at
 * once: a byte that is sent too late arrives wrong.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { flatten, noSlices, type Slices, slicesOf } from '../../base/slices.ts';
import { SimRandom } from '../../runtime/sim/sim-random.ts';
import { ZERO_UUID } from '../../wire/schema.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { ProduceRequest, ProduceResponse } from '../protocol/messages/00-produce.ts';
import { FetchRequest, FetchResponse } from '../protocol/messages/01-fetch.ts';
import { batchesOf } from '../records/batch.ts';
import { downConvert } from '../records/testkit/down-convert.ts';
import { ClusterWorld } from './testkit/cluster-world.ts';
import type { RawClient } from './testkit/raw-client.ts';
import { batchOf, fetchRequest, produceRequest } from './testkit/requests.ts';

const PARTITIONS = 3;
const BATCHES = 24;

interface StoredBatch {
  readonly baseOffset: number;
  readonly nextOffset: number;
  readonly bytes: Slices;
}

/** A broker that has just started, so that nothing of its partitions is in memory, and what their files hold. */
class ColdWorld {
  readonly cluster: ClusterWorld;
  readonly random: SimRandom;
  readonly stored: StoredBatch[][] = [];

  constructor(seed: number) {
    this.cluster = new ClusterWorld({ seed, kafka: { 'log.dirs': '/one,/two' } });
    this.random = new SimRandom(`readers ${seed}`);
  }

  async start(): Promise<this> {
    const { cluster, random } = this;
    await cluster.start();
    await cluster.createTopic(
      't',
      Array.from({ length: PARTITIONS }, () => [0]),
    );
    const client = cluster.connectTo(0);
    for (let index = 0; index < BATCHES * PARTITIONS; index += 1) {
      const size = random.chance(1 / 4) ? random.below(400) : random.below(150_000);
      const values = Array.from({ length: 1 + random.below(4) }, (_, at) => `${index}.${at} `.repeat(size / 20 + 1));
      const request = produceRequest('t', batchOf(values));
      for (const { partitionData } of request.topicData ?? []) {
        for (const data of partitionData) data.index = index % PARTITIONS;
      }
      const answer = await cluster.run(client.ask(ProduceRequest, ProduceResponse, 8, request));
      assert.equal(answer.responses[0]?.partitionResponses[0]?.errorCode, ErrorCode.NONE);
    }
    client.close();
    await this.restart();
    const node = cluster.broker(0);
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      // Of the two log dirs each partition goes where fewest are.
      const dir = partition % 2 === 0 ? '/one' : '/two';
      const file = node.machine.disk.peek(`${dir}/t-${partition}/00000000000000000000.log`);
      const batches = [...batchesOf(Buffer.from(file))];
      assert.equal(batches.length, BATCHES);
      this.stored.push(
        batches.map(({ header, bytes }) => ({
          baseOffset: header.baseOffset,
          nextOffset: header.lastOffset + 1,
          bytes,
        })),
      );
    }
    return this;
  }

  async restart(): Promise<void> {
    await this.cluster.broker(0).stop();
    await this.cluster.broker(0).start();
    await this.cluster.until('it leads', async () => (await this.cluster.leaderOf(0, 't', PARTITIONS - 1)) === 0);
  }

  get freeBytes(): number {
    return this.cluster.broker(0).machine.runtime.disk.buffers.freeBytes;
  }

  /** A few reads of one reader, which pauses over its answers where it is slow. */
  async read(client: RawClient, reader: { version: number; fetches: number; isSlow: boolean }): Promise<void> {
    for (let count = 0; count < reader.fetches; count += 1) {
      const asked = Array.from({ length: PARTITIONS }, () => this.random.below(BATCHES));
      const request = this.requestFor(asked, this.random.between(1000, 500_000) | 0);
      const answer = client.ask(FetchRequest, FetchResponse, reader.version, request);
      if (reader.isSlow) {
        await this.pass(this.random.between(0, 20));
        client.pause();
        await this.pass(this.random.between(0, 300));
        client.resume();
      }
      this.check(asked, reader.version, await answer);
    }
  }

  /** From the middle or the beginning of a batch of each partition. */
  requestFor(asked: readonly number[], partitionMaxBytes: number): Partial<FetchRequest> {
    const request = fetchRequest('t', 0);
    const [topic] = request.topics ?? [];
    const [first] = topic?.partitions ?? [];
    assert.ok(topic && first);
    topic.partitions = asked.map((batch, partition) => {
      const { nextOffset } = this.stored[partition]![batch]!;
      return { ...first, partition, fetchOffset: nextOffset - 1, partitionMaxBytes };
    });
    return { ...request, topics: [{ ...topic, topicId: ZERO_UUID }], sessionEpoch: -1 };
  }

  /** Every byte of the answer is that of the file, or what conversion makes of it. */
  check(asked: readonly number[], version: number, answer: FetchResponse): void {
    const partitions = answer.responses[0]?.partitions ?? [];
    assert.deepEqual(
      partitions.map(({ partitionIndex }) => partitionIndex),
      asked.map((_, partition) => partition),
    );
    let sum = 0;
    partitions.forEach(({ partitionIndex, errorCode, records }) => {
      assert.equal(errorCode, ErrorCode.NONE);
      const got = Buffer.from(flatten(records ?? noSlices));
      const want = this.#expected(this.stored[partitionIndex]!.slice(asked[partitionIndex]), version, got.length);
      assert.ok(got.equals(want), `v${version}, partition ${partitionIndex}: ${got.length} bytes are not the file's`);
      sum += got.length;
    });
    assert.ok(sum > 0);
  }

  /** The beginning of what an answer may hold: of the file, or of as many of its batches as convert to this size. */
  #expected(batches: readonly StoredBatch[], version: number, size: number): Buffer {
    const stored = (count: number): Buffer => Buffer.concat(batches.slice(0, count).map(({ bytes }) => flatten(bytes)));
    if (version >= 4) return stored(batches.length).subarray(0, size);
    const firstOffset = (batches[0]?.nextOffset ?? 1) - 1;
    for (let count = 0; ; count += 1) {
      const { slices } = downConvert(slicesOf(stored(count)), { magic: version <= 1 ? 0 : 1, firstOffset });
      // The last message may be cut where the limit is.
      if (slices.size >= size || count === batches.length) return Buffer.from(flatten(slices)).subarray(0, size);
    }
  }

  pass(ms: number): Promise<void> {
    return new Promise((resolve) => void this.cluster.zookeeper.machine.runtime.clock.after(ms, resolve));
  }
}

const readers = [
  { version: 11, fetches: 8, isSlow: false },
  { version: 12, fetches: 8, isSlow: false },
  { version: 11, fetches: 5, isSlow: true },
  { version: 4, fetches: 5, isSlow: true },
  { version: 3, fetches: 4, isSlow: true },
  { version: 3, fetches: 6, isSlow: false },
  { version: 1, fetches: 4, isSlow: true },
];

for (const seed of [1, 2, 3, 4]) {
  test(`seed ${seed}: slow and fast readers, old and new, get every byte of the file as it is`, async () => {
    const world = await new ColdWorld(seed).start();
    assert.equal(world.freeBytes, 0);
    const clients = readers.map(() => world.cluster.connectTo(0));
    await world.cluster.run(Promise.all(readers.map((reader, index) => world.read(clients[index]!, reader))));
    assert.ok(world.freeBytes > 0, 'memory was lent and came back');
    assert.deepEqual(world.cluster.failures, []);
  });

  test(`seed ${seed}: connections die with answers unsent, and the others get every byte`, async () => {
    const world = await new ColdWorld(seed).start();
    const { cluster, random } = world;
    const clients = readers.map(() => cluster.connectTo(0));
    let isOver = false;
    const dying = Array.from({ length: 5 }, async () => {
      while (!isOver) {
        const client = cluster.connectTo(0);
        const request = world.requestFor([0, 0, 0], 1 << 20);
        const answer = client.ask(FetchRequest, FetchResponse, random.chance(1 / 3) ? 3 : 11, request);
        void answer.catch(() => undefined);
        // Before the request arrives, while the file is read, while the answer is on its way, long after.
        await world.pass(random.between(0, 5));
        if (random.chance(1 / 2)) client.pause();
        await world.pass(random.chance(1 / 2) ? random.between(0, 5) : random.between(0, 200));
        client.close();
      }
    });
    await cluster.run(Promise.all(readers.map((reader, index) => world.read(clients[index]!, reader))));
    isOver = true;
    await cluster.run(Promise.all(dying));
    assert.ok(world.freeBytes > 0, 'memory was lent and came back');
    assert.deepEqual(cluster.failures, []);
  });
}

test('the memory of an answer comes back when all of it has been sent, or when its connection is gone', async () => {
  const world = await new ColdWorld(5).start();
  const { cluster } = world;
  const ask = (client: RawClient): Promise<FetchResponse> =>
    client.ask(FetchRequest, FetchResponse, 11, world.requestFor([0, 0, 0], 300_000));
  const slow = cluster.connectTo(0);
  const answer = ask(slow);
  slow.pause();
  await cluster.sim.runFor(5000);
  assert.ok((cluster.broker(0).server?.networkLoad.unsentBytes ?? 0) > 0);
  assert.equal(world.freeBytes, 0);
  slow.resume();
  world.check([0, 0, 0], 11, await cluster.run(answer));
  assert.equal(world.freeBytes, 1 << 20);
  void ask(slow).catch(() => undefined);
  slow.pause();
  await cluster.sim.runFor(5000);
  assert.equal(world.freeBytes, 0);
  slow.close();
  await cluster.sim.runFor(1000);
  assert.equal(world.freeBytes, 1 << 20);
});

test('a failed read of the file is the answer of its partition, and the others have their bytes', async () => {
  const world = await new ColdWorld(6).start();
  const { cluster } = world;
  cluster.broker(0).machine.disk.failNext({ operation: 'read', code: 'EIO', path: 't-1' });
  const answer = await cluster.ask(0, (client) =>
    client.ask(FetchRequest, FetchResponse, 11, world.requestFor([0, 0, 0], 300_000)),
  );
  const [first, failed, last] = answer.responses[0]?.partitions ?? [];
  assert.equal(failed?.errorCode, ErrorCode.KAFKA_STORAGE_ERROR);
  assert.equal(failed?.records?.size ?? 0, 0);
  for (const [index, { records } = { records: null }] of [[0, first] as const, [2, last] as const]) {
    const got = Buffer.from(flatten(records ?? noSlices));
    const file = Buffer.concat(world.stored[index]!.map(({ bytes }) => flatten(bytes)));
    assert.ok(got.length > 0 && got.equals(file.subarray(0, got.length)));
  }
});
