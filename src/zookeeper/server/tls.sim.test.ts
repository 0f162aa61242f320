import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
// biome-ignore lint/style/noRestrictedImports: golden files
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import type { ClientTlsOptions } from '../../config/client-tls.ts';
import { clientTls } from '../../config/client-tls.ts';
import { zooCfg } from '../../config/zoo-cfg.ts';
import { CREATOR_ALL_ACL } from '../client/acl.ts';
import { startZookeeper } from '../ensemble/start-zookeeper.ts';
import { KeeperError } from '../jute/errors.ts';
import type { RawClient } from './testkit/raw-client.ts';
import { ServerWorld } from './testkit/server-world.ts';

/** Made by keytool (scripts/golden/tls-stores.ts). */
const golden = (name: string): Uint8Array => readFileSync(join(import.meta.dirname, '../../../test/golden/tls', name));
const pem = (name: string): string => Buffer.from(golden(`${name}.pem`)).toString();

const files = {
  '/tls/server.jks': golden('server.jks'),
  '/tls/trust.p12': golden('trust.p12'),
  '/tls/password': Buffer.from('password\n'),
};
const stores = {
  'ssl.keyStore.location': '/tls/server.jks',
  'ssl.keyStore.passwordPath': '/tls/password',
  'ssl.trustStore.location': '/tls/trust.p12',
  'ssl.trustStore.password': 'password',
};
/** The simulated machine is no name that the certificate knows. */
const known: ClientTlsOptions = { key: pem('client'), cert: pem('client'), ca: pem('ca'), verifyHostname: false };
const anonymous: ClientTlsOptions = { ca: pem('ca'), verifyHostname: false };

const start = (config: Readonly<Record<string, string | number | boolean>> = {}): Promise<ServerWorld> =>
  ServerWorld.start({ files, config: { secureClientPort: 2281, ...stores, ...config } });

/** Connected within some seconds? */
async function reaches(world: ServerWorld, port: number, tls?: ClientTlsOptions): Promise<boolean> {
  const connect = `${world.machine.host}:${port}`;
  const client = world.client({ connect, sessionTimeoutMs: 4000, ...(tls === undefined ? {} : { tls }) });
  const isThere = await world.complete(
    client.connected({ timeoutMs: 5000 }).then(
      () => true,
      (error) => {
        assert.ok(error instanceof KeeperError);
        return false;
      },
    ),
  );
  await world.complete(client.close());
  return isThere;
}

function connectSecurely(world: ServerWorld, port = 2281): Promise<RawClient> {
  return world.connect(port, { tls: clientTls(world.clients.runtime.disk, known)('x') });
}

async function ask(world: ServerWorld, word: string, connect: Promise<RawClient>): Promise<string> {
  const client = await connect;
  client.word(word);
  await world.until(() => client.isClosed);
  return client.text;
}

test('both ports serve the same tree, each in its own way', async () => {
  const world = await start();
  const secure = world.client({ connect: `${world.machine.host}:2281`, tls: known });
  const plain = world.client();
  await world.complete(secure.create('/a', 'secret'));
  assert.equal(String((await world.complete(plain.getData('/a'))).data), 'secret');
  assert.equal(await reaches(world, 2281), false);
  assert.equal(await reaches(world, 2181, known), false);
});

test('who shows a certificate is its subject, and what is his is not for others', async () => {
  const world = await start();
  const owner = world.client({ connect: `${world.machine.host}:2281`, tls: known });
  const subject = new X509Certificate(pem('client')).subject.split('\n').reverse().join(',');
  const ids = (await world.complete(owner.whoAmI())).map(({ authScheme, user }) => `${authScheme}:${user}`);
  assert.deepEqual(ids.slice(1), [`x509:${subject}`]);
  await world.complete(owner.create('/mine', 'x', { acl: CREATOR_ALL_ACL }));
  const { acl } = await world.complete(owner.getACL('/mine'));
  assert.deepEqual(acl, [{ perms: 31, id: { scheme: 'x509', id: subject } }]);
  await assert.rejects(world.complete(world.client().getData('/mine')), { name: 'NoAuth' });
});

test('the secure port alone is enough', async () => {
  const config = { dataDir: '/data', secureClientPort: 2281, ...stores };
  const world = await start();
  const other = world.sim.machine('secure only');
  const { disk } = other.runtime;
  disk.makeDirectory('/tls');
  for (const [path, bytes] of Object.entries(files)) disk.writeFile(path, bytes);
  const server = await world.complete(startZookeeper(other.runtime, zooCfg(config)));
  assert.deepEqual([server.clientAddress.port, server.secureClientAddress?.port], [2281, 2281]);
  assert.equal(server.view.clientPort, -1);
  const client = world.client({ connect: `${other.host}:2281`, tls: known });
  await world.complete(client.create('/a'));
  await world.complete(server.close());
});

for (const { clientAuth, with: shown, without } of [
  { clientAuth: 'need', with: true, without: false },
  { clientAuth: 'want', with: true, without: true },
  { clientAuth: 'NONE', with: true, without: true },
]) {
  test(`ssl.clientAuth=${clientAuth}: with a certificate ${shown}, without one ${without}`, async () => {
    const world = await start({ 'ssl.clientAuth': clientAuth });
    assert.deepEqual([await reaches(world, 2281, known), await reaches(world, 2281, anonymous)], [shown, without]);
  });
}

