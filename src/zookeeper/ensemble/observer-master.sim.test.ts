import assert from 'node:assert/strict';
import test from 'node:test';
import { Simulation } from '../../runtime/sim/simulation.ts';
import { testZooCfg } from '../../testing/test-keys.ts';
import { CreateMode } from '../jute/create-mode.ts';
import type { Zxid } from '../jute/ids.ts';
import { membershipOf } from '../quorum/membership.ts';
import { readInformedActivation, writeAckEpoch, writeLearnerInfo } from '../quorum/packet-data.ts';
import { PeerLink } from '../quorum/peer-link.ts';
import { PacketType, type QuorumPacket } from '../quorum/quorum-packet.ts';
import { ProcessFigures } from '../server/process-figures.ts';
import { openDataDirectories } from './data-directories.ts';
import { Database } from './database.ts';
import type { LearnerRole } from './learner-role.ts';
import { ObserverMaster } from './observer-master.ts';
import type { TermHost } from './term.ts';
import { EnsembleWorld } from './testkit/ensemble.ts';

const config = { observerMasterPort: 2889 };

/** Three participants of which 3 leads, and observers from 4 on. */
async function observed(keys = {}, observers = 1): Promise<{ world: EnsembleWorld; lines: string[] }> {
  const lines: string[] = [];
  const world = new EnsembleWorld({ observers, config: { ...config, ...keys }, onLog: (line) => lines.push(line) });
  await world.start();
  assert.equal((await world.serving()).self, 3);
  return { world, lines };
}

/** Members that took an observer in, as their logs tell. */
function masters(lines: readonly string[]): string[] {
  const told = lines.filter((line) => /an observer has come|a learner has come.*role=observer/.test(line));
  return told.map((line) => /zk\d/.exec(line)?.[0] ?? line);
}

test('an observer takes its history and its news from a follower, not from the leader', async () => {
  const { world, lines } = await observed();
  const [master] = masters(lines);
  assert.match(master ?? '', /zk[12]/);
  const complete = <T>(promise: Promise<T>): Promise<T> => world.sim.complete(promise);
  const [writer, client] = [world.client([3]), world.client([4])];
  for (let turn = 0; turn < 20; turn += 1) {
    await complete(writer.create(`/from-leader-${turn}`, 'x'));
    await complete(client.create(`/from-observer-${turn}`, 'y'));
    await complete(client.sync('/'));
    assert.equal(String((await complete(client.getData(`/from-leader-${turn}`))).data), 'x');
  }
  const events: string[] = [];
  await complete(client.getData('/from-leader-0', { watch: ({ type }) => events.push(type) }));
  await complete(writer.setData('/from-leader-0', 'changed'));
  await world.sim.runUntil(() => events.length > 0, 1000);
  await world.sim.runFor(20_000);
  assert.deepEqual(masters(lines), [master], 'one connection, kept alive by pings');
  assert.deepEqual(world.fatal, []);
});

test('sessions at such an observer live as long as their clients, move to it, and end with them', async () => {
  const { world } = await observed();
  const complete = <T>(promise: Promise<T>): Promise<T> => world.sim.complete(promise);
  const watcher = world.client([3]);
  const client = world.client([4]);
  await complete(client.create('/mine', '', { mode: CreateMode.EPHEMERAL }));
  // the leader hears of it by way of the follower
  await world.sim.runFor(30_000);
  assert.notEqual(await complete(watcher.exists('/mine')), undefined);
  const session = client.sessionId;
  for (const id of [1, 4]) {
    const states: string[] = [];
    client.onState((state) => states.push(state));
    client.updateServerList(`${world.member(id).machine.host}:2181`);
    await world.sim.runUntil(() => states.includes('connected'), 10_000);
    assert.equal(client.sessionId, session);
    await complete(client.setData('/mine', `at ${id}`));
  }
  await complete(client.close());
  assert.equal(await complete(watcher.exists('/mine')), undefined);
  assert.deepEqual(world.fatal, []);
});

