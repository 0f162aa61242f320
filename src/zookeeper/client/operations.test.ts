/** What each operation sends and answers, and what is refused before it is sent. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { CreateMode } from '../jute/create-mode.ts';
import { ErrorCode, KeeperError } from '../jute/errors.ts';
import { EventType } from '../jute/events.ts';
import { OpCode } from '../jute/op-codes.ts';
import {
  Create2Response,
  CreateRequest,
  CreateResponse,
  CreateTTLRequest,
  GetChildrenResponse,
  GetDataRequest,
  GetDataResponse,
  GetEphemeralsResponse,
  MultiHeader,
  RemoveWatchesRequest,
  SetDataResponse,
} from '../jute/proto.ts';
import { InvalidArgumentError, isKeeperError } from './client-errors.ts';
import { MultiError } from './multi.ts';
import { answerRead, failsWith, reached, world, zeroStat } from './testkit/client-world.ts';
import type { FakeRequest, FakeServer } from './testkit/fake-server.ts';
import type { WatchEvent } from './watch-registry.ts';

const { NONODE, NOAUTH, NOWATCHER, CONNECTIONLOSS } = ErrorCode;

test('every create mode takes the request that Apache’s client takes', async () => {
  const { sim, client, servers, ensemble } = await world();
  const sent: unknown[] = [];
  (servers[0] as FakeServer).onRequest = ({ type, xid, link, body }) => {
    const isTtl = type === OpCode.createTTL;
    const request = isTtl ? CreateTTLRequest.read(body) : CreateRequest.read(body);
    sent.push([request.flags, 'ttl' in request ? request.ttl : undefined]);
    const { path } = request;
    if (type === OpCode.create) link.reply(xid, { write: (to) => CreateResponse.write(to, { path }) });
    else link.reply(xid, { write: (to) => Create2Response.write(to, { path, stat: zeroStat }) });
  };
  for (const mode of Object.values(CreateMode)) {
    const ttlMs = mode >= CreateMode.PERSISTENT_WITH_TTL ? 7 : undefined;
    assert.equal(await sim.complete(client.create('/a', 'x', { mode, ttlMs })), '/a');
    const { path, stat } = await sim.complete(client.createWithStat('/a', 'x', { mode, ttlMs }));
    assert.deepEqual([path, stat], ['/a', zeroStat]);
  }
  const plain = ['h1 create', 'h1 create2'];
  const ttl = ['h1 createTTL', 'h1 createTTL'];
  const container = ['h1 createContainer', 'h1 createContainer'];
  assert.deepEqual(ensemble.heard, [...plain, ...plain, ...plain, ...plain, ...container, ...ttl, ...ttl]);
  assert.deepEqual(sent.slice(8), [
    [4, undefined],
    [4, undefined],
    [5, 7],
    [5, 7],
    [6, 7],
    [6, 7],
  ]);
});

test('what no server could take is refused before it is sent', async () => {
  const { client, ensemble } = await world();
  const mode = CreateMode.PERSISTENT_WITH_TTL;
  const refused = [
    client.create('/a', null, { mode }),
    client.create('/a', null, { mode, ttlMs: 0 }),
    client.create('/a', null, { mode, ttlMs: 1.5 }),
    client.create('/a', null, { mode, ttlMs: 2 ** 40 }),
    client.create('/a', null, { ttlMs: 5 }),
    client.create('/a', null, { mode: 9 as CreateMode }),
    client.create('a'),
    client.setData('/a', null, 1.5),
    client.setData('/a', null, 2 ** 31),
    client.delete('/a', Number.NaN),
    client.getData(undefined as unknown as string),
    client.multi([{ kind: 'check', path: '/a', version: 2 ** 40 }]),
    client.multi([{ kind: 'create', path: '/a', ttlMs: 1 }]),
    client.multiRead([{ kind: 'getData', path: '/a/' }]),
    client.removeWatches('a/b'),
    client.addWatch('/a/', () => undefined),
  ];
  client.close(); // what is not refused would wait
  for (const outcome of await Promise.allSettled(refused)) {
    assert.ok(outcome.status === 'rejected' && outcome.reason instanceof InvalidArgumentError);
  }
  await assert.rejects(client.create('/a', null, { acl: [] }), failsWith(ErrorCode.INVALIDACL));
  await assert.rejects(client.setACL('/a', []), failsWith(ErrorCode.INVALIDACL));
  assert.deepEqual(ensemble.heard, []);
});

test('errors have the code, the name and the words of Apache’s, and the reason of a lost connection', async () => {
  const { sim, client, servers } = await world();
  const [server] = servers as [FakeServer];
  server.onRequest = ({ link, xid }) => link.reply(xid, { err: NONODE });
  const error: unknown = await sim.complete(client.getData('/a').catch((reason: unknown) => reason));
  assert.ok(isKeeperError(error, 'NONODE'));
  assert.ok(isKeeperError(error));
  assert.ok(isKeeperError(error, 'BADVERSION', 'NONODE'));
  assert.equal(isKeeperError(error, 'BADVERSION'), false);
  assert.equal(isKeeperError(new TypeError('x')), false);
  assert.deepEqual(
    [error.code, error.name, error.message, error.path, error.retriable],
    [-101, 'NoNode', 'KeeperErrorCode = NoNode for /a', '/a', false],
  );
  server.onRequest = ({ link }) => link.reset();
  const lost: unknown = await sim.complete(client.getData('/a').catch((reason: unknown) => reason));
  assert.ok(isKeeperError(lost, 'CONNECTIONLOSS') && lost.retriable);
  assert.equal((lost.cause as { code?: string }).code, 'ECONNRESET');
});

test('a multiRead answers each read by itself', async () => {
  const { sim, client, servers } = await world({ connect: 'h1/app' });
  const asked: unknown[] = [];
  (servers[0] as FakeServer).onRequest = ({ type, xid, link, body }) => {
    assert.equal(type, OpCode.multiRead);
    for (let header = MultiHeader.read(body); !header.done; header = MultiHeader.read(body)) {
      asked.push([header.type, GetDataRequest.read(body)]);
    }
    link.reply(xid, {
      write: (to) => {
        MultiHeader.write(to, { type: OpCode.getData, done: false, err: 0 });
        GetDataResponse.write(to, { data: Buffer.from('x'), stat: zeroStat });
        MultiHeader.write(to, { type: -1, done: false, err: NOAUTH });
        to.int32(NOAUTH);
        MultiHeader.write(to, { type: OpCode.getChildren, done: false, err: 0 });
        GetChildrenResponse.write(to, { children: ['c'] });
        MultiHeader.write(to, { type: -1, done: true, err: -1 });
      },
    });
  };
  const results = await sim.complete(
    client.multiRead([
      { kind: 'getData', path: '/a' },
      { kind: 'getData', path: '/secret' },
      { kind: 'getChildren', path: '/' },
    ]),
  );
  assert.deepEqual(asked, [
    [OpCode.getData, { path: '/app/a', watch: false }],
    [OpCode.getData, { path: '/app/secret', watch: false }],
    [OpCode.getChildren, { path: '/app', watch: false }],
  ]);
  assert.deepEqual(results, [
    { kind: 'getData', data: Buffer.from('x'), stat: zeroStat },
    { kind: 'error', error: new KeeperError(NOAUTH, '/secret') },
    { kind: 'getChildren', children: ['c'] },
  ]);
});

test('a transaction is a multi, whose results have the types of its steps', async () => {
  const { sim, client, servers, ensemble } = await world();
  const types: number[] = [];
  (servers[0] as FakeServer).onRequest = ({ xid, link, body }) => {
    if (types.length === 0) {
      types.push(MultiHeader.read(body).type);
      assert.equal(CreateRequest.read(body).path, '/a');
    }
    link.reply(xid, {
      write: (to) => {
        MultiHeader.write(to, { type: OpCode.create, done: false, err: 0 });
        CreateResponse.write(to, { path: '/a' });
        MultiHeader.write(to, { type: OpCode.setData, done: false, err: 0 });
        SetDataResponse.write(to, { stat: zeroStat });
        for (const type of [OpCode.delete, OpCode.check]) MultiHeader.write(to, { type, done: false, err: 0 });
        MultiHeader.write(to, { type: -1, done: true, err: -1 });
      },
    });
  };
  const steps = client.transaction().create('/a', 'x').setData('/b', 'y', 3).delete('/c', 4).check('/d', 5);
  await sim.complete(client.connected());
  assert.deepEqual(ensemble.heard, []);
  const [created, changed, , checked] = await sim.complete(steps.commit());
  assert.equal(created.path, '/a');
  assert.deepEqual(changed.stat, zeroStat);
  assert.equal(checked.kind, 'check');
  assert.deepEqual(types, [OpCode.create]);
  await assert.rejects(steps.commit({ signal: AbortSignal.abort() }), { name: 'AbortError' });
});

test('a transaction that fails says which step did', async () => {
  const { sim, client, servers } = await world();
  (servers[0] as FakeServer).onRequest = ({ xid, link }) =>
    link.reply(xid, {
      write: (to) => {
        for (const err of [0, NONODE]) {
          MultiHeader.write(to, { type: -1, done: false, err });
          to.int32(err);
        }
        MultiHeader.write(to, { type: -1, done: true, err: -1 });
      },
    });
  const failure = client.transaction().create('/a').delete('/b').commit();
  const error: unknown = await sim.complete(failure.catch((reason: unknown) => reason));
  assert.ok(error instanceof MultiError && isKeeperError(error, 'NONODE'));
  assert.deepEqual([error.failedIndex, error.path, error.codes], [1, '/b', [0, NONODE]]);
});

test('ephemeral nodes outside the chroot are not the client’s', async () => {
  const { sim, client, servers } = await world({ connect: 'h1/app' });
  (servers[0] as FakeServer).onRequest = ({ xid, link }) =>
    link.reply(xid, {
      write: (to) => GetEphemeralsResponse.write(to, { ephemerals: ['/app/a', '/apple/b', '/app'] }),
    });
  assert.deepEqual(await sim.complete(client.getEphemerals()), ['/a', '/']);
});

/** What was removed at the server: opcode and WatcherType. */
function noting(server: FakeServer, err = 0): unknown[] {
  const removals: unknown[] = [];
  server.onRequest = (request: FakeRequest) => {
    const { type, xid, link, body } = request;
    if (type !== OpCode.removeWatches && type !== OpCode.checkWatches) return answerRead(request);
    removals.push([type === OpCode.checkWatches ? 'check' : 'remove', RemoveWatchesRequest.read(body)]);
    link.reply(xid, { err });
  };
  return removals;
}

