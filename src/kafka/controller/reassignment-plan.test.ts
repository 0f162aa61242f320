import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import type { PartitionAssignment } from '../zk/znodes.ts';
import { checkTarget, isBeingReassigned, originOf, reassignTo, targetOf } from './reassignment-plan.ts';

const at = (replicas: number[], addingReplicas: number[] = [], removingReplicas: number[] = []) => ({
  replicas,
  addingReplicas,
  removingReplicas,
});

const moves: readonly { name: string; from: PartitionAssignment; to: number[]; want: PartitionAssignment }[] = [
  { name: 'to others', from: at([1, 2]), to: [3, 2], want: at([3, 2, 1], [3], [1]) },
  { name: 'to more', from: at([1]), to: [1, 2], want: at([1, 2], [2]) },
  { name: 'to fewer', from: at([1, 2, 3]), to: [3], want: at([3, 1, 2], [], [1, 2]) },
  { name: 'to another order', from: at([1, 2]), to: [2, 1], want: at([2, 1]) },
  { name: 'elsewhere on the way', from: at([3, 1], [3], [1]), to: [4], want: at([4, 1], [4], [1]) },
  { name: 'back on the way', from: at([3, 2, 1], [3], [1]), to: [2, 1], want: at([2, 1]) },
];

for (const { name, from, to, want } of moves) {
  test(`a move ${name} goes from where the partition was before`, () => {
    const next = reassignTo(from, to);
    assert.deepEqual(next, want);
    assert.deepEqual(targetOf(next), to);
    assert.equal(isBeingReassigned(next), want.addingReplicas.length + want.removingReplicas.length > 0);
    assert.deepEqual(new Set(originOf(next)), new Set(originOf(from)));
  });
}

const refusals: readonly { target: number[]; message: string }[] = [
  { target: [], message: 'Empty replica list specified in partition reassignment.' },
  {
    target: [1, 1],
    message: 'Duplicate replica ids in partition reassignment replica list: ArrayBuffer(1, 1)',
  },
  { target: [-1], message: 'Invalid broker id in replica list: ArrayBuffer(-1)' },
  {
    target: [1, 7, 8],
    message:
      'Replica assignment has brokers that are not alive. Replica list: ArrayBuffer(7, 8), live broker list: Set(1, 2)',
  },
];

for (const { target, message } of refusals) {
  test(`nobody moves to [${target}]`, () => {
    assert.throws(
      () => checkTarget(at([1]), target, new Set([1, 2])),
      (error: unknown) =>
        error instanceof KafkaError && error.code === ErrorCode.INVALID_REPLICA_ASSIGNMENT && error.message === message,
    );
  });
}

test('a broker that has the partition already need not live', () => {
  checkTarget(at([9, 1]), [1, 9], new Set([1]));
});
