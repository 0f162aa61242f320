import fc from 'fast-check';
import { type Slices, slicesOf } from '../../../base/slices.ts';
import { codecNames, type Magic } from '../batch.ts';
import type { NewRecord } from '../builder.ts';

/** Batches as fast-check makes them up; for the tests of this folder. */

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.tuple(fc.nat(255), fc.nat(9000)).map(([byte, size]) => new Uint8Array(size).fill(byte)),
);
const timestamp = fc.oneof(
  fc.constant(-1),
  fc.integer({ min: 1.7e12, max: 1.7e12 + 1e6 }),
  fc.nat(5),
  fc.constant(2 ** 50),
);
const header = fc.record({ key: fc.string({ unit: 'binary', maxLength: 8 }), value: fc.option(bytes) });

export function newRecords(magic: Magic): fc.Arbitrary<NewRecord[]> {
  const record = fc.record({
    timestamp: magic === 0 ? fc.constant(-1) : timestamp,
    key: fc.option(bytes),
    value: fc.option(bytes),
    headers: magic === 2 ? fc.array(header, { maxLength: 3 }) : fc.constant([]),
  });
  return fc.array(record, { minLength: 1, maxLength: 12 });
}

export const magicAndCodec = fc
  .tuple(fc.constantFrom<Magic>(0, 1, 2), fc.constantFrom(...codecNames))
  .filter(([magic, codec]) => magic === 2 || codec !== 'zstd');

/** The same bytes, cut where the socket might have, in memory of their own. */
export function chopped(source: Uint8Array, cuts: readonly number[]): Slices {
  const copy = Uint8Array.from(source);
  const places = [...new Set(cuts.map((cut) => cut % (copy.length + 1)))].sort((a, b) => a - b);
  const parts: Uint8Array[] = [];
  let from = 0;
  for (const place of [...places, copy.length]) {
    parts.push(copy.subarray(from, place));
    from = place;
  }
  return slicesOf(...parts);
}

export const someCuts = fc.array(fc.nat(100_000), { maxLength: 6 });
