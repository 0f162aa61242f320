import assert from 'node:assert/strict';
import test from 'node:test';
import { ClusterWorld } from './testkit/cluster-world.ts';

const LOGIN_MODULE = 'org.apache.kafka.common.security.plain.PlainLoginModule';

/** Two brokers that speak to each other by SASL; a broker's controller logs in with this password. */
function cluster(password: string, more: Readonly<Record<string, string>> = {}): ClusterWorld {
  return new ClusterWorld({
    brokers: 2,
    kafka: (host) => ({
      listeners: 'PLAINTEXT://:9092,INSIDE://:9093,CONTROL://:9094',
      'advertised.listeners': `PLAINTEXT://${host}:9092,INSIDE://${host}:9093,CONTROL://${host}:9094`,
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,INSIDE:SASL_PLAINTEXT,CONTROL:SASL_PLAINTEXT',
      'inter.broker.listener.name': 'INSIDE',
      'sasl.mechanism.inter.broker.protocol': 'PLAIN',
      'sasl.enabled.mechanisms': 'PLAIN',
      'listener.name.inside.plain.sasl.jaas.config': `${LOGIN_MODULE} required username="broker" password="${password}" user_broker="right";`,
      'listener.name.control.plain.sasl.jaas.config': `${LOGIN_MODULE} required username="controller" password="${password}" user_controller="right";`,
      ...more,
    }),
  });
}

const control = { 'control.plane.listener.name': 'CONTROL' };

for (const { name, keys } of [
  { name: 'a controller proves itself to brokers by SASL', keys: {} },
  { name: 'on its own listener with the login of that one', keys: control },
] as const) {
  test(name, async () => {
    const world = await cluster('right', keys).start();
    await world.createTopic('t', [[1]]);
    await world.until('the other broker leads', async () => (await world.leaderOf(1, 't', 0)) === 1);
    assert.equal(await world.produce(1, 't', 'x'), 0);
  });

  test(`${name}, or is not heard`, async () => {
    const world = cluster('wrong', keys);
    await world.zookeeper.start();
    await world.broker(0).start();
    await assert.rejects(world.broker(1).start(), /did not settle/, 'nobody tells the other broker of itself');
    assert.ok(world.logLines.some((line) => /did not answer the controller.*Invalid username or password/.test(line)));
    const listener = keys === control ? 'CONTROL' : 'INSIDE';
    assert.ok(world.logLines.some((line) => line.includes('Failed authentication') && line.includes(listener)));
  });
}

const OAUTH_MODULE = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule';

/** Who believes tokens that demand nothing, and who makes them. */
function oauthCluster(scope: string): ClusterWorld {
  const options = `unsecuredLoginStringClaim_sub="broker" unsecuredLoginStringClaim_scope="${scope}" unsecuredValidatorRequiredScope="cluster"`;
  return cluster('', {
    'sasl.mechanism.inter.broker.protocol': 'OAUTHBEARER',
    'sasl.enabled.mechanisms': 'OAUTHBEARER',
    'listener.name.inside.oauthbearer.sasl.jaas.config': `${OAUTH_MODULE} required ${options};`,
    'listener.name.control.oauthbearer.sasl.jaas.config': `${OAUTH_MODULE} required;`,
  });
}

test('a controller proves itself by a token', async () => {
  const world = await oauthCluster('cluster').start();
  await world.createTopic('t', [[1]]);
  await world.until('the other broker leads', async () => (await world.leaderOf(1, 't', 0)) === 1);
  assert.equal(await world.produce(1, 't', 'x'), 0);
});

test('a controller whose token lacks the scope is not heard', async () => {
  const world = oauthCluster('other');
  await world.zookeeper.start();
  await world.broker(0).start();
  await assert.rejects(world.broker(1).start(), /did not settle/, 'nobody tells the other broker of itself');
  assert.ok(world.logLines.some((line) => /did not answer the controller.*insufficient_scope/.test(line)));
});
