import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { copyOf, type Slices, slicesOf, subSlices } from '../../base/slices.ts';
import {
  batchesOf,
  beginsTransactional,
  type HeaderPatch,
  hasValidCrc,
  lastSequenceOf,
  patchHeader,
  readBatchHeader,
} from './batch.ts';
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

test('whether a transactional batch comes first is what its header says, wherever the bytes are cut, damaged or end', () => {
  const isTransactional = (slices: Slices): boolean => {
    const header = readBatchHeader(slices);
    return header !== undefined && header.sizeInBytes <= slices.size && header.isTransactional;
  };
  const outcomeOf = (ask: (slices: Slices) => boolean, slices: Slices): string => {
    try {
      return String(ask(slices));
    } catch (error) {
      return String(error);
    }
  };
  const transactional = copyOf(
    buildBatch({ records, producerId: 7, producerEpoch: 1, baseSequence: 0, isTransactional: true }),
  );
  assert.ok(beginsTransactional(slicesOf(transactional)));
  const batch = fc.constantFrom(transactional, v2, v1, v0);
  const damage = fc.tuple(fc.nat(24), fc.constantFrom(0, 1, 2, 40, 255));
  fc.assert(
    fc.property(batch, fc.option(damage), fc.nat(200), fc.nat(200), (whole, change, end, cut) => {
      const bytes = Uint8Array.from(whole);
      if (change !== null) bytes[change[0]] = change[1];
      const slices = subSlices(slicesOf(bytes.subarray(0, cut), bytes.subarray(cut)), 0, Math.min(end, bytes.length));
      assert.equal(outcomeOf(beginsTransactional, slices), outcomeOf(isTransactional, slices));
    }),
    { numRuns: 2000 },
  );
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
