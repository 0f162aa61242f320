import assert from 'node:assert/strict';
import test from 'node:test';
import { runWorld } from './worlds.ts';

test('a server whose process, power or disk fails at any operation of its disk loses nothing and goes on', async () => {
  for (let seed = 1; seed <= 4; seed += 1) {
    const { failure, drawn } = await runWorld('crash-points', seed);
    assert.equal(failure, undefined, `seed ${seed}, ${drawn}`);
  }
});
