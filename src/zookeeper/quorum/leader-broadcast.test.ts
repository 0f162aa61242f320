import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { makeZxid, type Zxid } from '../jute/ids.ts';
import { LeaderBroadcast } from './leader-broadcast.ts';
import type { BroadcastProposal, LeaderEffect, LeaderEvent, MembershipChange } from './leader-events.ts';
import { parseMembership } from './membership.ts';
import { OracleVerifier } from './oracle-verifier.ts';
import { majority, type QuorumVerifier } from './quorum-verifier.ts';

type Event = LeaderEvent<BroadcastProposal, string>;
type Effect = LeaderEffect<BroadcastProposal, string>;

const SELF = 1;
const epoch = makeZxid(5, 0);
const zxid = (count: number): Zxid => makeZxid(5, count);
const three: readonly QuorumVerifier[] = [majority([1, 2, 3])];
const membership = (servers: readonly number[], version: bigint) =>
  parseMembership([...servers.map((id) => `server.${id}=h${id}:1:2`), `version=${version.toString(16)}`].join('\n'));
const old = membership([1, 2, 3], 1n);
/** Server 2 and 3 are replaced. */
const without23: MembershipChange = { before: old, next: membership([1, 4, 5], 0x5_0000_0002n) };
/** The leader itself is. */
const without1: MembershipChange = { before: old, next: membership([2, 3, 4], 0x5_0000_0002n) };
const both = ({ before, next }: MembershipChange): readonly QuorumVerifier[] => [before.verifier, next.verifier];

const propose = (count: number, change?: MembershipChange, verifiers = three): Event => ({
  kind: 'propose',
  proposal: { zxid: zxid(count), change },
  verifiers: change === undefined ? verifiers : both(change),
});
const ack = (from: number, count: number, learner?: number): Event => ({
  ...{ kind: 'acknowledged', from, zxid: zxid(count), learner },
});
const join = (learner: number, server: number, isObserver = false): Event => ({
  ...{ kind: 'join', learner, server, isObserver },
});
const presence = (servers: readonly number[], verifiers = three) => ({
  heard: servers.map((server) => ({ learner: server * 10, server })),
  verifiers,
});
const tick = (servers: readonly number[], nowMs = 0, verifiers = three): Event => ({
  ...{ kind: 'tick', nowMs, presence: presence(servers, verifiers) },
});
const count: Event = { kind: 'count' };
const sync = (mark: string): Event => ({ kind: 'sync', mark });
const activated: Event = { kind: 'activated', handOverUntilMs: 1000 };
const two: readonly Event[] = [join(20, 2), join(30, 3)];

/** As a table shows it: `commit 1,2 > 20,30 / 40`. */
function show(effect: Effect): string {
  const countOf = (at: Zxid): string => String(Number(at & 0xffff_ffffn));
  const counts = (proposals: readonly BroadcastProposal[]): string =>
    proposals.map((each) => countOf(each.zxid)).join();
  switch (effect.kind) {
    case 'propose':
      return `propose ${countOf(effect.proposal.zxid)} > ${effect.to}`;
    case 'append':
      return `append ${countOf(effect.proposal.zxid)}`;
    case 'commit': {
      const leader = effect.leader === undefined ? '' : ` led by ${effect.leader}`;
      return `commit ${counts(effect.proposals)}${leader} > ${effect.followers} / ${effect.observers}`;
    }
    case 'deliver':
      return `deliver ${effect.items.map((item) => (typeof item === 'string' ? item : countOf(item.zxid))).join()}`;
    case 'activate':
      return `activate ${countOf(effect.proposal.zxid)} led by ${effect.leader}`;
    case 'owe':
      return `owe ${effect.learner} ${counts(effect.proposals)}`;
    case 'ping':
      return `ping ${countOf(effect.zxid)} > ${effect.to}`;
    case 'resign':
      return `resign: ${effect.reason}`;
    case 'count':
      return 'count';
    default:
      return effect satisfies never;
  }
}

interface Scenario {
  readonly name: string;
  readonly given: readonly Event[];
  /** Of the last event. */
  readonly want: readonly string[];
}

