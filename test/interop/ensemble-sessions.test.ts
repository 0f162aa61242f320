/** Sessions of one server, and members that serve without a leader: the same scripts at Apache's ensembles and ours. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { playLocalSessions, playRefusedUpgrades, type Told } from './ensemble/local-sessions.ts';
import type { MemberKind } from './ensemble/member.ts';
import { type Ensemble, startEnsemble } from './ensemble.ts';

const kinds: readonly MemberKind[] = ['apache-3.9.4', 'odradek'];

async function compare(
  t: TestContext,
  config: Readonly<Record<string, string>>,
  play: (ensemble: Ensemble) => Promise<Told[]>,
): Promise<void> {
  const [apache, ours] = await Promise.all(
    kinds.map(async (kind) => {
      const members = [1, 2, 3].map((id) => ({ id, kind }));
      const told = await play(await startEnsemble(t, { members, config }));
      if (process.env['SHOW'] !== undefined) console.log(kind, told);
      return told;
    }),
  );
  assert.deepEqual(ours, apache);
}

test('local sessions live, move, become global and expire as at Apache 3.9.4', (t) =>
  compare(t, { localSessionsEnabled: 'true', localSessionsUpgradingEnabled: 'true' }, playLocalSessions));

test('local sessions that may not become global own nothing, as at Apache 3.9.4', (t) =>
  compare(t, { localSessionsEnabled: 'true' }, playRefusedUpgrades));
