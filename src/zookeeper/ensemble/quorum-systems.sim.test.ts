import assert from 'node:assert/strict';
import test from 'node:test';
import { EnsembleWorld } from './testkit/ensemble.ts';

const PATIENCE_MS = 30_000;

test('groups decide, not the number of servers, and a server without weight never leads', async () => {
  const world = new EnsembleWorld({
    participants: 5,
    config: { 'group.1': '1:2:3', 'group.2': '4:5', 'weight.4': 0, 'weight.5': 0 },
  });
  await world.start();
  assert.equal((await world.serving()).self, 3);
  const complete = <T>(promise: Promise<T>): Promise<T> => world.sim.complete(promise);

  // two of five, of which the group that weighs anything has three
  for (const id of [3, 4, 5]) world.member(id).crash('process');
  await world.sim.runUntil(() => world.leader()?.self === 2, PATIENCE_MS);
  await world.serving();
  await complete(world.client([1]).create('/a'));

  // three of five, of which only one weighs anything
  for (const id of [3, 4, 5]) await complete(world.member(id).launch());
  await world.serving();
  for (const id of [1, 2]) world.member(id).crash('process');
  await world.sim.runFor(PATIENCE_MS);
  assert.deepEqual(
    [3, 4, 5].map((id) => world.member(id).server?.servingMode),
    [undefined, undefined, undefined],
  );
  assert.deepEqual(world.fatal, []);
});

class Pair {
  readonly world = new EnsembleWorld({
    participants: 2,
    config: { oraclePath: '/oracle' },
    files: { '/oracle': Buffer.from('0') },
  });

  say(id: number, answer: string): void {
    this.world.member(id).machine.runtime.disk.writeFile('/oracle', Buffer.from(answer));
  }

  mode(id: number): string | undefined {
    return this.world.member(id).server?.servingMode;
  }

  becomes(id: number, mode: string | undefined): Promise<void> {
    return this.world.sim.runUntil(() => this.mode(id) === mode, PATIENCE_MS);
  }

  complete<T>(promise: Promise<T>): Promise<T> {
    return this.world.sim.complete(promise);
  }
}

test('of two, the one that is left serves once the oracle says so, and the other follows it', async () => {
  const pair = new Pair();
  const { world } = pair;
  await world.start();
  assert.equal((await world.serving()).self, 2);
  await pair.complete(world.client().create('/a'));
  world.member(2).crash('process');
  await pair.becomes(1, undefined);
  await world.sim.runFor(PATIENCE_MS);
  assert.equal(pair.mode(1), undefined, 'alone, and the oracle silent');

  pair.say(1, '1');
  await world.sim.runUntil(() => pair.mode(1) === 'leader', 120_000);
  await pair.complete(world.client([1]).create('/alone'));

  await pair.complete(world.member(2).launch());
  await pair.becomes(2, 'follower');
  const client = world.client([2]);
  await pair.complete(client.sync('/'));
  assert.notEqual(await pair.complete(client.exists('/alone')), undefined);
  await pair.complete(client.create('/both'));

  // the follower again: what is under way then waits for the oracle alone
  const last = world.client([1]);
  await pair.complete(last.exists('/'));
  world.member(2).crash('power');
  await pair.complete(last.create('/left'));
  assert.equal(pair.mode(1), 'leader');
  assert.deepEqual(world.fatal, []);
});

test('a leader that lost its follower stops when the oracle does not speak for it', async () => {
  const pair = new Pair();
  const { world } = pair;
  await world.start();
  assert.equal((await world.serving()).self, 2);
  world.member(1).crash('process');
  await pair.becomes(2, undefined);
  await world.sim.runFor(PATIENCE_MS);
  assert.equal(pair.mode(2), undefined);
  assert.deepEqual(world.fatal, []);
});
