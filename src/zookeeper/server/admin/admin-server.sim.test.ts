import assert from 'node:assert/strict';
import test from 'node:test';
import { OpCode } from '../../jute/op-codes.ts';
import { askHttp, type HttpAnswer, type HttpAsk } from '../testkit/http-client.ts';
import { create, getData, setData } from '../testkit/requests.ts';
import { ServerWorld } from '../testkit/server-world.ts';
import { prettyJson } from './json.ts';

const admin = { 'admin.enableServer': true, 'admin.serverPort': 8080 };
const authorized = { headers: { Authorization: 'digest someone:secret' } };

function ask(world: ServerWorld, path: string, request: HttpAsk = {}): Promise<HttpAnswer> {
  return askHttp(world.sim, world.clients.runtime, { host: world.machine.host, port: 8080 }, path, request);
}

const json = ({ body }: HttpAnswer): Record<string, unknown> => JSON.parse(body.toString()) as Record<string, unknown>;

async function write(world: ServerWorld, type: number, path: string, data: string): Promise<void> {
  const client = await world.open();
  client.sendTogether([type === OpCode.create ? create(path, data) : setData(path, data)]);
  await world.until(() => client.heard.length === 1);
  assert.equal(client.heard[0]?.err, 0);
}

/** Undefined where there is no node. */
async function read(world: ServerWorld, path: string): Promise<string | undefined> {
  const client = await world.open();
  client.sendTogether([getData(path)]);
  await world.until(() => client.heard.length === 1);
  const reply = client.heard[0];
  if (reply?.err !== 0) return undefined;
  const body = Buffer.from(reply.body);
  return body.subarray(4, 4 + body.readInt32BE(0)).toString();
}

test('JSON is printed as Jackson prints it', () => {
  assert.equal(
    prettyJson({ a: [], b: {}, c: [1n, 2n], d: [{ e: null }], f: { g: 'x"' } }),
    '{\n  "a" : [ ],\n  "b" : { },\n  "c" : [ 1, 2 ],\n  "d" : [ {\n    "e" : null\n  } ],\n  "f" : {\n    "g" : "x\\""\n  }\n}',
  );
});

test('a command answers under each of its names, an unknown one and a wrong method say so', async () => {
  const world = await ServerWorld.start({ config: admin });
  for (const name of ['ruok', 'configuration', 'conf', 'config', 'mntr', 'monitor']) {
    const answer = await ask(world, `/commands/${name}`);
    assert.equal(answer.status, 200);
    assert.equal(json(answer).error, null);
  }
  assert.equal(json(await ask(world, '/commands/mntr')).znode_count, 5);
  assert.deepEqual(json(await ask(world, '/commands/nonsense')), {
    command: 'nonsense',
    error: 'Unknown command: nonsense',
  });
  assert.equal((await ask(world, '/commands/%72uok')).status, 200);
  for (const path of ['/commands/%zz', '/commands/../../commands', '/%2e%2e', '*', '/commands/ruok%00']) {
    assert.equal((await ask(world, path)).status, 400, path);
  }
  for (const path of ['/commands;a=b/ruok;c', '/x/../commands/%72uok', 'http://server/commands/./ruok?a=b']) {
    assert.equal((await ask(world, path)).status, 200, path);
  }
  assert.ok(!world.logged.some((line) => line.includes('an admin command failed')));
  for (const path of ['/', '//commands', '//']) assert.equal((await ask(world, path)).status, 404, path);
  assert.equal((await ask(world, '/commandsx')).status, 404);
  assert.equal((await ask(world, '/commands/ruok', { method: 'PUT' })).status, 405);
  assert.equal((await ask(world, '/commands/ruok', { method: 'POST' })).status, 500);
  assert.match(
    (await ask(world, '/commands')).body.toString(),
    /<a href="\/commands\/zabstate">zabstate<\/a>\n<br\/>\n$/,
  );
});

test('admin.commandURL moves the commands', async () => {
  const world = await ServerWorld.start({ config: { ...admin, 'admin.commandURL': '/zk/admin' } });
  assert.equal((await ask(world, '/zk/admin/ruok')).status, 200);
  assert.equal((await ask(world, '/commands/ruok')).status, 404);
});

test('a port that is taken is a warning, and clients are served', async () => {
  const world = await ServerWorld.start({ config: { ...admin, 'admin.serverPort': 2181 } });
  assert.equal(world.server.adminAddress, undefined);
  assert.ok(world.logged.some((line) => line.includes('Problem starting AdminServer')));
  assert.notEqual((await world.open()).session, undefined);
});

test('only a configuration file opens the port without being asked to', async () => {
  const world = await ServerWorld.start();
  assert.equal(world.server.adminAddress, undefined);
});

