import assert from 'node:assert/strict';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { copyOf, slicesOf } from '../../base/slices.ts';
import { runToEnd } from '../../base/steps.ts';
import { type Batch, batchesOf, patchHeader } from './batch.ts';
import { buildBatch } from './builder.ts';
import { InvalidRecordError } from './errors.ts';
import { innerEntries, recordsOf } from './iterate.ts';

const records = [{ timestamp: 5 }, { timestamp: 9 }, { timestamp: 7 }];

function only(slices: ReturnType<typeof buildBatch>): Batch {
  const [batch, ...more] = batchesOf(slices);
  assert.equal(more.length, 0);
  return batch!;
}

const offsets = (batch: Batch) => [...recordsOf(batch)].map((record) => record.offset);

test('inner offsets are absolute in magic 0 and relative in magic 1', () => {
  for (const [magic, want] of [
    [0, [40, 41, 42]],
    [1, [0, 1, 2]],
  ] as const) {
    const wrapper = only(buildBatch({ magic, codec: 'gzip', baseOffset: 40, records }));
    assert.equal(wrapper.header.lastOffset, 42);
    assert.deepEqual(
      [...runToEnd(innerEntries(wrapper))].map((entry) => entry.header.lastOffset),
      want,
    );
    assert.deepEqual(offsets(wrapper), [40, 41, 42]);
  }
});

test('a wrapper of magic 1 that nobody gave an offset counts from 0', () => {
  const wrapper = patchHeader(buildBatch({ magic: 1, codec: 'snappy', records }), 0, { baseOffset: 0 });
  assert.deepEqual(offsets(only(wrapper)), [0, 1, 2]);
});

test('a wrapper of magic 1 whose offset is below its last inner one is refused', () => {
  const wrapper = patchHeader(buildBatch({ magic: 1, codec: 'snappy', records }), 0, { baseOffset: 1 });
  assert.throws(() => [...recordsOf(only(wrapper))], InvalidRecordError);
});

test('an append time in the header holds for every record inside', () => {
  for (const magic of [1, 2] as const) {
    const timestamp = { type: 'LogAppendTime', maxTimestamp: 1234 } as const;
    const stamped = patchHeader(slicesOf(copyOf(buildBatch({ magic, codec: 'lz4', records }))), 0, { timestamp });
    assert.deepEqual(
      [...recordsOf(only(stamped))].map((record) => record.timestamp),
      [1234, 1234, 1234],
    );
  }
});

test('a wrapper inside a wrapper is refused', () => {
  const inner = copyOf(buildBatch({ magic: 1, codec: 'gzip', records }));
  // A plain message around the compressed entry becomes its wrapper when it says gzip.
  const bytes = Buffer.from(copyOf(buildBatch({ magic: 1, records: [{ value: gzipSync(inner) }] })));
  bytes[17] = 1;
  assert.throws(() => [...recordsOf(only(slicesOf(bytes)))], /must not be compressed/);
});
