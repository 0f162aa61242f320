/** Memberships that change: Apache's servers, ours, and both together say and write the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Walkers, walk } from './ensemble/reconfiguration.ts';

const apache = 'apache-3.9.4';
const ours = 'odradek';

const mixtures: readonly Walkers[] = [
  [ours, ours, ours, ours],
  [ours, apache, apache, ours],
  [apache, ours, ours, apache],
  [apache, apache, ours, ours],
];

let expected: readonly string[] | undefined;

test('Apache walks', async (t) => {
  expected = await walk(t, [apache, apache, apache, apache]);
});

for (const kinds of mixtures) {
  test(`${kinds.join(', ')} walk as Apache's`, async (t) => {
    assert.ok(expected !== undefined, 'Apache has walked');
    assert.deepEqual(await walk(t, kinds), expected);
  });
}
