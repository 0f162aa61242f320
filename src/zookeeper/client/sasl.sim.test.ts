import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../jute/errors.ts';
import { ServerWorld } from '../server/testkit/server-world.ts';

const PROVIDERS = 'org.apache.zookeeper.server.auth';
const bob = { username: 'bob', password: 'secret' };

/** A server that serves nobody who has not authenticated by SASL. */
const startStrict = (): Promise<ServerWorld> =>
  ServerWorld.start({
    config: { 'authProvider.1': `${PROVIDERS}.SASLAuthenticationProvider`, sessionRequireClientSASLAuth: true },
    properties: { 'java.security.auth.login.config': '/jaas.conf' },
    files: { '/jaas.conf': `Server { ${PROVIDERS}.DigestLoginModule required user_bob="secret"; };` },
  });
const hasCode = (code: number) => (error: unknown) => (error as { code?: number }).code === code;

test('nothing is sent before SASL is done, on the first connection and on every later one', async () => {
  const world = await startStrict();
  const client = world.client({ sasl: bob, auth: [{ scheme: 'digest', auth: 'al:x' }] });
  let logins = 0;
  client.onSaslAuthenticated(() => {
    logins += 1;
  });
  const events: string[] = [];
  const acl = [{ perms: 31, id: { scheme: 'auth', id: '' } }];
  await world.complete(client.create('/mine', 'x', { acl }));
  await world.complete(client.getData('/mine', { watch: ({ path }) => void events.push(path) }));
  const schemes = async () => (await world.complete(client.whoAmI())).map(({ authScheme, user }) => authScheme + user);
  assert.deepEqual((await schemes()).slice(1), ['saslbob', 'digestal']);
  assert.equal(logins, 1);

  world.machine.crash('process');
  world.machine.restart();
  await world.startServer();
  await world.until(() => client.state === 'disconnected');
  await world.until(() => logins === 2);
  assert.deepEqual((await schemes()).slice(1), ['saslbob', 'digestal']);
  await world.complete(client.setData('/mine', 'y'));
  await world.until(() => events.length === 1);
  await world.complete(client.close());
});

test('a client that is refused is at its end, and so is what it asked', async () => {
  const world = await startStrict();
  for (const sasl of [
    { username: 'bob', password: 'guess' },
    { username: 'eve', password: 'secret' },
  ]) {
    const client = world.client({ sasl });
    await assert.rejects(world.complete(client.exists('/')), hasCode(ErrorCode.AUTHFAILED));
    assert.equal(client.state, 'authFailed');
  }
});

test('a server without SASL ends the client, as it ends Apache’s', async () => {
  const world = await ServerWorld.start();
  const client = world.client({ sasl: bob });
  await assert.rejects(world.complete(client.exists('/')), hasCode(ErrorCode.AUTHFAILED));
  assert.equal(client.state, 'authFailed');
});

test('a client without SASL hears why it is not served', async () => {
  const world = await startStrict();
  const client = world.client();
  await assert.rejects(world.complete(client.exists('/')), hasCode(ErrorCode.SESSIONCLOSEDREQUIRESASLAUTH));
  await world.complete(client.close());
});