test('a silent connection is closed after admin.idleTimeout', async () => {
  const world = await ServerWorld.start({ config: { ...admin, 'admin.idleTimeout': 3000 } });
  let isClosed = false;
  world.clients.runtime.network.connect(
    { host: world.machine.host, port: 8080 },
    {
      data: () => undefined,
      closed: () => {
        isClosed = true;
      },
    },
  );
  const startMs = world.clients.runtime.clock.monotonicMs();
  await world.until(() => isClosed, 20_000);
  const tookMs = world.clients.runtime.clock.monotonicMs() - startMs;
  assert.ok(tookMs >= 3000 && tookMs < 3500, `${tookMs}`);
});

test('snapshot and restore are for who has all permissions on the root', async () => {
  const world = await ServerWorld.start({ config: admin });
  const missing = await ask(world, '/commands/snapshot');
  assert.deepEqual([missing.status, json(missing).error], [401, 'Auth info is missing for the command']);
  for (const header of ['nonsense x', 'digest', 'digest a b c', '']) {
    const wrong = await ask(world, '/commands/restore', { method: 'POST', headers: { Authorization: header } });
    assert.deepEqual([wrong.status, json(wrong).error], [401, 'Not authenticated'], header);
  }
  const client = world.client();
  await world.complete(client.setACL('/', [{ perms: 1, id: { scheme: 'world', id: 'anyone' } }]));
  const denied = await ask(world, '/commands/snapshot', authorized);
  assert.deepEqual([denied.status, json(denied).error], [403, 'Not authorized']);
});

test('a switched-off command answers 503, a second run in the interval 429', async () => {
  const off = await ServerWorld.start({
    config: { ...admin, 'admin.snapshot.enabled': false, 'admin.restore.enabled': false },
  });
  assert.equal((await ask(off, '/commands/snapshot', authorized)).status, 503);
  assert.equal((await ask(off, '/commands/restore', { method: 'POST', ...authorized })).status, 503);

  const world = await ServerWorld.start({ config: { ...admin, 'admin.rateLimiterIntervalInMS': 100_000 } });
  const garbage = { method: 'POST', body: Buffer.from('garbage'), ...authorized };
  assert.equal((await ask(world, '/commands/restore', garbage)).status, 500);
  assert.equal((await ask(world, '/commands/restore', garbage)).status, 429);
  await world.sim.runFor(101_000);
  assert.equal((await ask(world, '/commands/restore', garbage)).status, 500);
  const monitor = json(await ask(world, '/commands/monitor'));
  assert.deepEqual([monitor.restore_error_count, monitor.restore_rate_limited_count], [2, 1]);
});

test('a snapshot streams the file that is on the disk, or only tells of it', async () => {
  const world = await ServerWorld.start({ config: { ...admin, 'admin.rateLimiterIntervalInMS': 0 } });
  await write(world, OpCode.create, '/a', 'one');
  await world.sim.runFor(10);
  const streamed = await ask(world, '/commands/snapshot?streaming=true', authorized);
  assert.equal(streamed.status, 200);
  assert.equal(streamed.headers.get('last_zxid'), '0x2');
  assert.equal(streamed.headers.get('snapshot_size'), String(streamed.body.length));
  assert.deepEqual(Buffer.from(world.machine.runtime.disk.readFile('/data/version-2/snapshot.2')), streamed.body);
  await world.sim.runFor(10);
  const told = await ask(world, '/commands/snap?streaming=false', authorized);
  assert.deepEqual(json(told), { command: 'snapshot', error: null });
  assert.equal(told.headers.get('last_zxid'), '0x2');
  assert.equal(json(await ask(world, '/commands/last_snapshot')).zxid, '2');
});

for (const kind of ['none', 'process', 'power'] as const) {
  test(`a restore brings the snapshot back for good (crash: ${kind})`, async () => {
    const world = await ServerWorld.start({ config: admin });
    const kept = await world.open();
    await write(world, OpCode.create, '/a', 'before');
    const { body: snapshot } = await ask(world, '/commands/snapshot', authorized);
    const lost = await world.open();
    await write(world, OpCode.setData, '/a', 'after');
    await write(world, OpCode.create, '/b', '');
    const zxidBefore = world.server.view.tree.lastProcessedZxid;

    const answer = await ask(world, '/commands/restore', { method: 'POST', body: snapshot, ...authorized });
    assert.deepEqual([answer.status, json(answer)], [200, { last_zxid: 3, command: 'restore', error: null }]);
    if (kind !== 'none') await world.crash(kind);
    assert.equal(await read(world, '/a'), 'before');
    assert.equal(await read(world, '/b'), undefined);
    assert.ok(kept.isClosed && lost.isClosed, 'clients have to come again');
    assert.ok(world.server.view.tree.lastProcessedZxid >= zxidBefore, 'no client has seen more than we have');

    const { sessions } = world.server.view;
    assert.notEqual(sessions.get(kept.session?.sessionId as never), undefined, 'a session of the snapshot lives');
    assert.equal(sessions.get(lost.session?.sessionId as never), undefined, 'a later one has expired');

    await write(world, OpCode.create, '/c', 'since');
    await world.crash('power');
    assert.deepEqual([await read(world, '/a'), await read(world, '/c')], ['before', 'since']);
    assert.deepEqual(world.fatal, []);
  });
}

