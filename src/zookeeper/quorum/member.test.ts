import assert from 'node:assert/strict';
import test from 'node:test';
import { type ZooCfg, zooCfg } from '../../config/zoo-cfg.ts';
import { Simulation } from '../../runtime/sim/simulation.ts';
import { clientEndpointOf, memberOf, readMyid } from './member.ts';
import { membershipOf } from './membership.ts';

type Keys = Readonly<Record<string, string | number | boolean>>;

const ENSEMBLE: Keys = {
  ...{ initLimit: 10, syncLimit: 5, clientPort: 2181 },
  ...{ 'server.1': 'a:1:2', 'server.2': 'b:1:2', 'server.3': 'c:1:2', 'server.4': 'd:1:2:observer' },
};

function config(keys: Keys): ZooCfg {
  return zooCfg({ dataDir: '/d', ...keys });
}

function memberWith(keys: Keys, id: number | undefined): ReturnType<typeof memberOf> {
  const read = config({ ...ENSEMBLE, ...keys });
  return memberOf(read, membershipOf(read), id);
}

test('a member knows its line, and where clients find it', () => {
  const { spec, client, warnings } = memberWith({ 'server.2': 'b:1:2;127.0.0.1:2181' }, 2);
  assert.equal(spec.addresses[0]?.host, 'b');
  assert.deepEqual(client, { host: '127.0.0.1', port: 2181 });
  assert.deepEqual(warnings, []);
});

const refused: readonly { readonly keys: Keys; readonly id?: number; readonly says: RegExp }[] = [
  { keys: { initLimit: 0 }, id: 1, says: /initLimit is missing/ },
  { keys: { syncLimit: 0 }, id: 1, says: /syncLimit is missing/ },
  { keys: {}, says: /myid is missing: write the number of this server into \/d\/myid/ },
  { keys: {}, id: 7, says: /myid=7 is refused: choose one of the servers: 1, 2, 3, 4/ },
  {
    keys: { 'server.255': 'e:1:2', extendedTypesEnabled: true },
    id: 255,
    says: /myid=255 is refused: with extendedTypesEnabled/,
  },
  { keys: { 'server.1': 'a:1:2;2182' }, id: 1, says: /clientPort=2181 is refused: server\.1 has another/ },
  {
    keys: { 'server.1': 'a:1:2;2181', clientPortAddress: '10.0.0.1' },
    id: 1,
    says: /clientPortAddress=10\.0\.0\.1 is refused: server\.1 has another/,
  },
];
for (const { keys, id, says } of refused) {
  test(`a member is refused: myid ${id}, ${JSON.stringify(keys)}`, () => {
    assert.throws(() => memberWith(keys, id), says);
  });
}

test('an even number of servers, two servers and a role that is not its line are warnings', () => {
  const even = { 'server.5': 'e:1:2' };
  assert.deepEqual(memberWith(even, 1).warnings, ['Non-optimal configuration, consider an odd number of servers.']);
  assert.deepEqual(memberWith({ peerType: 'observer' }, 1).warnings, [
    "Peer type from servers list (PARTICIPANT) doesn't match peerType (OBSERVER). Defaulting to servers list.",
  ]);
  assert.deepEqual(memberWith({ 'server.3': 'c:1:2:observer', peerType: 'observer' }, 3).warnings, [
    'No server failure will be tolerated. You need at least 3 servers.',
  ]);
});

test('clients are served where the line says, else where zoo.cfg does, else nowhere', () => {
  const endpoint = (keys: Keys, id: number | undefined): unknown => {
    const read = config(keys);
    return clientEndpointOf(read, membershipOf(read), id);
  };
  const line = { 'server.1': 'a:1:2;2181' };
  assert.deepEqual(endpoint(line, 1), { host: undefined, port: 2181 });
  assert.equal(endpoint(line, undefined), undefined);
  assert.deepEqual(endpoint({ ...line, clientPort: 2181 }, 1), { host: undefined, port: 2181 });
  assert.deepEqual(endpoint({ 'server.1': 'a:1:2;127.0.0.1:2181', clientPort: 2181 }, 1), {
    host: '127.0.0.1',
    port: 2181,
  });
  const same = { 'server.1': 'a:1:2;127.0.0.1:2181', clientPort: 2181, clientPortAddress: 'localhost' };
  assert.deepEqual(endpoint(same, 1), { host: '127.0.0.1', port: 2181 });
  assert.deepEqual(endpoint({ clientPort: 5 }, undefined), { host: undefined, port: 5 });
});

test('myid is the first line of its file', () => {
  const { disk } = new Simulation({ seed: 1 }).machine('one').runtime;
  assert.equal(readMyid(disk, { dataDir: '/d' }), undefined);
  disk.makeDirectory('/d');
  disk.writeFile('/d/myid', Buffer.from('12\nthe twelfth\n'));
  assert.equal(readMyid(disk, { dataDir: '/d' }), 12);
  disk.writeFile('/d/myid', Buffer.from('one\n'));
  assert.throws(() => readMyid(disk, { dataDir: '/d' }), /myid=one is refused: \/d\/myid holds the number/);
});
