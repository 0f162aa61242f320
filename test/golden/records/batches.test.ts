import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { slicesOf } from '../../../src/base/slices.ts';
import { type Batch, batchesOf, hasValidCrc, lastSequenceOf } from '../../../src/kafka/records/batch.ts';
import { type LogRecord, recordsOf } from '../../../src/kafka/records/iterate.ts';

/** Batches that kafka-clients 3.9.1 built (MemoryRecordsBuilder), and what its own classes read in them. */
interface Captured {
  readonly name: string;
  readonly hex: string;
  readonly batches: readonly Readonly<Record<string, unknown>>[];
}

const captured = JSON.parse(readFileSync(new URL('batches.json', import.meta.url), 'utf8')) as Captured[];

/** Long values stand in the file as their hash. */
function hexOf(bytes: Uint8Array | null): string | null {
  if (bytes === null) return null;
  const hex = Buffer.from(bytes).toString('hex');
  return bytes.length <= 200 ? hex : `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function describeRecord({ offset, timestamp, key, value, headers }: LogRecord) {
  return {
    offset,
    timestamp,
    key: key === null ? null : Buffer.from(key).toString('hex'),
    value: hexOf(value),
    headers: headers.map((header) => ({ key: header.key, value: hexOf(header.value) })),
  };
}

function describe(batch: Batch): Record<string, unknown> {
  const { header } = batch;
  return {
    ...header,
    crcValid: hasValidCrc(batch),
    lastSequence: lastSequenceOf(header),
    records: [...recordsOf(batch)].map(describeRecord),
  };
}

for (const { name, hex, batches } of captured) {
  test(`Apache's batch reads as Apache reads it: ${name}`, () => {
    const bytes = Buffer.from(hex, 'hex');
    const read = [...batchesOf(bytes)].map(describe);
    assert.equal(read.length, batches.length);
    for (const [index, want] of batches.entries()) {
      const got = read[index]!;
      for (const [field, value] of Object.entries(want)) assert.deepEqual(got[field], value, field);
    }
  });
}

test('a captured batch reads the same wherever the socket cut it', () => {
  for (const { hex } of captured.filter((one) => one.hex.length < 1200)) {
    const bytes = Buffer.from(hex, 'hex');
    const whole = [...batchesOf(bytes)].map(describe);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const slices = slicesOf(bytes.subarray(0, cut), bytes.subarray(cut));
      assert.deepEqual([...batchesOf(slices)].map(describe), whole);
    }
  }
});
