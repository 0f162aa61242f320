import assert from 'node:assert/strict';
import test from 'node:test';
import { Simulation } from '../../testing/index.ts';
import { InconsistentLogDirsError, identify, mark } from './log-identity.ts';

function world() {
  const sim = new Simulation({ seed: 2 });
  const machine = sim.machine('broker');
  const { runtime } = machine;
  const put = (directory: string, text: string): void => {
    runtime.disk.makeDirectory(directory);
    runtime.disk.writeFile(`${directory}/meta.properties`, Buffer.from(text));
  };
  const ask = (logDirs: string[], brokerId = -1) =>
    identify({ disk: machine.runtime.disk, logDirs, clusterId: 'C', brokerId, generateBrokerId: async () => 1001 });
  return { sim, machine, runtime, put, ask };
}

test('new directories belong to the configured broker, or to a generated one', async () => {
  const { ask } = world();
  assert.deepEqual(await ask(['/a', '/b'], 7), { brokerId: 7, unmarked: ['/a', '/b'] });
  assert.deepEqual(await ask(['/a']), { brokerId: 1001, unmarked: ['/a'] });
});

test('directories that know their broker need no configured id; a new one among them is marked', async () => {
  const { put, ask } = world();
  put('/a', 'version=0\nbroker.id=3\ncluster.id=C\n');
  assert.deepEqual(await ask(['/a', '/b']), { brokerId: 3, unmarked: ['/b'] });
  assert.deepEqual(await ask(['/a', '/b'], 3), { brokerId: 3, unmarked: ['/b'] });
});

test("another broker's directory, another cluster's, or two brokers' are refused", async () => {
  const { put, ask } = world();
  put('/a', '#\n#Mon Jan 01 00:00:00 UTC 2024\nversion=0\nbroker.id=3\ncluster.id=C\n');
  put('/b', 'version=0\nbroker.id=4\ncluster.id=C\n');
  put('/c', 'version=0\nbroker.id=3\ncluster.id=other\n');
  const refusals = [() => ask(['/a'], 4), () => ask(['/a', '/b']), () => ask(['/c']), () => ask(['/a', '/c'], 3)];
  for (const refusal of refusals) await assert.rejects(refusal, InconsistentLogDirsError);
});

test('a mark is durable, and is read again', async () => {
  const { sim, machine, runtime, ask } = world();
  runtime.disk.makeDirectory('/a');
  await sim.complete(new Promise<void>((resolve) => runtime.disk.syncDirectory('/', () => resolve())));
  await sim.complete(mark(runtime, ['/a'], { brokerId: 9, clusterId: 'C' }));
  machine.crash('power');
  machine.restart();
  assert.deepEqual(await ask(['/a']), { brokerId: 9, unmarked: [] });
});
