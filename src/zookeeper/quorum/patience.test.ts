import assert from 'node:assert/strict';
import test from 'node:test';
import { makeZxid, type Zxid } from '../jute/ids.ts';
import { LeaderSilence } from './leader-silence.ts';
import { LearnerPatience } from './learner-patience.ts';

const limits = { initLimitMs: 100, syncLimitMs: 10, nowMs: 0 };
const zxid = (count: number): Zxid => makeZxid(5, count);
const LATE = 'proposals are not acknowledged in time';

const patiences: readonly {
  readonly name: string;
  readonly given: (learner: LearnerPatience) => void;
  readonly at: number;
  readonly overdue: string | undefined;
  readonly isHeard: boolean;
}[] = [
  { name: 'who comes has initLimit', given: () => undefined, at: 100, overdue: undefined, isHeard: true },
  {
    name: 'and no more, though it counts a little longer',
    given: () => undefined,
    at: 101,
    overdue: 'nothing was heard for 100 ms',
    isHeard: true,
  },
  {
    name: 'a packet on the way gives time, and does not make it count longer',
    given: (learner) => learner.heard(60),
    at: 111,
    overdue: undefined,
    isHeard: false,
  },
  {
    name: 'nor shorter',
    given: (learner) => learner.heard(60),
    at: 110,
    overdue: undefined,
    isHeard: true,
  },
  {
    name: 'who has our history has syncLimit',
    given: (learner) => {
      learner.heard(60);
      learner.synchronised();
    },
    at: 70,
    overdue: undefined,
    isHeard: true,
  },
  {
    name: 'and no more',
    given: (learner) => {
      learner.heard(60);
      learner.synchronised();
    },
    at: 71,
    overdue: 'nothing was heard for 10 ms',
    isHeard: false,
  },
  {
    name: 'from each packet on',
    given: (learner) => {
      learner.synchronised();
      learner.heard(80);
    },
    at: 90,
    overdue: undefined,
    isHeard: true,
  },
  {
    name: 'a proposal that is not acknowledged in time is too late, whatever else is heard',
    given: (learner) => {
      learner.synchronised();
      learner.proposed(zxid(1), 5);
      learner.heard(16);
    },
    at: 16,
    overdue: LATE,
    isHeard: true,
  },
  {
    name: 'one that is sent on the way need not be hurried with',
    given: (learner) => {
      learner.proposed(zxid(1), 5);
      learner.synchronised();
      learner.heard(16);
    },
    at: 16,
    overdue: undefined,
    isHeard: true,
  },
  {
    name: 'once it is acknowledged the newest of that time is watched',
    given: (learner) => {
      learner.synchronised();
      for (const [count, atMs] of [
        [1, 1],
        [2, 3],
        [3, 8],
      ] as const)
        learner.proposed(zxid(count), atMs);
      learner.acknowledged(zxid(1));
      learner.heard(18);
    },
    at: 18,
    overdue: undefined,
    isHeard: true,
  },
  {
    name: 'and is too late in its turn',
    given: (learner) => {
      learner.synchronised();
      for (const [count, atMs] of [
        [1, 1],
        [2, 3],
        [3, 8],
      ] as const)
        learner.proposed(zxid(count), atMs);
      learner.acknowledged(zxid(2));
      learner.heard(19);
    },
    at: 19,
    overdue: LATE,
    isHeard: true,
  },
  {
    name: 'an acknowledgement of what was before does not count for it',
    given: (learner) => {
      learner.synchronised();
      learner.proposed(zxid(2), 1);
      learner.acknowledged(zxid(1));
      learner.heard(12);
    },
    at: 12,
    overdue: LATE,
    isHeard: true,
  },
  {
    name: 'who has acknowledged all owes nothing',
    given: (learner) => {
      learner.synchronised();
      learner.proposed(zxid(1), 1);
      learner.proposed(zxid(2), 2);
      learner.acknowledged(zxid(2));
      learner.heard(50);
    },
    at: 50,
    overdue: undefined,
    isHeard: true,
  },
];

for (const { name, given, at, overdue, isHeard } of patiences) {
  test(`a leader's patience: ${name}`, () => {
    const learner = new LearnerPatience(limits);
    given(learner);
    assert.deepEqual({ overdue: learner.overdue(at), isHeard: learner.isHeard(at) }, { overdue, isHeard });
  });
}

const silences = [
  { name: 'while it brings its history, initLimit', phase: 'catching up', isBusy: false, at: 105, want: undefined },
  { name: 'and no more', phase: 'catching up', isBusy: false, at: 106, want: 100 },
  { name: 'behind it syncLimit', phase: 'waiting', isBusy: false, at: 15, want: undefined },
  { name: 'and no more while UPTODATE is awaited', phase: 'waiting', isBusy: false, at: 16, want: 10 },
  { name: 'and no more there', phase: 'active', isBusy: false, at: 16, want: 10 },
  { name: 'while we write it waits for us', phase: 'waiting', isBusy: true, at: 500, want: undefined },
  { name: 'who connects has a limit of its own', phase: 'connecting', isBusy: false, at: 500, want: undefined },
] as const;

for (const { name, phase, isBusy, at, want } of silences) {
  test(`a learner's patience: ${name}`, () => {
    const silence = new LeaderSilence(limits);
    silence.heard(5);
    const text = want === undefined ? undefined : `the leader was not heard for ${want} ms`;
    assert.equal(silence.judge(at, { phase, isBusy }), text);
    const justNow = { phase: 'active', isBusy: false } as const;
    if (want === undefined && at === 500)
      assert.equal(silence.judge(at + 10, justNow), undefined, 'it counts from then');
  });
}
