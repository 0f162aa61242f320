import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { concatSlices, copyOf, slicesOf } from '../../base/slices.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { batchesOf, codecNames, hasValidCrc } from './batch.ts';
import { buildBatch } from './builder.ts';
import { buildEndTxnMarker } from './control.ts';
import { allRecordsOf } from './iterate.ts';
import { chopped, newRecords, someCuts } from './testkit/arbitraries.ts';
import { downConvert } from './testkit/down-convert.ts';

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
