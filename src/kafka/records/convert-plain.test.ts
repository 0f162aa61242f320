import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { InvariantError } from '../../base/assert.ts';
import { copyOf, slicesOf } from '../../base/slices.ts';
import { BATCH_OVERHEAD, type Batch, codecNames, readBatchHeader, type TimestampType } from './batch.ts';
import { BatchBuilder, buildBatch } from './builder.ts';
import { decompress } from './compression.ts';
import { putEntriesOf } from './convert-plain.ts';
import { InvalidRecordError } from './errors.ts';
import { allRecordsOf, recordsOf } from './iterate.ts';
import { OutputBlock } from './output-block.ts';
import { newRecords } from './testkit/arbitraries.ts';
import { downConvert } from './testkit/down-convert.ts';

const batchOf = (bytes: Uint8Array): Batch => ({ header: readBatchHeader(bytes)!, bytes: slicesOf(bytes) });
const oldCodecs = codecNames.filter((codec) => codec !== 'zstd');
const APPENDED_MS = 1_800_000_000_000;

test('a block of entries is what a builder makes of the records one by one', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<0 | 1>(0, 1),
      fc.constantFrom(...oldCodecs),
      fc.constantFrom<TimestampType>('CreateTime', 'LogAppendTime'),
      newRecords(2),
      fc.nat(60),
      (magic, codec, timestampType, records, firstOffset) => {
        const time = { timestampType, logAppendTimeMs: APPENDED_MS };
        const batch = batchOf(copyOf(buildBatch({ records, codec, baseOffset: 50, ...time })));
        const wanted = [...recordsOf(batch)].filter(({ offset }) => codec !== 'none' || offset >= firstOffset);
        const builder = new BatchBuilder({ magic, codec, baseOffset: wanted[0]?.offset ?? 0, ...time });
        for (const { headers: _, ...record } of wanted) builder.append(record);
        const { slices } = downConvert(batch.bytes, { magic, firstOffset });
        assert.deepEqual(copyOf(slices), copyOf(builder.build()));
        const block = new OutputBlock(new Uint8Array(0));
        const plain = decompress(codec, copyOf(batch.bytes).subarray(BATCH_OVERHEAD), { magic: 2, sizeMax: Infinity });
        assert.ok(
          putEntriesOf(batch, plain, { magic, firstOffset: 0 }, block) !== undefined,
          'nothing is odd about it',
        );
      },
    ),
    { numRuns: 300 },
  );
});

test('a damaged batch is told as reading it tells', () => {
  fc.assert(
    fc.property(newRecords(2), fc.nat(), fc.nat(255), (records, place, byte) => {
      const bytes = copyOf(buildBatch({ records }));
      bytes[61 + (place % (bytes.length - 61))] = byte;
      const batch = batchOf(bytes);
      const outcomeOf = (act: () => number): unknown => {
        try {
          return act();
        } catch (error) {
          return error instanceof Error ? error.name : error;
        }
      };
      const converted = outcomeOf(
        () => downConvert(batch.bytes, { magic: 1, firstOffset: Number.MIN_SAFE_INTEGER }).convertedCount,
      );
      const read = outcomeOf(() => [...recordsOf(batch)].length);
      assert.ok(converted === read || converted === 'InvariantError', `${converted} instead of ${read}`);
    }),
    { numRuns: 300 },
  );
});

for (const { name, records, place } of [
  { name: 'a value', records: [{ value: Buffer.alloc(4, 0x80) }], place: 5 },
  { name: 'a header', records: [{ value: null, headers: [{ key: 'k', value: Buffer.alloc(4, 0x80) }] }], place: 9 },
]) {
  test(`the size of ${name} that does not end is told too, although all that follows fits`, () => {
    const bytes = copyOf(buildBatch({ records }));
    const size = 61 + place;
    assert.equal(bytes[size], 8, 'the size of four bytes');
    bytes[size] = 0x80;
    assert.throws(() => downConvert(slicesOf(bytes), { magic: 1, firstOffset: 0 }), InvalidRecordError);
  });
}

test('a batch that holds more records than it says is not converted', () => {
  const bytes = copyOf(buildBatch({ records: [{ value: Buffer.from('a') }, { value: Buffer.from('b') }] }));
  bytes[60] = 1;
  assert.throws(() => downConvert(slicesOf(bytes), { magic: 1, firstOffset: 0 }), InvalidRecordError);
});

test('a timestamp far beyond what clocks tell is kept while a number holds it', () => {
  const far = 2 ** 52 + 5;
  const values = [Buffer.from('a'), Buffer.from('b')];
  const records = [
    { timestamp: 0, value: values[0]! },
    { timestamp: far, value: values[1]! },
  ];
  const { slices } = downConvert(buildBatch({ records }), { magic: 1, firstOffset: 0 });
  assert.deepEqual(
    [...allRecordsOf(slices)].map(({ timestamp }) => timestamp),
    [0, far],
  );
});

test('offsets that do not grow are not converted', () => {
  const bytes = copyOf(buildBatch({ records: [{ value: Buffer.from('a') }, { value: Buffer.from('b') }] }));
  const deltaAt = bytes.length - 5;
  assert.equal(bytes[deltaAt], 2, 'the offset delta of the second record');
  bytes[deltaAt] = 0;
  assert.throws(() => downConvert(slicesOf(bytes), { magic: 1, firstOffset: 0 }), InvariantError);
});
