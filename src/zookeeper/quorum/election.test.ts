import assert from 'node:assert/strict';
import test from 'node:test';
import { makeZxid } from '../jute/ids.ts';
import { Election, type ElectionEffect } from './election.ts';
import type { Notification, PeerState } from './notification.ts';
import { majority, type ServerId } from './quorum-verifier.ts';

const LAST = makeZxid(1, 7);
const OLD = majority([1, 2, 3], 1n);
const NEXT = majority([3, 4, 5], 2n);

function looking(self: ServerId, verifiers: ConstructorParameters<typeof Election>[0]['verifiers']): Election {
  const election = new Election({ self, role: 'participant', verifiers, config: 'version=1' });
  election.step({ kind: 'look', lastZxid: LAST, currentEpoch: 1 });
  return election;
}

function says(state: PeerState, leader: ServerId, round = 1n): Notification {
  return { state, leader, zxid: LAST, electionEpoch: round, peerEpoch: 1n, version: 2, config: 'version=1' };
}

function heard(election: Election, from: ServerId, notification: Notification): ElectionEffect[] {
  return election.step({ kind: 'notified', from, notification });
}

const waits = (effects: readonly ElectionEffect[]): number | undefined =>
  effects.find((effect) => effect.kind === 'wait')?.ms;

test('while a membership is pending a quorum of the old one alone elects nobody', () => {
  const election = looking(3, [OLD, NEXT]);
  for (const id of [1, 2]) heard(election, id, says('LOOKING', 3));
  election.step({ kind: 'timeout', delivered: true });
  assert.equal(election.state, 'LOOKING');
  assert.equal(waits(heard(election, 5, says('LOOKING', 3))), 200);
  election.step({ kind: 'timeout', delivered: true });
  assert.equal(election.state, 'LEADING');
});

test('a pending membership that came to nothing keeps nobody from a leader whom a quorum follows', () => {
  const election = looking(2, [OLD, majority([2, 4, 5], 2n)]);
  heard(election, 1, says('FOLLOWING', 3, 5n));
  assert.equal(election.state, 'LOOKING');
  heard(election, 3, says('LEADING', 3, 5n));
  assert.equal(election.state, 'FOLLOWING');
});

test('who votes in the next membership alone takes others along into its round', () => {
  const nobody = Number(-(2n ** 63n));
  const election = looking(3, [OLD, NEXT]);
  const effects = heard(election, 5, says('LOOKING', nobody, 4n));
  assert.equal(election.logicalClock, 4n);
  const sent = effects.flatMap((effect) => (effect.kind === 'send' && effect.to === 5 ? [effect.notification] : []));
  assert.deepEqual(
    sent.map(({ leader, electionEpoch }) => [leader, electionEpoch]),
    [[3, 4n]],
  );
});

test('another membership counts from the next round on, and its text is told at once', () => {
  const election = looking(4, [OLD]);
  election.step({
    kind: 'reconfigured',
    electorate: { role: 'observer', verifiers: [NEXT], config: 'version=2' },
  });
  const effects = election.step({ kind: 'look', lastZxid: LAST, currentEpoch: 1 });
  const sent = effects.flatMap((effect) => (effect.kind === 'send' ? [effect] : []));
  assert.deepEqual(
    sent.map(({ to, notification }) => [to, notification.config]),
    [
      [3, 'version=2'],
      [5, 'version=2'],
    ],
  );
  heard(election, 5, says('FOLLOWING', 3, 9n));
  heard(election, 3, says('LEADING', 3, 9n));
  assert.equal(election.state, 'OBSERVING');
});

test('of a designated leader others hear as of an elected one', () => {
  const election = looking(1, [OLD]);
  election.step({ kind: 'designated', state: 'FOLLOWING', leader: 2, zxid: LAST });
  election.step({ kind: 'epochBegan', epoch: 2 });
  const [effect] = heard(election, 3, says('LOOKING', 3));
  assert.ok(effect?.kind === 'send');
  const { state, leader, peerEpoch } = effect.notification;
  assert.deepEqual([state, leader, peerEpoch], ['FOLLOWING', 2, 2n]);
});

test('a leader that looks in a later round has not been elected: who found it comes to that round', () => {
  const election = looking(2, [OLD]);
  for (const id of [1, 3]) heard(election, id, says('LOOKING', 3));
  assert.equal(election.state, 'FOLLOWING');
  const looks = (from: ServerId, round: bigint): boolean =>
    heard(election, from, says('LOOKING', 3, round)).some(({ kind }) => kind === 'leaderLooks');
  assert.equal(looks(3, 1n), false, 'it has not counted all votes yet');
  assert.equal(looks(1, 9n), false, 'another voter may look for reasons of its own');
  assert.equal(looks(3, 9n), true);
  election.step({ kind: 'look', lastZxid: LAST, currentEpoch: 1 });
  assert.equal(election.logicalClock, 9n);
});

test('who has no vote leaves those behind it where they are', () => {
  const election = looking(4, [OLD]);
  assert.equal(election.logicalClock, 1n);
  heard(election, 3, says('LOOKING', 3, 6n));
  const sends = (effects: readonly ElectionEffect[]): number => effects.filter(({ kind }) => kind === 'send').length;
  assert.equal(sends(heard(election, 2, says('LOOKING', 3, 5n))), 0);
  assert.equal(sends(heard(looking(1, [OLD]), 2, says('LOOKING', 3, 0n))), 1);
});
