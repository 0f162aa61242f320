import assert from 'node:assert/strict';
import test from 'node:test';
import { MalformedError } from '../../wire/errors.ts';
import { Writer } from '../../wire/writer.ts';
import { makeZxid, type SessionId, type Zxid } from '../jute/ids.ts';
import { OpCode } from '../jute/op-codes.ts';
import { type Txn, writeTxnRecord } from '../jute/txn.ts';
import { LearnerBroadcast, type LearnerEffect, type LearnerEvent } from './learner-broadcast.ts';
import { writeDesignatedLeader, writeInformedActivation, writeRevalidationAnswer } from './packet-data.ts';
import { PacketType } from './quorum-packet.ts';

type Event = LearnerEvent<string, string>;
type Effect = LearnerEffect<string, string>;

const zxid = (count: number): Zxid => makeZxid(5, count);
const session = 0x1_0000n as SessionId;

function bytesOf(count: number, txn: Txn): Uint8Array {
  const to = new Writer(64);
  writeTxnRecord(to, { clientId: session, cxid: count, zxid: zxid(count), time: 7, type: txn.type }, txn, null);
  return to.finishFlat();
}
const change = (count: number): Uint8Array => bytesOf(count, { type: OpCode.createSession, timeOut: 1000 });
const reconfig = (count: number, data: Uint8Array | null = Buffer.from(`members ${count}`)): Uint8Array =>
  bytesOf(count, { type: OpCode.reconfig, path: '/zookeeper/config', data, version: -1 });

const receive = (type: number, at: Zxid, data: Uint8Array | null = null): Event => ({
  kind: 'received',
  packet: { type, zxid: at, data, authinfo: null },
});
const proposal = (count: number, bytes = change(count)): Event => receive(PacketType.PROPOSAL, zxid(count), bytes);
const commit = (count: number): Event => receive(PacketType.COMMIT, zxid(count));
const inform = (count: number): Event => receive(PacketType.INFORM, zxid(count), change(count));
const durable = (count: number): Event => ({ kind: 'durable', upTo: zxid(count) });
const commitAndActivate = (count: number, leader: number): Event =>
  receive(PacketType.COMMITANDACTIVATE, zxid(count), writeDesignatedLeader(leader));
const informAndActivate = (count: number, designatedLeader: number, bytes = reconfig(count)): Event =>
  receive(PacketType.INFORMANDACTIVATE, zxid(count), writeInformedActivation({ designatedLeader, proposal: bytes }));
const activated = (isOver: boolean): Event => ({ kind: 'activated', isOver });
const early = (count: number, bytes = change(count)): Event => ({
  kind: 'proposed',
  proposal: { zxid: zxid(count), bytes },
});
const earlyCommit = (count: number, designatedLeader?: number): Event => ({
  kind: 'committed',
  committed: { zxid: zxid(count), designatedLeader },
});
const revalidate = (waiter: string): Event => ({
  kind: 'revalidate',
  touch: { sessionId: session, timeoutMs: 9 },
  waiter,
});
const revalidated = (isValid: boolean): Event =>
  receive(PacketType.REVALIDATE, -1n as Zxid, writeRevalidationAnswer({ sessionId: session, isValid }));
const syncAsked = (waiter: string): Event => ({ kind: 'syncAsked', waiter });
const synced = receive(PacketType.SYNC, 0n as Zxid);

function show(effect: Effect): string {
  const countOf = (at: Zxid): string => String(Number(at & 0xffff_ffffn));
  const led = (leader: number | undefined): string => (leader === undefined ? '' : ` led by ${leader}`);
  switch (effect.kind) {
    case 'append': {
      const { membership, isInformed } = effect;
      const behind = membership === undefined ? '' : ` behind ${membership}`;
      return `append ${countOf(effect.proposal.zxid)}${behind}${isInformed ? ' agreed' : ''}`;
    }
    case 'acknowledge':
      return `acknowledge ${effect.proposals.map((each) => countOf(each.zxid)).join()}`;
    case 'deliver':
      return `deliver ${countOf(effect.proposal.zxid)}${led(effect.leader)}`;
    case 'activate':
      return `activate ${countOf(effect.zxid)} ${effect.membership}${led(effect.leader)}`;
    case 'send':
      return `send ${effect.packet.type}`;
    case 'answerPing':
      return `answerPing ${countOf(effect.zxid)}`;
    case 'synced':
      return `synced ${effect.waiter}`;
    case 'revalidated':
      return `revalidated ${effect.waiter} ${effect.isValid}`;
    case 'warn':
      return `warn: ${effect.message}`;
    case 'unknown':
      return `unknown ${effect.type}`;
    case 'leave':
      return 'leave';
    default:
      return effect satisfies never;
  }
}

