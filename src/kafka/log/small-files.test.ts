import assert from 'node:assert/strict';
import test from 'node:test';
import { CorruptionError } from '../../runtime/disk.ts';
import { encodeCheckpoint, encodeOffsets, parseCheckpoint } from './checkpoint-file.ts';
import { doomedDirectoryName, parseDirectoryName, parseSegmentFileName, segmentFileName } from './file-names.ts';
import { LeaderEpochCache } from './leader-epoch-cache.ts';
import { encodeMetaProperties, metaPropertiesFault, readMetaProperties } from './meta-properties.ts';
import { encodePartitionMetadata, readPartitionMetadata } from './partition-metadata.ts';
import { LogWorld } from './testkit/log-world.ts';

test('segment files are named by twenty digits, and parsed with their fate', () => {
  assert.equal(segmentFileName(5, '.snapshot'), '00000000000000000005.snapshot');
  assert.deepEqual(parseSegmentFileName('00000000000000000010.timeindex.swap'), {
    baseOffset: 10,
    kind: '.timeindex',
    fate: '.swap',
  });
  assert.equal(parseSegmentFileName('leader-epoch-checkpoint'), undefined);
});

test('a partition directory is parsed from its last dash, and the suffixed forms from their last dot', () => {
  assert.deepEqual(parseDirectoryName('my-topic.x-12'), { topic: 'my-topic.x', partition: 12, fate: '' });
  const uuid = '0123456789abcdef0123456789abcdef';
  assert.deepEqual(parseDirectoryName(`a.b-0.${uuid}-delete`), { topic: 'a.b', partition: 0, fate: 'delete' });
  assert.equal(parseDirectoryName('lost+found'), undefined);
  const name = doomedDirectoryName({ topic: 't'.repeat(249), partition: 100 }, uuid, 'delete');
  assert.equal(name.length, 255);
  assert.equal(parseDirectoryName(name)?.fate, 'delete');
});

test('checkpoints are text as Apache writes it', () => {
  const bytes = encodeOffsets([{ topic: 'a-b', partition: 3, offset: 7 }]);
  assert.equal(Buffer.from(bytes).toString(), '0\n1\na-b 3 7\n');
  assert.deepEqual(parseCheckpoint('x', bytes, 3), [['a-b', '3', '7']]);
  assert.deepEqual(parseCheckpoint('x', new Uint8Array(0), 3), []);
  assert.equal(Buffer.from(encodeCheckpoint([])).toString(), '0\n0\n');
});

for (const [name, text] of [
  ['another version', '1\n0\n'],
  ['fewer entries than counted', '0\n2\na 0 1\n'],
  ['more entries than counted', '0\n0\na 0 1\n'],
  ['an entry of another shape', '0\n1\na 0\n'],
]) {
  test(`a checkpoint with ${name} is corrupt`, () => {
    assert.throws(() => parseCheckpoint('x', Buffer.from(text!), 3), CorruptionError);
  });
}

test('meta.properties and partition.metadata come back as they were written', () => {
  const { runtime } = new LogWorld(1);
  runtime.disk.makeDirectory('/d');
  const properties = { version: 0, brokerId: 4, clusterId: '33wN1O4eTq2g3TKt896ATQ' };
  runtime.disk.writeFile('/d/meta.properties', encodeMetaProperties(properties, 'Mon Nov 23 15:54:25 UTC 2026'));
  assert.deepEqual(readMetaProperties(runtime.disk, '/d'), properties);
  assert.equal(readPartitionMetadata(runtime.disk, '/d'), undefined);
  const bytes = encodePartitionMetadata('33wN1O4eTq2g3TKt896ATQ');
  assert.equal(bytes.length, 43);
  runtime.disk.writeFile('/d/partition.metadata', bytes);
  assert.equal(readPartitionMetadata(runtime.disk, '/d'), '33wN1O4eTq2g3TKt896ATQ');
  runtime.disk.writeFile('/d/partition.metadata', encodePartitionMetadata('A'.repeat(22)));
  assert.throws(() => readPartitionMetadata(runtime.disk, '/d'), CorruptionError);
});

function cacheOf(...entries: [number, number][]): LeaderEpochCache {
  return new LeaderEpochCache(
    entries.map(([epoch, startOffset]) => ({ epoch, startOffset })),
    () => undefined,
  );
}
const pairs = (cache: LeaderEpochCache): number[][] =>
  cache.entries.map(({ epoch, startOffset }) => [epoch, startOffset]);

test('an epoch that starts where or before older ones do takes their place', () => {
  const cache = cacheOf([1, 0], [2, 10], [4, 20]);
  cache.assign(4, 25);
  assert.deepEqual(pairs(cache), [
    [1, 0],
    [2, 10],
    [4, 20],
  ]);
  cache.assign(5, 20);
  assert.deepEqual(pairs(cache), [
    [1, 0],
    [2, 10],
    [5, 20],
  ]);
  cache.assign(2, 30);
  assert.deepEqual(pairs(cache), [
    [1, 0],
    [2, 30],
  ]);
});

test('an epoch ends where the next one starts', () => {
  const cache = cacheOf([2, 5], [4, 20]);
  assert.deepEqual(cache.endOffsetFor(-1, 50), { leaderEpoch: -1, endOffset: -1 });
  assert.deepEqual(cache.endOffsetFor(4, 50), { leaderEpoch: 4, endOffset: 50 });
  assert.deepEqual(cache.endOffsetFor(5, 50), { leaderEpoch: -1, endOffset: -1 });
  assert.deepEqual(cache.endOffsetFor(3, 50), { leaderEpoch: 2, endOffset: 20 });
  assert.deepEqual(cache.endOffsetFor(1, 50), { leaderEpoch: 1, endOffset: 5 });
});

test('truncation keeps the epoch of the first offset, and drops those that begin beyond the end', () => {
  const cache = cacheOf([1, 0], [2, 10], [4, 20]);
  cache.truncateFromStart(15);
  assert.deepEqual(pairs(cache), [
    [2, 15],
    [4, 20],
  ]);
  cache.truncateFromEnd(20);
  assert.deepEqual(pairs(cache), [[2, 15]]);
  assert.equal(cache.epochOf(14), -1);
  assert.equal(cache.epochOf(15), 2);
});

test('a log directory of another broker or cluster is told in Apache’s words', () => {
  const stored = [{ version: 0, brokerId: 1, clusterId: 'Y' }];
  assert.equal(metaPropertiesFault(stored, { brokerId: 1, clusterId: 'Y' }), undefined);
  assert.equal(metaPropertiesFault(stored, { brokerId: -1, clusterId: 'Y' }), undefined);
  const wrongBroker = metaPropertiesFault(stored, { brokerId: 2, clusterId: 'Y' });
  assert.match(wrongBroker!, /^Configured broker.id 2 doesn't match stored broker.id Some\(1\) in meta.properties/);
  const wrongCluster = metaPropertiesFault(stored, { brokerId: 1, clusterId: 'X' });
  assert.match(wrongCluster!, /^The Cluster ID X doesn't match stored clusterId Some\(Y\) in meta.properties/);
  const two = [...stored, { version: 0, brokerId: 3, clusterId: 'Y' }];
  assert.match(metaPropertiesFault(two, { brokerId: -1, clusterId: 'Y' })!, /multiple broker.id/);
});
