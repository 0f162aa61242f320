import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { concatSlices, copyOf, type Slices, slicesOf } from '../../base/slices.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { batchesOf, codecNames, hasValidCrc } from './batch.ts';
import { buildBatch } from './builder.ts';
import { buildEndTxnMarker } from './control.ts';
import { downConvert, downConverting, STEP_BYTES } from './convert.ts';
import { allRecordsOf } from './iterate.ts';
import { chopped, newRecords, someCuts } from './testkit/arbitraries.ts';

const hexes = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString('hex'));
const oldCodecs = codecNames.filter((codec) => codec !== 'zstd');

test('old clients get the same keys, values and offsets, without headers', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<0 | 1>(0, 1),
      fc.constantFrom(...oldCodecs),
      newRecords(2),
      someCuts,
      (magic, codec, records, cuts) => {
        const slices = chopped(copyOf(buildBatch({ records, codec, baseOffset: 50 })), cuts);
        const { slices: converted, convertedCount } = downConvert(slices, { magic, firstOffset: 0 });
        assert.equal(convertedCount, records.length);
        for (const batch of batchesOf(converted)) {
          assert.equal(batch.header.magic, magic);
          assert.equal(batch.header.codec, codec);
          assert.ok(hasValidCrc(batch));
        }
        const want = [...allRecordsOf(slices)].map(({ offset, timestamp, key, value }) => ({
          offset,
          timestamp: magic === 0 ? -1 : timestamp,
          key: hexes(key),
          value: hexes(value),
          headers: [],
        }));
        assert.deepEqual(
          [...allRecordsOf(converted)].map((record) => ({
            ...record,
            key: hexes(record.key),
            value: hexes(record.value),
          })),
          want,
        );
      },
    ),
    { numRuns: 150 },
  );
});

test('control batches are left out, and old batches pass as they are', () => {
  const old = buildBatch({ magic: 1, codec: 'gzip', records: [{ value: Buffer.from('old') }] });
  const marker = buildEndTxnMarker({
    committed: true,
    coordinatorEpoch: 0,
    producerId: 1,
    producerEpoch: 0,
    timestampMs: 1,
  });
  const { slices, convertedCount } = downConvert(concatSlices([marker, old, marker]), { magic: 1, firstOffset: 0 });
  assert.deepEqual(copyOf(slices), copyOf(old));
  assert.equal(convertedCount, 0);
});

test('plain records below the offset that was asked for are left out, compressed ones are not', () => {
  const records = [{}, {}, {}];
  for (const [codec, want] of [
    ['none', [11, 12]],
    ['gzip', [10, 11, 12]],
  ] as const) {
    const { slices } = downConvert(buildBatch({ codec, records, baseOffset: 10 }), { magic: 1, firstOffset: 11 });
    assert.deepEqual(
      [...allRecordsOf(slices)].map((record) => record.offset),
      want,
    );
  }
});

test('zstd cannot be given to old clients', () => {
  const batch = buildBatch({ codec: 'zstd', records: [{}] });
  assert.throws(() => downConvert(batch, { magic: 1, firstOffset: 0 }), {
    code: ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
  });
});

test('nothing converts to nothing', () =>
  assert.equal(downConvert(slicesOf(), { magic: 0, firstOffset: 0 }).slices.size, 0));

/** The steps that a conversion takes, and what comes out. */
function inSteps(slices: Slices): { readonly count: number; readonly bytes: Uint8Array } {
  const steps = downConverting(slices, { magic: 1, firstOffset: 0 });
  for (let count = 1; ; count += 1) {
    const step = steps.next();
    if (step.done === true) return { count, bytes: copyOf(step.value.slices) };
  }
}

const zeros = (records: number, bytes: number) =>
  Array.from({ length: records }, () => ({ timestamp: 5, value: Buffer.alloc(bytes) }));

for (const { name, batches } of [
  { name: 'one large batch', batches: [buildBatch({ codec: 'gzip', records: zeros(4000, 1000) })] },
  {
    name: 'many small ones',
    batches: Array.from({ length: 100 }, (_, index) =>
      buildBatch({ codec: 'gzip', baseOffset: index * 40, records: zeros(40, 1000) }),
    ),
  },
]) {
  test(`a few bytes that hold megabytes are converted in many steps: ${name}`, () => {
    const slices = concatSlices(batches);
    assert.ok(slices.size < 50_000);
    const { count, bytes } = inSteps(slices);
    assert.ok(count > (4_000_000 / STEP_BYTES) * 0.7, `${count} steps`);
    assert.equal([...allRecordsOf(slicesOf(bytes))].length, 4000);
    assert.deepEqual(bytes, copyOf(downConvert(slices, { magic: 1, firstOffset: 0 }).slices));
  });
}

test('what is small is converted at once', () => {
  assert.equal(inSteps(buildBatch({ codec: 'gzip', records: zeros(10, 1000) })).count, 1);
});