test('a client of an authority that is not trusted is refused and counted', async () => {
  const world = await start({ 'ssl.trustStore.location': '/tls/server.jks' }).catch((error) => error);
  assert.match(String(world), /ssl\.trustStore\.location=\/tls\/server\.jks is refused/);
  const strict = await ServerWorld.start({
    files: { ...files, '/tls/ca.pem': golden('ca.pem') },
    config: { secureClientPort: 2281, ...stores, 'ssl.trustStore.location': '/tls/ca.pem' },
  });
  const stranger = { ...known, key: pem('stranger'), cert: pem('stranger') };
  assert.equal(await reaches(strict, 2281, stranger), false);
  const { stats } = strict.server.view;
  assert.ok(stats.unsuccessfulHandshakes > 0);
  assert.equal(stats.authFailedCount, stats.unsuccessfulHandshakes);
  assert.equal(stats.outstandingTlsHandshakes, 0);
  assert.ok(strict.logged.some((line) => line.includes('Unsuccessful handshake')));
});

test('client.portUnification lets both in by clientPort, and counts who is plain', async () => {
  const world = await start({ 'client.portUnification': true });
  assert.equal(await reaches(world, 2181), true);
  assert.equal(await reaches(world, 2181, known), true);
  assert.equal(await reaches(world, 2281), false);
  assert.equal(world.server.view.stats.nonMtlsRemoteConnections, 1);
  assert.equal(await ask(world, 'ruok', world.connect()), 'imok');
  assert.match(await ask(world, 'mntr', world.connect()), /zk_non_mtls_remote_conn_count\t3\n/);
});

test('without TLS nobody is counted as plain', async () => {
  const world = await ServerWorld.start();
  await world.open();
  assert.equal(world.server.view.stats.nonMtlsRemoteConnections, 0);
});

test('four-letter words over the secure port see the clients of that port, as in Apache', async () => {
  const world = await start();
  const plain = await world.open();
  assert.equal(await ask(world, 'ruok', connectSecurely(world)), 'imok');
  const fromSecure = await ask(world, 'cons', connectSecurely(world));
  assert.match(fromSecure, /^ \/[\d.]+:\d+\[1\]\(queued=0,recved=1,sent=0\)\n\n$/);
  const port = plain.connection.local.port;
  const fromPlain = await ask(world, 'stat', world.connect());
  assert.ok(fromPlain.includes(`:${port}[1]`));
  assert.ok(!fromSecure.includes(`:${port}[`));
  assert.match(await ask(world, 'conf', world.connect()), /^clientPort=2181\nsecureClientPort=2281\n/);
  assert.match(await ask(world, 'dump', connectSecurely(world)), /\nConnections dump:\n$/);
});

test('netty.server.outstandingHandshake.limit closes who comes when so many handshakes are under way', async () => {
  const world = await start({ 'netty.server.outstandingHandshake.limit': 1 });
  const silent = await world.connect(2281);
  await world.until(() => world.server.view.stats.outstandingTlsHandshakes === 1);
  assert.equal(await reaches(world, 2281, known), false);
  assert.ok(world.server.view.stats.tlsHandshakesExceeded > 0);
  silent.connection.destroy();
  assert.equal(await reaches(world, 2281, known), true);
});

test('ssl.handshakeDetectionTimeoutMillis ends who begins no handshake, after ten seconds by default', async () => {
  for (const [config, timeoutMs] of [
    [{}, 10_000],
    [{ 'ssl.handshakeDetectionTimeoutMillis': 300 }, 300],
  ] as const) {
    const world = await start(config);
    const silent = await world.connect(2281);
    await world.sim.runFor(timeoutMs - 100);
    assert.equal(silent.isClosed, false);
    await world.sim.runFor(200);
    assert.equal(silent.isClosed, true);
  }
});

test('client.certReload: changed stores are read again, and what cannot be used leaves the old ones', async () => {
  const world = await ServerWorld.start({
    files: { '/tls/key.pem': golden('server.pem'), '/tls/ca.pem': golden('ca.pem') },
    config: {
      secureClientPort: 2281,
      'client.certReload': true,
      'ssl.keyStore.location': '/tls/key.pem',
      'ssl.trustStore.location': '/tls/ca.pem',
    },
  });
  const { disk } = world.machine.runtime;
  const subject = async (): Promise<string> => {
    const client = await connectSecurely(world);
    const [own] = client.connection.tls?.peerCertificates ?? [];
    client.connection.destroy();
    return new X509Certificate(own!).subject;
  };
  const old = await connectSecurely(world);
  assert.match(await subject(), /CN=server/);
  disk.writeFile('/tls/key.pem', golden('renewed.pem'));
  await world.sim.runFor(1100);
  assert.match(await subject(), /CN=renewed/);
  assert.equal(old.isClosed, false);
  disk.writeFile('/tls/key.pem', Buffer.from('half a file'));
  await world.sim.runFor(1100);
  assert.match(await subject(), /CN=renewed/);
  assert.ok(world.logged.some((line) => line.includes('the old ones stay')));
  disk.writeFile('/tls/ca.pem', golden('other-ca.pem'));
  disk.writeFile('/tls/key.pem', golden('server.pem'));
  await world.sim.runFor(1100);
  assert.equal(await reaches(world, 2281, known), false);
  assert.equal(await reaches(world, 2281, { ...known, key: pem('stranger'), cert: pem('stranger') }), true);
});

test('without client.certReload the stores are read at the start alone', async () => {
  const world = await start();
  world.machine.runtime.disk.writeFile('/tls/server.jks', Buffer.from('gone'));
  await world.sim.runFor(5000);
  assert.equal(await reaches(world, 2281, known), true);
  assert.ok(!world.logged.some((line) => line.includes('the old ones stay')));
});

test('a client that checks names refuses a server with another one', async () => {
  const world = await start();
  assert.equal(await reaches(world, 2281, { ...known, verifyHostname: true }), false);
  world.sim.network.name('zookeeper.test', [world.machine.host]);
  const client = world.client({ connect: 'zookeeper.test:2281', tls: { ...known, verifyHostname: true } });
  await world.complete(client.connected());
});
