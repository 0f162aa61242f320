import assert from 'node:assert/strict';
import test from 'node:test';
import { Simulation } from '../../runtime/sim/simulation.ts';
import type { Zxid } from '../jute/ids.ts';
import { designatedLeader } from './designated-leader.ts';
import { DynamicConfigFiles } from './dynamic-config.ts';
import { type Membership, parseMembership } from './membership.ts';
import { hasSameServers, Memberships } from './memberships.ts';

function membership(ids: readonly number[], version: bigint, peerPort = 1): Membership {
  const lines = ids.map((id) => `server.${id}=h${id}:${peerPort}:2;3`);
  return parseMembership([...lines, `version=${version.toString(16)}`].join('\n'));
}

const OLD = membership([1, 2, 3], 0x1000n);
const NEW = membership([3, 4, 5], 0x2000n);

function known({ isDynamic = true, next }: { isDynamic?: boolean; next?: Membership } = {}) {
  const sim = new Simulation({ seed: 1 });
  const { disk, log } = sim.machine('zk').runtime;
  disk.makeDirectory('/conf');
  disk.writeFile('/conf/zoo.cfg', Buffer.from('clientPort=3\n'));
  let changes = 0;
  const memberships = new Memberships({
    self: 3,
    stored: { current: OLD, next },
    isDynamic,
    files: new DynamicConfigFiles(disk, '/conf/zoo.cfg'),
    log,
    changed: () => {
      changes += 1;
    },
  });
  const names = (): string[] => disk.list('/conf').map(({ name }) => name);
  return { sim, memberships, names, changes: () => changes };
}

test('while a membership is pending both decide, and its file is there when that is said', async () => {
  const { sim, memberships, names, changes } = known();
  const [before] = [memberships.verifiers];
  assert.equal(memberships.verifiers, before);
  const written = memberships.saw(NEW);
  assert.deepEqual(memberships.verifiers, [OLD.verifier, NEW.verifier]);
  assert.equal(memberships.verifiers, memberships.verifiers, 'proposals are told apart by it');
  assert.equal(memberships.lastSeen, NEW);
  await sim.complete(written);
  assert.ok(names().includes('zoo.cfg.dynamic.next'));

  assert.equal(memberships.activate(NEW), true);
  assert.deepEqual(memberships.verifiers, [NEW.verifier]);
  await sim.complete(memberships.written);
  assert.deepEqual(names(), ['zoo.cfg', 'zoo.cfg.dynamic.2000']);
  assert.equal(memberships.activate(NEW), false);
  assert.equal(memberships.activate(OLD), false);
  assert.equal(changes(), 2);
});

test('what was proposed and came to nothing gives way to what a leader knows', () => {
  const { memberships } = known({ next: NEW });
  assert.equal(memberships.lastSeen, NEW);
  memberships.saw(membership([1, 2, 3], 0x1000n));
  assert.equal(memberships.lastSeen, OLD);
  assert.deepEqual(memberships.verifiers, [OLD.verifier]);
});

test('without reconfigEnabled the first membership is the only one', () => {
  const { memberships, names } = known({ isDynamic: false, next: NEW });
  memberships.saw(NEW);
  assert.equal(memberships.activate(NEW), false);
  assert.equal(memberships.lastSeen, OLD);
  assert.deepEqual(names(), ['zoo.cfg']);
});

test('the same servers may come in another order, and with another version', () => {
  const other = parseMembership('server.3=h3:1:2;3\nserver.2=h2:1:2;3\nserver.1=h1:1:2;3\nversion=77');
  assert.ok(hasSameServers(OLD, other));
  assert.ok(!hasSameServers(OLD, membership([1, 2, 3], 0x1000n, 9)));
});

const ZXID = 0x2000n as Zxid;
const acknowledged = (...marks: readonly (readonly [number, number])[]): ReadonlyMap<number, Zxid> =>
  new Map(marks.map(([id, behind]) => [id, (ZXID + BigInt(behind)) as Zxid]));

for (const { name, self = 2, next = NEW, marks, want } of [
  { name: 'a leader that votes and has not moved goes on', self: 3, marks: acknowledged([3, 0], [4, 5]), want: 3 },
  {
    name: 'a leader whose peer port is another one does not',
    self: 3,
    next: membership([3, 4, 5], ZXID, 9),
    marks: acknowledged([3, 9], [4, 0], [5, 0]),
    want: 4,
  },
  { name: 'only who has logged it is asked', marks: acknowledged([1, 0], [3, -1], [5, 0]), want: 5 },
  { name: 'who has logged more behind it is better', marks: acknowledged([3, 2], [4, 0], [5, 0]), want: 3 },
  { name: 'who has no vote in the old one has not logged it for both', marks: acknowledged([3, 1], [4, 7]), want: 3 },
  { name: 'where none of both has logged more, the first', marks: acknowledged([3, 0], [4, 7]), want: 3 },
]) {
  test(`designated leader: ${name}`, () => {
    const verifiers = [OLD.verifier, next.verifier];
    assert.equal(designatedLeader({ self, before: OLD, next, verifiers, zxid: ZXID, acknowledged: marks }), want);
  });
}
