import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ErrorCode, KafkaError } from '../../protocol/errors.ts';
import type { DelegationToken } from './delegation-token.ts';
import { expireToken, issueToken, renewToken } from './token-rules.ts';

const limits = { maxLifetimeMs: 1000, renewPeriodMs: 100 };
const user = (name: string) => ({ type: 'User', name });
const [ann, bob, eve] = [user('ann'), user('bob'), user('eve')];
const fresh = { tokenId: 'id', owner: ann, requester: eve, renewers: [bob] };
const NOW = 50_000;
const token: DelegationToken = issueToken(fresh, -1, NOW, limits);

const lifetimes = [
  { name: 'the longest where none is asked for', asked: -1, max: 1000, expiry: 100 },
  { name: 'the longest where it is zero', asked: 0, max: 1000, expiry: 100 },
  { name: 'as asked for', asked: 500, max: 500, expiry: 100 },
  { name: 'no longer than the longest', asked: 5000, max: 1000, expiry: 100 },
  { name: 'shorter than a renewal’s period', asked: 7, max: 7, expiry: 7 },
];
for (const { name, asked, max, expiry } of lifetimes) {
  test(`a token lives ${name}`, () => {
    const { issueTimestampMs, maxTimestampMs, expiryTimestampMs } = issueToken(fresh, asked, NOW, limits);
    assert.deepEqual([issueTimestampMs, maxTimestampMs, expiryTimestampMs], [NOW, NOW + max, NOW + expiry]);
  });
}

type Outcome = number | 'gone' | 'NOT_FOUND' | 'OWNER_MISMATCH' | 'EXPIRED';

function outcomeOf(run: () => DelegationToken | undefined): Outcome {
  try {
    const changed = run();
    return changed === undefined ? 'gone' : changed.expiryTimestampMs - NOW;
  } catch (error) {
    assert.ok(error instanceof KafkaError);
    return error.name.replace('DELEGATION_TOKEN_', '') as Outcome;
  }
}

const cases: {
  name: string;
  given?: DelegationToken;
  by?: typeof ann;
  periodMs: number;
  at?: number;
  renewed: Outcome;
  expired: Outcome;
}[] = [
  { name: 'the owner', given: token, periodMs: 40, at: 10, renewed: 50, expired: 50 },
  { name: 'a renewer', given: token, by: bob, periodMs: 40, renewed: 40, expired: 40 },
  {
    name: 'whoever asked for it, for another',
    given: token,
    by: eve,
    periodMs: 40,
    renewed: 'OWNER_MISMATCH',
    expired: 'OWNER_MISMATCH',
  },
  {
    name: 'an owner of another type',
    given: token,
    by: { type: 'Group', name: 'ann' },
    periodMs: 4,
    renewed: 'OWNER_MISMATCH',
    expired: 'OWNER_MISMATCH',
  },
  { name: 'somebody with a secret that is none', periodMs: 40, renewed: 'NOT_FOUND', expired: 'NOT_FOUND' },
  { name: 'the owner with no period', given: token, periodMs: 0, at: 10, renewed: 10, expired: 10 },
  { name: 'the owner with a period below zero', given: token, periodMs: -1, at: 10, renewed: 110, expired: 'gone' },
  { name: 'the owner beyond the longest life', given: token, periodMs: 5000, renewed: 1000, expired: 1000 },
  { name: 'the owner beyond all time', given: token, periodMs: Number.MAX_SAFE_INTEGER, renewed: 1000, expired: 1000 },
  { name: 'the owner in the token’s last moment', given: token, periodMs: 40, at: 100, renewed: 140, expired: 140 },
  { name: 'the owner a moment later', given: token, periodMs: 40, at: 101, renewed: 'EXPIRED', expired: 'EXPIRED' },
  {
    name: 'the owner of what is over, at once',
    given: token,
    periodMs: -1,
    at: 101,
    renewed: 'EXPIRED',
    expired: 'gone',
  },
  {
    name: 'a stranger of what is over',
    given: token,
    by: user('mallory'),
    periodMs: 1,
    at: 101,
    renewed: 'OWNER_MISMATCH',
    expired: 'OWNER_MISMATCH',
  },
];
for (const { name, given, by = ann, periodMs, at = 0, renewed, expired } of cases) {
  test(`${name} renews a token, and ends it`, () => {
    const request = { principal: by, periodMs, nowMs: NOW + at };
    assert.equal(
      outcomeOf(() => renewToken(given, request, limits)),
      renewed,
    );
    assert.equal(
      outcomeOf(() => expireToken(given, request)),
      expired,
    );
  });
}

test('whatever is asked for, no token outlives its longest life', () => {
  const periods = fc.array(fc.integer({ min: -2, max: 3000 }), { maxLength: 20 });
  fc.assert(
    fc.property(fc.integer({ min: -1, max: 3000 }), periods, (lifetimeMs, asked) => {
      let nowMs = NOW;
      let current = issueToken(fresh, lifetimeMs, nowMs, limits);
      const longestMs = current.maxTimestampMs;
      assert.ok(longestMs <= NOW + limits.maxLifetimeMs);
      for (const periodMs of asked) {
        const request = { principal: ann, periodMs, nowMs };
        try {
          current =
            (periodMs % 2 === 0 ? expireToken(current, request) : undefined) ?? renewToken(current, request, limits);
        } catch (error) {
          assert.ok(error instanceof KafkaError && error.code === ErrorCode.DELEGATION_TOKEN_EXPIRED);
          assert.ok(current.expiryTimestampMs < nowMs);
        }
        assert.ok(current.expiryTimestampMs <= longestMs);
        assert.equal(current.maxTimestampMs, longestMs);
        nowMs += 37;
      }
    }),
  );
});
