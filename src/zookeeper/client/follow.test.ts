import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../jute/errors.ts';
import { EventType } from '../jute/events.ts';
import { OpCode } from '../jute/op-codes.ts';
import { ExistsResponse, GetDataResponse } from '../jute/proto.ts';
import type { NodeValue } from './client-options.ts';
import { failsWith, reached, type World, world, zeroStat } from './testkit/client-world.ts';
import type { FakeRequest, FakeServer } from './testkit/fake-server.ts';

/** One node, whose changes are told when `told` says so. */
class Node {
  text: string | undefined;
  mzxid = 1n;

  readonly answer = ({ type, xid, link }: FakeRequest): void => {
    const stat = { ...zeroStat, mzxid: this.mzxid };
    const { text } = this;
    if (type !== OpCode.getData && type !== OpCode.exists) link.reply(xid);
    else if (text === undefined) link.reply(xid, { err: ErrorCode.NONODE });
    else if (type === OpCode.exists) link.reply(xid, { write: (to) => ExistsResponse.write(to, { stat }) });
    else link.reply(xid, { write: (to) => GetDataResponse.write(to, { data: Buffer.from(text), stat }) });
  };

  set(text: string | undefined): void {
    this.text = text;
    this.mzxid += 1n;
  }
}

interface Following extends World {
  readonly node: Node;
  readonly server: FakeServer;
  readonly seen: string[];
  readonly abort: AbortController;
}

const show = (value: NodeValue | undefined): string => value?.data?.toString() ?? 'none';

async function following(text: string | undefined): Promise<Following> {
  const all = await world();
  const node = new Node();
  node.text = text;
  const server = all.servers[0] as FakeServer;
  server.onRequest = node.answer;
  const seen: string[] = [];
  const abort = new AbortController();
  void (async () => {
    try {
      for await (const value of all.client.follow('/a', { signal: abort.signal })) seen.push(show(value));
      seen.push('end');
    } catch (error) {
      seen.push((error as Error).name);
    }
  })();
  await all.sim.runFor(100);
  return { ...all, node, server, seen, abort };
}

test('the present value comes first, then each new one', async () => {
  const { sim, node, server, seen } = await following('one');
  node.set('two');
  server.link.send(server.link.eventFrame(EventType.NodeDataChanged, '/a'));
  await sim.runFor(100);
  node.set(undefined);
  server.link.send(server.link.eventFrame(EventType.NodeDeleted, '/a'));
  await sim.runFor(100);
  node.set('three');
  server.link.send(server.link.eventFrame(EventType.NodeCreated, '/a'));
  await sim.runFor(100);
  assert.deepEqual(seen, ['one', 'two', 'none', 'three']);
});

test('a node that is created between the two questions is read again', async () => {
  const { sim, client, servers } = await world();
  const node = new Node();
  (servers[0] as FakeServer).onRequest = (request) => {
    node.answer(request);
    if (node.text === undefined) node.set('born');
  };
  const values = client.follow('/a');
  assert.equal(show((await sim.complete(values.next())).value), 'born');
  await values.return();
  assert.equal((await values.next()).done, true);
});

test('a slow reader gets the newest value only', async () => {
  const { sim, client, servers } = await world();
  const node = new Node();
  node.text = 'zero';
  const server = servers[0] as FakeServer;
  server.onRequest = node.answer;
  const values = client.follow('/a');
  for (const text of ['one', 'two', 'three']) {
    await sim.runFor(100);
    node.set(text);
    server.link.send(server.link.eventFrame(EventType.NodeDataChanged, '/a'));
  }
  await sim.runFor(100);
  assert.equal(show((await values.next()).value), 'three');
  await values.return();
});

test('a change while the connection was lost is not missed', async () => {
  const { sim, client, node, server, seen } = await following('one');
  server.onRequest = (request) => {
    if (request.type === OpCode.setWatches && node.text === 'two') {
      request.link.send(request.link.eventFrame(EventType.NodeDataChanged, '/a'), request.link.replyFrame(request.xid));
    } else node.answer(request);
  };
  server.link.reset();
  node.set('two');
  await sim.runUntil(reached(client, 'disconnected'), 1000);
  await sim.runFor(3000);
  assert.deepEqual(seen, ['one', 'two']);
});

test('a read that was lost with the connection is made again, and shows nothing twice', async () => {
  const { sim, client, node, server, seen } = await following('one');
  let losses = 0;
  server.onRequest = (request) => {
    if (request.type !== OpCode.getData || losses === 3) return node.answer(request);
    losses += 1;
    request.link.reset();
  };
  server.link.send(server.link.eventFrame(EventType.NodeDataChanged, '/a'));
  await sim.runUntil(reached(client, 'disconnected'), 1000);
  await sim.runFor(6000);
  assert.equal(losses, 3);
  assert.deepEqual(seen, ['one']);
  node.set('two');
  server.link.send(server.link.eventFrame(EventType.NodeDataChanged, '/a'));
  await sim.runFor(100);
  assert.deepEqual(seen, ['one', 'two']);
});

test('it ends with the session: normally when the client is closed, else with the error', async () => {
  const closed = await following('one');
  await closed.sim.complete(closed.client.close());
  assert.deepEqual(closed.seen, ['one', 'end']);

  const expired = await following('one');
  expired.ensemble.sessions.clear();
  expired.server.link.reset();
  await expired.sim.runUntil(reached(expired.client, 'expired'), 5000);
  await expired.sim.runFor(1);
  assert.deepEqual(expired.seen, ['one', 'SessionExpired']);
  await assert.rejects(expired.client.follow('/b').next(), failsWith(ErrorCode.SESSIONEXPIRED));

  const refused = await world();
  (refused.servers[0] as FakeServer).onRequest = ({ link, xid }) => link.reply(xid, { err: ErrorCode.NOAUTH });
  await assert.rejects(refused.sim.complete(refused.client.follow('/a').next()), failsWith(ErrorCode.NOAUTH));
});

test('the signal ends it, and no watch is told to the next server', async () => {
  const { sim, client, server, seen, abort, ensemble } = await following('one');
  abort.abort();
  await sim.runFor(1);
  server.link.reset();
  await sim.runUntil(reached(client, 'disconnected'), 1000);
  await sim.complete(client.sync());
  assert.deepEqual(seen, ['one', 'AbortError']);
  assert.deepEqual(ensemble.heard, ['h1 getData', 'h1 sync']);
});
