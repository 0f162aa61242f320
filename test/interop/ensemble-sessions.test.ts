/** Sessions of one server, and members that serve without a leader: the same scripts at Apache's ensembles, ours, and mixed ones. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { connectZookeeper } from '../../src/zookeeper/client/index.ts';
import { chosen } from './breadth.ts';
import { playLocalSessions, playRefusedUpgrades, type Told } from './ensemble/local-sessions.ts';
import type { MemberKind } from './ensemble/member.ts';
import { playReadOnly } from './ensemble/read-only.ts';
import { type Ensemble, type EnsembleOptions, startEnsemble } from './ensemble.ts';
import { until } from './peers/process.ts';
import { python } from './peers/tools.ts';

const localSessions = { localSessionsEnabled: 'true' };
const upgradedSessions = { ...localSessions, localSessionsUpgradingEnabled: 'true' };
const properties = { 'readonlymode.enabled': 'true' };
const apache: MemberKind = 'apache-3.9.4';
const ours: MemberKind = 'odradek';

type Settings = Pick<EnsembleOptions, 'config' | 'properties'>;

/** Members 1 to 3; a fourth observes. */
function start(t: TestContext, kinds: readonly MemberKind[], settings: Settings): Promise<Ensemble> {
  const members = kinds.map((kind, index) => ({
    id: index + 1,
    kind,
    role: index < 3 ? ('participant' as const) : ('observer' as const),
  }));
  return startEnsemble(t, { members, ...settings });
}

interface Comparison {
  readonly name: string;
  readonly settings: Settings;
  readonly play: (ensemble: Ensemble) => Promise<Told[]>;
  /** The first one tells what the others have to tell. */
  readonly ensembles: readonly (readonly MemberKind[])[];
  readonly isAlwaysRun: boolean;
}

const comparisons: readonly Comparison[] = [
  {
    name: 'local sessions live, move, become global and expire as at Apache 3.9.4, in mixed ensembles too',
    settings: { config: upgradedSessions },
    play: playLocalSessions,
    ensembles: [
      [apache, apache, apache, apache],
      [ours, ours, ours, ours],
      [ours, apache, apache, ours],
      [apache, ours, ours, apache],
    ],
    isAlwaysRun: false,
  },
  {
    name: 'local sessions that may not become global own nothing, as at Apache 3.9.4, in mixed ensembles too',
    settings: { config: localSessions },
    play: playRefusedUpgrades,
    ensembles: [
      [apache, apache, apache],
      [ours, ours, ours],
      [ours, apache, apache],
      [apache, ours, ours],
    ],
    isAlwaysRun: false,
  },
  {
    name: 'a member without a leader serves reads and opens local sessions, as at Apache 3.9.4',
    settings: { config: upgradedSessions, properties },
    play: playReadOnly,
    ensembles: [
      [apache, apache, apache],
      [ours, ours, ours],
    ],
    isAlwaysRun: true,
  },
  {
    name: 'a member without a leader opens no session that is not local, as at Apache 3.9.4',
    settings: { properties },
    play: playReadOnly,
    ensembles: [
      [apache, apache, apache],
      [ours, ours, ours],
    ],
    isAlwaysRun: false,
  },
];

for (const { name, settings, play, ensembles } of chosen(comparisons, ({ isAlwaysRun }) => isAlwaysRun)) {
  test(name, async (t) => {
    const [model, ...others] = chosen(ensembles, (kinds) => new Set(kinds).size === 1) as (typeof ensembles)[number][];
    const tell = async (kinds: readonly MemberKind[] = []): Promise<Told[]> => {
      const ensemble = await start(t, kinds, settings);
      const told = await play(ensemble);
      await ensemble.kill();
      return told;
    };
    const expected = await tell(model);
    for (const kinds of others) assert.deepEqual(await tell(kinds), expected, kinds.join());
  });
}

const kazoo = `
import sys
from kazoo.client import KazooClient, KeeperState
from kazoo.exceptions import NotReadOnlyCallError
client = KazooClient(hosts=sys.argv[1], read_only=True, timeout=10)
client.start(timeout=60)
assert client.client_state == KeeperState.CONNECTED_RO, client.client_state
assert client.get('/kept')[0] == b'x'
try:
    client.set('/kept', b'y')
    raise SystemExit('a write was taken')
except NotReadOnlyCallError:
    print('read only')
client.stop()
`;

for (const kind of chosen([apache, ours], (each) => each === ours)) {
  test(`kazoo and our client read without a leader, and ours writes when there is one: ${kind}`, async (t) => {
    const ensemble = await start(t, [kind, kind, kind], { config: localSessions, properties });
    const [first, ...others] = ensemble.members;
    assert(first !== undefined);
    await using writer = connectZookeeper({ connect: first.connect });
    await writer.create('/kept', 'x');
    await Promise.all(others.map((member) => member.kill()));
    await first.reached('read-only');
    const { stdout, stderr } = await python('-c', [kazoo, first.connect]);
    assert.equal(stdout, 'read only\n', stderr);
    await using client = connectZookeeper({ connect: ensemble.connect, canBeReadOnly: true });
    assert.equal((await client.getData('/kept')).data?.toString(), 'x');
    assert.equal(client.state, 'connectedReadOnly');
    await assert.rejects(client.setData('/kept', 'y'), { name: 'NotReadOnly' });
    await Promise.all(others.map((member) => member.start()));
    await until('a connection that writes', () => client.state === 'connected' || undefined);
    await client.setData('/kept', 'z');
  });
}
