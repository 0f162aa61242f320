/** Sessions of one server, and members that serve without a leader: the same scripts at Apache's ensembles and ours. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { playLocalSessions, playRefusedUpgrades, type Told } from './ensemble/local-sessions.ts';
import type { MemberKind } from './ensemble/member.ts';
import { playReadOnly } from './ensemble/read-only.ts';
import { type Ensemble, type EnsembleOptions, startEnsemble } from './ensemble.ts';

const localSessions = { localSessionsEnabled: 'true' };
const upgradedSessions = { ...localSessions, localSessionsUpgradingEnabled: 'true' };
const properties = { 'readonlymode.enabled': 'true' };
const kinds: readonly MemberKind[] = ['apache-3.9.4', 'odradek'];

async function compare(
  t: TestContext,
  options: Pick<EnsembleOptions, 'config' | 'properties'>,
  play: (ensemble: Ensemble) => Promise<Told[]>,
): Promise<void> {
  const [apache, ours] = await Promise.all(
    kinds.map(async (kind) => {
      const members = [1, 2, 3].map((id) => ({ id, kind }));
      const told = await play(await startEnsemble(t, { members, ...options }));
      if (process.env.SHOW !== undefined) console.log(kind, told);
      return told;
    }),
  );
  assert.deepEqual(ours, apache);
}

test('local sessions live, move, become global and expire as at Apache 3.9.4', (t) =>
  compare(t, { config: upgradedSessions }, playLocalSessions));

test('local sessions that may not become global own nothing, as at Apache 3.9.4', (t) =>
  compare(t, { config: localSessions }, playRefusedUpgrades));

test('a member without a leader serves reads and opens local sessions, as at Apache 3.9.4', (t) =>
  compare(t, { config: upgradedSessions, properties }, playReadOnly));

test('a member without a leader opens no session that is not local, as at Apache 3.9.4', (t) =>
  compare(t, { properties }, playReadOnly));
