import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { CompressionError } from '../../base/compression-error.ts';
import { copyOf } from '../../base/slices.ts';
import { batchesOf, hasValidCrc } from './batch.ts';
import { BatchBuilder, buildBatch } from './builder.ts';
import { buildEndTxnMarker, buildLeaderChange, readControlRecord } from './control.ts';
import { CorruptBatchError, InvalidRecordError } from './errors.ts';
import { allRecordsOf } from './iterate.ts';
import { chopped, magicAndCodec, newRecords, someCuts } from './testkit/arbitraries.ts';
import { recordSizeUpperBound } from './write-record.ts';

const hexes = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString('hex'));

const built = magicAndCodec.chain(([magic, codec]) =>
  fc.record({
    magic: fc.constant(magic),
    codec: fc.constant(codec),
    records: newRecords(magic),
    baseOffset: fc.nat(2 ** 40),
  }),
);

test('records come back as they were put in, in every magic and codec, wherever the bytes are cut', () => {
  fc.assert(
    fc.property(built, someCuts, ({ magic, codec, records, baseOffset }, cuts) => {
      const slices = chopped(copyOf(buildBatch({ magic, codec, records, baseOffset })), cuts);
      for (const batch of batchesOf(slices)) assert.ok(hasValidCrc(batch));
      const read = [...allRecordsOf(slices)].map(({ key, value, headers, ...rest }) => ({
        ...rest,
        key: hexes(key),
        value: hexes(value),
        headers: headers.map((header) => ({ key: header.key, value: hexes(header.value) })),
      }));
      const want = records.map(({ key = null, value = null, headers = [], timestamp = -1 }, index) => ({
        offset: baseOffset + index,
        timestamp,
        key: hexes(key),
        value: hexes(value),
        headers: headers.map((header) => ({ key: Buffer.from(header.key).toString(), value: hexes(header.value) })),
      }));
      assert.deepEqual(read, want);
    }),
    { numRuns: 200 },
  );
});

test('damaged batches of every magic and codec give a typed error or records', () => {
  const change = fc.tuple(fc.nat(), fc.nat(255));
  fc.assert(
    fc.property(built, fc.array(change, { minLength: 1, maxLength: 4 }), ({ records, ...options }, changes) => {
      const bytes = copyOf(buildBatch({ ...options, records }));
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      try {
        for (const { offset } of allRecordsOf(bytes, { decompressedSizeMax: 1 << 20 }))
          assert.equal(typeof offset, 'number');
      } catch (error) {
        const isTyped = [CorruptBatchError, InvalidRecordError, CompressionError].some((type) => error instanceof type);
        assert.ok(isTyped, String(error));
      }
    }),
    { numRuns: 600 },
  );
});

test('the estimate is exact without compression, and room is judged before it is taken', () => {
  fc.assert(
    fc.property(newRecords(2), fc.integer({ min: 100, max: 3000 }), (records, sizeMax) => {
      const builder = new BatchBuilder();
      for (const record of records) {
        if (!builder.hasRoomFor(record, sizeMax)) break;
        const before = builder.estimatedSize;
        builder.append(record);
        assert.ok(builder.estimatedSize - before <= recordSizeUpperBound(record));
        assert.ok(builder.count === 1 || builder.estimatedSize <= sizeMax);
      }
      const { estimatedSize } = builder;
      assert.equal(builder.build().size, estimatedSize);
    }),
  );
});

test('an empty builder gives no bytes', () => assert.equal(new BatchBuilder().build().size, 0));

test('offsets must grow, and old magics know no headers', () => {
  const builder = new BatchBuilder({ baseOffset: 10 });
  builder.append({ offset: 12 });
  assert.throws(() => builder.append({ offset: 12 }), { name: 'InvariantError' });
  const old = new BatchBuilder({ magic: 1 });
  assert.throws(() => old.append({ headers: [{ key: 'h', value: null }] }), { name: 'InvariantError' });
  assert.throws(() => new BatchBuilder({ magic: 1, codec: 'zstd' }), { name: 'InvariantError' });
});

test('a commit marker has the bytes of the format description', () => {
  const marker = buildEndTxnMarker({
    committed: true,
    coordinatorEpoch: 7,
    producerId: 1000,
    producerEpoch: 3,
    timestampMs: 1_700_000_000_000,
    baseOffset: 5,
    leaderEpoch: 0,
  });
  const want =
    '00000000000000050000004200000000' +
    '02ad320ccb0030000000000000018bcfe568000000018bcfe5680000000000000003e80003ffffffff00000001' +
    '200000000800000001' +
    '0c00000000000700';
  assert.equal(Buffer.from(copyOf(marker)).toString('hex'), want);
  const [batch] = batchesOf(marker);
  assert.deepEqual(readControlRecord(batch!), { kind: 'endTxn', committed: true, coordinatorEpoch: 7 });
});

test('a leader change is a control record of another type', () => {
  const message = { version: 0, leaderId: 1, voters: [], grantingVoters: [] };
  const [batch] = batchesOf(buildLeaderChange({ message, timestampMs: 5, baseOffset: 8, leaderEpoch: 2 }));
  assert.ok(batch!.header.isControl);
  assert.deepEqual(readControlRecord(batch!), { kind: 'other', type: 2 });
});
