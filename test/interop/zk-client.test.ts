/** Our ZooKeeper client against Apache's servers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { CREATOR_ALL_ACL, OPEN_ACL_UNSAFE } from '../../src/zookeeper/client/acl.ts';
import { type ClientState, connectZookeeper, type ZookeeperClient } from '../../src/zookeeper/client/client.ts';
import { AbortError, isKeeperError } from '../../src/zookeeper/client/client-errors.ts';
import type { ZookeeperClientOptions } from '../../src/zookeeper/client/client-options.ts';
import { MultiError } from '../../src/zookeeper/client/multi.ts';
import { deleteRecursive, ensurePath } from '../../src/zookeeper/client/recipes/nodes.ts';
import type { WatchEvents } from '../../src/zookeeper/client/watch-events.ts';
import type { WatchEvent, Watcher } from '../../src/zookeeper/client/watch-registry.ts';
import { CreateMode } from '../../src/zookeeper/jute/create-mode.ts';
import { ErrorCode, KeeperError } from '../../src/zookeeper/jute/errors.ts';
import { chosen } from './breadth.ts';
import { startApacheZookeeper } from './peers/apache-zookeeper.ts';
import { startCuttableProxy } from './peers/cuttable-proxy.ts';
import { freePorts } from './peers/free-port.ts';
import { PATIENCE_MS, until } from './peers/process.ts';
import { tempDir } from './peers/temp-dir.ts';

const runtime = nodeRuntime({ logLevel: 'off' });

function connect(t: { after(done: () => unknown): void }, options: ZookeeperClientOptions): ZookeeperClient {
  const client = connectZookeeper(runtime, options);
  t.after(() => client.close());
  return client;
}

/** A watcher, and the promise of its next event. */
function nextEvent(): { watch: Watcher; event: Promise<WatchEvent> } {
  const { promise, resolve } = Promise.withResolvers<WatchEvent>();
  return { watch: resolve, event: promise };
}

function stateOf(client: ZookeeperClient, wanted: ClientState): Promise<void> {
  return new Promise((resolve) => {
    if (client.state === wanted) resolve();
    client.onState((state) => {
      if (state === wanted) resolve();
    });
  });
}

const codeOf = (error: unknown): number | undefined => (error instanceof KeeperError ? error.code : undefined);
const failsWith = (code: number) => (error: unknown) => codeOf(error) === code;

