/** The same bytes to Apache's server and to ours: every reply must be the same, zxids, times and session ids aside. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zooCfg } from '../../src/config/zoo-cfg.ts';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { Reader } from '../../src/wire/reader.ts';
import type { Writer } from '../../src/wire/writer.ts';
import { startZookeeper } from '../../src/zookeeper/ensemble/start-zookeeper.ts';
import { Stat } from '../../src/zookeeper/jute/data.ts';
import { OpCode, Xid } from '../../src/zookeeper/jute/op-codes.ts';
import {
  AddWatchRequest,
  CheckWatchesRequest,
  CreateRequest,
  CreateTTLRequest,
  SetACLRequest,
  SetWatches2,
  WhoAmIResponse,
} from '../../src/zookeeper/jute/proto.ts';
import { RawClient, type RawReply } from '../../src/zookeeper/server/testkit/raw-client.ts';
import {
  check,
  create,
  exists,
  getChildren,
  getData,
  multi,
  remove,
  setData,
  type TestRequest,
} from '../../src/zookeeper/server/testkit/requests.ts';
import { startApacheZookeeper } from './peers/apache-zookeeper.ts';
import { until } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';

type Acl = readonly { readonly perms: number; readonly id: { readonly scheme: string; readonly id: string } }[];

const text = (path: string | null) => (to: Writer) => {
  to.int32(path === null ? -1 : Buffer.byteLength(path));
  to.utf8(path ?? '');
};
const typed = (type: number, body: (to: Writer) => void = () => undefined): TestRequest => ({ type, body });
const getAcl = (path: string) => typed(OpCode.getACL, text(path));
const setAcl = (path: string, acl: Acl | null, version = -1) =>
  typed(OpCode.setACL, (to) => SetACLRequest.write(to, { path, acl: acl as never, version }));
const createWith = (type: number, path: string, acl: Acl | null, flags = 0) =>
  typed(type, (to) => CreateRequest.write(to, { path, data: null, acl: acl as never, flags }));
const createTtl = (path: string, flags: number, ttl: number) =>
  typed(OpCode.createTTL, (to) =>
    CreateTTLRequest.write(to, { path, data: null, acl: [...open] as never, flags, ttl }),
  );
const watchOf = (type: number, path: string, kind: number) =>
  typed(type, (to) => CheckWatchesRequest.write(to, { path, type: kind }));
const addWatch = (path: string, mode: number) =>
  typed(OpCode.addWatch, (to) => AddWatchRequest.write(to, { path, mode }));
const multiRead = (...operations: TestRequest[]) => typed(OpCode.multiRead, multi(...operations).body);
const children = (path: string, watch = false) => typed(OpCode.getChildren, getChildren(path, watch).body);

const open: Acl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
const entry = (scheme: string, id: string, perms = 31): Acl => [{ perms, id: { scheme, id } }];

const script: readonly { readonly name: string; readonly requests: readonly TestRequest[] }[] = [
  {
    name: 'nodes and versions',
    requests: [
      create('/a', 'one'),
      create('/a', 'again'),
      create('/null', null),
      getData('/null'),
      getData('/a'),
      setData('/a', 'two', 0),
      setData('/a', 'three', 0),
      setData('/a', '', 1),
      exists('/a'),
      exists('/none'),
      getData('/none'),
      children('/none'),
      setData('/none', 'x'),
      remove('/none'),
      create('/none/x'),
      create('/a/b'),
      create('/a/c'),
      remove('/a'),
      remove('/a/b', 3),
      remove('/a/b', 0),
      getChildren('/a'),
      children('/a'),
      exists('/'),
      getData('/zookeeper/config'),
      typed(OpCode.getAllChildrenNumber, text('/a')),
      typed(OpCode.getAllChildrenNumber, text('/none')),
      typed(OpCode.getAllChildrenNumber, text('')),
      typed(OpCode.sync, text('/a')),
      typed(OpCode.sync, text('/none')),
    ],
  },
  {
    name: 'paths',
    requests: [
      ...['', 'a', '/', '//', '/a/', '/a//b', '/.', '/a/..', '/a/...', '/a\u0001', '/a\ud800', '/\u007f', '/é'].map(
        (path) => create(path),
      ),
      ...['', 'a', '/a/', '//'].flatMap((path) => [getData(path), exists(path), setData(path, 'x'), remove(path)]),
      exists('/\0'),
      getData('/\0'),
      create('/\0'),
      remove('/zookeeper/quota'),
      remove('/zookeeper/config'),
      remove('/'),
      setData('/', 'root'),
      getData('/'),
      create('/zookeeper/own'),
    ],
  },
  {
    name: 'modes',
    requests: [
      create('/m'),
      create('/m/s-', '', 2),
      create('/m/s-', '', 2),
      create('/m/', '', 2),
      create('/m/e', '', 1),
      create('/m/e/x'),
      create('/m/es-', '', 3),
      create('/m/flags', '', 4),
      create('/m/flags', '', 7),
      create('/m/flags', '', -1),
      create('/m/ttl', '', 5),
      createTtl('/m/ttl', 5, 1000),
      createTtl('/m/ttl', 5, 0),
      createTtl('/m/ttl', 0, 1000),
      createWith(OpCode.createContainer, '/m/c', open, 4),
      createWith(OpCode.create2, '/m/two', open),
      createWith(OpCode.create2, '/m/two', open),
      exists('/m/c'),
      exists('/m/e'),
      exists('/m'),
      typed(OpCode.getEphemerals, text('/')),
      ...['/m/es', '', ' ', ' / ', ' /m', 'm'].map((path) => typed(OpCode.getEphemerals, text(path))),
    ],
  },
  {
    name: 'access control',
    requests: [
      createWith(OpCode.create, '/acl', null),
      createWith(OpCode.create, '/acl', []),
      createWith(OpCode.create, '/acl', entry('world', 'nobody')),
      createWith(OpCode.create, '/acl', entry('digest', 'nocolon')),
      createWith(OpCode.create, '/acl', entry('unknown', 'x')),
      createWith(OpCode.create, '/acl', entry('auth', '')),
      createWith(OpCode.create, '/acl', entry('ip', '300.1.1.1')),
      createWith(OpCode.create, '/ip', entry('ip', '127.0.0.0/8')),
      createWith(OpCode.create, '/foreign', entry('ip', '10.0.0.1')),
      getData('/ip'),
      getData('/foreign'),
      exists('/foreign'),
      getAcl('/foreign'),
      setData('/foreign', 'x'),
      create('/foreign/x'),
      remove('/foreign'),
      createWith(OpCode.create, '/read', entry('world', 'anyone', 1)),
      getData('/read'),
      setData('/read', 'x'),
      create('/read/x'),
      getAcl('/read'),
      setAcl('/read', open),
      createWith(OpCode.create, '/digest', [...entry('digest', 'bob:hash', 31), ...entry('world', 'anyone', 1)]),
      getAcl('/digest'),
      createWith(OpCode.create, '/own', [...open, ...open]),
      getAcl('/own'),
      setAcl('/own', open, 3),
      setAcl('/own', entry('world', 'anyone', 5), 0),
      getAcl('/own'),
      getAcl('/none'),
      setAcl('/none', open),
      typed(OpCode.whoAmI),
    ],
  },
  {
    name: 'multi',
    requests: [
      multi(),
      multi(create('/t'), create('/t/a'), setData('/t', 'x', 0), check('/t', 1), remove('/t/a')),
      multi(create('/t/b'), setData('/t', 'y', 9), create('/t/c')),
      multi(createWith(OpCode.create2, '/t/two', open), createWith(OpCode.createContainer, '/t/box', open, 4)),
      multi(check('/none', -1)),
      multi(remove('/none')),
      multi(create('/t/s-', '', 2), create('/t/s-', '', 2)),
      multiRead(getData('/t'), getData('/none'), children('/t'), children('/none')),
      exists('/t'),
    ],
  },
  {
    name: 'watches',
    requests: [
      create('/w'),
      getData('/w', true),
      exists('/w', true),
      getChildren('/w', true),
      exists('/later', true),
      addWatch('/p', 0),
      addWatch('/w', 1),
      watchOf(OpCode.checkWatches, '/w', 2),
      watchOf(OpCode.checkWatches, '/w', 5),
      watchOf(OpCode.checkWatches, '/w', 4),
      watchOf(OpCode.checkWatches, '/none', 3),
      create('/later'),
      setData('/w', 'x'),
      setData('/w', 'y'),
      create('/w/x'),
      create('/w/x/y'),
      create('/p'),
      create('/p/q'),
      setData('/p', 'x'),
      remove('/w/x/y'),
      watchOf(OpCode.removeWatches, '/w', 5),
      watchOf(OpCode.removeWatches, '/w', 5),
      watchOf(OpCode.removeWatches, '/p', 3),
      setData('/p', 'x'),
      setData('/w', 'z'),
      typed(OpCode.setWatches2, (to) =>
        SetWatches2.write(to, {
          relativeZxid: 1n,
          dataWatches: ['/w', '/gone'],
          existWatches: ['/later', '/p', '/new'],
          childWatches: ['/w', '/gone2'],
          persistentWatches: ['/p'],
          persistentRecursiveWatches: ['/later'],
        }),
      ),
      create('/new'),
      create('/later/child'),
      setData('/p', 'again'),
      remove('/w/x'),
    ],
  },
  {
    name: 'what cannot be read',
    requests: [
      typed(OpCode.create, (to) => to.int32(50)),
      typed(OpCode.getData, (to) => to.int32(50)),
      typed(OpCode.setData, text('/a')),
      multi(getData('/')),
      typed(OpCode.reconfig, (to) => {
        for (const field of ['', '', '']) text(field)(to);
        to.bigint64(-1n);
      }),
    ],
  },
];

/** Stats hold times and zxids, which differ between any two runs; what they hold beside is kept. */
function comparable(type: number, reply: RawReply): unknown {
  const { xid, err } = reply;
  const body = Buffer.from(reply.body);
  if (xid === Xid.notification) return { event: body.toString('latin1') };
  if (err !== 0) return { xid, err, body: body.length };
  const statAt = { [OpCode.exists]: 0, [OpCode.setData]: 0, [OpCode.setACL]: 0 }[type as 3] ?? body.length - 68;
  const withStat: readonly number[] = [
    OpCode.exists,
    OpCode.setData,
    OpCode.setACL,
    OpCode.getData,
    OpCode.getChildren2,
    OpCode.getACL,
    OpCode.create2,
    OpCode.createContainer,
  ];
  if (!withStat.includes(type)) return { xid, err, body: namesSorted(type, body) };
  const { version, cversion, aversion, dataLength, numChildren, ephemeralOwner } = Stat.read(
    new Reader(body.subarray(statAt)),
  );
  const stat = { version, cversion, aversion, dataLength, numChildren, isEphemeral: ephemeralOwner !== 0n };
  return { xid, err, body: namesSorted(type, body.subarray(0, statAt)), stat };
}

