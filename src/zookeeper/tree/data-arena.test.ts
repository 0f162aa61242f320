import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BLOCK_BYTES_MAX, DataArena, offsetOf } from './data-arena.ts';

const read = (arena: DataArena, reference: number, size: number): Uint8Array => {
  const offset = offsetOf(reference);
  return arena.bytes(reference).subarray(offset, offset + size);
};

test('blocks keep their bytes whatever is put and freed around them', () => {
  const sizes = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: BLOCK_BYTES_MAX + 2000 }));
  fc.assert(
    fc.property(fc.array(fc.tuple(sizes, fc.nat(2), fc.nat())), (steps) => {
      const arena = new DataArena();
      const live: { reference: number; size: number; fill: number }[] = [];
      for (const [index, [size, action, choice]] of steps.entries()) {
        const fill = 1 + (index % 255);
        const chosen = live.length === 0 ? -1 : choice % live.length;
        if (action === 0 && chosen >= 0) {
          const [freed] = live.splice(chosen, 1);
          arena.free(freed!.reference);
        } else if (action === 1 && chosen >= 0 && DataArena.sameBlock(live[chosen]!.size, size)) {
          arena.replace(live[chosen]!.reference, Buffer.alloc(size, fill));
          live[chosen] = { reference: live[chosen]!.reference, size, fill };
        } else {
          live.push({ reference: arena.put(Buffer.alloc(size, fill)), size, fill });
        }
        for (const { reference, size: length, fill: byte } of live) {
          assert.ok(read(arena, reference, length).every((each) => each === byte));
        }
      }
    }),
  );
});

test('pages that become empty serve other sizes', () => {
  const arena = new DataArena();
  const fill = (size: number): number[] => Array.from({ length: 10_000 }, () => arena.put(Buffer.alloc(size, 1)));
  const small = fill(100);
  const held = arena.bytesHeld;
  for (const reference of small) arena.free(reference);
  fill(90);
  assert.ok(arena.bytesHeld <= held);
  assert.ok(held < 10_000 * 100 * 1.2);
});

test('large data is never overwritten', () => {
  const arena = new DataArena();
  const first = arena.put(Buffer.alloc(20_000, 1));
  const bytes = arena.bytes(first);
  arena.free(first);
  arena.put(Buffer.alloc(20_000, 2));
  assert.ok(bytes.every((byte) => byte === 1));
});
