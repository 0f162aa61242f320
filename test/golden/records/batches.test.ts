import assert from 'node:assert/strict';
import test from 'node:test';
import { copyOf, slicesOf } from '../../../src/base/slices.ts';
import { batchesOf } from '../../../src/kafka/records/batch.ts';
import { buildBatch } from '../../../src/kafka/records/builder.ts';
import { recordsOf } from '../../../src/kafka/records/iterate.ts';
import { captured, describe } from './describe.ts';

/** Batches that kafka-clients 3.9.1 built (MemoryRecordsBuilder), and what its own classes read in them. */
interface Captured {
  readonly name: string;
  readonly hex: string;
  readonly batches: readonly Readonly<Record<string, unknown>>[];
}

const cases = captured<Captured>('batches.json');

for (const { name, hex, batches } of cases) {
  test(`Apache's batch reads as Apache reads it: ${name}`, () => {
    const read = describe(Buffer.from(hex, 'hex'));
    assert.equal(read.length, batches.length);
    for (const [index, want] of batches.entries()) {
      const got = read[index]!;
      for (const [field, value] of Object.entries(want)) assert.deepEqual(got[field], value, field);
    }
  });
}

test('a captured batch reads the same wherever the socket cut it', () => {
  for (const { hex } of cases.filter((one) => one.hex.length < 1200)) {
    const bytes = Buffer.from(hex, 'hex');
    const whole = describe(bytes);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      assert.deepEqual(describe(slicesOf(bytes.subarray(0, cut), bytes.subarray(cut))), whole);
    }
  }
});

/** An append time hides what the record deltas were, compression is another compressor's: the rest must be the same. */
function isRewritable({ batches }: Captured): boolean {
  return batches.every(
    (batch) => batch.codec === 'none' && (batch.magic !== 2 || batch.timestampType === 'CreateTime'),
  );
}

for (const { name, hex } of cases.filter(isRewritable)) {
  test(`the same records give the bytes that Apache wrote: ${name}`, () => {
    const rebuilt = [...batchesOf(Buffer.from(hex, 'hex'))].map((batch) => {
      const { header } = batch;
      if (header.recordCount === 0) return copyOf(batch.bytes); // only compaction leaves those
      return copyOf(
        buildBatch({
          ...header,
          codec: 'none',
          leaderEpoch: header.partitionLeaderEpoch,
          logAppendTimeMs: header.maxTimestamp,
          ...(header.hasDeleteHorizon ? { deleteHorizonMs: header.baseTimestamp } : {}),
          records: [...recordsOf(batch)],
        }),
      );
    });
    assert.equal(Buffer.concat(rebuilt).toString('hex'), hex);
  });
}
