import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import test from 'node:test';
import { type Log, silent } from '../runtime/log.ts';
import { nodeRuntime } from '../runtime/node/node-runtime.ts';
import { connectZookeeper, type ZookeeperClient } from '../zookeeper/client/client.ts';
import { isKeeperError } from '../zookeeper/client/index.ts';
import { NotServingError, type SimulatedEnsemble, simulateEnsemble, startTestEnsemble } from './index.ts';
import { BLOCK_SIZE, claimPorts, LOWEST_PORT } from './member-ports.ts';

const runtime = nodeRuntime({ log: silent });

test('an ensemble on free ports serves, loses its leader, serves again, and takes the lost one back', async (t) => {
  const ensemble = await startTestEnsemble({ observers: 1 });
  t.after(() => ensemble.close());
  assert.deepEqual(
    ensemble.members.map(({ id, role }) => `${id} ${role}`),
    ['1 participant', '2 participant', '3 participant', '4 observer'],
  );
  const modes = (): string[] => ensemble.members.map(({ server }) => server?.view.mode ?? 'stopped').toSorted();
  assert.deepEqual(modes(), ['follower', 'follower', 'leader', 'observer']);
  const client = connectZookeeper(runtime, { connect: ensemble.connect, sessionTimeoutMs: 10_000 });
  t.after(() => client.close());
  await client.create('/spool', 'thread');

  const lost = ensemble.leader();
  assert.ok(lost);
  await lost.stop();
  assert.equal(lost.server, undefined);
  const next = await ensemble.serving();
  assert.notEqual(next.id, lost.id);
  assert.deepEqual(modes(), ['follower', 'leader', 'observer', 'stopped']);
  await setAgain(client, '/spool', 'more thread');

  await lost.start();
  await ensemble.serving();
  assert.deepEqual(modes(), ['follower', 'follower', 'leader', 'observer']);
  const there = connectZookeeper(runtime, { connect: lost.connect, sessionTimeoutMs: 10_000 });
  t.after(() => there.close());
  await there.sync('/');
  assert.equal(String((await there.getData('/spool')).data), 'more thread');
});

test('without a quorum nobody serves, and what was kept goes with the ensemble', async (t) => {
  const components = new Set<string>();
  const log: Log = {
    ...silent,
    named: (component) => {
      components.add(component);
      return log;
    },
  };
  const ensemble = await startTestEnsemble({ participants: 2, zookeeper: { tickTime: 200 }, log });
  t.after(() => ensemble.close());
  assert.ok(components.has('zk1.zookeeper') && components.has('zk2.zookeeper'), 'lines say whose they are');
  const directory = dirname(ensemble.members[0]?.server?.view.config.dataDir ?? '');
  assert.equal(runtime.disk.list(directory).length, 2);
  await ensemble.leader()?.stop();
  await assert.rejects(ensemble.serving(100), NotServingError);
  await ensemble.close();
  assert.equal(runtime.disk.stat(directory), undefined);
});

test('ports that one member has are no other’s, though nobody listens on them', async () => {
  const first = await claimPorts(runtime, '127.0.0.1');
  const draws = [(first.clientPort - LOWEST_PORT) / BLOCK_SIZE];
  const random = { ...runtime.random, uint32: () => draws.shift() ?? runtime.random.uint32() };
  const second = await claimPorts({ ...runtime, random }, '127.0.0.1');
  assert.equal(draws.length, 0);
  assert.notEqual(second.clientPort, first.clientPort);
  await Promise.all([first.release(), second.release()]);
});

/** Loses its leader's power and a part of its network, while a client counts what was acknowledged. */
async function troubledRun(seed: number): Promise<{ ensemble: SimulatedEnsemble; acknowledged: string[] }> {
  const ensemble = simulateEnsemble({
    seed,
    observers: 1,
    onFatal: (machine, error) => assert.fail(`${machine}: ${error}`),
  });
  const { sim } = ensemble;
  await ensemble.start();
  const { clock } = ensemble.client.runtime;
  const client = connectZookeeper(ensemble.client.runtime, { connect: ensemble.connect, sessionTimeoutMs: 8000 });
  const acknowledged: string[] = [];
  let isOver = false;
  const writing = (async () => {
    for (let index = 0; !isOver; index += 1) {
      const path = `/n${index}`;
      const isDone = await client.create(path).then(
        () => true,
        (error) => {
          if (isKeeperError(error, 'CONNECTIONLOSS')) return false;
          throw error;
        },
      );
      if (isDone) acknowledged.push(path);
      await new Promise<void>((resolve) => clock.after(10, resolve));
    }
  })();
  await sim.runFor(500);
  const lost = ensemble.leader();
  assert.ok(lost);
  lost.crash('power');
  const next = await ensemble.serving();
  assert.notEqual(next, lost);
  await sim.runFor(2000);
  await lost.restart();
  await ensemble.serving();
  sim.network.isolate(next.machine);
  await sim.runUntil(() => ensemble.leader() !== undefined && ensemble.leader() !== next, 30_000);
  sim.network.heal();
  await ensemble.serving();
  const before = acknowledged.length;
  await sim.runUntil(() => acknowledged.length > before + 10, 30_000);
  isOver = true;
  await sim.complete(writing);
  await sim.complete(client.close());
  return { ensemble, acknowledged };
}

test('a simulated ensemble loses nothing acknowledged when its leader loses power, nor when all do', async () => {
  const { ensemble, acknowledged } = await troubledRun(7);
  assert.ok(acknowledged.length > 100, `${acknowledged.length} writes were acknowledged`);
  for (const member of ensemble.members.values()) member.crash('power');
  assert.equal(ensemble.leader(), undefined);
  await ensemble.start();
  for (const [id, { machine }] of ensemble.members) {
    const reader = connectZookeeper(ensemble.client.runtime, {
      connect: `${machine.host}:2181`,
      sessionTimeoutMs: 8000,
    });
    await ensemble.sim.complete(reader.sync('/'));
    const there = new Set((await ensemble.sim.complete(reader.getChildren('/'))).map((name) => `/${name}`));
    assert.deepEqual(
      acknowledged.filter((path) => !there.has(path)),
      [],
      `missing at ${id}`,
    );
    await ensemble.sim.complete(reader.close());
  }
});

test('the same seed gives a simulated ensemble the same history, another seed another', async () => {
  const hashes: string[] = [];
  for (const seed of [7, 7, 8]) hashes.push((await troubledRun(seed)).ensemble.sim.historyHash);
  assert.equal(hashes[0], hashes[1]);
  assert.notEqual(hashes[0], hashes[2]);
});

test('an ensemble has two participants or more', async () => {
  assert.throws(() => simulateEnsemble({ seed: 1, participants: 1 }), RangeError);
  await assert.rejects(startTestEnsemble({ participants: 1 }), RangeError);
});

/** As a program does that may repeat its write: the connection may break under it. */
async function setAgain(client: ZookeeperClient, path: string, value: string): Promise<void> {
  for (;;) {
    try {
      await client.setData(path, value);
      return;
    } catch (error) {
      if (!isKeeperError(error, 'CONNECTIONLOSS')) throw error;
    }
  }
}
