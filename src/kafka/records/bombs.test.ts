/** Small batches that become large ones: what they cost, and what becomes of them. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { crc32c } from '../../base/crc32c.ts';
import { copyOf, slicesOf } from '../../base/slices.ts';
import { snappyChunks, snappyHeader } from '../../base/snappy.ts';
import { Writer } from '../../wire/writer.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { BATCH_OVERHEAD, codecNames } from './batch.ts';
import { buildBatch } from './builder.ts';
import { lz4Frame } from './lz4.ts';
import { RECORD_ERRORS_MAX } from './record-errors.ts';
import { validateAndAssign } from './validate.ts';
import type { RecordRules, ValidateOptions } from './validation.ts';

const MIB = 1_048_576;
const nowMs = 1_700_000_000_000;
const rules: RecordRules = {
  maxMessageBytes: 64 * MIB,
  compressionType: 'producer',
  isCompacted: false,
  timestampType: 'CreateTime',
  timestampBeforeMaxMs: Number.POSITIVE_INFINITY,
  timestampAfterMaxMs: Number.POSITIVE_INFINITY,
};
const base: ValidateOptions = { rules, topicPartition: 't-0', baseOffset: 0, leaderEpoch: 0, nowMs, origin: 'client' };

type Codec = 'gzip' | 'snappy' | 'lz4' | 'zstd';
const codecs: readonly Codec[] = ['gzip', 'snappy', 'lz4', 'zstd'];

/** A batch around compressed records, its checksum right. */
function batchAround(codec: Codec, packed: Uint8Array, recordCount: number): Uint8Array {
  const bytes = Buffer.concat([copyOf(buildBatch({ records: [{}] })).subarray(0, BATCH_OVERHEAD), packed]);
  bytes.writeInt32BE(bytes.length - 12, 8);
  bytes.writeInt16BE(codecNames.indexOf(codec), 21);
  bytes.writeInt32BE(recordCount - 1, 23);
  bytes.writeInt32BE(recordCount, 57);
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17);
  return bytes;
}

/** What comes before the value of a record without a key; its bytes and one for the headers follow. */
function headOf(valueSize: number): Uint8Array {
  const fields = new Writer();
  fields.int8(0);
  fields.varlong(0);
  fields.varint(0);
  fields.varint(-1);
  fields.varint(valueSize);
  const rest = fields.finishFlat();
  const writer = new Writer();
  writer.varint(rest.length + valueSize + 1);
  writer.bytes(rest);
  return writer.finishFlat();
}

/** One record of zeros, made of parts that repeat: making it must cost no memory either. */
function packedZeros(codec: Codec, mebibytes: number): Uint8Array {
  const last = pack(codec, Buffer.alloc(1));
  const zeros = pack(codec, Buffer.alloc(MIB));
  const parts = [pack(codec, headOf(mebibytes * MIB)), ...new Array<Uint8Array>(mebibytes).fill(zeros), last];
  if (codec === 'snappy') return Buffer.concat([snappyHeader, ...parts]);
  if (codec !== 'lz4') return Buffer.concat(parts);
  // One frame: what stands before and after its blocks comes once.
  return Buffer.concat([last.subarray(0, 7), ...parts.map((frame) => frame.subarray(7, -4)), Buffer.alloc(4)]);
}

function pack(codec: Codec, plain: Uint8Array): Uint8Array {
  switch (codec) {
    case 'gzip':
      return gzipSync(plain, { level: 9 });
    case 'snappy':
      return snappyChunks(plain);
    case 'lz4':
      return lz4Frame(plain, { magic: 2 });
    default:
      return zstdCompressSync(plain);
  }
}

/** By how many bytes the largest memory that this process ever had grows. */
function memoryOf(work: () => void): number {
  const before = process.resourceUsage().maxRSS;
  work();
  return (process.resourceUsage().maxRSS - before) * 1024;
}

for (const codec of codecs) {
  test(`a record of 400 MB in a small ${codec} batch is walked in memory that does not grow with it`, () => {
    const records = slicesOf(batchAround(codec, packedZeros(codec, 400), 1));
    const grown = memoryOf(() => {
      const result = validateAndAssign(records, { ...base, decompressedSizeMax: 512 * MIB });
      assert.equal(result.kind, 'valid', result.kind === 'rejected' ? result.message : '');
    });
    // Blocks of Snappy lie about until they are collected.
    assert.ok(grown < 160 * MIB, `${Math.round(grown / MIB)} MiB more`);
  });

  test(`a ${codec} batch that becomes more than is allowed is too large, and costs no more than that`, () => {
    const records = slicesOf(batchAround(codec, packedZeros(codec, 20), 1));
    const result = validateAndAssign(records, { ...base, decompressedSizeMax: 8 * MIB });
    assert.equal(result.kind === 'rejected' && result.code, ErrorCode.MESSAGE_TOO_LARGE);
    assert.equal(validateAndAssign(records, { ...base, decompressedSizeMax: 21 * MIB }).kind, 'valid');
  });
}

test('millions of records without a key cost as many errors as are told', () => {
  const one = copyOf(buildBatch({ records: [{ value: null, key: null }] })).subarray(BATCH_OVERHEAD);
  const count = 2_000_000;
  const plain = Buffer.alloc(count * one.length);
  for (let index = 0; index < count; index += 1) plain.set(one, index * one.length);
  const records = slicesOf(batchAround('gzip', gzipSync(plain), count));
  const result = validateAndAssign(records, { ...base, rules: { ...rules, isCompacted: true } });
  assert.equal(result.kind === 'rejected' && result.code, ErrorCode.INVALID_RECORD);
  assert.equal(result.kind === 'rejected' && result.recordErrors.length, RECORD_ERRORS_MAX);
});

test('a wrapper of old messages that becomes more than is allowed is too large', () => {
  const bytes = Buffer.from(
    copyOf(buildBatch({ magic: 1, codec: 'gzip', records: [{ value: Buffer.alloc(8 * MIB) }] })),
  );
  const result = validateAndAssign(slicesOf(bytes), { ...base, decompressedSizeMax: 4 * MIB });
  assert.equal(result.kind === 'rejected' && result.code, ErrorCode.MESSAGE_TOO_LARGE);
});
