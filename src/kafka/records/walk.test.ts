import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { CompressionError } from '../../base/compression-error.ts';
import { copyOf, slicesOf } from '../../base/slices.ts';
import { runToEnd } from '../../base/steps.ts';
import { BATCH_OVERHEAD, batchesOf, readBatchHeader } from './batch.ts';
import { buildBatch, type NewRecord } from './builder.ts';
import { InvalidRecordError } from './errors.ts';
import { recordsOf } from './iterate.ts';
import { chopped, newRecords, someCuts } from './testkit/arbitraries.ts';
import { walkPieces, walkRecords } from './walk.ts';

/** What the walk must find, from records as objects. */
function summaryOf(records: readonly NewRecord[]) {
  const base = records[0]!.timestamp ?? -1;
  const deltas = records.map((record) => (record.timestamp ?? -1) - base);
  return {
    minTimestampDelta: Math.min(...deltas),
    maxTimestampDelta: Math.max(...deltas),
    hasKeyless: records.some((record) => record.key === null),
    hasDenseOffsets: true,
  };
}

test('the walk finds the same as reading every record, wherever the bytes are cut', () => {
  fc.assert(
    fc.property(newRecords(2), someCuts, (records, cuts) => {
      const bytes = copyOf(buildBatch({ records }));
      const { minTimestampDelta, maxTimestampDelta, hasKeyless, hasDenseOffsets } = walkRecords(
        chopped(bytes, cuts),
        BATCH_OVERHEAD,
        records.length,
      );
      assert.deepEqual({ minTimestampDelta, maxTimestampDelta, hasKeyless, hasDenseOffsets }, summaryOf(records));
    }),
  );
});

test('every cut of one batch is walked', () => {
  const value = Buffer.alloc(70, 'v');
  const headers = [
    { key: 'trace', value: Buffer.from('abc') },
    { key: '', value: null },
  ];
  const records = [
    { timestamp: 5, key: null, value },
    { timestamp: 9e9, key: value, value: null, headers },
    { timestamp: 1 },
  ];
  const bytes = copyOf(buildBatch({ records }));
  for (let cut = BATCH_OVERHEAD; cut <= bytes.length; cut += 1) {
    for (const width of [0, 1, 2]) {
      const end = Math.min(cut + width, bytes.length);
      const slices = slicesOf(bytes.subarray(0, cut), bytes.subarray(cut, end), bytes.subarray(end));
      const summary = walkRecords(slices, BATCH_OVERHEAD, 3);
      assert.equal(summary.minTimestampDelta, -4);
      assert.equal(summary.maxTimestampDelta, 9e9 - 5);
    }
  }
});

test('a visitor sees every record, wherever the bytes are cut', () => {
  fc.assert(
    fc.property(newRecords(2), someCuts, (records, cuts) => {
      const plain = copyOf(buildBatch({ records })).subarray(BATCH_OVERHEAD);
      const seen: unknown[] = [];
      runToEnd(
        walkPieces(records.length, chopped(plain, cuts).chunks, ({ timestampDelta, offsetDelta, keySize, valueSize }) =>
          seen.push([timestampDelta, offsetDelta, keySize, valueSize]),
        ),
      );
      const base = records[0]!.timestamp ?? -1;
      assert.deepEqual(
        seen,
        records.map(({ timestamp = -1, key, value }, index) => [
          ...[timestamp - base, index],
          ...[key?.length ?? -1, value?.length ?? -1],
        ]),
      );
    }),
  );
});

test('offset deltas with gaps are noticed', () => {
  const records = [{ offset: 0 }, { offset: 2 }];
  assert.equal(walkRecords(buildBatch({ records }), BATCH_OVERHEAD, 2).hasDenseOffsets, false);
});

test('a count that is not that of the records is refused', () => {
  const slices = buildBatch({ records: [{}, {}] });
  assert.throws(() => walkRecords(slices, BATCH_OVERHEAD, 1), /records still remaining/);
  assert.throws(() => walkRecords(slices, BATCH_OVERHEAD, 3), /premature EOF/);
});

test('while a stream is unpacked, what is wrong with it counts before a record that is not as long as it says', () => {
  const bytes = Buffer.from(copyOf(buildBatch({ records: [{ value: Buffer.from('one') }, {}] }))).subarray(
    BATCH_OVERHEAD,
  );
  bytes[0]! += 2;
  const unpack = function* (isBroken: boolean): Generator<Uint8Array> {
    yield bytes;
    if (isBroken) throw new CompressionError('broken');
  };
  assert.throws(() => runToEnd(walkPieces(2, unpack(true))), { message: 'broken' });
  assert.throws(() => runToEnd(walkPieces(2, unpack(false))), { message: 'Found invalid record structure' });
});

/** Reading one by one is the oracle: what it refuses the walk refuses, and the reverse. */
test('damaged records are refused exactly where reading refuses them, and with the typed error', () => {
  const change = fc.tuple(fc.nat(), fc.nat(255));
  fc.assert(
    fc.property(newRecords(2), fc.array(change, { minLength: 1, maxLength: 4 }), someCuts, (records, changes, cuts) => {
      const bytes = copyOf(buildBatch({ records }));
      for (const [at, value] of changes) bytes[BATCH_OVERHEAD + (at % (bytes.length - BATCH_OVERHEAD))] = value;
      const slices = chopped(bytes, cuts);
      const walked = outcome(() => walkRecords(slices, BATCH_OVERHEAD, records.length));
      const header = readBatchHeader(bytes)!;
      assert.equal(
        walked,
        outcome(() => [...recordsOf({ header, bytes: slices })]),
      );
    }),
    { numRuns: 1000 },
  );
});

function outcome(work: () => unknown): 'fine' | 'refused' {
  try {
    work();
    return 'fine';
  } catch (error) {
    assert.ok(error instanceof InvalidRecordError, String(error));
    return 'refused';
  }
}

test('a record that claims a billion headers is refused at once', () => {
  const bytes = copyOf(buildBatch({ records: [{ value: Buffer.alloc(8) }] }));
  bytes.set([0xfe, 0xff, 0xff, 0xff, 0x07], bytes.length - 5);
  bytes[BATCH_OVERHEAD + 5] = 8; // four bytes of value, then the header count
  const [batch] = batchesOf(bytes);
  assert.throws(() => walkRecords(batch!.bytes, BATCH_OVERHEAD, 1), InvalidRecordError);
});

test('a value that reaches into the next record is refused, wherever the bytes are cut', () => {
  const bytes = Buffer.from(copyOf(buildBatch({ records: [{ value: Buffer.alloc(4) }, { value: Buffer.alloc(9) }] })));
  bytes[BATCH_OVERHEAD + 5] = 2 * 12;
  for (let cut = BATCH_OVERHEAD; cut < bytes.length; cut += 1) {
    const slices = slicesOf(bytes.subarray(0, cut), bytes.subarray(cut));
    assert.throws(() => walkRecords(slices, BATCH_OVERHEAD, 2), InvalidRecordError);
  }
});
