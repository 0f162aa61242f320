import assert from 'node:assert/strict';
import test from 'node:test';
import { ZERO_UUID } from '../../wire/schema.ts';
import { ControllerContext } from './controller-context.ts';
import { misplacedLeaders } from './leader-balance.ts';

/** Topic `t`, with brokers 1 to 3: of each partition its replicas, its leader and who is in sync. */
function contextOf(
  partitions: readonly (readonly [replicas: readonly number[], leader: number, isr: readonly number[]])[],
): ControllerContext {
  const context = new ControllerContext({ interBrokerListenerName: 'PLAINTEXT', controlListenerName: 'PLAINTEXT' });
  for (const id of [1, 2, 3]) {
    context.brokers.set(id, { epoch: 1, info: { endpoints: [] } } as unknown as NonNullable<
      ReturnType<typeof context.brokers.get>
    >);
  }
  const assignments = partitions.map(
    ([replicas], index) => [index, { replicas, addingReplicas: [], removingReplicas: [] }] as const,
  );
  context.topics.set('t', { topicId: ZERO_UUID, partitions: new Map(assignments) });
  for (const [index, [, leader, isr]] of partitions.entries()) {
    const state = { leader, leaderEpoch: 0, isr, controllerEpoch: 1, leaderRecoveryState: 0 };
    context.setState('t', index, { state, zkVersion: 0 });
  }
  return context;
}

const indexes = (context: ControllerContext, percent: number): number[] =>
  misplacedLeaders(context, percent).map(({ partition }) => partition);

const atHome = [[1, 2], 1, [1, 2]] as const;
const elsewhere = [[1, 2], 2, [1, 2]] as const;

test('a share of leaderships that is elsewhere must be above the percentage, broker by broker', () => {
  const tenth = contextOf([elsewhere, ...Array.from({ length: 9 }, () => atHome)]);
  assert.deepEqual([indexes(tenth, 10), indexes(tenth, 9)], [[], [0]]);
  const other = contextOf([elsewhere, ...Array.from({ length: 9 }, () => atHome), [[3, 2], 2, [2, 3]]]);
  assert.deepEqual(indexes(other, 10), [10]);
});

test('leaderships go back only to who is live and in sync, and not those of a topic that goes', () => {
  const context = contextOf([elsewhere, [[1, 2], 2, [2]], [[4, 2], 2, [4, 2]]]);
  assert.deepEqual(indexes(context, 10), [0]);
  context.offline.set(1, new Set(['t-0']));
  assert.deepEqual(indexes(context, 10), []);
  context.offline.clear();
  context.topicsToDelete.add('t');
  assert.deepEqual(indexes(context, 10), []);
});
