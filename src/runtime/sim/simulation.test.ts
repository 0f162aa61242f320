import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimRandom } from './sim-random.ts';
import { Simulation, SimulationError } from './simulation.ts';

/** A small world with traffic, disk work, promises and faults; answers its history. */
async function history(seed: number): Promise<string> {
  const sim = new Simulation({ seed });
  const [server, client] = [sim.machine('server'), sim.machine('client')];
  const serve = async (): Promise<void> => {
    const { network, disk, log } = server.runtime;
    disk.makeDirectory('/data');
    const file = disk.open('/data/log', { create: true });
    await network.listen({ host: '', port: 9092 }, (connection) => ({
      data: (chunk) => file.append([chunk], () => file.sync(() => connection.write([chunk]))),
      closed: (reason) => log.info('closed', { code: reason?.code }),
    }));
  };
  const send = (): void => {
    const { network, clock, random } = client.runtime;
    const connection = network.connect(
      { host: 'server', port: 9092 },
      { data: () => connection.write([random.bytes(200)]), closed: () => clock.after(100, send) },
    );
    connection.write([random.bytes(100)]);
  };
  await serve();
  send();
  await sim.runFor(100);
  server.crash('power');
  await sim.runFor(500);
  server.restart();
  await serve();
  await sim.runFor(300);
  return sim.historyHash;
}

test('one seed gives one history, another seed another', async () => {
  const hashes = new Set<string>();
  for (let seed = 0; seed < 10; seed += 1) {
    const hash = await history(seed);
    assert.equal(await history(seed), hash);
    hashes.add(hash);
  }
  assert.equal(hashes.size, 10);
});

test('a message that differs in one byte changes the history', async () => {
  const hashes: string[] = [];
  for (const text of ['same', 'sane']) {
    const sim = new Simulation({ seed: 1 });
    const { network } = sim.machine('alpha').runtime;
    const handler = { data: () => undefined, closed: () => undefined };
    await network.listen({ host: '', port: 1 }, () => handler);
    network.connect({ host: 'alpha', port: 1 }, handler).write([Buffer.from(text)]);
    await sim.runFor(10);
    hashes.push(sim.historyHash);
  }
  assert.notEqual(hashes[0], hashes[1]);
});

test('drawing more from one fork does not change another', () => {
  const one = new SimRandom('seed 1');
  const two = new SimRandom('seed 1');
  const [a, b] = [one.fork('disk'), two.fork('disk')];
  for (let index = 0; index < 100; index += 1) one.fork('network').uint32();
  two.uint32();
  assert.deepEqual([...a.bytes(32)], [...b.bytes(32)]);
  assert.notDeepEqual([...one.fork('disk').bytes(8)], [...one.fork('clock').bytes(8)]);
});

test('time jumps from event to event: years pass at once', async () => {
  const sim = new Simulation({ seed: 1 });
  const { clock } = sim.machine('alpha').runtime;
  const fired: number[] = [];
  clock.after(1000, () => fired.push(clock.monotonicMs()));
  clock.after(3e10, () => fired.push(clock.monotonicMs()));
  await sim.runFor(4e10);
  assert.deepEqual(fired, [1000, 3e10]);
  assert.equal(sim.nowMs, 4e10);
});

test('every promise settles, with all that follows from it, before the next event', async () => {
  const sim = new Simulation({ seed: 1 });
  const { clock } = sim.machine('alpha').runtime;
  const order: string[] = [];
  const chain = async (): Promise<void> => {
    for (let index = 0; index < 100; index += 1) await Promise.resolve();
    order.push('settled');
  };
  clock.after(1, () => {
    void chain();
    order.push('first');
  });
  clock.after(1, () => order.push('second'));
  await sim.runFor(2);
  assert.deepEqual(order, ['first', 'settled', 'second']);
});

