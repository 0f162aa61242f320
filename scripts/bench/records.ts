import { copyOf, slicesOf } from '../../src/base/slices.ts';
import {
  BATCH_OVERHEAD,
  type CodecName,
  codecNames,
  hasValidCrc,
  readBatchHeader,
} from '../../src/kafka/records/batch.ts';
import { buildBatch, type NewRecord } from '../../src/kafka/records/builder.ts';
import { recordsOf } from '../../src/kafka/records/iterate.ts';
import { downConvert } from '../../src/kafka/records/testkit/down-convert.ts';
import { validateAndAssign } from '../../src/kafka/records/validate.ts';
import type { ValidateOptions } from '../../src/kafka/records/validation.ts';
import { walkRecords } from '../../src/kafka/records/walk.ts';

/** What record batches cost: `node scripts/bench/records.ts`. ns a batch and a record, MB of plain records a second. */

const WARM_UP_MS = 150;
const MEASURE_MS = 400;

function measure(work: () => void): number {
  const until = (ms: number) => {
    let runs = 0;
    const start = process.hrtime.bigint();
    for (;;) {
      for (let index = 0; index < 16; index += 1) work();
      runs += 16;
      const elapsedNs = Number(process.hrtime.bigint() - start);
      if (elapsedNs > ms * 1e6) return elapsedNs / runs;
    }
  };
  until(WARM_UP_MS);
  return until(MEASURE_MS);
}

const words = [
  'order',
  'shipped',
  '{"id":',
  '"customer":',
  'alice',
  'bob',
  ' carol',
  '2024-01-',
  '"}',
  'total',
  'pending',
  '42',
];

/** Text with the redundancy of small JSON documents. */
function documentOf(seed: number, size: number): Buffer {
  let text = '';
  for (let state = seed + 1; text.length < size; ) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    text += words[(state >>> 16) % words.length]! + (state >>> 28);
  }
  return Buffer.from(text.slice(0, size));
}

function recordsOfSize(count: number, size: number): NewRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    timestamp: 1_700_000_000_000 + (index >> 3),
    key: Buffer.from(`key-${index}`),
    value: documentOf(index, size),
  }));
}

const options: ValidateOptions = {
  rules: {
    maxMessageBytes: 10_485_760,
    compressionType: 'producer',
    isCompacted: false,
    timestampType: 'CreateTime',
    timestampBeforeMaxMs: Number.POSITIVE_INFINITY,
    timestampAfterMaxMs: Number.POSITIVE_INFINITY,
  },
  topicPartition: 'bench-0',
  baseOffset: 1_000_000,
  leaderEpoch: 1,
  nowMs: 1_700_000_000_000,
  origin: 'client',
};

function bench(count: number, size: number, codec: CodecName): void {
  const records = recordsOfSize(count, size);
  const plainSize = buildBatch({ records }).size;
  const bytes = copyOf(buildBatch({ records, codec }));
  const slices = slicesOf(bytes);
  const batch = { header: readBatchHeader(bytes)!, bytes: slices };
  const report = (what: string, work: () => void) => {
    const ns = measure(work);
    const cells = [
      `${count} x ${size} B`.padEnd(14),
      codec.padEnd(7),
      what.padEnd(26),
      `${ns.toFixed(0)} ns`.padStart(12),
      `${(ns / count).toFixed(1)} ns/record`.padStart(18),
      `${((plainSize / ns) * 1000).toFixed(0)} MB/s`.padStart(12),
    ];
    console.log(cells.join(' '));
  };
  report('validate', () => {
    bytes.fill(0, 0, 8); // the producer's base offset
    validateAndAssign(slices, options);
  });
  report('of which checksum', () => void hasValidCrc(batch));
  if (codec === 'none') report('of which walk', () => void walkRecords(slices, BATCH_OVERHEAD, count));
  report('read every record', () => {
    for (const record of recordsOf(batch)) if (record.offset < 0) return;
  });
  report('build', () => void buildBatch({ records, codec }));
  if (codec !== 'zstd') report('convert to magic 1', () => void downConvert(slices, { magic: 1, firstOffset: 0 }));
}

for (const codec of codecNames) bench(100, 100, codec);
for (const codec of codecNames) bench(1000, 1000, codec);
bench(1, 100, 'none');
bench(1000, 10, 'none');
