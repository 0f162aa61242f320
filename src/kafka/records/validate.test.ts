import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { crc32c } from '../../base/crc32c.ts';
import { concatSlices, copyOf, type Slices, slicesOf } from '../../base/slices.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { type BatchHeader, batchesOf, hasValidCrc, readBatchHeader } from './batch.ts';
import { type BatchOptions, buildBatch, type NewRecord } from './builder.ts';
import { buildEndTxnMarker } from './control.ts';
import { allRecordsOf } from './iterate.ts';
import { chopped, magicAndCodec, newRecords, someCuts } from './testkit/arbitraries.ts';
import { checkProduceRecords, validateAndAssign } from './validate.ts';
import type { RecordRules, ValidatedRecords, ValidateOptions } from './validation.ts';

const nowMs = 1_700_000_000_000;
const rules: RecordRules = {
  maxMessageBytes: 1_048_588,
  compressionType: 'producer',
  isCompacted: false,
  timestampType: 'CreateTime',
  timestampBeforeMaxMs: Number.POSITIVE_INFINITY,
  timestampAfterMaxMs: Number.POSITIVE_INFINITY,
};
const base: ValidateOptions = {
  rules,
  topicPartition: 't-0',
  baseOffset: 1000,
  leaderEpoch: 4,
  nowMs,
  origin: 'client',
};
const withRules = (changed: Partial<RecordRules>): ValidateOptions => ({ ...base, rules: { ...rules, ...changed } });

function valid(records: Slices, options: ValidateOptions = base): ValidatedRecords {
  const result = validateAndAssign(records, options);
  assert.ok(result.kind === 'valid', result.kind === 'rejected' ? result.message : '');
  return result;
}

const three: NewRecord[] = [
  { timestamp: nowMs, key: Buffer.from('a'), value: Buffer.from('1') },
  { timestamp: nowMs + 5, key: Buffer.from('b'), value: Buffer.from('2') },
  { timestamp: nowMs - 5, key: null, value: null },
];
const batchOf = (options: BatchOptions = {}, records = three) =>
  slicesOf(Uint8Array.from(copyOf(buildBatch({ ...options, records }))));

/** The same batch with one header field changed, checksum and all. */
function forged(
  header: Partial<Record<'lastOffsetDelta' | 'recordCount' | 'baseSequence', number>>,
  options: BatchOptions = {},
): Slices {
  const bytes = Buffer.from(copyOf(batchOf(options)));
  if (header.lastOffsetDelta !== undefined) bytes.writeInt32BE(header.lastOffsetDelta, 23);
  if (header.baseSequence !== undefined) bytes.writeInt32BE(header.baseSequence, 53);
  if (header.recordCount !== undefined) bytes.writeInt32BE(header.recordCount, 57);
  return sealed(bytes);
}

function sealed(bytes: Buffer): Slices {
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17);
  return slicesOf(bytes);
}

test('a plain batch gets offsets and epoch in place, and keeps its bytes', () => {
  const records = batchOf({ producerId: 9, producerEpoch: 2, baseSequence: 5 });
  const [chunk] = records.chunks;
  const result = valid(records);
  assert.equal(result.slices.chunks[0], chunk);
  const [header] = result.batches as readonly [BatchHeader];
  assert.deepEqual(
    [header.baseOffset, header.lastOffset, header.partitionLeaderEpoch, header.producerId, header.baseSequence],
    [1000, 1002, 4, 9, 5],
  );
  assert.deepEqual(
    [result.firstOffset, result.lastOffset, result.count, result.maxTimestamp, result.offsetOfMaxTimestamp],
    [1000, 1002, 3, nowMs + 5, 1002],
  );
  assert.equal(result.logAppendTimeMs, -1);
});

test('an append-time topic stamps the batch', () => {
  for (const codec of ['none', 'lz4'] as const) {
    const result = valid(batchOf({ codec }), withRules({ timestampType: 'LogAppendTime' }));
    const [batch] = batchesOf(result.slices);
    assert.ok(hasValidCrc(batch!));
    assert.equal(batch!.header.timestampType, 'LogAppendTime');
    assert.deepEqual(
      [...allRecordsOf(result.slices)].map((record) => record.timestamp),
      [nowMs, nowMs, nowMs],
    );
    assert.equal(result.logAppendTimeMs, nowMs);
  }
});

