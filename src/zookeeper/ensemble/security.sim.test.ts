import assert from 'node:assert/strict';
// biome-ignore lint/style/noRestrictedImports: golden files
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { EnsembleWorld } from './testkit/ensemble.ts';

/** Made by openssl (scripts/golden/tls-stores.ts). */
const golden = (name: string): Uint8Array => readFileSync(join(import.meta.dirname, '../../../test/golden/tls', name));
const digest = 'org.apache.zookeeper.server.auth.DigestLoginModule required';
const jaas = (password: string): Uint8Array =>
  Buffer.from(
    `QuorumServer { ${digest} user_member="secret"; }; QuorumLearner { ${digest} username="member" password="${password}"; };`,
  );

function secured(): EnsembleWorld {
  return new EnsembleWorld({
    observers: 1,
    properties: { 'java.security.auth.login.config': '/jaas.conf' },
    files: { '/key.pem': golden('server.pem'), '/ca.pem': golden('ca.pem'), '/jaas.conf': jaas('secret') },
    config: {
      sslQuorum: true,
      'ssl.quorum.keyStore.location': '/key.pem',
      'ssl.quorum.trustStore.location': '/ca.pem',
      'quorum.auth.enableSasl': true,
      'quorum.auth.serverRequireSasl': true,
      'quorum.auth.learnerRequireSasl': true,
    },
  });
}

test('members that show their certificates and know their password serve', async () => {
  const world = secured();
  await world.start();
  await world.serving();
  const client = world.client([1]);
  await world.sim.complete(client.create('/a', 'x'));
  const other = world.client([4]);
  await world.sim.complete(other.sync('/'));
  assert.equal(String((await world.sim.complete(other.getData('/a'))).data), 'x');
  assert.deepEqual(world.fatal, []);
});

test('neither port of a member takes a connection without TLS', async () => {
  const world = secured();
  await world.start();
  const leader = await world.serving();
  const { runtime } = world.sim.machine('stranger');
  for (const port of [2888, 3888]) {
    const { host } = world.member(leader.self).machine;
    let isClosed = false;
    const connection = runtime.network.connect(
      { host, port },
      {
        connected: () => void connection.write([Uint8Array.of(0)]),
        data: () => undefined,
        closed: () => {
          isClosed = true;
        },
      },
    );
    // before any patience of the protocols is over
    await world.sim.runFor(500);
    assert.equal(isClosed, true, String(port));
  }
});

for (const { name, file, bytes } of [
  { name: 'a certificate of somebody else', file: '/key.pem', bytes: golden('stranger.pem') },
  { name: 'a wrong password', file: '/jaas.conf', bytes: jaas('guess') },
]) {
  test(`a member with ${name} stays outside, and the others serve`, async () => {
    const world = secured();
    const outsider = world.member(3);
    outsider.machine.runtime.disk.writeFile(file, bytes);
    await world.start();
    const isServing = (id: number): boolean => world.member(id).server?.servingMode !== undefined;
    await world.sim.runUntil(() => [1, 2, 4].every(isServing), 30_000);
    await world.sim.runFor(30_000);
    assert.deepEqual([1, 2, 3, 4].map(isServing), [true, true, false, true]);
    assert.equal(world.leader()?.self, 2);
    assert.deepEqual(world.fatal, []);
  });
}
