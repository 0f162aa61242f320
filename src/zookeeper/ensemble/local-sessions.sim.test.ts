import assert from 'node:assert/strict';
import test from 'node:test';
import type { ConfigKeys } from '../../testing/test-keys.ts';
import { CreateMode } from '../jute/create-mode.ts';
import { ErrorCode } from '../jute/errors.ts';
import { counterOf } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import type { ServerId } from '../quorum/quorum-verifier.ts';
import type { Hello, RawClient } from '../server/testkit/raw-client.ts';
import { create, getData, multi, setData } from '../server/testkit/requests.ts';
import { EnsembleWorld } from './testkit/ensemble.ts';

const onLog = process.env.SIM_LOG === undefined ? undefined : (line: string) => console.log(line);
const closeSession = { type: OpCode.closeSession, body: () => undefined };

class LocalSessionsWorld extends EnsembleWorld {
  static async begin(upgrades: boolean, keys: ConfigKeys = {}): Promise<LocalSessionsWorld> {
    const config = { localSessionsEnabled: true, localSessionsUpgradingEnabled: upgrades, ...keys };
    const world = new LocalSessionsWorld({ config, onLog });
    await world.start();
    assert.equal((await world.serving()).self, 3);
    return world;
  }

  /** Answers the errors. */
  async ask(client: RawClient, requests: Parameters<RawClient['sendTogether']>[0]): Promise<number[]> {
    const xids = client.sendTogether(requests);
    await this.sim.runUntil(() => xids.every((xid) => client.reply(xid) !== undefined), 10_000);
    return xids.map((xid) => client.reply(xid)?.err ?? 0);
  }

  /** Of the last transaction, once all have it. */
  async counter(): Promise<number> {
    await this.sim.runFor(2000);
    const zxids = [...this.members.values()].map(({ server }) => server?.database.tree.lastProcessedZxid ?? 0n);
    const [counter = 0, ...others] = zxids.map(counterOf);
    for (const other of others) assert.equal(other, counter);
    return counter;
  }

  sessionsAt(id: ServerId): string {
    const sessions = this.member(id).server?.view.sessions;
    return `${sessions?.localCount} of ${sessions?.size} local`;
  }
}

function again({ session }: RawClient): Hello {
  return { sessionId: session?.sessionId ?? 0n, passwd: session?.passwd ?? new Uint8Array(16) };
}

