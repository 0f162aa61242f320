import assert from 'node:assert/strict';
import test from 'node:test';
import { zooCfg } from '../../config/zoo-cfg.ts';
import { Simulation } from '../../runtime/sim/simulation.ts';
import { testKafkaConfig } from '../../testing/index.ts';
import { startZookeeper } from '../../zookeeper/ensemble/start-zookeeper.ts';
import { openSession, ZookeeperUnavailableError } from './zookeeper-session.ts';

test('a broker opens its session by SASL where ZooKeeper serves nobody else', async () => {
  const sim = new Simulation({ seed: 3 });
  const [server, broker] = [sim.machine('zookeeper'), sim.machine('broker')];
  const providers = 'org.apache.zookeeper.server.auth';
  const users = `Server { ${providers}.DigestLoginModule required user_kafka="secret"; };`;
  server.runtime.disk.writeFile('/jaas.conf', Buffer.from(users));
  const keys = {
    dataDir: '/data',
    clientPort: 2181,
    'authProvider.1': `${providers}.SASLAuthenticationProvider`,
    sessionRequireClientSASLAuth: true,
  };
  const zookeeperConfig = zooCfg(keys, { 'java.security.auth.login.config': '/jaas.conf' });
  await sim.complete(startZookeeper(server.runtime, zookeeperConfig));
  const connect = `${server.host}:2181/kafka`;
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
