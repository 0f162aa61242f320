/** Nobody fails: what clients see of an ensemble through each of its members. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { CreateMode, connectZookeeper, type ZookeeperClient } from '../../../src/zookeeper/client/index.ts';
import { startEnsemble } from '../ensemble.ts';
import { startCuttableProxy } from '../peers/cuttable-proxy.ts';
import { run, until } from '../peers/process.ts';
import { audit } from './audit.ts';
import type { Member } from './member.ts';
import { membersOf } from './mixtures.ts';
import type { Scenario } from './scenarios.ts';

const zkServer = join(import.meta.dirname, '../../../bin/zkServer.sh');

export const servingThroughEach: Scenario = async (t, mixture) => {
  const ensemble = await startEnsemble(t, { members: membersOf(mixture) });
  const clients = ensemble.members.map((member) => connectZookeeper({ connect: member.connect }));
  t.after(() => Promise.all(clients.map((client) => client.close())));
  const changed: string[] = [];
  for (const [index, client] of clients.entries()) {
    const path = await client.create(`/by-${index}`, 'first', {
      mode: index === 0 ? CreateMode.PERSISTENT : CreateMode.EPHEMERAL,
    });
    for (const other of clients) {
      await other.sync('/');
      const seen = await other.getData(path, { watch: (event) => changed.push(`${event.type} ${event.path}`) });
      assert.equal(seen.data?.toString(), 'first');
    }
    assert.equal((await client.setData(path, 'second', 0)).version, 1);
    await assert.rejects(client.setData(path, 'third', 0), { name: 'BadVersion' });
    await assert.rejects(client.create(path), { name: 'NodeExists' });
    await until('the event at every member', () => changed.length === 3 || undefined);
    assert.deepEqual(changed.splice(0), Array(3).fill(`NodeDataChanged ${path}`));
  }
  await clients[0]!.multi([
    { kind: 'create', path: '/by-0/child', data: null },
    { kind: 'setData', path: '/by-1', data: 'of a transaction', version: 1 },
  ]);
  await assert.rejects(clients[1]!.delete('/by-0'), { name: 'NotEmpty' });
  const sequential = await Promise.all(
    clients.map((client) => client.create('/by-0/n-', null, { mode: CreateMode.PERSISTENT_SEQUENTIAL })),
  );
  assert.equal(new Set(sequential).size, 3);
  if (!mixture.includes('apache-3.4.8')) {
    const configs = await Promise.all(clients.map((client) => client.getConfig()));
    for (const { data } of configs)
      assert.match(`${data}`, /^(server\.\d=127.0.0.1:\d+:\d+:participant\n){3}version=0$/);
    assert.equal(new Set(configs.map(({ data }) => `${data}`)).size, 1);
  }
  await sayTheirRoles(ensemble.members);
  await audit(ensemble);
};

async function sayTheirRoles(members: readonly Member[]): Promise<void> {
  for (const member of members) {
    const role = member.id === 3 ? 'leader' : 'follower';
    assert.equal(await member.mode(), role);
    const figures = new Map((await member.ask('mntr')).split('\n').map((line) => line.split('\t') as [string, string]));
    assert.equal(figures.get('zk_server_state'), role);
    if (role === 'leader') assert.equal(Number(figures.get('zk_synced_followers')), 2);
    const status = await run(zkServer, ['status', member.configFile]);
    assert.match(status.stdout, new RegExp(`Mode: ${role}`), status.stderr);
  }
}

export const movingSessions: Scenario = async (t, mixture) => {
  const ensemble = await startEnsemble(t, { members: membersOf(mixture) });
  const [first, second, third] = ensemble.members as [Member, Member, Member];
  const mover = connectZookeeper({ connect: first.connect });
  const other = connectZookeeper({ connect: third.connect });
  t.after(() => Promise.all([mover.close(), other.close()]));
  await mover.create('/watched', 'old');
  await mover.create('/mine', null, { mode: CreateMode.EPHEMERAL });
  const session = mover.sessionId;
  for (const [place, destination] of [second, third, first].entries()) {
    const events: string[] = [];
    await mover.getData('/watched', { watch: ({ type }) => events.push(type) });
    await mover.exists(`/awaited-${place}`, { watch: ({ type }) => events.push(type) });
    await moveTo(mover, destination);
    assert.equal(mover.sessionId, session);
    await other.setData('/watched', `${place}`);
    await other.create(`/awaited-${place}`);
    await until('both events after the move', () => events.length === 2 || undefined);
    assert.deepEqual(events, ['NodeDataChanged', 'NodeCreated']);
    assert.equal((await mover.getData('/watched')).data?.toString(), `${place}`);
    assert.equal((await mover.exists('/mine'))?.ephemeralOwner, session);
  }
  await mover.close();
  assert.equal(await other.exists('/mine'), undefined);
  await audit(ensemble);
};

async function moveTo(client: ZookeeperClient, { connect }: Member): Promise<void> {
  const states: string[] = [];
  const stop = client.onState((state) => states.push(state));
  client.updateServerList(connect);
  await until('a connection after the move', () => states.includes('connected') || undefined);
  stop();
}

/** Nobody says goodbye: the leader counts the time, whomever the client was connected to. */
export const sessionsOfTheDead: Scenario = async (t, mixture) => {
  const ensemble = await startEnsemble(t, { members: membersOf(mixture) });
  const proxies = await Promise.all(ensemble.members.map(({ port }) => startCuttableProxy(port)));
  t.after(() => Promise.all(proxies.map((proxy) => proxy.close())));
  const dying = proxies.map(({ connect }) => connectZookeeper({ connect, sessionTimeoutMs: 2_000 }));
  t.after(() => Promise.all(dying.map((client) => client.close())));
  await Promise.all(dying.map((client, index) => client.create(`/of-${index}`, null, { mode: CreateMode.EPHEMERAL })));
  await using alive = connectZookeeper({ connect: ensemble.connect, sessionTimeoutMs: 20_000 });
  await alive.create('/of-the-living', null, { mode: CreateMode.EPHEMERAL });
  for (const proxy of proxies) proxy.cut();
  await until('the end of their nodes', async () => {
    const children = await alive.getChildren('/');
    return children.some((name) => /^of-\d$/.test(name)) ? undefined : true;
  });
  assert.notEqual(await alive.exists('/of-the-living'), undefined);
  await audit(ensemble);
};
