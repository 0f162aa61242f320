import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { lz4CompressBound, lz4DecompressBlock } from './lz4-block.ts';
import { lz4CompressFast } from './lz4-fast.ts';

function compressed(input: Uint8Array): Uint8Array {
  const out = new Uint8Array(3 + lz4CompressBound(input.length));
  return out.subarray(3, lz4CompressFast(input, out, 3));
}

/** Words that come again, near and far. */
const text = fc
  .array(fc.constantFrom('ab', 'abcd', 'order', '0123456789', '\0\0\0\0\0\0\0\0', 'x', '"customer":'), {
    maxLength: 3_000,
  })
  .map((words) => Buffer.from(words.join('')));

test('what is compressed is read again, from any place of a larger array', () => {
  fc.assert(
    fc.property(text, fc.uint8Array({ maxLength: 40 }), fc.nat(7), (words, noise, before) => {
      const whole = Buffer.concat([Buffer.alloc(before, 1), noise, words, noise, words]);
      const input = whole.subarray(before, before + 65_536);
      const back = Buffer.alloc(input.length);
      assert.equal(lz4DecompressBlock(compressed(input), back, 0, back.length), input.length);
      assert.ok(back.equals(input));
    }),
    { numRuns: 300 },
  );
});

test('a block ends with five literals, as readers that copy more than they should rely on', () => {
  for (const size of [13, 64, 1000, 65_536]) {
    const block = compressed(new Uint8Array(size));
    assert.deepEqual([...block.subarray(-6)], [0x50, 0, 0, 0, 0, 0]);
  }
  assert.deepEqual([...compressed(new Uint8Array(12))], [0xc0, ...new Uint8Array(12)]);
});

test('a block without anything that comes again grows by its lengths alone', () => {
  const input = Uint8Array.from({ length: 256 }, (_, index) => index);
  assert.equal(compressed(input).length, 256 + 2);
});
