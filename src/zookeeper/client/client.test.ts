import assert from 'node:assert/strict';
import test from 'node:test';
import { Simulation } from '../../runtime/sim/simulation.ts';
import { ErrorCode, type KeeperError } from '../jute/errors.ts';
import { EventType } from '../jute/events.ts';
import { OpCode, Xid } from '../jute/op-codes.ts';
import {
  AuthPacket,
  CreateRequest,
  CreateResponse,
  ExistsRequest,
  GetDataResponse,
  MultiHeader,
  SetDataResponse,
  SetWatches,
} from '../jute/proto.ts';
import { connectZookeeper } from './client.ts';
import { MultiError } from './multi.ts';
import { answerRead, failsWith, reached, textOf, world, zeroStat } from './testkit/client-world.ts';
import { FakeEnsemble, type FakeRequest, FakeServer } from './testkit/fake-server.ts';
import type { WatchEvent } from './watch-registry.ts';

test('requests made before the connection stands wait, and are sent in order', async () => {
  const { sim, client, ensemble, states } = await world();
  const answers = Promise.all([client.getData('/a'), client.sync('/b'), client.getData('/c')]);
  const [a, , c] = await sim.complete(answers);
  assert.deepEqual([textOf(a), textOf(c)], ['/a', '/c']);
  assert.deepEqual(a.stat, zeroStat);
  assert.deepEqual(ensemble.heard, ['h1 getData', 'h1 sync', 'h1 getData']);
  assert.deepEqual(states, ['connected']);
  assert.equal(client.sessionId, 0x1000n);
});

test('what one turn asks travels in one write', async () => {
  const { sim, client, servers } = await world();
  await sim.complete(client.connected());
  const [server] = servers as [FakeServer];
  let chunks = 0;
  const { link } = server;
  const data = link.data.bind(link);
  link.data = (chunk) => {
    chunks += 1;
    data(chunk);
  };
  await sim.complete(Promise.all(Array.from({ length: 20 }, (_, index) => client.sync(`/${index}`))));
  assert.ok(chunks <= 3, `${chunks} chunks`);
});

test('an idle session is kept by pings at a bit less than half of the read timeout', async () => {
  const { sim, client, ensemble, states } = await world({ sessionTimeoutMs: 12_000 });
  await sim.complete(client.connected());
  await sim.runFor(60_000);
  // read timeout 8 s, half of it 4 s, a second earlier
  assert.deepEqual(new Set(ensemble.heard), new Set(['h1 ping']));
  assert.ok(ensemble.heard.length >= 18 && ensemble.heard.length <= 20, `${ensemble.heard.length} pings`);
  assert.deepEqual(states, ['connected']);
});

test('a request under way fails with ConnectionLoss, one made afterwards waits for the next connection', async () => {
  const { sim, client, servers, states } = await world();
  await sim.complete(client.connected());
  const [server] = servers as [FakeServer];
  server.onRequest = ({ link }) => link.reset();
  await assert.rejects(sim.complete(client.getData('/lost')), (error: KeeperError) => {
    assert.equal(error.message, 'KeeperErrorCode = ConnectionLoss for /lost');
    return error.retriable;
  });
  server.onRequest = answerRead;
  assert.equal(client.state, 'disconnected');
  assert.equal(textOf(await sim.complete(client.getData('/later'))), '/later');
  assert.deepEqual(states, ['connected', 'disconnected', 'connected']);
});

test('a new connection resumes the session: id, password, last zxid; then identities, watches, requests', async () => {
  const { sim, client, servers, ensemble } = await world({
    connect: 'h1:2181/app',
    auth: [{ scheme: 'digest', auth: 'u:p' }],
  });
  await sim.complete(client.connected());
  ensemble.zxid = 777n;
  await sim.complete(client.getData('/d', { watch: () => undefined }));
  await sim.complete(client.getChildren('/', { watch: () => undefined }));
  await sim.complete(client.exists('/e', { watch: () => undefined }));
  const [server] = servers as [FakeServer];
  ensemble.heard.length = 0;
  const seen: unknown[] = [];
  server.onRequest = (request) => {
    if (request.type === OpCode.auth) seen.push(AuthPacket.read(request.body));
    else if (request.type === OpCode.setWatches) seen.push(SetWatches.read(request.body));
    answerRead(request);
  };
  server.link.reset();
  await sim.runUntil(reached(client, 'disconnected'), 1000);
  await sim.complete(client.sync());
  assert.deepEqual(ensemble.heard, ['h1 auth', 'h1 setWatches', 'h1 sync']);
  const hello = server.hellos[1];
  assert.equal(hello?.sessionId, client.sessionId);
  assert.equal(hello?.lastZxidSeen, 777n);
  assert.deepEqual(Buffer.from(hello?.passwd ?? []), Buffer.from(ensemble.sessions.get(client.sessionId) ?? []));
  assert.deepEqual(seen, [
    { type: 0, scheme: 'digest', auth: Buffer.from('u:p') },
    { relativeZxid: 777n, dataWatches: ['/app/d'], existWatches: ['/app/e'], childWatches: ['/app'] },
  ]);
});