for (const id of [1, 3]) {
  test(`member ${id}: a local session takes no transaction, and no other member knows it`, async () => {
    const world = await LocalSessionsWorld.begin(true);
    const before = await world.counter();
    const client = await world.raw(id);
    assert.deepEqual([1, 2, 3].map((at) => world.sessionsAt(at)).sort(), [
      '0 of 0 local',
      '0 of 0 local',
      '1 of 1 local',
    ]);
    assert.deepEqual(await world.ask(client, [create('/a'), setData('/a', 'x'), getData('/a')]), [0, 0, 0]);
    assert.equal(await world.counter(), before + 2);
    const moved = await world.raw(2, again(client));
    assert.equal(moved.session?.sessionId, 0n, 'refused elsewhere');
    const back = await world.raw(id, again(client));
    assert.equal(back.session?.sessionId, client.session?.sessionId);
    assert.equal(client.isClosed, true, 'the newer connection wins');
    assert.deepEqual(await world.ask(back, [closeSession]), [0]);
    await world.sim.runUntil(() => back.isClosed, 1000);
    assert.equal(world.sessionsAt(id), '0 of 0 local');
    assert.equal(await world.counter(), before + 2);
    assert.deepEqual(world.fatal, []);
  });

  test(`member ${id}: the end of a local session waits for the writes before it`, async () => {
    const world = await LocalSessionsWorld.begin(true);
    const client = await world.raw(id);
    const requests = [create('/a', 'x'), setData('/a', 'y'), closeSession];
    assert.deepEqual(await world.ask(client, requests), [0, 0, 0]);
    assert.deepEqual(
      client.heard.map(({ xid }) => xid),
      [1, 2, 3],
    );
    assert.deepEqual(world.fatal, []);
  });

  test(`member ${id}: a local session expires there, without a transaction`, async () => {
    const world = await LocalSessionsWorld.begin(true);
    const before = await world.counter();
    const client = await world.raw(id, { timeOut: 3000 });
    await world.sim.runFor(2500);
    assert.equal(client.isClosed, false);
    await world.sim.runUntil(() => client.isClosed, 1500);
    assert.equal(world.sessionsAt(id), '0 of 0 local');
    const back = await world.raw(id, again(client));
    assert.equal(back.session?.sessionId, 0n);
    assert.equal(await world.counter(), before);
    assert.deepEqual(world.fatal, []);
  });

  test(`member ${id}: a local session becomes global with its first ephemeral node`, async () => {
    const world = await LocalSessionsWorld.begin(true);
    const before = await world.counter();
    const client = await world.raw(id);
    const nodes = [create('/a', 'x', CreateMode.EPHEMERAL), create('/b', 'x', CreateMode.EPHEMERAL_SEQUENTIAL)];
    assert.deepEqual(await world.ask(client, nodes), [0, 0]);
    assert.equal(await world.counter(), before + 3, 'one more: the session');
    for (const at of [1, 2, 3]) assert.equal(world.sessionsAt(at), '0 of 1 local');
    world.member(id).crash('process');
    await world.sim.runUntil(() => world.leader() !== undefined, 20_000);
    await world.sim.runUntil(() => world.member(2).server?.servingMode !== undefined, 20_000);
    const moved = await world.raw(2, again(client));
    assert.equal(moved.session?.sessionId, client.session?.sessionId);
    assert.deepEqual(await world.ask(moved, [setData('/a', 'y'), closeSession]), [0, 0]);
    assert.equal(world.member(2).server?.database.tree.has('/a'), false);
    assert.deepEqual(world.fatal, []);
  });

  test(`member ${id}: a multi with an ephemeral node makes its session global, another does not`, async () => {
    const world = await LocalSessionsWorld.begin(true);
    const client = await world.raw(id);
    assert.deepEqual(await world.ask(client, [multi(create('/a'), setData('/a', 'x'))]), [0]);
    assert.equal(world.sessionsAt(id), '1 of 1 local');
    const node = create('/e', 'x', CreateMode.EPHEMERAL);
    assert.deepEqual(await world.ask(client, [multi(create('/b'), node)]), [0]);
    assert.equal(world.sessionsAt(id), '0 of 1 local');
    await world.sim.runUntil(() => world.member(2).server?.database.tree.has('/e') === true, 1000);
    assert.deepEqual(world.fatal, []);
  });

  test(`member ${id}: the leader ends a session that became global, and only when its client is silent`, async () => {
    const world = await LocalSessionsWorld.begin(true);
    const client = world.client([id], { sessionTimeoutMs: 3000 });
    await world.sim.complete(client.create('/mine', '', { mode: CreateMode.EPHEMERAL }));
    await world.sim.runFor(20_000);
    const tree = () => world.member(2).server?.database.tree;
    assert.equal(client.state, 'connected');
    assert.equal(tree()?.has('/mine'), true);
    const silent = await world.raw(id, { timeOut: 3000 });
    await world.ask(silent, [create('/silent', '', CreateMode.EPHEMERAL)]);
    await world.sim.runUntil(() => tree()?.has('/silent') === true, 1000);
    await world.sim.runUntil(() => tree()?.has('/silent') === false, 6000);
    await world.sim.runUntil(() => silent.isClosed, 1000);
    assert.equal(tree()?.has('/mine'), true);
    assert.deepEqual(world.fatal, []);
  });

  test(`member ${id}: a local session that may not become global owns nothing`, async () => {
    const world = await LocalSessionsWorld.begin(false);
    const before = await world.counter();
    const client = await world.raw(id);
    const node = create('/e', 'x', CreateMode.EPHEMERAL);
    const refused = ErrorCode.EPHEMERALONLOCALSESSION;
    assert.deepEqual(await world.ask(client, [node, create('/a'), node]), [refused, 0, refused]);
    assert.equal(await world.counter(), before + 3, 'errors are transactions too');
    await world.ask(client, [multi(create('/b'), node)]);
    const tree = world.member(id).server?.database.tree;
    assert.deepEqual([tree?.has('/b'), tree?.has('/e')], [false, false]);
    assert.equal(world.sessionsAt(id), '1 of 1 local');
    assert.deepEqual(world.fatal, []);
  });
}

test('local sessions cost the connection throttle less than global ones', async () => {
  const weighed = { connection_throttle_weight_enabled: true, connection_throttle_tokens: 2 };
  const world = await LocalSessionsWorld.begin(true, { ...weighed, connection_throttle_fill_time: 60_000 });
  const clients: RawClient[] = [];
  for (let count = 0; count < 8; count += 1) clients.push(await world.raw(1));
  assert.equal(clients.filter(({ session }) => session !== undefined).length, 6, 'two global ones, at 3 to 1');
});

test('a member that serves anew knows no local session of before', async () => {
  const world = await LocalSessionsWorld.begin(true);
  const client = await world.raw(1);
  world.member(3).crash('process');
  await world.sim.runUntil(() => client.isClosed, 20_000);
  await world.sim.runUntil(() => world.member(1).server?.servingMode !== undefined, 20_000);
  const back = await world.raw(1, again(client));
  assert.equal(back.session?.sessionId, 0n);
  assert.deepEqual(world.fatal, []);
});
