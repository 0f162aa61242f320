import assert from 'node:assert/strict';
import test from 'node:test';
import { parseMembership } from '../../src/zookeeper/quorum/membership.ts';
import { memberLine } from './ensemble-member.ts';
import { MembershipBook } from './membership-book.ts';

/** Participants of those ids. */
function text(version: bigint, ...ids: number[]): string {
  return [...ids.map((id) => memberLine(id, 'participant')), `version=${version.toString(16)}`].join('\n');
}

const membership = (version: bigint, ...ids: number[]) => parseMembership(text(version, ...ids));

test('a version is one membership, whatever the order of its lines', () => {
  const book = new MembershipBook();
  book.holds('m1', membership(7n, 1, 2, 3));
  book.holds('m2', membership(7n, 3, 2, 1));
  assert.throws(() => book.holds('m3', membership(7n, 1, 2)), /membership 0x7 is/);
  assert.throws(() => book.acknowledged(text(7n, 1, 2)), /membership 0x7 is/);
});

test('what operators wrote has no version, and may differ', () => {
  const book = new MembershipBook();
  book.holds('m1', membership(0n, 1, 2, 3));
  book.holds('m4', membership(0n, 1, 2, 3, 4));
  assert.deepEqual([...book.newest!.servers.keys()], [1, 2, 3]);
});

test('at rest all have the newest membership, and at least the one that was acknowledged', () => {
  const book = new MembershipBook();
  book.holds('m1', membership(7n, 1, 2, 3));
  book.acknowledged(text(9n, 1, 2));
  const [old, now] = [membership(7n, 1, 2, 3), membership(9n, 2, 1)];
  book.check([{ name: 'm1', membership: now }]);
  assert.throws(() => book.check([{ name: 'm1', membership: old }]), /0x9 was acknowledged, and m1 is at 0x7/);
  assert.throws(() => book.check([{ name: 'm1', membership: undefined }]), /was acknowledged/);
  book.holds('m2', membership(11n, 2, 3));
  assert.throws(() => book.check([{ name: 'm1', membership: now }]), /m1 has the membership/);
});
