import assert from 'node:assert/strict';
import test from 'node:test';
import { copyOf, slicesOf } from '../../../base/slices.ts';
import { Simulation } from '../../../testing/index.ts';
import { type CodecName, codecNames, readBatchHeader } from '../../records/batch.ts';
import { buildBatch } from '../../records/builder.ts';
import { recordsOf } from '../../records/iterate.ts';
import { BatchFilter } from './batch-filter.ts';
import { CleanedTransactions } from './cleaned-transactions.ts';
import { OffsetMap } from './offset-map.ts';
import { RetainedBatches } from './retained-batches.ts';

const RECORDS = 8_000;
const VALUE_BYTES = 1_000;

/** Every second record has been replaced by the last one of all. */
function largeBatch(codec: CodecName): Uint8Array {
  const records = Array.from({ length: RECORDS }, (_, index) => ({
    key: Buffer.from(index % 2 === 0 ? `k${index}` : 'again'),
    value: Buffer.alloc(VALUE_BYTES, `value ${index} `),
  }));
  return copyOf(buildBatch({ codec, records }));
}

for (const codec of codecNames) {
  test(`a large batch is written anew in steps, none of which is long: ${codec}`, () => {
    const bytes = largeBatch(codec);
    const header = readBatchHeader(slicesOf(bytes))!;
    const map = new OffsetMap({
      bytesMax: 4 << 20,
      loadFactor: 0.9,
      keysMax: RECORDS,
      random: new Simulation({ seed: 1 }).machine('broker').runtime.random,
    });
    for (const { offset, key } of recordsOf({ header, bytes: slicesOf(bytes) })) map.put(key!, 0, key!.length, offset);
    map.latestOffset = header.lastOffset;
    const filter = new BatchFilter({
      map,
      nowMs: 0,
      deleteRetentionMs: 0,
      transactions: new CleanedTransactions(),
      producers: new Map(),
      checkedFrom: 0,
      keepLegacyTombstones: false,
      iteration: {},
    });
    const retained = new RetainedBatches();
    const steps = [...filter.filter(header, bytes, retained)];
    const plainBytes = RECORDS * VALUE_BYTES;
    assert.ok(Math.max(...steps) < 200_000, `a step of ${Math.max(...steps)} bytes`);
    // Unpacked, put together, looked at; half of it stays and is packed.
    const passes = codec === 'none' ? 1 : 3.5;
    assert.ok(steps.reduce((sum, step) => sum + step, 0) > 0.95 * passes * plainBytes);
    assert.equal(retained.recordCount, RECORDS / 2 + 1);
  });
}
