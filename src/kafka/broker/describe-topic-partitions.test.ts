import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../protocol/errors.ts';
import {
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsResponse,
} from '../protocol/messages/75-describe-topic-partitions.ts';
import { ClusterWorld } from './testkit/cluster-world.ts';

interface Page {
  readonly topics: readonly (readonly [string | null, number, readonly number[]])[];
  readonly next: DescribeTopicPartitionsResponse['nextCursor'];
}

async function page(
  world: ClusterWorld,
  names: string[],
  limit: number,
  cursor: DescribeTopicPartitionsRequest['cursor'] = null,
): Promise<Page> {
  const answer = await world.ask(0, (client) =>
    client.ask(DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse, 0, {
      topics: names.map((name) => ({ name })),
      responsePartitionLimit: limit,
      cursor,
    }),
  );
  const topics = answer.topics.map(
    ({ name, errorCode, partitions }) =>
      [name, errorCode, partitions.map(({ partitionIndex }) => partitionIndex)] as const,
  );
  return { topics, next: answer.nextCursor };
}

async function world(kafka = {}): Promise<ClusterWorld> {
  const made = await new ClusterWorld({ kafka }).start();
  for (const name of ['b', 'a', 'c']) await made.createTopic(name, [[0], [0], [0]]);
  return made;
}

test('pages follow each other by topic and partition, and together they are everything', async () => {
  const w = await world();
  const seen: unknown[] = [];
  let cursor: Page['next'] = null;
  for (let count = 0; count < 5; count += 1) {
    const { topics, next } = await page(w, [], 2, cursor);
    seen.push(topics.map(([name, , partitions]) => `${name}${partitions.join('')}`).join(' '));
    cursor = next;
    if (cursor === null) break;
  }
  assert.deepEqual(seen, ['a01', 'a2 b0', 'b12', 'c01', 'c2']);
});

test('a page that ends with a topic points to the beginning of the next', async () => {
  const w = await world();
  const { topics, next } = await page(w, ['c', 'a', 'a'], 3);
  assert.deepEqual(topics, [['a', ErrorCode.NONE, [0, 1, 2]]]);
  assert.deepEqual(next, { topicName: 'c', partitionIndex: 0 });
});

test('the broker’s limit counts before the client’s, and a limit of nothing is one partition', async () => {
  const w = await world({ 'max.request.partition.size.limit': 2 });
  assert.deepEqual((await page(w, ['a'], 2000)).topics, [['a', ErrorCode.NONE, [0, 1]]]);
  assert.deepEqual((await page(w, ['a'], -5)).topics, [['a', ErrorCode.NONE, [0]]]);
});

test('topics that are not there are named with their error, if they were asked for', async () => {
  const w = await world();
  assert.deepEqual((await page(w, ['missing', 'bad name'], 9)).topics, [
    ['bad name', ErrorCode.INVALID_TOPIC_EXCEPTION, []],
    ['missing', ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, []],
  ]);
  const { topics } = await page(w, [], 99, { topicName: 'bb', partitionIndex: 2 });
  assert.deepEqual(topics, [['c', ErrorCode.NONE, [0, 1, 2]]]);
});

test('a cursor outside of what is asked for is refused', async () => {
  const w = await world();
  const refused = [['a', ErrorCode.INVALID_REQUEST, []]];
  assert.deepEqual((await page(w, ['a'], 9, { topicName: 'b', partitionIndex: 0 })).topics, refused);
  assert.deepEqual((await page(w, ['a'], 9, { topicName: 'a', partitionIndex: -1 })).topics, refused);
});
