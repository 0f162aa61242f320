import assert from 'node:assert/strict';
import test from 'node:test';
import { isKeeperError } from '../client/index.ts';
import { EnsembleWorld } from './testkit/ensemble.ts';

test('at the end of an epoch the leader makes way for another epoch, and nothing is lost', async () => {
  const lines: string[] = [];
  const world = new EnsembleWorld({
    properties: { 'zookeeper.testingonly.initialZxid': String(0xffff_fff0) },
    onLog: (line) => lines.push(line),
  });
  await world.start();
  await world.serving();
  const complete = <T>(promise: Promise<T>): Promise<T> => world.sim.complete(promise);
  const client = world.client();
  const acknowledged: string[] = [];
  for (let turn = 0; acknowledged.length < 60; turn += 1) {
    const name = `n-${turn}`;
    try {
      await complete(client.create(`/${name}`));
      acknowledged.push(name);
    } catch (error) {
      if (!isKeeperError(error, 'CONNECTIONLOSS', 'OPERATIONTIMEOUT')) throw error;
    }
  }
  const ends = lines.filter((line) => line.includes('zxid lower 32 bits have rolled over'));
  assert.ok(ends.length >= 4, `${ends.length} epochs ended`);
  await world.serving();
  for (const id of [1, 2, 3]) {
    const reader = world.client([id]);
    await complete(reader.sync('/'));
    const children = new Set(await complete(reader.getChildren('/')));
    assert.deepEqual(
      acknowledged.filter((name) => !children.has(name)),
      [],
      `at ${id}`,
    );
  }
  assert.deepEqual(world.fatal, []);
});

test('who is told to forget what it cannot forget gets the whole history again', async () => {
  const lines: string[] = [];
  const world = new EnsembleWorld({ onLog: (line) => lines.push(line) });
  await world.start();
  assert.equal((await world.serving()).self, 3);
  const complete = <T>(promise: Promise<T>): Promise<T> => world.sim.complete(promise);
  await complete(world.client([1]).create('/kept', 'x'));

  // the leader alone has the last transactions
  const { machine } = world.member(3);
  const lone = world.client([3]);
  await complete(lone.exists('/'));
  for (const id of [1, 2]) world.sim.network.partition(machine, world.member(id).machine);
  const lost = lone.create('/lost', 'x').catch(() => undefined);
  await world.sim.runUntil(() => world.member(3).server?.servingMode === undefined, 30_000);
  await complete(lone.close().catch(() => undefined));
  void lost;
  // its next start makes a snapshot that has them, and the older ones are purged
  world.member(3).crash('process');
  await complete(world.member(3).launch());
  const { disk } = machine.runtime;
  const directory = '/data/version-2';
  const snapshots = (): string[] =>
    disk
      .list(directory)
      .map(({ name }) => name)
      .filter((name) => name.startsWith('snapshot.') && !name.endsWith('.tmp'));
  await world.sim.runUntil(() => snapshots().length > 1, 5000);
  const newest = snapshots().at(-1);
  for (const name of snapshots()) if (name !== newest) disk.remove(`${directory}/${name}`);

  // a leader that has proposed nothing yet sends no snapshot to who has too much
  await world.sim.runUntil(() => world.leader() !== undefined, 30_000);
  world.sim.network.heal();
  await world.serving(60_000);
  assert.equal(lines.filter((line) => line.includes('the log cannot be truncated')).length, 1);
  await complete(world.client([1]).create('/new', 'x'));
  const names = async (): Promise<string[]> => {
    const client = world.client([3]);
    await complete(client.sync('/'));
    return (await complete(client.getChildren('/'))).toSorted();
  };
  assert.deepEqual(await names(), ['kept', 'new', 'zookeeper']);

  // and has it on its disk
  await complete(world.client([1]).create('/after', 'x'));
  world.member(3).crash('process');
  await complete(world.member(3).launch());
  await world.serving();
  assert.deepEqual(await names(), ['after', 'kept', 'new', 'zookeeper']);
  assert.deepEqual(world.fatal, []);
});