test('when a server dies the client goes on with another', async () => {
  const { sim, client, servers, states } = await world({ hosts: 3 });
  await sim.complete(client.connected());
  const first = servers.find(({ links }) => links.length > 0) as FakeServer;
  first.machine.crash('process');
  await sim.runUntil(reached(client, 'disconnected'), 1000);
  assert.equal(textOf(await sim.complete(client.getData('/x'), 3000)), '/x');
  assert.deepEqual(states, ['connected', 'disconnected', 'connected']);
  const used = servers.filter(({ links }) => links.length > 0);
  assert.equal(used.length, 2);
  assert.equal(used[0]?.ensemble.sessions.size, 1);
});

test('a server that refuses costs no time at the start, one that swallows everything its share of the timeout', async () => {
  for (let seed = 1; seed <= 6; seed += 1) {
    const { sim, client, servers } = await world({
      ...{ hosts: 3, seed, sessionTimeoutMs: 9000 },
      prepare: ([refuses, swallows]) => {
        refuses?.machine.crash('process');
        if (swallows !== undefined) swallows.silent = true;
      },
    });
    await sim.complete(client.connected(), 3100);
    assert.equal(servers[2]?.links.length, 1);
  }
});

test('a silent server is given up after two thirds of the session timeout', async () => {
  const { sim, client, servers, states, stateTimes } = await world({ sessionTimeoutMs: 9000 });
  await sim.complete(client.connected());
  const [server] = servers as [FakeServer];
  server.silent = true;
  const begunMs = sim.nowMs;
  await sim.runUntil(reached(client, 'disconnected'), 20_000);
  assert.deepEqual(states, ['connected', 'disconnected']);
  const silentMs = (stateTimes[1] as number) - begunMs;
  assert.ok(silentMs > 5900 && silentMs < 6200, `${silentMs} ms`);
});

test('without contact for four thirds of its timeout the session is over, whoever answers later', async () => {
  const { sim, client, servers, stateTimes } = await world({ sessionTimeoutMs: 9000 });
  await sim.complete(client.connected());
  const [server] = servers as [FakeServer];
  const begunMs = sim.nowMs;
  sim.network.isolate(server.machine);
  const waiting = client.getData('/x');
  await assert.rejects(sim.complete(waiting, 30_000), failsWith(ErrorCode.CONNECTIONLOSS));
  const later = client.getData('/y');
  await assert.rejects(sim.complete(later, 30_000), failsWith(ErrorCode.SESSIONEXPIRED));
  assert.equal(client.state, 'expired');
  const expiredMs = (stateTimes.at(-1) as number) - begunMs;
  assert.ok(expiredMs > 11_500 && expiredMs < 12_500, `${expiredMs} ms`);
  sim.network.heal();
  await sim.runFor(20_000);
  assert.equal(server.links.length, 1);
});

test('a session that the server does not know any more ends the client', async () => {
  const { sim, client, servers, ensemble, states } = await world();
  await sim.complete(client.connected());
  ensemble.sessions.clear();
  servers[0]?.link.reset();
  await sim.runUntil(reached(client, 'disconnected'), 1000);
  const waiting = client.getData('/x');
  await assert.rejects(sim.complete(waiting), failsWith(ErrorCode.SESSIONEXPIRED));
  assert.deepEqual(states, ['connected', 'disconnected', 'expired']);
  await assert.rejects(client.getData('/x'), { message: 'KeeperErrorCode = Session expired for /x' });
  await assert.rejects(client.connected(), failsWith(ErrorCode.SESSIONEXPIRED));
  await sim.complete(client.close());
});

