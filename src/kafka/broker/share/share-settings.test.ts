/** What a share group's own configuration changes of what its members get. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode } from '../../protocol/errors.ts';
import { LOCK_MS, ShareCluster } from '../testkit/share-cluster.ts';
import { TransactionalProducer } from '../testkit/transactional-producer.ts';

test('a group begins where share.auto.offset.reset says', async () => {
  for (const [reset, first] of [
    ['earliest', [0, 1, 1]],
    ['latest', undefined],
    // The records are of November 2023, and it is autumn 2026.
    ['by_duration:P2000D', [0, 1, 1]],
    ['by_duration:P30D', undefined],
  ] as const) {
    const cluster = await new ShareCluster().start(-1);
    await cluster.configure('share.auto.offset.reset', reset);
    await cluster.world.sim.runFor(1000);
    const got = await cluster.fetch(cluster.world.connectTo(0), 0);
    assert.deepEqual(got.acquired[0], first, reset);
    assert.equal(got.errorCode, ErrorCode.NONE);
  }
});

test('a read_committed group gets no record of a transaction that is open or aborted, another gets all', async () => {
  const transactions = {
    'transaction.state.log.num.partitions': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
  };
  for (const level of ['read_committed', 'read_uncommitted']) {
    const cluster = await new ShareCluster(5, transactions).start();
    const { world } = cluster;
    await cluster.configure('share.isolation.level', level);
    const producer = new TransactionalProducer({
      runtime: world.sim.machine('producer').runtime,
      transactionalId: 'tx',
      topic: 't',
      leaders: [0],
      hostOf: (broker) => world.broker(broker).machine.host,
      version: 0,
    });
    // Offsets 4 and 5 with its marker, then 6 and 7.
    assert.equal(await world.run(producer.transact('no', false)), 'aborted');
    assert.equal(await world.run(producer.transact('yes', true)), 'committed');
    const client = world.connectTo(0);
    const got: number[] = [];
    for (let epoch = 0; epoch < 6; epoch += 1) {
      const { acquired } = await cluster.fetch(client, epoch);
      for (const [first, last] of acquired) for (let at = first!; at <= last!; at += 1) got.push(at);
    }
    const isCommitted = level === 'read_committed';
    assert.equal(got.includes(4), !isCommitted, level);
    assert.deepEqual(
      [0, 1, 2, 3, 6].filter((offset) => !got.includes(offset)),
      [],
      level,
    );
    producer.close();
  }
});

test('a lock lasts as long as the group says, and no more deliveries are made than it says', async () => {
  const cluster = await new ShareCluster().start();
  await cluster.configure('share.record.lock.duration.ms', '20000');
  await cluster.configure('share.delivery.count.limit', '2');
  const client = cluster.world.connectTo(0);
  const acquiring = async (epoch: number) => (await cluster.fetch(client, epoch)).acquired;
  assert.deepEqual(await acquiring(0), [[0, 1, 1]]);
  assert.deepEqual(await acquiring(1), [[2, 3, 1]]);
  await cluster.world.sim.runFor(LOCK_MS + 1000);
  assert.deepEqual(await acquiring(2), []);
  await cluster.world.sim.runFor(5000);
  const again = [...(await acquiring(3)), ...(await acquiring(4)), ...(await acquiring(5)), ...(await acquiring(6))];
  assert.ok(again.length > 0 && again.every(([, , count]) => count === 2));
  await cluster.world.sim.runFor(21_000);
  assert.deepEqual(await acquiring(7), []);
});
