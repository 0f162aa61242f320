import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection, NetworkError } from '../network.ts';
import type { Runtime } from '../runtime.ts';
import type { SimMachine } from './sim-machine.ts';
import { Simulation } from './simulation.ts';

const port = 2181;

/** A server that answers every chunk with itself, and says what it hears. */
async function serve(sim: Simulation, runtime: Runtime, heard: string[] = []): Promise<Connection[]> {
  const accepted: Connection[] = [];
  const listening = runtime.network.listen({ host: '0.0.0.0', port }, (connection) => {
    accepted.push(connection);
    return {
      data: (chunk) => {
        heard.push(`data ${Buffer.from(chunk)}`);
        connection.write([chunk]);
      },
      closed: (reason) => heard.push(`closed ${reason?.code ?? ''}`),
    };
  });
  await sim.complete(listening);
  return accepted;
}

interface Client {
  readonly connection: Connection;
  readonly heard: string[];
}

function dial(runtime: Runtime, to: SimMachine): Client {
  const heard: string[] = [];
  const connection = runtime.network.connect(
    { host: to.name, port },
    {
      connected: () => heard.push('connected'),
      data: (chunk) => heard.push(`data ${Buffer.from(chunk)}`),
      ended: () => heard.push('ended'),
      closed: (reason?: NetworkError) => heard.push(`closed ${reason?.code ?? ''}`),
    },
  );
  return { connection, heard };
}

async function pair(seed = 1) {
  const sim = new Simulation({ seed });
  const [server, client] = [sim.machine('server'), sim.machine('client')];
  const heard: string[] = [];
  const accepted = await serve(sim, server.runtime, heard);
  const dialled = dial(client.runtime, server);
  await sim.runUntil(() => dialled.heard.includes('connected') && accepted.length === 1, 100);
  return { sim, server, client, ...dialled, accepted, serverHeard: heard };
}

function ping(connection: Connection, text = 'x'): void {
  connection.write([Buffer.from(text)]);
}

test('a partition silences both directions; after it what was sent arrives, once and in order', async () => {
  const { sim, server, client, connection, heard, serverHeard } = await pair();
  sim.network.partition(server, client);
  ping(connection, '1');
  await sim.runFor(3000);
  ping(connection, '2');
  await sim.runFor(7000);
  assert.deepEqual(serverHeard, []);
  sim.network.heal();
  ping(connection, '3'); // overtakes nothing, although its way is free
  await sim.runFor(20_000);
  assert.equal(serverHeard.join('').replaceAll('data ', ''), '123');
  assert.equal(heard.slice(1).join('').replaceAll('data ', ''), '123');
});

test('a one-way partition lets the other direction through', async () => {
  const { sim, server, client, connection, accepted, heard, serverHeard } = await pair();
  sim.network.partition(client, server, { oneWay: true });
  ping(accepted[0]!, 'from the server');
  ping(connection, 'from the client');
  await sim.runFor(5000);
  assert.equal(heard.slice(1).join('').replaceAll('data ', ''), 'from the server');
  assert.deepEqual(serverHeard, []);
});

test('a one-way partition starves the sender of acknowledgements', async () => {
  const { sim, server, client, connection, serverHeard } = await pair();
  sim.network.partition(server, client, { oneWay: true });
  const size = 4 * 1024 * 1024;
  assert.equal(connection.write([Buffer.alloc(size, 'x')]), false);
  await sim.runFor(5000);
  const received = serverHeard.reduce((sum, line) => sum + line.length - 5, 0);
  assert.ok(received > 0 && received < 1024 * 1024, `${received} received`);
  assert.ok(connection.unsentBytes > 0);
  sim.network.heal(server);
  await sim.runFor(20_000);
  assert.equal(
    serverHeard.reduce((sum, line) => sum + line.length - 5, 0),
    size,
  );
});

test('an isolated machine can reach itself only', async () => {
  const sim = new Simulation({ seed: 1 });
  const machines = ['a', 'b', 'c'].map((name) => sim.machine(name));
  const [a, b, c] = machines as [SimMachine, SimMachine, SimMachine];
  for (const machine of machines) await serve(sim, machine.runtime);
  sim.network.isolate(a);
  const dialled = [dial(a.runtime, a), dial(a.runtime, b), dial(b.runtime, a), dial(b.runtime, c)];
  await sim.runFor(500);
  assert.deepEqual(
    dialled.map(({ heard }) => heard.join()),
    ['connected', '', '', 'connected'],
  );
});

