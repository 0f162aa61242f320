import assert from 'node:assert/strict';
import test from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { copyToCrc32, crc32Register } from './crc32.ts';

const parts = [fc.uint8Array({ maxLength: 2_000 }), fc.nat(20), fc.nat(20)] as const;

test('the checksum of any part of a view is that of zlib', () => {
  fc.assert(
    fc.property(...parts, (bytes, before, after) => {
      const padded = new Uint8Array(before + bytes.length + after).fill(7);
      padded.set(bytes, before);
      const register = crc32Register(new DataView(padded.buffer), before, before + bytes.length, -1);
      assert.equal(~register >>> 0, crc32(bytes));
    }),
  );
});

test('what is copied on the way is copied whole, and nothing beside it', () => {
  fc.assert(
    fc.property(...parts, fc.nat(20), (bytes, before, after, prefix) => {
      const source = new Uint8Array(prefix + bytes.length).fill(9);
      source.set(bytes, prefix);
      const into = new Uint8Array(before + bytes.length + after).fill(7);
      const view = new DataView(into.buffer, 0, before + bytes.length);
      const register = copyToCrc32(new DataView(source.buffer), prefix, bytes.length, view, before, -1);
      assert.equal(~register >>> 0, crc32(bytes));
      const wanted = Uint8Array.from([...new Array(before).fill(7), ...bytes, ...new Array(after).fill(7)]);
      assert.deepEqual(into, wanted);
    }),
  );
});

test('a checksum goes on where the last part ended', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1_200 }), fc.nat(1_200), (bytes, place) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const cut = Math.min(place, bytes.length);
      const into = new DataView(new ArrayBuffer(bytes.length));
      const first = crc32Register(view, 0, cut, -1);
      const register = copyToCrc32(view, cut, bytes.length - cut, into, 0, first);
      assert.equal(~register >>> 0, crc32(bytes));
    }),
  );
});
