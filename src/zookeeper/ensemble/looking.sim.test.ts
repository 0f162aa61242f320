/** What a member tells its operators while it looks for a leader, and what it keeps from one term to the next. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { AskedWorld } from './testkit/asked-world.ts';

const NOT_SERVING = 'This ZooKeeper instance is not currently serving requests';
/** Member 1 alone, or with others that are up. */
async function looking(): Promise<AskedWorld> {
  const world = new AskedWorld();
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

test('the audit log tells once that a member has started, and once that it stops', async () => {
  const lines: string[] = [];
  const onLog = (line: string): void => {
    const [, operation] = /\boperation=(server\w+)/.exec(line) ?? [];
    if (operation !== undefined && line.includes(' zk1 ')) lines.push(operation);
  };
  const world = new AskedWorld({ config: { 'audit.enable': true }, onLog });
  await world.sim.complete(world.member(1).launch());
  assert.deepEqual(lines, ['serverStart'], 'before it serves');
  await join(world);
  await loseLeader(world);
  await join(world);
  await world.member(1).stop();
  assert.deepEqual(lines, ['serverStart', 'serverStop']);
});