test('an event is seen after the reply before it, and before the reply behind it', async () => {
  const { sim, client, servers } = await world();
  await sim.complete(client.getData('/x', { watch: (event) => seen.push(event.type) }));
  const seen: string[] = [];
  const [server] = servers as [FakeServer];
  const xids: number[] = [];
  server.onRequest = ({ xid, link }) => {
    xids.push(xid);
    if (xids.length < 2) return;
    const [first = 0, second = 0] = xids;
    link.send(link.replyFrame(first), link.eventFrame(EventType.NodeDataChanged, '/x', 101n), link.replyFrame(second));
  };
  // several promises deep, as a program's own functions would be
  const ask = async (name: string): Promise<void> => {
    await (async () => await client.sync())();
    seen.push(name);
  };
  await sim.complete(Promise.all([ask('first'), ask('second')]));
  assert.deepEqual(seen, ['first', 'NodeDataChanged', 'second']);
});

test('what arrived before the connection broke still counts', async () => {
  const { sim, client, servers, states } = await world();
  const events: WatchEvent[] = [];
  await sim.complete(client.getData('/x', { watch: (event) => events.push(event) }));
  const [server] = servers as [FakeServer];
  server.onRequest = ({ xid, link }) => {
    link.send(link.replyFrame(xid), link.eventFrame(EventType.NodeDeleted, '/x', 102n));
    link.reset();
  };
  await sim.complete(client.sync());
  await sim.runUntil(reached(client, 'disconnected'), 1000);
  assert.deepEqual(events, [{ type: 'NodeDeleted', path: '/x', zxid: 102n }]);
  assert.deepEqual(states, ['connected', 'disconnected']);
});

test('a watch is told once, whatever it watched', async () => {
  const { sim, client, servers } = await world();
  const told: string[] = [];
  const watch = ({ type, path }: WatchEvent): unknown => told.push(`${type} ${path}`);
  await sim.complete(Promise.all([client.getData('/x', { watch }), client.getChildren('/x', { watch })]));
  const { link } = servers[0] as FakeServer;
  link.send(link.eventFrame(EventType.NodeDeleted, '/x'), link.eventFrame(EventType.NodeCreated, '/x'));
  await sim.runFor(1000);
  assert.deepEqual(told, ['NodeDeleted /x']);
});

test('a listener that throws breaks nothing', async () => {
  const { sim, client, servers } = await world();
  client.onState(() => assert.fail('a fault of the program'));
  const told: string[] = [];
  const watch = (): never => assert.fail('a fault of the program');
  await sim.complete(client.getData('/x', { watch }));
  await sim.complete(client.getData('/x', { watch: ({ type }) => told.push(type) }));
  const { link } = servers[0] as FakeServer;
  link.send(link.eventFrame(EventType.NodeDataChanged, '/x'));
  await sim.runFor(100);
  assert.deepEqual(told, ['NodeDataChanged']);
  await sim.complete(client.sync());
});

test('paths below a chroot are the client’s own', async () => {
  const { sim, client, servers } = await world({ connect: 'h1:2181/app/one' });
  const events: WatchEvent[] = [];
  const paths: string[] = [];
  const [server] = servers as [FakeServer];
  server.onRequest = ({ type, xid, link, body }) => {
    if (type === OpCode.create) {
      const { path } = CreateRequest.read(body);
      paths.push(path);
      link.reply(xid, { write: (to) => CreateResponse.write(to, { path: `${path}0000000001` }) });
    } else {
      paths.push(ExistsRequest.read(body).path);
      link.reply(xid, { err: ErrorCode.NONODE });
    }
  };
  assert.equal(await sim.complete(client.create('/q-', null, { mode: 2 })), '/q-0000000001');
  await sim.complete(client.exists('/', { watch: (event) => events.push(event) }));
  server.link.send(server.link.eventFrame(EventType.NodeCreated, '/app/one', 5n));
  await sim.runFor(100);
  assert.deepEqual(paths, ['/app/one/q-', '/app/one']);
  assert.deepEqual(events, [{ type: 'NodeCreated', path: '/', zxid: 5n }]);
});

