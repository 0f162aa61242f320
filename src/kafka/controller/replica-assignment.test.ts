import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { SimRandom } from '../../runtime/sim/sim-random.ts';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { assignReplicas } from './replica-assignment.ts';

const random = new SimRandom('assignment');
const refusedWith = (code: number, message: string) => (error: unknown) =>
  error instanceof KafkaError && error.code === code && error.message.includes(message);

test('ten partitions of three replicas on five brokers lie as in the table of AdminUtils', () => {
  const assignment = assignReplicas(
    { brokers: [4, 2, 0, 1, 3], partitionCount: 10, replicationFactor: 3, startIndex: 0 },
    random,
  );
  assert.deepEqual(
    [...assignment],
    [
      [0, [0, 1, 2]],
      [1, [1, 2, 3]],
      [2, [2, 3, 4]],
      [3, [3, 4, 0]],
      [4, [4, 0, 1]],
      [5, [0, 2, 3]],
      [6, [1, 3, 4]],
      [7, [2, 4, 0]],
      [8, [3, 0, 1]],
      [9, [4, 1, 2]],
    ],
  );
});

test('added partitions go on where the round of the existing ones stands', () => {
  const added = assignReplicas(
    { brokers: [0, 1, 2], partitionCount: 2, replicationFactor: 2, firstPartition: 3, startIndex: 1 },
    random,
  );
  assert.deepEqual(
    [...added],
    [
      [3, [1, 2]],
      [4, [2, 0]],
    ],
  );
});

test('one broker takes every partition', () => {
  const assignment = assignReplicas({ brokers: [7], partitionCount: 3, replicationFactor: 1 }, random);
  assert.deepEqual([...assignment.values()], [[7], [7], [7]]);
});

test('counts that cannot be are refused with the texts that tools print', () => {
  const assign = (partitionCount: number, replicationFactor: number) => () =>
    assignReplicas({ brokers: [0, 1], partitionCount, replicationFactor }, random);
  assert.throws(assign(0, 1), refusedWith(ErrorCode.INVALID_PARTITIONS, 'must be larger than 0'));
  assert.throws(assign(1, 0), refusedWith(ErrorCode.INVALID_REPLICATION_FACTOR, 'must be larger than 0'));
  assert.throws(
    assign(1, 3),
    refusedWith(ErrorCode.INVALID_REPLICATION_FACTOR, 'Replication factor: 3 larger than available brokers: 2.'),
  );
});

test('replicas of a partition are on different brokers, and leaders are spread evenly', () => {
  const shape = fc
    .record({ brokerCount: fc.integer({ min: 1, max: 9 }), partitionCount: fc.integer({ min: 1, max: 60 }) })
    .chain((one) => fc.record({ ...constants(one), replicationFactor: fc.integer({ min: 1, max: one.brokerCount }) }));
  fc.assert(
    fc.property(shape, ({ brokerCount, partitionCount, replicationFactor }) => {
      const brokers = Array.from({ length: brokerCount }, (_, index) => 100 + 3 * index);
      const assignment = assignReplicas({ brokers, partitionCount, replicationFactor }, random);
      const led = new Map(brokers.map((id) => [id, 0]));
      for (const replicas of assignment.values()) {
        assert.equal(new Set(replicas).size, replicationFactor);
        const [leader = -1] = replicas;
        led.set(leader, (led.get(leader) ?? Number.NaN) + 1);
      }
      assert.equal(assignment.size, partitionCount);
      assert.ok(Math.max(...led.values()) - Math.min(...led.values()) <= 1);
    }),
  );
});

function constants<T extends Record<string, number>>(values: T): { [K in keyof T]: fc.Arbitrary<number> } {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, fc.constant(value)])) as never;
}

test('more partitions than a znode can hold are refused before anything is made for them', () => {
  const brokers = [0];
  assert.throws(
    () => assignReplicas({ brokers, partitionCount: 2_147_483_647, replicationFactor: 1 }, new SimRandom('x')),
    refusedWith(ErrorCode.INVALID_PARTITIONS, 'do not fit'),
  );
});
