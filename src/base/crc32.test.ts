import assert from 'node:assert/strict';
import test from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { crc32Of } from './crc32.ts';

test('the checksum of any part of an array is that of zlib', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.nat(20), fc.nat(20), (bytes, before, after) => {
      const padded = new Uint8Array(before + bytes.length + after).fill(7);
      padded.set(bytes, before);
      assert.equal(crc32Of(padded, before, before + bytes.length), crc32(bytes));
    }),
  );
});
