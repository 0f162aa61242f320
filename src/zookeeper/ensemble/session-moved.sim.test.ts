import assert from 'node:assert/strict';
import test from 'node:test';
import type { ServerId } from '../quorum/quorum-verifier.ts';
import { RawClient } from '../server/testkit/raw-client.ts';
import { create, type TestRequest } from '../server/testkit/requests.ts';
import { EnsembleWorld } from './testkit/ensemble.ts';

test('a connection that its session has left is closed, and not answered', async () => {
  const world = new EnsembleWorld();
  await world.start();
  await world.serving();
  const { sim } = world;
  const { runtime } = sim.machine('client');
  const connect = (id: ServerId): RawClient =>
    new RawClient(runtime, { host: world.member(id).machine.host, port: 2181 });
  const left = connect(1);
  left.hello();
  await sim.runUntil(() => left.session !== undefined, 5000);
  const { sessionId, passwd } = left.session!;

  const present = connect(2);
  present.hello({ sessionId, passwd: passwd! });
  await sim.runUntil(() => present.session !== undefined, 5000);
  assert.equal(present.session!.sessionId, sessionId);

  const send = (client: RawClient, { type, body }: TestRequest): number => client.send(type, body);
  send(left, create('/late'));
  await sim.runUntil(() => left.isClosed, 5000);
  assert.deepEqual(left.heard, []);
  const xid = send(present, create('/mine'));
  await sim.runUntil(() => present.reply(xid) !== undefined, 5000);
  assert.equal(present.reply(xid)!.err, 0);
  assert.equal(world.leader()!.view.tree.has('/late'), false);
  assert.deepEqual(world.fatal, []);
});
