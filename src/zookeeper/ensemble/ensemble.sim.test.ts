import assert from 'node:assert/strict';
import test from 'node:test';
import { CreateMode } from '../jute/create-mode.ts';
import { EnsembleWorld } from './testkit/ensemble.ts';

const onLog = process.env.SIM_LOG === undefined ? undefined : (line: string) => console.log(line);

test('three members elect, and a write of one is read at all', async () => {
  const world = new EnsembleWorld({ onLog });
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

test('a session goes on at another member, with its ephemeral nodes and watches', async () => {
  const world = new EnsembleWorld({ onLog });
  await world.start();
  await world.serving();
  const complete = <T>(promise: Promise<T>): Promise<T> => world.sim.complete(promise);
  const client = world.client([1]);
  await complete(client.create('/mine', '', { mode: CreateMode.EPHEMERAL }));
  const session = client.sessionId;
  for (const id of [2, 3, 1]) {
    const events: string[] = [];
    await complete(client.getData('/mine', { watch: ({ type }) => events.push(type) }));
    const states: string[] = [];
    client.onState((state) => states.push(state));
    client.updateServerList(`${world.member(id).machine.host}:2181`);
    await world.sim.runUntil(() => states.includes('connected'), 10_000);
    assert.equal(client.sessionId, session);
    await complete(client.setData('/mine', `at ${id}`));
    await world.sim.runUntil(() => events.length > 0, 1000);
  }
  await complete(client.close());
  const other = world.client([2]);
  assert.equal(await complete(other.exists('/mine')), undefined);
  assert.deepEqual(world.fatal, []);
});
