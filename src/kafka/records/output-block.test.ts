import assert from 'node:assert/strict';
import test from 'node:test';
import { OutputBlock } from './output-block.ts';

test('a block that is emptied keeps its memory for what comes next, unless it is too large', () => {
  const memory = new Uint8Array(8);
  const block = new OutputBlock(memory);
  block.add(Uint8Array.of(1, 2, 3));
  block.empty(8);
  assert.deepEqual([block.end, block.bytes], [0, memory]);
  block.add(new Uint8Array(9));
  block.empty(8);
  assert.deepEqual([block.end, block.bytes.length, block.view.byteLength], [0, 0, 0]);
  block.add(Uint8Array.of(4));
  assert.deepEqual([...block.written()], [4]);
});
