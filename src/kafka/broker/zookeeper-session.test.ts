import assert from 'node:assert/strict';
import test from 'node:test';
import { zooCfg } from '../../config/zoo-cfg.ts';
import type { SimMachine } from '../../runtime/sim/sim-machine.ts';
import { Simulation } from '../../runtime/sim/simulation.ts';
import { testKafkaConfig } from '../../testing/index.ts';
import { startZookeeper } from '../../zookeeper/ensemble/start-zookeeper.ts';
import { openSession, ZookeeperUnavailableError } from './zookeeper-session.ts';

interface World {
  readonly sim: Simulation;
  readonly broker: SimMachine;
  readonly connect: string;
}

/** A ZooKeeper that knows the user kafka. */
async function start(keys: Readonly<Record<string, string | number | boolean>> = {}): Promise<World> {
  const sim = new Simulation({ seed: 3 });
  const [server, broker] = [sim.machine('zookeeper'), sim.machine('broker')];
  const providers = 'org.apache.zookeeper.server.auth';
  const users = `Server { ${providers}.DigestLoginModule required user_kafka="secret"; };`;
  server.runtime.disk.writeFile('/jaas.conf', Buffer.from(users));
  const provider = { 'authProvider.1': `${providers}.SASLAuthenticationProvider` };
  const zookeeperConfig = zooCfg(
    { dataDir: '/data', clientPort: 2181, ...provider, ...keys },
    { 'java.security.auth.login.config': '/jaas.conf' },
  );
  await sim.complete(startZookeeper(server.runtime, zookeeperConfig));
  return { sim, broker, connect: `${server.host}:2181/kafka` };
}

test('a broker opens its session by SASL where ZooKeeper serves nobody else', async () => {
  const { sim, broker, connect } = await start({ sessionRequireClientSASLAuth: true });
  const config = testKafkaConfig('/kafka', connect, `PLAINTEXT://${broker.host}:9092`, {});
  const open = (sasl?: { username: string; password: string }) =>
    sim.complete(openSession(broker.runtime, config, sasl));

  await assert.rejects(open(), {
    message: 'KeeperErrorCode = Session closed because client failed to authenticate for /kafka',
  });
  await assert.rejects(open({ username: 'kafka', password: 'guess' }), ZookeeperUnavailableError);
  const client = await open({ username: 'kafka', password: 'secret' });
  assert.deepEqual(await sim.complete(client.getChildren('/')), []);
  await sim.complete(client.close());
});

test('a chroot that a broker of a protected cluster makes belongs to the brokers', async () => {
  const { sim, broker, connect } = await start();
  const keys = { 'zookeeper.set.acl': true };
  const config = testKafkaConfig('/kafka', connect, `PLAINTEXT://${broker.host}:9092`, keys);
  const client = await sim.complete(openSession(broker.runtime, config, { username: 'kafka', password: 'secret' }));
  const { acl } = await sim.complete(client.getACL('/'));
  assert.deepEqual(
    acl.map(({ perms, id }) => `${id.scheme}:${id.id} ${perms}`),
    ['sasl:kafka 31', 'world:anyone 1'],
  );
  await sim.complete(client.close());
});

const STORE = { 'zookeeper.ssl.keystore.location': '/k.jks' };
const strangers: readonly Readonly<Record<string, string>>[] = [{}, STORE, { 'zookeeper.ssl.client.enable': 'true' }];
for (const keys of strangers) {
  test(`znodes are not to be protected for a broker without a name: ${JSON.stringify(keys)}`, async () => {
    const broker = new Simulation({ seed: 3 }).machine('broker');
    const all = { 'zookeeper.set.acl': true, ...keys };
    const config = testKafkaConfig('/kafka', 'nowhere:2181', `PLAINTEXT://${broker.host}:9092`, all);
    await assert.rejects(
      openSession(broker.runtime, config),
      /^ConfigError: zookeeper\.set\.acl=true is refused: .*JAAS/,
    );
  });
}
