import assert from 'node:assert/strict';
import test from 'node:test';
import { makeZxid, type Zxid } from '../jute/ids.ts';
import { LeaderStart, type LeaderStartEffect } from './leader-start.ts';
import { majority } from './quorum-verifier.ts';

const history = { currentEpoch: 4, lastZxid: makeZxid(4, 9) };

function leader(voters: readonly number[] = [1, 2, 3]): LeaderStart {
  return new LeaderStart({ self: 3, acceptedEpoch: 4, history, verifiers: [majority(voters)] });
}

const informed = (server: number, acceptedEpoch: number) =>
  ({ kind: 'informed', learner: server * 10, server, acceptedEpoch }) as const;
const promised = (server: number, currentEpoch = 4, lastZxid: Zxid = makeZxid(4, 9)) =>
  ({ kind: 'promised', learner: server * 10, server, history: { currentEpoch, lastZxid } }) as const;
const synchronised = (server: number, epoch: number) =>
  ({ kind: 'synchronised', learner: server * 10, server, zxid: makeZxid(epoch, 0) }) as const;
const kinds = (effects: readonly LeaderStartEffect[]): string[] => effects.map(({ kind }) => kind);

/** Up to where history is sent. */
function synchronising(): LeaderStart {
  const start = leader();
  start.step({ kind: 'begin' });
  start.step(informed(1, 7));
  start.step({ kind: 'epochAccepted' });
  start.step(promised(1));
  start.step({ kind: 'epochBegun' });
  return start;
}

test('the new epoch is above every epoch that a quorum has accepted, and told once it is on our disk', () => {
  const start = leader();
  assert.deepEqual(start.step({ kind: 'begin' }), []);
  assert.deepEqual(start.step(informed(9, 20)), [], 'who does not vote decides nothing, but its promise binds');
  assert.deepEqual(start.step(informed(1, 7)), [{ kind: 'acceptEpoch', epoch: 21 }]);
  assert.deepEqual(start.step(informed(2, 30)), [], 'too late to count');
  assert.deepEqual(start.step({ kind: 'epochAccepted' }), [
    { kind: 'tellEpoch', learner: 90, epoch: 21 },
    { kind: 'tellEpoch', learner: 10, epoch: 21 },
    { kind: 'tellEpoch', learner: 20, epoch: 21 },
  ]);
});

test('the epoch begins with the promises of a quorum, and history is sent once it is on our disk', () => {
  const start = leader();
  start.step({ kind: 'begin' });
  start.step(informed(1, 4));
  start.step({ kind: 'epochAccepted' });
  assert.deepEqual(start.step(promised(9)), []);
  assert.deepEqual(start.step(promised(1, -1)), [], 'a promise that was given before does not count again');
  start.step(informed(2, 4));
  assert.deepEqual(start.step(promised(2)), [{ kind: 'beginEpoch', epoch: 5 }]);
  assert.deepEqual(kinds(start.step({ kind: 'epochBegun' })), ['synchronise', 'synchronise', 'synchronise']);
});

test('a learner whose history is ahead of ours is not led by us', () => {
  for (const [epoch, zxid] of [
    [5, makeZxid(1, 1)],
    [4, makeZxid(4, 10)],
  ] as const) {
    const start = leader();
    start.step({ kind: 'begin' });
    start.step(informed(1, 4));
    start.step({ kind: 'epochAccepted' });
    assert.deepEqual(kinds(start.step(promised(1, epoch, zxid))), ['refuse']);
    assert.equal(start.phase, 'promising');
  }
});

test('clients are served once a quorum has our history, and all who have it are told', () => {
  const start = synchronising();
  assert.deepEqual(kinds(start.step(synchronised(9, 8))), [], 'who does not vote decides nothing');
  assert.deepEqual(start.step(synchronised(1, 8)), [
    { kind: 'serve' },
    { kind: 'upToDate', learner: 90 },
    { kind: 'upToDate', learner: 10 },
  ]);
  assert.deepEqual([...start.supporters], [3, 1]);
});

test('an acknowledgement of another epoch counts for nothing', () => {
  const start = synchronising();
  assert.deepEqual(kinds(start.step(synchronised(1, 7))), ['refuse']);
  assert.equal(start.phase, 'synchronising');
});

test('who comes late passes the same gates', () => {
  const start = synchronising();
  start.step(synchronised(1, 8));
  assert.deepEqual(start.step(informed(2, 3)), [{ kind: 'tellEpoch', learner: 20, epoch: 8 }]);
  assert.deepEqual(kinds(start.step(promised(2))), ['synchronise']);
  assert.deepEqual(kinds(start.step(synchronised(2, 8))), ['upToDate']);
});

test('while the membership changes, both have to have our history', () => {
  const start = new LeaderStart({
    self: 3,
    acceptedEpoch: 4,
    history,
    verifiers: [majority([1, 2, 3]), majority([3, 4, 5])],
  });
  start.step({ kind: 'begin' });
  start.step(informed(1, 4));
  start.step({ kind: 'epochAccepted' });
  start.step(promised(1));
  start.step({ kind: 'epochBegun' });
  assert.deepEqual(start.step(synchronised(1, 5)), []);
  assert.deepEqual(kinds(start.step(synchronised(4, 5))), ['serve', 'upToDate', 'upToDate']);
});

test('a connection that is gone is told nothing; a promise before any epoch was proposed is refused', () => {
  const start = leader();
  start.step({ kind: 'begin' });
  assert.deepEqual(kinds(start.step(promised(1))), ['refuse']);
  start.step(informed(1, 4));
  start.gone(10);
  assert.deepEqual(start.step({ kind: 'epochAccepted' }), []);
});