test('an absurd timestamp of the producer does not matter where the append’s counts, also in a batch written anew', () => {
  const bytes = Buffer.from(copyOf(batchOf()));
  bytes.writeBigInt64BE(2n ** 63n - 1n, 27);
  for (const compressionType of ['producer', 'gzip'] as const) {
    const records = sealed(Buffer.from(bytes));
    const result = valid(records, withRules({ timestampType: 'LogAppendTime', compressionType }));
    assert.equal(result.maxTimestamp, nowMs);
  }
});

const refused: { name: string; records: () => Slices; options?: ValidateOptions; code: number; message?: RegExp }[] = [
  { name: 'a flipped bit', records: () => damagedByte(batchOf(), 64), code: ErrorCode.CORRUPT_MESSAGE },
  {
    name: 'an offset that is not 0',
    records: () => batchOf({ baseOffset: 5 }),
    code: ErrorCode.INVALID_RECORD,
    message: /baseOffset/,
  },
  {
    name: 'a batch above max.message.bytes',
    records: () => batchOf(),
    options: withRules({ maxMessageBytes: 80 }),
    code: ErrorCode.MESSAGE_TOO_LARGE,
  },
  {
    name: 'two batches of magic 2',
    records: () => concatSlices([batchOf(), batchOf()]),
    code: ErrorCode.INVALID_RECORD,
    message: /more than one batch/,
  },
  {
    name: 'a count above the records',
    records: () => forged({ recordCount: 4, lastOffsetDelta: 3 }),
    code: ErrorCode.INVALID_RECORD,
    message: /premature EOF/,
  },
  {
    name: 'a count below the records',
    records: () => forged({ recordCount: 2, lastOffsetDelta: 1 }),
    code: ErrorCode.INVALID_RECORD,
    message: /still remaining/,
  },
  {
    name: 'a count of zero',
    records: () => forged({ recordCount: 0, lastOffsetDelta: 0 }),
    code: ErrorCode.INVALID_RECORD,
    message: /reported count/,
  },
  {
    name: 'a negative offset range',
    records: () => forged({ lastOffsetDelta: -1 }),
    code: ErrorCode.INVALID_RECORD,
    message: /invalid offset range/,
  },
  {
    name: 'a range that is not the count',
    records: () => forged({ lastOffsetDelta: 5 }),
    code: ErrorCode.INVALID_RECORD,
    message: /Inconsistent/,
  },
  {
    name: 'a producer id without a sequence',
    records: () => forged({ baseSequence: -1 }, { producerId: 5, producerEpoch: 0, baseSequence: 0 }),
    code: ErrorCode.INVALID_RECORD,
    message: /sequence/,
  },
  { name: 'a control batch', records: () => marker(), code: ErrorCode.INVALID_RECORD, message: /control records/ },
  {
    name: 'a record without key on a compacted topic',
    records: () => batchOf(),
    options: withRules({ isCompacted: true }),
    code: ErrorCode.INVALID_RECORD,
  },
  {
    name: 'a time too far ahead',
    records: () => batchOf(),
    options: withRules({ timestampAfterMaxMs: 4 }),
    code: ErrorCode.INVALID_TIMESTAMP,
  },
  {
    name: 'a time too long ago',
    records: () => batchOf(),
    options: withRules({ timestampBeforeMaxMs: 4 }),
    code: ErrorCode.INVALID_TIMESTAMP,
  },
  {
    name: 'an append time that the producer set',
    records: () => batchOf({ timestampType: 'LogAppendTime', logAppendTimeMs: nowMs }),
    options: withRules({ timestampType: 'LogAppendTime' }),
    code: ErrorCode.INVALID_TIMESTAMP,
  },
  {
    name: 'a batch that outgrows its limit when rewritten',
    records: () => batchOf({ codec: 'zstd' }, [{ value: Buffer.alloc(5000) }]),
    options: withRules({ compressionType: 'uncompressed', maxMessageBytes: 500 }),
    code: ErrorCode.MESSAGE_TOO_LARGE,
  },
  { name: 'bytes that do not decompress', records: () => notCompressed(), code: ErrorCode.UNKNOWN_SERVER_ERROR },
  {
    name: 'a compression bomb',
    records: () => batchOf({ codec: 'gzip' }, [{ value: Buffer.alloc(100_000) }]),
    options: { ...base, decompressedSizeMax: 50_000 },
    code: ErrorCode.MESSAGE_TOO_LARGE,
  },
  {
    name: 'old messages of different magics',
    records: () => concatSlices([batchOf({ magic: 0 }), batchOf({ magic: 1 })]),
    code: ErrorCode.INVALID_RECORD,
    message: /magic/,
  },
];
for (const { name, records, options = base, code, message = /./ } of refused) {
  test(`${name} is refused with ${code}`, () => {
    const result = validateAndAssign(records(), options);
    assert.ok(result.kind === 'rejected');
    assert.equal(result.code, code, result.message);
    assert.match(result.message, message);
  });
}