/** Children come in any order; inside multi results stats are cut out by their size alone. */
function namesSorted(type: number, body: Buffer): string {
  if (type === OpCode.multi || type === OpCode.multiRead) return `${body.length} bytes, ${errorsOf(body)}`;
  if (type !== OpCode.getChildren && type !== OpCode.getChildren2 && type !== OpCode.getEphemerals) {
    return body.toString('latin1');
  }
  const from = new Reader(body);
  return Array.from({ length: from.int32() }, () => from.utf8(from.int32()))
    .sort()
    .join(' ');
}

/** Results that are errors: `type -1, done 0, err, err`. */
function errorsOf(body: Buffer): string {
  const errors: number[] = [];
  for (let at = 0; at + 13 <= body.length; at += 1) {
    const isError = body.readInt32BE(at) === -1 && body[at + 4] === 0;
    if (isError && body.readInt32BE(at + 5) === body.readInt32BE(at + 9)) errors.push(body.readInt32BE(at + 5));
  }
  return `errors ${errors.join(' ')}`;
}

const runtime = nodeRuntime({ logLevel: 'off' });

async function play(port: number, requests: readonly TestRequest[]): Promise<unknown[]> {
  const client = new RawClient(runtime, { host: '127.0.0.1', port });
  await until('connection', () => client.isConnected || undefined);
  client.hello({ timeOut: 30_000 });
  await until('session', () => client.session);
  const heard: unknown[] = [];
  let seen = 0;
  for (const { type, body } of requests) {
    const xid = client.send(type, body);
    await until(`reply ${xid} to ${type}`, () => client.reply(xid) ?? (client.isClosed || undefined), { everyMs: 1 });
    for (; seen < client.heard.length; seen += 1) heard.push(comparable(type, client.heard[seen] as RawReply));
    if (client.isClosed) heard.push('closed');
    if (client.isClosed) break;
  }
  client.send(OpCode.closeSession);
  await until('the end', () => client.isClosed || undefined);
  return heard;
}

