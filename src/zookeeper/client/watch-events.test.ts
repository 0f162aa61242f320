import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../jute/errors.ts';
import { EventType } from '../jute/events.ts';
import { OpCode } from '../jute/op-codes.ts';
import { AddWatchRequest, ExistsRequest, RemoveWatchesRequest, SetWatches2 } from '../jute/proto.ts';
import { AbortError } from './client-errors.ts';
import { answerRead, failsWith, reached, type World, world } from './testkit/client-world.ts';
import type { FakeServer } from './testkit/fake-server.ts';
import type { WatchEvents } from './watch-events.ts';

/** Tells of events on the present connection, and lets them arrive. */
async function tell({ sim, servers }: World, ...events: readonly (readonly [type: number, path: string])[]) {
  const { link } = servers[0] as FakeServer;
  link.send(...events.map(([type, path]) => link.eventFrame(type, path)));
  await sim.runFor(50);
}

async function loseConnection({ sim, client, servers }: World): Promise<void> {
  (servers[0] as FakeServer).link.reset();
  await sim.runUntil(reached(client, 'disconnected'), 1000);
}

/** What a sequence holds now, and at its end what that is. */
async function taken(sim: World['sim'], events: WatchEvents): Promise<string[]> {
  const texts: string[] = [];
  const reading = (async () => {
    try {
      for (;;) {
        const { done, value } = await events.next();
        if (done === true) return texts.push('end');
        if (value.type === 'None') texts.push(value.state);
        else if (value.type === 'Missed') texts.push(`missed ${value.count}`);
        else texts.push(`${value.type} ${value.path}`);
      }
    } catch (error) {
      return texts.push(error instanceof Error ? error.name : String(error));
    }
  })();
  void reading;
  await sim.runFor(50);
  return texts;
}

test('a persistent watch is a sequence of events, in the server’s order', async () => {
  const all = await world();
  const { sim, client } = all;
  const events = client.watch('/a');
  await sim.complete(client.connected());
  await sim.runFor(50);
  const texts = await taken(sim, events);
  await tell(
    all,
    [EventType.NodeCreated, '/a'],
    [EventType.NodeChildrenChanged, '/a'],
    [EventType.NodeDataChanged, '/a'],
  );
  assert.deepEqual(texts, ['NodeCreated /a', 'NodeChildrenChanged /a', 'NodeDataChanged /a']);
});

test('what is read after the watch was asked for leaves no gap: the watch goes to the server first', async () => {
  const { sim, client, ensemble } = await world();
  client.watch('/a', { mode: 'recursive' });
  await sim.complete(client.getData('/a'));
  assert.deepEqual(ensemble.heard, ['h1 addWatch', 'h1 getData']);
});

test('the loop’s end removes the watch at the server', async () => {
  for (const [mode, type] of [
    ['persistent', 4],
    ['recursive', 5],
  ] as const) {
    const all = await world({ connect: 'h1/app' });
    const { sim, client, servers } = all;
    const bodies: unknown[] = [];
    (servers[0] as FakeServer).onRequest = (request) => {
      if (request.type === OpCode.addWatch) bodies.push(AddWatchRequest.read(request.body));
      if (request.type === OpCode.removeWatches) bodies.push(RemoveWatchesRequest.read(request.body));
      answerRead(request);
    };
    const seen: string[] = [];
    const loop = (async () => {
      for await (const event of client.watch('/a', { mode })) {
        seen.push(event.type);
        if (seen.length === 2) break;
      }
    })();
    await sim.complete(client.sync());
    await tell(
      all,
      [EventType.NodeCreated, '/app/a'],
      [EventType.NodeDeleted, '/app/a'],
      [EventType.NodeCreated, '/app/a'],
    );
    await loop;
    await sim.runFor(50);
    assert.deepEqual(seen, ['NodeCreated', 'NodeDeleted']);
    assert.deepEqual(bodies, [
      { path: '/app/a', mode: type - 4 },
      { path: '/app/a', type },
    ]);
    await loseConnection(all);
    await sim.complete(client.sync());
    assert.ok(!all.ensemble.heard.some((name) => name.includes('setWatches')));
  }
});

test('a watch that others need stays at the server', async () => {
  const all = await world();
  const { sim, client, ensemble } = all;
  const first = client.watch('/a');
  const second = client.watch('/a');
  await sim.complete(client.sync());
  await first.return();
  await sim.runFor(50);
  assert.deepEqual(ensemble.heard, ['h1 addWatch', 'h1 addWatch', 'h1 sync']);
  const texts = await taken(sim, second);
  await tell(all, [EventType.NodeCreated, '/a']);
  assert.deepEqual(texts, ['NodeCreated /a']);
  const third = client.watch('/a'); // asked for, not answered yet
  await second.return();
  await sim.runFor(50);
  await third.return();
  await sim.runFor(50);
  assert.deepEqual(ensemble.heard.slice(3), ['h1 addWatch', 'h1 removeWatches']);
});

