import assert from 'node:assert/strict';
import test from 'node:test';
import type { ConfigKeys } from '../../testing/test-keys.ts';
import { EnsembleWorld } from './testkit/ensemble.ts';

interface Line {
  readonly atMs: number;
  readonly text: string;
}

/** A world, and what its members say when. */
function recorded(options: ConstructorParameters<typeof EnsembleWorld>[0]): { world: EnsembleWorld; lines: Line[] } {
  const lines: Line[] = [];
  const world: EnsembleWorld = new EnsembleWorld({
    ...options,
    onLog: (text) => lines.push({ atMs: world.sim.nowMs, text }),
  });
  return { world, lines };
}

/** What a server answers to a four-letter word; empty when it closes without an answer. */
async function ask(world: EnsembleWorld, id: number, word: string): Promise<string> {
  const { runtime } = world.sim.machine(`asks ${id} for ${word}`);
  const chunks: Uint8Array[] = [];
  let isClosed = false;
  const connection = runtime.network.connect(
    { host: world.member(id).machine.host, port: 2181 },
    {
      connected: () => void connection.write([Buffer.from(word)]),
      data: (chunk) => chunks.push(chunk),
      closed: () => {
        isClosed = true;
      },
    },
  );
  await world.sim.runUntil(() => isClosed, 5000);
  return Buffer.concat(chunks).toString();
}

test('leaderServes=no: the leader has no clients, and its followers serve them', async () => {
  const { world } = recorded({ config: { leaderServes: 'no' } });
  await world.start();
  const leader = await world.serving();
  assert.match(await ask(world, leader.self, 'srvr'), /not currently serving requests/);
  assert.match(await ask(world, 1, 'srvr'), /Mode: follower/);
  const client = world.client([leader.self, 1]);
  await world.sim.complete(client.create('/a', 'x'));
  assert.deepEqual(world.fatal, []);
});

test('leader.maxTimeToWaitForEpoch: a leader whose voters look again gives up before its time is over', async () => {
  for (const { key, want } of [
    { key: 1500, want: true },
    { key: -1, want: false },
  ]) {
    const { world, lines } = recorded({
      config: { 'leader.maxTimeToWaitForEpoch': key, initLimit: 100, connectToLearnerMasterLimit: 2 },
      // elected through its election port, and not found at its peer port
      configOf: (id): ConfigKeys => (id === 3 ? {} : { 'server.3': '10.0.0.3:9999:3888' }),
    });
    await world.start();
    await world.sim.runFor(20_000);
    const quits = lines.filter(({ text }) => text.includes('Quit leading due to voter'));
    assert.equal(quits.length > 0, want);
  }
});

test('electionPortBindRetry: a port that is taken is tried again, so many times', async () => {
  for (const { key, freedAfterMs, want } of [
    { key: 3, freedAfterMs: 1500, want: 'starts' },
    { key: 1, freedAfterMs: 1500, want: 'ElectionPortError' },
    { key: 3, freedAfterMs: 10_000, want: 'ElectionPortError' },
    { key: 0, freedAfterMs: 10_000, want: 'starts' },
  ]) {
    const { world } = recorded({ config: { electionPortBindRetry: key } });
    const { runtime, host } = world.member(1).machine;
    const nobody = { data: () => undefined, closed: () => undefined };
    const other = await world.sim.complete(runtime.network.listen({ host, port: 3888 }, () => nobody));
    runtime.clock.after(freedAfterMs, () => void other.close());
    const started = world
      .member(1)
      .launch()
      .then(
        () => 'starts',
        (error) => error.name,
      );
    assert.equal(await world.sim.complete(started), want, `${key} tries, free after ${freedAfterMs} ms`);
  }
});

test('connectToLearnerMasterLimit: how long a leader is tried to be reached', async () => {
  for (const { key, want } of [
    { key: 2, want: 1000 },
    { key: 0, want: 5000 },
  ]) {
    const { world, lines } = recorded({
      config: { 'multiAddress.enabled': true, connectToLearnerMasterLimit: key },
      // at one address nobody listens, at the other one nobody is
      configOf: (id): ConfigKeys => (id === 1 ? { 'server.3': '10.0.0.3:9999:3888|10.9.9.9:2888:3889' } : {}),
    });
    const silent = world.sim.machine('silent', { host: '10.9.9.9' });
    silent.crash('power');
    await world.start();
    await world.sim.runFor(20_000);
    const end = lines.find(({ text }) => text.includes(`no connection in ${want} ms`));
    const begin = lines.findLast(
      ({ text, atMs }) => text.includes('connecting to the leader') && atMs < (end?.atMs ?? 0),
    );
    assert.ok(end !== undefined && begin !== undefined, String(key));
    assert.ok(Math.abs(end.atMs - begin.atMs - want) < 100);
  }
});

