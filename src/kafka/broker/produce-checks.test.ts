import assert from 'node:assert/strict';
import test from 'node:test';
import { distinctPartitions } from './produce-checks.ts';

const topic = (name: string, topicId: string, ...partitions: readonly (readonly [number, string])[]) => ({
  name,
  topicId,
  partitionData: partitions.map(([index, text]) => ({
    index,
    records: { chunks: [Buffer.from(text)], size: text.length },
  })),
});
const shown = (topics: Parameters<typeof distinctPartitions>[0]) =>
  distinctPartitions(topics).map(({ name, topicId, partitionData }) => [
    name || topicId,
    ...partitionData.map(({ index, records }) => `${index}${Buffer.from(records!.chunks[0]!)}`),
  ]);

test('of a partition that is named twice the last counts, in the place of the first', () => {
  assert.deepEqual(shown([topic('t', '', [0, 'a'], [1, 'b'], [0, 'c'])]), [['t', '0c', '1b']]);
  assert.deepEqual(shown([topic('t', '', [0, 'a']), topic('u', '', [0, 'b']), topic('t', '', [0, 'c'], [3, 'd'])]), [
    ['t', '0c', '3d'],
    ['u', '0b'],
  ]);
  assert.deepEqual(shown([topic('', 'x', [0, 'a']), topic('', 'x', [0, 'b'])]), [['x', '0b']]);
});

test('partitions that are named once stay as they are, few or many', () => {
  const many = Array.from({ length: 100 }, (_, index) => [99 - index, 'v'] as const);
  const asked = [topic('t', '', [5, 'a'], [0, 'b']), topic('', 'x', [5, 'c']), topic('', 'y', ...many)];
  assert.deepEqual(shown(asked), [
    ['t', '5a', '0b'],
    ['x', '5c'],
    ['y', ...many.map(([index, text]) => `${index}${text}`)],
  ]);
});

test('of many partitions too the last counts', () => {
  const many = Array.from({ length: 100 }, (_, index) => [index, 'v'] as const);
  const [shownTopic] = shown([topic('t', '', ...many, [7, 'w'])]);
  assert.equal(shownTopic?.length, 101);
  assert.equal(shownTopic?.[8], '7w');
});