for (const version of chosen(['3.9.4', '3.4.8'] as const, (one) => one === '3.9.4')) {
  const modern = version === '3.9.4';

  test(`the operations of Apache ZooKeeper ${version}`, async (t) => {
    const server = await startApacheZookeeper({ version, dataDir: tempDir() });
    t.after(() => server.stop());
    const client = connect(t, { connect: server.connect });
    await client.connected({ timeoutMs: PATIENCE_MS });

    assert.equal(await client.create('/a', 'one'), '/a');
    assert.equal(await client.create('/a/n-', null, { mode: CreateMode.PERSISTENT_SEQUENTIAL }), '/a/n-0000000000');
    const { data, stat } = await client.getData('/a');
    assert.equal(data?.toString(), 'one');
    assert.equal(stat.numChildren, 1);
    assert.equal((await client.getData('/a/n-0000000000')).data, null);
    assert.equal((await client.setData('/a', new Uint8Array([1, 2]), 0)).version, 1);
    await assert.rejects(client.setData('/a', '', 7), failsWith(ErrorCode.BADVERSION));
    assert.equal(await client.exists('/none'), undefined);
    await assert.rejects(client.getData('/none'), {
      name: 'NoNode',
      message: 'KeeperErrorCode = NoNode for /none',
    });
    assert.deepEqual(await client.getChildren('/a'), ['n-0000000000']);
    assert.equal((await client.getChildrenWithStat('/a')).stat.cversion, 1);
    await client.sync('/a');

    await client.addAuth('digest', 'user:pass');
    await client.create('/secret', 'x', { acl: CREATOR_ALL_ACL });
    assert.deepEqual((await client.getACL('/secret')).acl, [
      { perms: 31, id: { scheme: 'digest', id: 'user:smGaoVKd/cQkjm7b88GyorAUz20=' } },
    ]);
    const stranger = connect(t, { connect: server.connect });
    await assert.rejects(stranger.getData('/secret'), failsWith(ErrorCode.NOAUTH));
    const friend = connect(t, { connect: server.connect, auth: [{ scheme: 'digest', auth: 'user:pass' }] });
    assert.equal((await friend.getData('/secret')).data?.toString(), 'x');
    assert.equal((await friend.setACL('/secret', OPEN_ACL_UNSAFE, 0)).aversion, 1);
    assert.equal((await stranger.getData('/secret')).data?.toString(), 'x');

    await client.create('/e', null, { mode: CreateMode.EPHEMERAL });
    assert.equal((await client.exists('/e'))?.ephemeralOwner, client.sessionId);
    await ensurePath(client, '/deep/er/still');
    assert.equal(await deleteRecursive(client, '/deep'), true);
    assert.equal(await client.exists('/deep'), undefined);
    await client.delete('/a/n-0000000000');
    await client.delete('/a', 1);

    if (modern) {
      const made = await client.createWithStat('/container', null, { mode: CreateMode.CONTAINER });
      assert.equal(made.stat.czxid, client.lastZxid);
      assert.deepEqual(await client.getEphemerals(), ['/e']);
      assert.equal(await client.getAllChildrenNumber('/zookeeper'), 2);
      const who = await client.whoAmI();
      assert.deepEqual(who.map(({ authScheme, user }) => `${authScheme} ${user}`).sort(), [
        'digest user',
        'ip 127.0.0.1',
      ]);
    }
  });

  test(`multi on Apache ZooKeeper ${version}`, async (t) => {
    const server = await startApacheZookeeper({ version, dataDir: tempDir() });
    t.after(() => server.stop());
    const client = connect(t, { connect: `${server.connect}/app` });
    const root = connect(t, { connect: server.connect });
    await root.create('/app');

    const results = await client.multi([
      { kind: 'create', path: '/m', data: 'v' },
      { kind: 'check', path: '/m', version: 0 },
      { kind: 'setData', path: '/m', data: 'w', version: 0 },
      { kind: 'create', path: '/s-', mode: CreateMode.EPHEMERAL_SEQUENTIAL },
      { kind: 'delete', path: '/m', version: 1 },
    ]);
    assert.deepEqual(
      results.map((result) => result.kind),
      ['create', 'check', 'setData', 'create', 'delete'],
    );
    assert.deepEqual(results[0], { kind: 'create', path: '/m' });
    assert.deepEqual(results[3], { kind: 'create', path: '/s-0000000001' });
    assert.deepEqual(await root.getChildren('/app'), ['s-0000000001']);

    await root.create('/app/v');
    const failure = await client
      .multi([
        { kind: 'create', path: '/never' },
        { kind: 'check', path: '/v', version: 3 },
        { kind: 'delete', path: '/v' },
      ])
      .catch((error: unknown) => error);
    assert.ok(failure instanceof MultiError);
    assert.deepEqual(failure.codes, [0, ErrorCode.BADVERSION, ErrorCode.RUNTIMEINCONSISTENCY]);
    assert.equal(failure.code, ErrorCode.BADVERSION);
    assert.equal(failure.path, '/v');
    assert.equal(await client.exists('/never'), undefined);
    assert.deepEqual(await client.multi([]), []);
  });

  test(`a change made while the client was cut off from Apache ZooKeeper ${version} is told by its watch`, async (t) => {
    const server = await startApacheZookeeper({ version, dataDir: tempDir() });
    t.after(() => server.stop());
    const proxy = await startCuttableProxy(server.port);
    t.after(() => proxy.close());
    const other = connect(t, { connect: server.connect });
    await other.create('/app');
    for (const name of ['data', 'gone', 'parent', 'quiet']) await other.create(`/app/${name}`);
    const client = connect(t, { connect: `${proxy.connect}/app` });
    const [data, exist, gone, parent, quiet] = [nextEvent(), nextEvent(), nextEvent(), nextEvent(), nextEvent()];
    await client.getData('/data', { watch: data.watch });
    await client.exists('/new', { watch: exist.watch });
    await client.exists('/gone', { watch: gone.watch });
    await client.getChildren('/parent', { watch: parent.watch });
    await client.getData('/quiet', { watch: quiet.watch });
    const { sessionId } = client;

    proxy.cut();
    await stateOf(client, 'disconnected');
    const waiting = client.getData('/data');
    await other.setData('/app/data', 'changed');
    await other.create('/app/new');
    await other.delete('/app/gone');
    await other.create('/app/parent/child');
    proxy.mend();

    const told = (await Promise.all([data.event, exist.event, gone.event, parent.event])).map(
      ({ type, path }) => `${type} ${path}`,
    );
    assert.deepEqual(told, [
      'NodeDataChanged /data',
      'NodeCreated /new',
      'NodeDeleted /gone',
      'NodeChildrenChanged /parent',
    ]);
    assert.equal((await waiting).data?.toString(), 'changed');
    assert.equal(client.sessionId, sessionId);
    await other.setData('/app/quiet', 'now');
    assert.equal((await quiet.event).type, 'NodeDataChanged');
  });

  test(`a session and its ephemeral node outlive a restart of Apache ZooKeeper ${version}`, async (t) => {
    const dataDir = tempDir();
    let server = await startApacheZookeeper({ version, dataDir });
    t.after(() => server.stop());
    const client = connect(t, { connect: server.connect });
    await client.create('/mine', null, { mode: CreateMode.EPHEMERAL });
    const { watch, event } = nextEvent();
    await client.exists('/later', { watch });
    const { sessionId } = client;

    await server.kill();
    await stateOf(client, 'disconnected');
    server = await startApacheZookeeper({ version, dataDir, port: server.port });
    await client.connected();
    assert.equal(client.sessionId, sessionId);
    assert.equal((await client.exists('/mine'))?.ephemeralOwner, sessionId);
    await client.create('/later');
    assert.deepEqual({ type: 'NodeCreated', path: '/later' }, { type: (await event).type, path: (await event).path });
  });

  test(`a session that Apache ZooKeeper ${version} gave up is over`, async (t) => {
    const server = await startApacheZookeeper({ version, dataDir: tempDir(), config: { tickTime: 200 } });
    t.after(() => server.stop());
    const proxy = await startCuttableProxy(server.port);
    t.after(() => proxy.close());
    const client = connect(t, { connect: proxy.connect, sessionTimeoutMs: 4000 });
    await client.create('/mine', null, { mode: CreateMode.EPHEMERAL });
    const other = connect(t, { connect: server.connect });
    const { watch, event } = nextEvent();
    await other.exists('/mine', { watch });
    const expired = stateOf(client, 'expired');
    proxy.cut();
    assert.equal((await event).type, 'NodeDeleted');
    proxy.mend();
    await expired;
    await assert.rejects(client.getData('/'), failsWith(ErrorCode.SESSIONEXPIRED));
  });

  test(`transactions, aborted requests and a resumed session on Apache ZooKeeper ${version}`, async (t) => {
    const server = await startApacheZookeeper({ version, dataDir: tempDir() });
    t.after(() => server.stop());
    const client = connect(t, { connect: server.connect });

    const [created, changed] = await client.transaction().create('/t', 'one').setData('/t', 'two', 0).commit();
    assert.equal(created.path, '/t');
    assert.equal(changed.stat.version, 1);
    const failure: unknown = await client
      .transaction()
      .delete('/t', 1)
      .check('/none', 0)
      .commit()
      .catch((error: unknown) => error);
    assert.ok(failure instanceof MultiError && isKeeperError(failure, 'NONODE'));
    assert.equal(failure.path, '/none');

    // every second one of many is given up after it was sent: the others' replies are not mixed up
    await Promise.all(Array.from({ length: 50 }, (_, index) => client.create(`/n${index}`, String(index))));
    const abort = new AbortController();
    const reads = Array.from({ length: 50 }, (_, index) =>
      client.getData(`/n${index}`, index % 2 === 0 ? { signal: abort.signal } : {}),
    );
    await Promise.resolve().then(() => undefined); // the requests are written at the end of this turn
    abort.abort();
    for (const [index, outcome] of (await Promise.allSettled(reads)).entries()) {
      if (outcome.status === 'fulfilled') assert.equal(outcome.value.data?.toString(), String(index));
      else assert.ok(index % 2 === 0 && outcome.reason instanceof AbortError && outcome.reason.sent);
    }
    assert.equal((await client.getData('/n7')).data?.toString(), '7');

    const proxy = await startCuttableProxy(server.port);
    t.after(() => proxy.close());
    const owner = connect(t, { connect: proxy.connect });
    await owner.create('/mine', null, { mode: CreateMode.EPHEMERAL });
    const { session } = owner;
    assert.ok(session !== undefined);
    proxy.cut(); // it would come back, and take its session from the successor again
    const successor = connect(t, { connect: server.connect, session });
    assert.equal((await successor.exists('/mine'))?.ephemeralOwner, session.id);
    assert.equal(successor.sessionId, session.id);
    const wrong = connect(t, { connect: server.connect, session: { ...session, password: new Uint8Array(16) } });
    await assert.rejects(wrong.connected({ timeoutMs: PATIENCE_MS }), failsWith(ErrorCode.SESSIONEXPIRED));
  });

  test(`a node of Apache ZooKeeper ${version} is followed across a lost connection`, async (t) => {
    const server = await startApacheZookeeper({ version, dataDir: tempDir() });
    t.after(() => server.stop());
    const proxy = await startCuttableProxy(server.port);
    t.after(() => proxy.close());
    const other = connect(t, { connect: server.connect });
    const client = connect(t, { connect: proxy.connect });
    const values = client.follow('/f');
    const next = async (): Promise<string | undefined> => (await values.next()).value?.data?.toString();
    assert.equal(await next(), undefined);
    await other.create('/f', 'one');
    assert.equal(await next(), 'one');
    proxy.cut();
    await stateOf(client, 'disconnected');
    await other.setData('/f', 'two');
    await other.setData('/f', 'three');
    proxy.mend();
    assert.equal(await next(), 'three');
    await other.delete('/f');
    assert.equal(await next(), undefined);
    await values.return();

    const once = client.watch('/g', { mode: 'once' });
    await client.sync();
    await other.create('/g');
    assert.equal((await once.next()).value?.type, 'NodeCreated');
    assert.equal((await once.next()).done, true);
    assert.deepEqual(await client.getChildren('/'), await other.getChildren('/'));
  });
}