test('observers wait before they connect again, and before they look for a leader', async () => {
  for (const { key, waits } of [
    { key: 'observer.reconnectDelayMs', waits: true },
    { key: 'observer.election.DelayMs', waits: true },
    { key: '', waits: false },
  ]) {
    const delays = { 'observer.reconnectDelayMs': 0, 'observer.election.DelayMs': 0 };
    const keys = key === '' ? delays : { ...delays, [key]: 20_000 };
    const { world, lines } = recorded({ observers: 1, config: keys });
    await world.start();
    await world.serving(60_000);
    const from = lines.length;
    world.member(3).crash('process');
    await world.sim.runUntil(() => world.member(4).server?.servingMode === undefined, 10_000);
    await world.sim.runUntil(() => world.member(4).server?.servingMode === 'observer', 60_000);
    const after = lines.slice(from).filter(({ text }) => text.includes('zk4'));
    const at = (text: string): number => after.find((line) => line.text.includes(text))?.atMs ?? Number.NaN;
    const electionWait = at('INFO LOOKING') - at('the term is over');
    const connectionWait = at('connecting to the leader') - at('INFO OBSERVING');
    assert.equal(electionWait > 500, waits && key === 'observer.election.DelayMs', `${key}: ${electionWait} ms`);
    assert.equal(connectionWait > 500, waits && key === 'observer.reconnectDelayMs', `${key}: ${connectionWait} ms`);
  }
});

for (const { key, forced } of [
  { key: 'leader.maxConcurrentDiffSyncs', forced: false },
  { key: 'leader.maxConcurrentSnapSyncs', forced: true },
]) {
  test(`${key}: observers come again later, participants are never refused`, async () => {
    for (const limit of [1, 100]) {
      const { world, lines } = recorded({
        participants: 5,
        observers: 4,
        config: { [key]: limit, forceSnapshotSync: forced },
      });
      const leader = world.member(5).machine;
      for (const [id, { machine }] of world.members) {
        if (id !== 5) world.sim.network.slow(machine, leader, { extraMs: 100 });
      }
      await world.start();
      await world.serving();
      const refused = lines.filter(({ text }) => text.includes('too many learners are being synchronised'));
      assert.equal(refused.length > 0, limit === 1, String(limit));
      assert.deepEqual(
        refused.filter(({ text }) => !/server=[6-9]/.test(text)),
        [],
        'only observers',
      );
      assert.deepEqual(world.fatal, []);
    }
  });
}

test('syncEnabled=false: an observer writes no log, and asks for what it lacks after a restart', async () => {
  let syncEnabled = false;
  const { world } = recorded({ observers: 1, configOf: (id): ConfigKeys => (id === 4 ? { syncEnabled } : {}) });
  await world.start();
  await world.serving();
  const complete = <T>(promise: Promise<T>): Promise<T> => world.sim.complete(promise);
  const logs = (): string[] => {
    const { disk } = world.member(4).machine.runtime;
    return disk
      .list('/data/version-2')
      .map(({ name }) => name)
      .filter((name) => name.startsWith('log.'));
  };
  const childCount = async (): Promise<number> => {
    const client = world.client([4]);
    await complete(client.sync('/'));
    const { length } = await complete(client.getChildren('/'));
    await complete(client.close());
    return length;
  };
  const writer = world.client([1]);
  for (let turn = 0; turn < 10; turn += 1) await complete(writer.create(`/live-${turn}`));
  assert.equal(await childCount(), 11);
  assert.deepEqual(logs(), []);

  // what it misses while it is cut off comes as a difference, and is not logged either
  const others = [1, 2, 3].map((id) => world.member(id).machine);
  for (const other of others) world.sim.network.partition(world.member(4).machine, other);
  await world.sim.runUntil(() => world.member(4).server?.servingMode === undefined, 10_000);
  for (let turn = 0; turn < 10; turn += 1) await complete(writer.create(`/missed-${turn}`));
  world.sim.network.heal();
  await world.serving();
  assert.equal(await childCount(), 21);
  assert.deepEqual(logs(), []);

  world.member(4).crash('process');
  await complete(world.member(4).launch());
  await world.serving();
  assert.equal(await childCount(), 21);

  // and with a log from now on
  syncEnabled = true;
  world.member(4).crash('process');
  await complete(world.member(4).launch());
  await world.serving();
  await complete(writer.create('/logged'));
  assert.equal(await childCount(), 22);
  assert.notDeepEqual(logs(), []);
  assert.deepEqual(world.fatal, []);
});
