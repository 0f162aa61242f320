import assert from 'node:assert/strict';
import test from 'node:test';
import { PartitionQueue } from './partition-queue.ts';
import { ProducerBatch, sequenceAfter } from './producer-batch.ts';

const producer = { id: 7, epoch: 0 };
const waiter = { resolve: () => undefined, reject: () => undefined };

function batchOf(count: number): ProducerBatch {
  const batch = new ProducerBatch('t', 0, 0);
  for (let index = 0; index < count; index += 1) batch.append({ value: null }, waiter);
  return batch;
}

function queueOf(...counts: readonly number[]): { queue: PartitionQueue; batches: ProducerBatch[] } {
  const queue = new PartitionQueue('t', 0);
  const batches = counts.map(batchOf);
  queue.queued.push(...batches);
  return { queue, batches };
}

const sequences = (batches: readonly ProducerBatch[]): number[] => batches.map(({ baseSequence }) => baseSequence);

test('batches get the sequence numbers of their records in the order of sending', () => {
  const { queue, batches } = queueOf(3, 2, 4);
  for (const _ of batches) queue.take(producer);
  assert.deepEqual(sequences(batches), [0, 3, 5]);
});

test('what failed goes again in its place, one at a time, before anything new', () => {
  const { queue, batches } = queueOf(1, 1, 1, 1);
  const [a, b, c, d] = batches as [ProducerBatch, ProducerBatch, ProducerBatch, ProducerBatch];
  for (let count = 0; count < 3; count += 1) queue.take(producer);
  for (const failed of [b, a]) {
    queue.settle(failed);
    queue.requeue(failed);
  }
  assert.deepEqual(queue.queued, [a, b, d]);
  assert.equal(queue.next(5), undefined, 'c is still under way');
  queue.settle(c);
  queue.requeue(c);
  assert.deepEqual(queue.queued, [a, b, c, d]);
  assert.equal(queue.next(5), a);
  queue.take(producer);
  assert.equal(queue.next(5), undefined);
  assert.deepEqual(sequences(batches), [0, 1, 2, -1]);
});

test('the numbers of a batch that was refused for good are those of the next', () => {
  const { queue, batches } = queueOf(3, 2, 1);
  const [a] = batches as [ProducerBatch];
  queue.take(producer);
  queue.take(producer);
  queue.settle(a);
  queue.closeGap(a);
  queue.take(producer);
  assert.deepEqual(sequences(batches), [0, 0, 2]);
});

test('a new epoch begins at 0, but only when nothing of the old one is outstanding', () => {
  const { queue, batches } = queueOf(2, 2, 2);
  const [a, b] = batches as [ProducerBatch, ProducerBatch];
  const next = { id: 7, epoch: 1 };
  queue.take(producer);
  queue.take(next);
  assert.deepEqual([queue.producer, b.baseSequence], [producer, 2]);
  queue.settle(a);
  queue.settle(b);
  queue.take(next);
  assert.deepEqual([queue.producer, ...sequences(batches)], [next, 0, 2, 0]);
});

test('after a lost sequence everything outstanding starts again in order', () => {
  const { queue, batches } = queueOf(2, 3, 1);
  for (const _ of batches) queue.take(producer);
  const [a] = batches as [ProducerBatch];
  assert.ok(queue.isFirstOutstanding(a));
  assert.ok(!queue.isFirstOutstanding(batches[1]!));
  queue.settle(a);
  queue.restart({ id: 7, epoch: 1 });
  assert.deepEqual(sequences(batches.slice(1)), [0, 3]);
});

test('sequence numbers wrap from 2^31-1 to 0, and order goes the short way round', () => {
  assert.equal(sequenceAfter(2_147_483_647, 1), 0);
  const { queue, batches } = queueOf(1, 1);
  const [a, b] = batches as [ProducerBatch, ProducerBatch];
  a.baseSequence = 2_147_483_647;
  b.baseSequence = 0;
  a.attempts = 1;
  b.attempts = 1;
  queue.queued.splice(0, 2);
  queue.requeue(b);
  queue.requeue(a);
  assert.deepEqual(queue.queued, [a, b]);
});

test('a batch in two halves keeps its records, its numbers and its senders', async () => {
  const batch = new ProducerBatch('t', 0, 0);
  const offsets: number[] = [];
  for (let index = 0; index < 5; index += 1) {
    batch.append(
      { value: Buffer.from([index]) },
      { resolve: ({ offset }) => offsets.push(offset), reject: () => undefined },
    );
  }
  batch.baseSequence = 10;
  const [a, b] = batch.split();
  assert.deepEqual([a.count, a.baseSequence, b.count, b.baseSequence], [3, 10, 2, 13]);
  a.succeed(100, -1);
  b.succeed(103, -1);
  await batch.finished;
  assert.deepEqual(offsets, [100, 101, 102, 103, 104]);
});
