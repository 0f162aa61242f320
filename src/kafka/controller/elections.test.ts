import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { PartitionState } from '../zk/znodes.ts';
import { electForShutdown, electNew, electOffline, electPreferred } from './elections.ts';

const live = (...ids: number[]): ReadonlySet<number> => new Set(ids);
const state = (leader: number, isr: readonly number[]): PartitionState => ({
  leader,
  isr,
  leaderEpoch: 4,
  controllerEpoch: 1,
  leaderRecoveryState: 0,
});

test('a new partition is led by the first live replica; all live ones are in sync, in assignment order', () => {
  assert.deepEqual(electNew([2, 1, 3], live(1, 3, 9)), { leader: 1, isr: [1, 3] });
  assert.deepEqual(electNew([2, 1], live(1, 2)), { leader: 2, isr: [2, 1] });
});

test('a new partition without a live replica stays new', () => {
  assert.equal(electNew([2, 1], live(3)), undefined);
  assert.equal(electNew([], live(3)), undefined);
});

test('an offline partition is led by the first assigned replica that is live and in sync; the dead leave the ISR', () => {
  assert.deepEqual(electOffline([1, 2, 3], state(1, [1, 3, 2]), live(2, 3), false), { leader: 2, isr: [3, 2] });
  assert.deepEqual(electOffline([1, 2, 3], state(-1, [3]), live(1, 2, 3), false), { leader: 3, isr: [3] });
});

test('an offline partition whose ISR is dead stays offline unless an unclean election is allowed', () => {
  assert.equal(electOffline([1, 2, 3], state(1, [1]), live(2, 3), false), undefined);
  const unclean = { leader: 2, isr: [2], leaderRecoveryState: 1 };
  assert.deepEqual(electOffline([1, 2, 3], state(1, [1]), live(2, 3), true), unclean);
  assert.equal(electOffline([1], state(1, [1]), live(2, 3), true), undefined);
});

test('where an unclean election is allowed a replica in sync is still preferred', () => {
  assert.deepEqual(electOffline([1, 2, 3], state(1, [1, 3]), live(2, 3), true), { leader: 3, isr: [3] });
});

test('the preferred leader is the first of the assignment if it is live and in sync', () => {
  assert.deepEqual(electPreferred([1, 2], state(2, [2, 1]), live(1, 2)), { leader: 1, isr: [2, 1] });
  assert.equal(electPreferred([1, 2], state(2, [2]), live(1, 2)), undefined);
  assert.equal(electPreferred([1, 2], state(2, [2, 1]), live(2)), undefined);
});

test('a leaving broker hands over to a live replica in sync that stays, and leaves the ISR', () => {
  const leaving = live(1);
  assert.deepEqual(electForShutdown([1, 2, 3], state(1, [1, 2, 3]), live(1, 2, 3), leaving), {
    leader: 2,
    isr: [2, 3],
  });
  assert.deepEqual(electForShutdown([1, 2, 3], state(1, [1, 3]), live(1, 2, 3), leaving), { leader: 3, isr: [3] });
  assert.equal(electForShutdown([1, 2], state(1, [1, 2]), live(1), leaving), undefined);
  assert.equal(electForShutdown([1, 2], state(1, [1, 2]), live(1, 2), live(1, 2)), undefined);
});

test('a clean election never makes a leader of a broker that is dead, not assigned or not in sync', () => {
  const ids = fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { maxLength: 5 });
  fc.assert(
    fc.property(ids, ids, ids, ids, (replicas, isr, alive, leaving) => {
      const before = state(replicas[0] ?? -1, isr);
      const elected = [
        electOffline(replicas, before, new Set(alive), false),
        electPreferred(replicas, before, new Set(alive)),
        electForShutdown(replicas, before, new Set(alive), new Set(leaving)),
      ];
      for (const election of elected) {
        if (election === undefined) continue;
        for (const among of [replicas, isr, alive, election.isr]) assert.ok(among.includes(election.leader));
        assert.ok(election.isr.every((id) => isr.includes(id)));
      }
      const [, , handedOver] = elected;
      if (handedOver !== undefined) assert.ok(!leaving.some((id) => handedOver.isr.includes(id)));
    }),
  );
});
