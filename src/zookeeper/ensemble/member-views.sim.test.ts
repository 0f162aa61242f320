/** What a member shows of its ensemble in each role. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { AskedWorld } from './testkit/asked-world.ts';

test('a leader knows who follows it, and what it has proposed', async () => {
  const world = new AskedWorld({ observers: 1 });
  await world.start();
  const leader = await world.serving();
  const { view } = leader;
  const before = view.ensemble?.leading?.proposalSizes.last;
  assert.equal(before, -1, 'an epoch begins with no proposal');
  const client = world.client([4]);
  await world.sim.complete(client.create('/a', Buffer.alloc(1000)));
  await world.sim.complete(client.sync('/'));
  const metrics = await world.metrics(3);
  const gauges = ['learners', 'synced_followers', 'synced_observers', 'synced_non_voting_followers', 'pending_syncs'];
  assert.deepEqual(
    gauges.map((name) => metrics.get(name)),
    [3, 2, 1, 0, 0],
  );
  assert.deepEqual([metrics.get('proposal_count'), metrics.get('commit_count')], [2, 2]);
  assert.ok((metrics.get('max_proposal_size') ?? 0) > 1000);
  assert.match(
    await world.word(3, 'srvr'),
    /\nMode: leader\nNode count: 6\nProposal sizes last\/min\/max: 1\d{3}\/\d\d\/1\d{3}\n$/,
  );
  const { observers } = (await world.command(3, 'observers')) as { observers: Record<string, number>[] };
  assert.deepEqual(
    observers.map(({ sid, requests }) => [sid, requests]),
    [[4, 3]],
  );
  await world.command(3, 'orst');
  const [observer] = ((await world.command(3, 'observers')) as { observers: Record<string, number>[] }).observers;
  assert.equal(observer?.requests, 0);
  await world.word(3, 'srst');
  assert.match(await world.word(3, 'srvr'), /Proposal sizes last\/min\/max: -1\/-1\/-1\n$/);
  await world.sim.complete(client.close());
});

test('a follower that takes observers knows them, and they know whom they learn from', async () => {
  const world = new AskedWorld({ observers: 1, config: { observerMasterPort: 2191 } });
  await world.start();
  await world.serving();
  const master = world.member(4).server?.view.ensemble?.master ?? 0;
  assert.ok(master === 1 || master === 2, `${master} follows`);
  assert.equal((await world.metrics(master)).get('synced_observers'), 1);
  assert.equal((await world.metrics(3 - master)).get('synced_observers'), 0);
  const { observers } = (await world.command(master, 'observers')) as { observers: Record<string, number>[] };
  assert.deepEqual(
    observers.map(({ sid }) => sid),
    [4],
  );
  assert.match(await world.word(4, 'mntr'), new RegExp(`^zk_observer_master_id\t${master}$`, 'm'));
  assert.equal((await world.command(4, 'leader')).leader_id, 3);
});

test('a read-only server says so, and of its ensemble what a server alone would', async () => {
  const world = new AskedWorld({ properties: { 'readonlymode.enabled': 'true' } });
  await world.sim.complete(world.member(1).launch());
  await world.sim.runUntil(() => world.member(1).server?.servingMode !== undefined, 10_000);
  assert.match(
    await world.word(1, 'srvr'),
    /^Zookeeper version: .*\nREAD-ONLY mode; serving only read-only clients\nLatency/,
  );
  assert.match(await world.word(1, 'conf'), /\nquorumPort=2888\npeerType=0\n$/);
  assert.match(await world.word(1, 'dump'), /^SessionTracker dump:\nGlobal Sessions\(0\):\n/);
  const mntr = await world.word(1, 'mntr');
  assert.match(mntr, /^zk_server_state\tread-only$/m);
  assert.doesNotMatch(mntr, /peer_state|quorum_size/);
  assert.equal((await world.command(1, 'zabstate')).zabstate, '');
  assert.equal((await world.command(1, 'leader')).error, 'server is not initialized');
  assert.deepEqual((await world.command(1, 'voting_view')).current_config, {});
});
