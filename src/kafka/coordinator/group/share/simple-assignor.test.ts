import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { assignSimply } from './simple-assignor.ts';

const topics = ['AAAAAAAAAAAAAAAAAAAABA', 'AAAAAAAAAAAAAAAAAAAABQ', 'AAAAAAAAAAAAAAAAAAAABg'];

interface Given {
  readonly counts: readonly number[];
  readonly members: readonly { readonly wants: readonly number[] }[];
}

const given = fc.record({
  counts: fc.array(fc.nat(6), { minLength: 3, maxLength: 3 }),
  members: fc.array(fc.record({ wants: fc.subarray([0, 1, 2], { minLength: 1 }) }), { minLength: 1, maxLength: 8 }),
});

function assign({ counts, members }: Given, former = new Map<string, Map<string, number[]>>()) {
  return assignSimply(
    members.map(({ wants }, index) => ({
      id: `member-${index}`,
      topicIds: new Set(wants.map((one) => topics[one]!)),
      former: former.get(`member-${index}`) ?? new Map(),
    })),
    (topicId) => Array.from({ length: counts[topics.indexOf(topicId)]! }, (_, partition) => partition),
  );
}

test('each partition has a member, each member has a partition, and nobody has what it does not want', () => {
  fc.assert(
    fc.property(given, (one) => {
      const assigned = assign(one);
      for (const [index, count] of one.counts.entries()) {
        const subscribers = one.members.filter(({ wants }) => wants.includes(index)).length;
        for (let partition = 0; partition < count && subscribers > 0; partition += 1) {
          const owners = [...assigned.values()].filter((all) => all.get(topics[index]!)?.includes(partition));
          assert.ok(owners.length > 0, `partition ${partition} of topic ${index}`);
        }
      }
      for (const [index, { wants }] of one.members.entries()) {
        const mine = assigned.get(`member-${index}`)!;
        assert.ok([...mine.keys()].every((topicId) => wants.includes(topics.indexOf(topicId))));
        if (wants.some((want) => one.counts[want]! > 0)) assert.ok(mine.size > 0, `member ${index} has something`);
        for (const partitions of mine.values()) assert.equal(new Set(partitions).size, partitions.length);
      }
    }),
  );
});

test('members that want the same share evenly, and keep what they have when nothing changes', () => {
  fc.assert(
    fc.property(fc.nat(9), fc.integer({ min: 1, max: 9 }), (count, size) => {
      const one = { counts: [count, 0, 0], members: Array.from({ length: size }, () => ({ wants: [0] })) };
      const assigned = assign(one);
      const sizes = [...assigned.values()].map((mine) => mine.get(topics[0]!)?.length ?? 0);
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, String(sizes));
      assert.deepEqual(assign(one, assigned), assigned);
    }),
  );
});

test('who joins gets the first partitions of the others', () => {
  const one = { counts: [3, 0, 0], members: [{ wants: [0] }] };
  const alone = assign(one);
  assert.deepEqual(alone.get('member-0')?.get(topics[0]!), [0, 1, 2]);
  const both = assign({ ...one, members: [{ wants: [0] }, { wants: [0] }] }, alone);
  const kept = both.get('member-0')?.get(topics[0]!) ?? [];
  assert.ok(kept.includes(2));
});