test('an idle session stays alive by its pings', async (t) => {
  const server = await startApacheZookeeper({ version: '3.9.4', dataDir: tempDir(), config: { tickTime: 100 } });
  t.after(() => server.kill()); // with ticks so short Apache's sometimes takes half a minute to stop
  const other = connect(t, { connect: server.connect });
  const client = connect(t, { connect: server.connect, sessionTimeoutMs: 2000 });
  const states: string[] = [];
  client.onState((state) => states.push(state));
  await client.create('/mine', null, { mode: CreateMode.EPHEMERAL });
  // longer than any session without pings, told by the server's own clock
  const begun = (await other.createWithStat('/begin')).stat.ctime;
  await until('the server’s clock to go on', async () => {
    const { mtime } = await other.setData('/begin', null);
    return mtime > begun + 2500 || undefined;
  });
  assert.equal((await client.exists('/mine'))?.ephemeralOwner, client.sessionId);
  assert.deepEqual(states, ['connected']);
});

test('persistent and recursive watches of Apache ZooKeeper 3.9.4 stay, across a lost connection too', async (t) => {
  const server = await startApacheZookeeper({ version: '3.9.4', dataDir: tempDir() });
  t.after(() => server.stop());
  const proxy = await startCuttableProxy(server.port);
  t.after(() => proxy.close());
  const other = connect(t, { connect: server.connect });
  await other.create('/app');
  const client = connect(t, { connect: `${proxy.connect}/app` });
  const told: string[] = [];
  await client.addWatch('/', (event) => told.push(`${event.type} ${event.path}`), { recursive: true });
  await other.create('/app/one');
  await client.sync();
  proxy.cut();
  await stateOf(client, 'disconnected');
  proxy.mend();
  await client.sync(); // behind the setWatches2 of the new connection
  await other.create('/app/one/two');
  await client.sync();
  await client.removeWatches('/', 'PersistentRecursive');
  await other.delete('/app/one/two');
  await client.sync();
  assert.deepEqual(told, ['NodeCreated /one', 'NodeCreated /one/two', 'PersistentWatchRemoved /']);
});

