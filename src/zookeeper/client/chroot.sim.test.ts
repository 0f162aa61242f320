/** A client below a chroot, on our server: what it asks and hears is of its own part of the tree. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { connectZookeeper } from './client.ts';
import { RecipeWorld } from './testkit/recipe-world.ts';

test('a chroot may hold a node that is called as the ensemble’s configuration', async () => {
  const world = await RecipeWorld.start(1);
  const { sim } = world;
  const whole = world.client('whole');
  const machine = world.machine('below');
  await sim.complete(whole.create('/app'));
  const client = connectZookeeper(machine.runtime, { connect: 'zk/app', sessionTimeoutMs: 4000 });
  await sim.complete(client.create('/zookeeper'));
  assert.equal(await sim.complete(client.create('/zookeeper/config', 'mine')), '/zookeeper/config');
  const data = async (path: string): Promise<string> => String((await sim.complete(whole.getData(path))).data);
  assert.equal(await data('/app/zookeeper/config'), 'mine');

  const heard: string[] = [];
  const { data: configuration } = await sim.complete(client.getConfig({ watch: () => heard.push('configuration') }));
  assert.equal(String(configuration), await data('/zookeeper/config'));
  await sim.complete(client.getData('/zookeeper/config', { watch: ({ path }) => heard.push(path) }));
  await sim.complete(client.addWatch('/', ({ path }) => heard.push(`below ${path}`), { recursive: true }));
  sim.network.resetBetween(machine, world.server); // the next connection is told all three
  await sim.runFor(2000);
  assert.equal(client.state, 'connected');
  await sim.complete(whole.setData('/app/zookeeper/config', 'changed'));
  await sim.complete(whole.create('/apple')); // no child of the chroot
  await sim.runFor(100);
  assert.deepEqual(heard.toSorted(), ['/zookeeper/config', 'below /zookeeper/config']);
});
