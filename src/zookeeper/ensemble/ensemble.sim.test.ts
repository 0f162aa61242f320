import assert from 'node:assert/strict';
import test from 'node:test';
import { EnsembleWorld } from './testkit/ensemble.ts';

test('three members elect, and a write of one is read at all', async () => {
  const world = new EnsembleWorld({ onLog: process.env['SIM_LOG'] === undefined ? undefined : (line) => console.log(line) });
  await world.start();
  const leader = await world.serving();
  assert.equal(leader.self, 3);
  const complete = <T>(promise: Promise<T>): Promise<T> => world.sim.complete(promise);
  for (const id of [1, 2, 3]) {
    const client = world.client([id]);
    await complete(client.create(`/from${id}`, `value ${id}`));
    await complete(client.setData(`/from${id}`, 'changed'));
    const { data } = await complete(client.getData(`/from${id}`));
    assert.equal(String(data), 'changed');
    await complete(client.close());
  }
  for (const id of [1, 2, 3]) {
    const client = world.client([id]);
    await complete(client.sync('/'));
    assert.deepEqual((await complete(client.getChildren('/'))).toSorted(), ['from1', 'from2', 'from3', 'zookeeper']);
    await complete(client.close());
  }
  assert.deepEqual(world.fatal, []);
});
