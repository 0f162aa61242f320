import assert from 'node:assert/strict';
import test from 'node:test';
import { concatSlices, copyOf, type Slices, slicesOf } from '../../base/slices.ts';
import { ErrorCode } from '../protocol/errors.ts';
import type { CodecName } from './batch.ts';
import { buildBatch } from './builder.ts';
import { convertForFetch } from './fetch-conversion.ts';
import { task } from './fetch-conversion-task.ts';
import { downConvert } from './testkit/down-convert.ts';

const none = new Uint8Array(0);
const options = { magic: 1, firstOffset: 0, takenBytes: 1_000_000 } as const;

/** One record, so that its conversion is larger than it was. */
function batchAt(baseOffset: number, codec: CodecName = 'none', bytes = 10): Slices {
  return buildBatch({ baseOffset, codec, records: [{ timestamp: 5, value: Buffer.alloc(bytes, 97 + baseOffset) }] });
}

const converted = (batch: Slices): Uint8Array => copyOf(downConvert(batch, options).slices);

test('where zstd comes later than first the answer ends before what is converted with it', () => {
  const records = concatSlices([batchAt(0), batchAt(1), batchAt(2, 'zstd'), batchAt(3)]);
  assert.deepEqual(Buffer.from(convertForFetch(records, options, none)), Buffer.from(converted(batchAt(0))));
});

test('zstd that comes first is an error of the partition', () => {
  const { output, bytes } = task.run(options, copyOf(concatSlices([batchAt(0, 'zstd'), batchAt(1)])), none);
  assert.deepEqual([output.errorCode, bytes.length], [ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, 0]);
});

test('damage is an error of the partition, too', () => {
  const records = copyOf(batchAt(0));
  records[61] = 0x7f;
  assert.equal(task.run(options, records, none).output.errorCode, ErrorCode.UNKNOWN_SERVER_ERROR);
});

test('the first batch comes whole, the others as far as they fit', () => {
  const batches = [batchAt(0, 'none', 200), batchAt(1), batchAt(2)];
  const all = Buffer.concat(batches.map(converted));
  const records = concatSlices(batches);
  for (const takenBytes of [10, converted(batches[0]!).length + 5, all.length]) {
    const wanted = Math.max(takenBytes, converted(batches[0]!).length);
    const got = convertForFetch(records, { ...options, takenBytes }, none);
    assert.deepEqual(Buffer.from(got), all.subarray(0, wanted));
  }
});

test('the memory that is given is used where it is enough, and what it held does not show', () => {
  const records = concatSlices([batchAt(0, 'gzip', 300), batchAt(1)]);
  const wanted = Buffer.from(convertForFetch(records, options, none));
  for (const size of [0, 100, 1000]) {
    const memory = new Uint8Array(size).fill(0xdb);
    const got = convertForFetch(records, options, memory);
    assert.deepEqual(Buffer.from(got), wanted);
    assert.equal(got.buffer === memory.buffer, size === 1000);
  }
});

test('nothing is made of nothing', () => assert.equal(convertForFetch(slicesOf(), options, none).length, 0));