const untrustworthy: readonly { name: string; frames: (request: FakeRequest) => Uint8Array[] }[] = [
  {
    name: 'a reply to a request that was not made',
    frames: ({ link, xid }) => [
      link.replyFrame(xid + 1, { write: (to) => GetDataResponse.write(to, { data: null, stat: zeroStat }) }),
    ],
  },
  {
    name: 'a reply that is cut short',
    frames: ({ link, xid }) => [link.replyFrame(xid, { write: (to) => to.int32(9) })],
  },
  { name: 'a frame above the limit', frames: () => [Buffer.from('7fffffff', 'hex')] },
  { name: 'a negative frame size', frames: () => [Buffer.from('ffffffff00', 'hex')] },
  { name: 'an event without a body', frames: ({ link }) => [link.replyFrame(Xid.notification)] },
];
for (const { name, frames } of untrustworthy) {
  test(`${name} ends the connection, not the session`, async () => {
    const { sim, client, servers, states } = await world();
    await sim.complete(client.connected());
    const [server] = servers as [FakeServer];
    server.onRequest = (request) => request.link.send(...frames(request));
    const error = await sim.complete(client.getData('/x').catch((reason: KeeperError) => reason.code));
    assert.ok(error === ErrorCode.CONNECTIONLOSS || error === ErrorCode.MARSHALLINGERROR);
    server.onRequest = answerRead;
    assert.equal(textOf(await sim.complete(client.getData('/y'))), '/y');
    assert.deepEqual(states, ['connected', 'disconnected', 'connected']);
  });
}

test('the errors of a multi stand beside its operations', async () => {
  const { sim, client, servers } = await world();
  const codes = [0, ErrorCode.NOAUTH, ErrorCode.RUNTIMEINCONSISTENCY];
  (servers[0] as FakeServer).onRequest = ({ xid, link }) =>
    link.reply(xid, {
      write: (to) => {
        for (const err of codes) {
          MultiHeader.write(to, { type: -1, done: false, err });
          to.int32(err);
        }
        MultiHeader.write(to, { type: -1, done: true, err: -1 });
      },
    });
  const ops = ['/a', '/b', '/c'].map((path) => ({ kind: 'delete', path }) as const);
  const error = await sim.complete(client.multi(ops).catch((reason: unknown) => reason));
  assert.ok(error instanceof MultiError);
  assert.equal(error.message, 'KeeperErrorCode = NoAuth for /b');
  assert.deepEqual(error.codes, codes);
  assert.equal(error.failedIndex, 1);
});

test('identities that are refused end the session', async () => {
  const { sim, client, servers, states } = await world();
  await sim.complete(client.connected());
  (servers[0] as FakeServer).onRequest = ({ xid, link }) => {
    if (xid === Xid.auth) link.reply(xid, { err: ErrorCode.AUTHFAILED });
  };
  const pending = client.getData('/x').catch((error: KeeperError) => error.code);
  await assert.rejects(sim.complete(client.addAuth('foo', 'bar')), failsWith(ErrorCode.AUTHFAILED));
  assert.equal(await sim.complete(pending), ErrorCode.AUTHFAILED);
  assert.deepEqual(states, ['connected', 'authFailed']);
  await assert.rejects(client.getData('/x'), failsWith(ErrorCode.AUTHFAILED));
});

test('requests beyond the limit are refused at once', async () => {
  const { sim, client, servers } = await world({ requestsMax: 3 });
  (servers[0] as FakeServer).onRequest = () => undefined;
  const held = [client.sync(), client.sync(), client.sync()];
  for (const each of held) each.catch(() => undefined);
  await assert.rejects(client.sync(), failsWith(ErrorCode.THROTTLEDOP));
  await sim.complete(client.connected());
  await assert.rejects(client.sync(), failsWith(ErrorCode.THROTTLEDOP));
  (servers[0] as FakeServer).link.reset();
  await sim.runUntil(reached(client, 'disconnected'), 1000);
  (servers[0] as FakeServer).onRequest = answerRead;
  await sim.complete(client.sync());
});

test('bytes beyond the limit are refused at once, and counted back', async () => {
  const { sim, client, servers, states } = await world({ requestBytesMax: 1000 });
  await sim.complete(client.connected());
  (servers[0] as FakeServer).onRequest = ({ xid, type, link }) =>
    link.reply(xid, { write: (to) => type === OpCode.setData && SetDataResponse.write(to, { stat: zeroStat }) });
  const large = client.setData('/x', new Uint8Array(2000));
  await assert.rejects(client.sync(), failsWith(ErrorCode.THROTTLEDOP));
  await sim.complete(large);
  await sim.complete(client.sync());
  assert.deepEqual(states, ['connected']);
});

test('closing ends the session after what was asked before', async () => {
  const { sim, client, ensemble, states } = await world();
  await sim.complete(client.connected());
  const before = client.sync();
  const closed = client.close();
  await assert.rejects(sim.complete(client.sync()), failsWith(ErrorCode.SESSIONEXPIRED));
  await sim.complete(Promise.all([before, closed]));
  assert.deepEqual(ensemble.heard, ['h1 sync', 'h1 closeSession']);
  assert.deepEqual(states, ['connected', 'closed']);
  await sim.complete(client.close());
  await sim.runFor(60_000);
  assert.deepEqual(states, ['connected', 'closed']);
});

