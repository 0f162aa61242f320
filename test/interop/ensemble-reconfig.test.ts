/** Memberships that change: Apache's servers, ours, and both together say and write the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chosen } from './breadth.ts';
import { type Walkers, walk } from './ensemble/reconfiguration.ts';
import { startEnsemble } from './ensemble.ts';
import { zkCli } from './peers/tools.ts';

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

for (const kinds of chosen(mixtures, ([first]) => first === 'odradek')) {
  test(`${kinds.join(', ')} walk as Apache's`, async (t) => {
    assert.ok(expected !== undefined, 'Apache has walked');
    assert.deepEqual(await walk(t, kinds), expected);
  });
}

test("Apache's zkCli removes a server of ours and shows who is left; without the right it may not", async (t) => {
  const members = [1, 2, 3].map((id) => ({ id, kind: ours }) as const);
  const open = await startEnsemble(t, { members, config: { reconfigEnabled: 'true', skipACL: 'yes' } });
  const done = await zkCli('3.9.4', open.member(2).connect, ['reconfig', '-remove', '1']);
  const text = /Committed new configuration:\n((server.*\n)+version=.*)/.exec(`${done.stdout}${done.stderr}`)?.[1];
  assert.ok(text !== undefined && !text.includes('server.1='), done.stderr);
  const shown = await zkCli('3.9.4', open.member(1).connect, ['config']);
  assert.ok(`${shown.stdout}${shown.stderr}`.includes(text), shown.stdout);

  const guarded = await startEnsemble(t, { members, config: { reconfigEnabled: 'true' } });
  const refused = await zkCli('3.9.4', guarded.member(2).connect, ['reconfig', '-remove', '1']);
  assert.match(refused.stderr, /Insufficient permission|NoAuth/);
});
