import assert from 'node:assert/strict';
import test from 'node:test';
import { Simulation } from '../../testing/index.ts';
import { ZERO_UUID } from '../../wire/schema.ts';
import { ErrorCode } from '../protocol/errors.ts';
import { type FetchedFacts, FetchSessions, type FetchTarget, type SessionRequest } from './fetch-sessions.ts';

const target = (partition: number, fetchOffset = 0): FetchTarget => ({
  topic: 't',
  topicId: ZERO_UUID,
  partition,
  fetchOffset,
  partitionMaxBytes: 100,
  currentLeaderEpoch: -1,
  lastFetchedEpoch: -1,
});
const request = (sessionId: number, sessionEpoch: number, more: Partial<SessionRequest> = {}): SessionRequest => ({
  sessionId,
  sessionEpoch,
  usesTopicIds: false,
  targets: [],
  forgotten: [],
  ...more,
});
const facts = (more: Partial<FetchedFacts> = {}): FetchedFacts => ({
  errorCode: 0,
  highWatermark: 5,
  logStartOffset: 0,
  recordBytes: 0,
  ...more,
});

function world(slots = 10) {
  const sim = new Simulation({ seed: 3 });
  const { clock, random } = sim.machine('broker').runtime;
  const sessions = new FetchSessions(slots, clock, random);
  /** Undefined where there is no room. */
  const open = (partitions: number[] = [0]): { readonly id: number } | undefined => {
    const outcome = sessions.resolve(request(0, 0, { targets: partitions.map((index) => target(index)) }));
    assert.ok(outcome.kind === 'full' && outcome.opens);
    const answered = outcome.targets.map((one) => ({ target: one, facts: facts({ highWatermark: -2 }) }));
    const id = sessions.open(answered, false);
    return id === 0 ? undefined : { id };
  };
  /** The session at its next request. */
  const next = (id: number, epoch: number) => {
    const outcome = sessions.resolve(request(id, epoch));
    assert.ok(outcome.kind === 'incremental');
    return outcome.session;
  };
  return { sim, sessions, open, next };
}

test('a session remembers its partitions: later requests name only what changed', () => {
  const { sessions, open } = world();
  const session = open([0, 1]);
  assert.ok(session);
  const first = sessions.resolve(request(session.id, 1));
  assert.ok(first.kind === 'incremental');
  assert.deepEqual(first.targets, [target(0), target(1)]);
  const moved = sessions.resolve(
    request(session.id, 2, {
      targets: [target(1, 9), target(2)],
      forgotten: [{ topic: 't', topicId: ZERO_UUID, partition: 0 }],
    }),
  );
  assert.ok(moved.kind === 'incremental');
  assert.deepEqual(moved.targets, [target(1, 9), target(2)]);
});

test('without a session, and with the last request of one, nothing is remembered', () => {
  const { sessions, open } = world();
  const none = sessions.resolve(request(0, -1, { targets: [target(0)] }));
  assert.ok(none.kind === 'full' && !none.opens);
  const session = open();
  const last = sessions.resolve(request(session?.id ?? 0, -1, { targets: [target(0)] }));
  assert.ok(last.kind === 'full' && !last.opens);
  assert.equal(sessions.size, 0);
});