test('one watcher of a path is removed, and the server’s watch with the last', async () => {
  const { sim, client, servers } = await world();
  const [server] = servers as [FakeServer];
  const removals = noting(server);
  const told: string[] = [];
  const first = ({ type }: WatchEvent): unknown => told.push(`first ${type}`);
  const second = ({ type }: WatchEvent): unknown => told.push(`second ${type}`);
  await sim.complete(client.getData('/a', { watch: first }));
  await sim.complete(client.getData('/a', { watch: second }));
  await sim.complete(client.getChildren('/a', { watch: first }));
  await sim.complete(client.removeWatches('/a', 'Data', { watcher: first }));
  await sim.complete(client.removeWatches('/a', 'Data', { watcher: second }));
  await assert.rejects(sim.complete(client.removeWatches('/a', 'Data', { watcher: second })), failsWith(NOWATCHER));
  assert.deepEqual(removals, [
    ['check', { path: '/a', type: 2 }],
    ['remove', { path: '/a', type: 2 }],
    ['remove', { path: '/a', type: 2 }],
  ]);
  server.link.send(server.link.eventFrame(EventType.NodeDeleted, '/a'));
  await sim.runFor(50);
  assert.deepEqual(told, ['first DataWatchRemoved', 'second DataWatchRemoved', 'first NodeDeleted']);
});