const scenarios: readonly Scenario[] = [
  {
    name: 'what is proposed goes to followers and into our own log, and to no observer',
    given: [...two, join(40, 4, true), propose(1)],
    want: ['propose 1 > 20,30', 'append 1'],
  },
  {
    name: 'our own log is one of a quorum, and alone none',
    given: [...two, propose(1), ack(SELF, 1), count],
    want: [],
  },
  {
    name: 'a quorum commits: followers and observers are told, then it is applied here',
    given: [...two, join(40, 4, true), propose(1), ack(SELF, 1), ack(3, 1), count],
    want: ['commit 1 > 20,30 / 40', 'deliver 1'],
  },
  {
    name: 'acknowledgements that came together commit together, in the order of proposals',
    given: [...two, propose(1), propose(2), propose(3), ack(2, 3), ack(SELF, 2), count],
    want: ['commit 1,2 > 20,30 / ', 'deliver 1,2'],
  },
  { name: 'who has it all has what is before it', given: [propose(1), propose(2), ack(2, 2)], want: ['count'] },
  {
    name: 'a late acknowledgement asks for nothing',
    given: [propose(1), ack(SELF, 1), ack(2, 1), count, ack(3, 1)],
    want: [],
  },
  { name: 'nor does one of what was never proposed', given: [propose(1), ack(2, 7)], want: [] },
  {
    name: 'what is committed is committed once',
    given: [propose(1), ack(SELF, 1), ack(2, 1), count, count],
    want: [],
  },
  {
    name: 'a follower that comes is owed what is proposed and not committed',
    given: [propose(1), propose(2), propose(3), ack(SELF, 1), ack(2, 1), count, join(30, 3)],
    want: ['owe 30 2,3'],
  },
  { name: 'an observer is not: it hears of commits', given: [propose(1), join(40, 4, true)], want: [] },
  {
    name: 'what a follower had before it came again it may have truncated: that counts for nothing',
    given: [join(20, 2), propose(1), ack(2, 1, 20), join(21, 2), ack(SELF, 1), count],
    want: [],
  },
  {
    name: 'nor does what its connection of before says late',
    given: [join(20, 2), propose(1), join(21, 2), ack(2, 1, 20)],
    want: [],
  },
  {
    name: 'once it has logged it again it counts',
    given: [join(20, 2), propose(1), ack(2, 1, 20), join(21, 2), ack(SELF, 1), ack(2, 1, 21), count],
    want: ['commit 1 > 20,21 / ', 'deliver 1'],
  },
  {
    name: 'who is gone is told no more; connections are told in the order in which they came',
    given: [join(30, 3), ...two, join(15, 2), { kind: 'gone', learner: 20 }, propose(1)],
    want: ['propose 1 > 15,30', 'append 1'],
  },
  { name: 'a sync with nothing before it is due at once', given: [sync('a')], want: ['count'] },
  { name: 'one behind a proposal is not', given: [propose(1), sync('a')], want: [] },
  {
    name: 'a sync comes behind the commits before it, and before those behind it',
    given: [join(20, 2), propose(1), sync('a'), sync('b'), propose(2), ack(SELF, 2), ack(2, 2), count],
    want: ['commit 1 > 20 / ', 'deliver 1', 'deliver a', 'deliver b', 'commit 2 > 20 / ', 'deliver 2'],
  },
  {
    name: 'a sync waits while what is before it has no quorum',
    given: [propose(1), propose(2), sync('a'), ack(SELF, 2), ack(2, 1), count],
    want: ['commit 1 >  / ', 'deliver 1'],
  },
  {
    name: 'a reconfiguration needs a quorum of the membership that it ends',
    given: [propose(1), propose(2, without23), ack(SELF, 2), ack(4, 2), ack(5, 2), count],
    want: [],
  },
  {
    name: 'and of the one that it begins',
    given: [propose(1), propose(2, without23), ack(SELF, 2), ack(2, 2), ack(3, 2), count],
    want: ['commit 1 >  / ', 'deliver 1'],
  },
  {
    name: 'it is in force before it is committed, and what is before it is applied',
    given: [propose(1), propose(2, without23), ack(SELF, 2), ack(2, 2), ack(4, 2), count],
    want: ['commit 1 >  / ', 'deliver 1', 'activate 2 led by 1'],
  },
  {
    name: 'while it is brought into force nothing is committed',
    given: [propose(1, without23), ack(SELF, 1), ack(2, 1), ack(4, 1), count, propose(2), ack(4, 2), count],
    want: [],
  },
  {
    name: 'but what comes is proposed',
    given: [...two, propose(1, without23), ack(SELF, 1), ack(2, 1), ack(4, 1), count, propose(2)],
    want: ['propose 2 > 20,30', 'append 2'],
  },
  {
    name: 'then all are told who leads on, and what has a quorum behind it follows',
    given: [
      ...[...two, join(40, 4, true), propose(1, without23), propose(2), sync('a'), ack(SELF, 2), ack(2, 2), ack(4, 1)],
      ...[count, activated],
    ],
    want: ['commit 1 led by 1 > 20,30 / 40', 'commit 2 > 20,30 / 40', 'deliver 1,2', 'deliver a'],
  },
  {
    name: 'the next leader is the one that has the most, where we are not in it',
    given: [
      ...[propose(1, without1), propose(2, undefined, both(without1))],
      ...[ack(SELF, 2), ack(2, 1), ack(3, 2), count],
    ],
    want: ['activate 1 led by 3'],
  },
  {
    name: 'the most of what it had to agree to: who is new had not',
    given: [
      ...[propose(1, without1), propose(2, undefined, both(without1))],
      ...[ack(SELF, 2), ack(2, 1), ack(4, 2), count],
    ],
    want: ['activate 1 led by 2'],
  },
  {
    name: 'a leader that hands over applies the reconfiguration, and nothing behind it',
    given: [
      ...[...two, propose(1, without1), propose(2, undefined, both(without1))],
      ...[ack(SELF, 2), ack(2, 2), ack(3, 2), count, activated],
    ],
    want: ['commit 1 led by 2 > 20,30 / ', 'deliver 1'],
  },
  {
    name: 'it proposes no more',
    given: [...two, { kind: 'handOver', untilMs: 9 }, propose(1)],
    want: [],
  },
  { name: 'it answers no sync', given: [{ kind: 'handOver', untilMs: 9 }, sync('a')], want: [] },
  {
    name: 'it stays for those who have not heard',
    given: [...two, { kind: 'handOver', untilMs: 9 }, tick([2], 9)],
    want: ['ping 0 > 20,30'],
  },
  {
    name: 'and resigns when that is over',
    given: [...two, { kind: 'handOver', untilMs: 9 }, tick([2, 3], 10)],
    want: ['resign: another server is to lead'],
  },
  {
    name: 'an activation that ends behind the term changes nothing',
    given: [propose(1, without23), ack(SELF, 1), ack(2, 1), ack(4, 1), count, { kind: 'end' }, activated],
    want: [],
  },
  {
    name: 'with a quorum heard it goes on, and all who follow are pinged',
    given: [...two, join(40, 4, true), propose(1), tick([2])],
    want: ['ping 1 > 20,30,40'],
  },
  {
    name: 'without one it resigns at a full tick',
    given: [...two, tick([])],
    want: ['resign: Not sufficient followers synced, only synced with sids: [ 1 ]'],
  },
  {
    name: 'who does not vote is none of a quorum',
    given: [...two, tick([4, 5])],
    want: ['resign: Not sufficient followers synced, only synced with sids: [ 1, 4, 5 ]'],
  },
  { name: 'half a tick is no full one', given: [...two, tick([2]), tick([])], want: ['ping 0 > 20,30'] },
  {
    name: 'the next is',
    given: [...two, tick([2]), tick([]), tick([])],
    want: ['resign: Not sufficient followers synced, only synced with sids: [ 1 ]'],
  },
  {
    name: 'while a membership is proposed a quorum of each has to be heard',
    given: [tick([2, 3], 0, both(without23))],
    want: ['resign: Not sufficient followers synced, only synced with sids: [ 1, 2, 3 ]'],
  },
  {
    name: 'who has resigned commits no more',
    given: [...two, propose(1), tick([]), ack(SELF, 1), ack(2, 1), count],
    want: [],
  },
  { name: 'nor pings', given: [...two, tick([]), tick([])], want: [] },
];