interface Scenario {
  readonly name: string;
  readonly mode?: 'observer';
  readonly given: readonly Event[];
  /** Of the last event; of a refusal its text. */
  readonly want: readonly string[] | RegExp;
}

const scenarios: readonly Scenario[] = [
  { name: 'what is proposed is logged, and acknowledged to nobody yet', given: [proposal(1)], want: ['append 1'] },
  { name: 'it is acknowledged once it is on the disk', given: [proposal(1), durable(1)], want: ['acknowledge 1'] },
  {
    name: 'each proposal of one sync is acknowledged, and none behind it',
    given: [proposal(1), proposal(2), proposal(3), durable(2)],
    want: ['acknowledge 1,2'],
  },
  {
    name: 'once',
    given: [proposal(1), durable(1), durable(1)],
    want: [],
  },
  {
    name: 'a commit may come before the disk has it: a quorum has',
    given: [proposal(1), commit(1)],
    want: ['deliver 1'],
  },
  { name: 'it is acknowledged all the same', given: [proposal(1), commit(1), durable(1)], want: ['acknowledge 1'] },
  {
    name: 'commits come in the order of proposals: another is another history',
    given: [proposal(1), proposal(2), commit(2)],
    want: /^Committing zxid 0x500000002 but next pending txn is 0x500000001$/,
  },
  {
    name: 'a commit of what was never proposed is none of the protocol',
    given: [commit(1)],
    want: /^Committing zxid 0x500000001 but next pending txn is none$/,
  },
  { name: 'nor is a second one', given: [proposal(1), commit(1), commit(1)], want: /next pending txn is none$/ },
  {
    name: 'a gap between proposals is only warned of',
    given: [proposal(1), proposal(3)],
    want: ['warn: Got zxid 0x500000003 expected 0x500000002', 'append 3'],
  },
  { name: 'a proposal says something', given: [receive(PacketType.PROPOSAL, zxid(1))], want: /without data/ },
  {
    name: 'an observer logs and applies what it is informed of, and acknowledges nothing',
    mode: 'observer',
    given: [inform(1)],
    want: ['append 1 agreed', 'deliver 1'],
  },
  { name: 'also when it is on its disk', mode: 'observer', given: [inform(1), durable(1)], want: [] },
  {
    name: 'nor what was proposed before it was up to date',
    mode: 'observer',
    given: [early(1), durable(1)],
    want: [],
  },
  {
    name: 'a membership is in its file before it is in the log',
    given: [proposal(1, reconfig(1))],
    want: ['append 1 behind members 1'],
  },
  {
    name: 'it is in force before it is applied',
    given: [proposal(1, reconfig(1)), commitAndActivate(1, 3)],
    want: ['activate 1 members 1 led by 3'],
  },
  {
    name: 'then it is',
    given: [proposal(1, reconfig(1)), commitAndActivate(1, 3), activated(false)],
    want: ['deliver 1 led by 3'],
  },
  {
    name: 'whose role or leader is another one applies it and leaves',
    given: [proposal(1, reconfig(1)), commitAndActivate(1, 2), activated(true)],
    want: ['deliver 1 led by 2', 'leave'],
  },
  {
    name: 'what reaches the disk meanwhile is acknowledged',
    given: [proposal(1, reconfig(1)), proposal(2), commitAndActivate(1, 3), durable(2)],
    want: ['acknowledge 1,2'],
  },
  {
    name: 'only the next proposal is activated',
    given: [proposal(1), proposal(2, reconfig(2)), commitAndActivate(2, 3)],
    want: /next pending txn is 0x500000001$/,
  },
  { name: 'and only a membership', given: [proposal(1), commitAndActivate(1, 3)], want: /activation of no membership/ },
  {
    name: 'an observer hears of it with its leader, logs it and brings it into force',
    mode: 'observer',
    given: [informAndActivate(1, 3)],
    want: ['append 1 agreed', 'activate 1 members 1 led by 3'],
  },
  {
    name: 'then applies it',
    mode: 'observer',
    given: [informAndActivate(1, 3), activated(false)],
    want: ['deliver 1 led by 3'],
  },
  {
    name: 'what came before UPTODATE is logged',
    given: [early(1)],
    want: ['append 1'],
  },
  { name: 'and what of it is committed applied', given: [early(1), early(2), earlyCommit(1)], want: ['deliver 1'] },
  {
    name: 'a membership among it is in force first',
    given: [early(1, reconfig(1)), earlyCommit(1, 2)],
    want: ['activate 1 members 1 led by 2'],
  },
  { name: 'its proposals are acknowledged as all are', given: [early(1), durable(1)], want: ['acknowledge 1'] },
  { name: 'a ping is answered with its zxid', given: [receive(PacketType.PING, zxid(4))], want: ['answerPing 4'] },
  { name: 'a sync ends for who asked first', given: [syncAsked('a'), syncAsked('b'), synced], want: ['synced a'] },
  {
    name: 'then for the next',
    given: [syncAsked('a'), syncAsked('b'), synced, synced],
    want: ['synced b'],
  },
  { name: 'a sync that nobody asked for is none of the protocol', given: [synced], want: /nobody asked/ },
  { name: 'the leader is asked for a session', given: [revalidate('a')], want: [`send ${PacketType.REVALIDATE}`] },
  {
    name: 'each who asked for it hears one answer',
    given: [revalidate('a'), revalidate('b'), revalidated(true), revalidated(false)],
    want: ['revalidated b false'],
  },
  {
    name: 'an answer that nobody waits for does no harm',
    given: [revalidate('a'), revalidated(true), revalidated(true)],
    want: ['revalidated undefined true'],
  },
  { name: 'what is not known is passed over', given: [receive(99, zxid(1))], want: ['unknown 99'] },
];

