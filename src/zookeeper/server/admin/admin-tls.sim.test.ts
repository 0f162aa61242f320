import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
// biome-ignore lint/style/noRestrictedImports: golden files
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { type ClientTlsOptions, clientTls } from '../../../config/client-tls.ts';
import { askHttp, type HttpAnswer } from '../testkit/http-client.ts';
import { ServerWorld } from '../testkit/server-world.ts';

/** Made by keytool (scripts/golden/tls-stores.ts). */
const golden = (name: string): Uint8Array =>
  readFileSync(join(import.meta.dirname, '../../../../test/golden/tls', name));
const pem = (name: string): string => Buffer.from(golden(`${name}.pem`)).toString();

const files = { '/tls/server.jks': golden('server.jks'), '/tls/trust.p12': golden('trust.p12') };
const stores = {
  'ssl.quorum.keyStore.location': '/tls/server.jks',
  'ssl.quorum.keyStore.password': 'password',
  'ssl.quorum.trustStore.location': '/tls/trust.p12',
  'ssl.quorum.trustStore.password': 'password',
};
/** The simulated machine is no name that the certificate knows. */
const anonymous: ClientTlsOptions = { ca: pem('ca'), verifyHostname: false };
const known: ClientTlsOptions = { ...anonymous, key: pem('client'), cert: pem('client') };

const start = (config: Readonly<Record<string, string | number | boolean>> = {}): Promise<ServerWorld> =>
  ServerWorld.start({ files, config: { 'admin.enableServer': true, ...stores, ...config } });

function ask(
  world: ServerWorld,
  how: ClientTlsOptions | 'plain',
  { path = '/commands/ruok', headers = {} }: { path?: string; headers?: Readonly<Record<string, string>> } = {},
): Promise<HttpAnswer> {
  const { runtime } = world.clients;
  const tls = how === 'plain' ? undefined : clientTls(runtime.disk, how)('x');
  return askHttp(world.sim, runtime, { host: world.machine.host, port: 8080 }, path, { tls, headers });
}

/** Undefined where nobody answers. */
async function statusOf(world: ServerWorld, how: ClientTlsOptions | 'plain'): Promise<number | undefined> {
  const { status } = await ask(world, how);
  return Number.isNaN(status) ? undefined : status;
}

for (const { keys, plain, without, with: shown } of [
  { keys: {}, plain: 200, without: undefined, with: undefined },
  { keys: { 'admin.portUnification': true }, plain: 200, without: 200, with: 200 },
  { keys: { 'admin.forceHttps': true }, plain: undefined, without: 200, with: 200 },
  { keys: { 'admin.forceHttps': true, 'admin.portUnification': true }, plain: undefined, without: 200, with: 200 },
  { keys: { 'admin.portUnification': true, 'admin.needClientAuth': true }, plain: 200, without: undefined, with: 200 },
  { keys: { 'admin.needClientAuth': true }, plain: 200, without: undefined, with: undefined },
]) {
  test(`the AdminServer with ${JSON.stringify(keys)}: plain ${plain}, TLS ${without}, with a certificate ${shown}`, async () => {
    const world = await start(keys);
    const found = [await statusOf(world, 'plain'), await statusOf(world, anonymous), await statusOf(world, known)];
    assert.deepEqual(found, [plain, without, shown]);
  });
}

test('who comes with TLS is told to stay with it, who does not is counted', async () => {
  const world = await start({ 'admin.portUnification': true });
  const path = '/commands/monitor';
  const secured = await ask(world, anonymous, { path });
  assert.equal(secured.headers.get('strict-transport-security'), 'max-age=86400; includeSubDomains');
  assert.match(secured.body.toString(), /"insecure_admin_count" : 0,/);
  const plain = await ask(world, 'plain', { path });
  assert.equal(plain.headers.has('strict-transport-security'), false);
  assert.match(plain.body.toString(), /"insecure_admin_count" : 1,/);
});

test('a certificate says who takes a snapshot', async () => {
  const x509 = 'org.apache.zookeeper.server.auth.X509AuthenticationProvider';
  const world = await start({ 'admin.forceHttps': true, 'admin.needClientAuth': true, 'authProvider.1': x509 });
  const id = new X509Certificate(pem('client')).subject.split('\n').reverse().join(',');
  const snapshot = (scheme: string) =>
    ask(world, known, { path: '/commands/snapshot?streaming=false', headers: { Authorization: scheme } });
  await world.complete(world.client().setACL('/', [{ perms: 31, id: { scheme: 'x509', id } }]));
  assert.equal((await snapshot('digest a:b')).status, 403);
  assert.equal((await snapshot('x509')).status, 200);
});

test('the address that a proxy names counts where it may', async () => {
  for (const [trusted, status] of [
    [true, 200],
    [false, 403],
  ] as const) {
    const world = await start({ 'IPAuthenticationProvider.usexforwardedfor': trusted });
    await world.complete(world.client().setACL('/', [{ perms: 31, id: { scheme: 'ip', id: '10.9.8.7' } }]));
    const headers = { Authorization: 'ip', 'X-Forwarded-For': '10.9.8.7, 10.0.0.1' };
    assert.equal((await ask(world, 'plain', { path: '/commands/snapshot?streaming=false', headers })).status, status);
  }
});

test('stores that are of no use keep the AdminServer from starting, not the server', async () => {
  for (const [keys, reason] of [
    [{ 'ssl.quorum.keyStore.password': 'wrong' }, /ssl\.quorum\.keyStore\.location=/],
    [{ 'ssl.quorum.trustStore.location': '/tls/none.p12' }, /ssl\.quorum\.trustStore\.location=.*none\.p12/],
  ] as const) {
    const world = await start({ 'admin.forceHttps': true, ...keys });
    assert.equal(await statusOf(world, anonymous), undefined);
    const warning = world.logged.find((line) => line.includes('Problem starting AdminServer'));
    assert.match(warning ?? '', reason);
    await world.complete(world.client().create('/a'));
  }
});