test('every reply is the one that Apache 3.9.4 gives', async (t) => {
  const apache = await startApacheZookeeper({ version: '3.9.4', dataDir: tempDir() });
  t.after(() => apache.stop());
  const ours = await startZookeeper(
    runtime,
    zooCfg({ dataDir: tempDir(), clientPort: 0, clientPortAddress: '127.0.0.1', tickTime: 2000 }),
  );
  t.after(() => ours.close());
  for (const { name, requests } of script) {
    await t.test(name, async () => {
      const theirs = await play(apache.port, requests);
      assert.deepEqual(await play(ours.clientAddress.port, requests), theirs);
    });
  }
});

/** In the order of a hash table. */
function idsOf(body: Uint8Array): unknown {
  if (body.length === 0) return '';
  const { clientInfo } = WhoAmIResponse.read(new Reader(body));
  return clientInfo?.map(({ authScheme, user }) => `${authScheme}: ${user}`).sort();
}

test('authentication and its failures are answered as Apache 3.9.4 does', async (t) => {
  const apache = await startApacheZookeeper({ version: '3.9.4', dataDir: tempDir() });
  t.after(() => apache.stop());
  const ours = await startZookeeper(
    runtime,
    zooCfg({ dataDir: tempDir(), clientPort: 0, clientPortAddress: '127.0.0.1' }),
  );
  t.after(() => ours.close());
  const runs: unknown[] = [];
  for (const port of [apache.port, ours.clientAddress.port]) {
    const heard: unknown[] = [];
    for (const [scheme, credentials] of [
      ['digest', 'bob:bobsecret'],
      ['digest', 'nocolon'],
      ['ip', ''],
      ['world', 'anyone'],
      ['nothing', 'x'],
      [null, 'x'],
    ] as const) {
      const client = new RawClient(runtime, { host: '127.0.0.1', port });
      await until('connection', () => client.isConnected || undefined);
      client.hello();
      await until('session', () => client.session);
      client.send(
        OpCode.auth,
        (to) => {
          to.int32(0);
          for (const field of [scheme, credentials]) text(field)(to);
        },
        Xid.auth,
      );
      await until('answer', () => client.reply(Xid.auth), { everyMs: 1 });
      const who = client.send(OpCode.whoAmI);
      await until('end or answer', () => client.reply(who) ?? (client.isClosed || undefined), { everyMs: 1 });
      heard.push({
        scheme,
        replies: client.heard.map(({ xid, zxid, err, body }) => ({
          xid,
          err,
          zxid: xid === Xid.auth ? zxid : undefined,
          body: xid === who ? idsOf(body) : Buffer.from(body).toString('latin1'),
        })),
      });
      client.connection.destroy();
    }
    runs.push(heard);
  }
  assert.deepEqual(runs[1], runs[0]);
});