test('a restore that the disk refuses leaves everything as it was, and nobody expires meanwhile', async () => {
  const world = await ServerWorld.start({ config: admin });
  await write(world, OpCode.create, '/a', 'before');
  const { body: snapshot } = await ask(world, '/commands/snapshot', authorized);
  const client = await world.open({ timeOut: 2000 });
  client.sendTogether([setData('/a', 'after'), create('/e', '', 1)]);
  await world.until(() => client.heard.length === 2);
  world.machine.disk.failNext({ operation: 'sync', code: 'ENOSPC', path: 'snapshot.' });
  const answer = await ask(world, '/commands/restore', { method: 'POST', body: snapshot, ...authorized });
  assert.equal(answer.status, 500);
  assert.deepEqual([await read(world, '/a'), await read(world, '/e')], ['after', '']);
  // Its connection was closed: it did not come back in time.
  await world.sim.runFor(5000);
  assert.equal(await read(world, '/e'), undefined);
  await world.crash('power');
  assert.equal(await read(world, '/a'), 'after');
  assert.deepEqual(world.fatal, []);
});

test('writes that are under way when a restore comes are lost as a whole or not acknowledged', async () => {
  const world = await ServerWorld.start({ config: { ...admin, flushDelay: 50 } });
  await write(world, OpCode.create, '/a', 'before');
  const { body: snapshot } = await ask(world, '/commands/snapshot', authorized);
  const client = await world.open();
  const answer = ask(world, '/commands/restore', { method: 'POST', body: snapshot, ...authorized });
  client.sendTogether(Array.from({ length: 50 }, (_, index) => create(`/n${index}`, 'x')));
  assert.equal((await answer).status, 200);
  assert.equal(world.server.view.outstandingCount, 0);
  assert.equal(await read(world, '/n0'), undefined);
  await write(world, OpCode.setData, '/a', 'since');
  await world.crash('power');
  assert.deepEqual([await read(world, '/a'), await read(world, '/n49')], ['since', undefined]);
  assert.deepEqual(world.fatal, []);
});

test('a snapshot of a server that is ahead brings its zxid along', async () => {
  const source = await ServerWorld.start({ config: admin });
  for (let count = 0; count < 5; count += 1) await write(source, OpCode.create, `/n${count}`, 'x');
  const { body: snapshot } = await ask(source, '/commands/snapshot', authorized);
  const world = await ServerWorld.start({ config: admin });
  const answer = await ask(world, '/commands/restore', { method: 'POST', body: snapshot, ...authorized });
  assert.equal(json(answer).last_zxid, 10);
  assert.equal(world.server.view.tree.lastProcessedZxid, 10n);
  await write(world, OpCode.create, '/more', 'x');
  await world.crash('power');
  assert.equal(await read(world, '/n4'), 'x');
  assert.equal(await read(world, '/more'), 'x');
});

test('what is no snapshot changes nothing, and disturbs nobody', async () => {
  const world = await ServerWorld.start({ config: { ...admin, 'admin.rateLimiterIntervalInMS': 0 } });
  await write(world, OpCode.create, '/a', 'one');
  const { body: snapshot } = await ask(world, '/commands/snapshot', authorized);
  const client = await world.open();
  const broken = Buffer.from(snapshot);
  broken[60]! ^= 1;
  for (const body of [Buffer.alloc(0), Buffer.from('garbage'), snapshot.subarray(0, 100), broken]) {
    await world.sim.runFor(10);
    const answer = await ask(world, '/commands/restore', { method: 'POST', body, ...authorized });
    assert.equal(answer.status, 500, `${body.length} bytes`);
  }
  assert.ok(!client.isClosed);
  assert.equal(await read(world, '/a'), 'one');
});

test('an access list that the replaced tree had is not taken for one of the restored tree', async () => {
  const world = await ServerWorld.start({ config: admin });
  const client = world.client();
  await world.complete(client.addAuth('digest', 'me:mine'));
  const mine = [{ perms: 31, id: { scheme: 'auth', id: '' } }];
  await world.complete(client.create('/secret', Buffer.from('x'), { acl: mine }));
  const { body: snapshot } = await ask(world, '/commands/snapshot', authorized);
  // In a fresh tree the first list that is given out has the number that belongs to the secret one in the snapshot.
  const other = await ServerWorld.start({ config: admin });
  const theirs = other.client();
  const readable = [
    { perms: 1, id: { scheme: 'world', id: 'anyone' } },
    { perms: 31, id: { scheme: 'ip', id: '10.0.0.1' } },
  ];
  await other.complete(theirs.create('/open', Buffer.from('x'), { acl: readable }));
  assert.equal(await read(other, '/open'), 'x');
  await ask(other, '/commands/restore', { method: 'POST', body: snapshot, ...authorized });
  assert.equal(await read(other, '/secret'), undefined);
});
