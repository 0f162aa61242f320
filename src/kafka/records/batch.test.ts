import assert from 'node:assert/strict';
import test from 'node:test';
import { copyOf, slicesOf } from '../../base/slices.ts';
import { batchesOf, type HeaderPatch, hasValidCrc, lastSequenceOf, patchHeader, readBatchHeader } from './batch.ts';
import { buildBatch } from './builder.ts';

const records = [
  { timestamp: 1_700_000_000_000, key: Buffer.from('k'), value: Buffer.from('v0') },
  { timestamp: 1_700_000_000_007, key: Buffer.from('k'), value: Buffer.from('v1') },
];
const v2 = copyOf(buildBatch({ records, producerId: 7, producerEpoch: 1, baseSequence: 2_147_483_647 }));
const v1 = copyOf(buildBatch({ records, magic: 1, codec: 'gzip' }));
const v0 = copyOf(buildBatch({ records: records.slice(1), magic: 0 }));

test('a header reads the same wherever the bytes are cut', () => {
  for (const bytes of [v2, v1, v0]) {
    const whole = readBatchHeader(bytes);
    for (let first = 0; first <= bytes.length; first += 1) {
      for (const second of [first, Math.min(first + 1, bytes.length), bytes.length]) {
        const slices = slicesOf(bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second));
        assert.deepEqual(readBatchHeader(slices), whole);
      }
    }
  }
});

const patches: HeaderPatch[] = [
  { baseOffset: 2 ** 40 + 5, partitionLeaderEpoch: 12 },
  { baseOffset: 3, timestamp: { type: 'LogAppendTime', maxTimestamp: 1_800_000_000_000 } },
  { timestamp: { type: 'CreateTime', maxTimestamp: 5 } },
];

test('patched fields reach the bytes wherever the header was cut, behind another batch too', () => {
  for (const bytes of [v2, v1]) {
    for (const patch of patches) {
      const want = copyOf(patchHeader(slicesOf(Uint8Array.from(bytes)), 0, patch));
      for (let cut = 0; cut <= bytes.length; cut += 1) {
        const copy = Uint8Array.from(bytes);
        const slices = slicesOf(v0, copy.subarray(0, cut), copy.subarray(cut));
        const patched = patchHeader(slices, v0.length, patch);
        assert.equal(patched.size, slices.size);
        assert.deepEqual(Buffer.from(copyOf(patched)), Buffer.concat([v0, want]));
      }
      const [batch] = batchesOf(want);
      assert.ok(batch !== undefined && hasValidCrc(batch), 'the checksum follows');
    }
  }
});

test('a patch sets what it names and nothing else', () => {
  const before = readBatchHeader(v2)!;
  const after = readBatchHeader(patchHeader(slicesOf(Uint8Array.from(v2)), 0, patches[0]!))!;
  assert.deepEqual(after, { ...before, baseOffset: 2 ** 40 + 5, lastOffset: 2 ** 40 + 6, partitionLeaderEpoch: 12 });
});

test('a truncated tail ends the walk, as fetch responses have one', () => {
  const two = Buffer.concat([v2, v1]);
  for (let size = 0; size < two.length; size += 1) {
    const want = size < v2.length ? 0 : 1;
    assert.equal([...batchesOf(two.subarray(0, size))].length, want, `${size} bytes`);
  }
  assert.equal([...batchesOf(two)].length, 2);
});

test('a changed bit behind the checksum is found', () => {
  for (const [bytes, covered] of [
    [v2, 21],
    [v1, 16],
  ] as const) {
    for (let at = covered; at < bytes.length; at += 1) {
      const damaged = Uint8Array.from(bytes);
      damaged[at]! ^= 1;
      if (at === 16) continue; // the magic: another format altogether
      assert.ok(!hasValidCrc({ header: readBatchHeader(damaged)!, bytes: slicesOf(damaged) }), `byte ${at}`);
    }
  }
});

test('the last sequence wraps to 0 behind 2^31-1', () => {
  assert.equal(lastSequenceOf(readBatchHeader(v2)!), 0);
  assert.equal(lastSequenceOf(readBatchHeader(v1)!), -1);
});

const corrupt = [
  { name: 'a size below the smallest entry', at: 8, bytes: [0, 0, 0, 13] },
  { name: 'a negative size', at: 8, bytes: [0xff, 0xff, 0xff, 0xff] },
  { name: 'a size below the header of magic 2', at: 8, bytes: [0, 0, 0, 48] },
  { name: 'a magic that no Kafka has', at: 16, bytes: [3] },
  { name: 'a negative magic', at: 16, bytes: [0xff] },
];
for (const { name, at, bytes } of corrupt) {
  test(`${name} is corruption, not a batch`, () => {
    const damaged = Uint8Array.from(v2);
    damaged.set(bytes, at);
    assert.throws(() => readBatchHeader(damaged), { name: 'CorruptBatchError' });
  });
}