test('a watch that the server does not know stays, unless its removal is a local one', async () => {
  const { sim, client, servers } = await world();
  noting(servers[0] as FakeServer, NOWATCHER);
  const told: string[] = [];
  await sim.complete(client.getData('/a', { watch: ({ type }) => told.push(type) }));
  await assert.rejects(sim.complete(client.removeWatches('/a')), failsWith(NOWATCHER));
  assert.deepEqual(told, []);
  await sim.complete(client.removeWatches('/a', 'Any', { local: true }));
  assert.deepEqual(told, ['DataWatchRemoved']);
  await assert.rejects(sim.complete(client.removeWatches('/a', 'Any', { local: true })), failsWith(NOWATCHER));
});

test('without a connection watches are removed at once if only here, and never told to a server again', async () => {
  const { sim, client, servers, ensemble } = await world();
  const [server] = servers as [FakeServer];
  const told: string[] = [];
  await sim.complete(client.addWatch('/a', ({ type }) => told.push(type), { recursive: true }));
  server.onRequest = ({ link }) => link.reset();
  const lost = client.removeWatches('/a', 'Any').catch((error: KeeperError) => error.code);
  assert.equal(await sim.complete(lost), CONNECTIONLOSS);
  assert.equal(client.state, 'disconnected');
  await client.removeWatches('/a', 'PersistentRecursive', { local: true });
  await assert.rejects(client.removeWatches('/a', 'PersistentRecursive', { local: true }), failsWith(NOWATCHER));
  assert.deepEqual(told, ['PersistentWatchRemoved']);
  server.onRequest = answerRead;
  ensemble.heard.length = 0;
  await sim.complete(client.sync());
  assert.deepEqual(ensemble.heard, ['h1 sync']);
});

test('a local removal under way when the connection is lost is done', async () => {
  const { sim, client, servers } = await world();
  await sim.complete(client.addWatch('/a', () => undefined));
  (servers[0] as FakeServer).onRequest = ({ link }) => link.reset();
  await sim.complete(client.removeWatches('/a', 'Any', { local: true }));
  await sim.runUntil(reached(client, 'connected'), 3000);
});
