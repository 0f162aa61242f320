import assert from 'node:assert/strict';
import test from 'node:test';
import { hierarchical, majority } from './quorum-verifier.ts';

test('a majority is more than half of the voters; strangers do not count', () => {
  const four = majority([1, 2, 3, 4]);
  assert.equal(four.isQuorum([1, 2]), false);
  assert.equal(four.isQuorum([1, 2, 9, 10]), false);
  assert.equal(four.isQuorum([1, 2, 2, 2]), false);
  assert.equal(four.isQuorum([1, 2, 4]), true);
  assert.equal(majority([]).isQuorum([]), false);
});

test('more than half of the groups, each by more than half of its weight', () => {
  const members = new Map([
    [1, [1, 2, 3]],
    [2, [4, 5, 6]],
    [3, [7, 8, 9]],
  ]);
  const ids = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  const even = hierarchical(ids, { members, weights: new Map() });
  assert.equal(even.isQuorum([1, 2, 4, 5]), true);
  assert.equal(even.isQuorum([1, 2, 3, 4, 7]), false);
  const weighed = hierarchical(ids, {
    members,
    weights: new Map([
      [1, 5],
      [7, 0],
      [8, 0],
      [9, 0],
    ]),
  });
  assert.equal(weighed.weightOf(7), 0);
  assert.equal(weighed.isQuorum([1, 4, 5]), true, 'server 1 is its group; the third group weighs nothing');
  assert.equal(weighed.isQuorum([2, 3, 4, 5]), false);
  assert.equal(weighed.isQuorum([7, 8, 9, 4, 5, 6]), false);
});