function damagedByte(records: Slices, at: number): Slices {
  const bytes = Uint8Array.from(copyOf(records));
  bytes[at]! ^= 0x10;
  return slicesOf(bytes);
}

function marker(): Slices {
  return buildEndTxnMarker({
    committed: true,
    coordinatorEpoch: 0,
    producerId: 5,
    producerEpoch: 0,
    timestampMs: nowMs,
  });
}

function notCompressed(): Slices {
  const bytes = Buffer.from(copyOf(batchOf()));
  bytes[22] = 1; // says gzip
  return sealed(bytes);
}

test('bad records are named by their place, with Apache’s words', () => {
  const result = validateAndAssign(
    batchOf(),
    withRules({ isCompacted: true, timestampAfterMaxMs: 4, timestampBeforeMaxMs: 1e6 }),
  );
  assert.ok(result.kind === 'rejected');
  assert.equal(result.code, ErrorCode.INVALID_TIMESTAMP);
  assert.deepEqual(
    result.recordErrors.map(({ batchIndex, message }) => [batchIndex, message]),
    [
      [
        1,
        `Timestamp ${nowMs + 5} of message with offset 1 is out of range. The timestamp should be within [${nowMs - 1e6}, ${nowMs + 4}]`,
      ],
      [2, 'Compacted topic cannot accept message without key in topic partition t-0'],
    ],
  );
});

test('records that claim to be stamped by a broker are named as Apache names them, by its reader of each kind of batch', () => {
  const told = (codec: 'none' | 'lz4', changed: Partial<RecordRules> = {}) => {
    const records = batchOf({ codec, timestampType: 'LogAppendTime', logAppendTimeMs: nowMs });
    const result = validateAndAssign(records, withRules({ timestampType: 'LogAppendTime', ...changed }));
    assert.ok(result.kind === 'rejected');
    return result.recordErrors[2]?.message;
  };
  const wanted = (kind: string, sizeOfNull = 0) =>
    `Invalid timestamp type in message ${kind}(offset=2, timestamp=${nowMs}, key=${sizeOfNull} bytes, value=${sizeOfNull} bytes). Producer should not set timestamp type to LogAppendTime.`;
  assert.equal(told('none'), wanted('DefaultRecord'));
  assert.equal(told('lz4'), wanted('PartialDefaultRecord', -1));
  assert.equal(told('lz4', { compressionType: 'gzip' }), wanted('DefaultRecord'));
});

test('a coordinator may write control batches, and they stay uncompressed', () => {
  const result = valid(marker(), { ...withRules({ compressionType: 'gzip' }), origin: 'coordinator' });
  assert.equal(result.batches[0]!.codec, 'none');
  assert.equal(result.batches[0]!.isControl, true);
});

test('no batch at all is no error, and a truncated tail is cut off', () => {
  assert.equal(valid(slicesOf()).count, 0);
  const one = batchOf({ magic: 1 }, three.slice(0, 1));
  const two = concatSlices([one, slicesOf(copyOf(one).subarray(0, 20))]);
  assert.equal(valid(two).count, 1);
});

test('a producer’s wrong inner offsets are written anew', () => {
  const gaps = [
    { offset: 0, key: Buffer.from('a') },
    { offset: 5, key: Buffer.from('b') },
  ];
  const bytes = Buffer.from(copyOf(buildBatch({ records: gaps, codec: 'lz4' })));
  bytes.writeInt32BE(1, 23);
  const result = valid(sealed(bytes));
  assert.equal(result.convertedCount, 2);
  assert.deepEqual(
    [...allRecordsOf(result.slices)].map((record) => record.offset),
    [1000, 1001],
  );
});

test('a compression level is used for the codec that the topic names, not for the producer’s', () => {
  const text = Array.from({ length: 400 }, (_, index) => ({
    value: Buffer.from(`value ${index * index} of ${index % 7}`),
  }));
  const sizeOf = (changed: Partial<RecordRules>, codec: 'none' | 'gzip') =>
    valid(batchOf({ codec }, text), withRules(changed)).slices.size;
  const [fast, best] = [1, 9].map((compressionLevel) => sizeOf({ compressionType: 'gzip', compressionLevel }, 'none'));
  assert.ok(best! < fast!, `${best} below ${fast}`);
  assert.equal(sizeOf({ compressionType: 'gzip', compressionLevel: 1 }, 'gzip'), batchOf({ codec: 'gzip' }, text).size);
});

