import assert from 'node:assert/strict';
import test from 'node:test';
import { runWorld } from './worlds.ts';

test('logs whose process or power ends at any change of their disk keep what was promised, and a second recovery changes nothing', async () => {
  for (let seed = 1; seed <= 3; seed += 1) {
    const { failure, drawn } = await runWorld('log-crash-points', seed);
    assert.equal(failure, undefined, `seed ${seed}, ${drawn}`);
  }
});
