import assert from 'node:assert/strict';
import test from 'node:test';
import { MalformedError } from '../../wire/errors.ts';
import { makeZxid, type Zxid } from '../jute/ids.ts';
import { LearnerStart, type LearnerStartEffect } from './learner-start.ts';
import { readAckEpoch, readLearnerInfo, writeDesignatedLeader, writeLeaderInfo } from './packet-data.ts';
import { PacketType, type QuorumPacket } from './quorum-packet.ts';

const zxid = (count: number): Zxid => makeZxid(4, count);
const packet = (type: number, at: Zxid, data: Uint8Array | null = null): QuorumPacket => ({
  type,
  zxid: at,
  data,
  authinfo: null,
});

class Learner {
  readonly start: LearnerStart;

  constructor(needsAll = false) {
    this.start = new LearnerStart({
      self: 2,
      role: 'participant',
      acceptedEpoch: 4,
      currentEpoch: 3,
      lastLoggedZxid: zxid(5),
      configVersion: 7n,
      needsAll,
    });
  }

  receive(type: number, at: Zxid, data: Uint8Array | null = null): LearnerStartEffect[] {
    return this.start.step({ kind: 'received', packet: packet(type, at, data) });
  }

  done(): LearnerStartEffect[] {
    return this.start.step({ kind: 'done' });
  }

  /** Up to the way of synchronisation. */
  register(): this {
    this.start.step({ kind: 'connected' });
    this.receive(PacketType.LEADERINFO, makeZxid(5, 0), writeLeaderInfo());
    this.done();
    return this;
  }

  propose(count: number): LearnerStartEffect[] {
    return this.receive(PacketType.PROPOSAL, zxid(count), Buffer.from([count]));
  }
}

const sent = (effects: readonly LearnerStartEffect[]): QuorumPacket[] =>
  effects.flatMap((effect) => (effect.kind === 'send' ? [effect.packet] : []));

test('who follows says who it is, and promises the epoch once the promise is on its disk', () => {
  const learner = new Learner();
  const [info] = sent(learner.start.step({ kind: 'connected' }));
  assert.deepEqual([info?.type, info?.zxid], [PacketType.FOLLOWERINFO, makeZxid(4, 0)]);
  assert.deepEqual(readLearnerInfo(info?.data ?? null), { server: 2, protocolVersion: 0x10000, configVersion: 7n });
  assert.deepEqual(learner.receive(PacketType.LEADERINFO, makeZxid(5, 0), writeLeaderInfo()), [
    { kind: 'acceptEpoch', epoch: 5 },
  ]);
  const [ack] = sent(learner.done());
  assert.deepEqual([ack?.type, ack?.zxid, readAckEpoch(ack?.data ?? null)], [PacketType.ACKEPOCH, zxid(5), 3]);
});

test('an epoch that was promised before is not promised again; an older one is not promised at all', () => {
  const again = new Learner();
  again.start.step({ kind: 'connected' });
  const [ack] = sent(again.receive(PacketType.LEADERINFO, makeZxid(4, 0), writeLeaderInfo()));
  assert.equal(readAckEpoch(ack?.data ?? null), -1);
  const older = new Learner();
  older.start.step({ kind: 'connected' });
  assert.throws(() => older.receive(PacketType.LEADERINFO, makeZxid(3, 0), writeLeaderInfo()), MalformedError);
});

test('what is committed before NEWLEADER is made ours before it is acknowledged, the rest is logged when clients may come', () => {
  const learner = new Learner().register();
  learner.receive(PacketType.DIFF, zxid(8));
  for (const count of [6, 7, 8]) learner.propose(count);
  for (const count of [6, 7]) assert.deepEqual(learner.receive(PacketType.COMMIT, zxid(count)), []);
  const [adopt, ...rest] = learner.receive(PacketType.NEWLEADER, makeZxid(5, 0), Buffer.from('members'));
  assert.deepEqual(rest, []);
  assert.equal(adopt?.kind, 'adoptHistory');
  assert.deepEqual(adopt?.kind === 'adoptHistory' && [adopt.epoch, adopt.proposals.map((each) => each.zxid)], [
    5,
    [zxid(6), zxid(7)],
  ]);
  assert.ok(learner.start.isBusy);
  assert.deepEqual(sent(learner.done()), [packet(PacketType.ACK, makeZxid(5, 0))]);
  learner.receive(PacketType.COMMIT, zxid(8));
  learner.propose(9);
  const designation = writeDesignatedLeader(3);
  learner.receive(PacketType.COMMITANDACTIVATE, zxid(9), designation);
  const [ack, serve] = learner.receive(PacketType.UPTODATE, -1n as Zxid);
  assert.deepEqual(ack, { kind: 'send', packet: packet(PacketType.ACK, makeZxid(5, 0)) });
  assert.ok(serve?.kind === 'serve');
  assert.deepEqual(
    serve.proposals.map((each) => each.zxid),
    [zxid(8), zxid(9)],
  );
  assert.deepEqual(serve.committed, [
    { zxid: zxid(8), designatedLeader: undefined },
    { zxid: zxid(9), designatedLeader: 3 },
  ]);
  assert.equal(String(serve.config), 'members');
});