for (const { name, given, want } of scenarios) {
  test(`leader: ${name}`, () => {
    const leader = new LeaderBroadcast<BroadcastProposal, string>(SELF, epoch);
    let effects: readonly Effect[] = [];
    for (const event of given) effects = leader.step(event);
    assert.deepEqual(effects.map(show), want);
  });
}

test('leader: the last zxid of an epoch is given to nobody: another epoch has to begin', () => {
  const leader = new LeaderBroadcast<BroadcastProposal, string>(SELF, zxid(0xffff_fffd));
  assert.equal(leader.step(propose(0xffff_fffe)).length, 2);
  assert.deepEqual(leader.step(propose(0xffff_ffff)).map(show), [
    'resign: zxid lower 32 bits have rolled over, forcing re-election, and therefore new epoch start',
  ]);
  assert.deepEqual([leader.phase, leader.lastProposed, leader.outstandingCount], ['over', zxid(0xffff_fffe), 1]);
});

test('leader: an oracle is asked by who has no follower, and lets what is proposed be committed', () => {
  let allows = false;
  const oracle = new OracleVerifier(majority([1, 2]), () => allows);
  const leader = new LeaderBroadcast<BroadcastProposal, string>(SELF, epoch);
  const heard = (servers: readonly number[]): string[] =>
    leader.step({ kind: 'heard', presence: presence(servers, [oracle]) }).map(show);
  leader.step(join(20, 2));
  leader.step(join(40, 4, true));
  assert.deepEqual([heard([2]), oracle.isNeeded], [[], false]);
  leader.step({ kind: 'propose', proposal: { zxid: zxid(1), change: undefined }, verifiers: [oracle] });
  leader.step(ack(SELF, 1));
  assert.deepEqual([leader.step(count), heard([4]), oracle.isNeeded], [[], ['count'], true], 'an observer is no help');
  assert.deepEqual(leader.step(count), [], 'the oracle says no');
  allows = true;
  assert.deepEqual(leader.step(tick([], 0, [oracle])).map(show), ['count', 'ping 1 > 20,40']);
  assert.deepEqual(leader.step(count).map(show), ['commit 1 > 20 / 40', 'deliver 1']);
});