test('watches of Apache ZooKeeper 3.9.4 as sequences: told in order, removed at the end, there again after a loss', async (t) => {
  const server = await startApacheZookeeper({ version: '3.9.4', dataDir: tempDir() });
  t.after(() => server.stop());
  const proxy = await startCuttableProxy(server.port);
  t.after(() => proxy.close());
  const other = connect(t, { connect: server.connect });
  await other.create('/app');
  const client = connect(t, { connect: `${proxy.connect}/app` });
  const watchesAtServer = async (): Promise<string> => (await server.ask('wchs')).split('\n')[1] ?? '';

  const recursive = client.watch('/', { mode: 'recursive' });
  const abort = new AbortController();
  const persistent = client.watch('/a', { signal: abort.signal });
  await client.sync();
  await other.create('/app/a', '1');
  await other.create('/app/a/b');
  await other.setData('/app/a', '2');
  const take = async (events: WatchEvents, count: number): Promise<string[]> => {
    const texts: string[] = [];
    while (texts.length < count) {
      const { value } = await events.next();
      if (value?.type === 'None') texts.push(value.state);
      else if (value?.type !== 'Missed') texts.push(`${value?.type} ${value?.path}`);
    }
    return texts;
  };
  assert.deepEqual(await take(recursive, 3), ['NodeCreated /a', 'NodeCreated /a/b', 'NodeDataChanged /a']);
  assert.deepEqual(await take(persistent, 3), ['NodeCreated /a', 'NodeChildrenChanged /a', 'NodeDataChanged /a']);
  assert.equal(await watchesAtServer(), 'Total watches:2');

  proxy.cut();
  await stateOf(client, 'disconnected');
  proxy.mend();
  await client.sync();
  await other.setData('/app/a', '3');
  assert.deepEqual(await take(recursive, 3), ['disconnected', 'connected', 'NodeDataChanged /a']);

  abort.abort();
  await assert.rejects(persistent.next(), { name: 'AbortError' });
  await client.sync();
  assert.equal(await watchesAtServer(), 'Total watches:1');
  await recursive.return();
  await client.sync();
  assert.equal(await watchesAtServer(), 'Total watches:0');
});

