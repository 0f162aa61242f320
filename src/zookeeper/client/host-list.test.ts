import assert from 'node:assert/strict';
import test from 'node:test';
import { Simulation } from '../../runtime/sim/simulation.ts';
import { HostList } from './host-list.ts';

const named = (count: number, from = 1) =>
  Array.from({ length: count }, (_, index) => ({ host: `h${from + index}`, port: 2181 }));
const CLIENTS = 3000;

/** How many of so many clients, spread evenly, are at which server after the list has changed. */
async function spread(before: number, after: ReturnType<typeof named>): Promise<Map<string, number>> {
  const sim = new Simulation({ seed: 5 });
  for (let host = 1; host <= 12; host += 1) sim.machine(`h${host}`);
  const { network, random } = sim.machine('clients').runtime;
  const counts = new Map<string, number>();
  for (let client = 0; client < CLIENTS; client += 1) {
    const list = new HostList(named(before), network, random);
    const present = await sim.complete(list.next());
    assert.ok(present !== undefined);
    list.connected();
    const next = list.update(after, present) ? await sim.complete(list.next()) : present;
    const { host } = (next as typeof present).server;
    counts.set(host, (counts.get(host) ?? 0) + 1);
  }
  return counts;
}

for (const { name, before, after } of [
  { name: 'servers are added', before: 3, after: named(5) },
  { name: 'servers go', before: 5, after: named(3) },
  { name: 'one is exchanged', before: 3, after: named(3, 2) },
  { name: 'some are exchanged and one goes', before: 5, after: named(4, 3) },
  { name: 'all are others', before: 3, after: named(3, 4) },
]) {
  test(`clients are spread evenly when ${name}`, async () => {
    const counts = await spread(before, after);
    const each = CLIENTS / after.length;
    assert.deepEqual([...counts.keys()].sort(), after.map(({ host }) => host).sort());
    for (const [host, count] of counts) assert.ok(Math.abs(count - each) < each * 0.12, `${host}: ${count} of ${each}`);
  });
}

test('after a change every server has its turn', async () => {
  const sim = new Simulation({ seed: 6 });
  for (let host = 1; host <= 4; host += 1) sim.machine(`h${host}`);
  const { network, random } = sim.machine('client').runtime;
  const list = new HostList(named(2), network, random);
  const present = await sim.complete(list.next());
  list.update(named(3, 2), present);
  const tried: (string | undefined)[] = [];
  for (let turn = 0; turn < 3; turn += 1) tried.push((await sim.complete(list.next()))?.server.host);
  assert.deepEqual(tried.sort(), ['h2', 'h3', 'h4']);
  assert.ok(list.roundIsOver);
});
