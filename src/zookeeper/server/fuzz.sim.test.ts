import assert from 'node:assert/strict';
import test from 'node:test';
import { SimRandom } from '../../runtime/sim/sim-random.ts';
import { OpCode, Xid } from '../jute/op-codes.ts';
import { hostileBytes, hostileOpCodes, hostileRequest } from './testkit/hostile-frames.ts';
import { helloFrame, type RawClient } from './testkit/raw-client.ts';
import { create, exists } from './testkit/requests.ts';
import { ServerWorld } from './testkit/server-world.ts';

const CONNECTIONS = 1200;

function framed(body: Uint8Array): Uint8Array {
  const size = Buffer.alloc(4);
  size.writeInt32BE(body.length);
  return Buffer.concat([size, body]);
}

/** Another client is served, and what the server holds is what its connections hold. */
async function serves(world: ServerWorld, bystander: RawClient): Promise<void> {
  assert.equal(world.server.state, 'serving');
  assert.deepEqual(world.fatal, []);
  const xid = bystander.send(OpCode.exists, exists('/mine').body);
  await world.until(() => bystander.reply(xid) !== undefined);
  assert.equal(bystander.reply(xid)?.err, 0);
}

async function openBystander(world: ServerWorld): Promise<RawClient> {
  const bystander = await world.open({ timeOut: 20_000 });
  const xid = bystander.send(OpCode.create, create('/mine', 'x').body);
  await world.until(() => bystander.reply(xid)?.err === 0);
  return bystander;
}

for (const seed of [1, 2]) {
  test(`seed ${seed}: whatever bytes many clients send, the server lives, serves others, and keeps nothing of them`, async () => {
    const world = await ServerWorld.start({
      seed,
      config: { maxClientCnxns: 0, extendedTypesEnabled: true, enforceQuota: true, snapCount: 200 },
    });
    const random = new SimRandom(`hostile bytes ${seed}`);
    const bystander = await openBystander(world);
    for (let count = 0; count < CONNECTIONS; count += 30) {
      const clients = Array.from({ length: 30 }, () => world.connectLater());
      await world.until(() => clients.every((client) => client.isConnected || client.isClosed));
      for (const client of clients) {
        const hello = random.chance(9 / 10) ? helloFrame({ timeOut: 4000 }) : hostileBytes(random);
        const frames = Array.from({ length: 1 + random.below(4) }, () => hostileBytes(random));
        client.raw(Buffer.concat([hello, ...frames]));
      }
      await world.sim.runFor(20);
      for (const client of clients) client.connection.destroy();
      await serves(world, bystander);
    }
    // Their sessions expire.
    await world.until(() => world.server.view.sessions.size === 1, 60_000);
    await serves(world, bystander);
    const { connections, outstandingCount, tree } = world.server.view;
    assert.equal(connections.size, 1);
    assert.equal(outstandingCount, 0);
    assert.equal(tree.watches.size, 0);
    assert.equal(tree.ephemeralsCount, 0);
    // What it wrote to its log is what it says: the directory is read again.
    const before = [tree.lastProcessedZxid, tree.treeDigest, tree.nodeCount];
    await world.crash('process');
    const after = world.server.view.tree;
    assert.deepEqual([after.lastProcessedZxid, after.treeDigest, after.nodeCount], before);
    assert.ok(!world.logged.some((line) => line.includes('Digests are not matching')));
  });
}

test('each request, whole and spoiled, is answered with its xid or ends its connection', async () => {
  const world = await ServerWorld.start({ config: { maxClientCnxns: 0, extendedTypesEnabled: true } });
  const random = new SimRandom('each request');
  const bystander = await openBystander(world);
  for (const type of hostileOpCodes) {
    for (let round = 0; round < 30; round += 1) {
      const client = await world.open({ timeOut: 4000 });
      const xid = 1000 + round;
      client.raw(framed(hostileRequest(random, type, xid)));
      const last = client.send(OpCode.exists, exists('/').body, 1);
      await world.until(() => client.isClosed || client.reply(last) !== undefined, 15_000);
      const number = type === OpCode.ping ? Xid.ping : xid;
      const isAnswered = client.reply(number) !== undefined || client.isClosed;
      assert.ok(isAnswered, `request ${type}, round ${round}`);
      client.connection.destroy();
    }
  }
  await serves(world, bystander);
});
