import { ErrorCode, KafkaError } from '../protocol/errors.ts';
import { NO_LEADER } from '../replication/metadata-cache.ts';
import { keyOf, type TopicPartition } from './controller-context.ts';
import { electOffline, electPreferred } from './elections.ts';
import type { ElectionStrategy } from './partition-states.ts';
import type { Reign } from './reign.ts';
import { RequestBatch } from './request-batch.ts';

/** What an administrator may ask for (KIP-460): the first replica, or anyone who lives although records are lost. */
export type ElectionType = 'preferred' | 'unclean';

/** Who was elected, or why nobody was. */
export interface ElectionOutcome extends TopicPartition {
  readonly result: number | KafkaError;
}

/** Elections on request, of an administrator or of a tool's znode (`KafkaController.processReplicaLeaderElection`). */
export async function electLeaders(
  { context, states, send }: Reign,
  asked: readonly TopicPartition[],
  type: ElectionType,
): Promise<ElectionOutcome[]> {
  const refusals = new Map<string, KafkaError>();
  const electable = asked.filter((item) => {
    const refusal = refusalOf(item);
    if (refusal !== undefined) refusals.set(keyOf(item.topic, item.partition), refusal);
    return refusal === undefined;
  });
  const batch = new RequestBatch(context);
  await states.elect(electable, strategyOf(type), batch);
  send(batch);
  return asked.map((item) => {
    const refusal = refusals.get(keyOf(item.topic, item.partition));
    return { ...item, result: refusal ?? (isAsWanted(item) ? leaderOf(item) : noCandidate(item, type)) };
  });

  function refusalOf({ topic, partition }: TopicPartition): KafkaError | undefined {
    if (context.assignment(topic, partition) === undefined) {
      return new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'The partition does not exist.');
    }
    if (context.topicsToDelete.has(topic)) {
      return new KafkaError(ErrorCode.INVALID_TOPIC_EXCEPTION, 'The topic is being deleted');
    }
    return isAsWanted({ topic, partition }) ? new KafkaError(ErrorCode.ELECTION_NOT_NEEDED) : undefined;
  }

  function leaderOf({ topic, partition }: TopicPartition): number {
    return context.state(topic, partition)?.state.leader ?? NO_LEADER;
  }

  function isAsWanted(item: TopicPartition): boolean {
    const leader = leaderOf(item);
    return type === 'preferred'
      ? leader === context.replicas(item.topic, item.partition)[0]
      : context.brokers.has(leader);
  }

  function strategyOf(kind: ElectionType): ElectionStrategy {
    return (replicas, state, item) =>
      kind === 'preferred'
        ? electPreferred(replicas, state, context.online(item))
        : electOffline(replicas, state, context.online(item), true);
  }
}

/** A partition that never had a leader is refused in the same way: Apache's controller fails there and answers nothing. */
function noCandidate({ topic, partition }: TopicPartition, type: ElectionType): KafkaError {
  const [code, strategy] =
    type === 'preferred'
      ? ([ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE, 'PreferredReplicaPartitionLeaderElectionStrategy'] as const)
      : ([ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE, 'OfflinePartitionLeaderElectionStrategy(true)'] as const);
  const message = `Failed to elect leader for partition ${topic}-${partition} under strategy ${strategy}`;
  return new KafkaError(code, message);
}