test('what is committed behind a snapshot belongs to it until NEWLEADER, and to the log after that', () => {
  const learner = new Learner().register();
  assert.deepEqual(learner.receive(PacketType.SNAP, zxid(20)), [{ kind: 'receiveSnapshot', zxid: zxid(20) }]);
  learner.done();
  learner.propose(21);
  assert.deepEqual(
    learner.receive(PacketType.COMMIT, zxid(21)).map(({ kind }) => kind),
    ['apply'],
  );
  learner.propose(22);
  const [adopt] = learner.receive(PacketType.NEWLEADER, makeZxid(5, 0));
  assert.deepEqual(adopt?.kind === 'adoptHistory' && adopt.proposals, []);
  learner.done();
  assert.deepEqual(learner.receive(PacketType.COMMIT, zxid(22)), []);
});

test('a history is cut before anything is added to it', () => {
  const learner = new Learner().register();
  assert.deepEqual(learner.receive(PacketType.TRUNC, zxid(3)), [{ kind: 'truncate', zxid: zxid(3) }]);
  assert.ok(learner.start.isBusy);
  assert.deepEqual(learner.done(), []);
  assert.deepEqual(learner.propose(4), []);
});

test('an observer is informed of what is committed', () => {
  const learner = new Learner().register();
  learner.receive(PacketType.DIFF, zxid(6));
  learner.receive(PacketType.INFORM, zxid(6), Buffer.from([6]));
  const [adopt] = learner.receive(PacketType.NEWLEADER, makeZxid(5, 0));
  assert.deepEqual(adopt?.kind === 'adoptHistory' && adopt.proposals.map((each) => each.zxid), [zxid(6)]);
});

test('what no leader sends ends it', () => {
  const gap = new Learner().register();
  gap.receive(PacketType.DIFF, zxid(9));
  gap.propose(6);
  assert.throws(() => gap.propose(8), MalformedError, 'a gap');
  const strange = new Learner().register();
  assert.throws(() => strange.receive(PacketType.COMMIT, zxid(6)), MalformedError, 'in place of a way');
  const early = new Learner().register();
  early.receive(PacketType.DIFF, zxid(5));
  assert.throws(() => early.receive(PacketType.UPTODATE, -1n as Zxid), MalformedError, 'before NEWLEADER');
  assert.throws(() => early.receive(PacketType.COMMIT, zxid(6)), MalformedError, 'never proposed');
});

test('who cannot use its history says so to a leader that it has promised, and takes what comes for all there is', () => {
  const learner = new Learner(true);
  learner.start.step({ kind: 'connected' });
  const [ack] = sent(learner.receive(PacketType.LEADERINFO, makeZxid(4, 0), writeLeaderInfo()));
  assert.deepEqual([ack?.type, ack?.zxid, readAckEpoch(ack?.data ?? null)], [PacketType.ACKEPOCH, 0n, -1]);
  assert.deepEqual(learner.receive(PacketType.DIFF, zxid(1)), [{ kind: 'receiveNothing' }]);
  learner.propose(1);
  assert.deepEqual(
    learner.receive(PacketType.COMMIT, zxid(1)).map(({ kind }) => kind),
    ['apply'],
  );
});

test('to a new leader its history still counts', () => {
  const learner = new Learner(true);
  learner.start.step({ kind: 'connected' });
  learner.receive(PacketType.LEADERINFO, makeZxid(5, 0), writeLeaderInfo());
  const [ack] = sent(learner.done());
  assert.deepEqual([ack?.zxid, readAckEpoch(ack?.data ?? null)], [zxid(5), 3]);
  assert.deepEqual(learner.receive(PacketType.DIFF, zxid(5)), []);
});
