import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../jute/errors.ts';
import { EventType } from '../jute/events.ts';
import { OpCode } from '../jute/op-codes.ts';
import { AbortError } from './client-errors.ts';
import { answerRead, failsWith, reached, textOf, world } from './testkit/client-world.ts';
import type { FakeRequest, FakeServer } from './testkit/fake-server.ts';

const abortedWith = (sent: boolean) => (error: unknown) => {
  assert.ok(error instanceof AbortError);
  assert.equal(error.name, 'AbortError');
  assert.equal(error.sent, sent);
  return true;
};

test('a request that has not been sent is withdrawn by its signal', async () => {
  const { sim, client, ensemble } = await world();
  const { signal, abort } = controller();
  const first = client.sync('/a');
  const second = client.create('/b', null, { signal });
  const third = client.sync('/c');
  abort('enough');
  await assert.rejects(second, (error: AbortError) => {
    assert.equal(error.cause, 'enough');
    assert.equal(error.path, '/b');
    return abortedWith(false)(error);
  });
  await sim.complete(Promise.all([first, third]));
  assert.deepEqual(ensemble.heard, ['h1 sync', 'h1 sync']);
});

test('a request under way is given up at once, and its reply takes nothing from the others', async () => {
  const { sim, client, servers } = await world();
  await sim.complete(client.connected());
  const [server] = servers as [FakeServer];
  const held: FakeRequest[] = [];
  server.onRequest = (request) => held.push(request);
  const { signal, abort } = controller();
  const before = client.getData('/before');
  const told: string[] = [];
  const given = client.getData('/given', { signal, watch: ({ type }) => told.push(type) });
  const behind = client.getData('/behind');
  await sim.runUntil(() => held.length === 3, 1000);
  abort();
  await assert.rejects(given, abortedWith(true));
  for (const request of held) answerRead(request);
  server.link.send(server.link.eventFrame(EventType.NodeDataChanged, '/given'));
  assert.deepEqual([textOf(await sim.complete(before)), textOf(await sim.complete(behind))], ['/before', '/behind']);
  await sim.runFor(100);
  assert.deepEqual(told, []);
});

test('a request that was given up may fail or be lost like any other', async () => {
  const { sim, client, servers, states } = await world();
  await sim.complete(client.connected());
  const [server] = servers as [FakeServer];
  let asked = 0;
  server.onRequest = () => {
    asked += 1;
  };
  const { signal, abort } = controller();
  const given = client.getData('/given', { signal });
  await sim.runUntil(() => asked === 1, 1000);
  abort();
  await assert.rejects(given, abortedWith(true));
  server.link.reset();
  server.onRequest = answerRead;
  await sim.runUntil(reached(client, 'disconnected'), 1000);
  await sim.complete(client.sync());
  assert.deepEqual(states, ['connected', 'disconnected', 'connected']);
});

test('a signal that has been aborted before sends nothing, one that is aborted later does no harm', async () => {
  const { sim, client, ensemble } = await world();
  await assert.rejects(client.sync('/a', { signal: AbortSignal.abort() }), abortedWith(false));
  await assert.rejects(client.connected({ signal: AbortSignal.abort() }), abortedWith(false));
  await assert.rejects(
    client.addWatch('/a', () => undefined, { signal: AbortSignal.abort() }),
    abortedWith(false),
  );
  const { signal, abort } = controller();
  await sim.complete(client.sync('/b', { signal }));
  abort();
  await sim.complete(client.sync('/c'));
  assert.deepEqual(ensemble.heard, ['h1 sync', 'h1 sync']);
});

test('waiting for the connection can be given up', async () => {
  const { client, servers } = await world();
  (servers[0] as FakeServer).machine.crash('process');
  const { signal, abort } = controller();
  const connected = client.connected({ signal });
  abort();
  await assert.rejects(connected, abortedWith(false));
});

test('a watch that was given up before its reply is taken back from the server', async () => {
  const { sim, client, servers, ensemble } = await world();
  await sim.complete(client.connected());
  const [server] = servers as [FakeServer];
  const held: FakeRequest[] = [];
  server.onRequest = (request) => {
    if (request.type === OpCode.addWatch) held.push(request);
    else answerRead(request);
  };
  const { signal, abort } = controller();
  const told: string[] = [];
  const added = client.addWatch('/a', ({ type }) => told.push(type), { signal });
  await sim.runUntil(() => held.length === 1, 1000);
  abort();
  await assert.rejects(added, abortedWith(true));
  answerRead(held[0] as FakeRequest);
  server.link.send(server.link.eventFrame(EventType.NodeDataChanged, '/a'));
  await sim.runFor(100);
  assert.deepEqual(ensemble.heard, ['h1 addWatch', 'h1 removeWatches']);
  assert.deepEqual(told, []);
});

test('the signal of a watch removes it later, here and at the server', async () => {
  const { sim, client, servers, ensemble } = await world();
  const { signal, abort } = controller();
  const told: string[] = [];
  await sim.complete(client.addWatch('/a', ({ type }) => told.push(type), { signal }));
  const { link } = servers[0] as FakeServer;
  link.send(link.eventFrame(EventType.NodeDataChanged, '/a'));
  await sim.runFor(100);
  abort();
  link.send(link.eventFrame(EventType.NodeDataChanged, '/a'));
  await sim.runFor(100);
  assert.deepEqual(told, ['NodeDataChanged']);
  assert.deepEqual(ensemble.heard, ['h1 addWatch', 'h1 removeWatches']);
});

test('an argument that cannot be sent is refused with a signal too', async () => {
  const { client } = await world();
  const { signal } = controller();
  await assert.rejects(client.sync('no path', { signal }), { name: 'InvalidPathError' });
});

test('a request without an answer within requestTimeoutMs fails, and the connection is given up', async () => {
  const { sim, client, servers, states } = await world({ requestTimeoutMs: 500 });
  await sim.complete(client.connected());
  const [server] = servers as [FakeServer];
  server.onRequest = () => undefined;
  const codes: Promise<unknown>[] = [client.getData('/slow').catch(({ code }) => code)];
  await sim.runFor(300);
  codes.push(client.getData('/behind').catch(({ code }) => code));
  await sim.runFor(199);
  assert.equal(client.state, 'connected');
  await sim.runFor(2);
  assert.deepEqual(await Promise.all(codes), [ErrorCode.REQUESTTIMEOUT, ErrorCode.CONNECTIONLOSS]);
  server.onRequest = answerRead;
  await sim.runFor(1100);
  assert.equal(textOf(await sim.complete(client.getData('/x'))), '/x');
  assert.deepEqual(states, ['connected', 'disconnected', 'connected']);
});

test('requestTimeoutMs counts while a request waits for a connection too', async () => {
  const { sim, client, servers } = await world({ requestTimeoutMs: 2000 });
  (servers[0] as FakeServer).machine.crash('process');
  await assert.rejects(sim.complete(client.getData('/x'), 2001), failsWith(ErrorCode.REQUESTTIMEOUT));
  await sim.runFor(10_000);
  await assert.rejects(sim.complete(client.getData('/y'), 2001), failsWith(ErrorCode.REQUESTTIMEOUT));
});

function controller(): { signal: AbortSignal; abort: (reason?: unknown) => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: (reason) => controller.abort(reason) };
}
