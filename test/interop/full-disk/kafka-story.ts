import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Slices } from '../../../src/base/slices.ts';
import { batchesOf } from '../../../src/kafka/records/batch.ts';
import { buildBatch } from '../../../src/kafka/records/builder.ts';
import { recordsOf } from '../../../src/kafka/records/iterate.ts';
import { ZERO_UUID } from '../../../src/wire/schema.ts';
import { ask } from '../differential/raw-client.ts';
import { startOdradek } from '../odradek.ts';
import { kafkaTool } from '../peers/kafka-tools.ts';
import { until } from '../peers/process.ts';
import { enlargeDisk, mountSmallDisk } from './small-disk.ts';

const SMALL_KIB = 4096;
const STORAGE_ERROR = 56;
const TOPICS = ['first', 'second'] as const;
/** No whole number of them fills the disk. */
const VALUE_SIZE = 30_011;

/** What was acknowledged of a topic: the number that each record carries, by offset. */
type Acknowledged = Map<number, number>;

/** A broker with two log dirs of which one is full, until an operator makes room. */
export async function kafkaStory(dir: string): Promise<void> {
  const [small, large] = [join(dir, 'small'), join(dir, 'large')];
  await mountSmallDisk(small, SMALL_KIB);
  const start = () => startOdradek({ dir, kafka: { 'log.dirs': `${small},${large}` } });
  let server = await start();
  for (const topic of TOPICS) await createTopic(server.kafkaPort, topic);
  const [full = 'first', other = 'second'] = existsSync(join(small, 'first-0')) ? TOPICS : [...TOPICS].reverse();
  assert.ok(existsSync(join(small, `${full}-0`)) && existsSync(join(large, `${other}-0`)));

  const kept = new Map<string, Acknowledged>(TOPICS.map((topic) => [topic, new Map()]));
  let number = 0;
  const write = async (topic: string): Promise<number> => {
    number += 1;
    const { errorCode, baseOffset } = await produce(server.kafkaPort, topic, number);
    if (errorCode === 0) kept.get(topic)?.set(baseOffset, number);
    return errorCode;
  };

  let outcome = 0;
  while (outcome === 0 && number < 1000) {
    assert.equal(await write(other), 0);
    outcome = await write(full);
  }
  assert.equal(outcome, STORAGE_ERROR);
  const bytesKept = (kept.get(full)?.size ?? 0) * VALUE_SIZE;
  assert.ok(bytesKept > SMALL_KIB * 1024 * 0.8, `only ${bytesKept} bytes were taken`);

  // It says which one, and why; the other one goes on.
  const said = readFileSync(server.logFile, 'utf8');
  assert.match(said, new RegExp(`a log dir is offline.*${small}.*ENOSPC`));
  assert.equal(await errorOfDir(server.kafkaPort, small), STORAGE_ERROR);
  assert.equal(await errorOfDir(server.kafkaPort, large), 0);
  for (let count = 0; count < 20; count += 1) assert.equal(await write(other), 0);
  await until('clients are told that nobody leads it', async () =>
    (await leaderOf(server.kafkaPort, full)) === -1 ? true : undefined,
  );
  assert.equal(await leaderOf(server.kafkaPort, other), 0);
  await assertKept(server.kafkaPort, other, kept);
  assert.ok(server.alive());

  // Without room it starts again all the same, and serves from the other one.
  assert.equal(await server.stop(), 0);
  server = await start();
  await until(`${other} is led`, async () => ((await leaderOf(server.kafkaPort, other)) === 0 ? true : undefined));
  assert.equal(await write(other), 0);
  assert.notEqual(await write(full), 0);
  await assertKept(server.kafkaPort, other, kept);

  assert.equal(await server.stop(), 0);
  await enlargeDisk(small, 10 * SMALL_KIB);
  server = await start();
  for (const topic of TOPICS) {
    await until(`${topic} is led`, async () => ((await leaderOf(server.kafkaPort, topic)) === 0 ? true : undefined));
    await assertKept(server.kafkaPort, topic, kept);
    assert.equal(await write(topic), 0);
  }
  assert.equal(await errorOfDir(server.kafkaPort, small), 0);
  assert.equal(await server.stop(), 0);

  const segment = join(small, `${full}-0`, '00000000000000000000.log');
  const dumped = await kafkaTool('kafka-dump-log', '3.9.1', ['--deep-iteration', '--files', segment]);
  assert.equal(dumped.code, 0, dumped.stderr);
  const offsets = new Set([...dumped.stdout.matchAll(/^\| offset: (\d+) /gm)].map(([, offset]) => Number(offset)));
  for (const offset of kept.get(full)?.keys() ?? []) assert.ok(offsets.has(offset), `Apache does not find ${offset}`);
}

