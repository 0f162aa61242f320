import assert from 'node:assert/strict';
import test from 'node:test';
import { PartitionHistory } from './partition-history.ts';
import { runWorld, worlds } from './worlds.ts';
import { ZookeeperHistory } from './zookeeper-history.ts';

for (const name of Object.keys(worlds) as (keyof typeof worlds)[]) {
  test(`one seed of the ${name} world twice is one history, another seed another`, async () => {
    const first = await runWorld(name, 3, { durationMs: 10_000 });
    const again = await runWorld(name, 3, { durationMs: 10_000 });
    const other = await runWorld(name, 4, { durationMs: 10_000 });
    assert.equal(first.failure, undefined);
    assert.deepEqual(again, first);
    assert.notEqual(other.hash, first.hash);
  });
}

const stat = {
  czxid: 1n,
  mzxid: 5n,
  ctime: 0,
  mtime: 0,
  version: 1,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: 0n,
  dataLength: 1,
  numChildren: 0,
  pzxid: 1n,
} as unknown as Parameters<ZookeeperHistory['saw']>[1];

test('a history of ZooKeeper refuses what no server may say', () => {
  const history = (): ZookeeperHistory => {
    const made = new ZookeeperHistory();
    for (const value of ['a', 'b']) made.register('/r').attempted.add(value);
    made.saw('/r', stat, 'a', -1);
    return made;
  };
  assert.throws(() => history().saw('/r', stat, 'b', -1), /is both/);
  assert.throws(() => history().saw('/r', { ...stat, mzxid: 6n }, 'a', -1), /version 1 of/);
  assert.throws(() => history().saw('/r', { ...stat, mzxid: 6n, version: 2 }, 'c', -1), /which nobody wrote/);
  assert.throws(() => history().saw('/r', { ...stat, mzxid: 4n, version: 2 }, 'b', -1), /disagree/);
  assert.throws(() => history().saw('/r', stat, 'a', 2), /was at version 2/);
  assert.throws(() => history().acked(5n, 'a', 5n), /was acknowledged before/);
  const items = history();
  items.itemAsked('one');
  items.itemSeen('/q/item-0', 'one', 7n);
  assert.throws(() => items.checkItems(new Map()), /is lost/);
});

test('a history of a partition refuses what no broker may say', () => {
  const history = (): PartitionHistory => {
    const made = new PartitionHistory('spool-0');
    made.acked(0, 'i0.1 ');
    made.acked(1, 'i0.2 ');
    return made;
  };
  const found = (...values: string[]): { offset: number; value: string }[] =>
    values.map((value, offset) => ({ offset, value }));
  assert.throws(() => history().audit(found('i0.1 '), 'now'), /is lost/);
  assert.throws(() => history().audit(found('i0.2 ', 'i0.1 '), 'now'), /without any power failure/);
  assert.throws(() => history().audit([{ offset: 1, value: 'i0.2 ' }], 'now'), /stands where 0 is due/);
  assert.throws(() => history().audit(found('i0.1 ', 'i0.2 ', 'i0.2 '), 'now'), /is there twice/);
  assert.throws(() => history().audit(found('i0.1 ', 'i0.2 ', 'i0.4 ', 'i0.3 '), 'now'), /comes after/);
  const afterPower = history();
  afterPower.era += 1;
  afterPower.audit(found('i0.1 ', 'i0.3 '), 'after the power failed');
  assert.equal(afterPower.lost, 1);
});