test('an unknown session, a wrong epoch and a change to topic ids have their own errors', () => {
  const { sessions, open } = world();
  const id = open()?.id ?? 0;
  const code = (of: SessionRequest): number => {
    const outcome = sessions.resolve(of);
    return outcome.kind === 'error' ? outcome.errorCode : ErrorCode.NONE;
  };
  assert.equal(code(request(id === 1 ? 2 : 1, 1)), ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
  assert.equal(code(request(id, 2)), ErrorCode.INVALID_FETCH_SESSION_EPOCH);
  assert.equal(code(request(id, 1, { usesTopicIds: true })), ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR);
  assert.equal(code(request(id, 1)), ErrorCode.NONE);
  assert.equal(code(request(id, 1)), ErrorCode.INVALID_FETCH_SESSION_EPOCH, 'an epoch counts once');
});

test('the epoch begins again at 1 after the largest', () => {
  const { open, next } = world();
  const { id } = open() ?? { id: 0 };
  const session = next(id, 1);
  session.epoch = 0x7fffffff;
  next(id, 0x7fffffff);
  assert.equal(session.epoch, 1);
});

test('a session that fetches nothing any more is closed, and what its last request named is answered without one', () => {
  const { sessions, open } = world();
  const both = [0, 1].map((partition) => ({ topic: 't', topicId: ZERO_UUID, partition }));
  const outcome = sessions.resolve(request(open()?.id ?? 0, 1, { targets: [target(1)], forgotten: both }));
  assert.ok(outcome.kind === 'full' && !outcome.opens);
  assert.deepEqual(outcome.targets, [target(1)]);
  assert.equal(sessions.size, 0);
});

test('a full request closes the session that it names', () => {
  const { sessions, open } = world();
  const id = open()?.id ?? 0;
  sessions.resolve(request(id, 0, { targets: [target(0)] }));
  assert.equal(sessions.size, 0, 'the next begins with its answer');
  assert.equal(sessions.resolve(request(id, 1)).kind, 'error');
});

test('a partition is news when something changed, and as long as it is in error', () => {
  const { open, next } = world();
  const session = next(open()?.id ?? 0, 1);
  assert.equal(session.tell(target(0), facts()), true);
  assert.equal(session.tell(target(0), facts()), false);
  assert.equal(session.tell(target(0), facts({ highWatermark: 6 })), true);
  assert.equal(session.tell(target(0), facts({ highWatermark: 6, logStartOffset: 1 })), true);
  assert.equal(session.tell(target(0), facts({ highWatermark: 6, logStartOffset: 1, recordBytes: 9 })), true);
  const failed = facts({ errorCode: 6, highWatermark: -1, logStartOffset: -1 });
  assert.equal(session.tell(target(0), failed), true);
  assert.equal(session.tell(target(0), failed), true);
  assert.equal(session.tell(target(0), facts()), true, 'and when the error is over');
});

test('a partition that got records goes to the back', () => {
  const { open, next } = world();
  const session = next(open([0, 1, 2])?.id ?? 0, 1);
  session.tell(target(1), facts());
  session.tell(target(0), facts({ recordBytes: 9 }));
  assert.deepEqual(
    [...session.targets()].map(({ partition }) => partition),
    [1, 2, 0],
  );
});

test('a full cache gives way only what was idle for two minutes; the client goes on without a session', async () => {
  const { sim, sessions, open } = world(2);
  const first = open();
  const second = open();
  assert.equal(open(), undefined);
  await sim.runFor(119_000);
  sessions.resolve(request(second?.id ?? 0, 1));
  await sim.runFor(1000);
  assert.equal(open(), undefined, 'two minutes to the millisecond are not more');
  await sim.runFor(1);
  assert.ok(open());
  assert.equal(sessions.size, 2);
  assert.equal(sessions.resolve(request(first?.id ?? 0, 1)).kind, 'error');
  assert.equal(sessions.resolve(request(second?.id ?? 0, 2)).kind, 'incremental');
});

test('a session that has lived for two minutes gives way to a larger one, not to one of its size', async () => {
  const { sim, sessions, open, next } = world(2);
  const small = open([0])?.id ?? 0;
  const large = open([0, 1])?.id ?? 0;
  await sim.runFor(119_000);
  next(small, 1);
  next(large, 1);
  await sim.runFor(2_000);
  assert.equal(open([0, 1, 2]), undefined, 'when they were last used they were too young');
  next(small, 2);
  next(large, 2);
  assert.equal(open([0]), undefined);
  assert.ok(open([0, 1]));
  assert.equal(sessions.resolve(request(small, 3)).kind, 'error');
  assert.equal(sessions.resolve(request(large, 3)).kind, 'incremental');
});

test('a partition that is named twice is fetched once, as it was named last', () => {
  const { sessions } = world();
  const outcome = sessions.resolve(request(0, -1, { targets: [target(0, 1), target(1), target(0, 7)] }));
  assert.ok(outcome.kind === 'full');
  assert.deepEqual(outcome.targets, [target(0, 7), target(1)]);
});

test('a session by topic ids keeps the name that it has seen, also when the topic is gone', () => {
  const { sessions } = world();
  const byId = (partition: number, topicId: string): FetchTarget => ({ ...target(partition), topic: '', topicId });
  const names = new Map([['a', 'first']]);
  const asked = (id: number, epoch: number, targets: FetchTarget[]) =>
    sessions.resolve(request(id, epoch, { usesTopicIds: true, nameOf: (topicId) => names.get(topicId), targets }));
  const begun = asked(0, 0, [byId(0, 'a'), byId(0, 'b')]);
  assert.ok(begun.kind === 'full');
  const id = sessions.open(
    begun.targets.map((one) => ({ target: one, facts: facts() })),
    true,
  );
  const namesAt = (epoch: number, ...targets: FetchTarget[]) => {
    const outcome = asked(id, epoch, targets);
    assert.ok(outcome.kind === 'incremental');
    return outcome.targets.map(({ name }) => name);
  };
  names.delete('a');
  assert.deepEqual(namesAt(1), ['first', undefined]);
  names.set('b', 'second');
  assert.deepEqual(namesAt(2, byId(0, 'a'), byId(1, 'a')), ['first', 'second', undefined]);
  names.delete('b');
  assert.deepEqual(namesAt(3), ['first', 'second', undefined]);
});