async function createTopic(port: number, name: string): Promise<void> {
  const topic = { name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] };
  await ask(port, 19, 5, { topics: [topic], timeoutMs: 10_000 });
  await until(`${name} is led`, async () => ((await leaderOf(port, name)) === 0 ? true : undefined));
}

async function produce(port: number, name: string, number: number): Promise<{ errorCode: number; baseOffset: number }> {
  const value = Buffer.alloc(VALUE_SIZE, number % 251);
  value.writeUInt32BE(number, 0);
  const records = buildBatch({ records: [{ timestamp: Date.now(), key: null, value }] });
  const topicData = [{ name, topicId: ZERO_UUID, partitionData: [{ index: 0, records }] }];
  const answer = (await ask(port, 0, 7, { acks: -1, timeoutMs: 10_000, topicData })) as unknown as {
    responses: { partitionResponses: { errorCode: number; baseOffset: number }[] }[];
  };
  const [response] = answer.responses[0]?.partitionResponses ?? [];
  assert.ok(response);
  return response;
}

/** Every record that was acknowledged is at its offset, and whole. */
async function assertKept(port: number, topic: string, kept: ReadonlyMap<string, Acknowledged>): Promise<void> {
  const found = new Map<number, number>();
  for (let offset = 0, isMore = true; isMore; ) {
    const before = offset;
    for (const batch of batchesOf(await fetch(port, topic, offset))) {
      for (const record of recordsOf(batch)) {
        const value = Buffer.from(record.value ?? []);
        const number = value.readUInt32BE(0);
        assert.equal(value.length, VALUE_SIZE);
        assert.ok(value.subarray(4).every((byte) => byte === number % 251));
        found.set(record.offset, number);
        offset = record.offset + 1;
      }
    }
    isMore = offset > before;
  }
  for (const [offset, number] of kept.get(topic) ?? [])
    assert.equal(found.get(offset), number, `${topic} at ${offset}`);
}

async function fetch(port: number, topic: string, fetchOffset: number): Promise<Slices> {
  const partition = {
    partition: 0,
    currentLeaderEpoch: -1,
    fetchOffset,
    logStartOffset: -1,
    partitionMaxBytes: 1 << 20,
  };
  const request = { maxWaitMs: 0, minBytes: 1, maxBytes: 1 << 20, topics: [{ topic, partitions: [partition] }] };
  const answer = (await ask(port, 1, 11, request)) as unknown as {
    responses: { partitions: { errorCode: number; records: Slices }[] }[];
  };
  const [response] = answer.responses[0]?.partitions ?? [];
  assert.equal(response?.errorCode, 0);
  return response.records;
}

async function leaderOf(port: number, name: string): Promise<number | undefined> {
  const answer = (await ask(port, 3, 8, { topics: [{ name }], allowAutoTopicCreation: false })) as unknown as {
    topics: { partitions: { leaderId: number }[] }[];
  };
  return answer.topics[0]?.partitions[0]?.leaderId;
}

async function errorOfDir(port: number, path: string): Promise<number | undefined> {
  const answer = (await ask(port, 35, 4, { topics: null })) as unknown as {
    results: { logDir: string; errorCode: number }[];
  };
  return answer.results.find(({ logDir }) => logDir === path)?.errorCode;
}