test('closing without a connection does not wait for one', async () => {
  const { sim, client, servers } = await world();
  (servers[0] as FakeServer).machine.crash('process');
  const waiting = client.sync();
  const closed = client.close();
  await assert.rejects(sim.complete(waiting), failsWith(ErrorCode.SESSIONEXPIRED));
  await sim.complete(closed, 1);
});

test('a stall of the client does not lose what the server said meanwhile', async () => {
  const { sim, client, servers, states } = await world({ sessionTimeoutMs: 9000 });
  await sim.complete(client.connected());
  const { link } = servers[0] as FakeServer;
  const machine = [...sim.machines].find(({ name }) => name === 'client');
  machine?.stall(7000); // longer than the read timeout
  await sim.runFor(3000);
  link.send(link.eventFrame(EventType.NodeCreated, '/x'));
  await sim.runFor(5000);
  assert.deepEqual(states, ['connected']);
});

test('all addresses of a name are tried', async () => {
  const sim = new Simulation({ seed: 3 });
  const server = new FakeServer(sim.machine('h1'), new FakeEnsemble());
  await sim.complete(server.listen());
  const dead = sim.machine('dead');
  sim.network.name('zk', [dead.host, server.machine.host]);
  const client = connectZookeeper(sim.machine('client').runtime, { connect: 'zk' });
  await sim.complete(client.connected(), 100);
});

test('with failFast a request fails once no server could be reached', async () => {
  const { sim, client, servers } = await world({ hosts: 2, failFast: true });
  for (const { machine } of servers) machine.crash('process');
  await assert.rejects(sim.complete(client.getData('/x'), 100), failsWith(ErrorCode.CONNECTIONLOSS));
});

test('waiting for the connection can be limited', async () => {
  const { sim, client, servers } = await world();
  (servers[0] as FakeServer).machine.crash('process');
  await assert.rejects(sim.complete(client.connected({ timeoutMs: 500 }), 501), failsWith(ErrorCode.CONNECTIONLOSS));
});

test('a client on a read-only server moves to one that can write', async () => {
  const { sim, client, servers, states } = await world({
    hosts: 2,
    canBeReadOnly: true,
    prepare: (all) => {
      for (const server of all) {
        server.readOnly = true;
        server.isro = 'ro';
      }
    },
  });
  await sim.complete(client.connected());
  assert.equal(client.state, 'connectedReadOnly');
  await sim.runFor(5000);
  assert.deepEqual(states, ['connectedReadOnly']);
  const other = servers.find(({ links }) => links.every((link) => link !== servers[0]?.links[0])) as FakeServer;
  other.readOnly = false;
  other.isro = 'rw';
  await sim.runUntil(reached(client, 'connected'), 130_000);
  assert.deepEqual(states, ['connectedReadOnly', 'disconnected', 'connected']);
});

test('many watches are told to a new server in requests that any server takes', async () => {
  const { sim, client, servers } = await world();
  await sim.complete(client.connected());
  const paths = Array.from({ length: 3000 }, (_, index) => `/${'x'.repeat(100)}${index}`);
  await sim.complete(Promise.all(paths.map((path) => client.getData(path, { watch: () => undefined }))));
  const [server] = servers as [FakeServer];
  const batches: SetWatches[] = [];
  server.onRequest = (request) => {
    if (request.type === OpCode.setWatches) batches.push(SetWatches.read(request.body));
    answerRead(request);
  };
  server.link.reset();
  await sim.runUntil(reached(client, 'disconnected'), 1000);
  await sim.complete(client.sync());
  assert.equal(batches.length, 3);
  assert.deepEqual(batches.flatMap(({ dataWatches }) => dataWatches ?? []).sort(), [...paths].sort());
  for (const batch of batches) assert.ok((batch.dataWatches ?? []).join('').length <= 131_072);
});

test('one seed gives one history', async () => {
  const hashes: string[] = [];
  for (let run = 0; run < 2; run += 1) {
    const { sim, client, servers } = await world({ hosts: 3, seed: 42 });
    await sim.complete(client.connected());
    for (const server of servers) server.links.at(-1)?.reset();
    await sim.complete(client.getData('/x').catch(() => undefined));
    await sim.runFor(20_000);
    await sim.complete(client.close());
    hashes.push(sim.historyHash);
  }
  assert.equal(hashes[0], hashes[1]);
});
