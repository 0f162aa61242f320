import assert from 'node:assert/strict';
import test from 'node:test';
import { concatSlices, type Slices } from '../../base/slices.ts';
import { build } from '../../wire/schema.ts';
import { FetchResponse } from '../protocol/messages/01-fetch.ts';
import { buildBatch } from '../records/builder.ts';
import { buildEndTxnMarker } from '../records/control.ts';
import { FetchedRecords } from './fetched-records.ts';

type Answer = FetchResponse['responses'][number]['partitions'][number];

function answerOf(batches: readonly Slices[], aborted: Answer['abortedTransactions'] = []): Answer {
  const partition = { partitionIndex: 3, errorCode: 0, highWatermark: 100, lastStableOffset: 100, logStartOffset: 0 };
  const records = concatSlices(batches);
  const topic = {
    topic: 't',
    topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
    partitions: [{ ...partition, records, abortedTransactions: aborted }],
  };
  return build(FetchResponse, { responses: [topic as unknown as FetchResponse['responses'][number]] }).responses[0]!
    .partitions[0]!;
}

const batch = (baseOffset: number, values: readonly string[], producerId?: number): Slices =>
  buildBatch({
    baseOffset,
    records: values.map((value) => ({ timestamp: 5, value: Buffer.from(value) })),
    ...(producerId === undefined ? {} : { producerId, producerEpoch: 0, baseSequence: 0, isTransactional: true }),
  });
const marker = (baseOffset: number, producerId: number, committed: boolean): Slices =>
  buildEndTxnMarker({ baseOffset, producerId, producerEpoch: 0, committed, coordinatorEpoch: 0, timestampMs: 5 });

function drain(answer: Answer, position: number, readCommitted = false): { values: string[]; position: number } {
  const fetched = new FetchedRecords(answer, { topic: 't', position, readCommitted, checkCrcs: true });
  const values: string[] = [];
  for (let record = fetched.next(); record !== undefined; record = fetched.next()) {
    values.push(`${record.offset}${Buffer.from(record.value!).toString()}`);
  }
  return { values, position: fetched.position };
}

test('records before the position are passed over, and the position ends behind the last batch', () => {
  const answer = answerOf([batch(0, ['a', 'b', 'c']), batch(3, ['d'])]);
  assert.deepEqual(drain(answer, 1), { values: ['1b', '2c', '3d'], position: 4 });
});

test('markers are seen by nobody, but the position goes past them', () => {
  const answer = answerOf([batch(0, ['a'], 9), marker(1, 9, true)]);
  assert.deepEqual(drain(answer, 0), { values: ['0a'], position: 2 });
  assert.deepEqual(drain(answer, 0, true), { values: ['0a'], position: 2 });
});

test('what was aborted is seen only by those who read uncommitted', () => {
  const batches = [batch(0, ['a'], 9), batch(1, ['b'], 8), marker(2, 9, false), batch(3, ['c'], 9), marker(4, 9, true)];
  const answer = answerOf(batches, [{ producerId: 9, firstOffset: 0 }]);
  assert.deepEqual(drain(answer, 0, true).values, ['1b', '3c']);
  assert.deepEqual(drain(answer, 0).values, ['0a', '1b', '3c']);
});

test('a batch that is cut off at the end is left for the next answer', () => {
  const whole = batch(0, ['a']);
  const cut = batch(1, ['b']);
  const records = concatSlices([whole, { chunks: [cut.chunks[0]!.subarray(0, 30)], size: 30 }]);
  assert.deepEqual(drain({ ...answerOf([]), records }, 0), { values: ['0a'], position: 1 });
});

test('a checksum that does not fit is corruption', () => {
  const answer = answerOf([batch(0, ['a'])]);
  const bytes = Buffer.concat(answer.records!.chunks);
  bytes[bytes.length - 2]! ^= 1;
  assert.throws(() => drain({ ...answer, records: { chunks: [bytes], size: bytes.length } }, 0), {
    name: 'CORRUPT_MESSAGE',
  });
});
