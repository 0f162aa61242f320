/** Partition directories that Apache's brokers left, see scripts/golden/kafka-logs.ts. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { slicesOf } from '../../../src/base/slices.ts';
import type { AppendInfo } from '../../../src/kafka/log/append.ts';
import type { PartitionLog } from '../../../src/kafka/log/log.ts';
import { decodeProducerSnapshot } from '../../../src/kafka/log/producer-snapshot.ts';
import { batchesInFile, LOG_DIR, LogWorld, PARTITION } from '../../../src/kafka/log/testkit/log-world.ts';

interface Left {
  readonly answers: { low: number; high: number; times: [number, number][] };
  readonly checkpoints: Record<string, string>;
  readonly files: Record<string, string>;
}

/** As the topic was created. */
const config = {
  segmentBytes: 1000,
  indexIntervalBytes: 150,
  segmentIndexBytes: 480,
  segmentMs: 9e14,
  retentionMs: -1,
};
const DIRECTORY = `${LOG_DIR}/${PARTITION.topic}-${PARTITION.partition}`;
/** The segments that were closed before the broker stopped for the first time; the third was not. */
const BEFORE_RESTART = /^0{18}(00|10)/;
const LAST_OFFSETS = { clean: 29, killed: 34 } as const;

for (const version of ['2.1.0', '3.9.1']) {
  const recorded = JSON.parse(readFileSync(new URL(`./apache-${version}.json`, import.meta.url), 'utf8')) as Record<
    'clean' | 'killed',
    Left
  >;

  for (const state of ['clean', 'killed'] as const) {
    const left = recorded[state];

    test(`a directory of Apache ${version} (${state}) answers as its broker did`, async () => {
      const world = new LogWorld(version, config);
      put(world, left, left.files);
      await world.open();
      assert.equal(world.log.logEndOffset, LAST_OFFSETS[state]);
      assert.equal(world.log.logStartOffset, left.answers.low);
      world.log.updateHighWatermark(world.log.logEndOffset);
      assert.equal(world.log.lastStableOffset, left.answers.high);
      for (const [timestamp, want] of left.answers.times) {
        const found = await offsetFor(world, timestamp);
        assert.equal(found < left.answers.high ? found : -1, want, `the offset for ${timestamp}`);
      }
    });

    test(`indexes rebuilt from a log of Apache ${version} (${state}) are Apache's byte for byte`, async () => {
      const world = new LogWorld(version, config);
      const logs = Object.entries(left.files).filter(([name]) => name.endsWith('.log'));
      put(world, { ...left, checkpoints: {} }, Object.fromEntries(logs));
      await world.open();
      assert.equal(world.log.logEndOffset, LAST_OFFSETS[state]);
      for (const [name, hex] of Object.entries(left.files)) {
        // A restart forgets how many bytes followed the last index entry, so what it touched is indexed at other places.
        if (!name.endsWith('index') || (state === 'killed' && !BEFORE_RESTART.test(name))) continue;
        same(version, name, fileIn(world, name), hex);
      }
    });
  }

  test(`an untouched directory of Apache ${version} is left byte for byte by start and stop`, async () => {
    const { files, checkpoints } = recorded.clean;
    const world = new LogWorld(version, config);
    put(world, recorded.clean, files);
    await world.open();
    await world.sim.complete(world.manager.close());
    assert.deepEqual(filesIn(world), files);
    for (const [name, text] of Object.entries(ownLines(checkpoints))) {
      if (name.startsWith('.') || name.startsWith('cleaner')) continue;
      assert.equal(Buffer.from(world.machine.disk.peek(`${LOG_DIR}/${name}`)).toString(), text, name);
    }
  });

  test(`the batches of Apache ${version}, appended one by one, make Apache's files`, async () => {
    const { files } = recorded.clean;
    const world = new LogWorld(version, config);
    await world.open();
    for (const bytes of batchesOf(files)) await append(world.log, bytes);
    if (version === '3.9.1') world.log.assignTopicId(topicIdIn(files));
    await world.sim.complete(world.manager.close());
    const ours = filesIn(world);
    assert.deepEqual(Object.keys(ours), Object.keys(files));
    for (const [name, hex] of Object.entries(files)) {
      if (name.endsWith('.snapshot')) assert.deepEqual(snapshot(version, ours[name]!), snapshot(version, hex), name);
      else same(version, name, ours[name]!, hex);
    }
  });
}

