import assert from 'node:assert/strict';
import test from 'node:test';
import { SimRandom } from '../../../runtime/sim/sim-random.ts';
import { Reader } from '../../../wire/reader.ts';
import { ErrorCode } from '../../jute/errors.ts';
import { OpCode, Xid } from '../../jute/op-codes.ts';
import { AuthPacket, GetSASLRequest, SetSASLResponse, WhoAmIResponse } from '../../jute/proto.ts';
import { DigestMd5Client } from '../../sasl/digest-md5-client.ts';
import type { RawClient, RawReply } from '../testkit/raw-client.ts';
import { create, getData, setData } from '../testkit/requests.ts';
import { ServerWorld, type ServerWorldOptions } from '../testkit/server-world.ts';

const PROVIDERS = 'org.apache.zookeeper.server.auth';
const SASL = { 'authProvider.1': `${PROVIDERS}.SASLAuthenticationProvider` };
const jaas = (users: string, module = `${PROVIDERS}.DigestLoginModule`) => `Server { ${module} required ${users}; };`;

function start(options: ServerWorldOptions & { readonly jaas?: string } = {}): Promise<ServerWorld> {
  return ServerWorld.start({
    ...options,
    config: { ...SASL, ...options.config },
    properties: { 'java.security.auth.login.config': '/jaas.conf', ...options.properties },
    files: { '/jaas.conf': options.jaas ?? jaas('user_bob="secret" user_super="root"') },
  });
}

async function sendToken(world: ServerWorld, client: RawClient, token: Uint8Array): Promise<RawReply> {
  const xid = client.send(OpCode.sasl, (to) => GetSASLRequest.write(to, { token }));
  await world.until(() => client.reply(xid) !== undefined);
  return client.reply(xid) as RawReply;
}

const tokenOf = ({ body }: RawReply) => SetSASLResponse.read(new Reader(body)).token;

/** Answers the server's last word. */
async function login(world: ServerWorld, client: RawClient, username: string, password: string): Promise<RawReply> {
  const sasl = new DigestMd5Client({ random: new SimRandom(username), username, password });
  const challenge = await sendToken(world, client, new Uint8Array(0));
  return sendToken(world, client, sasl.evaluate(tokenOf(challenge) ?? new Uint8Array(0)) ?? new Uint8Array(0));
}

async function idsOf(world: ServerWorld, client: RawClient): Promise<string[]> {
  const xid = client.send(OpCode.whoAmI);
  await world.until(() => client.reply(xid) !== undefined);
  const { clientInfo } = WhoAmIResponse.read(new Reader(client.reply(xid)?.body ?? new Uint8Array(0)));
  return (clientInfo ?? []).slice(1).map(({ authScheme, user }) => `${authScheme}:${user}`);
}

async function errorOf(world: ServerWorld, client: RawClient, type: number, body?: Parameters<RawClient['send']>[1]) {
  const xid = client.send(type, body);
  await world.until(() => client.reply(xid) !== undefined);
  return client.reply(xid)?.err;
}

test('a client proves its name by SASL', async () => {
  const world = await start();
  const client = await world.open();
  const last = await login(world, client, 'bob', 'secret');
  assert.equal(last.err, 0);
  assert.equal(last.zxid, 0n);
  assert.match(Buffer.from(tokenOf(last) ?? []).toString(), /^rspauth=/);
  assert.equal(world.server.view.stats.lastResponseSize, 16 + last.body.length, 'it counts as an answer');
  assert.deepEqual(await idsOf(world, client), ['sasl:bob']);
});

test('a wrong password is answered with AuthFailed and a null token, then the connection ends', async () => {
  const world = await start();
  for (const [name, password] of [
    ['bob', 'guess'],
    ['eve', 'secret'],
  ] as const) {
    const client = await world.open();
    const last = await login(world, client, name, password);
    assert.equal(last.err, ErrorCode.AUTHFAILED);
    assert.equal(Buffer.from(last.body).toString('hex'), 'ffffffff');
    await world.until(() => client.isClosed);
  }
  assert.ok(!world.logged.some((line) => line.includes('guess') || line.includes('secret')), 'no password in the log');
});

test('who failed may stay where allowSaslFailedClients says so', async () => {
  const world = await start({ config: { allowSaslFailedClients: true } });
  const client = await world.open();
  const last = await login(world, client, 'bob', 'guess');
  assert.equal(last.err, 0);
  assert.equal(tokenOf(last), null);
  assert.deepEqual(await idsOf(world, client), []);
});

test('a server without a JAAS file answers with a null token', async () => {
  const world = await ServerWorld.start();
  const client = await world.open();
  const reply = await sendToken(world, client, new Uint8Array(0));
  assert.equal(reply.err, 0);
  assert.equal(tokenOf(reply), null);
});

test('a null token closes the connection, as in Apache', async () => {
  const world = await start();
  const client = await world.open();
  client.send(OpCode.sasl, (to) => GetSASLRequest.write(to, { token: null }));
  await world.until(() => client.isClosed);
  assert.deepEqual(client.heard, []);
});

