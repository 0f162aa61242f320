import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { digest, halfSipHashes } from './key-digest.ts';
import { ENTRY_BYTES, OffsetMap } from './offset-map.ts';

/** Draws the same words again and again: digests differ by their keys' bytes alone. */
const random = { uint32: () => 0x9e37_79b9, bytes: (count: number) => new Uint8Array(count) };

test('the digest is HalfSipHash-2-4 as its authors publish it', () => {
  // Their vectors for 64 bits of output: key 00…07, messages of the bytes 00, 01, …
  const vectors = ['218d1f59b9b83cc8', 'be552412f8387315'];
  for (const [size, expected] of vectors.entries()) {
    const message = Uint8Array.from({ length: size }, (_, index) => index);
    const keys = [0x03020100, 0x07060504];
    halfSipHashes(message, 0, size, Int32Array.from([...keys, ...keys]));
    const output = Buffer.alloc(16);
    for (const [index, word] of digest.entries()) output.writeInt32LE(word, index * 4);
    assert.equal(output.toString('hex'), `${expected}${expected}`);
  }
});

test('a map knows the last offset of each key, also of keys that differ in their last byte or their length', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.uint8Array({ maxLength: 9 }), fc.boolean()), { maxLength: 120 }),
      fc.integer({ min: 0, max: 5 }),
      (entries, start) => {
        const map = new OffsetMap({ bytesMax: ENTRY_BYTES * 200, loadFactor: 0.9, keysMax: entries.length, random });
        const expected = new Map<string, number>();
        for (const [offset, [key]] of entries.entries()) {
          const bytes = Buffer.concat([Buffer.alloc(start, 7), key, Buffer.from('behind')]);
          map.put(bytes, start, start + key.length, offset);
          expected.set(Buffer.from(key).toString('hex'), offset);
          assert.equal(map.latestOffset, offset);
        }
        assert.equal(map.size, expected.size);
        for (const [key] of entries) {
          assert.equal(map.get(key, 0, key.length), expected.get(Buffer.from(key).toString('hex')));
        }
        const stranger = Buffer.from('a key of eleven');
        assert.equal(map.get(stranger, 0, stranger.length), -1);
      },
    ),
  );
});

test('a map takes as many keys as Apache’s of the same size, and a search ends in a full one', () => {
  const map = new OffsetMap({ bytesMax: ENTRY_BYTES * 10 + 5, loadFactor: 1, keysMax: 1_000, random });
  assert.equal(map.entriesMax, 10);
  for (let offset = 0; offset < 10; offset += 1) map.put(Buffer.from([offset]), 0, 1, offset);
  assert.equal(map.isFull, true);
  assert.equal(map.get(Buffer.from([77]), 0, 1), -1);
});