test('a connection into a partition is tried again, and times out after the seven tries of Linux', async () => {
  const sim = new Simulation({ seed: 1 });
  const [server, client] = [sim.machine('server'), sim.machine('client')];
  await serve(sim, server.runtime);
  sim.network.partition(server, client);
  const [patient, lucky] = [dial(client.runtime, server), dial(client.runtime, server)];
  lucky.connection.destroy();
  await sim.runFor(126_000);
  assert.deepEqual([patient.heard, lucky.heard], [[], ['closed ']]);
  await sim.runFor(3000);
  assert.deepEqual(patient.heard, ['closed ETIMEDOUT']);
  const third = dial(client.runtime, server);
  await sim.runFor(500);
  sim.network.heal(client, server);
  await sim.runFor(4000);
  assert.deepEqual(third.heard, ['connected']);
});

test('the kernel of a killed process ends its connections, and refuses new ones', async () => {
  const { sim, server, client, connection, heard } = await pair();
  server.crash('process');
  await sim.runFor(100);
  assert.deepEqual(heard, ['connected', 'ended']);
  ping(connection);
  await sim.runFor(100);
  assert.deepEqual(heard, ['connected', 'ended', 'closed ECONNRESET']);
  const second = dial(client.runtime, server);
  await sim.runFor(100);
  assert.deepEqual(second.heard, ['closed ECONNREFUSED']);
});

test('a killed process that had not read everything resets its peers', async () => {
  const { sim, server, connection, heard } = await pair();
  server.stall(1000);
  ping(connection);
  await sim.runFor(100);
  server.crash('process');
  await sim.runFor(100);
  assert.deepEqual(heard, ['connected', 'closed ECONNRESET']);
});

test('a machine without power is silent; its new kernel resets who still speaks, and only those', async () => {
  const { sim, server, client, connection, heard } = await pair();
  const quiet = dial(client.runtime, server);
  await sim.runFor(10);
  server.crash('power');
  ping(connection);
  await sim.runFor(60_000);
  assert.deepEqual(heard, ['connected']);
  server.restart();
  await sim.runFor(60_000);
  assert.deepEqual(heard, ['connected', 'closed ECONNRESET']);
  assert.deepEqual(quiet.heard, ['connected']);
});

test('what a machine without power had sent into a partition is gone, and so is all behind it that was still on its way', async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const { sim, server, client, connection, serverHeard } = await pair(seed);
    ping(connection, '1');
    await sim.runFor(100);
    sim.network.partition(client, server, { oneWay: true });
    ping(connection, '2');
    await sim.runFor(100);
    sim.network.slow(client, server, { extraMs: 500 });
    ping(connection, '3');
    await sim.runFor(100);
    client.crash('power');
    if (seed % 2 === 0) sim.network.heal();
    await sim.runFor(1000);
    sim.network.heal();
    await sim.runFor(5000);
    assert.deepEqual(serverHeard, ['data 1'], `seed ${seed}`);
  }
});

test('a stalled process looks open and silent; what arrived is served before a deadline that passed is judged', async () => {
  const { sim, server, client, connection, serverHeard } = await pair();
  const { clock } = server.runtime;
  clock.after(2000, () => {
    serverHeard.push('deadline');
    clock.afterPoll(() => serverHeard.push('judged'));
  });
  clock.after(2500, () => serverHeard.push('second deadline'));
  await sim.runFor(1000);
  server.stall(5000);
  ping(connection, 'p');
  const second = dial(client.runtime, server);
  await sim.runFor(4900);
  assert.deepEqual(second.heard, ['connected']);
  assert.deepEqual(serverHeard, []);
  await sim.runFor(200);
  assert.deepEqual(serverHeard, ['deadline', 'second deadline', 'data p', 'judged']);
});

