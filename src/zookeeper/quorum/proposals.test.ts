import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { makeZxid, type Zxid } from '../jute/ids.ts';
import { Proposals } from './proposals.ts';
import { majority } from './quorum-verifier.ts';

const epoch = makeZxid(5, 0);
const zxid = (count: number): Zxid => makeZxid(5, count);
const three = [majority([1, 2, 3])];

/** What that acknowledgement commits. */
function acknowledge(proposals: Proposals, at: Zxid, server: number): Zxid[] {
  const before = proposals.lastCommitted;
  proposals.acknowledge(at, server);
  const count = proposals.advance();
  return Array.from({ length: count }, (_, index) => (before + BigInt(index + 1)) as Zxid);
}

test('a proposal is committed when a quorum has it, once', () => {
  const proposals = new Proposals(epoch);
  proposals.propose(zxid(1), three);
  assert.deepEqual(acknowledge(proposals, zxid(1), 1), []);
  assert.deepEqual(acknowledge(proposals, zxid(1), 1), [], 'one server counts once');
  assert.deepEqual(acknowledge(proposals, zxid(1), 9), [], 'who is no voter does not count');
  assert.deepEqual(acknowledge(proposals, zxid(1), 3), [zxid(1)]);
  assert.deepEqual(acknowledge(proposals, zxid(1), 2), [], 'a late one is normal');
  assert.deepEqual([proposals.lastCommitted, proposals.size], [zxid(1), 0]);
});

test('what was never proposed is not committed by whoever says that he has it', () => {
  const proposals = new Proposals(epoch);
  for (const server of [1, 2, 3]) {
    for (const odd of [zxid(0), zxid(7), makeZxid(4, 1)]) assert.deepEqual(acknowledge(proposals, odd, server), []);
  }
});

test('while the membership changes, both have to agree, and what comes before and after waits for its own', () => {
  const proposals = new Proposals(epoch);
  const both = [...three, majority([3, 4, 5])];
  proposals.propose(zxid(1), three);
  proposals.propose(zxid(2), both);
  proposals.propose(zxid(3), both);
  for (const server of [1, 4, 5]) assert.deepEqual(acknowledge(proposals, zxid(3), server), []);
  assert.deepEqual(acknowledge(proposals, zxid(1), 2), [zxid(1)], 'the old one decides alone');
  assert.deepEqual(acknowledge(proposals, zxid(2), 3), [zxid(2)]);
  const after = [majority([3, 4, 5])];
  proposals.propose(zxid(4), after);
  assert.deepEqual(acknowledge(proposals, zxid(4), 4), []);
  assert.deepEqual(acknowledge(proposals, zxid(4), 5), [], 'the new one alone does not decide what is before it');
  assert.deepEqual(acknowledge(proposals, zxid(4), 3), [zxid(3), zxid(4)]);
});

test('in whatever order servers log, commits are in order, each with its quorum, and in the end all are', () => {
  const logs = fc.array(fc.tuple(fc.nat(4), fc.integer({ min: 1, max: 3 })), { maxLength: 100 });
  fc.assert(
    fc.property(logs, fc.constantFrom(3, 5), (order, servers) => {
      const verifiers = [majority(Array.from({ length: servers }, (_, index) => index))];
      const proposals = new Proposals(epoch);
      for (let count = 1; count <= 8; count += 1) proposals.propose(zxid(count), verifiers);
      const logged = new Map<number, number>();
      const log = (server: number, count: number): void => {
        const to = Math.min(8, (logged.get(server) ?? 0) + count);
        logged.set(server, to);
        acknowledge(proposals, zxid(to), server);
        const quorum = [...logged].filter(([id]) => id < servers).map(([, end]) => end);
        const expected = quorum.sort((one, other) => other - one)[Math.floor(servers / 2)] ?? 0;
        assert.equal(proposals.lastCommitted, zxid(expected));
      };
      for (const [server, count] of order) log(server, count);
      for (let id = 0; id < servers; id += 1) log(id, 8);
      assert.equal(proposals.size, 0);
    }),
  );
});
