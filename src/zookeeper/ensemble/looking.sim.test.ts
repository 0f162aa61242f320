/** What a member tells its operators while it looks for a leader, and what it keeps from one term to the next. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { askHttp, type HttpAnswer } from '../server/testkit/http-client.ts';
import { RawClient } from '../server/testkit/raw-client.ts';
import { EnsembleWorld } from './testkit/ensemble.ts';

const NOT_SERVING = 'This ZooKeeper instance is not currently serving requests';
const config = {
  'admin.enableServer': true,
  'admin.serverPort': 8080,
  'metricsProvider.className': 'org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider',
  'metricsProvider.httpPort': 7000,
  '4lw.commands.whitelist': '*',
};

/** With one who asks. */
class AskedWorld extends EnsembleWorld {
  readonly asker = this.sim.machine('operator');

  async word(id: number, word: string, rest = Buffer.alloc(0)): Promise<string> {
    const client = new RawClient(this.asker.runtime, { host: this.member(id).machine.host, port: 2181 });
    await this.sim.runUntil(() => client.isConnected, 1000);
    client.word(word);
    if (rest.length > 0) client.raw(rest);
    await this.sim.runUntil(() => client.isClosed, 1000);
    return client.text;
  }

  http(id: number, port: number, path: string): Promise<HttpAnswer> {
    return askHttp(this.sim, this.asker.runtime, { host: this.member(id).machine.host, port }, path);
  }

  async command(id: number, name: string): Promise<Record<string, unknown>> {
    return JSON.parse((await this.http(id, 8080, `/commands/${name}`)).body.toString()) as Record<string, unknown>;
  }

  /** Of Prometheus, those without labels. */
  async metrics(id: number): Promise<ReadonlyMap<string, number>> {
    const text = (await this.http(id, 7000, '/metrics')).body.toString();
    return new Map([...text.matchAll(/^(\w+) (\S+)$/gm)].map(([, name = '', value]) => [name, Number(value)]));
  }
}

/** Member 1 alone, or with others that are up. */
async function looking(): Promise<AskedWorld> {
  const world = new AskedWorld({ config });
  await world.sim.complete(world.member(1).launch());
  await world.sim.runFor(3000);
  return world;
}

async function join(world: AskedWorld): Promise<void> {
  await world.sim.complete(Promise.all([2, 3].map((id) => world.member(id).launch())));
  await world.serving();
}

async function loseLeader(world: AskedWorld): Promise<void> {
  world.member(3).crash('process');
  world.member(2).crash('process');
  await world.sim.runUntil(() => world.member(1).server?.servingMode === undefined, 30_000);
}

for (const [when, arrange] of [
  ['before its first leader', looking],
  [
    'after it lost its leader',
    async () => {
      const world = await looking();
      await join(world);
      await loseLeader(world);
      return world;
    },
  ],
] as const) {
  test(`words of a member ${when} are Apache’s`, async () => {
    const world = await arrange();
    for (const word of [
      'srvr',
      'stat',
      'mntr',
      'conf',
      'cons',
      'dump',
      'dirs',
      'crst',
      'srst',
      'wchs',
      'wchc',
      'wchp',
    ]) {
      assert.equal(await world.word(1, word), `${NOT_SERVING}\n`, word);
    }
    assert.equal(await world.word(1, 'hash'), NOT_SERVING);
    assert.equal(await world.word(1, 'ruok'), 'imok');
    assert.equal(await world.word(1, 'isro'), 'null');
    assert.match(await world.word(1, 'envi'), /^Environment:\nzookeeper\.version=.*\nhost\.name=/);
    const mask = Buffer.alloc(8);
    mask.writeBigInt64BE(307n);
    assert.equal(await world.word(1, 'stmk', mask), '307');
    assert.equal(await world.word(1, 'gtmk'), '307');
  });

  test(`the AdminServer of a member ${when} answers what needs no server`, async () => {
    const world = await arrange();
    for (const name of ['configuration', 'leader', 'voting_view', 'observers', 'server_stats', 'ruok', 'snapshot']) {
      assert.deepEqual(await world.command(1, name), { command: name, error: NOT_SERVING });
    }
    assert.deepEqual(await world.command(1, 'zabstate'), {
      voting: false,
      zabstate: '',
      command: 'zabstate',
      error: null,
    });
    assert.equal((await world.command(1, 'gtmk')).tracemask, 306);
    assert.equal((await world.command(1, 'env'))['host.name'], 'zk1');
    assert.equal((await world.command(1, 'sysp'))['zookeeper.4lw.commands.whitelist'], '*');
    assert.equal((await world.http(1, 8080, '/commands/monitor')).status, 500);
  });

  test(`a member ${when} can be looked at`, async () => {
    const world = await arrange();
    const view = world.member(1).server?.view;
    assert.equal(view?.mode, 'looking');
    assert.equal(view.ensemble?.peerState, 'looking');
    assert.equal(view.tree.nodeCount, 5);
    assert.equal(view.connections.size, 0);
    assert.deepEqual([view.ensemble.leader, view.ensemble.zabState], [undefined, 'election']);
  });
}

test('counters and observers live as long as the process, gauges and statistics as long as a term', async () => {
  const world = await looking();
  const first = await world.metrics(1);
  assert.deepEqual([first.get('looking_count'), first.get('znode_count')], [1, undefined]);
  const { adminAddress, metricsAddress } = world.member(1).server ?? {};
  await join(world);
  const client = world.client([1]);
  await world.sim.complete(client.create('/a'));
  await world.sim.complete(client.close());
  const serving = await world.metrics(1);
  assert.deepEqual([serving.get('znode_count'), serving.get('quorum_size')], [6, 3]);
  assert.deepEqual([serving.get('learner_commit_received_count'), serving.get('connection_request_count')], [3, 1]);
  assert.ok((serving.get('packets_received') ?? 0) > 0);
  assert.ok((serving.get('unavailable_time_sum') ?? 0) >= 3000, 'it has waited for the others');
  assert.equal(await world.word(1, 'gtmk'), '306');

  await loseLeader(world);
  const lost = await world.metrics(1);
  assert.deepEqual([lost.get('znode_count'), lost.get('quorum_size')], [undefined, undefined]);
  assert.deepEqual([lost.get('looking_count'), lost.get('learner_commit_received_count')], [2, 3]);
  await join(world);
  const again = await world.metrics(1);
  assert.deepEqual([again.get('znode_count'), again.get('packets_received')], [6, 0]);
  assert.deepEqual([again.get('connection_request_count'), again.get('election_time_count')], [1, 2]);
  assert.equal(again.get('unavailable_time_count'), 2);
  const peer = world.member(1).server;
  assert.deepEqual([peer?.adminAddress, peer?.metricsAddress], [adminAddress, metricsAddress]);
  assert.deepEqual(world.fatal, []);
});

test('a leader knows who follows it, and what it has proposed', async () => {
  const world = new AskedWorld({ observers: 1, config });
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