test('a lost connection and the next one are events', async () => {
  const all = await world();
  const { sim, client, servers } = all;
  const events = client.watch('/a', { mode: 'recursive' });
  await sim.complete(client.sync());
  const texts = await taken(sim, events);
  const again: unknown[] = [];
  (servers[0] as FakeServer).onRequest = (request) => {
    if (request.type === OpCode.setWatches2) again.push(SetWatches2.read(request.body).persistentRecursiveWatches);
    answerRead(request);
  };
  await loseConnection(all);
  await sim.complete(client.sync());
  await tell(all, [EventType.NodeDataChanged, '/a/b']);
  assert.deepEqual(texts, ['disconnected', 'connected', 'NodeDataChanged /a/b']);
  assert.deepEqual(again, [['/a']]);
});

test('a watch whose request was lost with the connection is asked for again', async () => {
  const all = await world();
  const { sim, client, servers } = all;
  await sim.complete(client.connected());
  const [server] = servers as [FakeServer];
  server.onRequest = ({ link }) => link.reset();
  const events = client.watch('/a');
  await sim.runUntil(reached(client, 'disconnected'), 1000);
  server.onRequest = answerRead;
  await sim.complete(client.sync());
  const texts = await taken(sim, events);
  await tell(all, [EventType.NodeCreated, '/a']);
  assert.deepEqual(texts, ['NodeCreated /a']);
});

test('a session that expires ends the sequence with its error, after the events before', async () => {
  const all = await world();
  const { sim, client, servers, ensemble } = all;
  const events = client.watch('/a');
  await sim.complete(client.sync());
  await tell(all, [EventType.NodeCreated, '/a']);
  ensemble.sessions.clear();
  (servers[0] as FakeServer).link.reset();
  await sim.runUntil(reached(client, 'expired'), 5000);
  assert.deepEqual(await taken(sim, events), ['NodeCreated /a', 'disconnected', 'SessionExpired']);
  assert.deepEqual(await taken(sim, events), ['end']);
  await assert.rejects(client.watch('/b').next(), failsWith(ErrorCode.SESSIONEXPIRED));
});

test('a client that is closed ends the sequence normally', async () => {
  const { sim, client } = await world();
  const events = client.watch('/a');
  const values = client.follow('/a');
  await sim.complete(client.sync());
  const late = client.close();
  const tooLate = client.watch('/b');
  await sim.complete(late);
  assert.deepEqual(await taken(sim, events), ['end']);
  assert.deepEqual(await taken(sim, tooLate), ['end']);
  assert.equal((await values.next()).done, false);
  assert.equal((await values.next()).done, true);
});

test('the signal ends the sequence at once, and drops what was not taken', async () => {
  const all = await world();
  const { sim, client, ensemble } = all;
  const abort = new AbortController();
  const events = client.watch('/a', { signal: abort.signal });
  const other = client.watch('/b', { signal: abort.signal });
  await sim.complete(client.sync());
  await tell(all, [EventType.NodeCreated, '/a']);
  const waiting = other.next();
  abort.abort('enough');
  for (const next of [events.next(), waiting]) {
    await assert.rejects(next, (error: AbortError) => error instanceof AbortError && error.cause === 'enough');
  }
  await sim.runFor(50);
  assert.deepEqual(ensemble.heard.slice(-2), ['h1 removeWatches', 'h1 removeWatches']);
  assert.deepEqual(await taken(sim, client.watch('/c', { signal: abort.signal })), ['AbortError']);
});

test('what a slow reader cannot hold is counted', async () => {
  const all = await world();
  const { sim, client } = all;
  const events = client.watch('/a', { mode: 'recursive', queueMax: 2 });
  await sim.complete(client.sync());
  const created = (name: string) => [EventType.NodeCreated, `/a/${name}`] as const;
  await tell(all, created('1'), created('2'), created('3'), created('4'), created('5'));
  await events.next();
  await events.next();
  await tell(all, created('6'), created('7'), created('8'));
  assert.deepEqual(await taken(sim, events), ['missed 3', 'NodeCreated /a/6', 'missed 2']);
});

test('a refused watch is thrown to the reader', async () => {
  const { sim, client, servers } = await world();
  (servers[0] as FakeServer).onRequest = ({ link, xid }) => link.reply(xid, { err: ErrorCode.NOAUTH });
  const events = client.watch('/a');
  await sim.runFor(100);
  assert.deepEqual(await taken(sim, events), ['NoAuth']);
  assert.deepEqual(await taken(sim, client.watch('a')), ['InvalidPathError']);
});

test('a watch that someone removes ends', async () => {
  const { sim, client } = await world();
  const events = client.watch('/a');
  await sim.complete(client.sync());
  await sim.complete(client.removeWatches('/a'));
  assert.deepEqual(await taken(sim, events), ['PersistentWatchRemoved /a', 'end']);
});

test('a watch for one event ends with it, on servers of any age', async () => {
  const all = await world();
  const { sim, client, servers, ensemble } = all;
  const asked: unknown[] = [];
  (servers[0] as FakeServer).onRequest = (request) => {
    if (request.type === OpCode.exists) asked.push(ExistsRequest.read(request.body));
    answerRead(request);
  };
  const events = client.watch('/a', { mode: 'once' });
  await sim.complete(client.sync());
  await tell(all, [EventType.NodeCreated, '/a'], [EventType.NodeDataChanged, '/a']);
  assert.deepEqual(await taken(sim, events), ['NodeCreated /a', 'end']);
  assert.deepEqual(asked, [{ path: '/a', watch: true }]);
  assert.deepEqual(ensemble.heard, ['h1 exists', 'h1 sync']);
});
