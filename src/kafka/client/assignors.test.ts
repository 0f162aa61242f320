import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { assignors, type GroupMember, rangeAssignor, roundRobinAssignor } from './assignors.ts';
import { parseBootstrap } from './bootstrap.ts';
import { partitionOfKey } from './partitioner.ts';

const member = (memberId: string, ...topics: readonly string[]): GroupMember => ({
  memberId,
  groupInstanceId: null,
  topics,
});
const shown = (
  assignment: ReadonlyMap<string, readonly { topic: string; partition: number }[]>,
): Record<string, string> =>
  Object.fromEntries(
    [...assignment].map(([id, list]) => [id, list.map(({ topic, partition }) => `${topic}${partition}`).join(' ')]),
  );

test('range gives consecutive partitions, topic by topic, the first members one more', () => {
  const members = [member('b', 't', 'u'), member('a', 't', 'u')];
  const counts = new Map([
    ['t', 3],
    ['u', 3],
  ]);
  assert.deepEqual(shown(rangeAssignor.assign(members, counts)), { a: 't0 t1 u0 u1', b: 't2 u2' });
});

test('round robin deals out all partitions in turn to those who want them', () => {
  const members = [member('a', 't'), member('b', 't', 'u'), member('c', 'u')];
  const counts = new Map([
    ['t', 2],
    ['u', 3],
  ]);
  assert.deepEqual(shown(roundRobinAssignor.assign(members, counts)), { a: 't0', b: 't1 u1', c: 'u0 u2' });
});

test('static members come first, by their lasting names', () => {
  const members = [
    member('x', 't'),
    { ...member('y', 't'), groupInstanceId: 'i2' },
    { ...member('z', 't'), groupInstanceId: 'i1' },
  ];
  assert.deepEqual(shown(rangeAssignor.assign(members, new Map([['t', 4]]))), { x: 't3', y: 't2', z: 't0 t1' });
});

test('every partition of a wanted topic has exactly one taker that wants it', () => {
  const topics = ['t0', 't1', 't2'];
  fc.assert(
    fc.property(
      fc.array(fc.uniqueArray(fc.constantFrom(...topics)), { minLength: 1, maxLength: 5 }),
      fc.tuple(fc.nat(7), fc.nat(7), fc.nat(7)),
      (wants, counts) => {
        const members = wants.map((list, index) => member(`m${index}`, ...list));
        const partitionCounts = new Map(topics.map((topic, index) => [topic, counts[index]!]));
        const wanted = topics.filter((topic) => members.some((each) => each.topics.includes(topic)));
        const all = wanted.flatMap((topic) =>
          Array.from({ length: partitionCounts.get(topic)! }, (_, partition) => `${topic}-${partition}`),
        );
        for (const assignor of assignors.values()) {
          const given = [...assignor.assign(members, partitionCounts)].flatMap(([id, list]) => {
            const mine = members.find(({ memberId }) => memberId === id)!.topics;
            assert.ok(list.every(({ topic }) => mine.includes(topic)));
            return list.map(({ topic, partition }) => `${topic}-${partition}`);
          });
          assert.deepEqual(given.sort(), all.sort());
        }
      },
    ),
  );
});

test('keys go where Java’s clients send them', () => {
  // murmur2("21") is -973932308, murmur2("abc") 479470107.
  assert.equal(partitionOfKey(Buffer.from('abc'), 10), 479_470_107 % 10);
  assert.equal(partitionOfKey(Buffer.from('21'), 10), (-973_932_308 & 0x7fffffff) % 10);
});

test('bootstrap servers are a list, IPv6 in brackets, and nothing else', () => {
  assert.deepEqual(parseBootstrap('a:1, [::1]:2,PLAINTEXT://b:3'), [
    { host: 'a', port: 1 },
    { host: '::1', port: 2 },
    { host: 'b', port: 3 },
  ]);
  assert.throws(() => parseBootstrap('a'), { message: 'Invalid url in bootstrap.servers: a' });
  assert.throws(() => parseBootstrap(' , '), { message: 'No resolvable bootstrap urls given in bootstrap.servers' });
});
