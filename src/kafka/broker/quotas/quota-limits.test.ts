import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { QuotaEntity } from '../../zk/quota-znodes.ts';
import { QuotaLimits } from './quota-limits.ts';

/** The eight levels, the most specific first. */
const levels: readonly QuotaEntity[] = [
  { user: 'u', clientId: 'c' },
  { user: 'u', clientId: null },
  { user: 'u' },
  { user: null, clientId: 'c' },
  { user: null, clientId: null },
  { user: null },
  { clientId: 'c' },
  { clientId: null },
];

test('of all that are set, the most specific counts', () => {
  fc.assert(
    fc.property(fc.subarray([...levels.keys()], { minLength: 1 }), (chosen) => {
      const limits = new QuotaLimits();
      for (const level of chosen) limits.set(levels[level] as QuotaEntity, level);
      assert.equal(limits.limitOf(limits.bucketOf('u', 'c')), Math.min(...chosen));
    }),
  );
});

test('a quota that is taken back leaves the next; what was never set has no limit', () => {
  const limits = new QuotaLimits();
  assert.equal(limits.isEnabled, false);
  limits.set({ clientId: null }, 1);
  limits.set({ user: 'u', clientId: 'c' }, 2);
  limits.set({ user: 'u', clientId: 'c' }, undefined);
  assert.equal(limits.limitOf(limits.bucketOf('u', 'c')), 1);
  limits.set({ clientId: null }, undefined);
  assert.equal(limits.limitOf(limits.bucketOf('u', 'c')), undefined);
  assert.equal(limits.isEnabled, true, 'counting goes on');
});

test('clients of a user share its meter, users of a client id that of the id', () => {
  const limits = new QuotaLimits();
  limits.set({ user: 'u' }, 1);
  assert.deepEqual(limits.bucketOf('u', 'c1'), limits.bucketOf('u', 'c2'));
  limits.set({ clientId: 'c' }, 1);
  assert.deepEqual(limits.bucketOf('v', 'c'), limits.bucketOf('w', 'c'));
  limits.set({ user: null, clientId: null }, 1);
  assert.notDeepEqual(limits.bucketOf('v', 'c'), limits.bucketOf('w', 'c'));
});

test('a name that reads like the default is a name', () => {
  const limits = new QuotaLimits();
  limits.set({ user: null }, 1);
  limits.set({ user: '<default>' }, 2);
  assert.equal(limits.limitOf(limits.bucketOf('<default>', 'c')), 2);
  assert.equal(limits.limitOf(limits.bucketOf('u', 'c')), 1);
});

test('without a client id quotas of clients do not count', () => {
  const limits = new QuotaLimits();
  limits.set({ clientId: null }, 1);
  limits.set({ user: null, clientId: null }, 1);
  assert.equal(limits.limitOf(limits.bucketOf('u', '')), undefined);
});