const summaries = (slices: Slices) =>
  [...allRecordsOf(slices)].map(({ offset, timestamp, key, value, headers }) => ({
    offset,
    timestamp,
    key: key === null ? null : Buffer.from(key).toString('hex'),
    value: value === null ? null : Buffer.from(value).toString('hex'),
    headers: headers.length,
  }));

const anything = magicAndCodec.chain(([magic, codec]) =>
  fc.record({
    magic: fc.constant(magic),
    codec: fc.constant(codec),
    records: newRecords(magic),
    target: fc.constantFrom('producer', 'uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'),
  }),
);

test('whatever comes in, one batch of magic 2 with the same records goes out, wherever the socket cut it', () => {
  fc.assert(
    fc.property(anything, someCuts, ({ magic, codec, records, target }, cuts) => {
      const produced = copyOf(buildBatch({ magic, codec, records }));
      const before = summaries(slicesOf(produced));
      const compressionType = target as RecordRules['compressionType'];
      const result = valid(chopped(produced, cuts), withRules({ compressionType }));
      const again = chopped(produced, cuts);
      const firstHeader = readBatchHeader(again);
      assert.deepEqual(valid(again, { ...withRules({ compressionType }), firstHeader }), result, 'read once');
      const written = [...batchesOf(result.slices)];
      assert.equal(written.length, 1);
      const { header } = written[0]!;
      assert.ok(hasValidCrc(written[0]!));
      assert.equal(header.magic, 2);
      assert.equal(header.codec, target === 'producer' ? codec : target === 'uncompressed' ? 'none' : target);
      assert.deepEqual(header, result.batches[0]);
      assert.equal(header.maxTimestamp, Math.max(...before.map((record) => record.timestamp)));
      assert.deepEqual(
        summaries(result.slices),
        before.map((record, index) => ({ ...record, offset: 1000 + index })),
      );
    }),
    { numRuns: 150 },
  );
});

test('damaged input is a value, never an exception', () => {
  const change = fc.tuple(fc.nat(), fc.nat(255));
  fc.assert(
    fc.property(
      anything,
      fc.array(change, { minLength: 1, maxLength: 4 }),
      someCuts,
      ({ magic, codec, records, target }, changes, cuts) => {
        const bytes = Buffer.from(copyOf(buildBatch({ magic, codec, records })));
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        const slices = bytes[16] === 2 && bytes.length > 61 ? sealed(bytes) : slicesOf(bytes);
        const options = {
          ...withRules({ compressionType: target as RecordRules['compressionType'] }),
          decompressedSizeMax: 1 << 20,
        };
        assert.match(validateAndAssign(chopped(copyOf(slices), cuts), options).kind, /valid|rejected/);
      },
    ),
    { numRuns: 600 },
  );
});

const requests = [
  { name: 'no batch', version: 3, records: () => slicesOf(), code: ErrorCode.INVALID_RECORD },
  {
    name: 'half a batch',
    version: 9,
    records: () => slicesOf(copyOf(batchOf()).subarray(0, 70)),
    code: ErrorCode.INVALID_RECORD,
  },
  { name: 'magic 1 in version 3', version: 3, records: () => batchOf({ magic: 1 }), code: ErrorCode.INVALID_RECORD },
  { name: 'magic 1 in version 2', version: 2, records: () => batchOf({ magic: 1 }), code: undefined },
  {
    name: 'two batches',
    version: 3,
    records: () => concatSlices([batchOf(), batchOf()]),
    code: ErrorCode.INVALID_RECORD,
  },
  {
    name: 'zstd before version 7',
    version: 6,
    records: () => batchOf({ codec: 'zstd' }),
    code: ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
  },
  { name: 'zstd from version 7', version: 7, records: () => batchOf({ codec: 'zstd' }), code: undefined },
  {
    name: 'a size that cannot be',
    version: 9,
    records: () => slicesOf(new Uint8Array(70)),
    code: ErrorCode.CORRUPT_MESSAGE,
  },
];
for (const { name, version, records, code } of requests) {
  test(`a produce request with ${name} is ${code === undefined ? 'looked at further' : `refused with ${code}`}`, () => {
    const checked = checkProduceRecords(version, records());
    assert.equal(checked !== undefined && 'code' in checked ? checked.code : undefined, code);
  });
}