test('an observer that was away catches up from a follower, by difference and by snapshot', async () => {
  for (const forceSnapshotSync of [false, true]) {
    const { world, lines } = await observed({ forceSnapshotSync });
    const complete = <T>(promise: Promise<T>): Promise<T> => world.sim.complete(promise);
    const writer = world.client([1]);
    await complete(writer.create('/before', 'x'));
    world.member(4).crash('process');
    await complete(writer.create('/meanwhile', 'x'));
    // while it comes back others write
    const back = world.member(4).launch();
    for (let turn = 0; turn < 40; turn += 1) {
      await complete(writer.create(`/then-${turn}`, 'x'));
      await world.sim.runFor(20);
    }
    await complete(back);
    await world.serving();
    const client = world.client([4]);
    await complete(client.sync('/'));
    assert.equal((await complete(client.getChildren('/'))).length, 43);
    const kinds = lines.filter((line) => line.includes('synchronising an observer'));
    assert.match(kinds.at(-1) ?? '', forceSnapshotSync ? /SNAP/ : /DIFF/);
    assert.deepEqual(world.fatal, []);
  }
});

test('whenever an observer comes back, it misses nothing of what is written meanwhile', async () => {
  const { world, lines } = await observed({ 'observer.election.DelayMs': 0 }, 3);
  const writers = [1, 2, 3].map((id) => world.client([id]));
  const writes: Promise<unknown>[] = [];
  for (let turn = 0; turn < 60; turn += 1) {
    for (const [index, writer] of writers.entries()) {
      for (let each = 0; each < 5; each += 1) writes.push(writer.create(`/n-${turn}-${index}-${each}`));
    }
    const observer = world.member(4 + (turn % 3)).machine;
    for (const id of [1, 2]) world.sim.network.resetBetween(observer, world.member(id).machine);
    await world.sim.runFor(40);
  }
  await world.sim.complete(Promise.all(writes));
  await world.serving();
  for (const id of [4, 5, 6]) {
    const client = world.client([id]);
    await world.sim.complete(client.sync('/'));
    assert.equal((await world.sim.complete(client.getChildren('/'))).length, writes.length + 1, `at ${id}`);
  }
  assert.ok(masters(lines).length > 30);
  assert.deepEqual(
    lines.filter((line) => line.includes('Digests are not matching')),
    [],
  );
  assert.deepEqual(world.fatal, []);
});

test('an observer whose follower dies goes to another one', async () => {
  const { world, lines } = await observed();
  for (let turn = 0; turn < 4; turn += 1) {
    const follower = world.member(Number(masters(lines).at(-1)?.slice(2)));
    follower.crash('process');
    await world.sim.runUntil(() => masters(lines).length > turn + 1, 30_000);
    assert.notEqual(masters(lines).at(-1), follower.machine.name);
    assert.notEqual(masters(lines).at(-1), 'zk3');
    await world.sim.complete(follower.launch());
    await world.serving();
  }
  assert.deepEqual(world.fatal, []);
});

test('an observer that no follower takes in goes to the leader', async () => {
  const lines: string[] = [];
  const world = new EnsembleWorld({
    observers: 1,
    configOf: (id) => (id === 4 ? config : {}),
    onLog: (line) => lines.push(line),
  });
  await world.start();
  await world.serving();
  assert.deepEqual(masters(lines), ['zk3']);
  await world.sim.runFor(20_000);
  assert.deepEqual(masters(lines), ['zk3'], 'and stays there');
});

test('a follower takes no participant in', async () => {
  const { world, lines } = await observed();
  const { runtime } = world.sim.machine('stranger');
  let isClosed = false;
  const connection = runtime.network.connect(
    { host: world.member(1).machine.host, port: 2889 },
    {
      connected: () => {
        // FOLLOWERINFO, zxid 0, 20 bytes of LearnerInfo, no authinfo
        const info = Buffer.alloc(4 + 8 + 4 + 20 + 4);
        info.writeInt32BE(11, 0);
        info.writeInt32BE(20, 12);
        info.writeBigInt64BE(2n, 16);
        info.writeInt32BE(0x10000, 24);
        info.writeInt32BE(-1, 36);
        connection.write([info]);
      },
      data: () => undefined,
      closed: () => {
        isClosed = true;
      },
    },
  );
  await world.sim.runFor(500);
  assert.equal(isClosed, true);
  assert.ok(lines.some((line) => line.includes('it is no observer')));
});