function put(world: LogWorld, left: Pick<Left, 'checkpoints'>, files: Record<string, string>): void {
  const { disk } = world.runtime;
  disk.makeDirectory(DIRECTORY);
  for (const [name, text] of Object.entries(ownLines(left.checkpoints))) {
    disk.writeFile(`${LOG_DIR}/${name}`, Buffer.from(text));
  }
  for (const [name, hex] of Object.entries(files)) disk.writeFile(`${DIRECTORY}/${name}`, Buffer.from(hex, 'hex'));
}

/** Only our partition of what the broker's checkpoints list. */
function ownLines(checkpoints: Record<string, string>): Record<string, string> {
  const own = Object.entries(checkpoints).map(([name, text]) => {
    if (!name.endsWith('offset-checkpoint') || text === '') return [name, text];
    const lines = text.split('\n').filter((line) => line.startsWith('golden 0 '));
    const renamed = lines.map((line) => `${line.replace('golden', PARTITION.topic)}\n`);
    return [name, `0\n${renamed.length}\n${renamed.join('')}`];
  });
  return Object.fromEntries(own);
}

/** 2.1 points a time index at the record that has the timestamp, 3.9 at the end of its batch: at or behind it. */
function same(version: string, name: string, ours: string, apaches: string): void {
  if (version !== '2.1.0' || !name.endsWith('.timeindex')) {
    assert.equal(ours, apaches, name);
    return;
  }
  const entries = (hex: string): string[] => hex.match(/.{24}/g) ?? [];
  assert.equal(ours.length, apaches.length, name);
  for (const [index, entry] of entries(ours).entries()) {
    const apache = entries(apaches)[index]!;
    assert.equal(entry.slice(0, 16), apache.slice(0, 16), name);
    assert.ok(entry.slice(16) >= apache.slice(16), name);
  }
}

function filesIn(world: LogWorld): Record<string, string> {
  const names = world.runtime.disk.list(DIRECTORY).map(({ name }) => name);
  return Object.fromEntries(names.map((name) => [name, fileIn(world, name)]));
}

function fileIn(world: LogWorld, name: string): string {
  return Buffer.from(world.machine.disk.peek(`${DIRECTORY}/${name}`)).toString('hex');
}

function batchesOf(files: Record<string, string>): Uint8Array[] {
  const logs = Object.entries(files).filter(([name]) => name.endsWith('.log'));
  return logs.flatMap(([, hex]) => batchesInFile(Buffer.from(hex, 'hex')).map(({ bytes }) => bytes));
}

function append(log: PartitionLog, bytes: Uint8Array): Promise<AppendInfo | undefined> {
  return new Promise((resolve, reject) => {
    log.appendAsFollower(slicesOf(Buffer.from(bytes)), (error, info) =>
      error === undefined ? resolve(info) : reject(error),
    );
  });
}

function offsetFor(world: LogWorld, timestamp: number): Promise<number> {
  const lookup = new Promise<number>((resolve, reject) => {
    world.log.offsetForTimestamp(timestamp, (error, found) =>
      error === undefined ? resolve(found?.offset ?? Infinity) : reject(error),
    );
  });
  return world.sim.complete(lookup);
}

function topicIdIn(files: Record<string, string>): string {
  return Buffer.from(files['partition.metadata']!, 'hex').toString().slice(-22);
}

/** Apache writes producers in the order of a hash map. In 2.1 a marker did not count as the producer's last sign of life. */
function snapshot(version: string, hex: string): unknown[] {
  const entries = decodeProducerSnapshot('snapshot', Buffer.from(hex, 'hex'));
  entries.sort((a, b) => a.producerId - b.producerId);
  if (version !== '2.1.0') return entries;
  return entries.map(({ lastTimestamp: _, batches, ...entry }) => ({
    ...entry,
    batches: batches.map(({ timestamp: __, ...batch }) => batch),
  }));
}
