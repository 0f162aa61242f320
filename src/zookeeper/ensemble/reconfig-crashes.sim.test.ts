import assert from 'node:assert/strict';
import test from 'node:test';
import type { Reconfiguration } from '../client/client-options.ts';
import { DynamicEnsemble } from './testkit/dynamic-ensemble.ts';

const onLog = process.env.SIM_LOG === undefined ? undefined : (line: string) => console.log(line);
const SEEDS = Number(process.env.SEEDS ?? 12);
const FIRST_SEED = Number(process.env.SEED ?? 1);
const ALL = [1, 2, 3, 4, 5];

interface Change {
  readonly name: string;
  readonly of: (ensemble: DynamicEnsemble) => Reconfiguration;
  /** Who is in the new membership. */
  readonly after: readonly number[];
  /** It does not crash: if all who know the new membership had left it and were down, an operator would have to tell the others. */
  readonly stays?: number;
}

const changes: readonly Change[] = [
  { name: 'two join', of: (e) => ({ joining: [4, 5].map((id) => e.line(id)).join() }), after: ALL },
  { name: 'the leader leaves', of: () => ({ leaving: '3' }), after: [1, 2] },
  {
    name: 'nearly all are replaced',
    of: (e) => ({ joining: [4, 5].map((id) => e.line(id)).join(), leaving: '2,3' }),
    after: [1, 4, 5],
    stays: 2,
  },
];

for (const change of changes) {
  const { name } = change;
  test(`${name}, and any servers crash at any moment: who is left works, and what was acknowledged is in force`, async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed += 1) {
      try {
        await crashDuring(seed, change);
      } catch (error) {
        throw new Error(`SEED=${seed} SEEDS=1 repeats it`, { cause: error });
      }
    }
  });
}

async function crashDuring(seed: number, { of, after, stays }: Change): Promise<void> {
  const ensemble = await DynamicEnsemble.found({ seed, onLog });
  const random = ensemble.sim.random.fork('crashes');
  for (const id of [4, 5]) await ensemble.join(id);
  const before = await ensemble.works(ALL);
  const client = ensemble.client();
  let acknowledged: string | undefined;
  let isOver = false;
  const { stat } = await ensemble.complete(client.createWithStat('/begun', ''));
  const version = stat.czxid + 1n;
  client
    .reconfigure(of(ensemble))
    .then(({ data }) => {
      acknowledged = String(data);
    })
    .catch(() => undefined)
    .finally(() => {
      isOver = true;
    });
  // from before the leader has heard of it until all have it
  await ensemble.sim.runFor(random.between(0, random.chance(0.5) ? 12 : 40));
  const victims = ALL.filter((id) => id !== stays && random.chance(0.6));
  for (const id of victims) {
    ensemble.member(id).crash(random.chance(0.5) ? 'power' : 'process');
    if (random.chance(0.3)) await ensemble.sim.runFor(random.between(0, 10));
  }
  await ensemble.sim.runFor(random.between(0, 3000));
  const wasAcknowledged = acknowledged;
  // who has left the ensemble need not come back for it to work
  const back = wasAcknowledged === undefined ? ALL : after;
  for (const id of victims) if (back.includes(id)) await comeBack(ensemble, id, version);
  if (wasAcknowledged !== undefined) for (const id of ALL) if (!after.includes(id)) ensemble.member(id).crash('power');
  let [text, ids] = await settled(ensemble);
  // who lives may still complete what others have begun: once
  if ((await ensemble.works(ids)) !== text) [text, ids] = await settled(ensemble);
  assert.equal(await ensemble.works(ids), text);
  if (wasAcknowledged !== undefined) assert.equal(text, wasAcknowledged);
  else if (acknowledged !== undefined) assert.equal(text, acknowledged);
  else assert.ok(text === before || String(ids) === String(after), text);
  await ensemble.sim.runUntil(() => isOver, 60_000);
  assert.deepEqual(ensemble.fatal, []);
  await ensemble.complete(client.close());
}

/** The newest membership that anybody knows is in force with all its servers. */
async function settled(ensemble: DynamicEnsemble): Promise<[text: string, ids: number[]]> {
  let newest = '';
  await ensemble.sim.runUntil(() => {
    const up = ALL.filter((id) => ensemble.member(id).server !== undefined);
    newest = ensemble.texts(up).sort((one, other) => (versionIn(one) < versionIn(other) ? 1 : -1))[0] ?? '';
    const ids = idsIn(newest);
    return ids.every((id) => ensemble.modeOf(id) !== undefined && ensemble.texts([id])[0] === newest);
  }, 120_000);
  return [newest, idsIn(newest)];
}

function versionIn(text: string): bigint {
  return BigInt(`0x${/version=(.*)$/.exec(text)?.[1] ?? '0'}`);
}

/** @param version of the reconfiguration: its zxid */
async function comeBack(ensemble: DynamicEnsemble, id: number, version: bigint): Promise<void> {
  const server = await ensemble.comeBack(id, { isJoining: id > 3 });
  if (server === undefined || server.database.recovered.lastZxid < version) return;
  assert.ok(server.memberships.lastSeen.version >= version, `server ${id} logged what its files do not know`);
}

function idsIn(text: string): number[] {
  return [...text.matchAll(/^server\.(\d+)/gm)].map(([, id]) => Number(id));
}