test('leader: whatever the order of events, commits are in order, with a quorum, and marks stand where they were made', () => {
  const event = fc.oneof(
    fc.constant({ kind: 'propose' } as const),
    fc.constant({ kind: 'sync' } as const),
    fc.constant(count),
    fc.record({ kind: fc.constant('ack' as const), from: fc.integer({ min: 1, max: 5 }), back: fc.nat(3) }),
  );
  const voters = [1, 2, 3, 4, 5];
  const verifiers = [majority(voters)];
  fc.assert(
    fc.property(fc.array(event, { maxLength: 120 }), (events) => {
      const leader = new LeaderBroadcast<BroadcastProposal, string>(SELF, epoch);
      const logged = new Map<number, number>();
      const wanted: (number | string)[] = [];
      const delivered: (number | string)[] = [];
      const committed: number[] = [];
      let proposed = 0;
      const step = (each: Event): void => {
        for (const effect of leader.step(each)) {
          if (effect.kind === 'commit') committed.push(...effect.proposals.map(({ zxid: at }) => Number(at - epoch)));
          if (effect.kind !== 'deliver') continue;
          for (const item of effect.items) {
            delivered.push(typeof item === 'string' ? item : Number(item.zxid - epoch));
            const last = delivered.at(-1);
            if (typeof last !== 'number') continue;
            assert.ok(voters.filter((server) => (logged.get(server) ?? 0) >= last).length >= 3, 'a quorum has it');
            assert.ok(committed.includes(last), 'others are told before it is applied here');
          }
        }
      };
      for (const each of events) {
        if (each.kind === 'propose') {
          proposed += 1;
          wanted.push(proposed);
          step(propose(proposed, undefined, verifiers));
        } else if (each.kind === 'sync') {
          wanted.push(`sync ${wanted.length}`);
          step(sync(wanted.at(-1) as string));
        } else if (each.kind === 'ack') {
          const to = Math.max(logged.get(each.from) ?? 0, proposed - each.back, 0);
          logged.set(each.from, to);
          step(ack(each.from, to));
        } else step(each);
        assert.deepEqual(delivered, wanted.slice(0, delivered.length));
      }
      for (const server of voters) {
        logged.set(server, proposed);
        step(ack(server, proposed));
      }
      step(count);
      assert.deepEqual(delivered, wanted, 'in the end nothing waits');
    }),
  );
});
