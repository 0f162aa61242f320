import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { makeZxid, type Zxid } from '../jute/ids.ts';
import { Proposals } from './proposals.ts';
import { majority } from './quorum-verifier.ts';

const epoch = makeZxid(5, 0);
const zxid = (count: number): Zxid => makeZxid(5, count);
const three = [majority([1, 2, 3])];

test('a proposal is committed when a quorum has it, once', () => {
  const proposals = new Proposals(epoch);
  proposals.propose(zxid(1), three);
  assert.deepEqual(proposals.acknowledge(zxid(1), 1), []);
  assert.deepEqual(proposals.acknowledge(zxid(1), 1), [], 'one server counts once');
  assert.deepEqual(proposals.acknowledge(zxid(1), 9), [], 'who is no voter does not count');
  assert.deepEqual(proposals.acknowledge(zxid(1), 3), [zxid(1)]);
  assert.deepEqual(proposals.acknowledge(zxid(1), 2), [], 'a late one is normal');
  assert.deepEqual([proposals.lastCommitted, proposals.size], [zxid(1), 0]);
});

test('what was never proposed is not committed by whoever says that he has it', () => {
  const proposals = new Proposals(epoch);
  for (const server of [1, 2, 3]) {
    for (const odd of [zxid(0), zxid(7), makeZxid(4, 1)]) assert.deepEqual(proposals.acknowledge(odd, server), []);
  }
});

test('while the membership changes, both have to agree', () => {
  const proposals = new Proposals(epoch);
  proposals.propose(zxid(1), [...three, majority([3, 4, 5])]);
  for (const server of [1, 2, 4]) assert.deepEqual(proposals.acknowledge(zxid(1), server), []);
  assert.deepEqual(proposals.acknowledge(zxid(1), 5), [zxid(1)]);
});

test('in whatever order servers acknowledge, commits are in order, each with its quorum, and in the end all are', () => {
  const acks = fc.array(fc.tuple(fc.nat(7), fc.nat(4)), { maxLength: 200 });
  fc.assert(
    fc.property(acks, fc.constantFrom(3, 5), (order, servers) => {
      const verifiers = [majority(Array.from({ length: servers }, (_, index) => index))];
      const proposals = new Proposals(epoch);
      for (let count = 1; count <= 8; count += 1) proposals.propose(zxid(count), verifiers);
      const seen = new Map<Zxid, Set<number>>();
      const committed: Zxid[] = [];
      const acknowledge = (count: number, server: number): void => {
        const at = zxid(count);
        seen.set(at, (seen.get(at) ?? new Set()).add(server));
        for (const each of proposals.acknowledge(at, server)) {
          assert.ok([...(seen.get(each) ?? [])].filter((id) => id < servers).length > servers / 2);
          committed.push(each);
        }
      };
      for (const [index, server] of order) acknowledge(index + 1, server);
      for (let count = 1; count <= 8; count += 1) for (let id = 0; id < servers; id += 1) acknowledge(count, id);
      assert.deepEqual(
        committed,
        Array.from({ length: 8 }, (_, index) => zxid(index + 1)),
      );
    }),
  );
});