test('single watchers, reads in one request, TTL nodes and the configuration of Apache ZooKeeper 3.9.4', async (t) => {
  const config = { extendedTypesEnabled: 'true' };
  const server = await startApacheZookeeper({ version: '3.9.4', dataDir: tempDir(), config });
  t.after(() => server.stop());
  const client = connect(t, { connect: server.connect });
  await client.create('/a', 'x');
  const told: string[] = [];
  const first: Watcher = ({ type }) => told.push(`first ${type}`);
  const second: Watcher = ({ type }) => told.push(`second ${type}`);
  await client.getData('/a', { watch: first });
  await client.exists('/a', { watch: second });
  await client.removeWatches('/a', 'Data', { watcher: first });
  await client.setData('/a', 'y');
  await assert.rejects(client.removeWatches('/a', 'Data', { watcher: second }), failsWith(ErrorCode.NOWATCHER));
  await client.getChildren('/a', { watch: second });
  await client.removeWatches('/a', 'Any', { watcher: second });
  assert.deepEqual(told, ['first DataWatchRemoved', 'second NodeDataChanged', 'second ChildWatchRemoved']);

  const results = await client.multiRead([
    { kind: 'getData', path: '/a' },
    { kind: 'getChildren', path: '/none' },
    { kind: 'getChildren', path: '/' },
  ]);
  assert.deepEqual(
    results.map((result) => (result.kind === 'error' ? result.error.message : result.kind)),
    ['getData', 'KeeperErrorCode = NoNode for /none', 'getChildren'],
  );
  assert.equal(results[0]?.kind === 'getData' && results[0].data?.toString(), 'y');

  for (const mode of [CreateMode.PERSISTENT_WITH_TTL, CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL]) {
    const { stat } = await client.createWithStat('/ttl-', null, { mode, ttlMs: 60_000 });
    assert.equal(stat.ephemeralOwner, 0n);
  }
  assert.equal(await client.create('/c', null, { mode: CreateMode.CONTAINER }), '/c');
  await assert.rejects(client.reconfigure({ leaving: '7' }), failsWith(ErrorCode.RECONFIGDISABLED));
  assert.equal((await client.getConfig()).data?.length ?? 0, 0);
  await assert.rejects(client.setData('/a', 'z', 9), {
    name: 'BadVersion',
    message: 'KeeperErrorCode = BadVersion for /a',
  });
});

