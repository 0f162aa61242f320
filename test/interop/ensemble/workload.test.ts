/** What a register may hold after acknowledged and unanswered sets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Stat } from '../../../src/zookeeper/client/index.ts';
import { type LaneHistory, registerComplaint } from './workload.ts';

const stat = (version: number): Stat => ({ version }) as Stat;

/** `a1 b? c2`: a was acknowledged as version 1, nobody answered b, c was acknowledged as version 2. */
function historyOf(text: string): LaneHistory {
  const sets = text
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => ({ value: word[0]!, stat: word[1] === '?' ? undefined : stat(Number(word[1])) }));
  const empty = { created: new Set<string>(), perhapsCreated: new Set<string>(), sessionsExpired: 0 };
  return { register: '/r', parent: '/p', sets, ...empty };
}

const cases: readonly { sets: string; value: string | null; version: number; says?: RegExp }[] = [
  { sets: '', value: null, version: 0 },
  { sets: 'a1', value: 'a', version: 1 },
  { sets: 'a1', value: null, version: 0, says: /1 sets were acknowledged/ },
  { sets: 'a1 b2', value: 'a', version: 1, says: /2 sets were acknowledged/ },
  { sets: 'a1 b2', value: 'a', version: 2, says: /the last acknowledged is "b"/ },
  { sets: 'a1 b?', value: 'a', version: 1 },
  { sets: 'a1 b?', value: 'b', version: 2 },
  { sets: 'a1 b? c3', value: 'b', version: 3, says: /the last acknowledged is "c"/ },
  { sets: 'a1 b? c2', value: 'c', version: 2 },
  { sets: 'a1', value: 'z', version: 1, says: /the last acknowledged is "a"/ },
  { sets: 'a1', value: 'a', version: 2, says: /only 1 sets were asked for/ },
  { sets: 'a?', value: null, version: 0 },
  { sets: 'a?', value: 'a', version: 1 },
];

for (const { sets, value, version, says } of cases) {
  test(`after "${sets}", "${value}" in version ${version} is ${says === undefined ? 'right' : 'wrong'}`, () => {
    const complaint = registerComplaint(historyOf(sets), value === null ? null : Buffer.from(value), stat(version));
    if (says === undefined) assert.equal(complaint, undefined);
    else assert.match(complaint ?? '', says);
  });
}
