import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode, type KafkaError } from '../protocol/errors.ts';
import { append, LogWorld, recordsIn, values } from './testkit/log-world.ts';

test('what is appended is read back from memory, and after a restart from the file', async () => {
  const world = new LogWorld(1);
  await world.open();
  const answers: (number | undefined)[] = [];
  const done = (_: KafkaError | undefined, info: { firstOffset: number } | undefined) =>
    answers.push(info?.firstOffset);
  assert.equal(append(world.log, { records: values('a', 'b'), done })?.lastOffset, 1);
  assert.equal(append(world.log, { records: values('c'), done })?.firstOffset, 2);
  assert.deepEqual(answers, [0, 2]);
  const want = [
    { offset: 0, value: 'a' },
    { offset: 1, value: 'b' },
    { offset: 2, value: 'c' },
  ];
  assert.deepEqual(await recordsIn(world), want);
  await world.restartCleanly();
  assert.equal(world.log.logEndOffset, 3);
  assert.deepEqual(await recordsIn(world), want);
  assert.equal(append(world.log, { records: values('d') })?.firstOffset, 3);
});

test('appends while a write is in flight group, and are answered in order', async () => {
  const world = new LogWorld(2, { segmentBytes: 300_000 });
  await world.open();
  const order: number[] = [];
  const large = Buffer.alloc(100_000, 7);
  for (let index = 0; index < 6; index += 1) {
    const value = index % 2 === 0 ? large : Buffer.from(`small ${index}`);
    append(world.log, { records: [{ value }], done: (_, info) => order.push(info!.firstOffset) });
  }
  assert.equal(world.log.nextOffset, 6);
  assert.equal(world.log.logEndOffset, 0);
  await world.drain();
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5]);
  assert.equal(world.log.logEndOffset, 6);
  assert.equal(world.log.segments.length, 2);
  assert.equal((await recordsIn(world)).length, 6);
});

test('a batch larger than a segment is refused, and nothing is written', async () => {
  const world = new LogWorld(3, { segmentBytes: 200 });
  await world.open();
  let refusal: KafkaError | undefined;
  append(world.log, { records: [{ value: Buffer.alloc(300) }], done: (error) => (refusal = error) });
  assert.equal(refusal?.code, ErrorCode.RECORD_LIST_TOO_LARGE);
  assert.equal(world.log.nextOffset, 0);
});
