import assert from 'node:assert/strict';
import test from 'node:test';
import { OpCode } from '../jute/op-codes.ts';
import { create, getData, multi, remove, setData } from '../server/testkit/requests.ts';
import { type EnsembleOptions, EnsembleWorld } from './testkit/ensemble.ts';

const onLog = process.env.SIM_LOG === undefined ? undefined : (line: string) => console.log(line);
const sync = { type: OpCode.sync, body: (to: { utf8(text: string): void }) => to.utf8('\0\0\0\x01/') };
const readOnly = { readOnly: true };

/** Member 1 has a node, and is then left alone. */
async function leftAlone(options: EnsembleOptions = {}): Promise<EnsembleWorld> {
  const properties = { 'readonlymode.enabled': 'true' };
  const world = new EnsembleWorld({ config: { localSessionsEnabled: true }, properties, onLog, ...options });
  await world.start();
  await world.serving();
  const client = world.client([1]);
  await world.sim.complete(client.create('/kept', 'x'));
  await world.sim.complete(client.close());
  world.member(2).crash('process');
  world.member(3).crash('process');
  await world.sim.runUntil(() => world.member(1).server?.peerState === 'LOOKING', 20_000);
  return world;
}

function modeOf(world: EnsembleWorld): string | undefined {
  return world.member(1).server?.servingMode;
}

test('a member serves who is content to read, when it has looked for a leader for two seconds', async () => {
  const world = await leftAlone();
  await world.sim.runFor(1900);
  assert.equal(modeOf(world), undefined);
  await world.sim.runFor(200);
  assert.equal(modeOf(world), 'read-only');
  for (const hello of [{ readOnly: false }, { readOnly: undefined }]) {
    const refused = await world.raw(1, hello);
    assert.deepEqual([refused.session, refused.isClosed], [undefined, true]);
  }
  const client = await world.raw(1, readOnly);
  assert.equal(client.session?.readOnly, true);
  client.sendTogether([
    ...[getData('/kept'), create('/n'), setData('/kept', 'y'), remove('/kept'), multi(create('/n')), sync],
    ...[getData('/kept'), { type: OpCode.closeSession, body: () => undefined }],
  ]);
  await world.sim.runUntil(() => client.isClosed, 5000);
  assert.deepEqual(
    client.heard.map(({ err }) => err),
    [0, -119, -119, -119, -119, -119, 0, 0],
  );
  assert.deepEqual(world.fatal, []);
});

test('a tick longer than two seconds is waited for', async () => {
  const world = await leftAlone({ config: { localSessionsEnabled: true, tickTime: 3000 } });
  await world.sim.runFor(2900);
  assert.equal(modeOf(world), undefined);
  await world.sim.runFor(200);
  assert.equal(modeOf(world), 'read-only');
});

test('a member that may not serve read-only serves nobody', async () => {
  const world = await leftAlone({ properties: {} });
  await world.sim.runFor(30_000);
  assert.equal(modeOf(world), undefined);
});

test('a client reads on without a leader, and writes again when there is one', async () => {
  const world = await leftAlone();
  const complete = <T>(promise: Promise<T>): Promise<T> => world.sim.complete(promise);
  const client = world.client([1, 2, 3], { canBeReadOnly: true });
  const states: string[] = [];
  client.onState((state) => states.push(state));
  assert.equal(String((await complete(client.getData('/kept'))).data), 'x');
  await assert.rejects(complete(client.setData('/kept', 'y')), { name: 'NotReadOnly' });
  const session = client.sessionId;
  await world.sim.runFor(20_000);
  assert.deepEqual(states, ['connectedReadOnly'], 'its pings keep the session');
  const starts = Promise.all([2, 3].map((id) => world.member(id).launch()));
  await world.sim.runUntil(() => states.at(-1) === 'connected', 60_000);
  await complete(starts);
  assert.deepEqual(states, ['connectedReadOnly', 'disconnected', 'connected']);
  await complete(client.setData('/kept', 'z'));
  assert.notEqual(client.sessionId, session);
  assert.notEqual(modeOf(world), 'read-only');
  assert.deepEqual(world.fatal, []);
});

test('who was served without a leader is cut off when there is one, and its session is gone', async () => {
  const world = await leftAlone();
  await world.sim.runUntil(() => modeOf(world) === 'read-only', 5000);
  const client = await world.raw(1, readOnly);
  const { sessionId = 0n, passwd } = client.session ?? {};
  const starts = Promise.all([2, 3].map((id) => world.member(id).launch()));
  await world.sim.runUntil(() => client.isClosed, 5000);
  await world.sim.complete(starts);
  await world.serving();
  const back = await world.raw(1, { ...readOnly, sessionId, passwd: passwd ?? new Uint8Array(16) });
  assert.deepEqual([back.session?.sessionId, back.session?.readOnly], [0n, false]);
  assert.deepEqual(world.fatal, []);
});

test('a session of a read-only member expires there', async () => {
  const world = await leftAlone();
  await world.sim.runUntil(() => modeOf(world) === 'read-only', 5000);
  const client = await world.raw(1, { ...readOnly, timeOut: 3000 });
  await world.sim.runFor(2500);
  assert.equal(client.isClosed, false);
  await world.sim.runUntil(() => client.isClosed, 1500);
  assert.deepEqual(world.fatal, []);
});

test('without local sessions a read-only member opens no session', async () => {
  const world = await leftAlone({ config: {} });
  await world.sim.runUntil(() => modeOf(world) === 'read-only', 5000);
  const client = world.client([1], { canBeReadOnly: true });
  await world.sim.runFor(20_000);
  assert.equal(client.state, 'connecting');
  assert.equal(world.member(1).server?.view.sessions.size, 0);
  assert.deepEqual(world.fatal, []);
});

test('a session of the ensemble is not resumed by a read-only member', async () => {
  const world = await leftAlone({ config: { localSessionsEnabled: true, localSessionsUpgradingEnabled: true } });
  await world.sim.complete(Promise.all([2, 3].map((id) => world.member(id).launch())));
  await world.serving();
  const client = await world.raw(1, readOnly);
  const { sessionId = 0n, passwd } = client.session ?? {};
  const xid = client.send(create('/mine', '', 1).type, create('/mine', '', 1).body);
  await world.sim.runUntil(() => client.reply(xid) !== undefined, 5000);
  world.member(2).crash('process');
  world.member(3).crash('process');
  await world.sim.runUntil(() => modeOf(world) === 'read-only', 30_000);
  const back = await world.raw(1, { ...readOnly, sessionId, passwd: passwd ?? new Uint8Array(16) });
  assert.deepEqual([back.session, back.isClosed], [undefined, true]);
  assert.deepEqual(world.fatal, []);
});

test('a read-only member stops, also while it is about to serve', async () => {
  for (const lookedMs of [0, 1999, 2000, 2001, 3000]) {
    const world = await leftAlone();
    await world.sim.runFor(lookedMs);
    const { server } = world.member(1);
    assert.notEqual(server, undefined);
    await world.member(1).stop();
    assert.equal(server?.servingMode, undefined);
    assert.deepEqual(world.fatal, []);
  }
});