test('what a callback throws fails the run, with seed, time, machine and the last events', async () => {
  const sim = new Simulation({ seed: 77 });
  const { clock, log } = sim.machine('alpha').runtime;
  const thrown = new RangeError('out of range');
  log.named('part').warn('about to break', { count: 3 });
  clock.after(5, () => {
    throw thrown;
  });
  await assert.rejects(sim.runFor(10), (error) => {
    assert.ok(error instanceof SimulationError);
    assert.equal(error.cause, thrown);
    assert.match(error.message, /^seed 77, at 5 ms: alpha: out of range\n/);
    assert.match(error.message, /alpha WARN about to break count=3 \(part\)/);
    return true;
  });
});

test('a machine may take its own fatal errors, and then the world goes on', async () => {
  const sim = new Simulation({ seed: 1 });
  const machine = sim.machine('alpha');
  const fatal: unknown[] = [];
  machine.onFatal = (error) => {
    fatal.push(error);
    machine.crash('process');
  };
  machine.runtime.clock.after(1, () => {
    throw new RangeError('broken');
  });
  machine.runtime.clock.after(2, () => assert.fail('the process is dead'));
  await sim.runFor(10);
  assert.equal(fatal.length, 1);
  assert.equal(machine.alive, false);
});

test('an invariant is checked after every event and stops the run where it breaks', async () => {
  const sim = new Simulation({ seed: 1 });
  const { clock } = sim.machine('alpha').runtime;
  let value = 0;
  for (let delayMs = 1; delayMs <= 5; delayMs += 1) {
    clock.after(delayMs, () => {
      value += 1;
    });
  }
  sim.invariant('the value stays below three', () => assert.ok(value < 3, `it is ${value}`));
  await assert.rejects(sim.runFor(10), /at 3 ms: invariant "the value stays below three": it is 3/);
});

test('complete answers for the promise, and says when it does not settle', async () => {
  const sim = new Simulation({ seed: 1 });
  const { clock } = sim.machine('alpha').runtime;
  const later = <T>(value: T) => new Promise<T>((resolve) => void clock.after(50, () => resolve(value)));
  assert.equal(await sim.complete(later('answer')), 'answer');
  const rejecting = later('x').then(() => Promise.reject(new RangeError('no')));
  await assert.rejects(sim.complete(rejecting), RangeError);
  await assert.rejects(sim.complete(later('late'), 10), /did not settle within 10 ms/);
  await assert.rejects(sim.complete(new Promise(() => undefined)), SimulationError);
  await assert.rejects(
    sim.runUntil(() => false, 10),
    SimulationError,
  );
});

test('a clock jump moves stored time and no deadline', async () => {
  const sim = new Simulation({ seed: 1, wallStartMs: 1_709_251_199_500 });
  const machine = sim.machine('alpha');
  const { clock } = machine.runtime;
  assert.equal(clock.localTime(clock.wallMs()), '2024-02-29 23:59:59,500');
  let firedMs = 0;
  clock.after(1000, () => {
    firedMs = clock.monotonicMs();
  });
  machine.clockJump(-3_600_000);
  await sim.runFor(2000);
  assert.equal(firedMs, 1000);
  assert.equal(clock.localTime(clock.wallMs()), '2024-02-29 23:00:01,500');
  assert.equal(clock.localTime(0), '1970-01-01 00:00:00,000');
  assert.equal(clock.localTime(978_224_523_004), '2000-12-31 01:02:03,004');
});

test('a restarted process has a new clock, new randomness and none of the old timers', async () => {
  const sim = new Simulation({ seed: 1 });
  const machine = sim.machine('alpha');
  const before = machine.runtime;
  const drawn = before.random.uint32();
  before.clock.after(100, () => assert.fail('a dead process'));
  await sim.runFor(50);
  machine.crash('process');
  const after = machine.restart();
  assert.equal(after.clock.monotonicMs(), 0);
  assert.notEqual(after.random.uint32(), drawn);
  await sim.runFor(200);
  assert.equal(after.clock.monotonicMs(), 200);
});

test('endless slices of work do not stop time', async () => {
  const sim = new Simulation({ seed: 1 });
  const { clock } = sim.machine('alpha').runtime;
  let slices = 0;
  const slice = (): void => {
    slices += 1;
    clock.soon(slice);
  };
  slice();
  await sim.runFor(10);
  assert.ok(slices > 100);
});
