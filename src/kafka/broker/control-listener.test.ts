import assert from 'node:assert/strict';
import test from 'node:test';
import { ClusterWorld } from './testkit/cluster-world.ts';

/** Two brokers whose one listener is reached where it is said to be, the other nowhere. */
function cluster(reachable: 'PLAINTEXT' | 'CONTROL', more: Readonly<Record<string, string>> = {}): ClusterWorld {
  const at = (host: string, listener: string, port: number): string =>
    listener === reachable ? `${listener}://${host}:${port}` : `${listener}://${host}:1`;
  return new ClusterWorld({
    brokers: 2,
    kafka: (host) => ({
      listeners: 'PLAINTEXT://:9092,CONTROL://:9093',
      'advertised.listeners': `${at(host, 'PLAINTEXT', 9092)},${at(host, 'CONTROL', 9093)}`,
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROL:PLAINTEXT',
      ...more,
    }),
  });
}

const control = { 'control.plane.listener.name': 'control' };

test('a controller speaks to brokers on their control plane listener, where there is one', async () => {
  const world = await cluster('CONTROL', control).start();
  await world.createTopic('t', [[1]]);
  await world.until('the other broker leads', async () => (await world.leaderOf(1, 't', 0)) === 1);
  assert.equal(await world.produce(1, 't', 'x'), 0);
});

for (const { name, reachable, more } of [
  { name: 'on no other then', reachable: 'PLAINTEXT', more: control },
  { name: 'on the one between brokers otherwise', reachable: 'CONTROL', more: {} },
] as const) {
  test(name, async () => {
    const world = cluster(reachable, more);
    await world.zookeeper.start();
    await world.broker(0).start();
    await assert.rejects(world.broker(1).start(), /did not settle/, 'nobody tells the other broker of itself');
    const [line] = world.logLines.filter((each) => each.includes('a broker did not answer the controller'));
    assert.match(line ?? '', /ECONNREFUSED [\d.]+:1"/);
  });
}
