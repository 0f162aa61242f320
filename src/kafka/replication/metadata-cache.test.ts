import assert from 'node:assert/strict';
import test from 'node:test';
import { ZERO_UUID } from '../../wire/schema.ts';
import { LEADER_DURING_DELETE, MetadataCache, type MetadataUpdate, type PartitionMetadata } from './metadata-cache.ts';

const broker = (id: number) => ({ id, rack: null, endpoints: [{ listener: 'PLAINTEXT', host: `h${id}`, port: 9092 }] });
const partition = (topic: string, index: number, leader: number): PartitionMetadata => ({
  topic,
  partition: index,
  leader,
  leaderEpoch: 0,
  isr: [leader],
  replicas: [leader],
  offlineReplicas: [],
  controllerEpoch: 1,
  zkVersion: 0,
});
const update = (topics: MetadataUpdate['topics'], brokers = [broker(1)], controllerId = 1): MetadataUpdate => ({
  controllerId,
  brokers,
  topics,
});

test('live brokers are replaced by each update, partitions are merged', () => {
  const cache = new MetadataCache();
  cache.update(update([{ name: 't', id: 'A', partitions: [partition('t', 0, 1)] }]));
  cache.update(update([{ name: 't', id: 'A', partitions: [partition('t', 1, 2)] }], [broker(2)], 2));
  assert.deepEqual([...cache.brokers.keys()], [2]);
  assert.equal(cache.controllerId, 2);
  assert.deepEqual([...(cache.topic('t')?.partitions.keys() ?? [])], [0, 1]);
  assert.equal(cache.topicName('A'), 't');
});

test('a controller of -1 is none', () => {
  const cache = new MetadataCache();
  cache.update(update([], [broker(1)], -1));
  assert.equal(cache.controllerId, undefined);
});

test('a topic is gone with its last partition, and with it its id', () => {
  const cache = new MetadataCache();
  const both = [partition('t', 0, 1), partition('t', 1, 1)];
  cache.update(update([{ name: 't', id: 'A', partitions: both }]));
  const gone = (index: number) => [{ name: 't', id: 'A', partitions: [partition('t', index, LEADER_DURING_DELETE)] }];
  assert.equal(cache.update(update(gone(0))).length, 1);
  assert.equal(cache.topicCount, 1);
  cache.update(update(gone(1)));
  assert.equal(cache.topic('t'), undefined);
  assert.equal(cache.topicName('A'), undefined);
  assert.equal(cache.topicId('t'), ZERO_UUID);
});

test('a topic of an old controller has no id until a newer one gives it', () => {
  const cache = new MetadataCache();
  cache.update(update([{ name: 't', id: ZERO_UUID, partitions: [partition('t', 0, 1)] }]));
  assert.equal(cache.topicName(ZERO_UUID), undefined);
  cache.update(update([{ name: 't', id: 'B', partitions: [partition('t', 0, 1)] }]));
  assert.equal(cache.topicName('B'), 't');
});

test('a topic that was made again under its name is found by the new id only', () => {
  const cache = new MetadataCache();
  cache.update(update([{ name: 't', id: 'A', partitions: [partition('t', 0, 1)] }]));
  cache.update(update([{ name: 't', id: 'B', partitions: [partition('t', 0, 1)] }]));
  assert.equal(cache.topicName('A'), undefined);
  assert.equal(cache.topicName('B'), 't');
});
