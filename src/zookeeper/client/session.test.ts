/** A session over many connections: whose it is, which servers it tries, when it is over. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../jute/errors.ts';
import { printHex } from '../jute/ids.ts';
import { connectZookeeper } from './client.ts';
import { failsWith, reached, type World, world } from './testkit/client-world.ts';
import { FakeServer } from './testkit/fake-server.ts';

/** The server that the client is connected to. */
const serverOf = ({ servers }: World): FakeServer =>
  servers.reduce((a, b) => ((b.links.at(-1)?.openedAs ?? 0) > (a.links.at(-1)?.openedAs ?? 0) ? b : a));

test('another client goes on with a session by its id and password', async () => {
  const { sim, client, servers, ensemble } = await world();
  const unknown: unknown = client.session;
  assert.equal(unknown, undefined);
  await sim.complete(client.connected());
  const { session } = client;
  assert.ok(session !== undefined);
  assert.equal(session.id, client.sessionId);
  const successor = connectZookeeper(sim.machine('successor').runtime, { connect: 'h1', session });
  await sim.complete(successor.connected());
  assert.equal(successor.sessionId, session.id);
  assert.equal(servers[0]?.hellos[1]?.sessionId, session.id);
  assert.equal(ensemble.sessions.size, 1);
});

test('a session that cannot be resumed is expired: the ensemble does not know it, or the password is wrong', async () => {
  const { sim, client } = await world();
  await sim.complete(client.connected());
  for (const session of [
    { id: 0x77n as typeof client.sessionId, password: new Uint8Array(16) },
    { id: client.sessionId, password: new Uint8Array(16).fill(9) },
  ]) {
    const successor = connectZookeeper(sim.machine(`c${printHex(session.id)}`).runtime, { connect: 'h1', session });
    await assert.rejects(sim.complete(successor.connected()), failsWith(ErrorCode.SESSIONEXPIRED));
    assert.equal(successor.state, 'expired');
  }
});

test('a session that could not be resumed in four thirds of its timeout is over', async () => {
  const { sim, client, servers } = await world();
  await sim.complete(client.connected());
  const { session } = client;
  (servers[0] as FakeServer).machine.crash('process');
  const options = { connect: 'h1', session, sessionTimeoutMs: 6000 };
  const successor = connectZookeeper(sim.machine('successor').runtime, options);
  await sim.runFor(7900);
  assert.equal(successor.state, 'connecting');
  await sim.runFor(200);
  assert.equal(successor.state, 'expired');
});

test('a session that a read-only server made up is no other server’s: the next one gives a new one', async () => {
  const all = await world({
    hosts: 2,
    canBeReadOnly: true,
    prepare: (servers) => {
      for (const server of servers) server.readOnly = true;
    },
  });
  const { sim, client, servers } = all;
  await sim.complete(client.connected());
  assert.equal(client.state, 'connectedReadOnly');
  const unknown: unknown = client.session;
  assert.equal(unknown, undefined);
  const first = client.sessionId;
  for (const server of servers) server.readOnly = false;
  serverOf(all).link.reset();
  await sim.runUntil(reached(client, 'connected'), 5000);
  assert.notEqual(client.sessionId, first);
  assert.equal(client.session?.id, client.sessionId);
  const second = client.sessionId;
  for (const server of servers) server.readOnly = true; // from now on the session is the ensemble's, wherever the client is
  serverOf(all).link.reset();
  await sim.runUntil(reached(client, 'connectedReadOnly'), 5000);
  assert.equal(client.sessionId, second);
});

test('a client whose server is not in the new list moves, one whose server is stays', async () => {
  const all = await world({ hosts: 3 });
  const { sim, client, states, ensemble } = all;
  await sim.complete(client.connected());
  const present = serverOf(all).machine.name;
  const other = present === 'h1' ? 'h2' : 'h1';
  client.updateServerList(`${present},${other}/ignored`);
  await sim.runFor(3000);
  assert.deepEqual(states, ['connected']);
  client.updateServerList(other);
  await sim.runUntil(() => states.length === 3, 3000);
  assert.deepEqual(states, ['connected', 'disconnected', 'connected']);
  assert.equal(serverOf(all).machine.name, other);
  assert.equal(ensemble.sessions.size, 1);
  assert.throws(() => client.updateServerList('h1:x'), { name: 'InvalidConnectStringError' });
});

test('a new list helps a client that reaches no server of the old one', async () => {
  const { sim, client, servers, ensemble } = await world();
  const spare = new FakeServer(sim.machine('spare'), ensemble);
  await sim.complete(spare.listen());
  (servers[0] as FakeServer).machine.crash('process');
  await sim.runFor(5000);
  client.updateServerList('spare');
  await sim.complete(client.connected(), 2000);
});

test('a client can be disposed of', async () => {
  const { sim, client, ensemble, states } = await world();
  await sim.complete(
    (async () => {
      await using session = client;
      await session.sync();
    })(),
  );
  assert.deepEqual(ensemble.heard, ['h1 sync', 'h1 closeSession']);
  assert.deepEqual(states, ['connected', 'closed']);
});

test('closing twice ends the session at the server once, after what was asked before', async () => {
  const { sim, client, ensemble } = await world();
  await sim.complete(client.connected());
  const asked = client.sync();
  await sim.complete(Promise.all([asked, client.close(), client.close()]));
  await sim.complete(client.close());
  assert.deepEqual(ensemble.heard, ['h1 sync', 'h1 closeSession']);
});

test('a session can be closed though no further request has room', async () => {
  const { sim, client, ensemble } = await world({ requestsMax: 2 });
  await sim.complete(client.connected());
  const asked = [client.sync(), client.sync()];
  await assert.rejects(client.sync(), failsWith(ErrorCode.THROTTLEDOP));
  await sim.complete(Promise.all([...asked, client.close()]));
  assert.deepEqual(ensemble.heard, ['h1 sync', 'h1 sync', 'h1 closeSession']);
});

test('a close that nobody answers ends with the connection, for all who wait for it', async () => {
  const { sim, client, servers } = await world({ requestTimeoutMs: 2000 });
  await sim.complete(client.connected());
  (servers[0] as FakeServer).silent = true;
  const closed = Promise.all([client.close(), client.close()]);
  await sim.complete(closed, 2100);
  assert.equal(client.state, 'closed');
});