test('a reset is heard by both ends', async () => {
  const { sim, connection, heard, serverHeard } = await pair();
  sim.network.reset(connection);
  await sim.runFor(10);
  assert.deepEqual([heard, serverHeard], [['connected', 'closed ECONNRESET'], ['closed ECONNRESET']]);
});

test('all connections between two machines are reset, others live', async () => {
  const { sim, server, client, heard } = await pair();
  const third = sim.machine('third');
  const other = dial(third.runtime, server);
  await sim.runFor(10);
  sim.network.resetBetween(client, server);
  await sim.runFor(10);
  assert.deepEqual([heard, other.heard], [['connected', 'closed ECONNRESET'], ['connected']]);
});

test('a paused connection learns of a reset when it writes', async () => {
  const { sim, connection, heard } = await pair();
  connection.pause();
  sim.network.reset(connection);
  await sim.runFor(1000);
  assert.deepEqual(heard, ['connected']);
  assert.equal(connection.write([Buffer.from('x')]), false);
  await sim.runFor(1);
  assert.deepEqual(heard, ['connected', 'closed EPIPE']);
});

test('a slow link takes its time for every byte, and a fast one is fast again', async () => {
  const { sim, server, client, connection, heard } = await pair();
  const answered = () => heard.slice(1).reduce((sum, line) => sum + line.length - 5, 0);
  sim.network.slow(client, server, { extraMs: 50, bytesPerMs: 10 });
  ping(connection, 'x'.repeat(1000));
  await sim.runFor(190);
  assert.ok(answered() < 1000);
  await sim.runFor(300);
  assert.equal(answered(), 1000);
  sim.network.slow(client, server, {});
  const startMs = sim.nowMs;
  ping(connection, 'x'.repeat(1000));
  await sim.runUntil(() => answered() === 2000, 1000);
  assert.ok(sim.nowMs - startMs < 100);
});

test('a stream is cut and joined anywhere, and connections overtake each other but never themselves', async () => {
  let [cuts, joins, overtakings] = [0, 0, 0];
  for (let seed = 0; seed < 20; seed += 1) {
    const sim = new Simulation({ seed });
    const [server, client] = [sim.machine('server'), sim.machine('client')];
    const heard: string[] = [];
    await serve(sim, server.runtime, heard);
    const first = dial(client.runtime, server);
    const second = dial(client.runtime, server);
    await sim.runUntil(() => first.heard.length + second.heard.length === 2, 100);
    for (let index = 0; index < 10; index += 1) {
      ping(first.connection, 'abcdefgh');
      ping(second.connection, '12345678');
    }
    await sim.runFor(200);
    const letters = heard.filter((line) => /[a-h]$/.test(line)).map((line) => line.slice(5));
    assert.equal(letters.join(''), 'abcdefgh'.repeat(10));
    cuts += letters.filter((text) => text.length % 8 !== 0).length;
    joins += letters.filter((text) => text.length > 8).length;
    if (!/[a-h]$/.test(heard[0]!)) overtakings += 1;
  }
  assert.ok(cuts > 20 && joins > 20 && overtakings > 2, `${cuts} cut, ${joins} joined, ${overtakings} overtaken`);
});

test('names resolve to what the test says, and ports bind by address', async () => {
  const { sim, server, client } = await pair();
  sim.network.name('bootstrap', [server.host, client.host]);
  assert.deepEqual(await sim.complete(client.runtime.network.resolve('bootstrap')), [server.host, client.host]);
  assert.equal(server.runtime.network.hostname, 'server');
  const local = await sim.complete(
    server.runtime.network.listen({ host: 'localhost', port: 7000 }, () => ({
      data: () => undefined,
      closed: () => undefined,
    })),
  );
  const outcomes: string[] = [];
  for (const [from, host] of [
    [server, '127.0.0.1'],
    [server, server.host],
    [client, server.host],
  ] as const) {
    from.runtime.network.connect(
      { host, port: local.address.port },
      {
        connected: () => outcomes.push('connected'),
        data: () => undefined,
        closed: (reason) => outcomes.push(String(reason?.code)),
      },
    );
    await sim.runFor(100);
  }
  assert.deepEqual(outcomes, ['connected', 'ECONNREFUSED', 'ECONNREFUSED']);
});
