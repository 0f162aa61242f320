/** Share groups over a whole broker: what a crash, a lost connection and a deleted topic leave. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../../protocol/errors.ts';
import { DeleteTopicsRequest, DeleteTopicsResponse } from '../../protocol/messages/20-delete-topics.ts';
import { LOCK_MS, ShareCluster } from '../testkit/share-cluster.ts';

test('after kill -9 what was acknowledged is not delivered again, and the rest is', async () => {
  for (const seed of [1, 2, 3]) {
    const cluster = await new ShareCluster(seed).start();
    const client = cluster.world.connectTo(0);
    assert.deepEqual((await cluster.fetch(client, 0)).acquired, [[0, 1, 1]]);
    const second = await cluster.fetch(client, 1, [[0, 0, 1]]);
    assert.equal(second.acknowledgeErrorCode, ErrorCode.NONE);
    assert.deepEqual(second.acquired, [[2, 3, 1]]);
    cluster.world.broker(0).crash('process');
    await cluster.world.broker(0).start();
    const next = cluster.world.connectTo(0);
    let got: number[][] = [];
    await cluster.world.until('the coordinator is loaded', async () => {
      got = (await cluster.fetch(next, 0)).acquired;
      return got.length > 0;
    });
    assert.deepEqual(got, [[1, 2, 1]], `seed ${seed}`);
  }
});

test('a fetch that waits is answered when a lock ends', async () => {
  const cluster = await new ShareCluster().start();
  const { world } = cluster;
  const holder = world.connectTo(0);
  for (const epoch of [0, 1]) await cluster.fetch(holder, epoch);
  const startedMs = world.sim.nowMs;
  const waiting = await cluster.fetch(holder, 2, [], 60_000);
  assert.deepEqual(waiting.acquired, [[0, 1, 2]]);
  const waitedMs = world.sim.nowMs - startedMs;
  assert.ok(waitedMs > LOCK_MS - 1000 && waitedMs < LOCK_MS + 1000, `${waitedMs} ms`);
});

test('what a lost connection held comes back at once', async () => {
  const cluster = await new ShareCluster().start();
  const lost = cluster.world.connectTo(0);
  await cluster.fetch(lost, 0);
  lost.close();
  await cluster.world.sim.runFor(100);
  const next = cluster.world.connectTo(0);
  assert.deepEqual((await cluster.fetch(next, 0)).acquired, [[0, 1, 2]]);
});

test('delivery state goes with its topic', async () => {
  const cluster = await new ShareCluster().start();
  assert.equal(await cluster.summary(), 0);
  await cluster.world.ask(0, (client) =>
    client.ask(DeleteTopicsRequest, DeleteTopicsResponse, 4, { topicNames: ['t'], timeoutMs: 5000 }),
  );
  await cluster.world.sim.runFor(2000);
  const client = cluster.world.connectTo(0);
  const answer = await cluster.fetch(client, 0);
  assert.deepEqual(answer.acquired, []);
  assert.deepEqual(cluster.world.failures, []);
});
