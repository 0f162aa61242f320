import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { combineBatches, type StateBatch } from './state-batches.ts';

const batch = fc
  .tuple(fc.integer({ min: 0, max: 30 }), fc.nat(8), fc.constantFrom(0, 2, 4), fc.integer({ min: 1, max: 3 }))
  .map(([firstOffset, length, deliveryState, deliveryCount]): StateBatch => {
    return { firstOffset, lastOffset: firstOffset + length, deliveryState, deliveryCount };
  });

/** Offset by offset: the most deliveries win, then the further state. */
function naive(batches: readonly StateBatch[], startOffset: number): StateBatch[] {
  const best = new Map<number, StateBatch>();
  for (const one of batches) {
    for (let offset = one.firstOffset; offset <= one.lastOffset; offset += 1) {
      const known = best.get(offset);
      const rank = (b: StateBatch): number => b.deliveryCount * 10 + b.deliveryState;
      if (known === undefined || rank(one) > rank(known)) best.set(offset, one);
    }
  }
  const runs: StateBatch[] = [];
  for (const offset of [...best.keys()].filter((one) => one >= startOffset).sort((a, b) => a - b)) {
    const { deliveryState, deliveryCount } = best.get(offset)!;
    const last = runs.at(-1);
    if (
      last?.lastOffset === offset - 1 &&
      last.deliveryState === deliveryState &&
      last.deliveryCount === deliveryCount
    ) {
      runs[runs.length - 1] = { ...last, lastOffset: offset };
    } else {
      runs.push({ firstOffset: offset, lastOffset: offset, deliveryState, deliveryCount });
    }
  }
  return runs;
}

test('batches combine as their offsets do one by one', () => {
  fc.assert(
    fc.property(
      fc.array(batch, { maxLength: 8 }),
      fc.array(batch, { maxLength: 4 }),
      fc.nat(20),
      (known, fresh, start) => {
        const combined = combineBatches(combineBatches([], known, 0), fresh, start);
        assert.deepEqual(combined, naive([...known, ...fresh], start));
      },
    ),
  );
});

test('a batch that ends before it begins says nothing', () => {
  assert.deepEqual(combineBatches([], [{ firstOffset: 9, lastOffset: 8, deliveryState: 0, deliveryCount: 1 }], 0), []);
});
