import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { makeZxid, type Zxid } from '../jute/ids.ts';
import type { CommittedProposal } from '../persistence/recovery.ts';
import { planSync, type SyncPlan } from './sync-plan.ts';

const proposal = (zxid: Zxid): CommittedProposal => ({ zxid, bytes: new Uint8Array(0) });
const zxids = (...pairs: readonly (readonly [number, number])[]): Zxid[] =>
  pairs.map(([epoch, count]) => makeZxid(epoch, count));

/** A leader whose memory holds the last `inMemory` of its history and whose log the last `onDisk`. */
function leader(history: readonly Zxid[], inMemory: number, onDisk: number) {
  const logged = history.slice(Math.max(0, history.length - onDisk));
  return {
    lastProcessedZxid: history.at(-1) ?? makeZxid(0, 0),
    committed: history.slice(Math.max(0, history.length - inMemory)).map(proposal),
    logged: (from: Zxid) => {
      const first = logged.findLastIndex((zxid) => zxid <= from);
      return first < 0 ? [] : logged.slice(first).map(proposal);
    },
  };
}

const short = (plan: SyncPlan): unknown =>
  plan.kind === 'SNAP' ? 'SNAP' : [plan.kind, plan.zxid, plan.proposals.map(({ zxid }) => zxid)];

const history = zxids([1, 1], [1, 2], [1, 3], [2, 1], [2, 2]);
const [one, two, three, four, five] = history as [Zxid, Zxid, Zxid, Zxid, Zxid];

const cases: readonly { name: string; peer: Zxid; memory: number; disk: number; want: unknown }[] = [
  { name: 'a learner that has all gets nothing', peer: five, memory: 3, disk: 5, want: ['DIFF', five, []] },
  { name: 'one that lacks a little gets it from memory', peer: four, memory: 3, disk: 5, want: ['DIFF', five, [five]] },
  {
    name: 'one that lacks more gets it from the log',
    peer: one,
    memory: 3,
    disk: 5,
    want: ['DIFF', five, [two, three, four, five]],
  },
  { name: 'one that lacks more than the log gets a snapshot', peer: one, memory: 3, disk: 3, want: 'SNAP' },
  {
    name: 'one with more than we have forgets it',
    peer: makeZxid(2, 9),
    memory: 3,
    disk: 5,
    want: ['TRUNC', five, []],
  },
  {
    name: 'one with a proposal of a dead leader gets a snapshot',
    peer: makeZxid(1, 9),
    memory: 5,
    disk: 5,
    want: 'SNAP',
  },
  {
    name: 'a new epoch without a transaction is no history to forget',
    peer: makeZxid(2, 0),
    memory: 5,
    disk: 5,
    want: ['DIFF', five, [four, five]],
  },
  {
    name: 'a newer epoch without a transaction is answered with a snapshot',
    peer: makeZxid(3, 0),
    memory: 5,
    disk: 5,
    want: 'SNAP',
  },
];
for (const { name, peer, memory, disk, want } of cases) {
  test(name, () => assert.deepEqual(short(planSync(peer, leader(history, memory, disk))), want));
}

test('without proposals in memory the state of the tree decides', () => {
  const fresh = { lastProcessedZxid: five, committed: [], logged: () => [] };
  assert.deepEqual(short(planSync(five, fresh)), ['DIFF', five, []]);
  assert.deepEqual(short(planSync(makeZxid(2, 3), fresh)), ['TRUNC', five, []]);
  assert.deepEqual(short(planSync(one, fresh)), 'SNAP');
});

test('whatever the plan, the learner ends with our history', () => {
  const steps = fc.array(fc.boolean(), { maxLength: 30 });
  const walk = (isNewEpoch: readonly boolean[], from: Zxid): Zxid[] => {
    let last = from;
    return isNewEpoch.map((isNew) => {
      last = isNew ? makeZxid(Number(last >> 32n) + 1, 1) : ((last + 1n) as Zxid);
      return last;
    });
  };
  fc.assert(
    fc.property(
      steps,
      steps,
      fc.nat(30),
      fc.nat(40),
      fc.nat(40),
      fc.nat(3),
      (ours, lost, shared, memory, disk, gap) => {
        const mine = walk(ours, makeZxid(1, 0));
        const common = mine.slice(0, shared);
        // What the learner has beyond it was proposed by a leader that died: never in an epoch of ours, or behind its end there.
        const end = common.at(-1) ?? makeZxid(1, 0);
        const theirs =
          shared < mine.length ? [] : walk(lost, (end + BigInt(gap)) as Zxid).filter((zxid) => !mine.includes(zxid));
        const learner = [...common, ...theirs];
        const plan = planSync(learner.at(-1) ?? makeZxid(0, 0), leader(mine, memory, disk));
        if (plan.kind === 'SNAP') return;
        const kept = plan.kind === 'TRUNC' ? learner.filter((zxid) => zxid <= plan.zxid) : learner;
        assert.deepEqual([...kept, ...plan.proposals.map(({ zxid }) => zxid)], mine);
        // The end that a DIFF names is the end of what it sends.
        if (plan.kind === 'DIFF') assert.equal(plan.zxid, mine.at(-1) ?? makeZxid(0, 0));
      },
    ),
  );
});
