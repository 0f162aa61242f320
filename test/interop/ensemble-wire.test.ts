/** What passes between a leader and a member that comes back, as Apache's servers have it among themselves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chosen } from './breadth.ts';
import { recordJoins } from './ensemble/joins.ts';
import { type Mixture, nameOf } from './ensemble/mixtures.ts';

const mixtures: readonly Mixture[] = [
  ['apache-3.9.4', 'apache-3.9.4', 'apache-3.9.4'],
  ['odradek', 'odradek', 'odradek'],
  ['odradek', 'apache-3.9.4', 'apache-3.9.4'],
  ['apache-3.9.4', 'apache-3.9.4', 'odradek'],
];

/** The members 1 and 3 begin, 2 and the observer 4 come when these serve. */
const expected: Readonly<Record<string, string>> = {
  'a new ensemble': `
    > FOLLOWERINFO 0x0 sid 1 protocol 65536 config 0
    < LEADERINFO 0x100000000 65536
    > ACKEPOCH 0x0 0
    < DIFF 0x0 null
    < NEWLEADER 0x100000000 version=0
    > ACK 0x100000000 null
    < UPTODATE -1 null
    > ACK 0x100000000 null`,
  'a new observer': `
    > OBSERVERINFO 0x0 sid 4 protocol 65536 config 0
    < LEADERINFO 0x100000000 65536
    > ACKEPOCH 0x0 0
    < SNAP 0x100000000 null
    < NEWLEADER 0x100000000 version=0
    > ACK 0x100000000 null
    < UPTODATE -1 null
    > ACK 0x100000000 null`,
  'nothing was missed': `
    > FOLLOWERINFO 0x100000000 sid 1 protocol 65536 config 0
    < LEADERINFO 0x100000000 65536
    > ACKEPOCH 0x100000002 -1
    < DIFF 0x100000002 null
    < NEWLEADER 0x100000000 version=0
    > ACK 0x100000000 null
    < UPTODATE -1 null
    > ACK 0x100000000 null`,
  'three transactions were missed': `
    > FOLLOWERINFO 0x100000000 sid 1 protocol 65536 config 0
    < LEADERINFO 0x100000000 65536
    > ACKEPOCH 0x100000002 -1
    < DIFF 0x100000005 null
    < PROPOSAL 0x100000003 transaction of type 1
    < COMMIT 0x100000003 null
    … 2 more
    < PROPOSAL 0x100000005 transaction of type 1
    < COMMIT 0x100000005 null
    < NEWLEADER 0x100000000 version=0
    > ACK 0x100000000 null
    < UPTODATE -1 null
    > ACK 0x100000000 null`,
  'an observer missed three transactions': `
    > OBSERVERINFO 0x100000000 sid 4 protocol 65536 config 0
    < LEADERINFO 0x100000000 65536
    > ACKEPOCH 0x100000005 -1
    < DIFF 0x100000008 null
    < PROPOSAL 0x100000006 transaction of type 1
    < COMMIT 0x100000006 null
    … 2 more
    < PROPOSAL 0x100000008 transaction of type 1
    < COMMIT 0x100000008 null
    < NEWLEADER 0x100000000 version=0
    > ACK 0x100000000 null
    < UPTODATE -1 null
    > ACK 0x100000000 null`,
  'more was missed than the leader has in memory': `
    > FOLLOWERINFO 0x100000000 sid 1 protocol 65536 config 0
    < LEADERINFO 0x100000000 65536
    > ACKEPOCH 0x100000008 -1
    < DIFF 0x1000004b8 null
    < PROPOSAL 0x100000009 transaction of type 1
    < COMMIT 0x100000009 null
    … 2396 more
    < PROPOSAL 0x1000004b8 transaction of type 1
    < COMMIT 0x1000004b8 null
    < NEWLEADER 0x100000000 version=0
    > ACK 0x100000000 null
    < UPTODATE -1 null
    > ACK 0x100000000 null`,
  'the disk was emptied': `
    > FOLLOWERINFO 0x0 sid 1 protocol 65536 config 0
    < LEADERINFO 0x100000000 65536
    > ACKEPOCH 0x0 0
    < SNAP 0x1000004b8 null
    < NEWLEADER 0x100000000 version=0
    > ACK 0x100000000 null
    < UPTODATE -1 null
    > ACK 0x100000000 null`,
  'the disk of an observer was emptied': `
    > OBSERVERINFO 0x0 sid 4 protocol 65536 config 0
    < LEADERINFO 0x100000000 65536
    > ACKEPOCH 0x0 0
    < SNAP 0x1000004b8 null
    < NEWLEADER 0x100000000 version=0
    > ACK 0x100000000 null
    < UPTODATE -1 null
    > ACK 0x100000000 null`,
  'the leader has less': `
    > FOLLOWERINFO 0x100000000 sid 3 protocol 65536 config 0
    < LEADERINFO 0x200000000 65536
    > ACKEPOCH 0x1000004b9 1
    < TRUNC 0x1000004b8 null
    < NEWLEADER 0x200000000 version=0
    > ACK 0x200000000 null
    < UPTODATE -1 null
    > ACK 0x200000000 null`,
};

for (const mixture of chosen(mixtures, (kinds) => new Set(kinds).size > 1)) {
  test(nameOf(mixture), async (t) => {
    const joins = await recordJoins(t, mixture);
    const recorded = [...joins].map(([name, lines]) => [name, `\n    ${lines.join('\n    ')}`]);
    assert.deepEqual(Object.fromEntries(recorded), expected);
  });
}