test('a request that Apache ZooKeeper does not answer in time fails, and the client goes on', async (t) => {
  const server = await startApacheZookeeper({ version: '3.9.4', dataDir: tempDir() });
  t.after(() => server.stop());
  const patient = connect(t, { connect: server.connect });
  await patient.create('/a', 'x');
  const client = connect(t, { connect: server.connect, requestTimeoutMs: 1000 });
  await client.connected();
  server.suspend();
  const outcome = client.getData('/a').catch((error: unknown) => error);
  assert.ok(isKeeperError(await outcome, 'REQUESTTIMEOUT'));
  server.resume();
  await client.connected();
  const answer = await until('an answer in time', () => client.getData('/a').catch(() => undefined));
  assert.equal(answer.data?.toString(), 'x');
});

test('a session that began at a read-only server of Apache ZooKeeper 3.9.4 is replaced where writes are possible', async (t) => {
  const ports = await freePorts(6);
  const config: Record<string, string | number> = { tickTime: 500, initLimit: 20, syncLimit: 20 };
  config.localSessionsEnabled = 'true'; // without it a read-only server opens no session
  config.localSessionsUpgradingEnabled = 'true';
  for (const id of [1, 2, 3]) config[`server.${id}`] = `127.0.0.1:${ports[id - 1]}:${ports[id + 2]}`;
  const properties = { 'readonlymode.enabled': 'true' };
  const start = (myid: number) =>
    startApacheZookeeper({ version: '3.9.4', dataDir: tempDir(), config, properties, myid });
  const first = await start(1); // alone it has no quorum, and serves reads
  t.after(() => first.stop());
  assert.match(await first.ask('srvr'), /Mode: read-only/);
  const client = connect(t, { connect: first.connect, canBeReadOnly: true });
  await client.connected({ timeoutMs: PATIENCE_MS });
  assert.equal(client.state, 'connectedReadOnly');
  assert.deepEqual(await client.getChildren('/'), ['zookeeper']);
  await assert.rejects(client.create('/a'), failsWith(ErrorCode.NOTREADONLY));
  const { sessionId, session: none } = client;
  assert.equal(none, undefined);

  const others = await Promise.all([start(2), start(3)]);
  for (const server of others) t.after(() => server.stop());
  // It stays with the first, which follows by now: a local session is known to no other server.
  await stateOf(client, 'connected');
  assert.notEqual(client.sessionId, sessionId);
  assert.equal(client.session?.id, client.sessionId);
  await client.create('/a');
});