for (const { name, mode = 'follower', given, want } of scenarios) {
  test(`learner: ${name}`, () => {
    const learner = new LearnerBroadcast<string, string>(mode);
    const last = given.at(-1) as Event;
    for (const event of given.slice(0, -1)) learner.step(event);
    if (want instanceof RegExp) {
      assert.throws(
        () => learner.step(last),
        (error: Error) => error instanceof MalformedError && want.test(error.message),
      );
    } else {
      assert.deepEqual(learner.step(last).map(show), want);
    }
  });
}

test('learner: packets wait while a membership is brought into force, and only then', () => {
  const learner = new LearnerBroadcast<string, string>('follower');
  const busy = [proposal(1, reconfig(1)), commitAndActivate(1, 3), durable(1), activated(false)].map((event) => {
    learner.step(event);
    return learner.isBusy;
  });
  assert.deepEqual(busy, [false, true, true, false]);
});

test('learner: what is refused leaves nothing outstanding that is not in the log', () => {
  const refused: readonly Event[] = [
    proposal(2, reconfig(2, null)),
    informAndActivate(2, 3, change(2)),
    informAndActivate(2, 3, reconfig(2, null)),
    informAndActivate(3, 3),
  ];
  for (const event of refused.slice(0, -1)) {
    const learner = new LearnerBroadcast<string, string>('observer');
    assert.throws(() => learner.step(event), MalformedError);
    assert.equal(learner.outstandingCount, 0);
  }
  for (const event of refused) {
    const learner = new LearnerBroadcast<string, string>('follower');
    learner.step(proposal(1));
    assert.throws(() => learner.step(event), MalformedError);
    assert.deepEqual(
      [...learner.outstanding].map(({ zxid: at }) => at),
      [zxid(1)],
    );
    assert.equal(learner.isBusy, false);
  }
});

test('learner: what is kept is no view of the connection', () => {
  const learner = new LearnerBroadcast<string, string>('follower');
  const bytes = Buffer.from(change(1));
  learner.step(receive(PacketType.PROPOSAL, zxid(1), bytes));
  const before = Buffer.from(bytes);
  bytes.fill(0);
  assert.deepEqual(
    [...learner.outstanding].map((each) => Buffer.from(each.bytes)),
    [before],
  );
});