test('observers under a follower come again later when too many are synchronised', async () => {
  for (const limit of [1, 100]) {
    const { world, lines } = await observed({ 'leader.maxConcurrentDiffSyncs': limit }, 6);
    const observers = [4, 5, 6, 7, 8, 9].map((id) => world.member(id));
    for (const observer of observers) observer.crash('process');
    for (const { machine } of observers) {
      for (const id of [1, 2]) world.sim.network.slow(machine, world.member(id).machine, { extraMs: 100 });
    }
    await world.sim.complete(Promise.all(observers.map((observer) => observer.launch())));
    await world.serving();
    const refused = lines.filter((line) => line.includes('too many learners are being synchronised'));
    assert.equal(refused.length > 0, limit === 1, refused.join('\n'));
    assert.deepEqual(world.fatal, []);
  }
});

/** An observer's packets by hand, and what a follower in epoch 5 answers to them. */
async function byHand() {
  const sim = new Simulation({ seed: 8 });
  const [follower, observer] = [sim.machine('follower'), sim.machine('observer')];
  const { runtime, host: name } = follower;
  const config = testZooCfg('/data', {
    ...{ 'server.1': `${name}:2888:3888`, 'server.2': 'zk2:2888:3888', initLimit: 10, syncLimit: 5 },
  });
  const { files } = await sim.complete(openDataDirectories(runtime, config));
  const database = await sim.complete(Database.open(runtime, files, config));
  const agreed = [{ zxid: 0x5_0000_0001n as Zxid, bytes: Buffer.from('agreed') }];
  const role = { agreed, onCommitted: undefined } as unknown as LearnerRole;
  const memberships = { current: membershipOf(config) };
  const { log, network } = runtime;
  const figures = new ProcessFigures(runtime, config);
  const host = { runtime, config, log, network, figures, self: 1, memberships, database };
  const master = new ObserverMaster({ host: host as unknown as TermHost, port: 2889, epoch: 5, role });
  await sim.complete(master.start());

  const received: QuorumPacket[] = [];
  let isClosed = false;
  const closed = (): void => {
    isClosed = true;
  };
  const link = new PeerLink({
    clock: observer.runtime.clock,
    sizeMax: 1 << 20,
    events: {
      received: (packet) => received.push({ ...packet, data: packet.data && Buffer.from(packet.data) }),
      faulty: (error) => assert.fail(error),
      closed: () => closed(),
    },
  });
  link.attach(observer.runtime.network.connect({ host: name, port: 2889 }, link));
  const send = async (type: number, zxid: bigint, data: Uint8Array | null): Promise<void> => {
    link.send({ type, zxid: zxid as Zxid, data, authinfo: null });
    await sim.runFor(50);
  };
  await send(PacketType.OBSERVERINFO, 0n, writeLearnerInfo({ server: 4, protocolVersion: 0x10000, configVersion: 0n }));
  return { sim, role, master, send, received, isClosed: () => isClosed };
}

test('what a follower has committed and not applied goes out behind its database, before what is to come', async () => {
  const { sim, role, master, send, received } = await byHand();
  await send(PacketType.ACKEPOCH, 0n, writeAckEpoch(0));
  role.onCommitted?.({ zxid: 0x5_0000_0002n as Zxid, bytes: Buffer.from('next') }, undefined);
  await send(PacketType.ACK, 0x5_0000_0000n, null);
  role.onCommitted?.({ zxid: 0x5_0000_0003n as Zxid, bytes: Buffer.from('members') }, 2);
  await sim.runFor(50);
  await sim.complete(master.close());
  assert.deepEqual(
    received.map(({ type, zxid }) => [type, zxid]),
    [
      [PacketType.LEADERINFO, 0x5_0000_0000n],
      [PacketType.DIFF, 0n],
      [PacketType.INFORM, 0x5_0000_0001n],
      [PacketType.NEWLEADER, 0x5_0000_0000n],
      [PacketType.INFORM, 0x5_0000_0002n],
      [PacketType.UPTODATE, -1n],
      [PacketType.INFORMANDACTIVATE, 0x5_0000_0003n],
    ],
  );
  const { designatedLeader, proposal } = readInformedActivation(received.at(-1)?.data ?? null);
  assert.deepEqual([designatedLeader, String(proposal)], [2, 'members']);
  assert.equal(role.onCommitted, undefined, 'nobody is told any more');
});

test('an observer that knows more of the epoch than a follower has to come again, and forgets nothing', async () => {
  const { sim, master, send, received, isClosed } = await byHand();
  await send(PacketType.ACKEPOCH, 0x5_0000_0001n, writeAckEpoch(5));
  assert.deepEqual(
    received.map(({ type }) => type),
    [PacketType.LEADERINFO],
  );
  assert.equal(isClosed(), true);
  await sim.complete(master.close());
});