test('super users of SASL bypass every ACL', async () => {
  const world = await start({ config: { 'superUser.1': 'bob' } });
  const client = await world.open();
  assert.equal(await errorOf(world, client, OpCode.setData, setData('/zookeeper/config', 'x').body), ErrorCode.NOAUTH);
  await login(world, client, 'bob', 'secret');
  assert.deepEqual(await idsOf(world, client), ['sasl:bob', 'super:']);
  assert.equal(await errorOf(world, client, OpCode.setData, setData('/zookeeper/config', 'x').body), 0);
});

test('superPassword replaces the password of super', async () => {
  const world = await start({ config: { 'SASLAuthenticationProvider.superPassword': 'other' } });
  assert.equal((await login(world, await world.open(), 'super', 'root')).err, ErrorCode.AUTHFAILED);
  assert.equal((await login(world, await world.open(), 'super', 'other')).err, 0);
});

test('the section of the JAAS file may have another name', async () => {
  const world = await start({
    jaas: `Mine { ${PROVIDERS}.DigestLoginModule required user_alice="a"; };`,
    config: { 'sasl.serverconfig': 'Mine' },
  });
  assert.equal((await login(world, await world.open(), 'alice', 'a')).err, 0);
});

test('without its section there is no SASL, and the log says so', async () => {
  const world = await start({ jaas: 'Client { a.B required; };' });
  assert.ok(world.logged.some((line) => line.includes('no such section')));
  assert.equal(tokenOf(await sendToken(world, await world.open(), new Uint8Array(0))), null);
});

test('a server does not start on Kerberos, on a broken file, or without its file', async () => {
  await assert.rejects(start({ jaas: jaas('useKeyTab=true', 'com.sun.security.auth.module.Krb5LoginModule') }), {
    message: /asks for com\.sun\.security\.auth\.module\.Krb5LoginModule; only .*DigestLoginModule is supported/,
  });
  await assert.rejects(start({ jaas: 'Server {' }), { message: /jaas\.conf is refused: line 1/ });
  await assert.rejects(start({ properties: { 'java.security.auth.login.config': '/none' } }), {
    message: /java\.security\.auth\.login\.config=\/none is refused: the file cannot be read/,
  });
});

const enforcements: readonly { name: string; config: Record<string, string | boolean>; digestWill: boolean }[] = [
  { name: 'sessionRequireClientSASLAuth', config: { sessionRequireClientSASLAuth: true }, digestWill: false },
  {
    name: 'enforce.auth.schemes=sasl',
    config: { 'enforce.auth.enabled': true, 'enforce.auth.schemes': 'sasl' },
    digestWill: false,
  },
  {
    name: 'enforce.auth.schemes=sasl,digest',
    config: { 'enforce.auth.enabled': true, 'enforce.auth.schemes': 'sasl, digest' },
    digestWill: true,
  },
];
for (const { name, config, digestWill } of enforcements) {
  test(`${name}: who has not authenticated is served nothing`, async () => {
    const world = await start({ config });
    for (const [type, body] of [
      [OpCode.create, create('/a').body],
      [OpCode.getData, getData('/').body],
      [OpCode.ping, undefined],
      [OpCode.closeSession, undefined],
      [999, undefined],
    ] as const) {
      const client = await world.open();
      assert.equal(await errorOf(world, client, type, body), ErrorCode.SESSIONCLOSEDREQUIRESASLAUTH);
      await world.until(() => client.isClosed);
      assert.equal(client.heard.length, 1);
    }
    const bob = await world.open();
    await login(world, bob, 'bob', 'secret');
    assert.equal(await errorOf(world, bob, OpCode.create, create('/a').body), 0);

    const guest = await world.open();
    const auth = Buffer.from('guest:x');
    guest.send(OpCode.auth, (to) => AuthPacket.write(to, { type: 0, scheme: 'digest', auth }), Xid.auth);
    const err = await errorOf(world, guest, OpCode.getData, getData('/a').body);
    assert.equal(err, digestWill ? 0 : ErrorCode.SESSIONCLOSEDREQUIRESASLAUTH);
  });
}

test('where SASL is enforced a failure of it is told by its own error, whoever else may stay', async () => {
  const world = await start({ config: { sessionRequireClientSASLAuth: true, allowSaslFailedClients: true } });
  const client = await world.open();
  assert.equal((await login(world, client, 'bob', 'guess')).err, ErrorCode.SESSIONCLOSEDREQUIRESASLAUTH);
  await world.until(() => client.isClosed);
});

test('a client that looks for another ensemble is sent away without a word', async () => {
  const config = { 'authProvider.2': `${PROVIDERS}.EnsembleAuthenticationProvider`, ensembleAuthName: 'blue' };
  const world = await start({ config });
  const auth = (name: string) => (to: Parameters<typeof AuthPacket.write>[0]) =>
    AuthPacket.write(to, { type: 0, scheme: 'ensemble', auth: Buffer.from(name) });
  const [right, wrong] = [await world.open(), await world.open()];
  assert.equal(await errorOf(world, right, OpCode.auth, auth('blue')), 0);
  wrong.send(OpCode.auth, auth('red'), Xid.auth);
  await world.until(() => wrong.isClosed);
  assert.deepEqual(wrong.heard, []);
  assert.deepEqual(await idsOf(world, right), []);
});
